//! Revocation of a token by its holder (RFC 7009): for a token that was found or leaked, without the account that it
//! belongs to.

use crate::{
    auth,
    context::Context,
    domain::{jwt, opaque_token},
    error::{Refusal, Result, invalid},
    store::{access_tokens, refresh_tokens},
    wire::{Request, Response, request::form},
};

/// `POST /token/revoke`
///
/// The holder of a token may revoke it, and needs nothing else. A token that is not hublet's is answered like a revoked
/// one: the response does not reveal whether it ever was valid. The hint is not needed, since each kind has its own
/// prefix.
pub async fn revoke(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let mut fields = form(request.body.as_deref().ok_or(Refusal::TooLarge)?);
    let token = fields.find(|(key, value)| key == "token" && !value.is_empty());
    let Some((_, token)) = token else { return invalid("token is missing") };
    let token = token.trim_ascii();
    // A registry verifies what was signed for it by itself: to report it as revoked would not be true.
    if jwt::UnverifiedJwt::parse(token).is_some() || token.starts_with("signature=") {
        return Err(Refusal::UnsupportedToken.into());
    }
    let (address, now) = (request.address(), ctx.platform.now());
    if let Some(hash) = opaque_token::TokenKind::Access.parse_and_hash(token) {
        ctx.db.commit_unguarded(access_tokens::revoke(&hash, &address, now).into()).await?;
    } else if let Some(hash) = opaque_token::TokenKind::Refresh.parse_and_hash(token) {
        ctx.db.commit_unguarded(refresh_tokens::revoke(&hash, &address, now).into()).await?;
    }
    Ok(Response::empty(200).no_store())
}
