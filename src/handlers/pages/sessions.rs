//! The page of the browsers in which the user is signed in, and of the logins that docker keeps.

use maud::html;

use crate::{
    auth::{Credentials, PasswordSession},
    context::Context,
    domain::texts,
    error::{Result, invalid},
    handlers::pages::{self, beside_form},
    operations::refresh_tokens::{self, MAX_LABEL_LENGTH},
    wire::{
        Form, Request, Response,
        html::{plural, time},
    },
};

const PATH: &str = "/settings/sessions";

/// `GET /settings/sessions`
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    list(ctx, request, credentials, 200, None).await
}

async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    status: u16,
    error: Option<&str>,
) -> Result<Response> {
    let (principal, sessions) = refresh_tokens::list(ctx, &PasswordSession::new(credentials)).await?;
    let this = principal.require_browser()?;
    let frame = pages::settings_page(ctx, &principal, "Sessions", (PATH, &Form::of_query(request), error));
    Ok(frame.response(
        status,
        &html! {
            p { "Where you are signed in. A session that you do not know: end it, and change your password." }
            div {
                table {
                    caption { (plural(sessions.len(), "session", "sessions")) }
                    thead { tr { @for head in ["Client", "Kind", "Address", "Since", "Last used", "Name and end"] { th scope="col" { (head) } } } }
                    tbody {
                        @for session in &sessions {
                            @let client = texts::line(&session.client);
                            tr {
                                th scope="row" {
                                    @if !session.label.is_empty() { (texts::line(&session.label)) ": " }
                                    (client)
                                    @if session.uuid == this.uuid { " " span.badge { "this one" } }
                                }
                                td { @if session.is_browser { "browser" } @else { "docker login" } }
                                td { (session.address) }
                                td { (time(session.created_at)) }
                                td { (time(session.used_at)) }
                                td {
                                    form method="post" action=(PATH) {
                                        input type="hidden" name="uuid" value=(session.uuid);
                                        input name="label" value=(texts::line(&session.label)) maxlength=(MAX_LABEL_LENGTH) aria-label=(format!("Name of {client}"));
                                        button name="action" value="name" { "Name" }
                                        button.danger name="action" value="end" { "End" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            form method="post" action=(PATH) { button.danger name="action" value="others" { "End all others" } }
        },
    ))
}

/// `POST /settings/sessions`
pub async fn change(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let fields = Form::read(request)?;
    let (session, uuid) = (PasswordSession::new(credentials), fields.text("uuid"));
    let changed = match fields.text("action") {
        "name" => refresh_tokens::rename(ctx, &session, uuid, fields.text("label")).await,
        "end" => refresh_tokens::end(ctx, request, &session, uuid).await,
        "others" => refresh_tokens::end_others(ctx, request, &session).await,
        _ => invalid("There is no such action"),
    };
    match beside_form(changed)? {
        Ok(()) => Ok(Response::see_other("/settings/sessions?done=saved")),
        Err((status, reason)) => list(ctx, request, credentials, status, Some(&reason)).await,
    }
}
