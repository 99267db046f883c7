//! Request to reply; the only place where a failure becomes one.

use serde_json::json;

use crate::{
    handlers::{account, description, events, gate, hub, projection, revocation, token, v1, warnings},
    index::Index,
    refusal::{Answer, Error, Fault, FaultKind, Refusal},
    routes::{self, Route},
    wire::{Reply, Request, reply},
};

/// Bytes that the body of a request may have, by its path and headers.
#[must_use]
pub fn body_limit(index: &Index, request: &Request) -> usize {
    match routes::route(&request.path) {
        // The longest of all is read for registries alone.
        Ok(Route::Events) if events::known(index, request).is_err() => 0,
        Ok(route) => route.body_limit(),
        // What has no route has no use for a body.
        Err(_) => 0,
    }
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
    let fault = match &answer {
        Err(Error::Fault(fault)) => Some(fault.what.clone()),
        _ => None,
    };
    let dialect = route.as_ref().map_or_else(|_| routes::dialect(&request.path), Route::dialect);
    let reply = answer.unwrap_or_else(|error| reply::failure(&error, dialect, &request.path, &request.id));
    let reply = finished(index, reply, request, route.as_ref().ok());
    index.world.log(&json!({
        "level": if fault.is_some() { "error" } else { "info" },
        "request": request.id,
        "method": request.method,
        "route": route.as_ref().map_or("none", Route::pattern),
        "status": reply.status,
        "milliseconds": index.world.millis().saturating_sub(begun),
        "round_trips": index.db.trips() + index.search.trips(),
        // Ids only: the user, and the password's epoch or the access token.
        "user": index.asker.get().user(),
        "credential": index.asker.get().to_string(),
        "fault": fault,
    }));
    reply
}

/// What is done every minute.
pub async fn scheduled(index: &Index) {
    projection::scheduled(index).await;
    warnings::scheduled(index).await;
}

/// The answer of the handler. Where the right by which it writes went while it did, it is asked once
/// more, from the beginning: it then reads what is so by now, and refuses by that, or finds another
/// right.
async fn answered(index: &Index, request: &Request, route: &Route) -> Answer<Reply> {
    let answer = handle(index, request, route).await;
    match &answer {
        Err(Error::Fault(fault)) if fault.kind == FaultKind::Stale => handle(index, request, route).await,
        _ => answer,
    }
}

async fn handle(index: &Index, request: &Request, route: &Route) -> Answer<Reply> {
    routes::require_method(route, &request.method)?;
    if request.method == "OPTIONS" {
        return Ok(Reply::empty(204).with("Allow", route.methods().join(", ")));
    }
    // Also where nothing reads it. Not where no body is ever read, nor at /events, whose limit is for registries alone.
    if request.body.is_none() && route.body_limit() > 0 && *route != Route::Events {
        return Err(Refusal::TooLarge.into());
    }
    let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
    match (route, method) {
        (Route::Ping, _) => Ok(v1::ping()),
        (Route::Users, "POST") => v1::users::register(index, request).await,
        (Route::Users, _) => v1::users::login(index, request).await,
        (Route::User(name), _) => v1::users::update(index, request, name).await,
        (Route::Repository(name), "DELETE") => v1::repositories::delete(index, request, name).await,
        (Route::Repository(name), _) => v1::repositories::create(index, request, name).await,
        (Route::Images(name), "PUT") => v1::images::update(index, request, name).await,
        (Route::Images(name), "DELETE") => v1::images::clear(index, request, name).await,
        (Route::Images(name), _) => v1::images::list(index, request, name).await,
        (Route::Auth(name), _) => v1::images::authorize(index, request, name).await,
        (Route::Layer(name, image), _) => v1::images::access(index, request, name, image).await,
        (Route::TagList(name), _) => v1::images::tags(index, request, name).await,
        (Route::Search, _) => v1::search::search(index, request).await,
        (Route::Gate, _) => gate::enter(index, request).await,
        (Route::Catalog, _) => gate::catalog(index, request).await,
        (Route::TagNames(name), _) => gate::tags(index, request, name).await,
        (Route::Manifest | Route::Blob, _) => Err(gate::elsewhere(index, request).into()),
        (Route::Token, "POST") => token::post(index, request).await,
        (Route::Token, _) => token::get(index, request).await,
        (Route::Revocation, _) => revocation::revoke(index, request).await,
        (Route::Keys, _) => Ok(gate::keys(index)?),
        (Route::Description, _) => Ok(description::description()),
        (Route::Events, _) => events::take(index, request).await,
        (Route::Hub(route), method) => hub::handle(index, request, route, method).await,
        (Route::Forgotten, "POST") => account::forgotten(index, request).await,
        (Route::Forgotten, _) => account::forgotten_page(index),
        (Route::Confirm, "POST") => account::confirm(index, request).await,
        (Route::Confirm, _) => Ok(account::confirm_page()),
        (Route::Password, "POST") => account::set_password(index, request).await,
        (Route::Password, _) => Ok(account::password_page(index)),
    }
}

/// What every reply has, and none of them says for itself.
fn finished(index: &Index, reply: Reply, request: &Request, route: Option<&Route>) -> Reply {
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
    let reads = routes::READ.contains(&request.method.as_str());
    // A registry's page in a browser asks for tokens with the password that was typed there: a browser sends none by
    // itself, since it keeps none for the index.
    let gives_tokens = route == Some(&Route::Token);
    // Else never with credentials: a page of another origin reads what anybody may.
    let public = by_anybody && route.is_some_and(|route| route.is_public_read(index.settings.anonymous_read));
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
