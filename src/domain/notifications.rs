//! Notifications of registries: of distribution 2.8 and 3, and the `CloudEvents` of zot.

mod body;
mod reports;
mod zot;

use serde_json::Value;

pub use body::{CloudEvent, parse};
pub use reports::{Named, Report, parse_reports};

use crate::domain::{
    RepositoryName,
    manifests::{Configuration, Content, Image},
    names::LIBRARY,
    registry_token::{self, AuthMethod},
    texts, time,
};

/// The largest size that is kept: JSON and D1 know no larger number exactly.
pub(super) const LARGEST: i64 = 1 << 53;

/// The longest id of an event, in bytes; registries take UUIDs.
const MAX_ID_LENGTH: usize = 100;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A manifest was pushed.
    Push,
    /// A manifest was pulled.
    Pull,
    /// A manifest or a tag was deleted.
    Delete,
}

impl Action {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
            Self::Delete => "delete",
        }
    }
}

/// One event about a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The registry sends the same event again under the same id.
    pub id: String,
    /// What happened.
    pub action: Action,
    /// Where.
    pub repository: RepositoryName,
    /// Empty when it happened by digest, or to the whole repository.
    pub tag: String,
    /// Empty when it happened by tag, or to the whole repository.
    pub digest: String,
    /// Of the manifest.
    pub media_type: String,
    /// What is inside the manifest.
    pub content: Content,
    /// Milliseconds since 1970, by the registry's clock.
    pub at: i64,
    /// The user; empty if the registry does not report one.
    pub by: String,
    /// With what they got our registry token, if it was one of ours.
    pub method: AuthMethod,
    /// The client's address; empty if the registry does not report one.
    pub address: String,
    /// When the tool beside the registry found what it reports, in milliseconds since 1970; `None` of what the registry
    /// reports itself.
    pub imported_at: Option<i64>,
    /// What the tool read of the manifest.
    pub configuration: Option<Configuration>,
}

/// An event of distribution.
fn notification(event: &Value, now: i64) -> Result<Option<Event>, String> {
    let target = event.get("target").unwrap_or(&Value::Null);
    let media_type = text(target, "mediaType", 255);
    let action = match event.get("action").and_then(Value::as_str) {
        // Layers are pushed, pulled and mounted too.
        Some("push" | "pull") if media_type == "application/octet-stream" => return Ok(None),
        Some("mount") => return Ok(None),
        // Nothing was taken: update checkers ask so, and so does a client before it pulls.
        Some("pull") if event.get("request").is_some_and(|request| text(request, "method", 10) == "HEAD") => {
            return Ok(None);
        }
        Some("push") => Action::Push,
        Some("pull") => Action::Pull,
        Some("delete") => Action::Delete,
        other => return Err(format!("an event with the action {:?}", other.map(|action| cut(action, 100)))),
    };
    let subject = event.get("actor").map_or_else(String::new, |actor| text(actor, "name", 255));
    if action == Action::Pull && subject == registry_token::RECONCILER {
        return Ok(None); // the tool beside the registry read it to describe it
    }
    let (by, method) = registry_token::read_subject(&subject);
    let address = event.get("request").map_or_else(String::new, |request| text(request, "addr", 100));
    let (tag, digest) = (text(target, "tag", 200), text(target, "digest", 200));
    let url = text(target, "url", 2_000);
    // Of a whole repository nothing is named.
    let whole =
        action == Action::Delete && url.is_empty() && ["tag", "digest"].iter().all(|name| is_empty(target.get(*name)));
    // Registry 2.0 has the tag in the URL alone.
    let tag = if tag.is_empty() { tag_of(&url, &text(target, "repository", 1_000)).unwrap_or_default() } else { tag };
    Event {
        id: text(event, "id", MAX_ID_LENGTH + 1),
        action,
        repository: repository(target, "repository")?,
        tag,
        digest,
        content: Content::of_references(&media_type, target.get("references")),
        media_type,
        at: moment(event.get("timestamp").and_then(Value::as_str), now),
        by: by.to_owned(),
        method,
        address: without_port(address),
        imported_at: None,
        configuration: None,
    }
    .checked(whole)
}

impl Event {
    /// About how many bytes it has in a list of events.
    #[must_use]
    pub fn size_listed(&self) -> usize {
        const NUMBERS_AND_QUOTES: usize = 120;
        let Self { id, repository, tag, digest, media_type, content, by, address, .. } = self;
        let texts = [id, &repository.namespace, &repository.name, tag, digest, media_type, by, address];
        let image = |image: &Image| {
            let Image { digest, os, architecture, variant } = image;
            digest.len() + os.len() + architecture.len() + variant.len() + 15
        };
        let images = content.images.iter().map(image).sum::<usize>();
        texts.iter().map(|text| text.len()).sum::<usize>() + images + NUMBERS_AND_QUOTES
    }

    fn checked(self, whole: bool) -> Result<Option<Self>, String> {
        if self.id.is_empty() || self.id.len() > MAX_ID_LENGTH {
            return Err(format!("an event with the id {:?}", self.id));
        }
        if self.tag.is_empty() && self.digest.is_empty() && !whole {
            return Err(format!("the event {} names neither a tag nor a digest", self.id));
        }
        if !self.tag.is_empty() && !is_tag(&self.tag) || !self.digest.is_empty() && !is_digest(&self.digest) {
            return Err(format!("the event {} is about {:?} {:?}", self.id, self.tag, self.digest));
        }
        Ok(Some(self))
    }
}

fn repository(target: &Value, field: &str) -> Result<RepositoryName, String> {
    let name = text(target, field, 1_000);
    let (namespace, rest) = name.split_once('/').unwrap_or((LIBRARY, &name));
    RepositoryName::parse(namespace, rest).map_err(|_| format!("an event about the repository {name:?}"))
}

/// As registries have it: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().all(|byte| letter(byte) || b".-".contains(&byte))
        && text.bytes().next().is_some_and(letter)
}

/// Whether a field is empty.
fn is_empty(field: Option<&Value>) -> bool {
    field.is_none_or(|field| field.is_null() || field == "")
}

/// The tag in the URL of a manifest of this repository; a digest is none.
fn tag_of(url: &str, repository: &str) -> Option<String> {
    let (before, tag) = url.rsplit_once("/manifests/")?;
    (before.ends_with(&format!("/v2/{repository}")) && is_tag(tag)).then(|| tag.to_owned())
}

/// An algorithm and a value: `sha256:…`.
pub(super) fn is_digest(text: &str) -> bool {
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+._=-".contains(&byte))
    };
    text.split_once(':').is_some_and(|(algorithm, value)| plain(algorithm) && plain(value))
}

/// A text field, cut where nothing that long means anything.
pub(super) fn text(value: &Value, field: &str, longest: usize) -> String {
    cut(value.get(field).and_then(Value::as_str).unwrap_or_default(), longest)
}

/// At most this number of bytes of a text, without control characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let (text, _) = text.split_at(text.floor_char_boundary(longest));
    texts::line(text)
}

/// The address of a client without its port, if it has one.
fn without_port(address: String) -> String {
    match address.rsplit_once(':') {
        // An IPv6 address has brackets where it has a port.
        Some((host, port)) if port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']')) => {
            host.trim_start_matches('[').trim_end_matches(']').to_owned()
        }
        _ => address,
    }
}

/// A moment that lies ahead would make every later event look old.
fn moment(text: Option<&str>, now: i64) -> i64 {
    text.and_then(time::parse_millis).map_or(now, |at| at.clamp(0, now))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{body::MAX_EVENT_BYTES, *};

    const NOW: i64 = 1_800_000_000_000;

    fn read(body: &[u8], headers: CloudEvent<'_>, now: i64) -> (Vec<Event>, Vec<String>) {
        let (events, odd): (Vec<_>, Vec<_>) = super::parse(body, headers, now).partition(Result::is_ok);
        (events.into_iter().filter_map(Result::ok).collect(), odd.into_iter().filter_map(Result::err).collect())
    }

    #[test]
    fn distribution() {
        let body = br#"{"events":[
            {"id":"1","timestamp":"2026-11-23T19:00:00.5Z","action":"push","target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":527,"length":527,"digest":"sha256:aa","repository":"paul/app","tag":"latest","url":"http://r/"},"actor":{"name":"paul"}},
            {"id":"2","action":"push","target":{"mediaType":"application/octet-stream","digest":"sha256:bb","repository":"paul/app"}},
            {"id":"3","action":"mount","target":{"digest":"sha256:bb","repository":"paul/app"}},
            {"id":"4","action":"delete","target":{"digest":"sha256:aa","repository":"app"}},
            {"id":"1","action":"push","target":{"digest":"sha256:aa","repository":"paul/app"}},
            {"id":"5","action":"dance","target":{}},
            {"id":"6","action":"pull","target":{"repository":"../x","digest":"sha256:aa"}},
            {"id":"7","action":"pull","target":{"repository":"paul/app"}},
            {"action":"pull","target":{"repository":"paul/app","digest":"sha256:aa"}},
            {"id":"8","action":"push","target":{"repository":"paul/app","digest":"sha256:aa","tag":"@sha256:aa"}},
            {"id":"9","action":"pull","target":{"repository":"paul/app","digest":"sha256"}},
            7
        ]}"#;
        let (events, odd) = read(body, CloudEvent::default(), NOW);
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(odd.len(), 7, "{odd:?}");
        let push = &events[0];
        assert_eq!((push.tag.as_str(), push.content.size, push.by.as_str()), ("latest", None, "paul"));
        assert_eq!(push.at, 1_795_460_400_500);
        assert_eq!(events[1].repository.to_string(), "library/app");
        assert_eq!(events[1].at, NOW + 3, "when it came, in the order of the list");
    }

    #[test]
    fn event_names_are_validated() {
        let taken = |target: Value, id: usize| {
            let event = json!({ "id": "i".repeat(id), "action": "push", "target": target });
            let cloud = json!({ "name": "paul/app", "digest": "sha256:aa", "reference": "sha256:aa" });
            let id = "i".repeat(id);
            let headers = CloudEvent { id: Some(&id), kind: Some("zotregistry.image.updated"), time: None };
            let zot = read(cloud.to_string().as_bytes(), headers, NOW).0.len() == 1;
            (read(json!({ "events": [event] }).to_string().as_bytes(), CloudEvent::default(), NOW).0.len() == 1, zot)
        };
        let target = |tag: &str, digest: &str| json!({ "repository": "paul/app", "tag": tag, "digest": digest });
        for (length, good) in [(0, false), (1, true), (MAX_ID_LENGTH, true), (MAX_ID_LENGTH + 1, false)] {
            assert_eq!(taken(target("", "sha256:aa"), length), (good, good), "an id of {length}");
        }
        for (tag, good) in [
            ("_", true),
            ("v1.0-x_y", true),
            (&"t".repeat(128), true),
            (&"t".repeat(129), false),
            (".x", false),
            ("-x", false),
            ("a b", false),
            ("a/b", false),
        ] {
            assert_eq!(taken(target(tag, "sha256:aa"), 1).0, good, "{tag}");
        }
        for (digest, good) in [
            ("sha256:aa", true),
            ("a+b.c:d_e=f-g", true),
            (":aa", false),
            ("sha256:", false),
            ("sha256:a a", false),
            ("sha 256:aa", false),
            ("sha256", false),
        ] {
            assert_eq!(taken(target("", digest), 1).0, good, "{digest}");
        }
    }

    #[test]
    fn future_times_are_clamped_in_order() {
        let ahead = "2999-01-01T00:00:00";
        let push = |at: usize| {
            let target = json!({ "repository": "paul/app", "digest": "sha256:aa", "tag": "1.0" });
            json!({ "id": at.to_string(), "action": "push", "timestamp": format!("{ahead}.{at}Z"), "target": target })
        };
        let body = json!({ "events": [push(1), push(2), push(3)] }).to_string();
        let times =
            read(body.as_bytes(), CloudEvent::default(), NOW).0.iter().map(|event| event.at).collect::<Vec<_>>();
        assert_eq!(times, [NOW, NOW + 1, NOW + 2]);
    }

    #[test]
    fn what_the_tool_beside_a_registry_reads_is_no_pull() {
        let event = |action: &str, actor: &str| {
            let target = json!({ "repository": "paul/app", "digest": "sha256:aa", "tag": "1.0" });
            let event = json!({ "id": "1", "action": action, "target": target, "actor": { "name": actor } });
            read(json!({ "events": [event] }).to_string().as_bytes(), CloudEvent::default(), NOW).0.len()
        };
        assert_eq!((event("pull", "paul"), event("pull", "(reconciler)"), event("delete", "(reconciler)")), (1, 0, 1));
    }

    #[test]
    fn other_registry_versions_are_understood() {
        let read = |event: Value| {
            let (events, odd) = read(json!({ "events": [event] }).to_string().as_bytes(), CloudEvent::default(), NOW);
            (events.into_iter().next(), odd.len())
        };
        let digest = "sha256:aa";
        let pull = |method: &str| {
            let target = json!({ "repository": "paul/app", "digest": digest, "tag": "1.0" });
            read(json!({ "id": "1", "action": "pull", "target": target, "request": { "method": method } }))
        };
        assert_eq!(pull("HEAD"), (None, 0), "it is no news");
        assert!(pull("GET").0.is_some());
        let tag = |url: &str| {
            let target =
                json!({ "repository": "paul/app", "digest": digest, "url": format!("http://r/v2/paul/app/{url}") });
            read(json!({ "id": "1", "action": "push", "target": target })).0.unwrap().tag
        };
        let tags = ["manifests/1.0", "manifests/sha256:aa", "blobs/1.0", "manifests/"].map(tag);
        assert_eq!(tags, ["1.0", "", "", ""]);
        let another =
            json!({ "repository": "paul/app", "digest": digest, "url": "http://r/v2/paul/other/manifests/1.0" });
        assert_eq!(read(json!({ "id": "1", "action": "push", "target": another })).0.unwrap().tag, "");
        let gone = |action: &str, target: Value| read(json!({ "id": "1", "action": action, "target": target }));
        for (target, whole) in [
            (json!({ "repository": "paul/app" }), true),
            (json!({ "repository": "paul/app", "mediaType": "", "digest": "", "size": 0 }), true),
            (json!({ "repository": "paul/app", "digest": 7 }), false),
            (json!({ "digest": "" }), false),
            (json!({ "repository": "paul/app", "url": "http://r/v2/paul/app/blobs/sha256:aa" }), false),
        ] {
            assert_eq!(gone("delete", target.clone()).0.is_some(), whole, "{target}");
            assert_eq!(gone("push", target).1, 1);
        }
    }

    #[test]
    fn zot() {
        let headers =
            CloudEvent { id: Some("a"), kind: Some("zotregistry.image.updated"), time: Some("2026-11-23T19:00:00Z") };
        let body = br#"{"name":"paul/app","reference":"1.0","digest":"sha256:aa","mediaType":"m","manifest":"{\"config\":{\"size\":2},\"layers\":[{\"size\":40}]}"}"#;
        let (events, odd) = read(body, headers, NOW);
        assert!(odd.is_empty(), "{odd:?}");
        assert_eq!((events[0].action, events[0].tag.as_str(), events[0].content.size), (Action::Push, "1.0", Some(42)));
        let structured = br#"{"specversion":"1.0","id":"b","type":"zotregistry.image.deleted","data":{"name":"paul/app","reference":"sha256:aa","digest":"sha256:aa"}}"#;
        let (events, _) = read(structured, CloudEvent::default(), NOW);
        assert_eq!((events[0].action, events[0].tag.as_str()), (Action::Delete, ""));
    }

    #[test]
    fn oversized_event_is_skipped_alone() {
        let event = |id: &str, more: &str| {
            format!(r#"{{"id":"{id}","action":"push","target":{{"repository":"a/b","tag":"c"}},"more":{more}}}"#)
        };
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let long = format!("\"{}\"", "x".repeat(MAX_EVENT_BYTES));
        let list = [event("1", &deep), event("2", &long), event("3", "0")].join(",");
        let (events, odd) = read(format!(r#"{{"events":[{list}]}}"#).as_bytes(), CloudEvent::default(), NOW);
        assert_eq!((events.len(), odd.len()), (1, 2), "{odd:?}");
    }

    #[test]
    fn unknown_event_is_reported() {
        for body in ["", "[]", "{}", "null", r#"{"events":7}"#, r#"{"specversion":"1.0"}"#] {
            let (events, odd) = read(body.as_bytes(), CloudEvent::default(), NOW);
            assert_eq!((events.len(), odd.len()), (0, 1), "{body}");
        }
    }
}
