//! The `CloudEvents` of zot.

use serde_json::Value;

use crate::domain::{
    manifests::Content,
    notifications::{Action, CloudEvent, Event, MAX_ID_LENGTH, cut, moment, repository, text},
    registry_token::AuthMethod,
};

/// An event of zot.
pub(super) fn cloud_event(data: &Value, headers: CloudEvent<'_>, now: i64) -> Result<Option<Event>, String> {
    let action = match headers.kind {
        Some("zotregistry.image.updated") => Action::Push,
        Some("zotregistry.image.deleted") => Action::Delete,
        Some("zotregistry.repository.created" | "zotregistry.image.lint_failed") => return Ok(None),
        other => return Err(format!("a CloudEvent of the type {:?}", other.map(|kind| cut(kind, 100)))),
    };
    let reference = text(data, "reference", 200);
    let by_digest = reference.contains(':');
    Event {
        id: cut(headers.id.unwrap_or_default(), MAX_ID_LENGTH + 1),
        action,
        repository: repository(data, "name")?,
        tag: if by_digest { String::new() } else { reference },
        digest: text(data, "digest", 200),
        media_type: text(data, "mediaType", 255),
        content: data.get("manifest").and_then(Value::as_str).map(Content::of_manifest).unwrap_or_default(),
        at: moment(headers.time, now),
        by: String::new(),
        method: AuthMethod::Password,
        address: String::new(),
        imported_at: None,
        configuration: None,
    }
    .checked(false)
}
