//! The addresses of an account. They are ways back into it, so that to change one takes the password once more: a
//! session is not enough, which may be a thief's.

use serde_json::{Value, json};

use crate::{
    auth::PasswordSession,
    domain::{Secret, names, time},
    handlers::{body::Body, emails::Adding},
    index::Index,
    mail::notices::{self, Notice},
    refusal::{Answer, Fault, forbidden, invalid, not_found},
    store::{
        Over, Transaction,
        emails::{self, Address},
    },
    wire::{Reply, Request, request::decoded},
};

/// For an address that the account does not have.
const ABSENT: &str = "email not found";

/// `GET /v2/user/emails`
pub async fn list(index: &Index, session: &PasswordSession<'_>) -> Answer<Reply> {
    let (_, (), addresses) = session.authenticate_with(index, Ok(()), emails::list(session.user())).await?;
    let results = addresses.iter().enumerate().map(object).collect::<Vec<Value>>();
    Ok(Reply::json(200, &json!({ "count": results.len(), "results": results })).personal())
}

/// `POST /v2/user/emails`
pub async fn add(index: &Index, request: &Request, session: &PasswordSession<'_>) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| {
        let email = body.text("email")?;
        names::email(&email)?;
        Ok((email, Secret::new(body.text("password")?)))
    });
    let key = wanted.as_ref().map(|(email, _)| email.to_lowercase()).unwrap_or_default();
    let (principal, email, owner) = session.confirm_with(index, request, wanted, emails::owner(&key)).await?;
    let user = principal.require_user()?;
    let by = principal.by(index, request);
    let Some(adding) = Adding::new(index, user, &email, owner)? else {
        return one(200, &index.db.fetch(emails::list(user.id)).await?, &key);
    };
    let mut transaction = Transaction::new();
    let added = adding.add_to(&mut transaction, index, user, &by);
    let addresses = transaction.read(emails::list(user.id));
    let mut outcome = index.commit([principal.right(Over::Themselves)], transaction).await?;
    added.done(index, user, &by, &mut outcome)?;
    one(201, &outcome.take(addresses)?, &key)
}

/// `PATCH /v2/user/emails/{email}`
pub async fn choose(index: &Index, request: &Request, session: &PasswordSession<'_>, address: &str) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| {
        if body.maybe_flag("primary")? != Some(true) {
            return invalid("primary: true, of the address that is to be it");
        }
        Ok(((), Secret::new(body.text("password")?)))
    });
    let key = decoded(address.as_bytes()).to_lowercase();
    let (principal, (), addresses) = session.confirm_with(index, request, wanted, emails::list(session.user())).await?;
    let address = find(&addresses, &key)?;
    if address.confirmed_at.is_none() {
        return forbidden("This address is not confirmed");
    }
    let (user, by) = (principal.require_user()?, principal.by(index, request));
    let mut transaction = Transaction::new();
    let chosen = emails::choose(&mut transaction, user, &address.address, &key, &by);
    let mut outcome = index.commit([principal.right(Over::Themselves)], transaction).await?;
    one(200, &outcome.take(chosen)?, &key)
}

/// `DELETE /v2/user/emails/{email}`
pub async fn remove(index: &Index, request: &Request, session: &PasswordSession<'_>, address: &str) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| Ok(((), Secret::new(body.text("password")?))));
    let key = decoded(address.as_bytes()).to_lowercase();
    let (principal, (), addresses) = session.confirm_with(index, request, wanted, emails::list(session.user())).await?;
    let Address { address, proved_at, .. } = find(&addresses, &key)?;
    let (user, by) = (principal.require_user()?, principal.by(index, request));
    let mut transaction = Transaction::new();
    let left = emails::remove(&mut transaction, user, address, &key, &by);
    if index.commit([principal.right(Over::Themselves)], transaction).await?.take(left)? {
        return forbidden("An account keeps an address that is confirmed: add another one first");
    }
    notices::tell(index, user, &by, Notice::EmailRemoved { address, proved: proved_at.is_some() });
    Ok(Reply::empty(204).personal())
}

/// An address among those of an account.
fn find<'a>(addresses: &'a [Address], key: &str) -> Answer<&'a Address> {
    match addresses.iter().find(|address| address.key == key) {
        Some(address) => Ok(address),
        None => not_found(ABSENT),
    }
}

/// One of the addresses of an account.
fn one(status: u16, addresses: &[Address], key: &str) -> Answer<Reply> {
    let address = addresses.iter().enumerate().find(|(_, address)| address.key == key);
    let address = address.ok_or_else(|| Fault::broken("an address that was written is not there"))?;
    Ok(Reply::json(status, &object(address)).personal())
}

/// An address: the first of a list is the primary one, if it counts.
fn object((at, address): (usize, &Address)) -> Value {
    let usable = address.confirmed_at.is_some();
    json!({
        "email": address.address,
        "verified": address.proved_at.is_some(),
        "usable": usable,
        "primary": at == 0 && usable,
        "created_at": time::print(address.created_at),
    })
}
