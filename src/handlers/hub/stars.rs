//! Stars, one of each user for each repository.

use serde_json::json;

use crate::{
    auth::{Credentials, RepositoryGuard},
    domain::{RepositoryId, RepositoryName, Role, UserId},
    handlers::hub::{Page, paged},
    index::Index,
    jobs::search_index,
    refusal::Answer,
    store::{Statement, repositories, stars},
    wire::{Reply, Request},
};

/// `PUT /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn add(index: &Index, credentials: &Credentials, name: &RepositoryName) -> Answer<Reply> {
    change(index, credentials, name, stars::add).await
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn remove(index: &Index, credentials: &Credentials, name: &RepositoryName) -> Answer<Reply> {
    change(index, credentials, name, stars::remove).await
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/star`
///
/// The user's own; those of other users are not shown.
pub async fn list(index: &Index, request: &Request, credentials: &Credentials, name: &RepositoryName) -> Answer<Reply> {
    let details = repositories::details(name, &credentials.subject(index));
    let (principal, found) = credentials.authenticate_with(index, details).await?;
    let guard = RepositoryGuard::new(principal, name, found.lookup);
    guard.require(Role::Read)?;
    let starred = found.details.is_some_and(|details| details.has_starred);
    let stars = if starred { vec![json!({ "user": guard.principal.name() })] } else { Vec::new() };
    paged(index, request, Page::read(request), i64::from(starred), stars)
}

/// Changes the star of a user who may read the repository.
async fn change(
    index: &Index,
    credentials: &Credentials,
    name: &RepositoryName,
    change: fn(UserId, RepositoryId) -> Vec<Statement>,
) -> Answer<Reply> {
    let (guard, ()) = RepositoryGuard::authenticate_with(index, credentials, name, ()).await?;
    let (repository, right) = guard.require_to_write(Role::Read)?;
    index.commit([right], change(guard.principal.require_user()?.id, repository.id).into()).await?;
    search_index::later(index);
    Ok(Reply::empty(204).personal())
}
