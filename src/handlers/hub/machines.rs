//! Machines of a namespace and their access tokens, kept by the namespace's admins: they outlive the
//! colleague who made them.

use serde_json::{Value, json};

use crate::{
    auth,
    domain::{Role, UserName, time},
    handlers::{
        body::Body,
        hub::{
            Page, access_tokens as tokens,
            namespace::{asked, asked_by},
        },
    },
    index::Index,
    refusal::{Answer, forbidden, invalid, not_found},
    store::{
        Over, Right, Row,
        access_tokens::{self, TokenOwner},
        audit::AuditContext,
        machines,
    },
    wire::{Reply, Request},
};

struct Wanted {
    username: String,
    role: Option<String>,
}

impl Wanted {
    fn read(request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        Ok(Self { username: body.text("username")?, role: body.maybe_text("role")? })
    }
}

/// `POST /v2/namespaces/{namespace}/machines`
pub async fn create(index: &Index, request: &Request, namespace: &str) -> Answer<Reply> {
    let wanted = Wanted::read(request);
    let name = wanted.as_ref().map_or("", |wanted| wanted.username.as_str());
    let (asked, taken) = asked(index, request, namespace, machines::taken(namespace, name)).await?;
    let wanted = wanted?;
    let name = UserName::given(&wanted.username)?;
    let role = wanted.role.as_deref().unwrap_or("write");
    if Role::parse(role).is_none() {
        return invalid("role: read, write or admin");
    }
    let (namespace_id, right) = asked.administrated_by_password()?;
    if taken.first().is_some_and(|row| row.flag("owned")) {
        name.require_in_front(namespace)?;
    }
    if taken.first().is_some_and(|row| row.flag("taken")) {
        return invalid("This username already exists");
    }
    let (by, most) = (asked.principal.by(index, request), index.settings.most.machines);
    let batch = machines::create(namespace_id, namespace, name.as_str(), role, &by, most);
    let made = index.write([right], batch).await?;
    if made.first().is_none_or(Vec::is_empty) {
        if made.last().and_then(|rows| rows.first()).is_some_and(|row| row.integer("held") >= most) {
            return forbidden(format!("A namespace has at most {most} machines"));
        }
        // Somebody was quicker.
        return invalid("This username already exists");
    }
    let machine = json!({ "username": name.as_str(), "role": role, "date_joined": time::print(by.now) });
    Ok(Reply::json(201, &machine).personal())
}

/// `GET /v2/namespaces/{namespace}/machines`
pub async fn list(index: &Index, request: &Request, namespace: &str) -> Answer<Reply> {
    let credentials = auth::session(index, request)?;
    let list = machines::list(namespace, &credentials.subject(index));
    let (asked, rows) = asked_by(index, credentials, namespace, list).await?;
    asked.administrated_by_password()?;
    let one = |row: &Row| {
        json!({
            "username": row.text("name"),
            "role": row.maybe_text("role"),
            "date_joined": time::print(row.integer("created_at")),
        })
    };
    let results = rows.iter().map(one).collect::<Vec<Value>>();
    Ok(Reply::json(200, &json!({ "count": results.len(), "results": results })).personal())
}

/// `DELETE /v2/namespaces/{namespace}/machines/{username}`
pub async fn delete(index: &Index, request: &Request, namespace: &str, name: &str) -> Answer<Reply> {
    let (asked, rows) = asked(index, request, namespace, machines::find(namespace, name)).await?;
    let (namespace_id, _) = asked.administrated_by_password()?;
    let (by, id) = (asked.principal.by(index, request), machine(&rows)?);
    let right = asked.principal.right(Over::Machine { id, namespace: namespace_id });
    index.write([right], machines::delete(id, namespace, name, &by)).await?;
    Ok(Reply::empty(204).personal())
}

/// `GET /v2/namespaces/{namespace}/machines/{username}/access-tokens`
pub async fn tokens(index: &Index, request: &Request, namespace: &str, name: &str) -> Answer<Reply> {
    let page = Page::read(request);
    let credentials = auth::session(index, request)?;
    let list = access_tokens::list_of_machine(namespace, name, &credentials.subject(index), page.size, page.offset());
    let (asked, rows) = asked_by(index, credentials, namespace, list).await?;
    asked.administrated_by_password()?;
    tokens::listed(index, request, page, &rows)
}

/// `POST /v2/namespaces/{namespace}/machines/{username}/access-tokens`
pub async fn create_token(index: &Index, request: &Request, namespace: &str, name: &str) -> Answer<Reply> {
    let (asked, rows) = asked(index, request, namespace, machines::find(namespace, name)).await?;
    let wanted = tokens::Wanted::read(index, request)?;
    let (namespace_id, _) = asked.administrated_by_password()?;
    let id = machine(&rows)?;
    let right = asked.principal.right(Over::Machine { id, namespace: namespace_id });
    tokens::make(index, request, (&asked.principal, right), (id, name, true), &wanted).await
}

/// `POST /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}/renew`
pub async fn renew_token(index: &Index, request: &Request, namespace: &str, name: &str, uuid: &str) -> Answer<Reply> {
    let found = access_tokens::by_uuid(&TokenOwner::Machine(namespace, name), uuid);
    let (asked, rows) = asked(index, request, namespace, found).await?;
    let wanted = tokens::Renewed::read(index, request)?;
    let (namespace, _) = asked.administrated_by_password()?;
    let id = rows.first().map_or(0, |row| row.integer("user_id"));
    let right = asked.principal.right(Over::Machine { id, namespace });
    tokens::make_anew(index, &rows, true, &wanted, right, &asked.principal.by(index, request)).await
}

/// A token of a machine, for an admin of its namespace.
struct MachineToken {
    shown: Reply,
    user: i64,
    right: Right,
    by: AuditContext,
}

/// The one that a request is about. What is wrong with the body is said after who asks, and before what they may not.
async fn one_token<T>(
    index: &Index,
    request: &Request,
    (namespace, name, uuid): (&str, &str, &str),
    body: Answer<T>,
) -> Answer<(MachineToken, T)> {
    let found = access_tokens::by_uuid(&TokenOwner::Machine(namespace, name), uuid);
    let (asked, rows) = asked(index, request, namespace, found).await?;
    let body = body?;
    let (namespace, _) = asked.administrated_by_password()?;
    let shown = tokens::shown(&rows)?;
    let user = rows.first().map_or(0, |row| row.integer("user_id"));
    let right = asked.principal.right(Over::Machine { id: user, namespace });
    Ok((MachineToken { shown, user, right, by: asked.principal.by(index, request) }, body))
}

/// `GET /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn get_token(index: &Index, request: &Request, namespace: &str, name: &str, uuid: &str) -> Answer<Reply> {
    let (token, ()) = one_token(index, request, (namespace, name, uuid), Ok(())).await?;
    Ok(token.shown)
}

/// `PATCH /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn update_token(index: &Index, request: &Request, namespace: &str, name: &str, uuid: &str) -> Answer<Reply> {
    let change = tokens::Change::read(request);
    let (token, change) = one_token(index, request, (namespace, name, uuid), change).await?;
    tokens::change(index, token.right, (token.user, uuid), &change, &token.by).await
}

/// `DELETE /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn delete_token(index: &Index, request: &Request, namespace: &str, name: &str, uuid: &str) -> Answer<Reply> {
    let (token, ()) = one_token(index, request, (namespace, name, uuid), Ok(())).await?;
    tokens::delete_one(index, token.right, (token.user, uuid), &token.by).await
}

fn machine(rows: &[Row]) -> Answer<i64> {
    rows.first().map_or_else(|| not_found("machine not found"), |row| Ok(row.integer("id")))
}
