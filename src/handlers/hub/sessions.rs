//! Logging in to the management API, and the logins that docker keeps.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials, PasswordSession},
    domain::{Secret, session_token, texts, time},
    handlers::{body::Body, hub::users::kind},
    index::Index,
    refusal::{Answer, Challenge, Fault, Refusal, not_found},
    store::{
        Over, Transaction,
        refresh_tokens::{self, RefreshToken},
        users,
    },
    wire::{Reply, Request},
};

/// For a refresh token that is not there.
const ABSENT: &str = "refresh token not found";

/// `POST /v2/users/login`
pub async fn login(index: &Index, request: &Request) -> Answer<Reply> {
    let token = open(index, request, ["username", "password"]).await?;
    Ok(Reply::json(200, &json!({ "token": token })).personal())
}

/// `POST /v2/auth/token`
pub async fn auth_token(index: &Index, request: &Request) -> Answer<Reply> {
    let token = open(index, request, ["identifier", "secret"]).await?;
    Ok(Reply::json(200, &json!({ "access_token": token })).personal())
}

/// A session for who shows a password or an access token, in members of these names. What `curl -d` sends is read too,
/// which says that it is a form: no cookie is set, and a page of another origin that sends a form reads no answer.
async fn open(index: &Index, request: &Request, [name, secret]: [&'static str; 2]) -> Answer<String> {
    let body = Body::read(request)?;
    let (name, secret) = (body.text(name)?, body.text(secret)?);
    auth::require_https(request)?;
    let opened = async {
        let credentials = Credentials::basic(&name, Secret::new(secret), request)?;
        credentials.authenticate(index).await
    };
    let principal = opened
        .await
        .map_err(|error| error.map_unauthorized(|reason| Refusal::Unauthorized(Challenge::Session, reason)))?;
    let (keys, now) = (index.settings.keys()?, index.world.now());
    auth::login::succeeded(index, request, &principal);
    Ok(session_token::sign(keys, principal.credential, principal.name(), index.random(), now))
}

/// `POST /v2/logout`
///
/// A client forgets its session with it; nothing of one is stored that could end, and it ends by itself within minutes.
pub async fn logout(index: &Index, credentials: &Credentials) -> Answer<Reply> {
    credentials.authenticate(index).await?;
    Ok(Reply::json(200, &json!({ "detail": "Logged out" })).personal())
}

/// `GET /v2/user`
pub async fn oneself(index: &Index, credentials: &Credentials) -> Answer<Reply> {
    let (principal, profile) = credentials.authenticate_with(index, users::profile(credentials.user())).await?;
    let user = principal.require_user()?;
    let profile = profile.ok_or_else(|| Fault::broken("no row for a user"))?;
    let reply = json!({
        "id": user.id.to_string(),
        "username": user.name,
        "full_name": "",
        "type": kind(user.machine),
        "is_admin": principal.is_administrator(),
        "email": profile.address,
        "date_joined": time::print(profile.created_at),
    });
    Ok(Reply::json(200, &reply).personal())
}

/// `GET /v2/refresh-tokens`
///
/// The logins that docker keeps: from where, and when each was last used.
pub async fn refresh_tokens(index: &Index, session: &PasswordSession<'_>) -> Answer<Reply> {
    let (now, settings) = (index.world.now(), &index.settings);
    let list = refresh_tokens::list(session.user(), now, settings.refresh_unused, settings.refresh_age);
    let (_, (), tokens) = session.authenticate_with(index, Ok(()), list).await?;
    let one = |token: &RefreshToken| {
        json!({
            "uuid": token.uuid,
            "client": texts::line(&token.client),
            "address": token.address,
            "created_at": time::print(token.created_at),
            "last_used": time::print(token.used_at),
        })
    };
    let results = tokens.iter().map(one).collect::<Vec<Value>>();
    Ok(Reply::json(200, &json!({ "count": results.len(), "results": results })).personal())
}

/// `DELETE /v2/refresh-tokens/{uuid}`
pub async fn end_refresh_token(
    index: &Index,
    request: &Request,
    session: &PasswordSession<'_>,
    uuid: &str,
) -> Answer<Reply> {
    let user = session.user();
    let (principal, (), found) = session.authenticate_with(index, Ok(()), refresh_tokens::by_uuid(user, uuid)).await?;
    if !found {
        return not_found(ABSENT);
    }
    let mut transaction = Transaction::new();
    let ended = refresh_tokens::delete(&mut transaction, user, uuid, &principal.by(index, request));
    if !index.commit([principal.right(Over::Themselves)], transaction).await?.take(ended)? {
        return not_found(ABSENT);
    }
    Ok(Reply::empty(204).personal())
}
