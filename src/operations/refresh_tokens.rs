//! The sessions of a user: the browsers in which they are signed in, and the logins that docker keeps.

use crate::{
    auth::{PasswordSession, Principal, browser},
    context::Context,
    domain::texts::{self, Form},
    error::{Result, invalid, not_found},
    store::{
        Over, Transaction,
        refresh_tokens::{self, RefreshToken},
    },
    wire::Request,
};

/// For a refresh token that is not there.
const REFRESH_TOKEN_NOT_FOUND: &str = "refresh token not found";

/// The longest name of a session, in characters.
pub const MAX_LABEL_LENGTH: usize = 100;

/// The sessions of the user that are not too old, the last used first.
pub async fn list(ctx: &Context, session: &PasswordSession<'_>) -> Result<(Principal, Vec<RefreshToken>)> {
    let (now, config) = (ctx.platform.now(), &ctx.config);
    let list = refresh_tokens::list(session.user(), now, config.refresh_unused, config.refresh_age);
    let (principal, (), mut tokens) = session.authenticate_with(ctx, Ok(()), list).await?;
    tokens.retain(|token| !token.is_browser || browser::is_current(token, now));
    Ok((principal, tokens))
}

/// Gives a session of the user a name, or none.
pub async fn rename(ctx: &Context, session: &PasswordSession<'_>, uuid: &str, label: &str) -> Result<()> {
    let acceptable = if label.chars().count() > MAX_LABEL_LENGTH {
        invalid(format!("name: at most {MAX_LABEL_LENGTH} characters"))
    } else {
        texts::acceptable("name", label, Form::Line)
    };
    let user = session.user();
    let (principal, (), found) =
        session.authenticate_with(ctx, acceptable, refresh_tokens::by_uuid(user, uuid)).await?;
    require(found)?;
    let mut transaction = Transaction::new();
    let named = refresh_tokens::name(&mut transaction, user, uuid, label);
    require(ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(named)?)
}

/// Ends a session of the user.
pub async fn end(ctx: &Context, request: &Request, session: &PasswordSession<'_>, uuid: &str) -> Result<()> {
    let user = session.user();
    let (principal, (), found) = session.authenticate_with(ctx, Ok(()), refresh_tokens::by_uuid(user, uuid)).await?;
    require(found)?;
    let mut transaction = Transaction::new();
    let ended = refresh_tokens::delete(&mut transaction, user, uuid, &principal.by(ctx, request));
    require(ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(ended)?)
}

/// Ends every session of the user but for that of the browser that asks.
pub async fn end_others(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<()> {
    let (principal, (), ()) = session.authenticate_with(ctx, Ok(()), ()).await?;
    let (this, by) = (&principal.require_browser()?.uuid, principal.by(ctx, request));
    let others = refresh_tokens::delete_others(session.user(), this, &by);
    ctx.commit([principal.right(Over::Themselves)], others.into()).await?;
    Ok(())
}

fn require(found: bool) -> Result<()> {
    if found { Ok(()) } else { not_found(REFRESH_TOKEN_NOT_FOUND) }
}
