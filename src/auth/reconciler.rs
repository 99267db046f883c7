//! The tool beside a registry, by its token, which opens nothing that other credentials open.

use crate::{
    auth::require_https,
    context::Context,
    domain::{Secret, opaque_token::TokenKind},
    error::{Challenge, Error, Refusal, Result},
    store::{
        Batch,
        reconcilers::{self, Reconciler},
    },
    wire::{Authorization, Request},
};

/// 401 for what is not the token of a tool.
#[must_use]
pub fn refused() -> Error {
    Refusal::Unauthorized(Challenge::Session, "The token of a reconciler is required".into()).into()
}

/// The hash of a token; what has not the form of one is refused before any storage.
fn hash(token: &Secret, request: &Request) -> Result<String> {
    require_https(request)?;
    TokenKind::Reconciler.parse_and_hash(token.reveal().trim_ascii()).ok_or_else(refused)
}

/// The hash of the token that a request shows in the place of a password, if it means to.
pub fn presented_as_password(request: &Request) -> Result<Option<String>> {
    match Authorization::parse(request.header("authorization")) {
        Some(Authorization::Basic { secret, .. }) if TokenKind::Reconciler.has_prefix(secret.reveal().trim_ascii()) => {
            hash(&secret, request).map(Some)
        }
        _ => Ok(None),
    }
}

/// The tool whose token a request shows, with what is read by its hash in the same round trip.
pub async fn authenticate<B: Batch>(
    ctx: &Context,
    request: &Request,
    about: impl FnOnce(&str) -> B,
) -> Result<(Reconciler, B::Output)> {
    let Some(Authorization::Bearer(token)) = Authorization::parse(request.header("authorization")) else {
        return Err(refused());
    };
    let hash = hash(&token, request)?;
    authenticate_hash(ctx, &hash, about(&hash)).await
}

/// The same by the hash of its token. It is noted that the tool was seen.
pub async fn authenticate_hash<B: Batch>(ctx: &Context, hash: &str, about: B) -> Result<(Reconciler, B::Output)> {
    let (found, about) = ctx.db.fetch((reconcilers::find(hash), about)).await?;
    let reconciler = found.ok_or_else(refused)?;
    if let Some(seen) = reconcilers::seen(&reconciler, ctx.platform.now()) {
        ctx.after_response("note that a reconciler was seen", seen);
    }
    Ok((reconciler, about))
}
