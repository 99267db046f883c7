//! Who did what in a namespace: a list with filters, and the same as a file.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::json;

use crate::{
    auth::Credentials,
    context::Context,
    domain::{
        audit::{AuditAction, GROUPS},
        texts, time as times,
    },
    error::Result,
    handlers::pages,
    operations::audit::{self, AuditEntry, ListAudit},
    wire::{
        Form, Request, Response,
        html::{encoded, neighbours, time},
    },
};

/// The most entries in a file.
const MAX_ROWS: i64 = 1_000;

/// The filters, as fields of the query.
const FILTERS: [&str; 5] = ["actor", "action", "name", "from", "to"];

/// `GET /r/{namespace}/-/audit?actor=&action=&name=&from=&to=&page=&format=`
///
/// The newest first. `from` and `to` are days, or times; `format` is `csv` or `jsonl`, for a file of at most 1,000
/// entries.
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let (query, number) = (Form::of_query(request), pages::page_number(request));
    let (from, to) = (moment(query.text("from"), "T00:00:00Z"), moment(query.text("to"), "T23:59:59Z"));
    let file = Some(query.text("format")).filter(|format| ["csv", "jsonl"].contains(format));
    // One more than is listed: see `pages::cut`.
    let (limit, offset) = match file {
        Some(_) => (MAX_ROWS, 0),
        None => (pages::PAGE_SIZE + 1, (number - 1) * pages::PAGE_SIZE),
    };
    let wanted = ListAudit {
        action: query.text("action"),
        name: query.text("name"),
        actor: query.text("actor"),
        from: &from,
        to: &to,
        limit,
        offset,
    };
    let listed = audit::list(ctx, credentials, namespace, &wanted).await;
    let ((guard, mut entries), refused) = match pages::beside_form(listed)? {
        Ok(listed) => (listed, None),
        Err(refused) => {
            let without = ListAudit { from: "", to: "", ..wanted };
            (audit::list(ctx, credentials, namespace, &without).await?, Some(refused))
        }
    };
    match file {
        _ if refused.is_some() => {}
        Some("csv") => return Ok(attachment(namespace, "csv", "text/csv; charset=utf-8", csv(&entries))),
        Some(_) => return Ok(attachment(namespace, "jsonl", "application/jsonl", json_lines(&entries))),
        None => {}
    }
    let more = pages::cut(&mut entries);
    let (title, path) = (format!("{namespace}: audit"), format!("/r/{namespace}/-/audit"));
    let mut frame = pages::administrated(ctx, &guard.principal, namespace, &title, &path);
    frame.error = refused.as_ref().map(|(_, reason)| reason.as_str());
    let filters = FILTERS.map(|name| format!("{name}={}&", encoded(query.text(name)))).concat();
    let base = format!("{path}?{filters}");
    Ok(frame.response(
        refused.as_ref().map_or(200, |(status, _)| *status),
        &html! {
            (filter(&query))
            table {
                caption { "Who did what, the newest first" }
                thead {
                    tr {
                        th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" }
                        th scope="col" { "With" } th scope="col" { "From" }
                    }
                }
                tbody { @for entry in &entries { (row(entry)) } }
            }
            @if entries.is_empty() { p.hint { "Nothing fits." } }
            (neighbours(&base, number, more))
            p {
                "The newest " (MAX_ROWS) " as a file: "
                a href=(format!("{base}format=csv")) download { "CSV" } ", "
                a href=(format!("{base}format=jsonl")) download { "JSON lines" }
            }
        },
    ))
}

/// A time of a day, where a day was chosen.
fn moment(text: &str, of_day: &str) -> String {
    if text.len() == 10 { format!("{text}{of_day}") } else { text.to_owned() }
}

fn filter(query: &Form) -> Markup {
    let chosen = query.text("action");
    html! {
        form.filter {
            label { "Who " input name="actor" value=(query.text("actor")) maxlength="64" autocapitalize="none"; }
            label {
                "did "
                select name="action" {
                    option value="" { "anything" }
                    @for (group, label) in GROUPS {
                        optgroup label=(label) {
                            @for action in AuditAction::ALL.iter().filter(|action| action.group_and_name().0 == group) {
                                option value=(action.as_str()) selected[action.as_str() == chosen] { (action.description()) }
                            }
                        }
                    }
                }
            }
            label { "to " input name="name" value=(query.text("name")) maxlength="512" autocapitalize="none" aria-describedby="what"; }
            label { "from " input type="date" name="from" value=(query.text("from")); }
            label { "to " input type="date" name="to" value=(query.text("to")); }
            button { "Show" }
            p.hint id="what" { "To what: a repository with its namespace, perhaps with a tag behind a colon, or a user. Days are in UTC." }
        }
    }
}

/// A text of the data of an entry; empty if there is none.
fn data<'a>(entry: &'a AuditEntry, key: &str) -> &'a str {
    entry.data.iter().find(|(name, _)| name == key).map_or("", |(_, text)| text)
}

fn row(entry: &AuditEntry) -> Markup {
    html! {
        tr {
            td { (time(entry.at)) }
            th scope="row" { @if entry.actor.is_empty() { "not logged in" } @else { (entry.actor) } }
            td.long { (texts::line(&entry.description)) }
            td { (data(entry, "credential")) }
            td { (data(entry, "address")) }
        }
    }
}

/// A file that a browser keeps.
fn attachment(namespace: &str, extension: &str, media_type: &str, text: String) -> Response {
    let name = namespace.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter));
    let name = format!("audit-{}.{extension}", name.collect::<String>());
    let response =
        Response { status: 200, headers: vec![("Content-Type", media_type.to_owned())], body: text.into_bytes() };
    response.with("Content-Disposition", format!("attachment; filename=\"{name}\"")).no_store()
}

fn csv(entries: &[AuditEntry]) -> String {
    let mut text = "timestamp,actor,action,name,credential,address,description\r\n".to_owned();
    for entry in entries {
        let at = times::format_seconds(entry.at);
        let cells = [
            at.as_str(),
            &entry.actor,
            &entry.action,
            &entry.name,
            data(entry, "credential"),
            data(entry, "address"),
            &entry.description,
        ];
        text.push_str(&cells.map(cell).join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell that a spreadsheet takes for no formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn json_lines(entries: &[AuditEntry]) -> String {
    let line = |entry: &AuditEntry| {
        let value = json!({
            "timestamp": times::format_seconds(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "name": entry.name,
            "data": entry.data.iter().cloned().collect::<BTreeMap<_, _>>(),
            "description": entry.description,
        });
        format!("{value}\n")
    };
    entries.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_formulas() {
        for (text, expected) in [
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-1", "\"'-1\""),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("", "\"\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn day_begins_and_ends() {
        assert_eq!(moment("2030-01-02", "T00:00:00Z"), "2030-01-02T00:00:00Z");
        assert_eq!(moment("2030-01-02T03:04:05Z", "T00:00:00Z"), "2030-01-02T03:04:05Z");
        assert_eq!(moment("", "T00:00:00Z"), "");
    }
}
