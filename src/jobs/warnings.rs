//! What stops soon or has stopped: users are warned of access tokens that end, the operator of a key that cannot sign.

use serde_json::json;

use crate::{
    context::Context,
    domain::{ends::DAY, texts, time},
    error::Result,
    platform::Message,
    store::{
        Transaction,
        ends::{self, EndingToken},
    },
};

/// Tokens of each warning that a scheduled run takes: the rest waits for the next minute.
const STEP: i64 = 10;

/// What is done every minute.
pub async fn scheduled(ctx: &Context) {
    if let Some(problem) = ctx.config.signing_key_problem() {
        ctx.platform.log(&json!({ "level": "error", "setting": problem }));
    }
    ctx.report("warn of access tokens that end", warn(ctx).await);
}

/// Takes the warnings that are due, and logs and mails each. A mail that fails is not sent again: the next warning is.
async fn warn(ctx: &Context) -> Result<()> {
    let now = ctx.platform.now();
    let mut transaction = Transaction::new();
    let steps = ends::due(&mut transaction, now, STEP);
    let mut outcome = ctx.db.commit_unguarded(transaction).await?;
    let mut tokens = Vec::new();
    for step in steps {
        tokens.extend(outcome.take(step)?);
    }
    for token in tokens.iter().filter(|token| token.active) {
        let days = (token.expires_at - now + DAY - 1) / DAY;
        ctx.platform.log(&json!({
            "level": "warning",
            "doing": "warn of the end of an access token",
            "token": token.uuid,
            "user": token.user_id,
            "days": days,
        }));
        if ctx.platform.can_send_mail() {
            for message in messages(token, days) {
                ctx.report("send a mail", ctx.platform.send_mail(&message).await.map_err(Into::into));
            }
        }
    }
    Ok(())
}

/// What is sent about a token.
fn messages(token: &EndingToken, days: i64) -> Vec<Message> {
    let EndingToken { uuid, user_name: name, .. } = token;
    // Any user may have written its label.
    let (label, end) = (texts::line(&token.label), time::format_seconds(token.expires_at));
    let text = format!(
        "The access token \"{label}\" ({uuid}) of {name} ends at {end}, in {days} {}.\n\n\
         What uses it is refused from then on. To renew it, with the same rights and a new secret, see\n\
         POST /v2/access-tokens/{uuid}/renew, or below the service account that it is of; the old secret can\n\
         stay good for up to seven days beside the new one. If nothing needs it, delete it, or do nothing.\n",
        if days == 1 { "day" } else { "days" }
    );
    let subject = format!("An access token of {name} ends soon");
    token.addresses.iter().map(|to| Message { to: to.clone(), subject: subject.clone(), text: text.clone() }).collect()
}
