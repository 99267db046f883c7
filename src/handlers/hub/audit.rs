//! Who did what in a namespace, for its admins.

use serde_json::{Map, Value, json};

use crate::{
    auth::{Credentials, NamespaceGuard},
    context::Context,
    domain::{
        audit::{AuditAction, GROUPS},
        texts, time,
    },
    error::{Result, invalid},
    handlers::hub::{Pagination, query_parameter},
    store::audit::{self, Entry, List},
    wire::{Request, Response},
};

/// Entries of a page, if the client does not set it: as on the Hub.
const DEFAULT_PAGE_SIZE: i64 = 25;

/// `GET /v2/auditlogs/{account}?action=&name=&actor=&from=&to=&page=&page_size=`
///
/// The newest first. A `name` may have a tag after a colon.
pub async fn list(ctx: &Context, request: &Request, credentials: &Credentials, account: &str) -> Result<Response> {
    let text = |name: &str| query_parameter(request, name).filter(|value| !value.is_empty());
    let (action, name, actor) = (text("action"), text("name"), text("actor"));
    let moment = |name: &str| text(name).map(|text| time::parse(&text));
    let (from, to) = (moment("from"), moment("to"));
    let (name, tag) = match name.as_deref().and_then(|name| name.split_once(':')) {
        Some((name, tag)) => (Some(name), Some(tag)),
        None => (name.as_deref(), None),
    };
    let page = Pagination::with_default_size(request, DEFAULT_PAGE_SIZE);
    let list = audit::list(&List {
        account,
        reader: &credentials.subject(ctx),
        action: action.as_deref(),
        name,
        tag,
        actor: actor.as_deref(),
        from: from.flatten(),
        to: to.flatten(),
        limit: page.size,
        offset: page.offset(),
    });
    let (guard, entries) = NamespaceGuard::authenticate_with(ctx, credentials, account, list).await?;
    if from == Some(None) || to == Some(None) {
        return invalid("from, to: a time, as 2030-01-02T03:04:05Z");
    }
    guard.require_admin()?;
    let logs = entries.iter().map(|entry| to_json(account, entry)).collect::<Vec<_>>();
    Ok(Response::json(200, &json!({ "logs": logs })).no_store())
}

/// `GET /v2/auditlogs/{account}/actions`
///
/// The same for every account.
pub async fn actions(ctx: &Context, credentials: &Credentials) -> Result<Response> {
    credentials.authenticate(ctx).await?;
    let group = |(group, label): (&str, &str)| {
        let actions = AuditAction::ALL.iter().filter_map(|action| {
            let (of, name) = action.group_and_name();
            (of == group).then(|| json!({ "name": name, "description": action.description(), "label": name }))
        });
        (group.to_owned(), json!({ "label": label, "actions": actions.collect::<Vec<_>>() }))
    };
    let groups = GROUPS.into_iter().map(group).collect::<Map<String, Value>>();
    Ok(Response::json(200, &json!({ "actions": groups })).no_store())
}

/// An entry in the form of the Hub; `data` has the credential and the address too.
fn to_json(account: &str, entry: &Entry) -> Value {
    let mut data = match serde_json::from_str(&entry.data) {
        Ok(Value::Object(data)) => data,
        _ => Map::new(),
    };
    for value in data.values_mut() {
        *value = value.as_str().map(texts::line).into();
    }
    data.insert("credential".into(), entry.credential.as_str().into());
    data.insert("address".into(), entry.address.as_str().into());
    data.retain(|_, value| value.as_str().is_some_and(|text| !text.is_empty()));
    let words = AuditAction::parse(&entry.action).map_or("did something to", AuditAction::description);
    let mut description = [words, " ", &entry.name].concat();
    for key in ["tag", "digest", "role", "user", "images", "reason"] {
        if let Some(Value::String(text)) = data.get(key) {
            description = description + ", " + key + " " + text;
        }
    }
    json!({
        "account": account,
        "action": entry.action,
        "name": entry.name,
        "actor": texts::line(&entry.actor),
        "data": data,
        "timestamp": time::format_rfc3339(entry.at),
        "action_description": description,
    })
}
