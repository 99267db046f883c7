//! Links that come by mail, and the pages behind them.
//!
//! `GET` shows a page with a button; only the button does anything, so that scanners that follow
//! links confirm nothing. The secret of a link is in its fragment, which browsers do not send, and so
//! no log ever sees it.

use crate::{
    auth,
    domain::{credential::CredentialId, names, password, secret::sha256_hex},
    index::{Index, Limit},
    mail::{
        links::{Link, NO_PUBLIC_URL},
        notices::{self, Notice},
    },
    refusal::{Answer, Fault, Refusal, not_found},
    store::{
        Transaction,
        audit::AuditContext,
        links,
        rate_counters::{self, Counter},
    },
    wire::{Reply, Request, page, request::form},
};

/// Seconds that a mailed link to set a password is good for.
const PASSWORD: i64 = 60 * 60;

/// For a link that is used, expired or made up.
const SPENT: &str = "This link is not valid (any more). Ask for a new one.";

/// `GET /account/confirm`
#[must_use]
pub fn confirm_page() -> Reply {
    let text = "Press the button to confirm that this e-mail address is yours.";
    Reply::html(200, page::form("Confirm your e-mail address", text, "", "Confirm")).personal()
}

/// `POST /account/confirm`
pub async fn confirm(index: &Index, request: &Request) -> Answer<Reply> {
    auth::require_https(request)?;
    let hash = sha256_hex(&field(request, "secret")?);
    index.require_within(Limit::Anonymous, &request.address()).await?;
    let mut transaction = Transaction::new();
    let confirmed = links::confirm(&mut transaction, &hash, &request.address(), index.world.now());
    if !index.db.commit_unguarded(transaction).await?.take(confirmed)? {
        return not_found(SPENT);
    }
    let text = "Your e-mail address is confirmed. You can log in now.";
    Ok(Reply::html(200, page::message("Confirmed", text)).personal())
}

/// `GET /account/password`
#[must_use]
pub fn password_page(index: &Index) -> Reply {
    let least = index.settings.password_length;
    let text = format!("Choose a new password, of {least} or more characters.");
    Reply::html(200, page::form("Set your password", &text, &page::password(least), "Set password")).personal()
}

/// `POST /account/password`
pub async fn set_password(index: &Index, request: &Request) -> Answer<Reply> {
    auth::require_https(request)?;
    let hash = sha256_hex(&field(request, "secret")?);
    let secret = field(request, "password")?;
    password::acceptable(&secret, index.settings.password_length)?;
    let address = request.address();
    index.require_within(Limit::Anonymous, &address).await?;
    let now = index.world.now();
    // Before the work of hashing, whether there is anything to set.
    let Some(user) = index.db.fetch(links::password_user(&hash, now)).await? else { return not_found(SPENT) };
    password::require_not_the_name(&secret, &user.name)?;
    auth::password::hashing_turn(index, &address).await?;
    let stored = auth::password::hash(index, &secret)?;
    let mut transaction = Transaction::new();
    let set = links::set_password(&mut transaction, &hash, &stored, &address, now);
    if !index.db.commit_unguarded(transaction).await?.take(set)? {
        return not_found(SPENT);
    }
    let (actor, millis) = (user.name.clone(), index.world.millis().cast_signed());
    let by = AuditContext { actor, credential: CredentialId::Anonymous, address, now, millis };
    notices::tell(index, &user, &by, Notice::Password);
    let text = "Your password is set. What was logged in with the old one is logged out.";
    Ok(Reply::html(200, page::message("Done", text)).personal())
}

/// That a link can be mailed; the log says what is missing.
fn require_mail(index: &Index) -> Answer<()> {
    if !index.world.mails() {
        return Err(Fault::unconfigured("MAIL is not bound: `npm run admin -- password NAME` makes a link").into());
    }
    if index.settings.public_url.is_none() {
        return Err(Fault::unconfigured(NO_PUBLIC_URL).into());
    }
    Ok(())
}

/// `GET /account/forgotten`
///
/// There is no form where nothing comes of it.
pub fn forgotten_page(index: &Index) -> Answer<Reply> {
    require_mail(index)?;
    let text =
        "Give the e-mail address of your account. A link to set a new password, or first to confirm it, is sent to it.";
    Ok(Reply::html(200, page::form("Forgotten password", text, page::EMAIL, "Send the link")).personal())
}

/// `POST /account/forgotten`
///
/// The answer and the work before it are the same whether the e-mail is known or not: one statement
/// that keeps a link where there is somebody to keep it for. What it tells is used after the answer.
pub async fn forgotten(index: &Index, request: &Request) -> Answer<Reply> {
    require_mail(index)?;
    index.require_within(Limit::Logins, &request.address()).await?;
    let email = field(request, "email")?;
    let email = names::email(email.trim())?;
    let (link, now, most) = (Link::new(index)?, index.world.now(), index.settings.most);
    let (from, hash) = (request.address(), link.hash());
    // A link that is not sent would take the place of one that its owner asks for.
    let asking = links::Asking { from: &from, most: most.mails_per_address.at(request.loopback()) };
    let mut transaction = Transaction::new();
    let counted = transaction.read(rate_counters::increment(Counter::Mails, &from, now));
    let recipient =
        links::forgotten(&mut transaction, &hash, &email.to_lowercase(), now + PASSWORD, now, most.mails, asking);
    let mut outcome = index.db.commit_unguarded(transaction).await?;
    auth::password::require_allowance(&outcome.take(counted)?, asking.most, None, now)?;
    match outcome.take(recipient)? {
        Some(to) if to.confirms => link.send_to(index, &to.address, &to.name),
        Some(to) => link.send_password_to(index, &to.address, &to.name),
        None => {}
    }
    let text = "If this address belongs to an account, and was confirmed by a mail or waits for that, a link is on its way to \
                it. If none comes, ask the operator of this index.";
    Ok(Reply::html(200, page::message("Look into your mail", text)).personal())
}

/// A field of a posted form; empty when it is missing.
fn field(request: &Request, name: &str) -> Answer<String> {
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    Ok(form(body).find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default())
}
