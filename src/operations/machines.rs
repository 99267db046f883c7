//! Service accounts of a namespace, managed by its admins: they outlive the colleague who made them.

pub mod access_tokens;

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::{Role, UserId, UserName},
    error::{Result, forbidden, invalid, not_found},
    store::{
        Over, Transaction,
        machines::{self, Machine},
    },
    wire::Request,
};

/// A service account that is to be.
pub struct CreateMachine {
    /// Its name.
    pub name: String,
    /// The name of its role in the whole namespace; `write` without it.
    pub role: Option<String>,
}

/// Creates a service account of a namespace, and returns it.
pub async fn create(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    wanted: Result<CreateMachine>,
) -> Result<Machine> {
    let availability = machines::availability(namespace, wanted.as_ref().map_or("", |wanted| &wanted.name));
    let (guard, availability) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, availability).await?;
    let wanted = wanted?;
    let name = UserName::given(&wanted.name)?;
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
    Ok(Machine { name: name.as_str().to_owned(), role: Some(role), created_at: by.now })
}

/// The service accounts of a namespace, for its admins.
pub async fn list(ctx: &Context, credentials: &Credentials, namespace: &str) -> Result<(NamespaceGuard, Vec<Machine>)> {
    let list = machines::list(namespace, &credentials.subject(ctx));
    let (guard, machines) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, list).await?;
    guard.require_admin_with_password()?;
    Ok((guard, machines))
}

/// Deletes a service account.
pub async fn delete(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    namespace: &str,
    name: &str,
) -> Result<()> {
    let machine = machines::find(namespace, name);
    let (guard, machine) = NamespaceGuard::authenticate_with(ctx, credentials, namespace, machine).await?;
    let (namespace_id, _) = guard.require_admin_with_password()?;
    let (by, id) = (guard.principal.by(ctx, request), require(machine)?);
    let right = guard.principal.right(Over::Machine { id, namespace: namespace_id });
    ctx.commit([right], machines::delete(id, namespace, name, &by).into()).await?;
    Ok(())
}

/// The id of a service account, or a 404.
pub fn require(machine: Option<UserId>) -> Result<UserId> {
    machine.map_or_else(|| not_found("service account not found"), Ok)
}
