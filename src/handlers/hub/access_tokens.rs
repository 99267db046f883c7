//! The access tokens of a user, for a session that was opened with their password.

use crate::{
    auth::PasswordSession,
    handlers::hub::{
        Page,
        token_operations::{self, Change, Creation, Holder, Renewal},
    },
    index::Index,
    refusal::Answer,
    store::{
        Over, access_tokens,
        token_details::{self, TokenOwner},
    },
    wire::{Reply, Request},
};

/// `POST /v2/access-tokens`
pub async fn create(index: &Index, request: &Request, session: &PasswordSession<'_>) -> Answer<Reply> {
    let (principal, creation, ()) = session.authenticate_with(index, Creation::read(index, request), ()).await?;
    let right = principal.right(Over::Themselves);
    let holder = Holder { id: session.user(), name: principal.name(), machine: false };
    token_operations::create(index, request, (&principal, right), holder, &creation).await
}

/// `GET /v2/access-tokens`
pub async fn list(index: &Index, request: &Request, session: &PasswordSession<'_>) -> Answer<Reply> {
    let page = Page::read(request);
    let list = token_details::list(session.user(), page.size, page.offset());
    let (_, (), tokens) = session.authenticate_with(index, Ok(()), list).await?;
    token_operations::list(index, request, page, &tokens)
}

/// `GET /v2/access-tokens/{uuid}`
pub async fn get(index: &Index, session: &PasswordSession<'_>, uuid: &str) -> Answer<Reply> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (_, (), token) = session.authenticate_with(index, Ok(()), found).await?;
    Ok(token_operations::reply(&token_operations::require(token)?))
}

/// `PATCH /v2/access-tokens/{uuid}`
pub async fn update(index: &Index, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Answer<Reply> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (principal, change, token) = session.authenticate_with(index, Change::read(request), found).await?;
    token_operations::require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(index, request));
    token_operations::update(index, right, (session.user(), uuid), &change, &by).await
}

/// `POST /v2/access-tokens/{uuid}/renew`
pub async fn renew(index: &Index, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Answer<Reply> {
    let found = access_tokens::renewable(&TokenOwner::User(session.user()), uuid);
    let (principal, renewal, token) = session.authenticate_with(index, Renewal::read(index, request), found).await?;
    let token = token_operations::require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(index, request));
    token_operations::renew(index, right, (&token, uuid, false), &renewal, &by).await
}

/// `DELETE /v2/access-tokens/{uuid}`
pub async fn delete(index: &Index, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Answer<Reply> {
    let found = token_details::by_uuid(&TokenOwner::User(session.user()), uuid);
    let (principal, (), token) = session.authenticate_with(index, Ok(()), found).await?;
    token_operations::require(token)?;
    let (right, by) = (principal.right(Over::Themselves), principal.by(index, request));
    token_operations::delete(index, right, (session.user(), uuid), &by).await
}
