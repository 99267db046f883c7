//! Stars, one of each user for each repository.

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryId, RepositoryName, Role, UserId},
    error::Result,
    jobs::search_index,
    store::{Statement, stars},
};

/// Gives a repository the star of the user; a second one changes nothing.
pub async fn add(ctx: &Context, credentials: &Credentials, name: &RepositoryName) -> Result<()> {
    change(ctx, credentials, name, stars::add).await
}

/// Takes the star of the user back.
pub async fn remove(ctx: &Context, credentials: &Credentials, name: &RepositoryName) -> Result<()> {
    change(ctx, credentials, name, stars::remove).await
}

/// Changes the star of a user who may read the repository.
async fn change(
    ctx: &Context,
    credentials: &Credentials,
    name: &RepositoryName,
    change: fn(UserId, RepositoryId) -> Vec<Statement>,
) -> Result<()> {
    let (guard, ()) = RepositoryGuard::authenticate_with(ctx, credentials, name, ()).await?;
    let (repository, right) = guard.require_to_write(Role::Read)?;
    ctx.commit([right], change(guard.principal.require_user()?.id, repository.id).into()).await?;
    search_index::sync_after_response(ctx);
    Ok(())
}
