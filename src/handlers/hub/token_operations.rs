//! Operations on the access tokens of a user or a service account, and their request bodies.

use serde_json::{Value, json};

use crate::{
    auth::Principal,
    context::Context,
    domain::{
        UserId, ends, opaque_token,
        texts::{self, Form},
        time,
        token_restrictions::{self, Resource, SCOPES, TokenScope},
    },
    error::{Result, invalid, not_found},
    handlers::{body::JsonObject, hub::Pagination},
    mail::notices::{self, Notice},
    store::{
        self, Right, Transaction,
        access_tokens::{self, New, Renewable},
        audit::AuditContext,
        token_details::{TokenCounts, TokenDetails},
    },
    wire::{Request, Response},
};

/// The longest label, in characters.
const MAX_LABEL_LENGTH: usize = 100;

/// For a time that is none, or has passed.
const NO_END: &str = "expires_at: a time to come, as 2030-01-02T03:04:05Z";

/// For a token that is not there. Clients look for these words, whatever the status.
const TOKEN_NOT_FOUND: &str = "access token not found";

/// The body of a request for a new token. Older tools send no scopes; `is_active` is ignored here.
pub struct CreateAccessToken {
    token_label: String,
    scopes: Option<Vec<TokenScope>>,
    expires_at: Option<String>,
    resources: Option<Vec<Resource>>,
}

/// The body of a request for a new secret.
pub struct RenewAccessToken {
    overlap_seconds: i64,
    expires_at: Option<String>,
}

/// The body of a request for a change.
pub struct UpdateAccessToken {
    token_label: Option<String>,
    is_active: Option<bool>,
}

impl CreateAccessToken {
    /// Reads a body.
    pub fn read(ctx: &Context, request: &Request) -> Result<Self> {
        let body = JsonObject::parse_json(request)?;
        let creation = Self {
            token_label: body.text("token_label")?,
            scopes: body.optional_array_not_null("scopes", SCOPES, token_restrictions::MAX_SCOPES)?,
            expires_at: body.optional_string("expires_at")?,
            resources: body.optional_array(
                "resources",
                "objects with a path and scopes",
                token_restrictions::MAX_RESOURCES,
            )?,
        };
        acceptable_label(&creation.token_label)?;
        creation.scopes.as_deref().map(token_restrictions::acceptable_scopes).transpose()?;
        token_restrictions::acceptable(creation.resources.as_deref().unwrap_or_default())?;
        acceptable_end(ctx, creation.expires_at.as_deref())?;
        Ok(creation)
    }
}

impl RenewAccessToken {
    /// Reads a body.
    pub fn read(ctx: &Context, request: &Request) -> Result<Self> {
        let body = JsonObject::parse_json(request)?;
        let overlap_seconds = body.optional_integer("overlap_seconds")?.unwrap_or_default();
        if !(0..=ends::MAX_OVERLAP).contains(&overlap_seconds) {
            return invalid(format!("overlap_seconds: 0 to {}, which is 7 days", ends::MAX_OVERLAP));
        }
        let renewal = Self { overlap_seconds, expires_at: body.optional_string("expires_at")? };
        acceptable_end(ctx, renewal.expires_at.as_deref())?;
        Ok(renewal)
    }
}

impl UpdateAccessToken {
    /// Reads a body.
    pub fn read(request: &Request) -> Result<Self> {
        let body = JsonObject::parse_json(request)?;
        let change =
            Self { token_label: body.optional_string("token_label")?, is_active: body.optional_bool("is_active")? };
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
    /// A token of a service account has no end unless the request sets one.
    pub machine: bool,
}

/// Creates a token, by this right of a principal; its secret is in this answer and nowhere else.
pub async fn create(
    ctx: &Context,
    request: &Request,
    (principal, right): (&Principal, Right),
    holder: Holder<'_>,
    creation: &CreateAccessToken,
) -> Result<Response> {
    let (expires_at, expires_text) = end(ctx, creation.expires_at.as_deref(), usual_age(holder.machine))?;
    let scopes = creation.scopes.clone().unwrap_or_else(|| vec![TokenScope::Read]);
    let resources = creation.resources.as_ref().map(|resources| json!(resources).to_string());
    let secret = opaque_token::TokenKind::Access.generate(ctx.random());
    let new = New {
        uuid: &opaque_token::uuid(ctx.random()),
        user_id: holder.id,
        user: holder.name,
        hash: &opaque_token::TokenKind::Access.parse_and_hash(secret.reveal()).unwrap_or_default(),
        label: &creation.token_label,
        scopes: &json!(scopes).to_string(),
        resources: resources.as_deref(),
        expires_at,
        expires_text: expires_text.as_deref(),
        warned: ends::warned(expires_at, ctx.platform.now()),
        by: &principal.by(ctx, request),
        creator_ua: &texts::line(request.header("user-agent").unwrap_or_default())
            .chars()
            .take(200)
            .collect::<String>(),
        most: ctx.config.quotas.access_tokens,
    };
    let mut transaction = Transaction::new();
    let created = access_tokens::create(&mut transaction, &new);
    let Some(token) = ctx.commit([right], transaction).await?.take(created)? else {
        return invalid(format!("A user has at most {} access tokens", new.most));
    };
    let user = principal.require_user()?;
    notices::tell(ctx, user, new.by, Notice::AccessToken((user.id != holder.id).then_some(holder.name)));
    Ok(Response::json(201, &to_json(&token, secret.reveal())).no_store())
}

/// The reply of a list.
pub fn list(
    ctx: &Context,
    request: &Request,
    page: Pagination,
    tokens: &store::Page<TokenDetails, TokenCounts>,
) -> Result<Response> {
    let objects = tokens.items.iter().map(|token| to_json(token, "")).collect();
    let active_count = ("active_count", tokens.head.active_count.into());
    Ok(page.reply(ctx, request, tokens.head.count, objects, Some(active_count))?)
}

/// A token, or a 404.
pub fn require<T>(token: Option<T>) -> Result<T> {
    token.map_or_else(|| not_found(TOKEN_NOT_FOUND), Ok)
}

/// The reply of one token.
#[must_use]
pub fn reply(token: &TokenDetails) -> Response {
    Response::json(200, &to_json(token, "")).no_store()
}

/// Changes a token of a user.
pub async fn update(
    ctx: &Context,
    right: Right,
    (user, uuid): (UserId, &str),
    change: &UpdateAccessToken,
    by: &AuditContext,
) -> Result<Response> {
    let mut transaction = Transaction::new();
    let label = change.token_label.as_deref();
    let updated = access_tokens::update(&mut transaction, user, uuid, label, change.is_active, by);
    Ok(reply(&require(ctx.commit([right], transaction).await?.take(updated)?)?))
}

/// Gives a token a new secret, which is in this answer and nowhere else.
pub async fn renew(
    ctx: &Context,
    right: Right,
    (token, uuid, machine): (&Renewable, &str, bool),
    request: &RenewAccessToken,
    by: &AuditContext,
) -> Result<Response> {
    if !token.active {
        return invalid("The access token is not active");
    }
    let usual = token.expires_at.map(|end| end - token.begun_at).or(usual_age(machine));
    let (expires_at, expires_text) = end(ctx, request.expires_at.as_deref(), usual)?;
    // What has ended does not come back.
    let is_good = token.expires_at.is_none_or(|end| by.now < end);
    let secret = opaque_token::TokenKind::Access.generate(ctx.random());
    let renewal = access_tokens::Renewal {
        user: token.user_id,
        uuid,
        from: &token.hash,
        to: &opaque_token::TokenKind::Access.parse_and_hash(secret.reveal()).unwrap_or_default(),
        previous_until: (is_good && request.overlap_seconds > 0).then_some(by.now + request.overlap_seconds),
        expires_at,
        expires_text: expires_text.as_deref(),
        warned: ends::warned(expires_at, by.now),
    };
    let mut transaction = Transaction::new();
    let (renewed, details) = access_tokens::renew(&mut transaction, &renewal, by);
    let mut outcome = ctx.commit([right], transaction).await?;
    let details = require(outcome.take(details)?)?;
    if !outcome.take(renewed)? {
        return invalid("The access token was changed meanwhile");
    }
    Ok(Response::json(200, &to_json(&details, secret.reveal())).no_store())
}

/// Deletes a token of a user.
pub async fn delete(ctx: &Context, right: Right, (user, uuid): (UserId, &str), by: &AuditContext) -> Result<Response> {
    let mut transaction = Transaction::new();
    let deleted = access_tokens::delete(&mut transaction, user, uuid, by);
    if !ctx.commit([right], transaction).await?.take(deleted)? {
        return not_found(TOKEN_NOT_FOUND);
    }
    Ok(Response::empty(204).no_store())
}

fn acceptable_label(label: &str) -> Result<()> {
    if !(1..=MAX_LABEL_LENGTH).contains(&label.chars().count()) {
        return invalid(format!("token_label: 1 to {MAX_LABEL_LENGTH} characters"));
    }
    texts::acceptable("token_label", label, Form::Line)
}

fn acceptable_end(ctx: &Context, text: Option<&str>) -> Result<()> {
    match text.map(time::parse) {
        Some(end) if end.is_none_or(|end| end <= ctx.platform.now()) => invalid(NO_END),
        _ => Ok(()),
    }
}

/// Seconds that a token is valid whose request sets no end.
fn usual_age(machine: bool) -> Option<i64> {
    (!machine).then_some(ends::PERSON)
}

/// When a token ends, in seconds since 1970 and as text.
fn end(ctx: &Context, asked: Option<&str>, usual: Option<i64>) -> Result<(Option<i64>, Option<String>)> {
    let most = ctx.config.access_token_age;
    let end = ends::end(asked.and_then(time::parse), usual, most, ctx.platform.now())?;
    Ok((end, asked.and_then(time::normal).or_else(|| end.map(time::format_rfc3339))))
}

/// A token in the form of the Hub. The end is as it was sent, as far as all clients can parse it: clients compare it.
fn to_json(token: &TokenDetails, secret: &str) -> Value {
    json!({
        "uuid": token.uuid,
        "client_id": "HUB",
        "creator_ip": token.creator_ip,
        "creator_ua": texts::line(&token.creator_ua),
        "created_at": time::format_rfc3339(token.created_at),
        "created_by": token.created_by,
        "last_used": token.used_at.map(time::format_rfc3339),
        "generated_by": "manual",
        "is_active": token.active,
        "token": secret,
        "token_label": texts::line(&token.label),
        "scopes": token.scopes,
        "resources": token.resources,
        "expires_at": token.expires_text.as_deref().and_then(time::normal),
        "previous_until": token.previous_until.map(time::format_rfc3339),
    })
}
