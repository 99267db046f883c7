//! The addresses of an account. They are ways back into it, so that to change one takes the password once more: a
//! session is not enough, which may be a thief's.

use serde_json::{Value, json};

use crate::{
    domain::{Secret, names, time},
    handlers::{
        body::Body,
        emails::Adding,
        hub::sessions::{by_password, known_with, user_of},
        notices::{self, Notice},
    },
    index::Index,
    refusal::{Answer, Fault, forbidden, invalid, not_found},
    store::{Over, Row, emails},
    wire::{Reply, Request, request::decoded},
};

/// For an address that the account does not have.
const ABSENT: &str = "email not found";

/// `GET /v2/user/emails`
pub async fn list(index: &Index, request: &Request) -> Answer<Reply> {
    let user = user_of(index, request)?;
    let (principal, rows) = known_with(index, request, emails::list(user)).await?;
    principal.require_password()?;
    let results = rows.iter().enumerate().map(object).collect::<Vec<Value>>();
    Ok(Reply::json(200, &json!({ "count": results.len(), "results": results })).personal())
}

/// `POST /v2/user/emails`
pub async fn add(index: &Index, request: &Request) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| {
        let email = body.text("email")?;
        names::email(&email)?;
        Ok((email, Secret::new(body.text("password")?)))
    });
    let key = wanted.as_ref().map(|(email, _)| email.to_lowercase()).unwrap_or_default();
    let (principal, email, owner) = by_password(index, request, wanted, emails::owner(&key)).await?;
    let user = principal.require_user()?;
    let by = principal.by(index, request);
    let Some(adding) = Adding::new(index, user, &email, &owner)? else {
        return one(200, &index.db.last(vec![emails::list(user.id)]).await?, &key);
    };
    // The list stands before the statements whose answers tell of the last ones.
    let mut batch = vec![emails::list(user.id)];
    batch.splice(0..0, adding.statements(index, user, &by));
    let listed = batch.len() - 1;
    let mut answers = index.write([principal.right(Over::Themselves)], batch).await?;
    let rows = answers.split_off(listed).pop().unwrap_or_default();
    adding.done(index, user, &by, &answers)?;
    one(201, &rows, &key)
}

/// `PATCH /v2/user/emails/{email}`
pub async fn choose(index: &Index, request: &Request, address: &str) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| {
        if body.maybe_flag("primary")? != Some(true) {
            return invalid("primary: true, of the address that is to be it");
        }
        Ok(((), Secret::new(body.text("password")?)))
    });
    let key = decoded(address.as_bytes()).to_lowercase();
    let (principal, (), rows) = by_password(index, request, wanted, emails::list(user_of(index, request)?)).await?;
    let (address, usable) = found(&rows, &key)?;
    if !usable {
        return forbidden("This address is not confirmed");
    }
    let user = principal.require_user()?;
    let batch = emails::choose(user, address, &key, &principal.by(index, request));
    one(200, &index.write_last([principal.right(Over::Themselves)], batch).await?, &key)
}

/// `DELETE /v2/user/emails/{email}`
pub async fn remove(index: &Index, request: &Request, address: &str) -> Answer<Reply> {
    let wanted = Body::read_json(request).and_then(|body| Ok(((), Secret::new(body.text("password")?))));
    let key = decoded(address.as_bytes()).to_lowercase();
    let (principal, (), rows) = by_password(index, request, wanted, emails::list(user_of(index, request)?)).await?;
    let (address, _) = found(&rows, &key)?;
    let (user, by) = (principal.require_user()?, principal.by(index, request));
    let left = index.write_last([principal.right(Over::Themselves)], emails::remove(user, address, &key, &by)).await?;
    if !left.is_empty() {
        return forbidden("An account keeps an address that is confirmed: add another one first");
    }
    let proved = rows.iter().any(|row| row.text("key") == key && row.maybe_integer("proved_at").is_some());
    notices::tell(index, user, &by, Notice::EmailRemoved { address, proved });
    Ok(Reply::empty(204).personal())
}

/// An address among those of an account, as it was given, and whether it counts.
fn found<'a>(rows: &'a [Row], key: &str) -> Answer<(&'a str, bool)> {
    match rows.iter().find(|row| row.text("key") == key) {
        Some(row) => Ok((row.text("address"), row.maybe_integer("confirmed_at").is_some())),
        None => not_found(ABSENT),
    }
}

/// One of the rows of [`emails::list`].
fn one(status: u16, rows: &[Row], key: &str) -> Answer<Reply> {
    let row = rows.iter().enumerate().find(|(_, row)| row.text("key") == key);
    let row = row.ok_or_else(|| Fault::broken("an address that was written is not there"))?;
    Ok(Reply::json(status, &object(row)).personal())
}

/// An address: the first of a list is the primary one, if it counts.
fn object((at, row): (usize, &Row)) -> Value {
    let usable = row.maybe_integer("confirmed_at").is_some();
    json!({
        "email": row.text("address"),
        "verified": row.maybe_integer("proved_at").is_some(),
        "usable": usable,
        "primary": at == 0 && usable,
        "created_at": time::print(row.integer("created_at")),
    })
}
