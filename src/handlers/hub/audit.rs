//! Who did what in a namespace, for its admins.

use serde_json::{Map, Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::{
        audit::{AuditAction, GROUPS},
        time,
    },
    error::Result,
    handlers::hub::{Pagination, query_parameter},
    operations::audit::{self, AuditEntry, ListAudit},
    wire::{Request, Response},
};

/// Entries of a page, if the client does not set it: as on the Hub.
const DEFAULT_PAGE_SIZE: i64 = 25;

/// `GET /v2/auditlogs/{account}?action=&name=&actor=&from=&to=&page=&page_size=`
///
/// The newest first. A `name` may have a tag after a colon.
pub async fn list(ctx: &Context, request: &Request, credentials: &Credentials, account: &str) -> Result<Response> {
    let text = |name: &str| query_parameter(request, name).unwrap_or_default();
    let page = Pagination::with_default_size(request, DEFAULT_PAGE_SIZE);
    let wanted = ListAudit {
        action: &text("action"),
        name: &text("name"),
        actor: &text("actor"),
        from: &text("from"),
        to: &text("to"),
        limit: page.size,
        offset: page.offset(),
    };
    let (_, entries) = audit::list(ctx, credentials, account, &wanted).await?;
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
fn to_json(account: &str, entry: &AuditEntry) -> Value {
    let data = entry.data.iter().map(|(name, text)| (name.clone(), text.as_str().into()));
    json!({
        "account": account,
        "action": entry.action,
        "name": entry.name,
        "actor": entry.actor,
        "data": data.collect::<Map<String, Value>>(),
        "timestamp": time::format_rfc3339(entry.at),
        "action_description": entry.description,
    })
}
