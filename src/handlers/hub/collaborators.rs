//! Collaborators: users with a role in one repository. It counts at their next request.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role},
    error::{Result, invalid, not_found},
    handlers::{
        body::JsonObject,
        hub::{
            Pagination, paged,
            users::{kind, require_candidate},
        },
    },
    mail::notices::{self, Notice},
    store::{
        Transaction,
        collaborators::{self, Collaborator},
    },
    wire::{Request, Response},
};

struct AddCollaborator {
    user: String,
    role: Option<String>,
}

impl AddCollaborator {
    fn read(request: &Request) -> Result<Self> {
        let body = JsonObject::parse_json(request)?;
        Ok(Self { user: body.text("user")?, role: body.optional_string("role")? })
    }
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/collaborators`
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let page = Pagination::read(request);
    let list = collaborators::list(name, &credentials.subject(ctx), page.size, page.offset());
    let (guard, collaborators) = RepositoryGuard::authenticate_with(ctx, credentials, name, list).await?;
    guard.require(Role::Admin)?;
    paged(ctx, request, page, collaborators.head.count, collaborators.items.iter().map(to_json).collect())
}

/// `POST /v2/namespaces/{namespace}/repositories/{repository}/collaborators`
///
/// A second one of the same user changes the role. Clients that send no role mean `write`.
pub async fn add(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let wanted = AddCollaborator::read(request);
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
    Ok(Response::json(200, &to_json(&collaborator)).no_store())
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/collaborators/{username}`
pub async fn remove(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    user: &str,
) -> Result<Response> {
    let (guard, ()) = RepositoryGuard::authenticate_with(ctx, credentials, name, ()).await?;
    let (repository, right) = guard.require_to_change_roles()?;
    let by = guard.principal.by(ctx, request);
    let mut transaction = Transaction::new();
    let removed = collaborators::remove(&mut transaction, (repository.id, name), user, &by);
    if !ctx.commit([right], transaction).await?.take(removed)? {
        return not_found("collaborator not found");
    }
    Ok(Response::empty(204).no_store())
}

/// A collaborator in the form of the Hub.
fn to_json(collaborator: &Collaborator) -> Value {
    json!({
        "user": collaborator.name,
        "role": collaborator.role.as_str(),
        "type": kind(collaborator.machine),
    })
}
