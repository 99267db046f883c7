//! Access tokens that end soon: whoever keeps them is told before everything that uses them stands still.

use serde_json::json;

use crate::{
    domain::{ends::DAY, texts, time},
    index::{Index, Message},
    refusal::Answer,
    store::{Row, ends},
};

/// Tokens of each warning that a scheduled run takes: the rest waits for the next minute.
const STEP: i64 = 10;

/// What is done every minute.
pub async fn scheduled(index: &Index) {
    index.report("warn of access tokens that end", warn(index).await);
}

/// Takes the warnings that are due, and tells of each. A mail that fails is not sent again: the next warning is.
async fn warn(index: &Index) -> Answer<()> {
    let now = index.world.now();
    let answers = index.db.write_unguarded(ends::due(now, STEP)).await?;
    for row in answers.iter().flatten().filter(|row| row.flag("is_active")) {
        let days = (row.integer("expires_at") - now + DAY - 1) / DAY;
        index.world.log(&json!({
            "level": "warning",
            "doing": "warn of the end of an access token",
            "token": row.text("uuid"),
            "user": row.integer("user_id"),
            "days": days,
        }));
        if index.world.mails() {
            for message in messages(row, days) {
                index.report("send a mail", index.world.mail(&message).await.map_err(Into::into));
            }
        }
    }
    Ok(())
}

/// What is sent about a token.
fn messages(row: &Row, days: i64) -> Vec<Message> {
    let addresses = serde_json::from_str::<Vec<String>>(row.text("addresses")).unwrap_or_default();
    // Its label is anybody's text.
    let label = texts::line(row.text("label"));
    let (name, uuid, end) = (row.text("user_name"), row.text("uuid"), time::print_seconds(row.integer("expires_at")));
    let text = format!(
        "The access token \"{label}\" ({uuid}) of {name} ends at {end}, in {days} {}.\n\n\
         What uses it is refused from then on. To renew it, with the same rights and a new secret, see\n\
         POST /v2/access-tokens/{uuid}/renew, or below the service account that it is of; the old secret can\n\
         stay good for up to seven days beside the new one. If nothing needs it, delete it, or do nothing.\n",
        if days == 1 { "day" } else { "days" }
    );
    let subject = format!("An access token of {name} ends soon");
    addresses.into_iter().map(|to| Message { to, subject: subject.clone(), text: text.clone() }).collect()
}
