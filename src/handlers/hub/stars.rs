//! Stars, one of each user for each repository.

use crate::{
    domain::{RepositoryName, Role},
    handlers::{hub::repositories::Reached, projection},
    index::Index,
    refusal::Answer,
    store::{Statement, stars},
    wire::{Reply, Request},
};

/// `PUT /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn add(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    change(index, request, name, stars::add).await
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn remove(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    change(index, request, name, stars::remove).await
}

/// Anybody who may read a repository may like it.
async fn change(
    index: &Index,
    request: &Request,
    name: &RepositoryName,
    batch: fn(i64, i64) -> Vec<Statement>,
) -> Answer<Reply> {
    let reached = Reached::with_session(index, request, name, None).await?;
    let (repository, right) = reached.writable(name, Role::Read)?;
    index.write([right], batch(reached.asker.require_user()?.id, repository.id)).await?;
    projection::later(index);
    Ok(Reply::empty(204).personal())
}
