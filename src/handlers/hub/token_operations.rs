//! Operations on the access tokens of a user or of a machine, and the bodies that ask for them.

use serde_json::{Value, json};

use crate::{
    auth::Principal,
    domain::{
        UserId, ends, opaque,
        texts::{self, Form},
        time,
        token_restrictions::{self, Resource, SCOPES, TokenScope},
    },
    handlers::{body::Body, hub::Page},
    index::Index,
    mail::notices::{self, Notice},
    refusal::{Answer, invalid, not_found},
    store::{
        self, Right, Transaction,
        access_tokens::{self, New, Renewable},
        audit::AuditContext,
        token_details::{TokenCounts, TokenDetails},
    },
    wire::{Reply, Request},
};

/// The longest label, in characters.
const MAX_LABEL_LENGTH: usize = 100;

/// For a time that is none, or has passed.
const NO_END: &str = "expires_at: a time to come, as 2030-01-02T03:04:05Z";

/// For a token that is not there. Clients look for these words, whatever the status.
const ABSENT: &str = "access token not found";

/// The body of a request for a new token. Older tools send no scopes; `is_active` is ignored here.
pub struct Creation {
    token_label: String,
    scopes: Option<Vec<TokenScope>>,
    expires_at: Option<String>,
    resources: Option<Vec<Resource>>,
}

/// The body of a request for a new secret.
pub struct Renewal {
    overlap_seconds: i64,
    expires_at: Option<String>,
}

/// The body of a request for a change.
pub struct Change {
    token_label: Option<String>,
    is_active: Option<bool>,
}

impl Creation {
    /// Reads a body.
    pub fn read(index: &Index, request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        let creation = Self {
            token_label: body.text("token_label")?,
            scopes: body.maybe_list_not_null("scopes", SCOPES, token_restrictions::MAX_SCOPES)?,
            expires_at: body.maybe_text("expires_at")?,
            resources: body.maybe_list(
                "resources",
                "objects with a path and scopes",
                token_restrictions::MAX_RESOURCES,
            )?,
        };
        acceptable_label(&creation.token_label)?;
        creation.scopes.as_deref().map(token_restrictions::acceptable_scopes).transpose()?;
        token_restrictions::acceptable(creation.resources.as_deref().unwrap_or_default())?;
        acceptable_end(index, creation.expires_at.as_deref())?;
        Ok(creation)
    }
}

impl Renewal {
    /// Reads a body.
    pub fn read(index: &Index, request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        let overlap_seconds = body.maybe_integer("overlap_seconds")?.unwrap_or_default();
        if !(0..=ends::MAX_OVERLAP).contains(&overlap_seconds) {
            return invalid(format!("overlap_seconds: 0 to {}, which is 7 days", ends::MAX_OVERLAP));
        }
        let renewal = Self { overlap_seconds, expires_at: body.maybe_text("expires_at")? };
        acceptable_end(index, renewal.expires_at.as_deref())?;
        Ok(renewal)
    }
}

impl Change {
    /// Reads a body.
    pub fn read(request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        let change = Self { token_label: body.maybe_text("token_label")?, is_active: body.maybe_flag("is_active")? };
        change.token_label.as_deref().map(acceptable_label).transpose()?;
        Ok(change)
    }
}

/// The user that a token is for.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The id.
    pub id: UserId,
    /// The name.
    pub name: &'a str,
    /// A token of a machine has no end unless the request sets one.
    pub machine: bool,
}

/// Creates a token, by this right of a principal; its secret is in this answer and nowhere else.
pub async fn create(
    index: &Index,
    request: &Request,
    (principal, right): (&Principal, Right),
    holder: Holder<'_>,
    creation: &Creation,
) -> Answer<Reply> {
    let (expires_at, expires_text) = end(index, creation.expires_at.as_deref(), usual_age(holder.machine))?;
    let scopes = creation.scopes.clone().unwrap_or_else(|| vec![TokenScope::Read]);
    let resources = creation.resources.as_ref().map(|resources| json!(resources).to_string());
    let secret = opaque::Kind::Access.make(index.random());
    let new = New {
        uuid: &opaque::uuid(index.random()),
        user_id: holder.id,
        user: holder.name,
        hash: &opaque::Kind::Access.hash(secret.reveal()).unwrap_or_default(),
        label: &creation.token_label,
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
    let mut transaction = Transaction::new();
    let created = access_tokens::create(&mut transaction, &new);
    let Some(token) = index.commit([right], transaction).await?.take(created)? else {
        return invalid(format!("A user has at most {} access tokens", new.most));
    };
    let user = principal.require_user()?;
    notices::tell(index, user, new.by, Notice::AccessToken((user.id != holder.id).then_some(holder.name)));
    Ok(Reply::json(201, &object(&token, secret.reveal())).personal())
}

/// The reply of a list.
pub fn list(
    index: &Index,
    request: &Request,
    page: Page,
    tokens: &store::Page<TokenDetails, TokenCounts>,
) -> Answer<Reply> {
    let objects = tokens.items.iter().map(|token| object(token, "")).collect();
    let active_count = ("active_count", tokens.head.active_count.into());
    Ok(page.reply(index, request, tokens.head.count, objects, Some(active_count))?)
}

/// A token, or a 404.
pub fn require<T>(token: Option<T>) -> Answer<T> {
    token.map_or_else(|| not_found(ABSENT), Ok)
}

/// The reply of one token.
#[must_use]
pub fn reply(token: &TokenDetails) -> Reply {
    Reply::json(200, &object(token, "")).personal()
}

/// Changes a token of a user.
pub async fn update(
    index: &Index,
    right: Right,
    (user, uuid): (UserId, &str),
    change: &Change,
    by: &AuditContext,
) -> Answer<Reply> {
    let mut transaction = Transaction::new();
    let label = change.token_label.as_deref();
    let updated = access_tokens::update(&mut transaction, user, uuid, label, change.is_active, by);
    Ok(reply(&require(index.commit([right], transaction).await?.take(updated)?)?))
}

/// Gives a token a new secret, which is in this answer and nowhere else.
pub async fn renew(
    index: &Index,
    right: Right,
    (token, uuid, machine): (&Renewable, &str, bool),
    request: &Renewal,
    by: &AuditContext,
) -> Answer<Reply> {
    if !token.active {
        return invalid("The access token is not active");
    }
    let usual = token.expires_at.map(|end| end - token.begun_at).or(usual_age(machine));
    let (expires_at, expires_text) = end(index, request.expires_at.as_deref(), usual)?;
    // What has ended does not come back.
    let is_good = token.expires_at.is_none_or(|end| by.now < end);
    let secret = opaque::Kind::Access.make(index.random());
    let renewal = access_tokens::Renewal {
        user: token.user_id,
        uuid,
        from: &token.hash,
        to: &opaque::Kind::Access.hash(secret.reveal()).unwrap_or_default(),
        previous_until: (is_good && request.overlap_seconds > 0).then_some(by.now + request.overlap_seconds),
        expires_at,
        expires_text: expires_text.as_deref(),
        warned: ends::warned(expires_at, by.now),
    };
    let mut transaction = Transaction::new();
    let (renewed, details) = access_tokens::renew(&mut transaction, &renewal, by);
    let mut outcome = index.commit([right], transaction).await?;
    let details = require(outcome.take(details)?)?;
    if !outcome.take(renewed)? {
        return invalid("The access token was changed meanwhile");
    }
    Ok(Reply::json(200, &object(&details, secret.reveal())).personal())
}

/// Deletes a token of a user.
pub async fn delete(index: &Index, right: Right, (user, uuid): (UserId, &str), by: &AuditContext) -> Answer<Reply> {
    let mut transaction = Transaction::new();
    let deleted = access_tokens::delete(&mut transaction, user, uuid, by);
    if !index.commit([right], transaction).await?.take(deleted)? {
        return not_found(ABSENT);
    }
    Ok(Reply::empty(204).personal())
}

fn acceptable_label(label: &str) -> Answer<()> {
    if !(1..=MAX_LABEL_LENGTH).contains(&label.chars().count()) {
        return invalid(format!("token_label: 1 to {MAX_LABEL_LENGTH} characters"));
    }
    texts::acceptable("token_label", label, Form::Line)
}

fn acceptable_end(index: &Index, text: Option<&str>) -> Answer<()> {
    match text.map(time::parse) {
        Some(end) if end.is_none_or(|end| end <= index.world.now()) => invalid(NO_END),
        _ => Ok(()),
    }
}

/// How many seconds a token is good whose request sets no end.
fn usual_age(machine: bool) -> Option<i64> {
    (!machine).then_some(ends::PERSON)
}

/// When a token ends, in seconds since 1970 and as text.
fn end(index: &Index, asked: Option<&str>, usual: Option<i64>) -> Answer<(Option<i64>, Option<String>)> {
    let most = index.settings.access_token_age;
    let end = ends::end(asked.and_then(time::parse), usual, most, index.world.now())?;
    Ok((end, asked.and_then(time::normal).or_else(|| end.map(time::print))))
}

/// A token in the form of the Hub. The end is as it was sent, as far as everybody can read it: clients compare it.
fn object(token: &TokenDetails, secret: &str) -> Value {
    json!({
        "uuid": token.uuid,
        "client_id": "HUB",
        "creator_ip": token.creator_ip,
        "creator_ua": texts::line(&token.creator_ua),
        "created_at": time::print(token.created_at),
        "created_by": token.created_by,
        "last_used": token.used_at.map(time::print),
        "generated_by": "manual",
        "is_active": token.active,
        "token": secret,
        "token_label": texts::line(&token.label),
        "scopes": token.scopes,
        "resources": token.resources,
        "expires_at": token.expires_text.as_deref().and_then(time::normal),
        "previous_until": token.previous_until.map(time::print),
    })
}
