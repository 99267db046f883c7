//! Members: users with a role in everything of a namespace. It counts at their next request.

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::Role,
    error::{Result, invalid, not_found},
    mail::notices::{self, Notice},
    operations::candidates::require_candidate,
    store::{
        Page, Transaction,
        members::{self, Grant, Member},
    },
    wire::Request,
};

/// A page of the members of a namespace, its owner first and the rest by name, for its admins.
pub async fn list(
    ctx: &Context,
    credentials: &Credentials,
    namespace: &str,
    limit: i64,
    offset: i64,
) -> Result<(NamespaceGuard, Page<Member>)> {
    let list = members::list(namespace, &credentials.subject(ctx), limit, offset);
    let (guard, list) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, list).await?;
    guard.require_admin()?;
    Ok((guard, list))
}

/// Gives a user the role of this name in a namespace, or another one, and returns the member.
pub async fn set(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    user: &str,
    wanted: Result<String>,
) -> Result<Member> {
    let found = members::find(namespace, user);
    let (guard, found) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let Some(role) = parse_role(&wanted?) else {
        return invalid("role: read, write or admin; or member, editor or owner");
    };
    let (namespace_id, right) = guard.require_to_change_roles()?;
    let changes = require_candidate(found)?.current.is_some();
    let by = guard.principal.by(ctx, request);
    let mut transaction = Transaction::new();
    let set = members::set(&mut transaction, &Grant { namespace_id, namespace, user, changes, role }, &by);
    let candidate = ctx.commit([right], transaction).await?.take(set)?;
    let Some(member) = candidate.and_then(|candidate| candidate.current) else {
        return not_found("user not found");
    };
    let notice = Notice::Role { who: user, role: role.as_str(), place: namespace };
    notices::tell(ctx, guard.principal.require_user()?, &by, notice);
    Ok(member)
}

/// Takes the role in a namespace from a user.
pub async fn remove(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    user: &str,
) -> Result<()> {
    let found = members::find(namespace, user);
    let (guard, found) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, found).await?;
    let (namespace_id, right) = guard.require_to_change_roles()?;
    if found.is_some_and(|candidate| candidate.owner) {
        return invalid("The owner of a namespace cannot be removed from it");
    }
    let by = guard.principal.by(ctx, request);
    let mut transaction = Transaction::new();
    let removed = members::remove(&mut transaction, (namespace_id, namespace), user, &by);
    if !ctx.commit([right], transaction).await?.take(removed)? {
        return not_found("member not found");
    }
    Ok(())
}

/// A role by its name, or by the name that the Hub has for it in an organisation.
fn parse_role(text: &str) -> Option<Role> {
    match text {
        "member" => Some(Role::Read),
        "editor" => Some(Role::Write),
        "owner" => Some(Role::Admin),
        other => Role::parse(other),
    }
}
