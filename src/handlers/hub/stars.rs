//! Stars, one of each user for each repository.

use serde_json::json;

use crate::{
    domain::{RepositoryName, Role},
    handlers::hub::{Page, paged, repositories::Reached},
    index::Index,
    jobs::search_index,
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

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/star`
///
/// The caller's own; who else likes it is not told.
pub async fn list(index: &Index, request: &Request, name: &RepositoryName) -> Answer<Reply> {
    let reached = Reached::with_session(index, request, name, None).await?;
    reached.opened(name, Role::Read)?;
    let stars = if reached.starred() { vec![json!({ "user": reached.principal.name() })] } else { Vec::new() };
    paged(index, request, Page::read(request), i64::from(reached.starred()), stars)
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
    index.write([right], batch(reached.principal.require_user()?.id, repository.id)).await?;
    search_index::later(index);
    Ok(Reply::empty(204).personal())
}
