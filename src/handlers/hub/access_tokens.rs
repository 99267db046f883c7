//! Access tokens: made, listed, changed and ended by who logged in with their password.

use serde_json::{Value, json};

use crate::{
    auth::Principal,
    domain::{
        ends, opaque,
        texts::{self, Form},
        time,
        token_restrictions::{self, Resource, SCOPES, TokenScope},
    },
    handlers::{
        body::Body,
        hub::{
            Page,
            sessions::{known_with, user_of},
        },
    },
    index::Index,
    mail::notices::{self, Notice},
    refusal::{Answer, Fault, invalid, not_found},
    store::{
        Over, Right, Row,
        access_tokens::{self, New, Renewal, TokenOwner},
        audit::AuditContext,
    },
    wire::{Reply, Request},
};

/// The longest label, in characters.
const LONGEST_LABEL: usize = 100;

/// For a time that is none, or has passed.
const NO_END: &str = "expires_at: a time to come, as 2030-01-02T03:04:05Z";

/// For a token that is not there. Clients look for these words, whatever the status.
const ABSENT: &str = "access token not found";

/// What a new token is to be. Older tools send no scopes; `is_active` is not for them to say here.
pub struct Wanted {
    token_label: String,
    scopes: Option<Vec<TokenScope>>,
    expires_at: Option<String>,
    resources: Option<Vec<Resource>>,
}

/// How a token is to be renewed.
pub struct Renewed {
    overlap_seconds: i64,
    expires_at: Option<String>,
}

/// What of a token is to be changed.
pub struct Change {
    token_label: Option<String>,
    is_active: Option<bool>,
}

/// `POST /v2/access-tokens`
pub async fn create(index: &Index, request: &Request) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, _) = known_with(index, request, access_tokens::by_uuid(&TokenOwner::User(user), "")).await?;
    let wanted = Wanted::read(index, request)?;
    principal.require_password()?;
    make(index, request, (&principal, principal.right(Over::Themselves)), (user, principal.name(), false), &wanted)
        .await
}

/// `GET /v2/access-tokens`
pub async fn list(index: &Index, request: &Request) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let page = Page::read(request);
    let (principal, rows) = known_with(index, request, access_tokens::list(user, page.size, page.offset())).await?;
    principal.require_password()?;
    listed(index, request, page, &rows)
}

/// `GET /v2/access-tokens/{uuid}`
pub async fn get(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, rows) = known_with(index, request, access_tokens::by_uuid(&TokenOwner::User(user), uuid)).await?;
    principal.require_password()?;
    shown(&rows)
}

/// `PATCH /v2/access-tokens/{uuid}`
pub async fn update(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, rows) = known_with(index, request, access_tokens::by_uuid(&TokenOwner::User(user), uuid)).await?;
    let wanted = Change::read(request)?;
    principal.require_password()?;
    shown(&rows)?;
    change(index, principal.right(Over::Themselves), (user, uuid), &wanted, &principal.by(index, request)).await
}

/// `POST /v2/access-tokens/{uuid}/renew`
pub async fn renew(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, rows) = known_with(index, request, access_tokens::by_uuid(&TokenOwner::User(user), uuid)).await?;
    let wanted = Renewed::read(index, request)?;
    principal.require_password()?;
    make_anew(index, &rows, false, &wanted, principal.right(Over::Themselves), &principal.by(index, request)).await
}

/// `DELETE /v2/access-tokens/{uuid}`
pub async fn delete(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, rows) = known_with(index, request, access_tokens::by_uuid(&TokenOwner::User(user), uuid)).await?;
    principal.require_password()?;
    shown(&rows)?;
    delete_one(index, principal.right(Over::Themselves), (user, uuid), &principal.by(index, request)).await
}

impl Wanted {
    /// What a body asks for.
    pub fn read(index: &Index, request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        let wanted = Self {
            token_label: body.text("token_label")?,
            scopes: body.maybe_list_not_null("scopes", SCOPES, token_restrictions::MOST_SCOPES)?,
            expires_at: body.maybe_text("expires_at")?,
            resources: body.maybe_list(
                "resources",
                "objects with a path and scopes",
                token_restrictions::MOST_RESOURCES,
            )?,
        };
        acceptable_label(&wanted.token_label)?;
        wanted.scopes.as_deref().map(token_restrictions::acceptable_scopes).transpose()?;
        token_restrictions::acceptable(wanted.resources.as_deref().unwrap_or_default())?;
        acceptable_end(index, wanted.expires_at.as_deref())?;
        Ok(wanted)
    }
}

impl Renewed {
    /// What a body asks for.
    pub fn read(index: &Index, request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        let overlap_seconds = body.maybe_integer("overlap_seconds")?.unwrap_or_default();
        if !(0..=ends::LONGEST_OVERLAP).contains(&overlap_seconds) {
            return invalid(format!("overlap_seconds: 0 to {}, which is 7 days", ends::LONGEST_OVERLAP));
        }
        let wanted = Self { overlap_seconds, expires_at: body.maybe_text("expires_at")? };
        acceptable_end(index, wanted.expires_at.as_deref())?;
        Ok(wanted)
    }
}

impl Change {
    /// What a body asks for.
    pub fn read(request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        let change = Self { token_label: body.maybe_text("token_label")?, is_active: body.maybe_flag("is_active")? };
        change.token_label.as_deref().map(acceptable_label).transpose()?;
        Ok(change)
    }
}

/// Makes a token for a user, of this id and name, perhaps a machine, by somebody who has the right to; its secret is in this
/// answer and nowhere else.
pub async fn make(
    index: &Index,
    request: &Request,
    (principal, right): (&Principal, Right),
    (user_id, user, machine): (i64, &str, bool),
    wanted: &Wanted,
) -> Answer<Reply> {
    let (expires_at, expires_text) = end(index, wanted.expires_at.as_deref(), usual(machine))?;
    let scopes = wanted.scopes.clone().unwrap_or_else(|| vec![TokenScope::Read]);
    let resources = wanted.resources.as_ref().map(|resources| json!(resources).to_string());
    let secret = opaque::Kind::Access.make(index.random());
    let new = New {
        uuid: &opaque::uuid(index.random()),
        user_id,
        user,
        hash: &opaque::Kind::Access.hash(secret.reveal()).unwrap_or_default(),
        label: &wanted.token_label,
        scopes: &json!(scopes).to_string(),
        resources: resources.as_deref(),
        expires_at,
        expires_text: expires_text.as_deref(),
        warned: ends::warned(expires_at, index.world.now()),
        by: &principal.by(index, request),
        creator_ua: &texts::line(request.header("user-agent").unwrap_or_default())
            .chars()
            .take(200)
            .collect::<String>(),
        most: index.settings.most.access_tokens,
    };
    let rows = index.write_last([right], access_tokens::create(&new)).await?;
    let Some(row) = rows.first() else {
        return invalid(format!("A user has at most {} access tokens", new.most));
    };
    let maker = principal.require_user()?;
    notices::tell(index, maker, new.by, Notice::AccessToken((maker.id != user_id).then_some(user)));
    Ok(Reply::json(201, &object(row, secret.reveal())?).personal())
}

/// A page of tokens.
pub fn listed(index: &Index, request: &Request, page: Page, rows: &[Row]) -> Answer<Reply> {
    let count = rows.first().map_or(0, |row| row.integer("count"));
    let tokens = rows
        .iter()
        .filter(|row| row.maybe_text("uuid").is_some())
        .map(|row| object(row, ""))
        .collect::<Result<_, _>>()?;
    let active = ("active_count", rows.first().map_or(0, |row| row.integer("active_count")).into());
    Ok(page.reply(index, request, count, tokens, Some(active))?)
}

/// One token, or a 404.
pub fn shown(rows: &[Row]) -> Answer<Reply> {
    match rows.first() {
        Some(row) => Ok(Reply::json(200, &object(row, "")?).personal()),
        None => not_found(ABSENT),
    }
}

/// Changes a token of a user.
pub async fn change(
    index: &Index,
    right: Right,
    (user, uuid): (i64, &str),
    change: &Change,
    by: &AuditContext,
) -> Answer<Reply> {
    let label = change.token_label.as_deref();
    shown(&index.write_last([right], access_tokens::update(user, uuid, label, change.is_active, by)).await?)
}

/// Gives a token a new secret, which is in this answer and nowhere else.
pub async fn make_anew(
    index: &Index,
    rows: &[Row],
    machine: bool,
    wanted: &Renewed,
    right: Right,
    by: &AuditContext,
) -> Answer<Reply> {
    let Some(row) = rows.first() else { return not_found(ABSENT) };
    if !row.flag("is_active") {
        return invalid("The access token is not active");
    }
    let old_end = row.maybe_integer("expires_at");
    let begun = row.maybe_integer("renewed_at").unwrap_or_else(|| row.integer("created_at"));
    let usual = old_end.map(|end| end - begun).or(usual(machine));
    let (expires_at, expires_text) = end(index, wanted.expires_at.as_deref(), usual)?;
    // What has ended does not come back.
    let is_good = old_end.is_none_or(|end| by.now < end);
    let secret = opaque::Kind::Access.make(index.random());
    let renewal = Renewal {
        user: row.integer("user_id"),
        uuid: row.text("uuid"),
        from: row.text("hash"),
        to: &opaque::Kind::Access.hash(secret.reveal()).unwrap_or_default(),
        previous_until: (is_good && wanted.overlap_seconds > 0).then_some(by.now + wanted.overlap_seconds),
        expires_at,
        expires_text: expires_text.as_deref(),
        warned: ends::warned(expires_at, by.now),
    };
    let mut answers = index.write([right], access_tokens::renew(&renewal, by)).await?;
    let (shown, told) = (answers.pop().unwrap_or_default(), answers.pop().unwrap_or_default());
    match shown.first() {
        None => not_found(ABSENT),
        Some(_) if told.is_empty() => invalid("The access token was changed meanwhile"),
        Some(row) => Ok(Reply::json(200, &object(row, secret.reveal())?).personal()),
    }
}

/// Ends a token of a user.
pub async fn delete_one(index: &Index, right: Right, (user, uuid): (i64, &str), by: &AuditContext) -> Answer<Reply> {
    if index.write_last([right], access_tokens::delete(user, uuid, by)).await?.is_empty() {
        return not_found(ABSENT);
    }
    Ok(Reply::empty(204).personal())
}

fn acceptable_label(label: &str) -> Answer<()> {
    if !(1..=LONGEST_LABEL).contains(&label.chars().count()) {
        return invalid(format!("token_label: 1 to {LONGEST_LABEL} characters"));
    }
    texts::acceptable("token_label", label, Form::Line)
}

fn acceptable_end(index: &Index, text: Option<&str>) -> Answer<()> {
    match text.map(time::parse) {
        Some(end) if end.is_none_or(|end| end <= index.world.now()) => invalid(NO_END),
        _ => Ok(()),
    }
}

/// How long a token is good that is asked for without an end.
fn usual(machine: bool) -> Option<i64> {
    (!machine).then_some(ends::PERSON)
}

/// When a token ends, and as what that is shown.
fn end(index: &Index, asked: Option<&str>, usual: Option<i64>) -> Answer<(Option<i64>, Option<String>)> {
    let most = index.settings.access_token_age;
    let end = ends::end(asked.and_then(time::parse), usual, most, index.world.now())?;
    Ok((end, asked.and_then(time::normal).or_else(|| end.map(time::print))))
}

/// A token as the Hub shows it. What was sent is echoed as it was, as far as everybody can read it: clients compare it.
fn object(row: &Row, secret: &str) -> Result<Value, Fault> {
    let damaged = |error| Fault::broken(format!("a stored access token is damaged: {error}"));
    let scopes = serde_json::from_str::<Value>(row.text("scopes")).map_err(damaged)?;
    let resources = row.maybe_text("resources").map(serde_json::from_str::<Value>).transpose().map_err(damaged)?;
    Ok(json!({
        "uuid": row.text("uuid"),
        "client_id": "HUB",
        "creator_ip": row.text("creator_ip"),
        "creator_ua": texts::line(row.text("creator_ua")),
        "created_at": time::print(row.integer("created_at")),
        "created_by": row.text("created_by"),
        "last_used": row.maybe_integer("used_at").map(time::print),
        "generated_by": "manual",
        "is_active": row.flag("is_active"),
        "token": secret,
        "token_label": texts::line(row.text("label")),
        "scopes": scopes,
        "resources": resources,
        "expires_at": row.maybe_text("expires_text").and_then(time::normal),
        "previous_until": row.maybe_integer("previous_until").map(time::print),
    }))
}
