//! The namespaces that a user is in, and the user or the organisation of a name. An organisation is a namespace without an
//! owner.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::{NamespaceId, time},
    error::{Result, not_found},
    handlers::hub::{Pagination, paged, users::kind},
    store::namespaces::{self, Named},
    wire::{Request, Response},
};

/// The most names of namespaces in one answer.
const MAX_NAMES: i64 = 1_000;

/// `GET /v2/user/orgs`
///
/// An access token for some repositories opens none of them as a whole.
pub async fn organisations(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let page = Pagination::read(request);
    let list = namespaces::organisations(credentials.user(), page.size, page.offset());
    let (principal, list) = credentials.authenticate_with(ctx, list).await?;
    if !principal.reaches_namespaces() {
        return paged(ctx, request, page, 0, Vec::new());
    }
    let objects = list.items.iter().map(|item| organisation(item.id, &item.name, item.created_at)).collect();
    paged(ctx, request, page, list.head.count, objects)
}

/// `GET /v2/repositories/namespaces`
pub async fn names(ctx: &Context, credentials: &Credentials) -> Result<Response> {
    let list = namespaces::names(credentials.user(), MAX_NAMES);
    let (principal, names) = credentials.authenticate_with(ctx, list).await?;
    let names = if principal.reaches_namespaces() { names } else { Vec::new() };
    Ok(Response::json(200, &json!({ "namespaces": names })).no_store())
}

/// `GET /v2/users/{username}`
///
/// For a client that may read something in the user's namespace; for others there is no such user. An organisation of
/// this name is answered too.
pub async fn user(ctx: &Context, request: &Request, credentials: &Credentials, name: &str) -> Result<Response> {
    about(ctx, request, credentials, name, "user not found", |named| match named.user {
        Some(user) => Some(json!({
            "id": user.id.to_string(),
            "username": name,
            "full_name": "",
            "location": "",
            "company": "",
            "profile_url": "",
            "date_joined": time::format_rfc3339(user.created_at),
            "type": kind(user.machine),
        })),
        None => organisation_of(name, named),
    })
    .await
}

/// `GET /v2/orgs/{namespace}`
pub async fn get(ctx: &Context, request: &Request, credentials: &Credentials, name: &str) -> Result<Response> {
    about(ctx, request, credentials, name, "organization not found", |named| organisation_of(name, named)).await
}

/// The reply about a name, for a client that may know of it.
async fn about(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &str,
    absent: &'static str,
    to_json: impl FnOnce(&Named) -> Option<Value>,
) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let named = namespaces::by_name(name, &credentials.subject(ctx));
    let (guard, named) = NamespaceGuard::authenticate_with(ctx, credentials, name, named).await?;
    let visible = guard.principal.name() == name || guard.is_visible(named.readable);
    match Some(&named).filter(|_| visible).and_then(to_json) {
        Some(body) => Ok(Response::json(200, &body).no_store()),
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
        "date_joined": time::format_rfc3339(created_at),
        "type": "Organization",
    })
}
