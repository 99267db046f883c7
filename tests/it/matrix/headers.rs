//! What the headers of every answer must say.

use hublet::{
    api, routes,
    wire::{Dialect, Request, Response},
};

/// What is wrong with the headers of an answer that came over https, where requests without credentials read what is public,
/// or do not.
pub fn faults(request: &Request, reply: &Response, anonymous_read: bool) -> Vec<&'static str> {
    let route = routes::route(&request.path).ok();
    let has = |name: &str, value: &str| reply.header(name) == Some(value);
    let shown = request.header("authorization").is_some() && request.method != "OPTIONS";
    let about_a_person = shown || reply.status >= 400 || gives(reply);
    let page = routes::dialect(&request.path) == Dialect::Page && !request.path.starts_with("/static/");
    let reads = ["GET", "HEAD", "OPTIONS"].contains(&request.method.as_str());
    let public = route.as_ref().is_some_and(|route| api::path(route).cors.is_public_read(anonymous_read));
    // A registry's page of another origin gets its tokens, with a password that was typed there.
    let gives_tokens = request.path == "/token" && reads;
    let open = gives_tokens || public && reads && request.header("authorization").is_none();
    // A page of another origin reads what anybody does.
    let read = reply.status == 200 && ["GET", "HEAD"].contains(&request.method.as_str());
    let same = keeps_public(&request.path);
    let read_by_anybody = (anonymous_read || same) && read && !page && !shown && !gives(reply);
    let rules = [
        (!read_by_anybody || has("Access-Control-Allow-Origin", "*"), "pages of others do not read what anybody may"),
        (has("X-Content-Type-Options", "nosniff"), "a browser may guess what it is"),
        (reply.header("X-Request-Id").is_some_and(|id| id == request.id), "it has not our name for the request"),
        (has("Strict-Transport-Security", "max-age=31536000"), "it says nothing of https"),
        (
            !about_a_person || keeps_public(&request.path) || has("Cache-Control", "no-store"),
            "what is personal may be kept",
        ),
        (!page || request.method == "OPTIONS" || is_strict(reply), "the page has no strict policy"),
        (reply.header("Access-Control-Allow-Credentials").is_none(), "pages of others come with credentials"),
        (
            has("Access-Control-Allow-Headers", "Authorization") == gives_tokens,
            "pages of others send no password, or too much",
        ),
        (gives_tokens || reply.header("Access-Control-Allow-Headers").is_none(), "pages of others send headers"),
        (has("Access-Control-Allow-Origin", "*") == open, "pages of others read what they should not, or nothing"),
        (
            reply.header("Set-Cookie").is_none_or(|cookie| page && is_strict_cookie(cookie)),
            "there is a cookie, or one that is not strict",
        ),
    ];
    rules.iter().filter(|(holds, _)| !holds).map(|(_, fault)| *fault).collect()
}

/// A cookie that no script reads and no other host gets.
fn is_strict_cookie(cookie: &str) -> bool {
    let says = |word: &str| cookie.split(';').any(|part| part.trim() == word);
    cookie.starts_with("__Host-hublet=") && ["Path=/", "HttpOnly", "Secure", "SameSite=Lax"].into_iter().all(says)
}

/// What is the same for everybody, and says so.
fn keeps_public(path: &str) -> bool {
    ["/v1/_ping", "/.well-known/jwks.json", "/openapi.json", "/favicon.ico", "/robots.txt"].contains(&path)
}

/// Whether it gives a token.
fn gives(reply: &Response) -> bool {
    let body = String::from_utf8_lossy(&reply.body);
    reply.header("X-Docker-Token").is_some() || body.contains("token\":\"")
}

/// A page loads nothing from elsewhere, and has nothing in it that runs.
fn is_strict(reply: &Response) -> bool {
    if reply.status == 303 {
        return reply.body.is_empty();
    }
    let Some(policy) = reply.header("Content-Security-Policy") else { return false };
    let body = String::from_utf8_lossy(&reply.body);
    let says = |word: &str| policy.split(';').any(|part| part.trim() == word);
    let closed = ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"];
    let inline = ["<style", "style=", "<script>", "javascript:"];
    let tags = body.split('<').map(|part| part.split('>').next().unwrap_or_default()).collect::<Vec<_>>();
    let harmless = |tag: &&str| {
        !inline.iter().any(|word| format!("<{tag}>").contains(word))
            && !tag.split(' ').any(|attribute| attribute.starts_with("on") && attribute.contains('='))
    };
    closed.into_iter().all(says) && !policy.contains("unsafe") && tags.iter().all(harmless)
}
