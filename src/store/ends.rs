//! Access tokens that end soon, and the addresses of the users who are warned.

use constcat::concat;

use crate::{
    domain::{
        UserId,
        ends::{DAY, WARNINGS},
    },
    store::{FromRow, Query, Row, Statement, Step, Transaction},
};

/// An access token that ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingToken {
    /// Its public name.
    pub uuid: String,
    /// The user.
    pub user_id: UserId,
    /// The name of the user.
    pub user_name: String,
    /// As its user, or an admin of the service account, wrote it.
    pub label: String,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Whether it can be used.
    pub active: bool,
    /// The proved primary addresses: of the user, and for a service account of the admins of its namespace.
    pub addresses: Vec<String>,
}

impl FromRow for EndingToken {
    fn from_row(row: &mut Row) -> Self {
        let addresses = row.take("addresses").unwrap_or_default();
        Self {
            uuid: row.get("uuid"),
            user_id: row.get("user_id"),
            user_name: row.get("user_name"),
            label: row.get("label"),
            expires_at: row.get("expires_at"),
            active: row.get("is_active"),
            addresses: row.json("addresses", &addresses),
        }
    }
}

/// The condition of a token whose next warning is due: it had the warnings up to `?2`, and ends in `?3` seconds.
const DUE: &str =
    "id in (select id from access_tokens where warned_days is ?2 and expires_at > ?1 and expires_at <= ?1 + ?3
       order by expires_at limit ?4)";

/// The tokens whose warnings are due, at most `most` of each warning, which are then no longer due.
pub fn due(transaction: &mut Transaction, now: i64, most: i64) -> [Step<Vec<EndingToken>>; WARNINGS.len()] {
    let mut previous = None;
    WARNINGS.map(|days| {
        let of = |sql| Statement::new(sql).bind(now).bind(previous).bind(days * DAY).bind(most);
        let tokens = of(concat!(
            "select t.uuid, t.user_id, t.label, t.expires_at, t.is_active, u.name user_name,
               (select json_group_array(address) from (
                  select (select e.address from emails e where e.user_id = p.id and e.proved_at is not null
                      order by e.chosen_at desc nulls last, e.confirmed_at, e.id limit 1) address
                    from users p where p.status = 'active' and p.id in (
                      select u.id where u.machine_of is null
                      union select owner_id from namespaces where id = u.machine_of
                      union select user_id from members where namespace_id = u.machine_of and role = 'admin')
                    limit 10) where address is not null) addresses
             from access_tokens t join users u on u.id = t.user_id where t.",
            DUE
        ));
        let warned = of(concat!(
            "update access_tokens set warned_days = case when expires_at <= ?1 + 86400 then 1
               when expires_at <= ?1 + 604800 then 7 else 30 end where ",
            DUE
        ));
        previous = Some(days);
        let tokens = transaction.read(Query::all(tokens));
        transaction.run([warned]);
        tokens
    })
}
