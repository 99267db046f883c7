//! Members: who may do what in everything of a namespace. It counts at their next request.

use serde_json::{Value, json};

use crate::{
    auth,
    domain::{Role, time},
    handlers::{
        body::Body,
        hub::{
            Page,
            collaborators::{addable, kind},
            namespace::{asked, asked_by},
            paged,
        },
    },
    index::Index,
    mail::notices::{self, Notice},
    refusal::{Answer, invalid, not_found},
    store::{Row, members},
    wire::{Reply, Request},
};

/// `GET /v2/namespaces/{namespace}/members`
pub async fn list(index: &Index, request: &Request, namespace: &str) -> Answer<Reply> {
    let page = Page::read(request);
    let credentials = auth::session(index, request)?;
    let list = members::list(namespace, &credentials.subject(index), page.size, page.offset());
    let (asked, rows) = asked_by(index, credentials, namespace, list).await?;
    asked.administrated()?;
    let count = rows.first().map_or(0, |row| row.integer("count"));
    let results = rows.iter().filter(|row| row.maybe_text("name").is_some()).map(object).collect();
    paged(index, request, page, count, results)
}

/// `PUT /v2/namespaces/{namespace}/members/{username}`
pub async fn set(index: &Index, request: &Request, namespace: &str, user: &str) -> Answer<Reply> {
    let (asked, rows) = asked(index, request, namespace, members::find(namespace, user)).await?;
    let Some(role) = role(&Body::read_json(request)?.text("role")?) else {
        return invalid("role: read, write or admin; or member, editor or owner");
    };
    let (namespace_id, right) = asked.administrated_to_roles()?;
    let member = addable(&rows)?;
    let changes = member.maybe_text("role").is_some();
    let set = members::Role { namespace_id, namespace, user, changes, role: role.as_str() };
    let by = asked.principal.by(index, request);
    let mut batch = members::set(&set, &by);
    batch.push(members::find(namespace, user));
    match index.write_last([right], batch).await?.iter().find(|row| row.maybe_text("role").is_some()) {
        Some(row) => {
            let notice = Notice::Role { who: user, role: role.as_str(), place: namespace };
            notices::tell(index, asked.principal.require_user()?, &by, notice);
            Ok(Reply::json(200, &object(row)).personal())
        }
        None => not_found("user not found"),
    }
}

/// `DELETE /v2/namespaces/{namespace}/members/{username}`
pub async fn remove(index: &Index, request: &Request, namespace: &str, user: &str) -> Answer<Reply> {
    let (asked, rows) = asked(index, request, namespace, members::find(namespace, user)).await?;
    let (namespace_id, right) = asked.administrated_to_roles()?;
    if rows.first().is_some_and(|row| row.flag("owner")) {
        return invalid("The owner of a namespace cannot be removed from it");
    }
    let by = asked.principal.by(index, request);
    if index.write_last([right], members::remove(namespace_id, namespace, user, &by)).await?.is_empty() {
        return not_found("member not found");
    }
    Ok(Reply::empty(204).personal())
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

fn object(row: &Row) -> Value {
    let role = match row.text("role") {
        _ if row.flag("owner") => "Owner",
        "admin" => "Admin",
        "write" => "Write",
        _ => "Read",
    };
    json!({
        "id": row.integer("user_id").to_string(),
        "username": row.text("name"),
        "full_name": "",
        "role": role,
        "groups": [],
        "is_guest": false,
        "type": kind(row),
        "date_joined": time::print(row.integer("created_at")),
    })
}
