//! The access tokens of a service account, managed by the admins of its namespace.

use crate::{
    auth::{Credentials, NamespaceGuard, Principal},
    context::Context,
    domain::UserId,
    error::Result,
    operations::{
        access_tokens::{
            CreateAccessToken, IssuedAccessToken, RenewAccessToken, UpdateAccessToken, require,
            writes::{self, Holder},
        },
        machines,
    },
    store::{
        self, Over, Page, Right, access_tokens,
        audit::AuditContext,
        token_details::{self, TokenCounts, TokenDetails, TokenOwner},
    },
    wire::Request,
};

/// A page of the tokens of a service account (its namespace and its name), the newest first; and its id, if there is one.
pub async fn list(
    ctx: &Context,
    credentials: &Credentials,
    (namespace, name): (&str, &str),
    limit: i64,
    offset: i64,
) -> Result<(Principal, Option<UserId>, Page<TokenDetails, TokenCounts>)> {
    let list = token_details::list_of_machine(namespace, name, &credentials.subject(ctx), limit, offset);
    let about = (store::machines::find(namespace, name), list);
    let (guard, (machine, tokens)) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, about).await?;
    guard.require_admin_with_password()?;
    Ok((guard.principal, machine, tokens))
}

/// Creates a token of a service account; its secret is in what this returns and nowhere else.
pub async fn create(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    (namespace, name): (&str, &str),
    wanted: Result<CreateAccessToken>,
) -> Result<(Principal, IssuedAccessToken)> {
    let machine = store::machines::find(namespace, name);
    let (guard, machine) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, machine).await?;
    let creation = wanted?.acceptable(ctx)?;
    let (namespace_id, _) = guard.require_admin_with_password()?;
    let id = machines::require(machine)?;
    let right = guard.principal.right(Over::Machine { id, namespace: namespace_id });
    let holder = Holder { id, name, machine: true };
    let issued = writes::create(ctx, request, (&guard.principal, right), holder, &creation).await?;
    Ok((guard.principal, issued))
}

/// Gives a token of a service account a new secret, which is in what this returns and nowhere else.
pub async fn renew(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    (namespace, name): (&str, &str),
    uuid: &str,
    wanted: Result<RenewAccessToken>,
) -> Result<(Principal, IssuedAccessToken)> {
    let found = access_tokens::renewable(&TokenOwner::Machine(namespace, name), uuid);
    let (guard, token) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let renewal = wanted?.acceptable(ctx)?;
    let (namespace, _) = guard.require_admin_with_password()?;
    let token = require(token)?;
    let right = guard.principal.right(Over::Machine { id: token.user_id, namespace });
    let by = guard.principal.by(ctx, request);
    let issued = writes::renew(ctx, right, (&token, uuid, true), &renewal, &by).await?;
    Ok((guard.principal, issued))
}

/// A token of a service account.
pub async fn get(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    machine: (&str, &str),
    uuid: &str,
) -> Result<TokenDetails> {
    let (token, ()) = one_token(ctx, request, credentials, machine, uuid, Ok(())).await?;
    Ok(token.details)
}

/// Changes a token of a service account, and returns it.
pub async fn update(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    machine: (&str, &str),
    uuid: &str,
    wanted: Result<UpdateAccessToken>,
) -> Result<TokenDetails> {
    let wanted = wanted.and_then(UpdateAccessToken::acceptable);
    let (token, change) = one_token(ctx, request, credentials, machine, uuid, wanted).await?;
    writes::update(ctx, token.right, (token.details.user_id, uuid), &change, &token.by).await
}

/// Deletes a token of a service account.
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    machine: (&str, &str),
    uuid: &str,
) -> Result<()> {
    let (token, ()) = one_token(ctx, request, credentials, machine, uuid, Ok(())).await?;
    writes::delete(ctx, token.right, (token.details.user_id, uuid), &token.by).await
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
    (namespace, name): (&str, &str),
    uuid: &str,
    wanted: Result<T>,
) -> Result<(MachineToken, T)> {
    let found = token_details::by_uuid(&TokenOwner::Machine(namespace, name), uuid);
    let (guard, token) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let wanted = wanted?;
    let (namespace, _) = guard.require_admin_with_password()?;
    let details = require(token)?;
    let right = guard.principal.right(Over::Machine { id: details.user_id, namespace });
    Ok((MachineToken { details, right, by: guard.principal.by(ctx, request) }, wanted))
}
