//! Links that are mailed or printed: each confirms an e-mail or sets a password, once.

use constcat::concat;

use crate::{
    domain::{UserId, audit::AuditAction},
    store::{
        FromRow, Query, Row, Statement, Step, Transaction, Value,
        audit::{self, Account, AuditContext},
        rate_counters::Counter,
        users::{CONFIRMATION_TTL, USER_COLUMNS, User},
    },
};

/// The owner that an e-mail must have for a link that confirms it: another user may have been quicker.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// The user of this id.
    Id(UserId),
    /// The user of this stored password, which no other has: the one that the same batch makes.
    Password(&'a str),
}

/// Stores a link that confirms an e-mail, if the e-mail is theirs and has fewer than `most` links already; returns
/// whether it did.
#[must_use]
pub fn insert_confirmation(
    hash: &str,
    email_key: &str,
    owner: Owner<'_>,
    expires_at: i64,
    now: i64,
    most: i64,
) -> Query<bool> {
    let (id, password) = match owner {
        Owner::Id(id) => (id.into(), Value::Null),
        Owner::Password(password) => (Value::Null, password.into()),
    };
    let statement = Statement::new(
        "insert into links (hash, user_id, email_id, expires_at, created_at)
         select ?1, u.id, e.id, ?3, ?4 from emails e join users u on u.id = e.user_id
         where e.key = ?2 and e.proved_at is null and (u.id = ?6 or u.password = ?7)
           and (select count(*) from (select 1 from links where email_id = e.id limit ?5)) < ?5
         returning hash",
    );
    Query::any(statement.bind(hash).bind(email_key).bind(expires_at).bind(now).bind(most).bind(id).bind(password))
}

/// Seconds that a link is valid which is not mailed.
pub const PASSWORD_LINK_TTL: i64 = 7 * 24 * 60 * 60;

/// Stores a link on which the user of this name chooses a password, and which is not mailed; a service account has none.
#[must_use]
pub fn insert_password_link(name: &str, hash: &str, by: &AuditContext) -> Vec<Statement> {
    let insert = "insert into links (hash, user_id, expires_at, created_at)
       select ?2, id, ?3, ?4 from users where name = ?1 and kind = 'person'";
    vec![
        Statement::new(insert).bind(name).bind(hash).bind(by.now + PASSWORD_LINK_TTL).bind(by.now),
        audit::record(by, AuditAction::UserPasswordLink, Account::Named(name), name, &[]),
    ]
}

/// Uses a link that confirms: the e-mail is confirmed and proved, and an account that waited for it is active.
/// Gives whether the link was good.
pub fn confirm(transaction: &mut Transaction, hash: &str, address: &str, now: i64) -> Step<bool> {
    let good = "select user_id from links where hash = ?1 and expires_at > ?2 and email_id is not null";
    let good = transaction.read(Query::any(Statement::new(good).bind(hash).bind(now)));
    transaction.run([
        Statement::new(
            "update users set status = 'active' where status = 'unconfirmed' and id =
               (select user_id from links where hash = ?1 and expires_at > ?2 and email_id is not null)",
        )
        .bind(hash)
        .bind(now),
        audit::record_by_link(hash, AuditAction::UserStatusChange, address, now),
        Statement::new(
            "update emails set confirmed_at = ifnull(confirmed_at, ?2), proved_at = ?2 where proved_at is null and id =
               (select email_id from links where hash = ?1 and expires_at > ?2)",
        )
        .bind(hash)
        .bind(now),
        audit::record_by_link(hash, AuditAction::UserEmailConfirm, address, now),
        Statement::new("delete from links where hash = ?1 and email_id is not null").bind(hash),
    ]);
    good
}

/// The client that asks for a mail: an address with an hourly quota, counted by
/// [`rate_counters::increment`](super::rate_counters::increment) before it.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    /// The address.
    pub from: &'a str,
    /// How many it may have.
    pub most: i64,
}

/// Stores a link for the user of this e-mail, unless they are disabled, have `most` links of this kind already, or the
/// client has exceeded its quota: for a proved address, one that sets the password until then (`expires_at`); for an
/// unconfirmed one, a link that confirms it until it expires; none for an address that counts although no mailed link
/// was ever opened there, since its reader may not be the user. Returns the recipient.
pub fn insert_reset(
    transaction: &mut Transaction,
    hash: &str,
    email_key: &str,
    expires_at: i64,
    now: i64,
    most: i64,
    asking: Requester<'_>,
) -> Step<Option<Recipient>> {
    transaction.run([
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
        .bind(CONFIRMATION_TTL)
        .bind(Counter::Mails.name())
        .bind(asking.from)
        .bind(asking.most),
        audit::record_link(hash, email_key, asking.from, now),
    ]);
    let sql = "select u.name, e.address, l.email_id from links l join users u on u.id = l.user_id
       join emails e on e.user_id = u.id and e.key = ?2 where l.hash = ?1";
    transaction.read(Query::optional(Statement::new(sql).bind(hash).bind(email_key)))
}

/// The recipient of a mailed link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The user's name.
    pub name: String,
    /// The address, as it was given.
    pub address: String,
    /// Whether the link confirms the address; else it sets the password.
    pub confirms: bool,
}

impl FromRow for Recipient {
    fn from_row(row: &mut Row) -> Self {
        Self {
            name: row.get("name"),
            address: row.get("address"),
            confirms: row.get::<Option<i64>>("email_id").is_some(),
        }
    }
}

/// Whose password a link sets, unless they are disabled.
#[must_use]
pub fn password_user(hash: &str, now: i64) -> Query<Option<User>> {
    let statement = Statement::new(concat!(
        "select ",
        USER_COLUMNS,
        "
         from links l join users u on u.id = l.user_id
         where l.hash = ?1 and l.expires_at > ?2 and l.email_id is null and u.kind = 'person'
           and u.status <> 'disabled'"
    ));
    Query::optional(statement.bind(hash).bind(now))
}

/// The user of a valid link that sets a password, `?1` at `?2`; not of a disabled user, whose link waits.
const LINK_USER: &str = "(select l.user_id from links l join users u on u.id = l.user_id
   where l.hash = ?1 and l.expires_at > ?2 and l.email_id is null and u.status <> 'disabled')";

/// Uses a link that sets a password, and gives whether this use was the one. Other links of the user and what the old
/// password opened end with it.
pub fn set_password(transaction: &mut Transaction, hash: &str, password: &str, address: &str, now: i64) -> Step<bool> {
    transaction.run([
        Statement::new(concat!("update users set password = ?3, epoch = epoch + 1 where id = ", LINK_USER))
            .bind(hash)
            .bind(now)
            .bind(password),
        audit::record_by_link(hash, AuditAction::UserPasswordChange, address, now),
        Statement::new(concat!("delete from refresh_tokens where user_id = ", LINK_USER)).bind(hash).bind(now),
    ]);
    // The link itself goes last: it says whose all of this is.
    let links = concat!("delete from links where user_id = ", LINK_USER, " returning user_id");
    transaction.read(Query::any(Statement::new(links).bind(hash).bind(now)))
}

/// Deletes what has expired, at most `most`.
#[must_use]
pub fn expire(now: i64, most: i64) -> Query<usize> {
    let sql = "delete from links where hash in (select hash from links where expires_at <= ?1 limit ?2) returning 1";
    Query::number(Statement::new(sql).bind(now).bind(most))
}
