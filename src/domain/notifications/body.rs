//! What a registry sends, event by event: a list of them is never in memory as a whole.

use std::collections::HashSet;

use serde_json::Value;

use crate::domain::{
    json::{self, Json},
    notifications::{Event, notification, zot::cloud_event},
};

/// The longest event, in bytes: a list of manifests of this length names some hundreds.
pub(super) const MAX_EVENT_BYTES: usize = 512 << 10;

/// The attributes of a `CloudEvent` that stand in headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct CloudEvent<'a> {
    /// `Ce-Id`
    pub id: Option<&'a str>,
    /// `Ce-Type`
    pub kind: Option<&'a str>,
    /// `Ce-Time`
    pub time: Option<&'a str>,
}

/// The events of a body, each one once, and for each one that was not understood the reason, one after the other.
/// Events about blobs, and requests that took nothing, are neither: they are not news. `now` is in milliseconds.
pub fn parse<'a>(
    body: &'a [u8],
    headers: CloudEvent<'a>,
    now: i64,
) -> Box<dyn Iterator<Item = Result<Event, String>> + 'a> {
    let one = |event| Box::new(std::iter::once(event).filter_map(Result::transpose));
    let Some(body) = json::parse(body) else { return one(Err("the body is not JSON".into())) };
    if let Some(list) = json::member(body, "events").and_then(json::elements) {
        let mut ids = HashSet::new();
        // Where a registry's clock is ahead, what came later in the list is still the later.
        let read = move |(at, event)| {
            tree(event, MAX_EVENT_BYTES).and_then(|event| notification(&event, now + at)).transpose()
        };
        let is_new = move |event: &_| match event {
            Ok(Event { id, .. }) => ids.insert(id.clone()),
            Err(_) => true,
        };
        return Box::new((0..).zip(list).filter_map(read).filter(is_new));
    }
    if headers.kind.is_some() {
        return one(tree(body, MAX_EVENT_BYTES).and_then(|data| cloud_event(&data, headers, now)));
    }
    if json::member(body, "specversion").is_none() {
        return one(Err("neither notifications nor a CloudEvent".into()));
    }
    let text = |name: &str| json::member(body, name).and_then(json::value::<String>);
    let [id, kind, time] = ["id", "type", "time"].map(text);
    let headers = CloudEvent { id: id.as_deref(), kind: kind.as_deref(), time: time.as_deref() };
    let data = json::member(body, "data").map_or(Ok(Value::Null), |data| tree(data, MAX_EVENT_BYTES));
    one(data.and_then(|data| cloud_event(&data, headers, now)))
}

/// An event as a tree, which takes many times as much memory.
pub(super) fn tree(event: &Json, most: usize) -> Result<Value, String> {
    let length = event.get().len();
    if length > most {
        return Err(format!("an event of {length} bytes"));
    }
    json::value(event).ok_or_else(|| "an event that is nested too deep, or has what is no text".into())
}
