//! Mailed links and their pages.
//!
//! `GET` returns a page with a button; only the button has an effect, so that scanners that follow links confirm
//! nothing. The secret of a link is in its fragment, which browsers do not send, so that no log has it.

use crate::{
    auth,
    context::Context,
    domain::{credential::CredentialId, names, password, secret::sha256_hex},
    error::{Fault, Refusal, Result, not_found},
    mail::{
        links::{Link, NO_PUBLIC_URL},
        notices::{self, Notice},
    },
    platform::RateLimit,
    store::{
        Transaction,
        audit::AuditContext,
        links,
        rate_counters::{self, Counter},
    },
    wire::{Request, Response, html, request::form},
};

/// Seconds that a mailed link to set a password is valid.
const PASSWORD: i64 = 60 * 60;

/// For a link that is used, expired or made up.
const INVALID_LINK: &str = "This link is not valid (any more). Ask for a new one.";

/// `GET /account/confirm`
#[must_use]
pub fn confirm_page() -> Response {
    let text = "Press the button to confirm that this e-mail address is yours.";
    Response::html(200, html::form("Confirm your e-mail address", text, "", "Confirm")).no_store()
}

/// `POST /account/confirm`
pub async fn confirm(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let hash = sha256_hex(&field(request, "secret")?);
    ctx.require_rate_limit(RateLimit::Anonymous, &request.address()).await?;
    let mut transaction = Transaction::new();
    let confirmed = links::confirm(&mut transaction, &hash, &request.address(), ctx.platform.now());
    if !ctx.db.commit_unguarded(transaction).await?.take(confirmed)? {
        return not_found(INVALID_LINK);
    }
    let text = "Your e-mail address is confirmed. You can log in now.";
    Ok(Response::html(200, html::message("Confirmed", text)).no_store())
}

/// `GET /account/password`
#[must_use]
pub fn password_page(ctx: &Context) -> Response {
    let least = ctx.config.password_length;
    let text = format!("Choose a new password, of {least} or more characters.");
    Response::html(200, html::form("Set your password", &text, &html::password(least), "Set password")).no_store()
}

/// `POST /account/password`
pub async fn set_password(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let hash = sha256_hex(&field(request, "secret")?);
    let secret = field(request, "password")?;
    password::acceptable(&secret, ctx.config.password_length)?;
    let address = request.address();
    ctx.require_rate_limit(RateLimit::Anonymous, &address).await?;
    let now = ctx.platform.now();
    // Before the work of hashing, whether there is anything to set.
    let Some(user) = ctx.db.fetch(links::password_user(&hash, now)).await? else { return not_found(INVALID_LINK) };
    password::require_not_the_name(&secret, &user.name)?;
    auth::password::acquire_hash_slot_for(ctx, &address).await?;
    let stored = auth::password::hash(ctx, &secret)?;
    let mut transaction = Transaction::new();
    let set = links::set_password(&mut transaction, &hash, &stored, &address, now);
    if !ctx.db.commit_unguarded(transaction).await?.take(set)? {
        return not_found(INVALID_LINK);
    }
    let (actor, millis) = (user.name.clone(), ctx.platform.now_ms().cast_signed());
    let by = AuditContext { actor, credential: CredentialId::Anonymous, address, now, millis };
    notices::tell(ctx, &user, &by, Notice::Password);
    let text = "Your password is set. What was logged in with the old one is logged out.";
    Ok(Response::html(200, html::message("Done", text)).no_store())
}

/// Checks that a link can be mailed; the log names what is missing.
fn require_mail(ctx: &Context) -> Result<()> {
    if !ctx.platform.can_send_mail() {
        return Err(Fault::unconfigured("MAIL is not bound: `npm run admin -- password NAME` makes a link").into());
    }
    if ctx.config.public_url.is_none() {
        return Err(Fault::unconfigured(NO_PUBLIC_URL).into());
    }
    Ok(())
}

/// `GET /account/forgotten`
///
/// There is no form where nothing comes of it.
pub fn forgotten_page(ctx: &Context) -> Result<Response> {
    require_mail(ctx)?;
    let text =
        "Give the e-mail address of your account. A link to set a new password, or first to confirm it, is sent to it.";
    Ok(Response::html(200, html::form("Forgotten password", text, html::EMAIL, "Send the link")).no_store())
}

/// `POST /account/forgotten`
///
/// The response and the work before it are the same whether or not the e-mail is known: one statement, which stores a
/// link if there is a user. Its result is used after the response.
pub async fn forgotten(ctx: &Context, request: &Request) -> Result<Response> {
    require_mail(ctx)?;
    ctx.require_rate_limit(RateLimit::Logins, &request.address()).await?;
    let email = field(request, "email")?;
    let email = names::email(email.trim())?;
    let (link, now, most) = (Link::new(ctx)?, ctx.platform.now(), ctx.config.quotas);
    let (from, hash) = (request.address(), link.hash());
    // A link that is not sent would take the place of one that its owner asks for.
    let asking = links::Requester { from: &from, most: most.mails_per_address.at(request.is_loopback()) };
    let mut transaction = Transaction::new();
    let counted = transaction.read(rate_counters::increment(Counter::Mails, &from, now));
    let recipient =
        links::insert_reset(&mut transaction, &hash, &email.to_lowercase(), now + PASSWORD, now, most.mails, asking);
    let mut outcome = ctx.db.commit_unguarded(transaction).await?;
    auth::password::require_quota(&outcome.take(counted)?, asking.most, None, now)?;
    match outcome.take(recipient)? {
        Some(to) if to.confirms => link.send_to(ctx, &to.address, &to.name),
        Some(to) => link.send_password_to(ctx, &to.address, &to.name),
        None => {}
    }
    let text = "If this address belongs to an account, and was confirmed by a mail or waits for that, a link is on its way to \
                it. If none comes, ask the operator of this index.";
    Ok(Response::html(200, html::message("Look into your mail", text)).no_store())
}

/// A field of a posted form; empty when it is missing.
fn field(request: &Request, name: &str) -> Result<String> {
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    Ok(form(body).find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default())
}
