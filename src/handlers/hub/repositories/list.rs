//! The repositories of a namespace, as far as the caller may read them.

use crate::{
    auth::{self, NO_NAMESPACE, Principal},
    domain::RepositoryName,
    handlers::hub::{Page, paged, parameter, repositories::reached::told},
    index::Index,
    refusal::{Answer, Fault, invalid, not_found},
    store::{
        Query, Row,
        managed::{self, List},
        repositories::RepositoryLookup,
    },
    wire::{Reply, Request},
};

/// The most repositories of a namespace that are looked at for an access token. Its globs are matched
/// here and not by the database, so every name has to be read.
const MOST: i64 = 5_000;

/// `GET /v2/namespaces/{namespace}/repositories?page=&page_size=&name=&ordering=`
pub async fn list(index: &Index, request: &Request, namespace: &str) -> Answer<Reply> {
    let credentials = auth::optional_session(index, request)?;
    let page = Page::read(request);
    let (name, ordering) = (parameter(request, "name"), parameter(request, "ordering"));
    let limited = credentials.is_limited();
    let wanted = List {
        namespace,
        name: name.as_deref().unwrap_or_default(),
        ordering: ordering.as_deref().unwrap_or("name"),
        administrating: credentials.may_administrate(),
        limit: if limited { MOST } else { page.size },
        offset: if limited { 0 } else { page.offset() },
    };
    let Some(statement) = managed::list(&wanted, &credentials.subject(index)) else {
        return invalid("ordering: name, last_updated or pull_count, the other way behind a -");
    };
    credentials.require_within_limit(index, request).await?;
    let (principal, rows) = credentials.authenticate_with(index, Query::raw(statement)).await?;
    let first = rows.first().ok_or_else(|| Fault::broken("no row for a list"))?;
    // Whether there is one is for administrators to know: to others one without anything for them is as none.
    if first.maybe_integer("namespace_id").is_none() && principal.is_administrator() {
        return not_found(NO_NAMESPACE);
    }
    let readable = rows.iter().filter_map(|row| readable(&principal, namespace, row)).collect::<Vec<_>>();
    let (count, skipped) = if limited {
        (i64::try_from(readable.len()).unwrap_or(MOST), usize::try_from(page.offset()).unwrap_or(usize::MAX))
    } else {
        (first.integer("count"), 0)
    };
    let shown = readable.iter().skip(skipped).take(usize::try_from(page.size).unwrap_or_default());
    paged(index, request, page, count, shown.map(|(name, lookup, row)| told(name, lookup, row)).collect())
}

/// The repository of a row, where the access token of the caller lets them see it too.
fn readable<'a>(
    principal: &Principal,
    namespace: &str,
    row: &'a Row,
) -> Option<(RepositoryName, RepositoryLookup, &'a Row)> {
    let name = RepositoryName { namespace: namespace.to_owned(), name: row.maybe_text("name")?.to_owned() };
    let lookup = RepositoryLookup::of(row);
    principal.effective_role(&lookup, &name)?;
    Some((name, lookup, row))
}
