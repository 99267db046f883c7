//! Logging in to the management API, and the logins that docker keeps.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, PasswordSession},
    context::Context,
    domain::{Secret, session_token, texts, time},
    error::{Fault, Result},
    handlers::{body::JsonObject, hub::users::kind},
    operations::{login::log_in, refresh_tokens},
    store::{refresh_tokens::RefreshToken, users},
    wire::{Request, Response},
};

/// `POST /v2/users/login`
pub async fn login(ctx: &Context, request: &Request) -> Result<Response> {
    let token = open(ctx, request, ["username", "password"]).await?;
    Ok(Response::json(200, &json!({ "token": token })).no_store())
}

/// `POST /v2/auth/token`
pub async fn auth_token(ctx: &Context, request: &Request) -> Result<Response> {
    let token = open(ctx, request, ["identifier", "secret"]).await?;
    Ok(Response::json(200, &json!({ "access_token": token })).no_store())
}

/// A session for a password or an access token, in members of these names. The body of `curl -d` is read too, whose
/// Content-Type is that of a form: no cookie is set, and a page of another origin that sends a form cannot read the
/// response.
async fn open(ctx: &Context, request: &Request, [name, secret]: [&'static str; 2]) -> Result<String> {
    let body = JsonObject::parse(request)?;
    let (name, secret) = (body.text(name)?, body.text(secret)?);
    let principal = log_in(ctx, request, &name, Secret::new(secret)).await?;
    let (keys, now) = (ctx.config.keys()?, ctx.platform.now());
    Ok(session_token::sign(keys, principal.credential, principal.name(), ctx.random(), now))
}

/// `POST /v2/logout`
///
/// A client forgets its session with it; nothing of one is stored that could end, and it ends by itself within minutes.
pub async fn logout(ctx: &Context, credentials: &Credentials) -> Result<Response> {
    credentials.authenticate(ctx).await?;
    Ok(Response::json(200, &json!({ "detail": "Logged out" })).no_store())
}

/// `GET /v2/user`
pub async fn current_user(ctx: &Context, credentials: &Credentials) -> Result<Response> {
    let (principal, profile) = credentials.authenticate_with(ctx, users::profile(credentials.user())).await?;
    let user = principal.require_user()?;
    let profile = profile.ok_or_else(|| Fault::bug("no row for a user"))?;
    let response = json!({
        "id": user.id.to_string(),
        "username": user.name,
        "full_name": "",
        "type": kind(user.machine),
        "is_admin": principal.is_administrator(),
        "email": profile.address,
        "date_joined": time::format_rfc3339(profile.created_at),
    });
    Ok(Response::json(200, &response).no_store())
}

/// `GET /v2/refresh-tokens`
///
/// The logins that docker keeps: from where, and when each was last used.
pub async fn refresh_tokens(ctx: &Context, session: &PasswordSession<'_>) -> Result<Response> {
    let (_, tokens) = refresh_tokens::list(ctx, session).await?;
    let one = |token: &RefreshToken| {
        json!({
            "uuid": token.uuid,
            "client": texts::line(&token.client),
            "address": token.address,
            "created_at": time::format_rfc3339(token.created_at),
            "last_used": time::format_rfc3339(token.used_at),
        })
    };
    let results = tokens.iter().map(one).collect::<Vec<Value>>();
    Ok(Response::json(200, &json!({ "count": results.len(), "results": results })).no_store())
}

/// `DELETE /v2/refresh-tokens/{uuid}`
pub async fn end_refresh_token(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    uuid: &str,
) -> Result<Response> {
    refresh_tokens::end(ctx, request, session, uuid).await?;
    Ok(Response::empty(204).no_store())
}
