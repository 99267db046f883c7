//! The description of everything that is served, for programs.

use crate::wire::Response;

/// Made of the routes and the pages of the contract by `cargo test --test it openapi::`.
const DESCRIPTION: &str = include_str!("../openapi.json");

/// `GET /openapi.json`
#[must_use]
pub fn document() -> Response {
    Response::raw_json(200, DESCRIPTION.to_owned()).with("Cache-Control", "public, max-age=300")
}
