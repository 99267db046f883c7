//! Access tokens of users and service accounts in the Hub's form: the bodies of requests and of responses.

use serde_json::{Value, json};

use crate::{
    context::Context,
    domain::{
        texts, time,
        token_restrictions::{MAX_RESOURCES, MAX_SCOPES, SCOPES},
    },
    error::Result,
    handlers::{body::JsonObject, hub::Pagination},
    operations::access_tokens::{CreateAccessToken, IssuedAccessToken, RenewAccessToken, UpdateAccessToken},
    store::{
        Page,
        token_details::{TokenCounts, TokenDetails},
    },
    wire::{Request, Response},
};

/// Reads a token that is to be. Older tools send no scopes; `is_active` is ignored here.
pub fn creation(request: &Request) -> Result<CreateAccessToken> {
    let body = JsonObject::parse_json(request)?;
    Ok(CreateAccessToken {
        label: body.text("token_label")?,
        scopes: body.optional_array_not_null("scopes", SCOPES, MAX_SCOPES)?,
        expires_at: body.optional_string("expires_at")?,
        resources: body.optional_array("resources", "objects with a path and scopes", MAX_RESOURCES)?,
    })
}

/// Reads how a token is renewed.
pub fn renewal(request: &Request) -> Result<RenewAccessToken> {
    let body = JsonObject::parse_json(request)?;
    Ok(RenewAccessToken {
        overlap_seconds: body.optional_integer("overlap_seconds")?.unwrap_or_default(),
        expires_at: body.optional_string("expires_at")?,
    })
}

/// Reads a change.
pub fn change(request: &Request) -> Result<UpdateAccessToken> {
    let body = JsonObject::parse_json(request)?;
    Ok(UpdateAccessToken { label: body.optional_string("token_label")?, active: body.optional_bool("is_active")? })
}

/// The reply of a list.
pub fn list(
    ctx: &Context,
    request: &Request,
    page: Pagination,
    tokens: &Page<TokenDetails, TokenCounts>,
) -> Result<Response> {
    let objects = tokens.items.iter().map(|token| to_json(token, "")).collect();
    let active_count = ("active_count", tokens.head.active_count.into());
    Ok(page.reply(ctx, request, tokens.head.count, objects, Some(active_count))?)
}

/// The reply of one token.
#[must_use]
pub fn reply(token: &TokenDetails) -> Response {
    Response::json(200, &to_json(token, "")).no_store()
}

/// The reply of one token with its new secret.
#[must_use]
pub fn reply_with_secret(status: u16, token: &IssuedAccessToken) -> Response {
    Response::json(status, &to_json(&token.details, token.secret.reveal())).no_store()
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
