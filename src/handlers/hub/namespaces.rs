//! The namespaces that a user is in, and the user or the organisation of a name. An organisation is a namespace without an
//! owner.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, NamespaceGuard},
    domain::{NamespaceId, time},
    handlers::hub::{Page, paged, users::kind},
    index::Index,
    refusal::{Answer, not_found},
    store::namespaces::{self, Named},
    wire::{Reply, Request},
};

/// The most names of namespaces in one answer.
const MAX_NAMES: i64 = 1_000;

/// `GET /v2/user/orgs`
///
/// An access token for some repositories opens none of them as a whole.
pub async fn organisations(index: &Index, request: &Request, credentials: &Credentials) -> Answer<Reply> {
    let page = Page::read(request);
    let list = namespaces::organisations(credentials.user(), page.size, page.offset());
    let (principal, list) = credentials.authenticate_with(index, list).await?;
    if !principal.reaches_namespaces() {
        return paged(index, request, page, 0, Vec::new());
    }
    let objects = list.items.iter().map(|item| organisation(item.id, &item.name, item.created_at)).collect();
    paged(index, request, page, list.head.count, objects)
}

/// `GET /v2/repositories/namespaces`
pub async fn names(index: &Index, credentials: &Credentials) -> Answer<Reply> {
    let list = namespaces::names(credentials.user(), MAX_NAMES);
    let (principal, names) = credentials.authenticate_with(index, list).await?;
    let names = if principal.reaches_namespaces() { names } else { Vec::new() };
    Ok(Reply::json(200, &json!({ "namespaces": names })).personal())
}

/// `GET /v2/users/{username}`
///
/// For a client that may read something in the user's namespace; for others there is no such user. An organisation of
/// this name is answered too.
pub async fn user(index: &Index, request: &Request, credentials: &Credentials, name: &str) -> Answer<Reply> {
    about(index, request, credentials, name, "user not found", |named| match named.user {
        Some(user) => Some(json!({
            "id": user.id.to_string(),
            "username": name,
            "full_name": "",
            "location": "",
            "company": "",
            "profile_url": "",
            "date_joined": time::print(user.created_at),
            "type": kind(user.machine),
        })),
        None => organisation_of(name, named),
    })
    .await
}

/// `GET /v2/orgs/{namespace}`
pub async fn one(index: &Index, request: &Request, credentials: &Credentials, name: &str) -> Answer<Reply> {
    about(index, request, credentials, name, "organization not found", |named| organisation_of(name, named)).await
}

/// The reply about a name, for a client that may know of it.
async fn about(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    name: &str,
    absent: &'static str,
    object: impl FnOnce(&Named) -> Option<Value>,
) -> Answer<Reply> {
    credentials.require_within_limit(index, request).await?;
    let named = namespaces::by_name(name, &credentials.subject(index));
    let (guard, named) = NamespaceGuard::authenticate_with(index, credentials, name, named).await?;
    let visible = guard.principal.name() == name || guard.is_visible(named.readable);
    match Some(&named).filter(|_| visible).and_then(object) {
        Some(object) => Ok(Reply::json(200, &object).personal()),
        None => not_found(absent),
    }
}

/// The organisation of this name, if its namespace is one.
fn organisation_of(name: &str, named: &Named) -> Option<Value> {
    let namespace = named.namespace.filter(|namespace| !namespace.owned)?;
    Some(organisation(namespace.id, name, namespace.created_at))
}

/// An organisation in the form of the Hub.
fn organisation(id: NamespaceId, name: &str, created_at: i64) -> Value {
    json!({
        "id": id.to_string(),
        "orgname": name,
        "full_name": "",
        "location": "",
        "company": "",
        "profile_url": "",
        "date_joined": time::print(created_at),
        "type": "Organization",
    })
}
