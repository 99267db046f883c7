//! What the tool beside a registry reports: what it found there, and what became of deletions.

use serde_json::Value;

use crate::domain::{
    RepositoryName, json,
    manifests::Configuration,
    notifications::{Action, Event, body::tree, is_tag, notification, repository, text},
    registry_token::AuthMethod,
};

/// Who the audit has for what the tool reports: a user cannot have this name.
const TOOL: &str = "(imported)";

/// The longest report, in bytes: an index of some eighty images.
const MAX_REPORT_BYTES: usize = 20 << 10;

/// The longest reason, in bytes.
const MAX_REASON_LENGTH: usize = 200;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A tag or a manifest is there, or a tag or a whole repository is not.
    Found(Box<Event>),
    /// This tag is to be deleted: `prune` chose it.
    Request(Named),
    /// A deletion was not done, for this reason.
    Refuse(Named, String),
}

/// A tag, or a whole repository where it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The repository.
    pub repository: RepositoryName,
    /// The tag.
    pub tag: String,
}

/// The reports of a body, one after the other, and the reason for each one that was not understood. `now` is in
/// milliseconds.
pub fn parse_reports(body: &[u8], now: i64) -> impl Iterator<Item = Result<Report, String>> + '_ {
    let list = json::parse(body).and_then(|body| json::member(body, "events")).and_then(json::elements);
    let missing = list.is_none().then(|| Err("the body has no list of events".to_owned()));
    let read = move |(at, event)| tree(event, MAX_REPORT_BYTES).and_then(|event| report(&event, now + at)).transpose();
    missing.into_iter().chain((0..).zip(list.into_iter().flatten()).filter_map(read))
}

fn report(event: &Value, now: i64) -> Result<Option<Report>, String> {
    let target = event.get("target").unwrap_or(&Value::Null);
    match event.get("action").and_then(Value::as_str) {
        Some("request") => {
            let named = named(target)?;
            let is_tag = !named.tag.is_empty();
            is_tag.then_some(Some(Report::Request(named))).ok_or_else(|| "a request without a tag".into())
        }
        Some("keep") => Ok(Some(Report::Refuse(named(target)?, text(event, "reason", MAX_REASON_LENGTH)))),
        _ => {
            let Some(found) = notification(event, now)? else { return Ok(None) };
            if found.action == Action::Pull {
                return Err("a pull, of which a tool knows nothing".into());
            }
            let configuration = Configuration::of_target(target, now);
            let (by, method, address) = (TOOL.to_owned(), AuthMethod::Password, String::new());
            let imported_at = Some(now);
            Ok(Some(Report::Found(Box::new(Event { by, method, address, imported_at, configuration, ..found }))))
        }
    }
}

fn named(target: &Value) -> Result<Named, String> {
    let tag = text(target, "tag", 200);
    if !tag.is_empty() && !is_tag(&tag) {
        return Err(format!("a report about the tag {tag:?}"));
    }
    Ok(Named { repository: repository(target, "repository")?, tag })
}
