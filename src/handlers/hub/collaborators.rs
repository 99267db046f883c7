//! Collaborators: users with a role in one repository. It counts at their next request.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::RepositoryName,
    error::Result,
    handlers::{
        body::JsonObject,
        hub::{Pagination, paged, users::kind},
    },
    operations::collaborators::{self, AddCollaborator},
    store::collaborators::Collaborator,
    wire::{Request, Response},
};

/// `GET /v2/namespaces/{namespace}/repositories/{repository}/collaborators`
pub async fn list(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let page = Pagination::read(request);
    let (_, list) = collaborators::list(ctx, credentials, name, page.size, page.offset()).await?;
    paged(ctx, request, page, list.head.count, list.items.iter().map(to_json).collect())
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
    let collaborator = collaborators::add(ctx, request, credentials, name, read(request)).await?;
    Ok(Response::json(200, &to_json(&collaborator)).no_store())
}

fn read(request: &Request) -> Result<AddCollaborator> {
    let body = JsonObject::parse_json(request)?;
    Ok(AddCollaborator { user: body.text("user")?, role: body.optional_string("role")? })
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}/collaborators/{username}`
pub async fn remove(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    user: &str,
) -> Result<Response> {
    collaborators::remove(ctx, request, credentials, name, user).await?;
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
