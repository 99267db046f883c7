//! The e-mail addresses of users.

use crate::{
    domain::{UserId, audit::AuditAction, names},
    store::{
        FromRow, Query, Row, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        users::User,
    },
};

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user_id: UserId,
    /// Seconds since 1970; an address that is not confirmed does not count.
    pub confirmed_at: Option<i64>,
    /// Seconds since 1970, when a mail was opened there.
    pub proved_at: Option<i64>,
}

impl FromRow for Owner {
    fn from_row(row: &mut Row) -> Self {
        Self { user_id: row.get("user_id"), confirmed_at: row.get("confirmed_at"), proved_at: row.get("proved_at") }
    }
}

/// The user whose address this is, confirmed or not.
#[must_use]
pub fn owner(key: &str) -> Query<Option<Owner>> {
    let sql = "select user_id, confirmed_at, proved_at from emails where key = ?1";
    Query::optional(Statement::new(sql).bind(key))
}

/// The addresses of a user where a mailed link was opened, and which therefore get notices about their security.
#[must_use]
pub fn proved(user: UserId) -> Query<Vec<String>> {
    let sql = "select address from emails where user_id = ?1 and proved_at is not null order by proved_at, id";
    Query::all(Statement::new(sql).bind(user))
}

/// An address of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As it was given.
    pub address: String,
    /// In lower case.
    pub key: String,
    /// Seconds since 1970; one that is not confirmed does not count.
    pub confirmed_at: Option<i64>,
    /// Seconds since 1970, when a mail was opened there.
    pub proved_at: Option<i64>,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl FromRow for Address {
    fn from_row(row: &mut Row) -> Self {
        Self {
            address: row.get("address"),
            key: row.get("key"),
            confirmed_at: row.get("confirmed_at"),
            proved_at: row.get("proved_at"),
            created_at: row.get("created_at"),
        }
    }
}

/// All addresses of a user, the primary one first, what is not confirmed last.
#[must_use]
pub fn list(user: UserId) -> Query<Vec<Address>> {
    let sql = "select address, key, confirmed_at, proved_at, created_at from emails where user_id = ?1
       order by confirmed_at is null, chosen_at desc nulls last, confirmed_at, id";
    Query::all(Statement::new(sql).bind(user))
}

/// What came of adding an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition {
    /// Whether it is this user's now.
    pub is_theirs: bool,
    /// How many the user has, and at most as many as they may have.
    pub held: i64,
}

impl FromRow for Addition {
    fn from_row(row: &mut Row) -> Self {
        Self { is_theirs: row.get("is_theirs"), held: row.get("held") }
    }
}

/// Adds an address, unless it is another user's, or the user has `most` already.
pub fn add(
    transaction: &mut Transaction,
    user: &User,
    (address, key): (&str, &str),
    confirmed: bool,
    most: i64,
    by: &AuditContext,
) -> Step<Addition> {
    transaction.run([
        Statement::new(
            "insert into emails (user_id, address, key, confirmed_at, created_at) select ?1, ?2, ?3, ?4, ?5
             where (select count(*) from (select 1 from emails where user_id = ?1 limit ?6)) < ?6
             on conflict (key) do nothing",
        )
        .bind(user.id)
        .bind(address)
        .bind(key)
        .bind(confirmed.then_some(by.now))
        .bind(by.now)
        .bind(most),
        record(user, AuditAction::UserEmailAdd, address, by),
    ]);
    let sql = "select exists (select 1 from emails where user_id = ?1 and key = ?2) is_theirs,
       (select count(*) from (select 1 from emails where user_id = ?1 limit ?3)) held";
    transaction.read(Query::one(Statement::new(sql).bind(user.id).bind(key).bind(most)))
}

/// Removes an address, unless it is the last one that counts. Links that set the password end with it: one of them
/// may have been mailed there. Gives whether it is there still.
pub fn remove(transaction: &mut Transaction, user: &User, address: &str, key: &str, by: &AuditContext) -> Step<bool> {
    transaction.run([
        Statement::new(
            "delete from emails where user_id = ?1 and key = ?2 and (confirmed_at is null or exists (
               select 1 from emails o where o.user_id = ?1 and o.key <> ?2 and o.confirmed_at is not null))",
        )
        .bind(user.id)
        .bind(key),
        record(user, AuditAction::UserEmailRemove, address, by),
        Statement::new(
            "delete from links where user_id = ?1 and email_id is null
               and not exists (select 1 from emails where user_id = ?1 and key = ?2)",
        )
        .bind(user.id)
        .bind(key),
    ]);
    let left = Statement::new("select id from emails where user_id = ?1 and key = ?2").bind(user.id).bind(key);
    transaction.read(Query::any(left))
}

/// Makes an address that counts the primary one; gives the list as it is then.
pub fn choose(
    transaction: &mut Transaction,
    user: &User,
    address: &str,
    key: &str,
    by: &AuditContext,
) -> Step<Vec<Address>> {
    transaction.run([
        Statement::new(
            "update emails set chosen_at = iif(key = ?2, ?3, null) where user_id = ?1 and exists (
               select 1 from emails c where c.user_id = ?1 and c.key = ?2 and c.confirmed_at is not null)",
        )
        .bind(user.id)
        .bind(key)
        .bind(by.now),
        record(user, AuditAction::UserEmailPrimary, address, by),
    ]);
    transaction.read(list(user.id))
}

fn record(user: &User, action: AuditAction, address: &str, by: &AuditContext) -> Statement {
    audit::record(by, action, Account::Of(user.id), &user.name, &[("email", &names::masked(address))])
}
