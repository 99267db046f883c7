//! The e-mail addresses of users.

use crate::{
    domain::names,
    store::{
        Statement,
        audit::{self, Account, AuditContext},
        users::User,
    },
};

/// The user whose address this is, confirmed or not: `user_id`, `confirmed_at`, `proved_at`.
#[must_use]
pub fn owner(key: &str) -> Statement {
    Statement::new("select user_id, confirmed_at, proved_at from emails where key = ?1").bind(key)
}

/// The addresses of a user where somebody opened a mail, and so where they are told what concerns their
/// security: `address`.
#[must_use]
pub fn proved(user: i64) -> Statement {
    Statement::new("select address from emails where user_id = ?1 and proved_at is not null order by proved_at, id")
        .bind(user)
}

/// All addresses of a user, the primary one first, what is not confirmed last: `address`, `key`, `confirmed_at`,
/// `proved_at`, `created_at`.
#[must_use]
pub fn list(user: i64) -> Statement {
    Statement::new(
        "select address, key, confirmed_at, proved_at, created_at from emails where user_id = ?1
         order by confirmed_at is null, chosen_at desc nulls last, confirmed_at, id",
    )
    .bind(user)
}

/// Adds an address, unless it is somebody's, or the user has so many (`most`). The last statement
/// says whether it is this user's now (`email_id`), and how many they have (`held`).
#[must_use]
pub fn add(user: &User, address: &str, key: &str, confirmed: bool, most: i64, by: &AuditContext) -> Vec<Statement> {
    vec![
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
        told(user, "user.email.add", address, by),
        Statement::new(
            "select (select id from emails where user_id = ?1 and key = ?2) email_id,
               (select count(*) from (select 1 from emails where user_id = ?1 limit ?3)) held",
        )
        .bind(user.id)
        .bind(key)
        .bind(most),
    ]
}

/// Removes an address, unless it is the last one that counts. Links that set the password end with it: one of them
/// may have been mailed there. The last statement gives a row where it is there still.
#[must_use]
pub fn remove(user: &User, address: &str, key: &str, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "delete from emails where user_id = ?1 and key = ?2 and (confirmed_at is null or exists (
               select 1 from emails o where o.user_id = ?1 and o.key <> ?2 and o.confirmed_at is not null))",
        )
        .bind(user.id)
        .bind(key),
        told(user, "user.email.remove", address, by),
        Statement::new(
            "delete from links where user_id = ?1 and email_id is null
               and not exists (select 1 from emails where user_id = ?1 and key = ?2)",
        )
        .bind(user.id)
        .bind(key),
        Statement::new("select id from emails where user_id = ?1 and key = ?2").bind(user.id).bind(key),
    ]
}

/// Makes an address that counts the primary one.
#[must_use]
pub fn choose(user: &User, address: &str, key: &str, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "update emails set chosen_at = iif(key = ?2, ?3, null) where user_id = ?1 and exists (
               select 1 from emails c where c.user_id = ?1 and c.key = ?2 and c.confirmed_at is not null)",
        )
        .bind(user.id)
        .bind(key)
        .bind(by.now),
        told(user, "user.email.primary", address, by),
        list(user.id),
    ]
}

fn told(user: &User, action: &'static str, address: &str, by: &AuditContext) -> Statement {
    audit::record(by, action, Account::Of(user.id), &user.name, &[("email", &names::masked(address))])
}
