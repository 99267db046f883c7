//! Collaborators: who else may do what in one repository. It counts at their next request.

use serde_json::{Value, json};

use crate::{
    auth,
    domain::{RepositoryName, Role},
    handlers::{
        body::Body,
        hub::{Page, paged, repositories::Reached},
    },
    index::Index,
    mail::notices::{self, Notice},
    refusal::{Answer, invalid, not_found},
    store::{Row, collaborators},
    wire::{Reply, Request},
};

struct Wanted {
    user: String,
    role: Option<String>,
}

impl Wanted {
    fn read(request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        Ok(Self { user: body.text("user")?, role: body.maybe_text("role")? })
    }
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/collaborators`
pub async fn list(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let page = Page::read(request);
    let credentials = auth::session(index, request)?;
    let list = collaborators::list(name, &credentials.subject(index), page.size, page.offset());
    let reached = Reached::read(index, credentials, name, Some(list)).await?;
    reached.opened(name, Role::Admin)?;
    let count = reached.more().first().map_or(0, |row| row.integer("count"));
    let results = reached.more().iter().filter(|row| row.maybe_text("name").is_some()).map(object).collect();
    paged(index, request, page, count, results)
}

/// `POST /v2/namespaces/{namespace}/repositories/{repository}/collaborators`
///
/// A second one of the same user changes the role. Clients that send none mean somebody who pushes.
pub async fn add(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let wanted = Wanted::read(request);
    let user = wanted.as_ref().map_or("", |wanted| wanted.user.as_str());
    let reached = Reached::with_session(index, request, name, Some(collaborators::find(name, user))).await?;
    let wanted = wanted?;
    let Some(role) = Role::parse(wanted.role.as_deref().unwrap_or("write")) else {
        return invalid("role: read, write or admin");
    };
    let (repository, right) = reached.writable_roles(name)?;
    let user = addable(reached.more())?;
    let (user, by) = (user.integer("user_id"), reached.principal.by(index, request));
    let mut batch = collaborators::set(repository.id, name, user, &wanted.user, role.as_str(), &by);
    batch.push(collaborators::find(name, &wanted.user));
    match index.write_last([right], batch).await?.iter().find(|row| row.maybe_text("role").is_some()) {
        Some(row) => {
            let notice = Notice::Role { who: &wanted.user, role: role.as_str(), place: &name.to_string() };
            notices::tell(index, reached.principal.require_user()?, &by, notice);
            Ok(Reply::json(200, &object(row)).personal())
        }
        None => not_found("repository not found"),
    }
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/collaborators/{username}`
pub async fn remove(index: &Index, request: &Request, name: &RepositoryName, user: &str) -> Answer<Reply> {
    let reached = Reached::with_session(index, request, name, None).await?;
    let (repository, right) = reached.writable_roles(name)?;
    let removal = collaborators::remove(repository.id, name, user, &reached.principal.by(index, request));
    if index.write_last([right], removal).await?.is_empty() {
        return not_found("collaborator not found");
    }
    Ok(Reply::empty(204).personal())
}

/// Somebody who may be given a role: an active user, and not the owner, who has every right.
pub fn addable(rows: &[Row]) -> Answer<&Row> {
    match rows.first().filter(|row| row.text("status") == "active") {
        None => not_found("user not found"),
        Some(row) if row.flag("owner") => invalid("The owner of the namespace has every right already"),
        Some(row) => Ok(row),
    }
}

fn object(row: &Row) -> Value {
    json!({ "user": row.text("name"), "role": row.text("role"), "type": kind(row) })
}

/// The kind of a user, in the Hub's words.
#[must_use]
pub fn kind(row: &Row) -> &'static str {
    if row.text("kind") == "machine" { "Machine" } else { "User" }
}
