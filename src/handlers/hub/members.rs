//! Members: users with a role in everything of a namespace. It counts at their next request.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::{Role, time},
    error::Result,
    handlers::{
        body::JsonObject,
        hub::{Pagination, paged, users::kind},
    },
    operations::members,
    store::members::Member,
    wire::{Request, Response},
};

/// `GET /v2/namespaces/{namespace}/members`
pub async fn list(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let page = Pagination::read(request);
    let (_, list) = members::list(ctx, credentials, namespace, page.size, page.offset()).await?;
    paged(ctx, request, page, list.head.count, list.items.iter().map(to_json).collect())
}

/// `PUT /v2/namespaces/{namespace}/members/{username}`
pub async fn set(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    user: &str,
) -> Result<Response> {
    let role = JsonObject::parse_json(request).and_then(|body| body.text("role"));
    let member = members::set(ctx, request, credentials, namespace, user, role).await?;
    Ok(Response::json(200, &to_json(&member)).no_store())
}

/// `DELETE /v2/namespaces/{namespace}/members/{username}`
pub async fn remove(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    user: &str,
) -> Result<Response> {
    members::remove(ctx, request, credentials, namespace, user).await?;
    Ok(Response::empty(204).no_store())
}

/// A member in the form of the Hub.
fn to_json(member: &Member) -> Value {
    let role = match member.role {
        _ if member.owner => "Owner",
        Role::Admin => "Admin",
        Role::Write => "Write",
        Role::Read => "Read",
    };
    json!({
        "id": member.user_id.to_string(),
        "username": member.name,
        "full_name": "",
        "role": role,
        "groups": [],
        "is_guest": false,
        "type": kind(member.machine),
        "date_joined": time::format_rfc3339(member.created_at),
    })
}
