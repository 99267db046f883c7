//! What has expired is removed by the scheduled run.

use serde_json::json;

use crate::{
    index::Index,
    refusal::Answer,
    store::{Transaction, access_tokens, audit, events, links, login_failures, refresh_tokens, refusals, users},
};

/// Rows of a kind that one step of a scheduled run removes, and steps of a run: together more than a flood of refused
/// passwords leaves in a minute.
const MAX_ROWS: i64 = 1_000;
const STEPS: usize = 10;

/// What is done every minute.
pub async fn scheduled(index: &Index) {
    index.report("remove what has expired", expire(index).await);
}

/// Removes what has expired, step by step: during one of them the database answers no request. The next run goes on
/// with the rest.
async fn expire(index: &Index) -> Answer<()> {
    for _ in 0..STEPS {
        if !expire_some(index).await? {
            return Ok(());
        }
    }
    index.world.log(&json!({ "level": "warning", "doing": "remove what has expired", "left": "more" }));
    Ok(())
}

/// Removes some of each kind; returns whether there may be more of one.
async fn expire_some(index: &Index) -> Answer<bool> {
    let (now, settings) = (index.world.now(), &index.settings);
    let mut transaction = Transaction::new();
    let mut steps = Vec::from(users::lapse(&mut transaction, now, MAX_ROWS));
    steps.push(transaction.read(links::expire(now, MAX_ROWS)));
    steps.push(transaction.read(login_failures::expire(now, MAX_ROWS)));
    steps.extend(events::expire(&mut transaction, now, MAX_ROWS));
    steps.push(transaction.read(access_tokens::forget_previous(now, MAX_ROWS)));
    let refresh_tokens = refresh_tokens::expire(now, settings.refresh_unused, settings.refresh_age, MAX_ROWS);
    steps.push(transaction.read(refresh_tokens));
    steps.push(transaction.read(refusals::expire(now, MAX_ROWS)));
    steps.push(transaction.read(audit::expire(now, settings.audit_age, MAX_ROWS)));
    let mut outcome = index.db.commit_unguarded(transaction).await?;
    let mut more = false;
    for step in steps {
        more |= i64::try_from(outcome.take(step)?).is_ok_and(|removed| removed >= MAX_ROWS);
    }
    Ok(more)
}
