//! Search learns of changes: after the answer, and again by the scheduled run.

use futures_util::future::join;
use serde_json::json;

use crate::{
    context::Context,
    error::{Fault, Result},
    store::{
        Outcome, Right, Transaction,
        documents::{self, DocumentState},
        health::{self, Heartbeat},
        outbox::{self, Change, PendingChange},
        repositories::Repository,
    },
};

/// News that one round takes.
const ROUND: i64 = 100;

/// Rounds after an answer: what is left waits for the scheduled run.
const ROUNDS_AFTER_ANSWER: usize = 3;

/// Rounds of a scheduled run.
const ROUNDS_SCHEDULED: usize = 50;

/// Repositories that one step of the verification compares, and steps of a scheduled run.
const STEP: i64 = 500;
const STEPS: usize = 20;

/// Writes the documents of what changed, after the answer.
pub fn sync_after_response(ctx: &Context) {
    ctx.run_after_response(|ctx| async move {
        let drained = drain_outbox(&ctx, ROUNDS_AFTER_ANSWER).await;
        ctx.report("tell search what changed", drained.map_err(Into::into));
    });
}

/// Commits a change that removes read access to a repository, and hides the repository from search before responding.
/// Both databases are written in parallel, so the latency is one round trip. If either write fails, the request fails;
/// the writes are idempotent, so a retry completes them, and the scheduled job repairs the search index if no client
/// retries. It also does if the right to the change was revoked meanwhile: for about a minute a repository is missing
/// from the results of users who may still read it.
pub async fn hide_and_commit(
    ctx: &Context,
    right: Right,
    repository: &Repository,
    change: Transaction,
) -> Result<Outcome> {
    let hide = vec![documents::hide(repository.id, repository.revision + 1, ctx.platform.now())];
    let guards = ctx.guards([right]).await?;
    let (hidden, changed) = join(ctx.search.commit_unguarded(hide.into()), ctx.db.commit(guards, change)).await;
    // The change first: if it is stale, that is the answer.
    let changed = changed?;
    hidden?;
    Ok(changed)
}

/// What is done every minute: the rest of the outbox, and a part of the verification.
pub async fn scheduled(ctx: &Context) {
    let drained = drain_outbox(ctx, ROUNDS_SCHEDULED).await;
    ctx.report("tell search what changed", drained.map_err(Into::into));
    let verified = verify(ctx).await;
    ctx.report("verify search", verified.map_err(Into::into));
}

/// Writes the documents of the news in the outbox until it is empty. News is removed only if the repository still is as
/// its document was written; if it changed meanwhile, the document is written again.
async fn drain_outbox(ctx: &Context, rounds: usize) -> Result<(), Fault> {
    for _ in 0..rounds {
        let pending = ctx.db.fetch(outbox::pending(ROUND)).await?;
        if pending.is_empty() {
            break;
        }
        let (written, news): (Vec<_>, Vec<_>) =
            pending.into_iter().map(|PendingChange { outbox_id, news }| ((outbox_id, news.revision), news)).unzip();
        ctx.search.commit_unguarded(documents::write(&news, ctx.platform.now(), &|text| ctx.nfd(text)).into()).await?;
        ctx.db.commit_unguarded(vec![outbox::acknowledge(&written)].into()).await?;
    }
    Ok(())
}

/// Compares the next repositories with their documents, and writes the documents that differ: also from empty.
async fn verify(ctx: &Context) -> Result<(), Fault> {
    let mut cursor = ctx.db.fetch(outbox::cursor()).await?.unwrap_or_default();
    for _ in 0..STEPS {
        let truth = ctx.db.fetch(outbox::repositories_after(cursor, STEP)).await?;
        let full = i64::try_from(truth.len()).is_ok_and(|length| length == STEP);
        let end = truth.last().filter(|_| full).map_or(i64::MAX >> 11, |news| news.repository_id.get());
        let held = ctx.search.fetch(documents::between(cursor, end, ctx.platform.now())).await?;
        let wrong = difference(truth, held);
        if !wrong.is_empty() {
            ctx.platform.log(&json!({ "level": "warning", "doing": "verify search", "mended": wrong.len() }));
            ctx.search
                .commit_unguarded(documents::write(&wrong, ctx.platform.now(), &|text| ctx.nfd(text)).into())
                .await?;
        }
        cursor = if full { end } else { 0 };
        if !full {
            break;
        }
    }
    let verified = health::record(Heartbeat::SearchVerified, ctx.platform.now());
    ctx.db.commit_unguarded(vec![outbox::set_cursor(cursor), verified].into()).await?;
    Ok(())
}

/// The news by which search holds what is true.
fn difference(truth: Vec<Change>, mut held: Vec<DocumentState>) -> Vec<Change> {
    // Both are ordered by id, so that what is looked for is among the first.
    let mut take = |id| held.iter().position(|state| state.id == id).map(|place| held.remove(place));
    let mut wrong = truth
        .into_iter()
        .filter(|news| match take(news.repository_id) {
            // A document ahead of the primary database was hidden for a change that is still to be committed, or never was.
            Some(DocumentState { revision, settled, .. }) => {
                revision < news.revision
                    || settled && revision > news.revision
                    || news.document.is_none() && revision == news.revision
            }
            None => news.document.is_some(),
        })
        .collect::<Vec<_>>();
    let gone = held.iter().map(|state| Change { repository_id: state.id, revision: 0, document: None });
    wrong.extend(gone);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::outbox::Document;

    fn news(id: i64, revision: i64, listed: bool) -> Change {
        let document = listed.then(|| Document {
            namespace: "paul".into(),
            name: "app".into(),
            description: String::new(),
            private: false,
            star_count: 0,
            pushed_at: 0,
        });
        Change { repository_id: id.into(), revision, document }
    }

    fn held(id: i64, revision: i64, settled: bool) -> DocumentState {
        DocumentState { id: id.into(), revision, settled }
    }

    #[test]
    fn verify_repairs_only_settled_differences() {
        let truth = vec![
            news(1, 5, true),
            news(2, 5, true),
            news(3, 5, true),
            news(4, 5, true),
            news(5, 5, true),
            news(6, 5, false),
            news(7, 5, false),
        ];
        let there = [
            held(1, 5, true),  // as it is
            held(2, 4, true),  // older
            held(3, 6, false), // hidden just now
            held(4, 6, true),  // hidden for a change that never came
            held(6, 5, true),  // no longer listed
            held(8, 5, true),  // gone
        ];
        let wrong =
            difference(truth, there.into()).into_iter().map(|news| news.repository_id.get()).collect::<Vec<_>>();
        assert_eq!(wrong, [2, 4, 5, 6, 8]);
    }
}
