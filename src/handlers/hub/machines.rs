//! Service accounts of a namespace and their access tokens, managed by the namespace's admins: they outlive the
//! colleague who made them.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::{Role, UserId, UserName, time},
    error::{Result, forbidden, invalid, not_found},
    handlers::{
        body::JsonObject,
        hub::{
            Pagination,
            token_operations::{self, CreateAccessToken, Holder, RenewAccessToken, UpdateAccessToken},
        },
    },
    store::{
        Over, Right, Transaction, access_tokens,
        audit::AuditContext,
        machines::{self, Machine},
        token_details::{self, TokenDetails, TokenOwner},
    },
    wire::{Request, Response},
};

struct CreateMachine {
    username: String,
    role: Option<String>,
}

impl CreateMachine {
    fn read(request: &Request) -> Result<Self> {
        let body = JsonObject::parse_json(request)?;
        Ok(Self { username: body.text("username")?, role: body.optional_string("role")? })
    }
}

/// `POST /v2/namespaces/{namespace}/machines`
pub async fn create(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let wanted = CreateMachine::read(request);
    let availability = machines::availability(namespace, wanted.as_ref().map_or("", |wanted| &wanted.username));
    let (guard, availability) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, availability).await?;
    let wanted = wanted?;
    let name = UserName::given(&wanted.username)?;
    let Some(role) = Role::parse(wanted.role.as_deref().unwrap_or("write")) else {
        return invalid("role: read, write or admin");
    };
    let (namespace_id, right) = guard.require_admin_with_password()?;
    if availability.owned {
        name.require_in_front(namespace)?;
    }
    if availability.taken {
        return invalid("This username already exists");
    }
    let (by, most) = (guard.principal.by(ctx, request), ctx.config.quotas.machines);
    let mut transaction = Transaction::new();
    let (created, count) =
        machines::create(&mut transaction, (namespace_id, namespace), name.as_str(), role, &by, most);
    let mut outcome = ctx.commit([right], transaction).await?;
    if !outcome.take(created)? {
        if outcome.take(count)? >= most {
            return forbidden(format!("A namespace has at most {most} service accounts"));
        }
        // Another request was quicker.
        return invalid("This username already exists");
    }
    let machine = Machine { name: name.as_str().to_owned(), role: Some(role), created_at: by.now };
    Ok(Response::json(201, &to_json(&machine)).no_store())
}

/// `GET /v2/namespaces/{namespace}/machines`
pub async fn list(ctx: &Context, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let list = machines::list(namespace, &credentials.subject(ctx));
    let (guard, machines) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, list).await?;
    guard.require_admin_with_password()?;
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
    let machine = machines::find(namespace, name);
    let (guard, machine) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, machine).await?;
    let (namespace_id, _) = guard.require_admin_with_password()?;
    let (by, id) = (guard.principal.by(ctx, request), require(machine)?);
    let right = guard.principal.right(Over::Machine { id, namespace: namespace_id });
    ctx.commit([right], machines::delete(id, namespace, name, &by).into()).await?;
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
    let list = token_details::list_of_machine(namespace, name, &credentials.subject(ctx), page.size, page.offset());
    let (guard, tokens) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, list).await?;
    guard.require_admin_with_password()?;
    token_operations::list(ctx, request, page, &tokens)
}

/// `POST /v2/namespaces/{namespace}/machines/{username}/access-tokens`
pub async fn create_token(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Result<Response> {
    let machine = machines::find(namespace, name);
    let (guard, machine) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, machine).await?;
    let creation = CreateAccessToken::read(ctx, request)?;
    let (namespace_id, _) = guard.require_admin_with_password()?;
    let id = require(machine)?;
    let right = guard.principal.right(Over::Machine { id, namespace: namespace_id });
    let holder = Holder { id, name, machine: true };
    token_operations::create(ctx, request, (&guard.principal, right), holder, &creation).await
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
    let found = access_tokens::renewable(&TokenOwner::Machine(namespace, name), uuid);
    let (guard, token) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let renewal = RenewAccessToken::read(ctx, request)?;
    let (namespace, _) = guard.require_admin_with_password()?;
    let token = token_operations::require(token)?;
    let right = guard.principal.right(Over::Machine { id: token.user_id, namespace });
    let by = guard.principal.by(ctx, request);
    token_operations::renew(ctx, right, (&token, uuid, true), &renewal, &by).await
}

/// A token of a service account, for an admin of its namespace.
struct MachineToken {
    details: TokenDetails,
    right: Right,
    by: AuditContext,
}

/// The one that a request is about. The credentials are refused first, then the body, then the role.
async fn one_token<T>(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    (namespace, name, uuid): (&str, &str, &str),
    body: Result<T>,
) -> Result<(MachineToken, T)> {
    let found = token_details::by_uuid(&TokenOwner::Machine(namespace, name), uuid);
    let (guard, token) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let body = body?;
    let (namespace, _) = guard.require_admin_with_password()?;
    let details = token_operations::require(token)?;
    let right = guard.principal.right(Over::Machine { id: details.user_id, namespace });
    Ok((MachineToken { details, right, by: guard.principal.by(ctx, request) }, body))
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
    let (token, ()) = one_token(ctx, request, credentials, (namespace, name, uuid), Ok(())).await?;
    Ok(token_operations::reply(&token.details))
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
    let change = UpdateAccessToken::read(request);
    let (token, change) = one_token(ctx, request, credentials, (namespace, name, uuid), change).await?;
    token_operations::update(ctx, token.right, (token.details.user_id, uuid), &change, &token.by).await
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
    let (token, ()) = one_token(ctx, request, credentials, (namespace, name, uuid), Ok(())).await?;
    token_operations::delete(ctx, token.right, (token.details.user_id, uuid), &token.by).await
}

/// The id of a service account, or a 404.
fn require(machine: Option<UserId>) -> Result<UserId> {
    machine.map_or_else(|| not_found("service account not found"), Ok)
}

/// A service account in the form of the management API.
fn to_json(machine: &Machine) -> Value {
    json!({
        "username": machine.name,
        "role": machine.role.map(Role::as_str),
        "date_joined": time::format_rfc3339(machine.created_at),
    })
}
