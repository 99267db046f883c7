//! Logging in with a name and a password, for a session.

use crate::{
    auth::{self, Credentials, Principal},
    context::Context,
    domain::Secret,
    error::{Challenge, Refusal, Result},
    wire::Request,
};

/// Authenticates a user by a password or an access token and records the login; returns the principal, for whom the
/// caller signs a session.
pub async fn log_in(ctx: &Context, request: &Request, name: &str, secret: Secret) -> Result<Principal> {
    auth::require_https(request)?;
    let authenticated = async {
        let credentials = Credentials::basic(name, secret, request)?;
        credentials.authenticate(ctx).await
    };
    let principal = authenticated
        .await
        .map_err(|error| error.map_unauthorized(|reason| Refusal::Unauthorized(Challenge::Session, reason)))?;
    // Without the keys no session is signed: it is no login.
    ctx.config.keys()?;
    auth::login::record_success(ctx, request, &principal);
    Ok(principal)
}
