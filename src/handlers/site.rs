//! What browsers and crawlers ask any site for.

use crate::{
    error::{Result, not_found},
    wire::{Response, html},
};

/// What stands at `/` where there are no pages.
#[must_use]
pub fn front(site: &str) -> Response {
    let text = "Accounts, permissions, tokens and search for a registry. The API is described in /openapi.json.";
    Response::html(200, html::message(site, site, text)).with("Cache-Control", "public, max-age=300")
}

/// `GET /static/{file}`
///
/// Browsers keep it for a year: its name has the hash of what is in it.
pub fn asset(file: &str) -> Result<Response> {
    let Some(asset) = [&html::STYLE, &html::SCRIPT].into_iter().find(|asset| asset.name == file) else {
        return not_found("There is no such file");
    };
    Ok(Response { body: asset.text.as_bytes().to_vec(), ..Response::empty(200) }
        .with("Content-Type", asset.media_type)
        .with("Cache-Control", "public, max-age=31536000, immutable"))
}

/// `GET /favicon.ico`
///
/// There is none, which browsers keep for a day.
#[must_use]
pub fn icon() -> Response {
    Response::empty(204).with("Cache-Control", "public, max-age=86400")
}

/// `GET /robots.txt`
#[must_use]
pub fn robots() -> Response {
    let body = b"User-agent: *\nDisallow: /\n".to_vec();
    Response { body, ..Response::empty(200) }
        .with("Content-Type", "text/plain; charset=utf-8")
        .with("Cache-Control", "public, max-age=86400")
}
