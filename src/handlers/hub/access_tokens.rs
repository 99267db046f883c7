//! Access tokens: made, listed, changed and ended by who logged in with their password.

use serde_json::{Value, json};

use crate::{
    domain::{
        limits::{self, Resource, TokenScope},
        opaque, time,
    },
    handlers::{
        body::Body,
        hub::{
            Page,
            sessions::{known_with, user_of},
        },
        who::Asker,
    },
    index::Index,
    refusal::{Answer, Fault, invalid, not_found},
    store::{
        Over, Right, Row,
        access_tokens::{self, New, Whose},
        audit::By,
    },
    wire::{Reply, Request},
};

/// The longest label, in characters.
const LONGEST_LABEL: usize = 100;

/// The scopes that there are.
const SCOPES: &str = "repo:admin, repo:write, repo:read, repo:public_read";

/// For a token that is not there. Clients look for these words, whatever the status.
const ABSENT: &str = "access token not found";

/// What a new token is to be. Older tools send no scopes; `is_active` is not for them to say here.
pub struct Wanted {
    token_label: String,
    scopes: Option<Vec<TokenScope>>,
    expires_at: Option<String>,
    resources: Option<Vec<Resource>>,
}

/// What of a token is to be changed.
pub struct Change {
    token_label: Option<String>,
    is_active: Option<bool>,
}

/// `POST /v2/access-tokens`
pub async fn create(index: &Index, request: &Request) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (asker, _) = known_with(index, request, access_tokens::by_uuid(&Whose::User(user), "")).await?;
    let wanted = Wanted::read(index, request)?;
    asker.require_password()?;
    make(index, request, (&asker, asker.right(Over::Themselves)), (user, asker.name()), &wanted).await
}

/// `GET /v2/access-tokens`
pub async fn list(index: &Index, request: &Request) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let page = Page::read(request);
    let (asker, rows) =
        known_with(index, request, access_tokens::list(&Whose::User(user), page.size, page.offset())).await?;
    asker.require_password()?;
    listed(index, request, page, &rows)
}

/// `GET /v2/access-tokens/{uuid}`
pub async fn get(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (asker, rows) = known_with(index, request, access_tokens::by_uuid(&Whose::User(user), uuid)).await?;
    asker.require_password()?;
    shown(&rows)
}

/// `PATCH /v2/access-tokens/{uuid}`
pub async fn update(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (asker, rows) = known_with(index, request, access_tokens::by_uuid(&Whose::User(user), uuid)).await?;
    let wanted = Change::read(request)?;
    asker.require_password()?;
    shown(&rows)?;
    change(index, asker.right(Over::Themselves), (user, uuid), &wanted, &asker.by(index, request)).await
}

/// `DELETE /v2/access-tokens/{uuid}`
pub async fn delete(index: &Index, request: &Request, uuid: &str) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (asker, rows) = known_with(index, request, access_tokens::by_uuid(&Whose::User(user), uuid)).await?;
    asker.require_password()?;
    shown(&rows)?;
    end(index, asker.right(Over::Themselves), (user, uuid), &asker.by(index, request)).await
}

impl Wanted {
    /// What a body asks for.
    pub fn read(index: &Index, request: &Request) -> Answer<Self> {
        let mut body = Body::read_json(request)?;
        let wanted = Self {
            token_label: body.text("token_label")?,
            scopes: body.maybe_list("scopes", SCOPES)?,
            expires_at: body.maybe_text("expires_at")?,
            resources: body.maybe_list("resources", "objects with a path and scopes")?,
        };
        acceptable_label(&wanted.token_label)?;
        if wanted.scopes.as_ref().is_some_and(Vec::is_empty) {
            return invalid(format!("scopes: at least one of {SCOPES}"));
        }
        limits::acceptable(wanted.resources.as_deref().unwrap_or_default())?;
        if wanted.expires_at.is_some() && wanted.ends_at().is_none_or(|time| time <= index.world.now()) {
            return invalid("expires_at: a time to come, as 2030-01-02T03:04:05Z");
        }
        Ok(wanted)
    }

    fn ends_at(&self) -> Option<i64> {
        self.expires_at.as_deref().and_then(time::parse)
    }
}

impl Change {
    /// What a body asks for.
    pub fn read(request: &Request) -> Answer<Self> {
        let mut body = Body::read_json(request)?;
        let change = Self { token_label: body.maybe_text("token_label")?, is_active: body.maybe_flag("is_active")? };
        change.token_label.as_deref().map(acceptable_label).transpose()?;
        Ok(change)
    }
}

/// Makes a token for a user, of this id and name, by somebody who has the right to; its secret is in this
/// answer and nowhere else.
pub async fn make(
    index: &Index,
    request: &Request,
    (asker, right): (&Asker, Right),
    (user_id, user): (i64, &str),
    wanted: &Wanted,
) -> Answer<Reply> {
    let scopes = wanted.scopes.clone().unwrap_or_else(|| vec![TokenScope::Admin]);
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
        expires_at: wanted.ends_at(),
        expires_text: wanted.expires_at.as_deref(),
        by: &asker.by(index, request),
        creator_ua: &request.header("user-agent").unwrap_or_default().chars().take(200).collect::<String>(),
        most: index.settings.most.access_tokens,
    };
    let rows = index.write_last([right], access_tokens::create(&new)).await?;
    let Some(row) = rows.first() else {
        return invalid(format!("A user has at most {} access tokens", new.most));
    };
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
pub async fn change(index: &Index, right: Right, (user, uuid): (i64, &str), change: &Change, by: &By) -> Answer<Reply> {
    let label = change.token_label.as_deref();
    shown(&index.write_last([right], access_tokens::update(user, uuid, label, change.is_active, by)).await?)
}

/// Ends a token of a user.
pub async fn end(index: &Index, right: Right, (user, uuid): (i64, &str), by: &By) -> Answer<Reply> {
    if index.write_last([right], access_tokens::delete(user, uuid, by)).await?.is_empty() {
        return not_found(ABSENT);
    }
    Ok(Reply::empty(204).personal())
}

fn acceptable_label(label: &str) -> Answer<()> {
    if (1..=LONGEST_LABEL).contains(&label.chars().count()) {
        Ok(())
    } else {
        invalid(format!("token_label: 1 to {LONGEST_LABEL} characters"))
    }
}

/// A token as the Hub shows it. What was sent is echoed as it was: clients compare it.
fn object(row: &Row, secret: &str) -> Result<Value, Fault> {
    let damaged = |error| Fault::broken(format!("a stored access token is damaged: {error}"));
    let scopes = serde_json::from_str::<Value>(row.text("scopes")).map_err(damaged)?;
    let resources = row.maybe_text("resources").map(serde_json::from_str::<Value>).transpose().map_err(damaged)?;
    Ok(json!({
        "uuid": row.text("uuid"),
        "client_id": "HUB",
        "creator_ip": row.text("creator_ip"),
        "creator_ua": row.text("creator_ua"),
        "created_at": time::print(row.integer("created_at")),
        "created_by": row.text("created_by"),
        "last_used": row.maybe_integer("used_at").map(time::print),
        "generated_by": "manual",
        "is_active": row.flag("is_active"),
        "token": secret,
        "token_label": row.text("label"),
        "scopes": scopes,
        "resources": resources,
        "expires_at": row.maybe_text("expires_text"),
    }))
}
