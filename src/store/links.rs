//! Links that are mailed or printed: each confirms an e-mail or sets a password, once.

use crate::store::{
    Statement, Value, audit,
    rate_counters::Counter,
    users::{UNCONFIRMED, user_columns},
};

/// Whose an e-mail must be for a link that confirms it: somebody quicker may have it by now.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// The user of this id.
    Id(i64),
    /// The user of this stored password, which no other has: the one that the same batch makes.
    Password(&'a str),
}

/// Keeps a link that confirms an e-mail, and gives its `hash`, if the e-mail is theirs and unless there
/// are so many (`most`) for it already.
#[must_use]
pub fn confirming(hash: &str, email_key: &str, owner: Owner<'_>, expires_at: i64, now: i64, most: i64) -> Statement {
    let (id, password) = match owner {
        Owner::Id(id) => (id.into(), Value::Null),
        Owner::Password(password) => (Value::Null, password.into()),
    };
    Statement::new(
        "insert into links (hash, user_id, email_id, expires_at, created_at)
         select ?1, u.id, e.id, ?3, ?4 from emails e join users u on u.id = e.user_id
         where e.key = ?2 and e.proved_at is null and (u.id = ?6 or u.password = ?7)
           and (select count(*) from (select 1 from links where email_id = e.id limit ?5)) < ?5
         returning hash",
    )
    .bind(hash)
    .bind(email_key)
    .bind(expires_at)
    .bind(now)
    .bind(most)
    .bind(id)
    .bind(password)
}

/// Uses a link that confirms: the e-mail is confirmed and proved, and an account that waited for it is active.
/// The first statement gives a row if the link was good; the last removes it.
#[must_use]
pub fn confirm(hash: &str, address: &str, now: i64) -> Vec<Statement> {
    vec![
        Statement::new("select user_id from links where hash = ?1 and expires_at > ?2 and email_id is not null")
            .bind(hash)
            .bind(now),
        Statement::new(
            "update users set status = 'active' where status = 'unconfirmed' and id =
               (select user_id from links where hash = ?1 and expires_at > ?2 and email_id is not null)",
        )
        .bind(hash)
        .bind(now),
        audit::record_by_link(hash, "user.status.change", address, now),
        Statement::new(
            "update emails set confirmed_at = ifnull(confirmed_at, ?2), proved_at = ?2 where proved_at is null and id =
               (select email_id from links where hash = ?1 and expires_at > ?2)",
        )
        .bind(hash)
        .bind(now),
        audit::record_by_link(hash, "user.email.confirm", address, now),
        Statement::new("delete from links where hash = ?1 and email_id is not null").bind(hash),
    ]
}

/// Who asks for a mail: an address that may have so many in an hour, counted by
/// [`rate_counters::increment`](super::rate_counters::increment) before it.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The address.
    pub from: &'a str,
    /// How many it may have.
    pub most: i64,
}

/// Keeps a link for the person whose e-mail this is, unless they are disabled, there are so many
/// (`most`) of this kind already, or who is asking has asked too often: where it is proved, one that sets the
/// password until then (`expires_at`); where it waits to be confirmed, one that does that until it lapses; none
/// where it counts although nobody ever opened a mail there, since whoever reads that mailbox may be a stranger
/// to the account. The last statement tells whose: `name`, `address`, and what is to be confirmed, `email_id`.
#[must_use]
pub fn forgotten(
    hash: &str,
    email_key: &str,
    expires_at: i64,
    now: i64,
    most: i64,
    asking: Asking<'_>,
) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into links (hash, user_id, email_id, expires_at, created_at)
             select ?1, u.id, e.unconfirmed, iif(e.unconfirmed, e.created_at + ?6, ?3), ?4
             from (select *, iif(confirmed_at is null, id, null) unconfirmed from emails
               where key = ?2 and (confirmed_at is null or proved_at is not null)) e
             join users u on u.id = e.user_id
             where u.status <> 'disabled' and u.kind = 'person' and (select count(*) from (select 1 from links
               where user_id = u.id and email_id is e.unconfirmed and expires_at > ?4 limit ?5)) < ?5
               and (e.unconfirmed is null or e.created_at + ?6 > ?4)
               and not exists (select 1 from failures where name = ?7 and address = ?8 and count > ?9)",
        )
        .bind(hash)
        .bind(email_key)
        .bind(expires_at)
        .bind(now)
        .bind(most)
        .bind(UNCONFIRMED)
        .bind(Counter::Mails.name())
        .bind(asking.from)
        .bind(asking.most),
        audit::record_link(hash, email_key, asking.from, now),
        Statement::new(
            "select u.name, e.address, l.email_id from links l join users u on u.id = l.user_id
             join emails e on e.user_id = u.id and e.key = ?2 where l.hash = ?1",
        )
        .bind(hash)
        .bind(email_key),
    ]
}

/// Whose password a link sets, unless they are disabled: `user_id`, and the user's columns.
#[must_use]
pub fn password_user(hash: &str, now: i64) -> Statement {
    Statement::new(concat!(
        "select ",
        user_columns!(),
        "
         from links l join users u on u.id = l.user_id
         where l.hash = ?1 and l.expires_at > ?2 and l.email_id is null and u.kind = 'person'
           and u.status <> 'disabled'"
    ))
    .bind(hash)
    .bind(now)
}

/// The user of a good link that sets a password, `?1` at `?2`; nobody disabled, whose link waits.
macro_rules! whose {
    () => {
        "(select l.user_id from links l join users u on u.id = l.user_id
           where l.hash = ?1 and l.expires_at > ?2 and l.email_id is null and u.status <> 'disabled')"
    };
}

/// Uses a link that sets a password; the last statement gives a row if this use was the one. Other
/// links of the user and what the old password opened end with it.
#[must_use]
pub fn set_password(hash: &str, password: &str, address: &str, now: i64) -> Vec<Statement> {
    vec![
        Statement::new(concat!("update users set password = ?3, epoch = epoch + 1 where id = ", whose!()))
            .bind(hash)
            .bind(now)
            .bind(password),
        audit::record_by_link(hash, "user.password.change", address, now),
        Statement::new(concat!("delete from refresh_tokens where user_id = ", whose!())).bind(hash).bind(now),
        // The link itself goes last: it says whose all of this is.
        Statement::new(concat!("delete from links where user_id = ", whose!(), " returning user_id"))
            .bind(hash)
            .bind(now),
    ]
}

/// Removes what has expired, at most so many.
#[must_use]
pub fn expire(now: i64, most: i64) -> Statement {
    Statement::new(
        "delete from links where hash in (select hash from links where expires_at <= ?1 limit ?2) returning 1",
    )
    .bind(now)
    .bind(most)
}
