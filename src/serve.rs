//! Request to reply; the only place where a failure becomes one.

use serde_json::json;

use crate::{
    api::{self, Cors},
    handlers::events,
    index::Index,
    jobs::{expiry, search_index, warnings},
    refusal::{Answer, Error, Fault, FaultKind, Refusal},
    routes::{self, Route},
    wire::{Reply, Request, reply},
};

/// Bytes that the body of a request may have, by its path and headers.
#[must_use]
pub fn body_limit(index: &Index, request: &Request) -> usize {
    // What has no route has no use for a body.
    let Ok(route) = routes::route(&request.path) else { return 0 };
    // The longest of all is read for registries alone.
    if route == Route::Events && events::authenticate(index, request).is_err() { 0 } else { api::path(&route).max_body }
}

/// Answers one request.
pub async fn serve(index: &Index, request: &Request) -> Reply {
    let begun = index.world.millis();
    request.proxied.set(index.settings.is_proxy(request.header("x-hublet-proxy")));
    let route = routes::route(&request.path);
    let answer = match &route {
        Ok(route) => match &index.settings.contradiction {
            Some(why) if *route != Route::Ping => Err(Fault::unconfigured(why).into()),
            _ => answered(index, request, route).await,
        },
        Err(error) => Err(error.clone()),
    };
    let fault = answer.as_ref().err().and_then(Error::fault).map(|fault| fault.what.clone());
    let path = route.as_ref().ok().map(api::path);
    let dialect = path.map_or_else(|| routes::dialect(&request.path), |path| path.errors);
    let reply = answer.unwrap_or_else(|error| reply::failure(&error, dialect, &request.path, &request.id));
    let reply = with_common_headers(index, reply, request, path.map_or(Cors::Closed, |path| path.cors));
    index.world.log(&json!({
        "level": if fault.is_some() { "error" } else { "info" },
        "request": request.id,
        "method": request.method,
        "route": path.map_or("none", |path| path.pattern),
        "status": reply.status,
        "milliseconds": index.world.millis().saturating_sub(begun),
        "round_trips": index.db.round_trips() + index.search.round_trips(),
        // Ids only: the user, and the password's epoch or the access token.
        "user": index.authenticated.get().user(),
        "credential": index.authenticated.get().to_string(),
        "fault": fault,
    }));
    reply
}

/// What is done every minute.
pub async fn scheduled(index: &Index) {
    search_index::scheduled(index).await;
    expiry::scheduled(index).await;
    warnings::scheduled(index).await;
}

/// The answer of the handler. Where the right by which it writes went while it did, it is asked once
/// more, from the beginning: it then reads what is so by now, and refuses by that, or finds another
/// right.
async fn answered(index: &Index, request: &Request, route: &Route) -> Answer<Reply> {
    let answer = handle(index, request, route).await;
    let fault = answer.as_ref().err().and_then(Error::fault);
    if fault.is_some_and(|fault| fault.kind == FaultKind::Stale) { handle(index, request, route).await } else { answer }
}

async fn handle(index: &Index, request: &Request, route: &Route) -> Answer<Reply> {
    let path = api::path(route);
    if request.method == "OPTIONS" {
        return Ok(Reply::empty(204).with("Allow", path.allow()));
    }
    // Also where nothing reads it. Not where no body is ever read, nor at /events, whose limit is for registries alone.
    let limited = path.max_body > 0 && *route != Route::Events && path.endpoint(&request.method).is_some();
    if limited && request.body.is_none() {
        return Err(Refusal::TooLarge.into());
    }
    api::dispatch(index, request, route).await
}

/// What every reply has, and none of them says for itself.
fn with_common_headers(index: &Index, reply: Reply, request: &Request, cors: Cors) -> Reply {
    let mut reply = reply.with("X-Request-Id", request.id.as_str()).with("X-Content-Type-Options", "nosniff");
    if reply.header("Vary").is_none() {
        reply = reply.with("Vary", "Accept");
    }
    if request.https {
        reply = reply.with("Strict-Transport-Security", "max-age=31536000");
    }
    let by_anybody = request.header("authorization").is_none();
    if !by_anybody && reply.header("Cache-Control").is_none() {
        reply = reply.personal();
    }
    let reads = matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    let gives_tokens = cors == Cors::Token;
    // Else never with credentials: a page of another origin reads what anybody may.
    let public = by_anybody && cors.is_public_read(index.settings.anonymous_read);
    if reads && (public || gives_tokens) {
        reply = reply
            .with("Access-Control-Allow-Origin", "*")
            .with("Access-Control-Allow-Methods", "GET, HEAD")
            .with("Access-Control-Max-Age", "86400");
    }
    if reads && gives_tokens {
        reply = reply.with("Access-Control-Allow-Headers", "Authorization");
    }
    if request.method == "HEAD" {
        reply.body.clear();
    }
    reply
}
