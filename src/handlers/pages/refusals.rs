//! What was refused in a namespace in seven days.

use maud::{Markup, html};

use crate::{
    auth::Credentials,
    context::Context,
    domain::texts,
    error::Result,
    handlers::pages,
    operations::access_reviews,
    store::refusals::Refusal,
    wire::{
        Request, Response,
        html::{encoded, neighbours, time},
    },
};

/// `GET /r/{namespace}/-/refusals?page=`
///
/// The last hour first: a row for each user, repository, reason and hour.
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let number = pages::page_number(request);
    let offset = (number - 1) * pages::PAGE_SIZE;
    // One more than is listed: see `pages::cut`.
    let (guard, mut list) =
        access_reviews::list_refusals(ctx, credentials, namespace, pages::PAGE_SIZE + 1, offset).await?;
    let more = pages::cut(&mut list);
    let (title, path) = (format!("{namespace}: refusals"), format!("/r/{namespace}/-/refusals"));
    let frame = pages::administrated(ctx, &guard.principal, namespace, &title, &path);
    Ok(frame.response(
        200,
        &html! {
            table {
                caption { "Pulls, pushes and deletions that were refused in the last seven days" }
                thead {
                    tr {
                        th scope="col" { "Last" } th scope="col" { "Who" } th scope="col" { "Repository" } th scope="col" { "Wanted" }
                        th scope="col" { "Why not" } th scope="col" { "Times" } th scope="col" { "From" }
                    }
                }
                tbody { @for refusal in &list { (row(namespace, refusal)) } }
            }
            @if list.is_empty() { p.hint { "Nothing was refused." } }
            (neighbours(&format!("{path}?"), number, more))
        },
    ))
}

fn row(namespace: &str, refusal: &Refusal) -> Markup {
    let action = refusal.actions.split(',').next_back().unwrap_or_default();
    let query = format!("user={}&action={}#check", encoded(&refusal.username), encoded(action));
    let repository = texts::line(&refusal.repository);
    html! {
        tr {
            td { (time(refusal.last_at)) }
            th scope="row" { @if refusal.username.is_empty() { "not logged in" } @else { (texts::line(&refusal.username)) } }
            td { (repository) }
            td { (refusal.actions.replace(',', ", ")) }
            td {
                (reason(&refusal.reason)) " "
                a href=(format!("/r/{namespace}/{}/-/access?{query}", encoded(&refusal.repository))) { "Check" span.live { " the access to " (repository) } }
            }
            td.end { (refusal.count) }
            td { (refusal.address) }
        }
    }
}

/// A reason by its code in the records.
fn reason(code: &str) -> &str {
    match code {
        "account" => "The account is not active.",
        "credentials" => "The access token has expired or is not active.",
        "anonymous" => "They were not logged in.",
        "namespace_missing" => "There is no such namespace.",
        "library" => "Only administrators and members may.",
        "not_visible" => "It does not exist, or they may not read it.",
        "role" => "Their role is too little.",
        "scopes" => "The scopes of the access token do not allow it.",
        "resources" => "The access token is for other repositories.",
        other => other,
    }
}
