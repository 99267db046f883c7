//! Signing in and out.

use maud::html;

use crate::{
    auth::{self, Credentials, browser},
    context::Context,
    domain::{Secret, logins},
    error::{Result, forbidden},
    handlers::pages::{beside_form, done, own_path},
    store::{Over, Transaction, refresh_tokens},
    wire::{Form, Request, Response, html::Page},
};

/// `GET /sign-in?next=&done=`
///
/// The same whether or not there is anything.
#[must_use]
pub fn page(ctx: &Context, request: &Request) -> Response {
    let query = Form::of_query(request);
    form(ctx, 200, (query.text("next"), ""), (done(&query), None))
}

fn form(
    ctx: &Context,
    status: u16,
    (next, name): (&str, &str),
    (done, error): (Option<&str>, Option<&str>),
) -> Response {
    let site = ctx.config.site_name.as_str();
    let frame = Page { site, title: site, done, error, ..Page::default() };
    frame.response(
        status,
        &html! {
            form.stack method="post" action="/sign-in" {
                input type="hidden" name="next" value=(own_path(next));
                label { "User name " input name="username" value=(name) autocomplete="username" autocapitalize="none" maxlength="64" required autofocus[name.is_empty()]; }
                label { "Password " input type="password" name="password" autocomplete="current-password" maxlength="1024" required autofocus[!name.is_empty()]; }
                button { "Sign in" }
            }
            @if ctx.platform.can_send_mail() && ctx.config.public_url.is_some() {
                p { a href="/account/forgotten" { "Forgotten password" } }
            }
            @if ctx.config.registration_open { p { a href="/register" { "Register" } } }
        },
    )
}

/// `POST /sign-in`
pub async fn sign_in(ctx: &Context, request: &Request) -> Result<Response> {
    auth::require_https(request)?;
    let fields = Form::read(request)?;
    let (name, next) = (fields.text("username"), fields.text("next"));
    let opened = async {
        let secret = Secret::new(fields.exact("password").to_owned());
        let credentials = Credentials::basic(name, secret, request)?;
        if credentials.uses_access_token() {
            return forbidden("Sign in with your password: an access token is for programs");
        }
        let principal = credentials.authenticate(ctx).await?;
        let client = logins::browser(request.header("user-agent").unwrap_or_default());
        let cookie = browser::open(ctx, request, &principal, &client).await?;
        auth::login::record_success(ctx, request, &principal);
        Ok(cookie)
    };
    match beside_form(opened.await)? {
        Ok(cookie) => Ok(Response::see_other(own_path(next)).with("Set-Cookie", cookie)),
        Err((status, reason)) => Ok(form(ctx, status, (next, name), (None, Some(&reason)))),
    }
}

/// `POST /sign-out`
pub async fn sign_out(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let principal = credentials.authenticate(ctx).await?;
    let (user, session) = (principal.require_user()?, principal.require_browser()?);
    let mut transaction = Transaction::new();
    let by = principal.by(ctx, request);
    let ended = refresh_tokens::delete(&mut transaction, user.id, &session.uuid, &by);
    ctx.commit([principal.right(Over::Themselves)], transaction).await?.take(ended)?;
    let response = Response::see_other("/sign-in").with("Set-Cookie", browser::removed(ctx, request));
    // Browsers know it over https alone.
    Ok(if ctx.config.is_https(request.https) {
        response.with("Clear-Site-Data", "\"cache\", \"cookies\", \"storage\"")
    } else {
        response
    })
}
