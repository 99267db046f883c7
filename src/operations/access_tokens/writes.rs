//! Writes of access tokens, of a user or of a service account, by a right of the principal.

use serde_json::json;

use crate::{
    auth::Principal,
    context::Context,
    domain::{Secret, UserId, ends, opaque_token, texts, time, token_restrictions::TokenScope},
    error::{Result, invalid},
    mail::notices::{self, Notice},
    operations::access_tokens::{CreateAccessToken, RenewAccessToken, UpdateAccessToken, require},
    store::{
        Right, Transaction,
        access_tokens::{self, New, Renewable},
        audit::AuditContext,
        token_details::TokenDetails,
    },
    wire::Request,
};

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

/// A token with its new secret.
pub struct IssuedAccessToken {
    /// All but its secret.
    pub details: TokenDetails,
    /// It is stored nowhere.
    pub secret: Secret,
}

/// Creates a token, by this right of a principal.
pub async fn create(
    ctx: &Context,
    request: &Request,
    (principal, right): (&Principal, Right),
    holder: Holder<'_>,
    creation: &CreateAccessToken,
) -> Result<IssuedAccessToken> {
    let (expires_at, expires_text) = end(ctx, creation.expires_at.as_deref(), usual_age(holder.machine))?;
    let scopes = creation.scopes.clone().unwrap_or_else(|| vec![TokenScope::Read]);
    let resources = creation.resources.as_ref().map(|resources| json!(resources).to_string());
    let secret = opaque_token::TokenKind::Access.generate(ctx.random());
    let new = New {
        uuid: &opaque_token::uuid(ctx.random()),
        user_id: holder.id,
        user: holder.name,
        hash: &opaque_token::TokenKind::Access.parse_and_hash(secret.reveal()).unwrap_or_default(),
        label: &creation.label,
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
    let Some(details) = ctx.commit([right], transaction).await?.take(created)? else {
        return invalid(format!("A user has at most {} access tokens", new.most));
    };
    let user = principal.require_user()?;
    notices::tell(ctx, user, new.by, Notice::AccessToken((user.id != holder.id).then_some(holder.name)));
    Ok(IssuedAccessToken { details, secret })
}

/// Changes a token of a user.
pub async fn update(
    ctx: &Context,
    right: Right,
    (user, uuid): (UserId, &str),
    change: &UpdateAccessToken,
    by: &AuditContext,
) -> Result<TokenDetails> {
    let mut transaction = Transaction::new();
    let updated = access_tokens::update(&mut transaction, user, uuid, change.label.as_deref(), change.active, by);
    require(ctx.commit([right], transaction).await?.take(updated)?)
}

/// Gives a token a new secret.
pub async fn renew(
    ctx: &Context,
    right: Right,
    (token, uuid, machine): (&Renewable, &str, bool),
    renewal: &RenewAccessToken,
    by: &AuditContext,
) -> Result<IssuedAccessToken> {
    if !token.active {
        return invalid("The access token is not active");
    }
    let usual = token.expires_at.map(|end| end - token.begun_at).or(usual_age(machine));
    let (expires_at, expires_text) = end(ctx, renewal.expires_at.as_deref(), usual)?;
    // What has ended does not come back.
    let is_good = token.expires_at.is_none_or(|end| by.now < end);
    let secret = opaque_token::TokenKind::Access.generate(ctx.random());
    let renewal = access_tokens::Renewal {
        user: token.user_id,
        uuid,
        from: &token.hash,
        to: &opaque_token::TokenKind::Access.parse_and_hash(secret.reveal()).unwrap_or_default(),
        previous_until: (is_good && renewal.overlap_seconds > 0).then_some(by.now + renewal.overlap_seconds),
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
    Ok(IssuedAccessToken { details, secret })
}

/// Deletes a token of a user.
pub async fn delete(ctx: &Context, right: Right, (user, uuid): (UserId, &str), by: &AuditContext) -> Result<()> {
    let mut transaction = Transaction::new();
    let deleted = access_tokens::delete(&mut transaction, user, uuid, by);
    let deleted = ctx.commit([right], transaction).await?.take(deleted)?;
    require(deleted.then_some(()))
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
