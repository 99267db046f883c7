//! The access tokens of a user, for a session that was opened with their password.

use crate::{
    auth::PasswordSession,
    context::Context,
    error::Result,
    handlers::hub::{Pagination, token_body},
    operations::access_tokens,
    wire::{Request, Response},
};

/// `POST /v2/access-tokens`
pub async fn create(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let (_, token) = access_tokens::create(ctx, request, session, token_body::creation(request)).await?;
    Ok(token_body::reply_with_secret(201, &token))
}

/// `GET /v2/access-tokens`
pub async fn list(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let page = Pagination::read(request);
    let (_, tokens) = access_tokens::list(ctx, session, page.size, page.offset()).await?;
    token_body::list(ctx, request, page, &tokens)
}

/// `GET /v2/access-tokens/{uuid}`
pub async fn get(ctx: &Context, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    Ok(token_body::reply(&access_tokens::get(ctx, session, uuid).await?))
}

/// `PATCH /v2/access-tokens/{uuid}`
pub async fn update(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    let token = access_tokens::update(ctx, request, session, uuid, token_body::change(request)).await?;
    Ok(token_body::reply(&token))
}

/// `POST /v2/access-tokens/{uuid}/renew`
pub async fn renew(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    let (_, token) = access_tokens::renew(ctx, request, session, uuid, token_body::renewal(request)).await?;
    Ok(token_body::reply_with_secret(200, &token))
}

/// `DELETE /v2/access-tokens/{uuid}`
pub async fn delete(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    access_tokens::delete(ctx, request, session, uuid).await?;
    Ok(Response::empty(204).no_store())
}
