//! The namespaces that a user is in, and the user or the organisation of a name. An organisation is a namespace without an
//! owner.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::{NamespaceId, time},
    error::{Result, not_found},
    handlers::hub::{Pagination, paged, users::kind},
    operations::namespaces,
    store::namespaces::Named,
    wire::{Request, Response},
};

/// `GET /v2/user/orgs`
///
/// An access token for some repositories opens none of them as a whole.
pub async fn organisations(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let page = Pagination::read(request);
    let (_, list) = namespaces::list_organisations(ctx, credentials, page.size, page.offset()).await?;
    let objects = list.items.iter().map(|item| organisation(item.id, &item.name, item.created_at)).collect();
    paged(ctx, request, page, list.head.count, objects)
}

/// `GET /v2/repositories/namespaces`
pub async fn names(ctx: &Context, credentials: &Credentials) -> Result<Response> {
    let (_, names) = namespaces::list_names(ctx, credentials).await?;
    Ok(Response::json(200, &json!({ "namespaces": names })).no_store())
}

/// `GET /v2/users/{username}`
///
/// For a client that may read something in the user's namespace; for others there is no such user. An organisation of
/// this name is answered too.
pub async fn user(ctx: &Context, request: &Request, credentials: &Credentials, name: &str) -> Result<Response> {
    let (_, named) = namespaces::find(ctx, request, credentials, name).await?;
    reply(named.and_then(|named| user_of(name, named).or_else(|| organisation_of(name, named))), "user not found")
}

/// `GET /v2/orgs/{namespace}`
pub async fn get(ctx: &Context, request: &Request, credentials: &Credentials, name: &str) -> Result<Response> {
    let (_, named) = namespaces::find(ctx, request, credentials, name).await?;
    reply(named.and_then(|named| organisation_of(name, named)), "organization not found")
}

/// The reply about a name, or that there is none.
fn reply(body: Option<Value>, absent: &'static str) -> Result<Response> {
    body.map_or_else(|| not_found(absent), |body| Ok(Response::json(200, &body).no_store()))
}

/// The user of this name.
fn user_of(name: &str, named: Named) -> Option<Value> {
    let user = named.user?;
    Some(json!({
        "id": user.id.to_string(),
        "username": name,
        "full_name": "",
        "location": "",
        "company": "",
        "profile_url": "",
        "date_joined": time::format_rfc3339(user.created_at),
        "type": kind(user.machine),
    }))
}

/// The organisation of this name, if its namespace is one.
fn organisation_of(name: &str, named: Named) -> Option<Value> {
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
