//! Refused passwords, counted.

use crate::{
    domain::throttle::FORGOTTEN,
    store::{Statement, Value},
};

/// Counts one more, for the name from this address and for the name from anywhere.
#[must_use]
pub fn count(name: &str, address: &str, now: i64) -> Statement {
    Statement::new(
        "insert into failures (name, address, count, last_at) values (?1, ?2, 1, ?3), (?1, '', 1, ?3)
         on conflict (name, address) do update set
           count = case when last_at <= ?3 - ?4 then 1 else count + 1 end, last_at = ?3",
    )
    .bind(name)
    .bind(address)
    .bind(now)
    .bind(FORGOTTEN)
}

/// Forgets those of a name, after a right password.
#[must_use]
pub fn reset(name: &str, address: &str) -> Statement {
    Statement::new("delete from failures where name = ?1 and address in (?2, '')").bind(name).bind(address)
}

/// Removes what no longer counts.
#[must_use]
pub fn expire(now: i64) -> Statement {
    Statement::new("delete from failures where last_at <= ?1").bind(Value::Integer(now - FORGOTTEN))
}
