//! Logging in to the management API, and the logins that docker keeps.

use serde_json::{Value, json};

use crate::{
    domain::{Secret, UserName, password, session_token, texts, time},
    handlers::{
        body::Body,
        login,
        who::{self, Credentials, Principal},
    },
    index::Index,
    refusal::{Answer, Challenge, Error, Fault, Refusal, not_found},
    store::{Over, Row, Statement, refresh_tokens, users},
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
    who::require_https(request)?;
    let opened = async {
        let credentials = Credentials::named(&name, Secret::new(secret), request)?;
        credentials.known(index, &index.db.last(vec![credentials.statement()]).await?).await
    };
    let principal = opened.await.map_err(|error| match error {
        Error::Refusal(Refusal::Unauthorized(_, reason)) => Refusal::Unauthorized(Challenge::Session, reason).into(),
        other => other,
    })?;
    let (keys, now) = (index.settings.keys()?, index.world.now());
    login::succeeded(index, request, &principal);
    Ok(session_token::sign(keys, principal.credential, principal.name(), index.random(), now))
}

/// `POST /v2/logout`
///
/// A client forgets its session with it; nothing of one is stored that could end, and it ends by itself within minutes.
pub async fn logout(index: &Index, request: &Request) -> Answer<Reply> {
    let credentials = who::with_session(index, request)?;
    credentials.known(index, &index.db.last(vec![credentials.statement()]).await?).await?;
    Ok(Reply::json(200, &json!({ "detail": "Logged out" })).personal())
}

/// Somebody with a session, and the rows of one more statement, in one round trip.
pub async fn known_with(index: &Index, request: &Request, statement: Statement) -> Answer<(Principal, Vec<Row>)> {
    let credentials = who::with_session(index, request)?;
    let [principal, rows] = index.db.rows([credentials.statement(), statement]).await?;
    Ok((credentials.known(index, &principal).await?, rows))
}

/// Somebody with a session who shows their password once more, with what else they ask for and the rows of one
/// more statement, in one round trip: what changes who gets into an account takes more than a session.
pub async fn by_password<T>(
    index: &Index,
    request: &Request,
    wanted: Answer<(T, Secret)>,
    statement: Statement,
) -> Answer<(Principal, T, Vec<Row>)> {
    let credentials = who::with_session(index, request)?;
    let address = request.address();
    let again = users::again_with_failures(user_of(index, request)?, &address);
    let [principal, again, rows] = index.db.rows([credentials.statement(), again, statement]).await?;
    let principal = credentials.known(index, &principal).await?;
    let (wanted, secret) = wanted?;
    let user = principal.require_password()?;
    let wrong = || Refusal::Forbidden("The password is wrong".into());
    if secret.reveal().len() > password::LONGEST {
        return Err(wrong().into());
    }
    let row = again.first().ok_or_else(|| Fault::broken("no row for a user"))?;
    let name = UserName::parse(&user.name).ok_or_else(|| Fault::broken("a user has a name that is none"))?;
    login::check(index, row, &name, &secret, &address).await.map_err(|error| match error {
        Error::Refusal(Refusal::Unauthorized(..)) => wrong().into(),
        other => other,
    })?;
    Ok((principal, wanted, rows))
}

/// The user of a presented session, whose rows are read before it is known to be good.
pub fn user_of(index: &Index, request: &Request) -> Answer<i64> {
    let credentials = who::with_session(index, request)?;
    match credentials {
        Credentials::Bearer(credential) => Ok(credential.user().unwrap_or_default()),
        _ => Ok(0),
    }
}

/// `GET /v2/user`
pub async fn oneself(index: &Index, request: &Request) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, rows) = known_with(index, request, users::profile(user)).await?;
    let user = principal.require_user()?;
    let row = rows.first();
    let reply = json!({
        "id": user.id.to_string(),
        "username": user.name,
        "full_name": "",
        "type": if user.machine { "Machine" } else { "User" },
        "is_admin": principal.is_administrator(),
        "email": row.and_then(|row| row.maybe_text("address")),
        "date_joined": time::print(row.map_or(0, |row| row.integer("created_at"))),
    });
    Ok(Reply::json(200, &reply).personal())
}

/// `GET /v2/refresh-tokens`
///
/// The logins that docker keeps: from where, and when each was last used.
pub async fn refresh_tokens(index: &Index, request: &Request) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (now, settings) = (index.world.now(), &index.settings);
    let list = refresh_tokens::list(user, now, settings.refresh_unused, settings.refresh_age);
    let (principal, rows) = known_with(index, request, list).await?;
    principal.require_password()?;
    let one = |row: &Row| {
        json!({
            "uuid": row.text("uuid"),
            "client": texts::line(row.text("client")),
            "address": row.text("address"),
            "created_at": time::print(row.integer("created_at")),
            "last_used": time::print(row.integer("used_at")),
        })
    };
    let results = rows.iter().map(one).collect::<Vec<Value>>();
    Ok(Reply::json(200, &json!({ "count": results.len(), "results": results })).personal())
}

/// `DELETE /v2/refresh-tokens/{uuid}`
pub async fn end_refresh_token(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, rows) = known_with(index, request, refresh_tokens::by_uuid(user, uuid)).await?;
    principal.require_password()?;
    if rows.is_empty() {
        return not_found(ABSENT);
    }
    let ending = refresh_tokens::delete(user, uuid, &principal.by(index, request));
    if index.write_last([principal.right(Over::Themselves)], ending).await?.is_empty() {
        return not_found(ABSENT);
    }
    Ok(Reply::empty(204).personal())
}
