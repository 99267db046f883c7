//! The addresses of an account. They are ways back into it, so that to change one takes the password once more: a
//! session is not enough, which may be a thief's.

mod adding;

pub use adding::{Adding, EMAIL_TAKEN};

use crate::{
    auth::{PasswordSession, Principal},
    context::Context,
    domain::{Secret, names},
    error::{Fault, Result, forbidden, not_found},
    mail::notices::{self, Notice},
    store::{
        Over, Transaction,
        emails::{self, Address},
    },
    wire::Request,
};

/// For an address that the account does not have.
const EMAIL_NOT_FOUND: &str = "email not found";

/// An address that is to be added.
pub struct AddEmail {
    /// The address.
    pub email: String,
    /// The password of the account.
    pub password: Secret,
}

/// An address of an account.
pub struct AccountEmail {
    /// The address itself.
    pub address: Address,
    /// Whether it is the primary one: the first that is confirmed.
    pub primary: bool,
}

/// The addresses of the user, the primary one first, what is not confirmed last.
pub async fn list(ctx: &Context, session: &PasswordSession<'_>) -> Result<(Principal, Vec<AccountEmail>)> {
    let (principal, (), addresses) = session.authenticate_with(ctx, Ok(()), emails::list(session.user())).await?;
    Ok((principal, of_account(addresses).collect()))
}

/// Adds an address; returns it, and whether it was added: it may be theirs already.
pub async fn add(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    wanted: Result<AddEmail>,
) -> Result<(AccountEmail, bool)> {
    let wanted = wanted.and_then(|wanted| {
        names::email(&wanted.email)?;
        Ok((wanted.email, wanted.password))
    });
    let key = wanted.as_ref().map(|(email, _)| email.to_lowercase()).unwrap_or_default();
    let (principal, email, owner) = session.confirm_with(ctx, request, wanted, emails::owner(&key)).await?;
    let user = principal.require_user()?;
    let by = principal.by(ctx, request);
    let Some(adding) = Adding::new(ctx, user, &email, owner)? else {
        return Ok((written(ctx.db.fetch(emails::list(user.id)).await?, &key)?, false));
    };
    let mut transaction = Transaction::new();
    let added = adding.add_to(&mut transaction, ctx, user, &by);
    let addresses = transaction.read(emails::list(user.id));
    let mut outcome = ctx.commit([principal.right(Over::Themselves)], transaction).await?;
    added.done(ctx, user, &by, &mut outcome)?;
    Ok((written(outcome.take(addresses)?, &key)?, true))
}

/// Makes an address that is confirmed the primary one, and returns it.
pub async fn choose(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    email: &str,
    password: Result<Secret>,
) -> Result<AccountEmail> {
    let (wanted, key) = (password.map(|password| ((), password)), email.to_lowercase());
    let (principal, (), addresses) = session.confirm_with(ctx, request, wanted, emails::list(session.user())).await?;
    let address = find(&addresses, &key)?;
    if address.confirmed_at.is_none() {
        return forbidden("This address is not confirmed");
    }
    let (user, by) = (principal.require_user()?, principal.by(ctx, request));
    let mut transaction = Transaction::new();
    let chosen = emails::choose(&mut transaction, user, &address.address, &key, &by);
    let mut outcome = ctx.commit([principal.right(Over::Themselves)], transaction).await?;
    Ok(written(outcome.take(chosen)?, &key)?)
}

/// Removes an address; the last one that is confirmed stays.
pub async fn remove(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    email: &str,
    password: Result<Secret>,
) -> Result<()> {
    let (wanted, key) = (password.map(|password| ((), password)), email.to_lowercase());
    let (principal, (), addresses) = session.confirm_with(ctx, request, wanted, emails::list(session.user())).await?;
    let Address { address, proved_at, .. } = find(&addresses, &key)?;
    let (user, by) = (principal.require_user()?, principal.by(ctx, request));
    let mut transaction = Transaction::new();
    let left = emails::remove(&mut transaction, user, address, &key, &by);
    if ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(left)? {
        return forbidden("An account keeps an address that is confirmed: add another one first");
    }
    notices::tell(ctx, user, &by, Notice::EmailRemoved { address, proved: proved_at.is_some() });
    Ok(())
}

/// An address among those of an account.
fn find<'a>(addresses: &'a [Address], key: &str) -> Result<&'a Address> {
    match addresses.iter().find(|address| address.key == key) {
        Some(address) => Ok(address),
        None => not_found(EMAIL_NOT_FOUND),
    }
}

/// The addresses of a list: the first of it is the primary one, if it counts.
fn of_account(addresses: Vec<Address>) -> impl Iterator<Item = AccountEmail> {
    let primary = |at: usize, address: &Address| at == 0 && address.confirmed_at.is_some();
    addresses.into_iter().enumerate().map(move |(at, address)| AccountEmail { primary: primary(at, &address), address })
}

/// The one that was written.
fn written(addresses: Vec<Address>, key: &str) -> Result<AccountEmail, Fault> {
    let address = of_account(addresses).find(|email| email.address.key == key);
    address.ok_or_else(|| Fault::bug("an address that was written is not there"))
}
