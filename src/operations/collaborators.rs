//! Collaborators: users with a role in one repository. It counts at their next request.

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role},
    error::{Result, invalid, not_found},
    mail::notices::{self, Notice},
    operations::candidates::require_candidate,
    store::{
        Page, Transaction,
        collaborators::{self, Collaborator},
    },
    wire::Request,
};

/// The user who is to be a collaborator.
pub struct AddCollaborator {
    /// Their name.
    pub user: String,
    /// The name of the role; `write` without it.
    pub role: Option<String>,
}

/// A page of the collaborators of a repository, by name, for its admins.
pub async fn list<'a>(
    ctx: &'a Context,
    credentials: &'a Credentials,
    name: &'a RepositoryName,
    limit: i64,
    offset: i64,
) -> Result<(RepositoryGuard<'a>, Page<Collaborator>)> {
    let list = collaborators::list(name, &credentials.subject(ctx), limit, offset);
    let (guard, list) = RepositoryGuard::authenticate_with(ctx, credentials, name, list).await?;
    guard.require(Role::Admin)?;
    Ok((guard, list))
}

/// Gives a user a role in a repository, or another one, and returns the collaborator.
pub async fn add(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    wanted: Result<AddCollaborator>,
) -> Result<Collaborator> {
    let found = collaborators::find(name, wanted.as_ref().map_or("", |wanted| &wanted.user));
    let (guard, found) = RepositoryGuard::authenticate_with(ctx, credentials, name, found).await?;
    let wanted = wanted?;
    let Some(role) = Role::parse(wanted.role.as_deref().unwrap_or("write")) else {
        return invalid("role: read, write or admin");
    };
    let (repository, right) = guard.require_to_change_roles()?;
    let user = (require_candidate(found)?.user_id, wanted.user.as_str());
    let by = guard.principal.by(ctx, request);
    let mut transaction = Transaction::new();
    let set = collaborators::set(&mut transaction, (repository.id, name), user, role, &by);
    let candidate = ctx.commit([right], transaction).await?.take(set)?;
    let Some(collaborator) = candidate.and_then(|candidate| candidate.current) else {
        return not_found("repository not found");
    };
    let notice = Notice::Role { who: &wanted.user, role: role.as_str(), place: &name.to_string() };
    notices::tell(ctx, guard.principal.require_user()?, &by, notice);
    Ok(collaborator)
}

/// Takes the role in a repository from a user.
pub async fn remove(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    user: &str,
) -> Result<()> {
    let (guard, ()) = RepositoryGuard::authenticate_with(ctx, credentials, name, ()).await?;
    let (repository, right) = guard.require_to_change_roles()?;
    let by = guard.principal.by(ctx, request);
    let mut transaction = Transaction::new();
    let removed = collaborators::remove(&mut transaction, (repository.id, name), user, &by);
    if !ctx.commit([right], transaction).await?.take(removed)? {
        return not_found("collaborator not found");
    }
    Ok(())
}
