//! The addresses of an account. They are ways back into it, so that to change one takes the password once more: a
//! session is not enough, which may be a thief's.

use serde_json::{Value, json};

use crate::{
    auth::PasswordSession,
    context::Context,
    domain::{Secret, names, time},
    error::{Fault, Result, forbidden, invalid, not_found},
    handlers::{body::JsonObject, emails::Adding},
    mail::notices::{self, Notice},
    store::{
        Over, Transaction,
        emails::{self, Address},
    },
    wire::{Request, Response, request::decoded},
};

/// For an address that the account does not have.
const EMAIL_NOT_FOUND: &str = "email not found";

/// `GET /v2/user/emails`
pub async fn list(ctx: &Context, session: &PasswordSession<'_>) -> Result<Response> {
    let (_, (), addresses) = session.authenticate_with(ctx, Ok(()), emails::list(session.user())).await?;
    let results = addresses.iter().enumerate().map(to_json).collect::<Vec<Value>>();
    Ok(Response::json(200, &json!({ "count": results.len(), "results": results })).no_store())
}

/// `POST /v2/user/emails`
pub async fn add(ctx: &Context, request: &Request, session: &PasswordSession<'_>) -> Result<Response> {
    let wanted = JsonObject::parse_json(request).and_then(|body| {
        let email = body.text("email")?;
        names::email(&email)?;
        Ok((email, Secret::new(body.text("password")?)))
    });
    let key = wanted.as_ref().map(|(email, _)| email.to_lowercase()).unwrap_or_default();
    let (principal, email, owner) = session.confirm_with(ctx, request, wanted, emails::owner(&key)).await?;
    let user = principal.require_user()?;
    let by = principal.by(ctx, request);
    let Some(adding) = Adding::new(ctx, user, &email, owner)? else {
        return respond(200, &ctx.db.fetch(emails::list(user.id)).await?, &key);
    };
    let mut transaction = Transaction::new();
    let added = adding.add_to(&mut transaction, ctx, user, &by);
    let addresses = transaction.read(emails::list(user.id));
    let mut outcome = ctx.commit([principal.right(Over::Themselves)], transaction).await?;
    added.done(ctx, user, &by, &mut outcome)?;
    respond(201, &outcome.take(addresses)?, &key)
}

/// `PATCH /v2/user/emails/{email}`
pub async fn choose(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    address: &str,
) -> Result<Response> {
    let wanted = JsonObject::parse_json(request).and_then(|body| {
        if body.optional_bool("primary")? != Some(true) {
            return invalid("primary: true, of the address that is to be it");
        }
        Ok(((), Secret::new(body.text("password")?)))
    });
    let key = decoded(address.as_bytes()).to_lowercase();
    let (principal, (), addresses) = session.confirm_with(ctx, request, wanted, emails::list(session.user())).await?;
    let address = find(&addresses, &key)?;
    if address.confirmed_at.is_none() {
        return forbidden("This address is not confirmed");
    }
    let (user, by) = (principal.require_user()?, principal.by(ctx, request));
    let mut transaction = Transaction::new();
    let chosen = emails::choose(&mut transaction, user, &address.address, &key, &by);
    let mut outcome = ctx.commit([principal.right(Over::Themselves)], transaction).await?;
    respond(200, &outcome.take(chosen)?, &key)
}

/// `DELETE /v2/user/emails/{email}`
pub async fn remove(
    ctx: &Context,
    request: &Request,
    session: &PasswordSession<'_>,
    address: &str,
) -> Result<Response> {
    let wanted = JsonObject::parse_json(request).and_then(|body| Ok(((), Secret::new(body.text("password")?))));
    let key = decoded(address.as_bytes()).to_lowercase();
    let (principal, (), addresses) = session.confirm_with(ctx, request, wanted, emails::list(session.user())).await?;
    let Address { address, proved_at, .. } = find(&addresses, &key)?;
    let (user, by) = (principal.require_user()?, principal.by(ctx, request));
    let mut transaction = Transaction::new();
    let left = emails::remove(&mut transaction, user, address, &key, &by);
    if ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(left)? {
        return forbidden("An account keeps an address that is confirmed: add another one first");
    }
    notices::tell(ctx, user, &by, Notice::EmailRemoved { address, proved: proved_at.is_some() });
    Ok(Response::empty(204).no_store())
}

/// An address among those of an account.
fn find<'a>(addresses: &'a [Address], key: &str) -> Result<&'a Address> {
    match addresses.iter().find(|address| address.key == key) {
        Some(address) => Ok(address),
        None => not_found(EMAIL_NOT_FOUND),
    }
}

/// One of the addresses of an account.
fn respond(status: u16, addresses: &[Address], key: &str) -> Result<Response> {
    let address = addresses.iter().enumerate().find(|(_, address)| address.key == key);
    let address = address.ok_or_else(|| Fault::bug("an address that was written is not there"))?;
    Ok(Response::json(status, &to_json(address)).no_store())
}

/// An address: the first of a list is the primary one, if it counts.
fn to_json((at, address): (usize, &Address)) -> Value {
    let usable = address.confirmed_at.is_some();
    json!({
        "email": address.address,
        "verified": address.proved_at.is_some(),
        "usable": usable,
        "primary": at == 0 && usable,
        "created_at": time::format_rfc3339(address.created_at),
    })
}
