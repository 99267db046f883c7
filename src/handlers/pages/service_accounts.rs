//! The service accounts of a namespace, for its admins.

use maud::{Markup, html};

use crate::{
    auth::Credentials,
    context::Context,
    domain::Role,
    error::{Result, invalid},
    handlers::pages,
    operations::machines::{self as operation, CreateMachine},
    store::machines::Machine,
    wire::{
        Form, Request, Response,
        html::{encoded, plural, time},
    },
};

/// `GET /r/{namespace}/-/service-accounts`
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    show(ctx, request, credentials, namespace, (200, None)).await
}

/// `POST /r/{namespace}/-/service-accounts`
///
/// `action`: `create`, with a `username` and a `role`, or `remove`.
pub async fn change(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let fields = Form::read(request)?;
    let name = fields.text("username");
    let changed = match fields.text("action") {
        "remove" => operation::delete(ctx, request, credentials, namespace, name).await.map(|()| "?done=saved".into()),
        action => {
            let wanted = CreateMachine { name: name.to_owned(), role: fields.optional("role") };
            let wanted = if action == "create" { Ok(wanted) } else { invalid("There is no such action") };
            let created = operation::create(ctx, request, credentials, namespace, wanted).await;
            created.map(|machine| format!("/{}?done=account", machine.name))
        }
    };
    match pages::beside_its_form(changed)? {
        Ok(next) => Ok(Response::see_other(&(pages::service_accounts_path(namespace) + &next))),
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
    let (guard, machines) = operation::list(ctx, credentials, namespace).await?;
    let (title, path) = (format!("{namespace}: service accounts"), pages::service_accounts_path(namespace));
    let mut frame = pages::administrated(ctx, &guard.principal, namespace, &title, &path);
    let query = Form::of_query(request);
    frame.done = pages::done(&query);
    frame.error = refused.map(|(_, reason)| reason);
    let typed = |name: &str| refused.map_or("", |(fields, _)| fields.text(name));
    Ok(frame.response(
        status,
        &html! {
            p { "A program that outlives its author works as a service account: it belongs to the namespace, and has access tokens and no password." }
            table {
                caption { (plural(machines.len(), "service account", "service accounts")) }
                thead { tr { @for head in ["Name", "Role", "Made", "Change"] { th scope="col" { (head) } } } }
                tbody { @for machine in &machines { (row(machine, &path)) } }
            }
            section {
                h2 { "New service account" }
                form.filter method="post" {
                    label {
                        "Name "
                        input name="username" value=(typed("username")) maxlength="64" autocapitalize="none" autocomplete="off" required aria-describedby="letters";
                    }
                    label { "Role " (pages::role_select(Role::parse(typed("role")).unwrap_or(Role::Write))) }
                    button name="action" value="create" { "Make it" }
                    p.hint id="letters" { "Small letters, digits, and . _ - between them, such as " (namespace) "-ci. In a user's own namespace it has to begin so." }
                }
                p.hint { "The role is for every repository of the namespace; it is changed among the members." }
            }
        },
    ))
}

fn row(machine: &Machine, path: &str) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(format!("{path}/{}", encoded(&machine.name))) { (machine.name) } }
            td { (machine.role.map_or("none", Role::as_str)) }
            td { (time(machine.created_at)) }
            td {
                form method="post" {
                    input type="hidden" name="username" value=(machine.name);
                    button.danger name="action" value="remove" { "Remove" span.live { " " (machine.name) } }
                }
            }
        }
    }
}
