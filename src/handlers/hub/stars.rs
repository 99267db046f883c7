//! Stars, one of each user for each repository.

use serde_json::json;

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role},
    error::Result,
    handlers::hub::{Pagination, paged},
    operations::stars,
    store::repositories,
    wire::{Request, Response},
};

/// `PUT /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn add(ctx: &Context, credentials: &Credentials, name: &RepositoryName) -> Result<Response> {
    stars::add(ctx, credentials, name).await?;
    Ok(Response::empty(204).no_store())
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/star`
pub async fn remove(ctx: &Context, credentials: &Credentials, name: &RepositoryName) -> Result<Response> {
    stars::remove(ctx, credentials, name).await?;
    Ok(Response::empty(204).no_store())
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
