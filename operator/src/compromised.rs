//! What is done when a secret leaked.

use hublet::{
    domain::time,
    store::{Query, Row, Statement, Transaction, administration, links},
};

use crate::{Failure, Operator, Output, Result, Words};

/// What the account did, with the command that undoes each: of the user `?1` at `?2`, since `?3`.
const FOUND: &str = include_str!("compromised.sql");

/// How far back it looks, where nothing else is asked for.
const SINCE: &str = "7d";

/// What `--since` says: a time, or hours or days before `now`.
fn since(text: &str, now: i64) -> Result<i64> {
    let ago = |suffix, seconds| {
        let number = text.strip_suffix(suffix).filter(|number| (1..=5).contains(&number.len()))?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        Some(now - number.parse::<i64>().ok().filter(|_| plain)? * seconds)
    };
    ago('h', 3_600)
        .or_else(|| ago('d', 86_400))
        .or_else(|| time::parse(text))
        .ok_or_else(|| Failure::Invalid("--since is 36h, 7d, or a time such as 2026-11-20T08:00:00Z".to_owned()))
}

/// `compromised NAME`
pub async fn compromised(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.user("NAME")?;
    let since = since(operator.flags.since.as_deref().unwrap_or(SINCE), operator.now)?;
    let user = operator.require_user(&name).await?;
    let mut transaction = Transaction::new();
    transaction.run(administration::end_sessions(&user, true, &operator.by));
    transaction.run(administration::record_addresses(user.id, since, &operator.by));
    let mut notes = Vec::new();
    if !user.machine {
        let (secret, hash) = operator.link_secret()?;
        transaction.run(links::insert_password_link(&user.name, &hash, &operator.by));
        notes.push(operator.link(&secret));
    }
    let found = Statement::new(FOUND).bind(user.name.as_str()).bind(operator.now).bind(since);
    let found = transaction.read(Query::<Vec<Row>>::all(found));
    // They go once they are printed.
    transaction.run([administration::remove_addresses(user.id, since).into()]);
    Ok(Output { rows: operator.commit(transaction).await?.take(found)?, notes, ..Output::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_or_a_duration() {
        let now = 1_800_000_000;
        for (text, moment) in [("36h", now - 129_600), ("7d", now - 604_800), ("2027-01-15T08:00:00Z", now)] {
            assert_eq!(since(text, now).unwrap(), moment);
        }
        for text in ["", "7", "d", "-1d", "+1d", "07d", "7w", "yesterday", "2027-01-15", "2027-13-15T08:00:00Z"] {
            assert!(since(text, now).is_err(), "{text}");
        }
    }
}
