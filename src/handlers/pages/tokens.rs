//! The pages of the user's own access tokens.

use crate::{
    auth::{Credentials, PasswordSession, Principal},
    context::Context,
    domain::texts,
    error::{Result, invalid},
    handlers::pages::{
        self, PAGE_SIZE, beside_form,
        token_parts::{self, TokenChange},
    },
    operations::access_tokens::{self, IssuedAccessToken},
    wire::{Form, Request, Response, html::pager},
};
use maud::html;

const PATH: &str = "/settings/tokens";

/// `GET /settings/tokens?page=`
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
    let (query, number) = (Form::of_query(request), pages::page_number(request));
    let session = PasswordSession::new(credentials);
    let (principal, tokens) = access_tokens::list(ctx, &session, PAGE_SIZE, (number - 1) * PAGE_SIZE).await?;
    let count = tokens.head.count;
    let frame = pages::settings_page(ctx, &principal, "Access tokens", (PATH, &query, error));
    Ok(frame.response(
        status,
        &html! {
            p { "A token takes the place of your password in docker and in programs. It may do less than you, and it ends." }
            p { a.button href="/settings/tokens/new" { "New token" } }
            (token_parts::table(&tokens.items, count, ctx.platform.now()))
            (pager("/settings/tokens?", number, PAGE_SIZE, count))
        },
    ))
}

/// `POST /settings/tokens`
pub async fn change(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let fields = Form::read(request)?;
    let (session, uuid) = (PasswordSession::new(credentials), fields.text("uuid"));
    let changed = match token_parts::change(&fields) {
        TokenChange::Renewal(wanted) => access_tokens::renew(ctx, request, &session, uuid, Ok(wanted)).await.map(Some),
        TokenChange::Deletion => access_tokens::delete(ctx, request, &session, uuid).await.map(|()| None),
        TokenChange::Update(wanted) => access_tokens::update(ctx, request, &session, uuid, wanted).await.map(|_| None),
        TokenChange::Creation => invalid("There is no such action"),
    };
    match beside_form(changed)? {
        Ok(Some((principal, token))) => Ok(issued(ctx, &principal, &token)),
        Ok(None) => Ok(Response::see_other("/settings/tokens?done=saved")),
        Err((status, reason)) => list(ctx, request, &pages::again(ctx, request)?, status, Some(&reason)).await,
    }
}

/// `GET /settings/tokens/new`
///
/// What the query has stands in the form, so that a link can ask for a certain token.
pub async fn new(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    form(ctx, credentials, &Form::of_query(request), 200, None).await
}

async fn form(
    ctx: &Context,
    credentials: &Credentials,
    fields: &Form,
    status: u16,
    error: Option<&str>,
) -> Result<Response> {
    let principal = credentials.authenticate(ctx).await?;
    let frame = pages::settings_page(ctx, &principal, "New token", (PATH, fields, error));
    Ok(frame.response(status, &token_parts::form(ctx, fields, false)))
}

/// `POST /settings/tokens/new`
pub async fn create(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let fields = Form::read(request)?;
    let wanted = token_parts::creation(ctx, &fields);
    let created = access_tokens::create(ctx, request, &PasswordSession::new(credentials), wanted).await;
    match beside_form(created)? {
        Ok((principal, token)) => Ok(issued(ctx, &principal, &token)),
        Err((status, reason)) => form(ctx, &pages::again(ctx, request)?, &fields, status, Some(&reason)).await,
    }
}

/// The secret stands in the answer to the form alone: a path that led to it would be a secret, too.
fn issued(ctx: &Context, principal: &Principal, token: &IssuedAccessToken) -> Response {
    let title = format!("The secret of {}", texts::line(&token.details.label));
    let frame = pages::settings_page(ctx, principal, &title, (PATH, &Form::default(), None));
    frame.response(200, &token_parts::secret(ctx, principal.name(), token))
}
