//! What is limited by the hour, counted where refused passwords are: under a name that no user can have.

use crate::{
    domain::throttle::FAILURE_TTL,
    store::{FromRow, Query, Row, Statement},
};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Accounts that were made.
    Registrations,
    /// Mails that were asked for.
    Mails,
    /// Refused passwords of unknown names.
    Strangers,
    /// Notices to a user; in place of the address, the user and the kind.
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

/// How much was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateCount {
    /// From where; empty for anywhere.
    pub address: String,
    /// How many.
    pub count: i64,
    /// Seconds since 1970: of guesses, when the last one was; of what is limited by the hour, when the hour began.
    pub last_at: i64,
}

impl FromRow for RateCount {
    fn from_row(row: &mut Row) -> Self {
        Self { address: row.get("address"), count: row.get("count"), last_at: row.get("last_at") }
    }
}

/// What was counted from this address, and from anywhere.
#[must_use]
pub fn current(counted: Counter, address: &str) -> Query<Vec<RateCount>> {
    of_name(counted.name(), address)
}

/// What was counted under a name, from this address and from anywhere.
pub(super) fn of_name(name: &str, address: &str) -> Query<Vec<RateCount>> {
    let sql = "select address, count, last_at from failures where name = ?1 and address in (?2, '')";
    Query::all(Statement::new(sql).bind(name).bind(address))
}

/// Counts one more, and gives the same.
#[must_use]
pub fn increment(counted: Counter, address: &str, now: i64) -> Query<Vec<RateCount>> {
    let statement = Statement::new(
        "insert into failures (name, address, count, last_at) values (?1, ?2, 1, ?3), (?1, '', 1, ?3)
         on conflict (name, address) do update set
           count = case when last_at <= ?3 - ?4 then 1 else count + 1 end,
           last_at = case when last_at <= ?3 - ?4 then ?3 else last_at end
         returning address, count, last_at",
    );
    Query::all(statement.bind(counted.name()).bind(address).bind(now).bind(FAILURE_TTL))
}

/// Seconds until the quotas allow another: one address has the quota `here` and all together `everywhere`; 0 if they do
/// now.
#[must_use]
pub fn retry_after(counted: &[RateCount], here: i64, everywhere: i64, now: i64) -> i64 {
    let wait = |counted: &RateCount| {
        let most = if counted.address.is_empty() { everywhere } else { here };
        if counted.count > most { (counted.last_at + FAILURE_TTL - now).max(0) } else { 0 }
    };
    counted.iter().map(wait).max().unwrap_or_default()
}
