//! Stars, one of each user for each repository.

use serde_json::json;

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryId, RepositoryName, Role, UserId},
    error::Result,
    handlers::hub::{Pagination, paged},
    jobs::search_index,
    store::{Statement, repositories, stars},
    wire::{Request, Response},
};

/// `PUT /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn add(ctx: &Context, credentials: &Credentials, name: &RepositoryName) -> Result<Response> {
    change(ctx, credentials, name, stars::add).await
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn remove(ctx: &Context, credentials: &Credentials, name: &RepositoryName) -> Result<Response> {
    change(ctx, credentials, name, stars::remove).await
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/star`
///
/// The user's own star; those of other users are not listed.
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let details = repositories::details(name, &credentials.subject(ctx));
    let (principal, found) = credentials.authenticate_with(ctx, details).await?;
    let guard = RepositoryGuard::new(principal, name, found.lookup);
    guard.require(Role::Read)?;
    let starred = found.details.is_some_and(|details| details.has_starred);
    let stars = if starred { vec![json!({ "user": guard.principal.name() })] } else { Vec::new() };
    paged(ctx, request, Pagination::read(request), i64::from(starred), stars)
}

/// Changes the star of a user who may read the repository.
async fn change(
    ctx: &Context,
    credentials: &Credentials,
    name: &RepositoryName,
    change: fn(UserId, RepositoryId) -> Vec<Statement>,
) -> Result<Response> {
    let (guard, ()) = RepositoryGuard::authenticate_with(ctx, credentials, name, ()).await?;
    let (repository, right) = guard.require_to_write(Role::Read)?;
    ctx.commit([right], change(guard.principal.require_user()?.id, repository.id).into()).await?;
    search_index::sync_after_response(ctx);
    Ok(Response::empty(204).no_store())
}
