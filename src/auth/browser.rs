//! Browsers: the cookie of a session, which page endpoints alone take, and where a form may come from.
//!
//! A cookie names its user, so that what a page is about is read in the round trip that verifies it.

use futures_util::future::LocalBoxFuture;

use crate::{
    auth::{self, Credentials, Principal, require_https},
    context::Context,
    domain::{Secret, UserId, credential::CredentialId, opaque_token},
    error::{Fault, Refusal, Result, forbidden},
    store::{
        Over, Rows, Statement,
        refresh_tokens::{self, BrowserHolder, BrowserSession, RefreshToken},
        users,
    },
    wire::{Form, Request, html::PASSWORD_FIELD},
};

/// Seconds after which an unused session expires.
const UNUSED: i64 = 14 * 24 * 60 * 60;

/// Seconds after which every session expires.
pub const AGE: i64 = 90 * 24 * 60 * 60;

/// Seconds for which a password that was typed allows what takes more than a session.
pub const FRESH: i64 = 10 * 60;

/// Seconds within which another use of a session is not written down.
const LAST_USED_GRANULARITY: i64 = 10 * 60;

/// The cookie of a browser, and what the endpoint wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The user that it names.
    pub user: UserId,
    /// As its secret is stored.
    hash: String,
    /// Whether the password must have been typed within [`FRESH`], or is typed now.
    fresh: Option<Typed>,
}

/// The password in a form, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Typed {
    secret: Option<Secret>,
    address: String,
}

/// The name of the cookie. A browser takes the prefix over https only, and then sends the cookie to this host alone.
fn name(https: bool) -> &'static str {
    if https { "__Host-hublet" } else { "hublet" }
}

/// A cookie that a response sets; an empty value deletes it.
fn set(https: bool, value: &str, age: i64) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", name(https))
}

/// The cookie that ends a session in the browser.
#[must_use]
pub fn removed(ctx: &Context, request: &Request) -> String {
    set(ctx.config.is_https(request.https), "", 0)
}

/// Whether the session of a browser has not expired by what holds for cookies alone.
#[must_use]
pub fn is_current(session: &RefreshToken, now: i64) -> bool {
    session.used_at > now - UNUSED && session.created_at > now - AGE
}

/// The cookie of a request, if it has one that could open a session.
fn cookie(ctx: &Context, request: &Request) -> Result<Option<Cookie>> {
    let Some(value) = parse(request, ctx.config.is_https(request.https)) else { return Ok(None) };
    let Some((user, hash)) = opaque_token::parse_cookie(value, ctx.config.keys()?) else { return Ok(None) };
    require_https(request)?;
    Ok(Some(Cookie { user, hash, fresh: None }))
}

/// The cookie of a request.
fn parse(request: &Request, https: bool) -> Option<&str> {
    let cookies = request.header("cookie")?.split(';');
    Some(cookies.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name(https))?.1)
}

/// Reads the cookie of a page that needs none where anonymous requests may read.
pub fn optional_cookie(ctx: &Context, request: &Request) -> Result<Credentials> {
    match cookie(ctx, request)? {
        None if ctx.config.anonymous_read => Ok(Credentials::Anonymous),
        found => found.map(Credentials::Browser).ok_or_else(|| Refusal::SignIn.into()),
    }
}

/// Reads the cookie of a page for which one signs in.
pub fn required_cookie(ctx: &Context, request: &Request) -> Result<Credentials> {
    cookie(ctx, request)?.map(Credentials::Browser).ok_or_else(|| Refusal::SignIn.into())
}

/// Reads the cookie, and the password beside it, of a form that takes a password that was typed lately.
pub fn fresh_cookie(ctx: &Context, request: &Request) -> Result<Credentials> {
    let cookie = cookie(ctx, request)?.ok_or(Refusal::SignIn)?;
    let secret = Form::read(request)?.optional(PASSWORD_FIELD).map(Secret::new);
    let fresh = Some(Typed { secret, address: request.address() });
    Ok(Credentials::Browser(Cookie { fresh, ..cookie }))
}

/// Refuses a form that a page of another origin sent. A browser says by `Sec-Fetch-Site` how the origins compare, and no
/// script writes that header; an older one, or one over plain http, names the origin, which a proxy may have rewritten.
pub fn require_same_origin(ctx: &Context, request: &Request) -> Result<()> {
    let is_ours = |origin: &str| match &ctx.config.public_url {
        Some(ours) => origin == ours,
        None => origin == request.origin(),
    };
    let same = match request.header("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => request.header("origin").is_some_and(is_ours),
    };
    if same { Ok(()) } else { forbidden("This form was sent by a page of another site") }
}

/// Authenticates a cookie, and reads these statements, in one round trip.
pub(super) fn authenticate<'a>(
    ctx: &'a Context,
    cookie: &'a Cookie,
    statements: Vec<Statement>,
) -> LocalBoxFuture<'a, Result<(Principal, Vec<Rows>)>> {
    Box::pin(async move {
        let (now, config) = (ctx.platform.now(), &ctx.config);
        let (unused, age) = (UNUSED.min(config.refresh_unused), AGE.min(config.refresh_age));
        let holder = refresh_tokens::browser(&cookie.hash, cookie.user, now, unused, age);
        let typed = cookie.fresh.as_ref().and_then(|typed| Some((typed.secret.as_ref()?, typed.address.as_str())));
        let attempt = typed.map(|(_, address)| users::for_password_login_again(cookie.user, address));
        let mut all = vec![holder.statement().clone()];
        all.extend(attempt.iter().map(|attempt| attempt.statement().clone()));
        all.extend(statements);
        let mut answers = ctx.db.batch(all).await?.into_iter();
        let mut next = || answers.next().ok_or_else(|| Fault::bug("fewer answers than statements"));
        let found = holder.decode(next()?)?;
        let attempt = attempt.map(|attempt| attempt.decode(next()?)).transpose()?.flatten();
        let answers = answers.collect();
        let Some(BrowserHolder { user, session, used_at }) = found.filter(|found| found.user.active) else {
            return Err(Refusal::SignIn.into());
        };
        if cookie.fresh.is_some() && session.authenticated_at + FRESH <= now {
            let Some((secret, address)) = typed else { return Err(Refusal::Reauthenticate(None).into()) };
            let wrong = || Refusal::Reauthenticate(Some("The password is wrong.".into()));
            auth::password::verify_password_again(ctx, &user, attempt, secret, address, wrong).await?;
            ctx.after_response("note that a password was typed", refresh_tokens::authenticated(session.id, now));
        }
        if used_at + LAST_USED_GRANULARITY <= now {
            ctx.after_response("note the use of a session", refresh_tokens::used(session.id, now));
        }
        let credential = CredentialId::Password { user: user.id, epoch: user.epoch };
        Ok((Principal { user: Some(user), credential, restrictions: None, browser: Some(session) }, answers))
    })
}

/// Opens a session for a user who typed their password; returns the cookie that the response sets.
pub async fn open(ctx: &Context, request: &Request, principal: &Principal, client: &str) -> Result<String> {
    let user = principal.require_password()?;
    let token = opaque_token::cookie(user.id, ctx.random(), ctx.config.keys()?);
    let new = refresh_tokens::New {
        uuid: &opaque_token::uuid(ctx.random()),
        user_id: user.id,
        hash: &opaque_token::stored(token.reveal()),
        client,
        kind: refresh_tokens::Kind::Browser,
        by: &principal.by(ctx, request),
        most: ctx.config.quotas.refresh_tokens,
    };
    ctx.commit([principal.right(Over::Themselves)], refresh_tokens::create(&new).into()).await?;
    Ok(set(ctx.config.is_https(request.https), token.reveal(), AGE))
}

impl Principal {
    /// The session of the browser, where a cookie authenticated it.
    pub fn require_browser(&self) -> Result<&BrowserSession> {
        self.browser.as_ref().ok_or_else(|| Fault::bug("a page without a session").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Request { host: "127.0.0.1:8787".into(), headers, ..Request::default() }
    }

    #[test]
    fn cookie_is_read_by_its_name() {
        let read = |https: bool, cookies: &str| parse(&request(&[("cookie", cookies)]), https).map(str::to_owned);
        assert_eq!(read(false, "a=b; hublet=c"), Some("c".to_owned()));
        assert_eq!(read(true, "__Host-hublet=c; hublet=x"), Some("c".to_owned()));
        for other in ["__Host-hublet=c", "hubletx=c", "hublet", ""] {
            assert_eq!(read(false, other), None, "{other}");
        }
        assert_eq!(read(true, "hublet=c"), None, "set over plain http, on any host");
    }
}
