//! The access tokens of a user, for a session that was opened with their password.

mod wanted;
pub(in crate::operations) mod writes;

pub use wanted::{CreateAccessToken, RenewAccessToken, UpdateAccessToken};
pub use writes::IssuedAccessToken;

use crate::{
    auth::{PasswordSession, Principal},
    context::Context,
    error::{Result, not_found},
    store::{
        Over, Page, access_tokens,
        token_details::{self, TokenCounts, TokenDetails, TokenOwner},
    },
    wire::Request,
};

/// For a token that is not there. Clients look for these words, whatever the status.
const TOKEN_NOT_FOUND: &str = "access token not found";

/// Creates a token of the user; its secret is in what this returns and nowhere else.
pub async fn create(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    wanted: Result<CreateAccessToken>,
) -> Result<(Principal, IssuedAccessToken)> {
    let wanted = wanted.and_then(|wanted| wanted.acceptable(ctx));
    let (principal, creation, ()) = session.authenticate_with(ctx, wanted, ()).await?;
    let right = principal.right(Over::Themselves);
    let holder = writes::Holder { id: session.user(), name: principal.name(), machine: false };
    let issued = writes::create(ctx, request, (&principal, right), holder, &creation).await?;
    Ok((principal, issued))
}

/// A page of the tokens of the user, the newest first.
pub async fn list(
    ctx: &Context,
    session: &PasswordSession<'_>,
    limit: i64,
    offset: i64,
) -> Result<(Principal, Page<TokenDetails, TokenCounts>)> {
    let list = token_details::list(session.user(), limit, offset);
    let (principal, (), tokens) = session.authenticate_with(ctx, Ok(()), list).await?;
    Ok((principal, tokens))
}

/// A token of the user.
pub async fn get(ctx: &Context, session: &PasswordSession<'_>, uuid: &str) -> Result<TokenDetails> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (_, (), token) = session.authenticate_with(ctx, Ok(()), found).await?;
    require(token)
}

/// Changes a token of the user, and returns it.
pub async fn update(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    uuid: &str,
    wanted: Result<UpdateAccessToken>,
) -> Result<TokenDetails> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let wanted = wanted.and_then(UpdateAccessToken::acceptable);
    let (principal, change, token) = session.authenticate_with(ctx, wanted, found).await?;
    require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(ctx, request));
    writes::update(ctx, right, (session.user(), uuid), &change, &by).await
}

/// Gives a token of the user a new secret, which is in what this returns and nowhere else.
pub async fn renew(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    uuid: &str,
    wanted: Result<RenewAccessToken>,
) -> Result<(Principal, IssuedAccessToken)> {
    let found = access_tokens::renewable(&TokenOwner::User(session.user()), uuid);
    let wanted = wanted.and_then(|wanted| wanted.acceptable(ctx));
    let (principal, renewal, token) = session.authenticate_with(ctx, wanted, found).await?;
    let token = require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(ctx, request));
    let issued = writes::renew(ctx, right, (&token, uuid, false), &renewal, &by).await?;
    Ok((principal, issued))
}

/// Deletes a token of the user.
pub async fn delete(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<()> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (principal, (), token) = session.authenticate_with(ctx, Ok(()), found).await?;
    require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(ctx, request));
    writes::delete(ctx, right, (session.user(), uuid), &by).await
}

/// A token, or a 404.
pub(in crate::operations) fn require<T>(token: Option<T>) -> Result<T> {
    token.map_or_else(|| not_found(TOKEN_NOT_FOUND), Ok)
}
