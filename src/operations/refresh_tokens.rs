//! The logins that docker keeps: from where, and when each was last used.

use crate::{
    auth::PasswordSession,
    context::Context,
    error::{Result, not_found},
    store::{
        Over, Transaction,
        refresh_tokens::{self, RefreshToken},
    },
    wire::Request,
};

/// For a refresh token that is not there.
const REFRESH_TOKEN_NOT_FOUND: &str = "refresh token not found";

/// The refresh tokens of the user that are not too old, the last used first.
pub async fn list(ctx: &Context, session: &PasswordSession<'_>) -> Result<Vec<RefreshToken>> {
    let (now, config) = (ctx.platform.now(), &ctx.config);
    let list = refresh_tokens::list(session.user(), now, config.refresh_unused, config.refresh_age);
    let (_, (), tokens) = session.authenticate_with(ctx, Ok(()), list).await?;
    Ok(tokens)
}

/// Ends a refresh token of the user.
pub async fn end(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<()> {
    let user = session.user();
    let (principal, (), found) = session.authenticate_with(ctx, Ok(()), refresh_tokens::by_uuid(user, uuid)).await?;
    if !found {
        return not_found(REFRESH_TOKEN_NOT_FOUND);
    }
    let mut transaction = Transaction::new();
    let ended = refresh_tokens::delete(&mut transaction, user, uuid, &principal.by(ctx, request));
    if !ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(ended)? {
        return not_found(REFRESH_TOKEN_NOT_FOUND);
    }
    Ok(())
}
