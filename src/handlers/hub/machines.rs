//! Machines of a namespace and their access tokens, kept by the namespace's admins: they outlive the
//! colleague who made them.

use serde_json::{Value, json};

use crate::{
    auth::{Credentials, NamespaceGuard},
    domain::{Role, UserId, UserName, time},
    handlers::{
        body::Body,
        hub::{
            Page,
            token_operations::{self, Change, Creation, Holder, Renewal},
        },
    },
    index::Index,
    refusal::{Answer, forbidden, invalid, not_found},
    store::{
        Over, Right, Transaction, access_tokens,
        audit::AuditContext,
        machines::{self, Machine},
        token_details::{self, TokenDetails, TokenOwner},
    },
    wire::{Reply, Request},
};

struct Wanted {
    username: String,
    role: Option<String>,
}

impl Wanted {
    fn read(request: &Request) -> Answer<Self> {
        let body = Body::read_json(request)?;
        Ok(Self { username: body.text("username")?, role: body.maybe_text("role")? })
    }
}

/// `POST /v2/namespaces/{namespace}/machines`
pub async fn create(index: &Index, request: &Request, credentials: &Credentials, namespace: &str) -> Answer<Reply> {
    let wanted = Wanted::read(request);
    let availability = machines::availability(namespace, wanted.as_ref().map_or("", |wanted| &wanted.username));
    let (guard, availability) = NamespaceGuard::authenticate_with(index, credentials, namespace, availability).await?;
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
    let (by, most) = (guard.principal.by(index, request), index.settings.most.machines);
    let mut transaction = Transaction::new();
    let (created, count) =
        machines::create(&mut transaction, (namespace_id, namespace), name.as_str(), role, &by, most);
    let mut outcome = index.commit([right], transaction).await?;
    if !outcome.take(created)? {
        if outcome.take(count)? >= most {
            return forbidden(format!("A namespace has at most {most} machines"));
        }
        // Another request was quicker.
        return invalid("This username already exists");
    }
    let machine = Machine { name: name.as_str().to_owned(), role: Some(role), created_at: by.now };
    Ok(Reply::json(201, &object(&machine)).personal())
}

/// `GET /v2/namespaces/{namespace}/machines`
pub async fn list(index: &Index, credentials: &Credentials, namespace: &str) -> Answer<Reply> {
    let list = machines::list(namespace, &credentials.subject(index));
    let (guard, machines) = NamespaceGuard::authenticate_with(index, credentials, namespace, list).await?;
    guard.require_admin_with_password()?;
    let results = machines.iter().map(object).collect::<Vec<Value>>();
    Ok(Reply::json(200, &json!({ "count": results.len(), "results": results })).personal())
}

/// `DELETE /v2/namespaces/{namespace}/machines/{username}`
pub async fn delete(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Answer<Reply> {
    let machine = machines::find(namespace, name);
    let (guard, machine) = NamespaceGuard::authenticate_with(index, credentials, namespace, machine).await?;
    let (namespace_id, _) = guard.require_admin_with_password()?;
    let (by, id) = (guard.principal.by(index, request), require(machine)?);
    let right = guard.principal.right(Over::Machine { id, namespace: namespace_id });
    index.commit([right], machines::delete(id, namespace, name, &by).into()).await?;
    Ok(Reply::empty(204).personal())
}

/// `GET /v2/namespaces/{namespace}/machines/{username}/access-tokens`
pub async fn tokens(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Answer<Reply> {
    let page = Page::read(request);
    let list = token_details::list_of_machine(namespace, name, &credentials.subject(index), page.size, page.offset());
    let (guard, tokens) = NamespaceGuard::authenticate_with(index, credentials, namespace, list).await?;
    guard.require_admin_with_password()?;
    token_operations::list(index, request, page, &tokens)
}

/// `POST /v2/namespaces/{namespace}/machines/{username}/access-tokens`
pub async fn create_token(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Answer<Reply> {
    let machine = machines::find(namespace, name);
    let (guard, machine) = NamespaceGuard::authenticate_with(index, credentials, namespace, machine).await?;
    let creation = Creation::read(index, request)?;
    let (namespace_id, _) = guard.require_admin_with_password()?;
    let id = require(machine)?;
    let right = guard.principal.right(Over::Machine { id, namespace: namespace_id });
    let holder = Holder { id, name, machine: true };
    token_operations::create(index, request, (&guard.principal, right), holder, &creation).await
}

/// `POST /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}/renew`
pub async fn renew_token(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Answer<Reply> {
    let found = access_tokens::renewable(&TokenOwner::Machine(namespace, name), uuid);
    let (guard, token) = NamespaceGuard::authenticate_with(index, credentials, namespace, found).await?;
    let renewal = Renewal::read(index, request)?;
    let (namespace, _) = guard.require_admin_with_password()?;
    let token = token_operations::require(token)?;
    let right = guard.principal.right(Over::Machine { id: token.user_id, namespace });
    let by = guard.principal.by(index, request);
    token_operations::renew(index, right, (&token, uuid, true), &renewal, &by).await
}

/// A token of a machine, for an admin of its namespace.
struct MachineToken {
    details: TokenDetails,
    right: Right,
    by: AuditContext,
}

/// The one that a request is about. The credentials are refused first, then the body, then the role.
async fn one_token<T>(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    (namespace, name, uuid): (&str, &str, &str),
    body: Answer<T>,
) -> Answer<(MachineToken, T)> {
    let found = token_details::by_uuid(&TokenOwner::Machine(namespace, name), uuid);
    let (guard, token) = NamespaceGuard::authenticate_with(index, credentials, namespace, found).await?;
    let body = body?;
    let (namespace, _) = guard.require_admin_with_password()?;
    let details = token_operations::require(token)?;
    let right = guard.principal.right(Over::Machine { id: details.user_id, namespace });
    Ok((MachineToken { details, right, by: guard.principal.by(index, request) }, body))
}

/// `GET /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn get_token(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Answer<Reply> {
    let (token, ()) = one_token(index, request, credentials, (namespace, name, uuid), Ok(())).await?;
    Ok(token_operations::reply(&token.details))
}

/// `PATCH /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn update_token(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Answer<Reply> {
    let change = Change::read(request);
    let (token, change) = one_token(index, request, credentials, (namespace, name, uuid), change).await?;
    token_operations::update(index, token.right, (token.details.user_id, uuid), &change, &token.by).await
}

/// `DELETE /v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
pub async fn delete_token(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
    uuid: &str,
) -> Answer<Reply> {
    let (token, ()) = one_token(index, request, credentials, (namespace, name, uuid), Ok(())).await?;
    token_operations::delete(index, token.right, (token.details.user_id, uuid), &token.by).await
}

/// The id of a machine, or a 404.
fn require(machine: Option<UserId>) -> Answer<UserId> {
    machine.map_or_else(|| not_found("machine not found"), Ok)
}

/// A machine in the form of the management API.
fn object(machine: &Machine) -> Value {
    json!({
        "username": machine.name,
        "role": machine.role.map(Role::as_str),
        "date_joined": time::print(machine.created_at),
    })
}
