//! The first request of every client.

use serde_json::json;

use crate::wire::Response;

/// `GET /v1/_ping`
///
/// Without the second header, clients take this host for a registry that needs no index, and never
/// use tokens; without the first, docker before 0.11 goes no further.
#[must_use]
pub fn ping() -> Response {
    Response::json(200, &json!(true))
        .with("X-Docker-Registry-Version", "0.6.0")
        .with("X-Docker-Registry-Standalone", "false")
}
