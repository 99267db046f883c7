//! What was deleted here, and waits for the tool beside the registry to delete it there.

use maud::{Markup, html};

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::texts,
    error::Result,
    handlers::pages,
    store::deletions::{self, WaitingDeletion},
    wire::{
        Request, Response,
        html::{pager, plural, time},
    },
};

/// `GET /r/{namespace}/-/deletions?page=`
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let number = pages::page_number(request);
    let offset = (number - 1) * pages::PAGE_SIZE;
    let list = deletions::waiting(namespace, &credentials.subject(ctx), pages::PAGE_SIZE, offset);
    let read = (list, deletions::present(ctx.platform.now()));
    let (guard, (list, tools)) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, read).await?;
    guard.require_admin()?;
    let (title, path) = (format!("{namespace}: deletions"), format!("/r/{namespace}/-/deletions"));
    let frame = pages::administrated(ctx, &guard.principal, namespace, &title, &path);
    Ok(frame.response(
        200,
        &html! {
            p {
                @if tools.is_empty() { "There is no tool beside the registry: what is deleted here is forgotten here, and the registry keeps it. Who runs the registry deletes it there, or starts the tool (npm run registry)." }
                @else { "The tool beside the registry deletes these at its next run." }
            }
            table {
                caption { (plural(list.head.count, "deletion waits", "deletions wait")) }
                thead {
                    tr {
                        th scope="col" { "What" } th scope="col" { "Registry" } th scope="col" { "Asked for" }
                        th scope="col" { "By" } th scope="col" { "What the tool reported" }
                    }
                }
                tbody { @for deletion in &list.items { (row(deletion)) } }
            }
            (pager(&format!("{path}?"), number, pages::PAGE_SIZE, list.head.count))
        },
    ))
}

fn row(deletion: &WaitingDeletion) -> Markup {
    html! {
        tr {
            th scope="row" {
                (deletion.repository)
                @if deletion.tag.is_empty() { " (all of it)" } @else { ":" (deletion.tag) }
            }
            td { (deletion.service) }
            td { (time(deletion.requested_at / 1_000)) }
            td { (texts::line(&deletion.requested_by)) }
            td { @if deletion.refusal.is_empty() { "not tried yet" } @else { (texts::line(&deletion.refusal)) } }
        }
    }
}
