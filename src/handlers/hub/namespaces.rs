//! Which namespaces somebody is in, and who is behind a name. An organisation is a namespace without an owner.

use serde_json::{Value, json};

use crate::{
    auth,
    domain::time,
    handlers::hub::{
        Page,
        collaborators::kind,
        namespace::asked_by,
        paged,
        sessions::{known_with, user_of},
    },
    index::Index,
    refusal::{Answer, not_found},
    store::{Row, namespaces},
    wire::{Reply, Request},
};

/// The most names of namespaces that are told at once.
const MOST: i64 = 1_000;

/// `GET /v2/user/orgs`
///
/// An access token for some repositories opens none of them as a whole.
pub async fn organisations(index: &Index, request: &Request) -> Answer<Reply> {
    let page = Page::read(request);
    let list = namespaces::shared(user_of(index, request)?, page.size, page.offset());
    let (principal, rows) = known_with(index, request, list).await?;
    if !principal.reaches_namespaces() {
        return paged(index, request, page, 0, Vec::new());
    }
    let count = rows.first().map_or(0, |row| row.integer("count"));
    let one = |row: &Row| {
        let name = row.maybe_text("name")?;
        Some(organisation(row.integer("namespace_id"), name, row.integer("created_at")))
    };
    paged(index, request, page, count, rows.iter().filter_map(one).collect())
}

/// `GET /v2/repositories/namespaces`
pub async fn names(index: &Index, request: &Request) -> Answer<Reply> {
    let (principal, rows) = known_with(index, request, namespaces::names(user_of(index, request)?, MOST)).await?;
    let reached = rows.iter().filter(|_| principal.reaches_namespaces());
    let names = reached.map(|row| row.text("name")).collect::<Vec<_>>();
    Ok(Reply::json(200, &json!({ "namespaces": names })).personal())
}

/// `GET /v2/users/{username}`
///
/// For who may read something in their namespace; to others there is no such user. Of an organisation, that is told.
pub async fn user(index: &Index, request: &Request, name: &str) -> Answer<Reply> {
    about(index, request, name, "user not found", |row| match row.maybe_integer("user_id") {
        Some(id) => Some(json!({
            "id": id.to_string(),
            "username": name,
            "full_name": "",
            "location": "",
            "company": "",
            "profile_url": "",
            "date_joined": time::print(row.integer("user_since")),
            "type": kind(row),
        })),
        None => shared(name, row),
    })
    .await
}

/// `GET /v2/orgs/{namespace}`
pub async fn one(index: &Index, request: &Request, name: &str) -> Answer<Reply> {
    about(index, request, name, "organization not found", |row| shared(name, row)).await
}

/// What is told of a name, to who may know of it.
async fn about(
    index: &Index,
    request: &Request,
    name: &str,
    absent: &'static str,
    told: impl FnOnce(&Row) -> Option<Value>,
) -> Answer<Reply> {
    let credentials = auth::optional_session(index, request)?;
    credentials.require_within_limit(index, request).await?;
    let about = namespaces::about(name, &credentials.subject(index));
    let (asked, rows) = asked_by(index, credentials, name, about).await?;
    let found = rows.first().filter(|row| asked.principal.name() == name || asked.sees(row.flag("shown")));
    match found.and_then(told) {
        Some(told) => Ok(Reply::json(200, &told).personal()),
        None => not_found(absent),
    }
}

/// The organisation of this name, if its namespace is one.
fn shared(name: &str, row: &Row) -> Option<Value> {
    let id = row.maybe_integer("namespace_id").filter(|_| !row.flag("owned"))?;
    Some(organisation(id, name, row.integer("namespace_since")))
}

/// An organisation as the Hub shows it.
fn organisation(id: i64, name: &str, since: i64) -> Value {
    json!({
        "id": id.to_string(),
        "orgname": name,
        "full_name": "",
        "location": "",
        "company": "",
        "profile_url": "",
        "date_joined": time::print(since),
        "type": "Organization",
    })
}
