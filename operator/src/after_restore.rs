//! What follows when a database was brought back: what was revoked since then may be valid again, and is ended.

use hublet::{
    domain::audit::AuditAction,
    store::{
        Query, Statement, Transaction,
        audit::{self, Account},
    },
};

use crate::{Operator, Output, Result, accounts};

/// `after-restore`
///
/// What was made private or deleted in the lost days is not known: with `--private` every repository is private.
///
/// Numbers that the lost days gave would be given again, and what was signed then would mean another user. So whatever is
/// given from now on begins at the clock, in microseconds: beyond all that was given before, since no number here grows by
/// more than one in a microsecond. A leap of a fixed length would not do: an operator who restores one backup twice comes
/// to the same number twice.
pub async fn after_restore(operator: &Operator) -> Result<Output> {
    let (keep, private) = (operator.flags.keep_access_tokens, operator.flags.private);
    let first_id = operator.now * 1_000_000;
    let mut transaction = Transaction::new();
    transaction.run([
        Statement::new("update users set epoch = max(epoch + 1, cast(?1 as integer))").bind(first_id),
        Statement::new("delete from refresh_tokens"),
        Statement::new("delete from links"),
    ]);
    // Of a database that is older than its table there is nothing to end.
    let table = Query::any(Statement::new("select 1 from sqlite_schema where name = 'reconcilers'"));
    if operator.fetch(table).await? {
        // A token that was ended since is there again; when the first one was made stays known.
        transaction.run([Statement::new("update reconcilers set hash = 'ended ' || service")]);
    }
    if !keep {
        transaction.run([Statement::new("update access_tokens set is_active = 0")]);
    }
    transaction.run([
        // What was got for an access token names its id: one that is kept goes on under another.
        Statement::new(
            "update access_tokens set id = id + (
               select max(max(id), cast(?1 as integer)) + 1 - min(id) from access_tokens)",
        )
        .bind(first_id),
        Statement::new(
            "insert into sqlite_sequence (name, seq) select name, 0 from sqlite_schema
             where type = 'table' and instr(sql, 'primary key autoincrement') > 0
               and name not in (select name from sqlite_sequence)",
        ),
        Statement::new("update sqlite_sequence set seq = max(seq, cast(?1 as integer)) where name <> 'd1_migrations'")
            .bind(first_id),
        // There is always one to change.
        audit::record(&operator.by, AuditAction::UserSessionsEnd, Account::Named(""), "everybody", &[]),
        Statement::new(
            "update sqlite_sequence set seq = max(seq, (select ifnull(max(id), 0) from access_tokens))
             where name = 'access_tokens'",
        ),
    ]);
    if private {
        transaction.run([
            Statement::new(
                "insert into audit (at, account, action, name, actor, credential, address, data)
                 select ?1, namespace_id, 'repo.change_privacy', full_name, 'operator', '', '',
                   json_object('is_private', 'true')
                 from repositories where private = 0",
            )
            .bind(operator.now),
            Statement::new(
                "update repositories set private = 1, revision = revision + 1, updated_at = ?1 where private = 0",
            )
            .bind(operator.now),
        ]);
    }
    // Search learns of everything again: its verification starts again.
    transaction.run([Statement::new("delete from outbox"), Statement::new("delete from progress")]);
    let counts = "select (select count(*) from users) as users, (select count(*) from repositories) as repositories,
       (select count(*) from access_tokens where is_active = 1) as \"active access tokens\"";
    let output = accounts::finish(operator, transaction, Statement::new(counts)).await?;
    Ok(Output { notes: vec![notice(keep, private, &operator.database_flag)], ..output })
}

/// What an operator who brought a database back must know, and look at.
#[must_use]
pub fn notice(keep: bool, private: bool, database_flag: &str) -> String {
    let (kept, tokens) = if keep {
        (" --keep-access-tokens", "")
    } else {
        ("", ", and access tokens are not active: their users make them so, or new ones")
    };
    let seen = if private {
        "every repository is private: their admins say which may be seen".to_owned()
    } else {
        format!(
            "repositories that were made private or deleted since are public and there again: look, or hide all of them: \
             npm run admin -- after-restore --private{kept}{database_flag}"
        )
    };
    format!(
        "hublet: everybody logs in again{tokens}
hublet: the tools beside registries need new tokens: npm run admin -- reconciler SERVICE{database_flag}
hublet: passwords, roles, and who is disabled are those of before: look whether one of them was changed since for a reason
hublet: {seen}
hublet: search finds everything once the scheduled run has been through, 10,000 repositories a minute"
    )
}
