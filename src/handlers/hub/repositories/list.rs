//! The repositories of a namespace, as far as the client may read them.

use crate::{
    auth::{Credentials, NO_NAMESPACE},
    context::Context,
    domain::RepositoryName,
    error::{Result, invalid, not_found},
    handlers::hub::{Pagination, paged, query_parameter, repositories::body},
    store::repositories::{self, List, Listed},
    wire::{Request, Response},
};

/// The most repositories of a namespace that are read for an access token. Its globs are matched here and not by the
/// database, so every name has to be read.
const MAX_READ: i64 = 5_000;

/// `GET /v2/namespaces/{namespace}/repositories?page=&page_size=&name=&ordering=`
pub async fn list(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let page = Pagination::read(request);
    let (name, ordering) = (query_parameter(request, "name"), query_parameter(request, "ordering"));
    let limited = credentials.uses_access_token();
    let wanted = List {
        namespace,
        name: name.as_deref().unwrap_or_default(),
        ordering: ordering.as_deref().unwrap_or("name"),
        administrating: credentials.allows_admin(),
        limit: if limited { MAX_READ } else { page.size },
        offset: if limited { 0 } else { page.offset() },
    };
    let Some(list) = repositories::list(&wanted, &credentials.subject(ctx)) else {
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
        let name = RepositoryName { namespace: namespace.to_owned(), name };
        principal.effective_role(&lookup, &name)?;
        Some((name, lookup, summary))
    };
    let readable = found.items.into_iter().filter_map(readable).collect::<Vec<_>>();
    let (count, skipped) = if limited {
        (i64::try_from(readable.len()).unwrap_or(MAX_READ), usize::try_from(page.offset()).unwrap_or(usize::MAX))
    } else {
        (found.head.count, 0)
    };
    let items = readable.iter().skip(skipped).take(usize::try_from(page.size).unwrap_or_default());
    let results = items.map(|(name, lookup, summary)| body::summary(name, lookup, summary)).collect();
    paged(ctx, request, page, count, results)
}
