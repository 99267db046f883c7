//! What was refused, for the admins of a namespace: one row for each user, repository, reason and hour.

use constcat::concat;

use crate::store::{
    FromRow, Query, Row, Statement,
    repositories::bind_namespace,
    roles::{Subject, WITH_ROLE},
};

/// Hours that a row is kept: seven days.
pub const KEPT: i64 = 7 * 24;

/// The most rows of a user in a namespace in an hour: names are whatever a client asks for.
const MAX_ROWS_OF_USER: i64 = 100;

/// The rows of a namespace in an hour from which on users who have no relation to it add none.
const MAX_ROWS: i64 = 1_000;

/// Seconds of an hour.
const HOUR: i64 = 60 * 60;

/// Who was refused, and when.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// The user's name; empty for a request without credentials.
    pub username: &'a str,
    /// From where.
    pub address: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// Counts refusals: a JSON list without duplicates of lists of a namespace, a repository, actions, a reason, and
/// whether the user has a relation there. None is kept for a namespace that does not exist, and of a request without
/// credentials none for a repository that does not. What is counted already always is; a new row needs room, also after
/// those before it in the list.
#[must_use]
pub fn record(refusals: &str, refused: &Refused<'_>) -> Statement {
    Statement::new(
        "with counted (id, name, own, everybody) as materialized (
           select n.id, n.name,
             (select count(*) from refusals f where f.namespace_id = n.id and f.hour = ?3 and f.username = ?2),
             (select count(*) from (select 1 from refusals f where f.namespace_id = n.id and f.hour = ?3 limit ?7))
           from (select distinct value ->> 0 name from json_each(?1)) j cross join namespaces n on n.name = j.name)
         insert into refusals (namespace_id, hour, username, repository, reason, actions, count, last_at, address)
         select n.id, ?3, ?2, j.value ->> 1, j.value ->> 3, j.value ->> 2, 1, ?4, ?5
         from json_each(?1) j cross join counted n on n.name = j.value ->> 0
         where (?2 <> '' or exists (select 1 from repositories r where r.namespace_id = n.id and r.name = j.value ->> 1))
           and (n.own + j.key < ?6 and (j.value ->> 4 or n.everybody + j.key < ?7)
             or exists (select 1 from refusals f where f.namespace_id = n.id and f.hour = ?3 and f.username = ?2
               and f.repository = j.value ->> 1 and f.reason = j.value ->> 3))
         on conflict (namespace_id, hour, username, repository, reason) do update set
           count = count + 1, actions = excluded.actions, last_at = excluded.last_at, address = excluded.address",
    )
    .bind(refusals)
    .bind(refused.username)
    .bind(refused.now / HOUR)
    .bind(refused.now)
    .bind(refused.address)
    .bind(MAX_ROWS_OF_USER)
    .bind(MAX_ROWS)
}

/// What was refused to one user in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The user's name; empty for requests without credentials.
    pub username: String,
    /// The name of the repository in its namespace.
    pub repository: String,
    /// The code of an access review.
    pub reason: String,
    /// The actions that were refused last, with commas between.
    pub actions: String,
    /// How often in this hour.
    pub count: i64,
    /// Seconds since 1970.
    pub last_at: i64,
    /// From where, the last time.
    pub address: String,
}

impl FromRow for Refusal {
    fn from_row(row: &mut Row) -> Self {
        Self {
            username: row.get("username"),
            repository: row.get("repository"),
            reason: row.get("reason"),
            actions: row.get("actions"),
            count: row.get("count"),
            last_at: row.get("last_at"),
            address: row.get("address"),
        }
    }
}

/// The refusals of a namespace, the last hour first, for its admins.
#[must_use]
pub fn list(namespace: &str, subject: &Subject<'_>, limit: i64, offset: i64) -> Query<Vec<Refusal>> {
    let sql = concat!(
        WITH_ROLE,
        "select f.username, f.repository, f.reason, f.actions, f.count, f.last_at, f.address from refusals f
         where f.namespace_id = (select namespace_id from place where role >= 3)
         order by f.hour desc, f.username desc, f.repository desc, f.reason desc limit ?6 offset ?7"
    );
    Query::all(bind_namespace(sql, namespace, subject).bind(limit).bind(offset))
}

/// Removes what is older than [`KEPT`], at most `limit` rows.
#[must_use]
pub fn expire(now: i64, limit: i64) -> Query<usize> {
    let statement = Statement::new(
        "delete from refusals where (namespace_id, hour, username, repository, reason) in (
           select namespace_id, hour, username, repository, reason from refusals where hour < ?1 limit ?2) returning 1",
    );
    Query::number(statement.bind(now / HOUR - KEPT).bind(limit))
}
