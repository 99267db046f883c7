//! What browsers and crawlers ask any site for.

use crate::{
    config::VERSION,
    wire::{Response, html},
};

/// `GET /`
#[must_use]
pub fn page() -> Response {
    Response::html(200, html::front(VERSION)).with("Cache-Control", "public, max-age=300")
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
