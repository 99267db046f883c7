//! Mailed links and their pages.
//!
//! `GET` returns a page with a button; only the button has an effect, so that scanners that follow links confirm
//! nothing. The secret of a link is in its fragment, which browsers do not send, so that no log has it.

use maud::{Markup, html};

use crate::{
    auth,
    context::Context,
    domain::{credential::CredentialId, names, password, secret::sha256_hex},
    error::{Fault, Result, not_found},
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
    wire::{
        Form, Request, Response,
        html::{self, Page},
    },
};

/// Seconds that a mailed link to set a password is valid.
const PASSWORD: i64 = 60 * 60;

/// For a link that is used, expired or made up.
const INVALID_LINK: &str = "This link is not valid (any more). Ask for a new one.";

/// `GET /account/confirm`
#[must_use]
pub fn confirm_page(ctx: &Context) -> Response {
    let text = "Press the button to confirm that this e-mail address is yours.";
    let fields = html! { (secret_field()) button { "Confirm" } };
    form(ctx, "Confirm your e-mail address", text, &fields)
}

/// A page with a form that posts to its own address. What follows a link by itself (a scanner of mail) posts nothing.
fn form(ctx: &Context, title: &str, text: &str, fields: &Markup) -> Response {
    let frame = Page { site: &ctx.config.site_name, title, ..Page::default() };
    frame.response(200, &html! { p { (text) } form.stack method="post" { (fields) } })
}

/// The field for the secret of a link. The script moves it there from the address, whose fragment is sent to no server.
fn secret_field() -> Markup {
    html! { label { "Link or code from the mail " input name="secret" autocomplete="off" maxlength="1024" required; } }
}

/// The secret of a link of which the whole, or the secret alone, was typed.
fn secret(fields: &Form) -> &str {
    let typed = fields.text("secret");
    typed.split_once('#').map_or(typed, |(_, secret)| secret)
}

fn done(ctx: &Context, title: &str, text: &str) -> Response {
    Response::html(200, html::message(&ctx.config.site_name, title, text)).no_store()
}

/// `POST /account/confirm`
pub async fn confirm(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let fields = Form::read(request)?;
    let hash = sha256_hex(secret(&fields));
    ctx.require_rate_limit(RateLimit::Anonymous, &request.address()).await?;
    let mut transaction = Transaction::new();
    let confirmed = links::confirm(&mut transaction, &hash, &request.address(), ctx.platform.now());
    if !ctx.db.commit_unguarded(transaction).await?.take(confirmed)? {
        return not_found(INVALID_LINK);
    }
    let text = "Your e-mail address is confirmed. You can log in now.";
    Ok(done(ctx, "Confirmed", text))
}

/// `GET /account/password`
#[must_use]
pub fn password_page(ctx: &Context) -> Response {
    let least = ctx.config.password_length;
    let text = format!("Choose a new password, of {least} or more characters.");
    let fields = html! {
        (secret_field())
        label { "New password " input type="password" name="password" minlength=(least) maxlength="1024" autocomplete="new-password" required; }
        button { "Set password" }
    };
    form(ctx, "Set your password", &text, &fields)
}

/// `POST /account/password`
pub async fn set_password(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let fields = Form::read(request)?;
    let hash = sha256_hex(secret(&fields));
    let new = fields.exact("password");
    password::acceptable(new, ctx.config.password_length)?;
    let address = request.address();
    ctx.require_rate_limit(RateLimit::Anonymous, &address).await?;
    let now = ctx.platform.now();
    // Before the work of hashing, whether there is anything to set.
    let Some(user) = ctx.db.fetch(links::password_user(&hash, now)).await? else { return not_found(INVALID_LINK) };
    password::require_not_the_name(new, &user.name)?;
    auth::password::acquire_hash_slot_for(ctx, &address).await?;
    let stored = auth::password::hash(ctx, new)?;
    let mut transaction = Transaction::new();
    let set = links::set_password(&mut transaction, &hash, &stored, &address, now);
    if !ctx.db.commit_unguarded(transaction).await?.take(set)? {
        return not_found(INVALID_LINK);
    }
    let (actor, millis) = (user.name.clone(), ctx.platform.now_ms().cast_signed());
    let by = AuditContext { actor, credential: CredentialId::Anonymous, address, now, millis };
    notices::tell(ctx, &user, &by, Notice::Password);
    let text = "Your password is set. What was logged in with the old one is logged out.";
    Ok(done(ctx, "Done", text))
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
    let fields = html! {
        label { "E-mail " input type="email" name="email" maxlength="254" autocomplete="email" required; }
        button { "Send the link" }
    };
    Ok(form(ctx, "Forgotten password", text, &fields))
}

/// `POST /account/forgotten`
///
/// The response and the work before it are the same whether or not the e-mail is known: one statement, which stores a
/// link if there is a user. Its result is used after the response.
pub async fn forgotten(ctx: &Context, request: &Request) -> Result<Response> {
    require_mail(ctx)?;
    ctx.require_rate_limit(RateLimit::Logins, &request.address()).await?;
    let fields = Form::read(request)?;
    let email = names::email(fields.text("email"))?;
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
    Ok(done(ctx, "Look into your mail", text))
}
