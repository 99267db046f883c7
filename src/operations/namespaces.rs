//! The namespaces that a user is in, and the user or the organisation of a name.

use crate::{
    auth::{Credentials, NamespaceGuard, Principal},
    context::Context,
    error::Result,
    store::{
        Count, Page,
        namespaces::{self, Named, Organisation},
    },
    wire::Request,
};

/// The most names of namespaces in one answer.
const MAX_NAMES: i64 = 1_000;

/// A page of the organisations that the user is a member of, by name. An access token for some repositories opens none
/// of them as a whole.
pub async fn list_organisations(
    ctx: &Context,
    credentials: &Credentials,
    limit: i64,
    offset: i64,
) -> Result<(Principal, Page<Organisation>)> {
    let list = namespaces::organisations(credentials.user(), limit, offset);
    let (principal, list) = credentials.authenticate_with(ctx, list).await?;
    if !principal.reaches_namespaces() {
        return Ok((principal, Page { head: Count { count: 0 }, items: Vec::new() }));
    }
    Ok((principal, list))
}

/// The names of the namespaces that the user owns or is a member of, in order.
pub async fn list_names(ctx: &Context, credentials: &Credentials) -> Result<(Principal, Vec<String>)> {
    let list = namespaces::names(credentials.user(), MAX_NAMES);
    let (principal, names) = credentials.authenticate_with(ctx, list).await?;
    let names = if principal.reaches_namespaces() { names } else { Vec::new() };
    Ok((principal, names))
}

/// What has a name, for a client that may know of it: one of that name, or one that may read something in the
/// namespace.
pub async fn find(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &str,
) -> Result<(NamespaceGuard, Option<Named>)> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let named = namespaces::by_name(name, &credentials.subject(ctx));
    let (guard, named) = NamespaceGuard::authenticate_with(ctx, credentials, name, named).await?;
    let visible = guard.principal.name() == name || guard.is_visible(named.readable);
    Ok((guard, Some(named).filter(|_| visible)))
}
