//! The page of a namespace.

use maud::html;

use crate::{
    auth::{Credentials, NO_NAMESPACE, NamespaceGuard},
    context::Context,
    domain::{RepositoryName, texts},
    error::{Result, not_found},
    handlers::pages,
    store::{
        namespaces,
        repositories::{self, List},
    },
    wire::{
        Form, Request, Response,
        html::{encoded, pager, plural, time},
    },
};

/// `GET /r/{namespace}?name=&page=`
///
/// A namespace without anything that the client may read is as one that does not exist.
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let (query, number) = (Form::of_query(request), pages::page_number(request));
    let part = query.text("name");
    let subject = credentials.subject(ctx);
    let wanted = List {
        namespace,
        name: part,
        ordering: "name",
        administrating: credentials.allows_admin(),
        limit: pages::PAGE_SIZE,
        offset: (number - 1) * pages::PAGE_SIZE,
    };
    let list = repositories::list(&wanted, &subject);
    let read = (list, namespaces::by_name(namespace, &subject));
    let (guard, (list, named)) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, read).await?;
    if named.namespace.is_none() || !guard.is_visible(named.readable) {
        return not_found(NO_NAMESPACE);
    }
    let path = format!("/r/{namespace}");
    let mut frame = pages::page(ctx, &guard.principal, namespace);
    let tabs = pages::namespace_tabs(namespace, guard.require_admin().is_ok());
    if tabs.len() > 1 {
        frame.tabs = (tabs, &path);
    }
    let items = list.as_ref().map(|list| list.items.as_slice()).unwrap_or_default();
    let count = list.as_ref().map_or(0, |list| list.head.count);
    Ok(frame.response(
        200,
        &html! {
            form.filter {
                label { "Name contains " input name="name" value=(part) maxlength="255"; }
                button { "Filter" }
            }
            @if guard.writes() { p { a.button href=(format!("{path}/-/new")) { "New repository" } } }
            table {
                caption { (plural(count, "repository", "repositories")) }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Description" } th scope="col" { "Changed" } } }
                tbody {
                    @for item in items {
                        @let name = RepositoryName { namespace: namespace.to_owned(), name: item.name.clone() };
                        tr {
                            th scope="row" {
                                a href=(pages::repository_path(&name)) { (item.name) }
                                @if item.lookup.repository.as_ref().is_some_and(|repository| repository.private) { " " span.badge { "private" } }
                            }
                            td { (texts::line(&item.summary.description)) }
                            td { (time(item.summary.updated_at)) }
                        }
                    }
                }
            }
            (pager(&format!("{path}?name={}&", encoded(part)), number, pages::PAGE_SIZE, count))
        },
    ))
}
