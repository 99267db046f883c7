//! What the response to a deletion says of the registry, which holds the bytes.

use serde_json::json;

use crate::wire::Response;

/// The tool beside the registry deletes it there.
const PENDING: &str = "The registry deletes it at the next run of `registry reconcile` beside it";

/// There is none.
const FORGOTTEN: &str = "Removed from this index alone: the registry keeps it, and serves it to who may pull there";

/// The response, by whether a tool was asked to delete it from a registry.
#[must_use]
pub fn deleted(requested: bool, status: u16) -> Response {
    let (state, message) = if requested { ("pending", PENDING) } else { ("forgotten", FORGOTTEN) };
    Response::json(status, &json!({ "status": state, "message": message })).no_store()
}
