//! Service accounts of a namespace and their access tokens, managed by the namespace's admins.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::{Role, time},
    error::Result,
    handlers::{
        body::JsonObject,
        hub::{Pagination, token_body},
    },
    operations::machines::{self, CreateMachine, access_tokens},
    store::machines::Machine,
    wire::{Request, Response},
};

/// `POST /v2/namespaces/{namespace}/machines`
pub async fn create(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let machine = machines::create(ctx, request, credentials, namespace, read(request)).await?;
    Ok(Response::json(201, &to_json(&machine)).no_store())
}

fn read(request: &Request) -> Result<CreateMachine> {
    let body = JsonObject::parse_json(request)?;
    Ok(CreateMachine { name: body.text("username")?, role: body.optional_string("role")? })
}

/// `GET /v2/namespaces/{namespace}/machines`
pub async fn list(ctx: &Context, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let (_, machines) = machines::list(ctx, credentials, namespace).await?;
    let results = machines.iter().map(to_json).collect::<Vec<Value>>();
    Ok(Response::json(200, &json!({ "count": results.len(), "results": results })).no_store())
}

/// `DELETE /v2/namespaces/{namespace}/machines/{username}`
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Result<Response> {
    machines::delete(ctx, request, credentials, namespace, name).await?;
    Ok(Response::empty(204).no_store())
}

/// `GET /v2/namespaces/{namespace}/machines/{username}/access-tokens`
pub async fn tokens(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Result<Response> {
    let page = Pagination::read(request);
    let (_, _, tokens) = access_tokens::list(ctx, credentials, (namespace, name), page.size, page.offset()).await?;
    token_body::list(ctx, request, page, &tokens)
}

/// `POST /v2/namespaces/{namespace}/machines/{username}/access-tokens`
pub async fn create_token(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Result<Response> {
    let wanted = token_body::creation(request);
    let (_, token) = access_tokens::create(ctx, request, credentials, (namespace, name), wanted).await?;
    Ok(token_body::reply_with_secret(201, &token))
}

/// `POST /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}/renew`
pub async fn renew_token(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Result<Response> {
    let wanted = token_body::renewal(request);
    let (_, token) = access_tokens::renew(ctx, request, credentials, (namespace, name), uuid, wanted).await?;
    Ok(token_body::reply_with_secret(200, &token))
}

/// `GET /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn get_token(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Result<Response> {
    let token = access_tokens::get(ctx, request, credentials, (namespace, name), uuid).await?;
    Ok(token_body::reply(&token))
}

/// `PATCH /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn update_token(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Result<Response> {
    let wanted = token_body::change(request);
    let token = access_tokens::update(ctx, request, credentials, (namespace, name), uuid, wanted).await?;
    Ok(token_body::reply(&token))
}

/// `DELETE /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn delete_token(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Result<Response> {
    access_tokens::delete(ctx, request, credentials, (namespace, name), uuid).await?;
    Ok(Response::empty(204).no_store())
}

/// A service account in the form of the management API.
fn to_json(machine: &Machine) -> Value {
    json!({
        "username": machine.name,
        "role": machine.role.map(Role::as_str),
        "date_joined": time::format_rfc3339(machine.created_at),
    })
}
