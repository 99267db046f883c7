//! Refused passwords, counted.

use crate::{
    domain::{
        audit::AuditAction,
        credential::CredentialId,
        throttle::{DOUBLINGS, FAILURE_TTL, FREE_ATTEMPTS, FREE_ATTEMPTS_PER_ADDRESS, Failures, MAX_WAIT},
    },
    store::{
        Query, Statement,
        audit::{self, Account, AuditContext},
        rate_counters::{self, Counter, RateCount},
        users::User,
    },
};

/// Counts a guess before it is looked at, for the name from this address and for the name from anywhere;
/// nothing where the name must wait. The first query gives what is counted by it, the second what there is then.
///
/// It is [`throttle::retry_after`](crate::domain::throttle::wait) once more, in the one place where those who guess at
/// once come one after the other.
#[must_use]
pub fn count(name: &str, address: &str, now: i64) -> [Query<Vec<RateCount>>; 2] {
    let count = Statement::new(
        "insert into failures (name, address, count, last_at)
         select ?1, place, 1, ?3 from (select ?2 as place union all select '')
         where not exists (select 1 from
             (select count - iif(address = '', ?5, ?4) as over, last_at from failures
              where name = ?1 and address in (?2, ''))
           where over >= 0 and last_at + min(1 << min(over, ?6), ?7) > ?3)
         on conflict (name, address) do update set
           count = case when last_at <= ?3 - ?8 then 1 else count + 1 end, last_at = ?3
         returning address, count, last_at",
    )
    .bind(name)
    .bind(address)
    .bind(now)
    .bind(FREE_ATTEMPTS_PER_ADDRESS)
    .bind(FREE_ATTEMPTS)
    .bind(DOUBLINGS)
    .bind(MAX_WAIT)
    .bind(FAILURE_TTL);
    [Query::all(count), rate_counters::of_name(name, address)]
}

/// What was counted of a name, as failures: from the address, and from anywhere.
#[must_use]
pub fn read(counted: &[RateCount]) -> (Failures, Failures) {
    let of = |anywhere: bool| {
        let counted = counted.iter().find(|counted| counted.address.is_empty() == anywhere);
        counted.map(|counted| Failures { count: counted.count, last_at: counted.last_at }).unwrap_or_default()
    };
    (of(false), of(true))
}

/// A guess that was counted and is to be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Guess<'a> {
    /// The name as it was typed.
    pub name: &'a str,
    /// Where it came from.
    pub address: &'a str,
    /// When it was counted.
    pub at: i64,
    /// What the name had from anywhere before it.
    pub anywhere: Failures,
}

/// Takes back a guess that was none, with as many (`from_address`) of its name from its address as are to be reset with
/// it. Of those from any address only this one is taken back: the others expire, and if no other client guessed
/// meanwhile, the time is again that of the failure before.
#[must_use]
pub fn take_back(guess: Guess<'_>, from_address: i64) -> Vec<Statement> {
    let less = Statement::new(
        "update failures set count = max(count - iif(address = '', 1, ?3), 0),
           last_at = iif(address = '' and last_at = ?4 and count = ?5 + 1, ?6, last_at)
         where name = ?1 and address in (?2, '')",
    )
    .bind(guess.name)
    .bind(guess.address)
    .bind(from_address)
    .bind(guess.at)
    .bind(guess.anywhere.count)
    .bind(guess.anywhere.last_at);
    let none = Statement::new("delete from failures where name = ?1 and address in (?2, '') and count = 0")
        .bind(guess.name)
        .bind(guess.address);
    vec![less, none]
}

/// Records a refused password.
///
/// The audit log does not keep unknown names: people type passwords there. And since there is no end of such names, it
/// has one row per hour for all of them from one address.
#[must_use]
pub fn refused(user: Option<&User>, address: &str, now: i64) -> Vec<Statement> {
    let Some(user) = user else {
        let told = Statement::new(
            "insert into audit (at, action, name, actor, credential, address)
             select ?1, 'user.login.refuse', '', '', '', address from failures where name = ?2 and address = ?3
               and count = 1",
        )
        .bind(now)
        .bind(Counter::Strangers.name())
        .bind(address);
        return vec![rate_counters::increment(Counter::Strangers, address, now).into(), told];
    };
    let by = AuditContext {
        actor: String::new(),
        credential: CredentialId::Anonymous,
        address: address.to_owned(),
        now,
        millis: now * 1000,
    };
    vec![audit::record(&by, AuditAction::UserLoginRefuse, Account::Of(user.id), &user.name, &[])]
}

/// Forgets those of a name from an address, after a right password from there.
#[must_use]
pub fn reset(name: &str, address: &str) -> Statement {
    Statement::new("delete from failures where name = ?1 and address = ?2").bind(name).bind(address)
}

/// Deletes what no longer counts, at most `most`.
#[must_use]
pub fn expire(now: i64, most: i64) -> Query<usize> {
    let sql = "delete from failures where (name, address) in (
         select name, address from failures where last_at <= ?1 limit ?2) returning 1";
    Query::number(Statement::new(sql).bind(now - FAILURE_TTL).bind(most))
}
