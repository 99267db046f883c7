//! What the tool beside a registry compares that with, and what it found: hublet itself never connects to a registry.

use serde_json::{Map, Value, json};

use crate::{
    auth::reconciler,
    context::Context,
    domain::{
        notifications::{Report, parse_reports},
        texts, time,
    },
    error::{Refusal, Result, invalid},
    jobs::search_index,
    store::{
        Transaction,
        deletions::Deletion,
        events,
        reconcilers::{self, ComparedTag, MAX_DELETIONS, MAX_TAGS},
    },
    wire::{Request, Response},
};

/// Between a repository and a tag in what says where the next page begins: neither has one.
const SEPARATOR: char = ':';

/// The most reports of one request: each takes many times the bytes of its text.
const MAX_REPORTS: usize = 500;

/// The reasons of reports that were not understood, in the response; of all of them it has the number.
const SHOWN: usize = 20;

/// `GET /reconciler?n=&last=`
///
/// The tags of the registry, and on the first page what is to be deleted there.
pub async fn compare(ctx: &Context, request: &Request) -> Result<Response> {
    let parameters = request.parameters();
    let parameter = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let last = parameter("last");
    let limit = parameter("n").and_then(|n| n.parse().ok()).unwrap_or(MAX_TAGS).clamp(1, MAX_TAGS);
    let (repository, tag) = last.and_then(|last| last.split_once(SEPARATOR)).unwrap_or_default();
    let read = |hash: &str| {
        let deletions = last.is_none().then(|| reconcilers::deletions(hash, MAX_DELETIONS));
        (reconcilers::tags(hash, (repository, tag), limit), deletions)
    };
    let (reconciler, (tags, deletions)) = reconciler::authenticate(ctx, request, read).await?;
    let full = usize::try_from(limit).is_ok_and(|most| tags.len() == most);
    let next = tags.last().filter(|_| full).map(|last| format!("{}{SEPARATOR}{}", last.repository, last.name));
    let mut body = Map::new();
    body.insert("service".into(), reconciler.service.into());
    body.insert("watched_since".into(), time::format_seconds(reconciler.created_at).into());
    body.insert("tags".into(), tags.iter().map(compared).collect());
    body.insert("next".into(), next.into());
    if let Some(deletions) = deletions {
        body.insert("deletions".into(), deletions.iter().map(requested).collect());
    }
    Ok(Response::json(200, &Value::Object(body)).no_store())
}

fn compared(tag: &ComparedTag) -> Value {
    json!({
        "repository": tag.repository,
        "tag": tag.name,
        "digest": tag.digest,
        "pushed_at": time::format_rfc3339_ms(tag.pushed_at),
        "pulled_at": tag.pulled_at.map(time::format_rfc3339_ms),
        "imported_at": tag.imported_at.map(time::format_rfc3339_ms),
        "described": tag.described,
    })
}

fn requested(deletion: &Deletion) -> Value {
    json!({
        "repository": deletion.repository,
        "tag": deletion.tag,
        "digest": deletion.digest,
        "requested_at": time::format_rfc3339_ms(deletion.requested_at),
    })
}

/// `POST /reconciler`
///
/// What the tool found, chose to delete, or could not delete. It makes no namespace, gives no role, and counts no pull.
pub async fn report(ctx: &Context, request: &Request) -> Result<Response> {
    let (reconciler, ()) = reconciler::authenticate(ctx, request, |_| ()).await?;
    let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
    let (now, millis) = (ctx.platform.now(), ctx.platform.now_ms().cast_signed());
    let (mut found, mut requests, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    let (mut reasons, mut odd) = (Vec::new(), 0_usize);
    for (number, report) in parse_reports(body, millis).enumerate() {
        if number == MAX_REPORTS {
            return invalid(format!("At most {MAX_REPORTS} reports"));
        }
        match report {
            Ok(Report::Found(event)) => found.push(*event),
            Ok(Report::Request(named)) => requests.push(named),
            Ok(Report::Refuse(named, reason)) => refusals.push((named, reason)),
            Err(reason) => {
                odd += 1;
                if odd <= SHOWN {
                    reasons.push(texts::line(&reason));
                }
            }
        }
    }
    let mut transaction = Transaction::from(vec![reconcilers::guard(&reconciler)]);
    let private = ctx.config.private_by_default;
    let unknown = events::take(&mut transaction, &found, &reconciler.service, private, now);
    transaction.run(reconcilers::answer(&reconciler.service, &requests, &refusals, now, millis));
    let unknown = ctx.db.commit_unguarded(transaction).await?.take(unknown)?;
    search_index::sync_after_response(ctx);
    let taken = found.len() + requests.len() + refusals.len();
    let body = json!({
        "taken": taken, "not_understood": odd, "reasons": reasons, "no_such_namespace": unknown,
    });
    Ok(Response::json(200, &body).no_store())
}
