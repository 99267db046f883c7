//! Making and deleting repositories.

use serde_json::json;

use crate::{
    auth,
    domain::{Access, RepositoryName, Role, images, json, names::LIBRARY},
    handlers::v1::{ABSENT, DENIED, images::require_merged, reached, with_endpoint, with_token},
    index::Index,
    jobs::search_index,
    refusal::{Answer, Refusal, forbidden, invalid, not_found},
    store::{
        self, Over, Right,
        images::Target,
        repositories::{self, RepositoryLookup},
    },
    wire::{Reply, Request},
};

/// `PUT /v1/repositories/(namespace)/(repo_name)/`
///
/// The beginning of a push: announces images, and gets a token to push them.
pub async fn create(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let credentials = auth::v1_credentials(index, request)?;
    credentials.require_somebody()?;
    credentials.require_no_token()?;
    let (principal, row) =
        reached(index, &credentials, repositories::lookup(name, &credentials.subject(index))).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    let list = images::read(body)?;
    let lookup = RepositoryLookup::of(&row);
    let pending_deletion = lookup.pending_deletion();
    // Who had a role in the one that was deleted has none in the new one.
    let (namespace, right) = require_pushable(&principal, &lookup.ignoring_pending_deletion(), name)?;
    let (by, most) = (principal.by(index, request), index.settings.most.repositories);
    let mut batch = repositories::create(namespace, name, pending_deletion, index.settings.private, &by, most);
    let [merge, check] = store::images::merge(&Target::Named(namespace, &name.name), &images::pairs(&list));
    // Not every client says that its push is complete.
    let announced = repositories::announced(name, list.len(), &by);
    batch.extend([merge, announced, check]);
    batch.push(repositories::lookup(name, &credentials.subject(index)).into());
    let mut rows = index.write([right], batch).await?;
    let lookup = rows.pop().unwrap_or_default();
    let merged = rows.pop().unwrap_or_default();
    // One that is there is being deleted by somebody quicker; where none is, there was no room for it.
    if merged.is_empty() && lookup.first().is_none_or(|row| RepositoryLookup::of(row).repository.is_none()) {
        return forbidden(format!("A namespace holds at most {most} repositories"));
    }
    let repository = require_merged(&merged)?;
    if pending_deletion.is_some() {
        search_index::later(index);
    }
    let reply = with_endpoint(Reply::json(200, &json!("")).personal(), index, request);
    Ok(with_token(reply, index, &principal, name, repository, Access::Write)?)
}

/// Gives the namespace in which one may push under this name, with the right to. What is private and not theirs looks
/// like what does not exist and may not be made.
fn require_pushable(
    principal: &auth::Principal,
    lookup: &RepositoryLookup,
    name: &RepositoryName,
) -> Answer<(i64, Right)> {
    let role = principal.effective_role(lookup, name);
    match lookup.namespace_id {
        Some(namespace) if role >= Some(Role::Write) => {
            let right = match &lookup.repository {
                Some(repository) => principal.right_to(lookup, repository.id, name, Role::Write),
                None => principal.right(Over::Namespace(namespace, Role::Write)),
            };
            Ok((namespace, right))
        }
        _ if role.is_some() && lookup.repository.is_some() => forbidden(DENIED),
        _ if name.namespace == LIBRARY => forbidden("Only administrators may create library repositories"),
        _ => forbidden("Access Denied: Not allowed to create Repo at given location"),
    }
}

/// `DELETE /v1/repositories/(namespace)/(repo_name)/`
///
/// The first call marks it and gives a token with which the registry deletes its part; the second
/// removes it.
pub async fn delete(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let credentials = auth::v1_credentials(index, request)?;
    credentials.require_somebody()?;
    credentials.require_no_token()?;
    let (principal, row) =
        reached(index, &credentials, repositories::lookup(name, &credentials.subject(index))).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    if !body.is_empty() && json::read(body).is_none() {
        return invalid("Invalid JSON");
    }
    let lookup = RepositoryLookup::of(&row);
    let role = principal.effective_role(&lookup, name);
    let Some(repository) = lookup.repository.as_ref().filter(|_| role.is_some()) else { return not_found(ABSENT) };
    if role < Some(Role::Admin) {
        return if repository.pending_deletion { not_found(ABSENT) } else { forbidden(DENIED) };
    }
    let (by, right) = (principal.by(index, request), principal.right_to(&lookup, repository.id, name, Role::Admin));
    if repository.pending_deletion {
        index.write([right], repositories::remove(repository.id, name, &by)).await?;
        search_index::later(index);
        return Ok(Reply::json(200, &json!("")).personal());
    }
    search_index::commit_and_hide(index, right, repository, repositories::mark(repository.id, name, &by).into())
        .await?;
    search_index::later(index);
    let reply = with_endpoint(Reply::json(202, &json!("")).personal(), index, request);
    Ok(with_token(reply, index, &principal, name, repository.id, Access::Delete)?)
}
