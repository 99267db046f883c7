//! What is limited by the hour, counted where refused passwords are: under a name that no user can have.

use crate::{
    domain::throttle::FORGOTTEN,
    store::{Row, Statement},
};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Accounts that were made.
    Registrations,
    /// Mails that were asked for.
    Mails,
    /// Refused passwords of names that are nobody's.
    Strangers,
    /// Mails that tell somebody what happened to their account; in place of the address, whom and of what kind.
    Notices,
}

impl Counter {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registrations => "@registrations",
            Self::Mails => "@mails",
            Self::Strangers => "@strangers",
            Self::Notices => "@notices",
        }
    }
}

/// What was counted from this address, and from anywhere (`address` is empty then): `count`, and
/// `last_at`, when the hour began.
#[must_use]
pub fn current(counted: Counter, address: &str) -> Statement {
    Statement::new("select address, count, last_at from failures where name = ?1 and address in (?2, '')")
        .bind(counted.name())
        .bind(address)
}

/// Counts one more, and gives the same.
#[must_use]
pub fn increment(counted: Counter, address: &str, now: i64) -> Statement {
    Statement::new(
        "insert into failures (name, address, count, last_at) values (?1, ?2, 1, ?3), (?1, '', 1, ?3)
         on conflict (name, address) do update set
           count = case when last_at <= ?3 - ?4 then 1 else count + 1 end,
           last_at = case when last_at <= ?3 - ?4 then ?3 else last_at end
         returning address, count, last_at",
    )
    .bind(counted.name())
    .bind(address)
    .bind(now)
    .bind(FORGOTTEN)
}

/// Seconds until so many are allowed again, of which one address has `here` and all together have
/// `everywhere`; 0 when there are fewer.
#[must_use]
pub fn wait(rows: &[Row], here: i64, everywhere: i64, now: i64) -> i64 {
    let wait = |row: &Row| {
        let most = if row.text("address").is_empty() { everywhere } else { here };
        if row.integer("count") > most { (row.integer("last_at") + FORGOTTEN - now).max(0) } else { 0 }
    };
    rows.iter().map(wait).max().unwrap_or_default()
}
