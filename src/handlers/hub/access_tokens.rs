//! The access tokens of a user, for a session that was opened with their password.

use crate::{
    auth::PasswordSession,
    context::Context,
    error::Result,
    handlers::hub::{
        Pagination,
        token_operations::{self, CreateAccessToken, Holder, RenewAccessToken, UpdateAccessToken},
    },
    store::{
        Over, access_tokens,
        token_details::{self, TokenOwner},
    },
    wire::{Request, Response},
};

/// `POST /v2/access-tokens`
pub async fn create(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let (principal, creation, ()) = session.authenticate_with(ctx, CreateAccessToken::read(ctx, request), ()).await?;
    let right = principal.right(Over::Themselves);
    let holder = Holder { id: session.user(), name: principal.name(), machine: false };
    token_operations::create(ctx, request, (&principal, right), holder, &creation).await
}

/// `GET /v2/access-tokens`
pub async fn list(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let page = Pagination::read(request);
    let list = token_details::list(session.user(), page.size, page.offset());
    let (_, (), tokens) = session.authenticate_with(ctx, Ok(()), list).await?;
    token_operations::list(ctx, request, page, &tokens)
}

/// `GET /v2/access-tokens/{uuid}`
pub async fn get(ctx: &Context, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (_, (), token) = session.authenticate_with(ctx, Ok(()), found).await?;
    Ok(token_operations::reply(&token_operations::require(token)?))
}

/// `PATCH /v2/access-tokens/{uuid}`
pub async fn update(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (principal, change, token) = session.authenticate_with(ctx, UpdateAccessToken::read(request), found).await?;
    token_operations::require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(ctx, request));
    token_operations::update(ctx, right, (session.user(), uuid), &change, &by).await
}

/// `POST /v2/access-tokens/{uuid}/renew`
pub async fn renew(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    let found = access_tokens::renewable(&TokenOwner::User(session.user()), uuid);
    let (principal, renewal, token) =
        session.authenticate_with(ctx, RenewAccessToken::read(ctx, request), found).await?;
    let token = token_operations::require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(ctx, request));
    token_operations::renew(ctx, right, (&token, uuid, false), &renewal, &by).await
}

/// `DELETE /v2/access-tokens/{uuid}`
pub async fn delete(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<Response> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (principal, (), token) = session.authenticate_with(ctx, Ok(()), found).await?;
    token_operations::require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(ctx, request));
    token_operations::delete(ctx, right, (session.user(), uuid), &by).await
}
