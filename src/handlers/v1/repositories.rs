//! Creation and deletion of repositories.

use serde_json::json;

use crate::{
    auth::Credentials,
    domain::{Access, RepositoryName, images, json},
    handlers::v1::{guard::V1Guard, require_merged, with_endpoint},
    index::Index,
    jobs::search_index,
    refusal::{Answer, Refusal, forbidden, invalid},
    store::{self, Transaction, images::Target, repositories},
    wire::{Reply, Request},
};

/// `PUT /v1/repositories/(namespace)/(repo_name)/`
///
/// The beginning of a push: announces images, and gets a token to push them.
pub async fn create(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Answer<Reply> {
    let guard = V1Guard::authenticate(index, credentials, name).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    let list = images::read(body)?;
    let (pending_deletion, (namespace, right)) = (guard.pending_deletion(), guard.require_to_push()?);
    let (by, most) = (guard.principal.by(index, request), index.settings.most.repositories);
    let (target, pairs) = (Target::Named(namespace, &name.name), images::pairs(&list));
    let private = index.settings.private;
    let mut transaction =
        Transaction::from(repositories::create_for_push(namespace, name, pending_deletion, private, &by, most));
    // Not every client says that its push is complete.
    let announced = repositories::record_announcement(name, list.len(), &by);
    transaction.run([store::images::merge(&target, &pairs), announced]);
    let merged = transaction.read(store::images::merged(&target, &pairs));
    let lookup = transaction.read(repositories::lookup(name, &credentials.subject(index)));
    let mut outcome = index.commit([right], transaction).await?;
    let (merged, lookup) = (outcome.take(merged)?, outcome.take(lookup)?);
    // If it exists, another request has marked it deleted meanwhile; else the namespace is full.
    if merged.is_none() && lookup.repository.is_none() {
        return forbidden(format!("A namespace holds at most {most} repositories"));
    }
    let repository = require_merged(merged)?;
    if pending_deletion.is_some() {
        search_index::later(index);
    }
    let reply = with_endpoint(Reply::json(200, &json!("")).personal(), index, request);
    Ok(guard.with_token(reply, index, repository, Access::Write)?)
}

/// `DELETE /v1/repositories/(namespace)/(repo_name)/`
///
/// The first call marks it and gives a token with which the registry deletes its part; the second
/// removes it.
pub async fn delete(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Answer<Reply> {
    let guard = V1Guard::authenticate(index, credentials, name).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    if !body.is_empty() && json::read(body).is_none() {
        return invalid("Invalid JSON");
    }
    let (repository, right) = guard.require_to_delete()?;
    let by = guard.principal.by(index, request);
    if repository.pending_deletion {
        index.commit([right], repositories::remove(repository.id, name, &by).into()).await?;
        search_index::later(index);
        return Ok(Reply::json(200, &json!("")).personal());
    }
    let mark = repositories::mark(repository.id, name, &by);
    search_index::commit_and_hide(index, right, repository, mark.into()).await?;
    search_index::later(index);
    let reply = with_endpoint(Reply::json(202, &json!("")).personal(), index, request);
    Ok(guard.with_token(reply, index, repository.id, Access::Delete)?)
}
