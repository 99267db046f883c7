//! Refused passwords, counted.

use crate::{
    domain::{credential::Credential, throttle::FORGOTTEN},
    store::{
        Statement, Value,
        audit::{self, Account, By},
        counts::{self, Counted},
        users::User,
    },
};

/// Counts one more, for the name from this address and for the name from anywhere.
///
/// The audit does not keep a name that is nobody's: people type passwords there. And since there is no end
/// of such names, it has one row an hour for all of them from one address.
#[must_use]
pub fn count(name: &str, user: Option<&User>, address: &str, now: i64) -> Vec<Statement> {
    let count = Statement::new(
        "insert into failures (name, address, count, last_at) values (?1, ?2, 1, ?3), (?1, '', 1, ?3)
         on conflict (name, address) do update set
           count = case when last_at <= ?3 - ?4 then 1 else count + 1 end, last_at = ?3",
    )
    .bind(name)
    .bind(address)
    .bind(now)
    .bind(FORGOTTEN);
    let Some(user) = user else {
        let told = Statement::new(
            "insert into audit (at, action, name, actor, credential, address)
             select ?1, 'user.login.refuse', '', '', '', address from failures where name = ?2 and address = ?3
               and count = 1",
        )
        .bind(now)
        .bind(Counted::Strangers.name())
        .bind(address);
        return vec![count, counts::one_more(Counted::Strangers, address, now), told];
    };
    let by = By {
        actor: String::new(),
        credential: Credential::Nobody,
        address: address.to_owned(),
        now,
        millis: now * 1000,
    };
    vec![count, audit::told(&by, "user.login.refuse", Account::Of(user.id), &user.name, &[])]
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
