//! Making and deleting repositories.

use serde_json::json;

use crate::{
    domain::{Access, RepositoryName, Role, images, json, names::LIBRARY},
    handlers::{
        projection,
        v1::{ABSENT, DENIED, images::require_merged, reached, with_endpoint, with_token},
        who,
    },
    index::Index,
    refusal::{Answer, Refusal, forbidden, invalid, not_found},
    store::{
        self, Over, Right,
        images::Target,
        repositories::{self, Place},
    },
    wire::{Reply, Request},
};

/// `PUT /v1/repositories/(namespace)/(repo_name)/`
///
/// The beginning of a push: announces images, and gets a token to push them.
pub async fn create(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let presented = who::presented(index, request)?;
    presented.require_somebody()?;
    presented.require_no_token()?;
    let (asker, row) = reached(index, &presented, repositories::place(name, &presented.whose(index))).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    let list = images::read(body)?;
    let place = Place::of(&row);
    let marked = place.marked();
    // Who had a role in the one that was deleted has none in the new one.
    let (namespace, right) = require_pushable(&asker, &place.without_marked(), name)?;
    let (by, most) = (asker.by(index, request), index.settings.most.repositories);
    let mut batch = repositories::create(namespace, name, marked, index.settings.private, &by, most);
    let [merge, check] = store::images::merge(&Target::Named(namespace, &name.name), &images::pairs(&list));
    // Not every client says that its push is complete.
    let announced = repositories::announced(name, list.len(), &by);
    batch.extend([merge, announced, check]);
    batch.push(repositories::place(name, &presented.whose(index)));
    let mut rows = index.write([right], batch).await?;
    let place = rows.pop().unwrap_or_default();
    let merged = rows.pop().unwrap_or_default();
    // One that is there is being deleted by somebody quicker; where none is, there was no room for it.
    if merged.is_empty() && place.first().is_none_or(|row| Place::of(row).repository.is_none()) {
        return forbidden(format!("A namespace holds at most {most} repositories"));
    }
    let repository = require_merged(&merged)?;
    if marked.is_some() {
        projection::later(index);
    }
    let reply = with_endpoint(Reply::json(200, &json!("")).personal(), index, request);
    Ok(with_token(reply, index, &asker, name, repository, Access::Write)?)
}

/// Gives the namespace in which one may push under this name, with the right to. What is private and not theirs looks
/// like what does not exist and may not be made.
fn require_pushable(asker: &who::Asker, place: &Place, name: &RepositoryName) -> Answer<(i64, Right)> {
    let role = asker.role_at(place, name);
    match place.namespace_id {
        Some(namespace) if role >= Some(Role::Write) => {
            let right = match &place.repository {
                Some(repository) => asker.right_to(place, repository.id, name, Role::Write),
                None => asker.right(Over::Namespace(namespace, Role::Write)),
            };
            Ok((namespace, right))
        }
        _ if role.is_some() && place.repository.is_some() => forbidden(DENIED),
        _ if name.namespace == LIBRARY => forbidden("Only administrators may create library repositories"),
        _ => forbidden("Access Denied: Not allowed to create Repo at given location"),
    }
}

/// `DELETE /v1/repositories/(namespace)/(repo_name)/`
///
/// The first call marks it and gives a token with which the registry deletes its part; the second
/// removes it.
pub async fn delete(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let presented = who::presented(index, request)?;
    presented.require_somebody()?;
    presented.require_no_token()?;
    let (asker, row) = reached(index, &presented, repositories::place(name, &presented.whose(index))).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    if !body.is_empty() && json::read(body).is_none() {
        return invalid("Invalid JSON");
    }
    let place = Place::of(&row);
    let role = asker.role_at(&place, name);
    let Some(repository) = place.repository.as_ref().filter(|_| role.is_some()) else { return not_found(ABSENT) };
    if role < Some(Role::Admin) {
        return if repository.marked { not_found(ABSENT) } else { forbidden(DENIED) };
    }
    let (by, right) = (asker.by(index, request), asker.right_to(&place, repository.id, name, Role::Admin));
    if repository.marked {
        index.write([right], repositories::remove(repository.id, name, &by)).await?;
        projection::later(index);
        return Ok(Reply::json(200, &json!("")).personal());
    }
    projection::hiding(index, right, repository, repositories::mark(repository.id, name, &by)).await?;
    projection::later(index);
    let reply = with_endpoint(Reply::json(202, &json!("")).personal(), index, request);
    Ok(with_token(reply, index, &asker, name, repository.id, Access::Delete)?)
}
