//! Members: users with a role in everything of a namespace. It counts at their next request.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::{Role, time},
    error::{Result, invalid, not_found},
    handlers::{
        body::JsonObject,
        hub::{
            Pagination, paged,
            users::{kind, require_candidate},
        },
    },
    mail::notices::{self, Notice},
    store::{
        Transaction,
        members::{self, Grant, Member},
    },
    wire::{Request, Response},
};

/// `GET /v2/namespaces/{namespace}/members`
pub async fn list(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let page = Pagination::read(request);
    let list = members::list(namespace, &credentials.subject(ctx), page.size, page.offset());
    let (guard, members) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, list).await?;
    guard.require_admin()?;
    paged(ctx, request, page, members.head.count, members.items.iter().map(to_json).collect())
}

/// `PUT /v2/namespaces/{namespace}/members/{username}`
pub async fn set(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    user: &str,
) -> Result<Response> {
    let found = members::find(namespace, user);
    let (guard, found) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let Some(role) = role(&JsonObject::parse_json(request)?.text("role")?) else {
        return invalid("role: read, write or admin; or member, editor or owner");
    };
    let (namespace_id, right) = guard.require_to_change_roles()?;
    let changes = require_candidate(found)?.current.is_some();
    let by = guard.principal.by(ctx, request);
    let mut transaction = Transaction::new();
    let set = members::set(&mut transaction, &Grant { namespace_id, namespace, user, changes, role }, &by);
    let candidate = ctx.commit([right], transaction).await?.take(set)?;
    let Some(member) = candidate.and_then(|candidate| candidate.current) else {
        return not_found("user not found");
    };
    let notice = Notice::Role { who: user, role: role.as_str(), place: namespace };
    notices::tell(ctx, guard.principal.require_user()?, &by, notice);
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
    let found = members::find(namespace, user);
    let (guard, found) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let (namespace_id, right) = guard.require_to_change_roles()?;
    if found.is_some_and(|candidate| candidate.owner) {
        return invalid("The owner of a namespace cannot be removed from it");
    }
    let by = guard.principal.by(ctx, request);
    let mut transaction = Transaction::new();
    let removed = members::remove(&mut transaction, (namespace_id, namespace), user, &by);
    if !ctx.commit([right], transaction).await?.take(removed)? {
        return not_found("member not found");
    }
    Ok(Response::empty(204).no_store())
}

/// A role by its name, or by the name that the Hub has for it in an organisation.
fn role(text: &str) -> Option<Role> {
    match text {
        "member" => Some(Role::Read),
        "editor" => Some(Role::Write),
        "owner" => Some(Role::Admin),
        other => Role::parse(other),
    }
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
