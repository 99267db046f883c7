//! What is done when a secret leaked.

use hublet::{
    domain::{audit::AuditAction, time},
    store::{
        Query, Row, Statement, Transaction,
        audit::{self, Account},
    },
};

use crate::{Failure, Operator, Output, Result, Words, passwords};

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
    let of_user = |sql| Statement::new(sql).bind(user.id);
    let mut transaction = Transaction::new();
    transaction.run([
        of_user("update users set epoch = epoch + 1, password = null where id = ?1"),
        audit::record(&operator.by, AuditAction::UserSessionsEnd, Account::Of(user.id), &user.name, &[]),
        of_user("delete from refresh_tokens where user_id = ?1"),
        // Its access tokens, and those of the service accounts of its own namespace.
        of_user(
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?2, coalesce(u.machine_of, (select id from namespaces where owner_id = u.id)),
               'org.access_token.delete', t.uuid, 'operator', '', '', json_object('user', u.name)
             from access_tokens t join users u on u.id = t.user_id
             where u.id = ?1 or u.machine_of = (select id from namespaces where owner_id = ?1)",
        )
        .bind(operator.now),
        of_user(
            "delete from access_tokens where user_id in (
               select id from users where id = ?1 or machine_of = (select id from namespaces where owner_id = ?1))",
        ),
        // Whatever confirms an address or sets the password; addresses that came, or were confirmed, since then; and
        // kinds of client that were new since then, of which the owner is warned again.
        of_user("delete from links where user_id = ?1"),
        of_user(
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?2, (select id from namespaces where owner_id = u.id), 'user.email.remove', u.name, 'operator', '', '',
               json_object('email', substr(e.address, 1, 1) || '***' || substr(e.address, instr(e.address, '@')))
             from users u join emails e on e.user_id = u.id
             where u.id = ?1 and max(e.created_at, ifnull(e.confirmed_at, 0), ifnull(e.proved_at, 0)) >= ?3",
        )
        .bind(operator.now)
        .bind(since),
        of_user("delete from clients where user_id = ?1 and first_at >= ?2").bind(since),
    ]);
    let mut notes = Vec::new();
    if !user.machine {
        let (secret, hash) = operator.link_secret()?;
        transaction.run(passwords::link(operator, &user.name, &hash));
        notes.push(operator.link(&secret));
    }
    let found = Statement::new(FOUND).bind(user.name.as_str()).bind(operator.now).bind(since);
    let found = transaction.read(Query::<Vec<Row>>::all(found));
    // They go once they are printed: the audit has no address in full.
    transaction.run([of_user(
        "delete from emails where user_id = ?1
           and max(created_at, ifnull(confirmed_at, 0), ifnull(proved_at, 0)) >= ?2",
    )
    .bind(since)]);
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
