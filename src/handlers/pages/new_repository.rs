//! The form that makes a repository.

use maud::html;

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    error::Result,
    handlers::pages,
    operations::repositories::{self as operation, CreateRepository, UpdateRepository},
    wire::{Form, Request, Response, html::command},
};

/// `GET /r/{namespace}/-/new`
pub async fn page(ctx: &Context, credentials: &Credentials, namespace: &str) -> Result<Response> {
    show(ctx, credentials, namespace, (200, None)).await
}

/// `POST /r/{namespace}/-/new`
pub async fn create(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let fields = Form::read(request)?;
    let created = operation::create(ctx, request, credentials, Some(namespace), wanted(&fields)).await;
    match pages::beside_its_form(created)? {
        Ok(created) => Ok(Response::see_other(&format!("{}?done=created", pages::repository_path(&created.name)))),
        Err((status, reason)) => show(ctx, credentials, namespace, (status, Some((&fields, &reason)))).await,
    }
}

fn wanted(fields: &Form) -> Result<CreateRepository> {
    Ok(CreateRepository {
        name: fields.required("name", "The name")?,
        namespace: None,
        changes: UpdateRepository {
            description: fields.optional("description"),
            full_description: None,
            is_private: Some(pages::is_private(fields)?),
        },
    })
}

/// The page with this status, and with what was typed and refused.
async fn show(
    ctx: &Context,
    credentials: &Credentials,
    namespace: &str,
    (status, refused): (u16, Option<(&Form, &str)>),
) -> Result<Response> {
    let (guard, ()) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, ()).await?;
    guard.require_writes()?;
    let mut frame = pages::page(ctx, &guard.principal, "New repository");
    frame.crumbs = vec![pages::namespace_crumb(namespace)];
    frame.error = refused.map(|(_, reason)| reason);
    let text = |name: &str| refused.map_or("", |(fields, _)| fields.text(name));
    let private = match text("visibility") {
        "" => ctx.config.private_by_default,
        chosen => chosen == "private",
    };
    let host = pages::registry_host(ctx).unwrap_or("REGISTRY");
    Ok(frame.response(
        status,
        &html! {
            form.stack method="post" {
                label {
                    "Name in " (namespace) " "
                    input name="name" value=(text("name")) maxlength="255" autocapitalize="none" autocomplete="off" required autofocus aria-describedby="letters";
                }
                p.hint id="letters" { "Small letters, digits, and . _ - between them, as in tools/builder." }
                label { "Short description " input name="description" value=(text("description")) maxlength="100"; }
                (pages::visibility_choice(private))
                button { "Make the repository" }
            }
            section {
                h2 { "Or push to it" }
                p { "A push makes the repository, too." }
                (command(&format!("docker push {host}/{namespace}/NAME:TAG")))
            }
        },
    ))
}
