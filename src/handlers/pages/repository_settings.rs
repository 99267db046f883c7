//! The settings of a repository: its texts, who sees it, where it is, and its end.

use maud::{Markup, html};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{
        RepositoryName, Role,
        texts::{self, Form as TextForm},
    },
    error::{Fault, Result, invalid},
    handlers::pages::{self, repository_path},
    operations::repositories::{self as operation, TransferRepository, UpdateRepository},
    store::{deletions, repositories},
    wire::{Form, Request, Response, html::Link},
};

/// `GET /r/{repository}/-/settings`
pub async fn page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    show(ctx, request, credentials, name, (200, None)).await
}

/// `POST /r/{repository}/-/settings`
///
/// `action`: `describe`, `privacy`, `transfer` or `delete`.
pub async fn change(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let fields = Form::read(request)?;
    let done = match fields.text("action") {
        "transfer" => transfer(ctx, request, credentials, name, &fields).await,
        "delete" => delete(ctx, request, credentials, name, &fields).await,
        _ => {
            let update = operation::update(ctx, request, credentials, name, changes(&fields)).await;
            update.map(|_| format!("{}/-/settings?done=saved", repository_path(name)))
        }
    };
    match pages::beside_its_form(done)? {
        Ok(path) => Ok(Response::see_other(&path)),
        Err((status, reason)) => {
            show(ctx, request, &pages::again(ctx, request)?, name, (status, Some((&fields, &reason)))).await
        }
    }
}

fn changes(fields: &Form) -> Result<UpdateRepository> {
    match fields.text("action") {
        "describe" => Ok(UpdateRepository {
            description: Some(fields.lines("description")),
            full_description: Some(fields.lines("full_description")),
            is_private: None,
        }),
        "privacy" => {
            let is_private = Some(pages::is_private(fields)?);
            Ok(UpdateRepository { is_private, ..UpdateRepository::default() })
        }
        _ => invalid("Nothing was asked for"),
    }
}

async fn transfer(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    fields: &Form,
) -> Result<String> {
    let keep_collaborators = fields.is_checked("keep_collaborators");
    let wanted = fields.required("namespace", "The namespace it goes to");
    let wanted = wanted.map(|namespace| TransferRepository { namespace, keep_collaborators });
    let moved = operation::transfer(ctx, request, credentials, name, wanted).await?;
    Ok(format!("{}?done=moved", repository_path(&moved.name)))
}

async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    fields: &Form,
) -> Result<String> {
    if fields.text("name") != name.to_string() {
        return invalid(format!("Type {name} to delete it"));
    }
    let requested = operation::delete(ctx, request, credentials, name).await?;
    Ok(format!("/?done={}", if requested { "deleted-pending" } else { "deleted-forgotten" }))
}

/// The page with this status, and with what was typed and refused.
async fn show(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    (status, refused): (u16, Option<(&Form, &str)>),
) -> Result<Response> {
    let read = (repositories::details(name, &credentials.subject(ctx)), deletions::present(ctx.platform.now()));
    let (principal, (found, tools)) = credentials.authenticate_with(ctx, read).await?;
    let guard = RepositoryGuard::new(principal, name, found.lookup);
    let private = guard.require(Role::Write)?.private;
    let details = found.details.ok_or_else(|| Fault::bug("no details of a repository that may be read"))?;
    let typed = |action: &str| refused.map(|(fields, _)| fields).filter(|fields| fields.text("action") == action);
    let title = format!("{name}: settings");
    let path = format!("{}/-/settings", repository_path(name));
    let mut frame = pages::page(ctx, &guard.principal, &title);
    frame.crumbs = vec![pages::namespace_crumb(&name.namespace), Link::new(name.to_string(), repository_path(name))];
    frame.tabs = (pages::repository_tabs(name, guard.role()), &path);
    let query = Form::of_query(request);
    frame.done = pages::done(&query);
    frame.error = refused.map(|(_, reason)| reason);
    let admin = guard.role() >= Some(Role::Admin);
    let (short, full) = match typed("describe") {
        Some(fields) => (fields.lines("description"), fields.lines("full_description")),
        None => (details.summary.description, details.full_description),
    };
    Ok(frame.response(
        status,
        &html! {
            (describe(&texts::display(&short, TextForm::Lines), &texts::display(&full, TextForm::Page)))
            @if admin {
                (visibility(private))
                (transfer_form(typed("transfer")))
                (deletion(name, !tools.is_empty(), typed("delete")))
            }
        },
    ))
}

fn describe(short: &str, full: &str) -> Markup {
    html! {
        section {
            h2 { "Description" }
            form.stack method="post" {
                label { "Short description " input name="description" value=(short) maxlength="100"; }
                label {
                    "Full description "
                    // A line end after the tag is not part of the text.
                    textarea name="full_description" rows="16" maxlength="25000" aria-describedby="markdown" { "\n" (full) }
                }
                p.hint id="markdown" { "In Markdown: # for a heading, - for a list, ** around what is bold, ``` around code." }
                button name="action" value="describe" { "Save the description" }
            }
        }
    }
}

fn visibility(private: bool) -> Markup {
    html! {
        section {
            h2 { "Visibility" }
            form.stack method="post" {
                (pages::visibility_choice(private))
                p.hint { "It counts at the next pull. What was pulled stays where it is." }
                button name="action" value="privacy" { "Save the visibility" }
            }
        }
    }
}

fn transfer_form(typed: Option<&Form>) -> Markup {
    let text = |name: &str| typed.map_or("", |fields| fields.text(name));
    let keep = typed.is_some_and(|fields| fields.is_checked("keep_collaborators"));
    html! {
        section {
            h2 { "Move" }
            form.stack method="post" {
                label { "To the namespace " input name="namespace" value=(text("namespace")) maxlength="64" autocapitalize="none" required; }
                label.choice { input type="checkbox" name="keep_collaborators" checked[keep]; "The collaborators keep their roles" }
                p.hint { "The name in this index changes. The images stay in the registry under the old name: push them again under the new one." }
                button.danger name="action" value="transfer" { "Move the repository" }
            }
        }
    }
}

fn deletion(name: &RepositoryName, tool: bool, typed: Option<&Form>) -> Markup {
    html! {
        section {
            h2 { "Delete" }
            form.stack method="post" {
                label {
                    "Type " code { (name) } " to delete it "
                    input name="name" value=(typed.map_or("", |fields| fields.text("name"))) maxlength="512" autocomplete="off" autocapitalize="none" required;
                }
                p.hint {
                    "It is gone here at once, with its description and its roles. "
                    @if tool { "The tool beside the registry deletes the images there at its next run." }
                    @else { "There is no tool beside the registry: the registry keeps the images." }
                }
                button.danger name="action" value="delete" { "Delete the repository" }
            }
        }
    }
}
