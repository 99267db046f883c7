//! The members of a namespace: who has a role in everything of it.

use maud::{Markup, html};

use crate::{
    auth::Credentials,
    context::Context,
    domain::Role,
    error::{Result, invalid},
    handlers::pages,
    operations::members as operation,
    store::members::Member,
    wire::{
        Form, Request, Response,
        html::{pager, plural, time},
    },
};

/// `GET /r/{namespace}/-/members?page=`
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    show(ctx, request, credentials, namespace, (200, None)).await
}

/// `POST /r/{namespace}/-/members`
///
/// `action`: `set`, with a `user` and a `role`, or `remove`.
pub async fn change(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let fields = Form::read(request)?;
    let user = fields.text("user");
    let changed = match fields.text("action") {
        "remove" => operation::remove(ctx, request, credentials, namespace, user).await,
        action => {
            let role =
                if action == "set" { Ok(fields.text("role").to_owned()) } else { invalid("Nothing was asked for") };
            operation::set(ctx, request, credentials, namespace, user, role).await.map(|_| ())
        }
    };
    match pages::beside_its_form(changed)? {
        Ok(()) => {
            let done = if fields.text("action") == "remove" { "removed-member" } else { "saved" };
            Ok(Response::see_other(&format!("/r/{namespace}/-/members?done={done}")))
        }
        Err((status, reason)) => {
            show(ctx, request, &pages::again(ctx, request)?, namespace, (status, Some((&fields, &reason)))).await
        }
    }
}

/// The page with this status, and with what was typed and refused.
async fn show(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    (status, refused): (u16, Option<(&Form, &str)>),
) -> Result<Response> {
    let number = pages::page_number(request);
    let offset = (number - 1) * pages::PAGE_SIZE;
    let (guard, list) = operation::list(ctx, credentials, namespace, pages::PAGE_SIZE, offset).await?;
    let (title, path) = (format!("{namespace}: members"), format!("/r/{namespace}/-/members"));
    let mut frame = pages::administrated(ctx, &guard.principal, namespace, &title, &path);
    let query = Form::of_query(request);
    frame.done = pages::done(&query);
    frame.error = refused.map(|(_, reason)| reason);
    let typed = refused.map(|(fields, _)| fields).filter(|fields| fields.text("action") == "set");
    Ok(frame.response(
        status,
        &html! {
            table {
                caption { (plural(list.head.count, "member", "members")) }
                thead { tr { th scope="col" { "User" } th scope="col" { "Role" } th scope="col" { "Account since" } th scope="col" { "Change" } } }
                tbody { @for member in &list.items { (row(member)) } }
            }
            (pager(&format!("{path}?"), number, pages::PAGE_SIZE, list.head.count))
            (pages::grant_form("Add a member", "In every repository of the namespace. For one of them, add a collaborator there.", typed))
        },
    ))
}

fn row(member: &Member) -> Markup {
    html! {
        tr {
            th scope="row" { (member.name) @if member.machine { " " span.badge { "service account" } } }
            td { @if member.owner { "owner" } @else { (Role::as_str(member.role)) } }
            td { (time(member.created_at)) }
            td { @if !member.owner { (pages::role_form(&member.name, member.role)) } }
        }
    }
}
