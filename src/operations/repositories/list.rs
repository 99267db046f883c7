//! The repositories of a namespace, as far as the client may read them.

use crate::{
    auth::{Credentials, NO_NAMESPACE, Principal},
    context::Context,
    domain::{RepositoryName, Role, access::Relations},
    error::{Result, invalid, not_found},
    store::{
        Count, Page,
        repositories::{self, List, Listed, Summary},
    },
    wire::Request,
};

/// The most repositories of a namespace that are read for an access token. Its globs are matched here and not by the
/// database, so every name has to be read.
const MAX_READ: i64 = 5_000;

/// Which repositories of a namespace are listed, and in which order.
pub struct ListRepositories<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// A text that their names contain, in any case.
    pub name: &'a str,
    /// `name` or `pull_count`, descending after a `-`; or `last_updated`, the newest first, the oldest first after a
    /// `-`.
    pub ordering: &'a str,
    /// The most items.
    pub limit: i64,
    /// The number of items before them.
    pub offset: i64,
}

/// A repository in a list.
pub struct ListedRepository {
    /// Its full name.
    pub name: RepositoryName,
    /// Only for users with a role in it.
    pub private: bool,
    /// The most that the client may do with it.
    pub role: Role,
    /// The relations of the user to it, other than that of an administrator.
    pub relations: Relations,
    /// Its description and numbers.
    pub summary: Summary,
}

/// A page of the repositories of a namespace that the client may read.
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    wanted: &ListRepositories<'_>,
) -> Result<(Principal, Page<ListedRepository>)> {
    let limited = credentials.uses_access_token();
    let list = List {
        namespace: wanted.namespace,
        name: wanted.name,
        ordering: wanted.ordering,
        administrating: credentials.allows_admin(),
        limit: if limited { MAX_READ } else { wanted.limit },
        offset: if limited { 0 } else { wanted.offset },
    };
    let Some(list) = repositories::list(&list, &credentials.subject(ctx)) else {
        return invalid("ordering: name, last_updated or pull_count, the other way behind a -");
    };
    credentials.require_anonymous_limit(ctx, request).await?;
    let (principal, found) = credentials.authenticate_with(ctx, list).await?;
    // Only administrators may know whether a namespace exists: other users get an empty list either way.
    if found.head.namespace_id.is_none() && principal.is_administrator() {
        return not_found(NO_NAMESPACE);
    }
    // An access token may open fewer of them than the database compares.
    let readable = |Listed { name, lookup, summary }| {
        let name = RepositoryName { namespace: wanted.namespace.to_owned(), name };
        let role = principal.effective_role(&lookup, &name)?;
        let private = lookup.repository.as_ref().is_some_and(|repository| repository.private);
        Some(ListedRepository { name, private, role, relations: lookup.relations(false), summary })
    };
    let mut items = found.items.into_iter().filter_map(readable).collect::<Vec<_>>();
    let mut count = found.head.count;
    if limited {
        count = i64::try_from(items.len()).unwrap_or(MAX_READ);
        let [skipped, taken] =
            [wanted.offset, wanted.limit].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        items.drain(..skipped.min(items.len()));
        items.truncate(taken);
    }
    Ok((principal, Page { head: Count { count }, items }))
}
