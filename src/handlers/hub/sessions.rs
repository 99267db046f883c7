//! Logging in to the management API, and the logins that docker keeps.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials, PasswordSession},
    context::Context,
    domain::{Secret, session_token, texts, time},
    error::{Challenge, Fault, Refusal, Result, not_found},
    handlers::{body::JsonObject, hub::users::kind},
    store::{
        Over, Transaction,
        refresh_tokens::{self, RefreshToken},
        users,
    },
    wire::{Request, Response},
};

/// For a refresh token that is not there.
const REFRESH_TOKEN_NOT_FOUND: &str = "refresh token not found";

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
    auth::require_https(request)?;
    let opened = async {
        let credentials = Credentials::basic(&name, Secret::new(secret), request)?;
        credentials.authenticate(ctx).await
    };
    let principal = opened
        .await
        .map_err(|error| error.map_unauthorized(|reason| Refusal::Unauthorized(Challenge::Session, reason)))?;
    let (keys, now) = (ctx.config.keys()?, ctx.platform.now());
    auth::login::record_success(ctx, request, &principal);
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
    let (now, config) = (ctx.platform.now(), &ctx.config);
    let list = refresh_tokens::list(session.user(), now, config.refresh_unused, config.refresh_age);
    let (_, (), tokens) = session.authenticate_with(ctx, Ok(()), list).await?;
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
    Ok(Response::empty(204).no_store())
}
