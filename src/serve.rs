//! Request to reply; the only place where a failure becomes one.

use serde::Serialize;

use crate::{
    api::{self, Cors, Security},
    auth::browser,
    context::Context,
    error::{Error, Fault, FaultKind, Refusal, Result},
    handlers::{events, site},
    jobs::{expiry, search_index, warnings},
    routes::{self, Page, Route},
    wire::{Dialect, Request, Response, response},
};

/// The line of a request in the log.
#[derive(Serialize)]
struct AccessLine<'a, User> {
    credential: String,
    fault: Option<&'a str>,
    level: &'static str,
    method: &'a str,
    milliseconds: u64,
    request: &'a str,
    round_trips: u32,
    route: &'static str,
    status: u16,
    user: Option<User>,
}

/// Bytes that the body of a request may have, by its path and headers.
#[must_use]
pub fn body_limit(ctx: &Context, request: &Request) -> usize {
    // What has no route has no use for a body.
    let Ok(route) = routes::route(&request.path) else { return 0 };
    // The longest of all is read for registries alone.
    if route == Route::Events && events::authenticate(ctx, request).is_err() { 0 } else { api::path(&route).max_body }
}

/// Answers one request.
pub async fn serve(ctx: &Context, request: &Request) -> Response {
    let begun = ctx.platform.now_ms();
    request.proxied.set(ctx.config.is_proxy(request.header("x-hublet-proxy")));
    let route = routes::route(&request.path);
    let answer = match &route {
        Ok(route) => match &ctx.config.contradiction {
            Some(why) if *route != Route::Ping => Err(Fault::unconfigured(why).into()),
            _ => answered(ctx, request, route).await,
        },
        Err(error) => Err(error.clone()),
    };
    let fault = answer.as_ref().err().and_then(Error::fault).map(|fault| fault.what.clone());
    let path = route.as_ref().ok().map(api::path);
    let dialect = path.map_or_else(|| routes::dialect(&request.path), |path| path.errors);
    let response =
        answer.unwrap_or_else(|error| response::error_response(&error, dialect, request, &ctx.config.site_name));
    let response = with_common_headers(ctx, response, request, path.map_or(Cors::Closed, |path| path.cors));
    let line = AccessLine {
        // Ids only: the user, and the password's epoch or the access token.
        credential: ctx.authenticated.get().to_string(),
        fault: fault.as_deref(),
        level: if fault.is_some() { "error" } else { "info" },
        method: &request.method,
        milliseconds: ctx.platform.now_ms().saturating_sub(begun),
        request: &request.id,
        round_trips: ctx.db.round_trips() + ctx.search.round_trips(),
        route: path.map_or("none", |path| path.pattern),
        status: response.status,
        user: ctx.authenticated.get().user(),
    };
    ctx.write_log(fault.is_some(), &line);
    response
}

/// What is done every minute.
pub async fn scheduled(ctx: &Context) {
    search_index::scheduled(ctx).await;
    expiry::scheduled(ctx).await;
    warnings::scheduled(ctx).await;
}

/// The answer of the handler. Where the right by which it writes went while it did, it is asked once
/// more, from the beginning: it then reads what is so by now, and refuses by that, or finds another
/// right.
async fn answered(ctx: &Context, request: &Request, route: &Route) -> Result<Response> {
    let answer = handle(ctx, request, route).await;
    let Err(error) = &answer else { return answer };
    if error.fault().is_some_and(|fault| fault.kind == FaultKind::Stale) {
        return handle(ctx, request, route).await;
    }
    let security = api::path(route).endpoint(&request.method).map(|endpoint| endpoint.security);
    let optional = security == Some(Security::OptionalCookie) && ctx.config.anonymous_read;
    if optional && error.refusal() == Some(&Refusal::SignIn) {
        return signed_out(ctx, request, route).await;
    }
    answer
}

/// The answer to a browser whose session has ended, of a page that needs none: the one to an anonymous request, and the
/// cookie is taken away. What such a request may not read, and what does not exist, leads to the page on which to sign in.
async fn signed_out(ctx: &Context, request: &Request, route: &Route) -> Result<Response> {
    let mut anonymous = request.clone();
    anonymous.headers.retain(|(name, _)| name != "cookie");
    match handle(ctx, &anonymous, route).await {
        Ok(response) => Ok(response.with("Set-Cookie", browser::removed(ctx, request))),
        Err(error) if matches!(error.refusal(), Some(Refusal::NotFound(_))) => Err(Refusal::SignIn.into()),
        refused => refused,
    }
}

async fn handle(ctx: &Context, request: &Request, route: &Route) -> Result<Response> {
    let path = api::path(route);
    if request.method == "OPTIONS" {
        return Ok(Response::empty(204).with("Allow", path.allow()));
    }
    // Also where nothing reads it. Not where no body is ever read, nor at /events, whose limit is for registries alone.
    let limited = path.max_body > 0 && *route != Route::Events && path.endpoint(&request.method).is_some();
    if limited && request.body.is_none() {
        return Err(Refusal::TooLarge.into());
    }
    if path.errors == Dialect::Page {
        match route {
            Route::Front if !ctx.config.pages && path.endpoint(&request.method).is_some() => {
                return Ok(site::front(&ctx.config.site_name));
            }
            Route::Page(page) if !ctx.config.pages && !matches!(page, Page::Asset(_)) => {
                return Err(Refusal::NoRoute.into());
            }
            Route::Page(Page::Register) if !ctx.config.registration_open => return Err(Refusal::NoRoute.into()),
            _ => {}
        }
        if request.method == "POST" && path.endpoint("POST").is_some() {
            browser::require_same_origin(ctx, request)?;
        }
    }
    api::dispatch(ctx, request, route).await
}

/// The headers that every response has.
fn with_common_headers(ctx: &Context, response: Response, request: &Request, cors: Cors) -> Response {
    let mut response = response.with("X-Request-Id", request.id.as_str()).with("X-Content-Type-Options", "nosniff");
    if response.header("Vary").is_none() {
        response = response.with("Vary", "Accept");
    }
    if ctx.config.is_https(request.https) {
        response = response.with("Strict-Transport-Security", "max-age=31536000");
    }
    let by_anybody = request.header("authorization").is_none();
    if !by_anybody && response.header("Cache-Control").is_none() {
        response = response.no_store();
    }
    let reads = matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    let gives_tokens = cors == Cors::Token;
    // Otherwise never with credentials: a page of another origin reads what is public.
    let public = by_anybody && cors.is_public_read(ctx.config.anonymous_read);
    if reads && (public || gives_tokens) {
        response = response
            .with("Access-Control-Allow-Origin", "*")
            .with("Access-Control-Allow-Methods", "GET, HEAD")
            .with("Access-Control-Max-Age", "86400");
    }
    if reads && gives_tokens {
        response = response.with("Access-Control-Allow-Headers", "Authorization");
    }
    if request.method == "HEAD" {
        response.body.clear();
    }
    response
}
