//! Who did what in a namespace, for its admins.

use serde_json::Value;

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::{audit::AuditAction, texts, time},
    error::{Result, invalid},
    store::audit::{self, Entry, List},
};

/// Which entries of a log are listed, as the client wrote it; an empty text fits all of them.
#[derive(Default)]
pub struct ListAudit<'a> {
    /// As it is written: `repo.tag.push`.
    pub action: &'a str,
    /// What it was done to, which may have a tag after a colon.
    pub name: &'a str,
    /// The user who did it.
    pub actor: &'a str,
    /// The first moment: `2030-01-02T03:04:05Z`.
    pub from: &'a str,
    /// The last moment.
    pub to: &'a str,
    /// The most entries.
    pub limit: i64,
    /// The number of entries before them.
    pub offset: i64,
}

/// An entry of a log.
pub struct AuditEntry {
    /// Seconds since 1970.
    pub at: i64,
    /// As it is written: `repo.tag.push`.
    pub action: String,
    /// What it was done to.
    pub name: String,
    /// The user; empty for an anonymous request.
    pub actor: String,
    /// The data of the entry by their names, as far as they are not empty; then the credential and the address.
    pub data: Vec<(String, String)>,
    /// All of it in words.
    pub description: String,
}

/// The entries of the log of a namespace, the newest first, for its admins.
pub async fn list(
    ctx: &Context,
    credentials: &Credentials,
    account: &str,
    wanted: &ListAudit<'_>,
) -> Result<(NamespaceGuard, Vec<AuditEntry>)> {
    let moment = |text: &str| Some(text).filter(|text| !text.is_empty()).map(time::parse);
    let (from, to) = (moment(wanted.from), moment(wanted.to));
    let (name, tag) = match wanted.name.split_once(':') {
        Some((name, tag)) => (Some(name), Some(tag)),
        None => (Some(wanted.name).filter(|name| !name.is_empty()), None),
    };
    let list = audit::list(&List {
        account,
        reader: &credentials.subject(ctx),
        action: Some(wanted.action).filter(|action| !action.is_empty()),
        name,
        tag,
        actor: Some(wanted.actor).filter(|actor| !actor.is_empty()),
        from: from.flatten(),
        to: to.flatten(),
        limit: wanted.limit,
        offset: wanted.offset,
    });
    let (guard, entries) = NamespaceGuard::authenticate_with(ctx, credentials, account, list).await?;
    if from == Some(None) || to == Some(None) {
        return invalid("from, to: a time, as 2030-01-02T03:04:05Z");
    }
    guard.require_admin()?;
    Ok((guard, entries.into_iter().map(AuditEntry::new).collect()))
}

impl AuditEntry {
    fn new(entry: Entry) -> Self {
        let mut data = Vec::new();
        if let Ok(Value::Object(object)) = serde_json::from_str(&entry.data) {
            for (name, value) in object {
                data.push((name, value.as_str().map(texts::line).unwrap_or_default()));
            }
        }
        data.push(("credential".into(), entry.credential));
        data.push(("address".into(), entry.address));
        data.retain(|(_, text)| !text.is_empty());
        let words = AuditAction::parse(&entry.action).map_or("did something to", AuditAction::description);
        let mut description = [words, " ", &entry.name].concat();
        for key in ["tag", "digest", "role", "user", "images", "reason"] {
            if let Some((_, text)) = data.iter().find(|(name, _)| name == key) {
                description = description + ", " + key + " " + text;
            }
        }
        let actor = texts::line(&entry.actor);
        Self { at: entry.at, action: entry.action, name: entry.name, actor, data, description }
    }
}
