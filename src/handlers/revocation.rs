//! Ending a token by showing it (RFC 7009): what is found or given up, without the account behind it.

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
/// Who holds a token may end it, and needs nothing else for it. What is no token of this index is as good as ended:
/// nobody learns whether it ever was one. The hint is not needed, since each kind says what it is.
pub async fn revoke(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let mut fields = form(request.body.as_deref().ok_or(Refusal::TooLarge)?);
    let token = fields.find(|(key, value)| key == "token" && !value.is_empty());
    let Some((_, token)) = token else { return invalid("token is missing") };
    let token = token.trim_ascii();
    // A registry asks nobody about what was signed for it: to say that it has ended would not be true.
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
