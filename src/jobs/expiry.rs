//! What has expired is removed by the scheduled run.

use serde_json::json;

use crate::{
    context::Context,
    error::Result,
    store::{
        Transaction, access_tokens, audit, events,
        health::{self, Heartbeat},
        links, login_failures, refresh_tokens, refusals, users,
    },
};

/// Rows of a kind that one step of a scheduled run removes, and steps of a run: together more than a flood of refused
/// passwords leaves in a minute.
const MAX_ROWS: i64 = 1_000;
const STEPS: usize = 10;

/// What is done every minute.
pub async fn scheduled(ctx: &Context) {
    ctx.report("remove what has expired", expire(ctx).await);
}

/// Removes what has expired, step by step: during one of them the database answers no request. The next run goes on
/// with the rest.
async fn expire(ctx: &Context) -> Result<()> {
    for _ in 0..STEPS {
        if !expire_some(ctx).await? {
            return Ok(());
        }
    }
    ctx.platform.log(&json!({ "level": "warning", "doing": "remove what has expired", "left": "more" }));
    Ok(())
}

/// Removes some of each kind; returns whether there may be more of one.
async fn expire_some(ctx: &Context) -> Result<bool> {
    let (now, config) = (ctx.platform.now(), &ctx.config);
    let mut transaction = Transaction::new();
    let mut steps = Vec::from(users::expire_unconfirmed(&mut transaction, now, MAX_ROWS));
    steps.push(transaction.read(links::expire(now, MAX_ROWS)));
    steps.push(transaction.read(login_failures::expire(now, MAX_ROWS)));
    steps.extend(events::expire(&mut transaction, now, MAX_ROWS));
    steps.push(transaction.read(access_tokens::forget_previous(now, MAX_ROWS)));
    let refresh_tokens = refresh_tokens::expire(now, config.refresh_unused, config.refresh_age, MAX_ROWS);
    steps.push(transaction.read(refresh_tokens));
    steps.push(transaction.read(refusals::expire(now, MAX_ROWS)));
    steps.push(transaction.read(audit::expire(now, config.audit_age, MAX_ROWS)));
    transaction.run([health::record(Heartbeat::ScheduledRun, now)]);
    let mut outcome = ctx.db.commit_unguarded(transaction).await?;
    let mut more = false;
    for step in steps {
        more |= i64::try_from(outcome.take(step)?).is_ok_and(|removed| removed >= MAX_ROWS);
    }
    Ok(more)
}
