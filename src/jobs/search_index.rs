//! Search is told of what changed: after the answer, and again by the scheduled run.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::{
    index::Index,
    refusal::{Answer, Fault},
    store::{
        Outcome, Right, Row, Transaction, access_tokens, audit, documents, events, links, login_failures,
        outbox::{self, News},
        refresh_tokens,
        repositories::Repository,
        users,
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

/// Rows of a kind that one step of a scheduled run removes, and steps of a run: together more than a flood of refused
/// passwords leaves in a minute.
const EXPIRED: i64 = 1_000;
const EXPIRED_STEPS: usize = 10;

/// Tells search what changed, after the answer.
pub fn later(index: &Index) {
    let lender = index.clone();
    index.world.later(Box::pin(async move {
        let drained = drain(&lender, ROUNDS_AFTER_ANSWER).await;
        lender.report("tell search what changed", drained.map_err(Into::into));
    }));
}

/// Commits a change after which other users no longer see a repository, and hides its document before the client has the
/// answer. Both databases are written at once, so that the answer waits for one round trip. If one of them fails, it is a
/// fault, whatever the other did: the same request again does what is left, and the scheduled run repairs a document that
/// was hidden too early or not at all. It also does if the right to the change has ended meanwhile: for a minute or so
/// other users do not find what they still may read, and nobody finds more than that.
pub async fn commit_and_hide(
    index: &Index,
    right: Right,
    repository: &Repository,
    change: Transaction,
) -> Answer<Outcome> {
    let hide = vec![documents::hide(repository.id, repository.revision + 1, index.world.now())];
    let guards = index.guards([right]).await?;
    let (hidden, changed) = join(index.search.commit_unguarded(hide.into()), index.db.commit(guards, change)).await;
    // The change first: where it is stale, that is what is to be answered.
    let changed = changed?;
    hidden?;
    Ok(changed)
}

/// What is done every minute: what is left of the above, a part of the verification, and the removal
/// of what has expired.
pub async fn scheduled(index: &Index) {
    let drained = drain(index, ROUNDS_SCHEDULED).await;
    index.report("tell search what changed", drained.map_err(Into::into));
    let verified = verify(index).await;
    index.report("verify search", verified.map_err(Into::into));
    index.report("remove what has expired", expire(index).await);
}

/// Takes news from the outbox until it is empty. News is struck off only where the repository is
/// still what search was told; what changed meanwhile is told again.
async fn drain(index: &Index, rounds: usize) -> Result<(), Fault> {
    for _ in 0..rounds {
        let rows = index.db.last(vec![outbox::pending(ROUND)]).await?;
        let news = rows.iter().map(News::of).collect::<Vec<_>>();
        if news.is_empty() {
            break;
        }
        index.search.write_unguarded(documents::write(&news, index.world.now())).await?;
        let told = news.iter().map(|news| json!([news.outbox_id, news.revision])).collect();
        index.db.write_unguarded(vec![outbox::acknowledge(&Value::Array(told).to_string())]).await?;
    }
    Ok(())
}

/// Compares the next repositories with what search holds, and mends the difference: also from empty.
async fn verify(index: &Index) -> Result<(), Fault> {
    let begun = index.db.last(vec![outbox::cursor()]).await?;
    let mut cursor = begun.first().map_or(0, |row| row.integer("cursor"));
    for _ in 0..STEPS {
        let truth = index.db.last(vec![outbox::repositories_after(cursor, STEP)]).await?;
        let truth = truth.iter().map(News::of).collect::<Vec<_>>();
        let full = i64::try_from(truth.len()).is_ok_and(|length| length == STEP);
        let end = truth.last().filter(|_| full).map_or(i64::MAX >> 11, |news| news.repository_id);
        let held = index.search.last(vec![documents::between(cursor, end, index.world.now())]).await?;
        let wrong = difference(truth, &held);
        if !wrong.is_empty() {
            index.world.log(&json!({ "level": "warning", "doing": "verify search", "mended": wrong.len() }));
            index.search.write_unguarded(documents::write(&wrong, index.world.now())).await?;
        }
        cursor = if full { end } else { 0 };
        if !full {
            break;
        }
    }
    index.db.write_unguarded(vec![outbox::set_cursor(cursor)]).await?;
    Ok(())
}

/// What search must be told so that it holds what is true.
fn difference(truth: Vec<News>, held: &[Row]) -> Vec<News> {
    let mut held = held
        .iter()
        .map(|row| (row.integer("id"), (row.integer("revision"), row.flag("settled"))))
        .collect::<std::collections::BTreeMap<_, _>>();
    let mut wrong = truth
        .into_iter()
        .filter(|news| match held.remove(&news.repository_id) {
            // A document ahead of the truth was hidden for a change that is still on its way, or never came.
            Some((revision, settled)) => {
                revision < news.revision
                    || settled && revision > news.revision
                    || news.document.is_none() && revision == news.revision
            }
            None => news.document.is_some(),
        })
        .collect::<Vec<_>>();
    let gone = held.into_keys().map(|id| News { outbox_id: 0, repository_id: id, revision: 0, document: None });
    wrong.extend(gone);
    wrong
}

/// Removes what has expired, step by step: while one is made, the database answers nobody. The next run goes on with what
/// is left.
async fn expire(index: &Index) -> Answer<()> {
    let (now, settings) = (index.world.now(), &index.settings);
    for _ in 0..EXPIRED_STEPS {
        let mut batch = users::lapse(now, EXPIRED);
        batch.push(links::expire(now, EXPIRED));
        batch.push(login_failures::expire(now, EXPIRED));
        batch.extend(events::expire(now, EXPIRED));
        batch.push(access_tokens::forget_previous(now, EXPIRED));
        batch.push(refresh_tokens::expire(now, settings.refresh_unused, settings.refresh_age, EXPIRED));
        batch.push(audit::expire(now, settings.audit_age, EXPIRED));
        let removed = index.db.write_unguarded(batch).await?;
        if removed.iter().all(|rows| i64::try_from(rows.len()).is_ok_and(|removed| removed < EXPIRED)) {
            return Ok(());
        }
    }
    index.world.log(&json!({ "level": "warning", "doing": "remove what has expired", "left": "more" }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Value as Column, outbox::Document};

    fn news(id: i64, revision: i64, listed: bool) -> News {
        let document = listed.then(|| Document {
            namespace: "paul".into(),
            name: "app".into(),
            description: String::new(),
            private: false,
            star_count: 0,
            pushed_at: 0,
        });
        News { outbox_id: 0, repository_id: id, revision, document }
    }

    fn held(id: i64, revision: i64, settled: bool) -> Row {
        let column = |name: &str, value: i64| (name.to_owned(), Column::Integer(value));
        Row(vec![column("id", id), column("revision", revision), column("settled", settled.into())])
    }

    #[test]
    fn what_differs_is_mended_and_what_is_on_its_way_is_left_alone() {
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
            held(2, 4, true),  // behind
            held(3, 6, false), // hidden just now
            held(4, 6, true),  // hidden for a change that never came
            held(6, 5, true),  // no longer listed
            held(8, 5, true),  // gone
        ];
        let wrong = difference(truth, &there).into_iter().map(|news| news.repository_id).collect::<Vec<_>>();
        assert_eq!(wrong, [2, 4, 5, 6, 8]);
    }
}
