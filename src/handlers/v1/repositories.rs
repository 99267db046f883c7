//! Creation and deletion of repositories.

use serde_json::json;

use crate::{
    auth::Credentials,
    context::Context,
    domain::{Access, RepositoryName, images, json},
    error::{Refusal, Result, forbidden, invalid},
    handlers::v1::{guard::V1Guard, require_merged, with_endpoint},
    jobs::search_index,
    store::{self, Transaction, images::Target, repositories},
    wire::{Request, Response},
};

/// `PUT /v1/repositories/(namespace)/(repo_name)/`
///
/// The beginning of a push: announces images, and gets a token to push them.
pub async fn create(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let guard = V1Guard::authenticate(ctx, credentials, name).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    let list = images::parse(body)?;
    let (pending_deletion, (namespace, right)) = (guard.pending_deletion(), guard.require_to_push()?);
    let (by, most) = (guard.principal.by(ctx, request), ctx.config.quotas.repositories);
    let (target, pairs) = (Target::Named(namespace, &name.name), images::pairs(&list));
    let private = ctx.config.private_by_default;
    let mut transaction =
        Transaction::from(repositories::create_for_push(namespace, name, pending_deletion, private, &by, most));
    // Not every client says that its push is complete.
    let announced = repositories::record_announcement(name, list.len(), &by);
    transaction.run([store::images::merge(&target, &pairs), announced]);
    let merged = transaction.read(store::images::merged(&target, &pairs));
    let lookup = transaction.read(repositories::lookup(name, &credentials.subject(ctx)));
    let mut outcome = ctx.commit([right], transaction).await?;
    let (merged, lookup) = (outcome.take(merged)?, outcome.take(lookup)?);
    // If it exists, another request has marked it deleted meanwhile; else the namespace is full.
    if merged.is_none() && lookup.repository.is_none() {
        return forbidden(format!("A namespace holds at most {most} repositories"));
    }
    let repository = require_merged(merged)?;
    if pending_deletion.is_some() {
        search_index::sync_after_response(ctx);
    }
    let response = with_endpoint(Response::json(200, &json!("")).no_store(), ctx, request);
    Ok(guard.with_token(response, ctx, repository, Access::Write)?)
}

/// `DELETE /v1/repositories/(namespace)/(repo_name)/`
///
/// The first call marks it and gives a token with which the registry deletes its part; the second
/// removes it.
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let guard = V1Guard::authenticate(ctx, credentials, name).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    if !body.is_empty() && json::parse(body).is_none() {
        return invalid("Invalid JSON");
    }
    let (repository, right) = guard.require_to_delete()?;
    let by = guard.principal.by(ctx, request);
    if repository.pending_deletion {
        ctx.commit([right], repositories::remove(repository.id, name, &by).into()).await?;
        search_index::sync_after_response(ctx);
        return Ok(Response::json(200, &json!("")).no_store());
    }
    let mark = repositories::mark(repository.id, name, &by);
    search_index::hide_and_commit(ctx, right, repository, mark.into()).await?;
    search_index::sync_after_response(ctx);
    let response = with_endpoint(Response::json(202, &json!("")).no_store(), ctx, request);
    Ok(guard.with_token(response, ctx, repository.id, Access::Delete)?)
}
