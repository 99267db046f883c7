//! Repositories: created, described, transferred and deleted.

mod body;
mod list;

pub use list::list;

use crate::{
    auth::Credentials,
    context::Context,
    domain::RepositoryName,
    error::{Result, invalid},
    handlers::{body::JsonObject, hub::deleted},
    operations::repositories::{self, CreateRepository, TransferRepository, UpdateRepository},
    wire::{Request, Response},
};

fn read_new(request: &Request) -> Result<CreateRepository> {
    let body = JsonObject::parse_json(request)?;
    Ok(CreateRepository {
        name: body.text("name")?,
        namespace: body.optional_string("namespace")?,
        changes: read_changes(body)?,
    })
}

fn read_changes(body: JsonObject<'_>) -> Result<UpdateRepository> {
    Ok(UpdateRepository {
        description: body.optional_string("description")?,
        full_description: body.optional_string("full_description")?,
        is_private: body.optional_bool("is_private")?,
    })
}

/// Only `is_private`.
fn read_privacy(request: &Request) -> Result<UpdateRepository> {
    let Some(private) = JsonObject::parse_json(request)?.optional_bool("is_private")? else {
        return invalid("is_private is missing");
    };
    Ok(UpdateRepository { is_private: Some(private), ..UpdateRepository::default() })
}

fn read_transfer(request: &Request) -> Result<TransferRepository> {
    let body = JsonObject::parse_json(request)?;
    let keep_collaborators = body.optional_bool("keep_collaborators")?.unwrap_or_default();
    Ok(TransferRepository { namespace: body.text("namespace")?, keep_collaborators })
}

/// `POST /v2/namespaces/{namespace}/repositories`, `POST /v2/repositories`
///
/// Where the path names no namespace, the body may; else it is the user's own.
pub async fn create(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: Option<&String>,
) -> Result<Response> {
    let namespace = namespace.map(String::as_str);
    let created = repositories::create(ctx, request, credentials, namespace, read_new(request)).await?;
    Ok(body::reply(&created, 201))
}

/// `GET /v2/namespaces/{namespace}/repositories/{repository}`
pub async fn get(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    Ok(body::reply(&repositories::get(ctx, request, credentials, name).await?, 200))
}

/// `PATCH /v2/namespaces/{namespace}/repositories/{repository}`
pub async fn update(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let changes = JsonObject::parse_json(request).and_then(read_changes);
    Ok(body::reply(&repositories::update(ctx, request, credentials, name, changes).await?, 200))
}

/// `POST /v2/namespaces/{namespace}/repositories/{repository}/privacy`
pub async fn privacy(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    Ok(body::reply(&repositories::update(ctx, request, credentials, name, read_privacy(request)).await?, 200))
}

/// `DELETE /v2/namespaces/{namespace}/repositories/{repository}`
///
/// At once: no registry takes part in it.
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    Ok(deleted(repositories::delete(ctx, request, credentials, name).await?, 202))
}

/// `POST /v2/namespaces/{namespace}/repositories/{repository}/transfer`
///
/// It needs an admin of the repository who may create one there. Its collaborators lose their roles, unless an admin of
/// the namespace that it goes to keeps them.
pub async fn transfer(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    Ok(body::reply(&repositories::transfer(ctx, request, credentials, name, read_transfer(request)).await?, 200))
}
