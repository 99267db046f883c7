//! What the first page shows: the namespaces of a user, and what was pushed lately.

use constcat::concat;

use crate::{
    domain::UserId,
    store::{
        FromRow, Query, Row, Statement,
        health::Progress,
        roles::{RELATED, ROLE_BY_ID, Subject},
        users::STATUS,
    },
};

/// The newest pushes that are looked at: of those that the user may not read, none is listed.
const LOOKED_AT: i64 = 100;

/// A namespace of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNamespace {
    /// Its name.
    pub name: String,
    /// The role of the user in it; `owner` in their own.
    pub role: String,
}

impl FromRow for OwnNamespace {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.get("name"), role: row.get("role") }
    }
}

/// The namespaces that a user owns or is a member of, at most `most`.
#[must_use]
pub fn namespaces(user: UserId, most: i64) -> Query<Vec<OwnNamespace>> {
    let sql = "select name, role from (
         select name, 'owner' role from namespaces where owner_id = ?1
         union all select n.name, m.role from members m cross join namespaces n on n.id = m.namespace_id where m.user_id = ?1)
       order by role <> 'owner', name limit ?2";
    Query::all(Statement::new(sql).bind(user).bind(most))
}

/// A repository to which something was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Namespace and name.
    pub full_name: String,
    /// Only for users with a role in it.
    pub private: bool,
    /// Seconds since 1970.
    pub pushed_at: i64,
}

impl FromRow for Pushed {
    fn from_row(row: &mut Row) -> Self {
        Self { full_name: row.get("full_name"), private: row.get("private"), pushed_at: row.get("pushed_at") }
    }
}

/// Of the newest pushes in the whole index those that a subject without an access token may read, at most `most`.
#[must_use]
pub fn pushed(subject: &Subject<'_>, most: i64) -> Query<Vec<Pushed>> {
    let sql = concat!(
        "with newest as materialized (
           select id, namespace_id, full_name, private, pushed_at from repositories
           where deleted_at is null and pushed_at is not null order by pushed_at desc limit ?4)
         select r.full_name, r.private, r.pushed_at
         from newest r cross join namespaces n on n.id = r.namespace_id left join users u on ",
        STATUS,
        " = 'active' and u.id = coalesce(?2, 0)",
        RELATED,
        " where ",
        ROLE_BY_ID,
        " >= 1 order by r.pushed_at desc limit ?5"
    );
    Query::all(subject.bind_to(Statement::new(sql)).bind(LOOKED_AT).bind(most))
}

/// How far a user has come with their first image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSteps {
    /// Whether they logged in with docker.
    pub logged_in: bool,
    /// Whether something was pushed to their namespaces.
    pub pushed: bool,
}

impl FromRow for FirstSteps {
    fn from_row(row: &mut Row) -> Self {
        Self { logged_in: row.get("logged_in"), pushed: row.get("pushed") }
    }
}

/// How far a user has come with their first image.
#[must_use]
pub fn first_steps(user: UserId) -> Query<FirstSteps> {
    let sql = "select exists (select 1 from refresh_tokens where user_id = ?1 and kind = 'docker')
           or exists (select 1 from access_tokens where user_id = ?1 and used_at is not null)
           or exists (select 1 from clients where user_id = ?1 and kind in ('docker', 'podman', 'buildah', 'skopeo')) logged_in,
         exists (select 1 from namespaces n cross join repositories r on r.namespace_id = n.id
           where n.owner_id = ?1 and r.pushed_at is not null and r.deleted_at is null)
           or exists (select 1 from members m cross join repositories r on r.namespace_id = m.namespace_id
             where m.user_id = ?1 and r.pushed_at is not null and r.deleted_at is null) pushed";
    Query::one(Statement::new(sql).bind(user))
}

/// When each registry reported last, as their heartbeats.
#[must_use]
pub fn notifications() -> Query<Vec<Progress>> {
    Query::all(Statement::new("select task, cursor from progress where task > 'events ' and task < 'events!'"))
}
