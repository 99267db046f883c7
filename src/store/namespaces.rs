//! Namespaces: those that a user is in, and the users and namespaces of a name.

use constcat::concat;

use crate::{
    domain::{NamespaceId, UserId},
    store::{
        FromRow, Keyed, Page, Query, Row, Statement,
        roles::{READS_PUBLIC, SUBJECT, Subject},
        users::STATUS,
    },
};

/// The namespaces that the user `?1` owns or is a member of, as a table.
const JOINED: &str = "with joined as (select id, name, owner_id, created_at from namespaces where owner_id = ?1
   union select n.id, n.name, n.owner_id, n.created_at
   from members m cross join namespaces n on n.id = m.namespace_id where m.user_id = ?1)";

/// A namespace without an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Never given twice.
    pub id: NamespaceId,
    /// Its name.
    pub name: String,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl FromRow for Organisation {
    fn from_row(row: &mut Row) -> Self {
        Self { id: row.get("id"), name: row.get("name"), created_at: row.get("created_at") }
    }
}

impl Keyed for Organisation {
    const KEY: &'static str = "id";
}

/// A page of the organisations that a user is a member of, by name.
#[must_use]
pub fn organisations(user: UserId, limit: i64, offset: i64) -> Query<Page<Organisation>> {
    let sql = concat!(
        JOINED,
        " select c.count, p.* from (select count(*) count from joined where owner_id is null) c
         left join (select id, name, created_at from joined where owner_id is null
           order by name limit ?2 offset ?3) p on true order by p.name"
    );
    Query::page(Statement::new(sql).bind(user).bind(limit).bind(offset))
}

/// The names of the namespaces that a user owns or is a member of, at most `most`.
#[must_use]
pub fn names(user: UserId, most: i64) -> Query<Vec<String>> {
    let sql = concat!(JOINED, " select name from joined order by name limit ?2");
    Query::all(Statement::new(sql).bind(user).bind(most))
}

/// A namespace of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace {
    /// Never given twice.
    pub id: NamespaceId,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Whether it is a user's own; else it is an organisation.
    pub owned: bool,
}

impl FromRow for Namespace {
    fn from_row(row: &mut Row) -> Self {
        Self { id: row.get("namespace_id"), created_at: row.get("namespace_since"), owned: row.get("owned") }
    }
}

impl Keyed for Namespace {
    const KEY: &'static str = "namespace_id";
}

/// A user of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// Never given twice.
    pub id: UserId,
    /// A service account is a user without a password.
    pub machine: bool,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl FromRow for User {
    fn from_row(row: &mut Row) -> Self {
        let machine = row.get::<String>("kind") == "machine";
        Self { id: row.get("user_id"), machine, created_at: row.get("user_since") }
    }
}

impl Keyed for User {
    const KEY: &'static str = "user_id";
}

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The namespace of the name.
    pub namespace: Option<Namespace>,
    /// The user of the name.
    pub user: Option<User>,
    /// Whether there is a repository in the namespace that the subject may read, other than by a role in the namespace.
    pub readable: bool,
}

impl FromRow for Named {
    fn from_row(row: &mut Row) -> Self {
        let readable = row.get::<Option<bool>>("readable").unwrap_or_default();
        Self { namespace: row.joined(), user: row.joined(), readable }
    }
}

/// What has a name.
#[must_use]
pub fn by_name(name: &str, subject: &Subject<'_>) -> Query<Named> {
    let sql = concat!(
        "select n.id namespace_id, n.created_at namespace_since, n.owner_id is not null owned,
           w.id user_id, w.kind, w.created_at user_since,
           (",
        READS_PUBLIC,
        " and exists (select 1 from repositories r where r.namespace_id = n.id and r.private = 0 and r.deleted_at is null))
           or exists (select 1 from collaborators k cross join repositories r on r.id = k.repository_id
             where k.user_id = u.id and r.namespace_id = n.id and r.deleted_at is null) readable
         from (select ?4 name) asked
         left join namespaces n on n.name = asked.name left join users w on w.name = asked.name
         left join users u on ",
        STATUS,
        " = 'active' and u.id = ",
        SUBJECT
    );
    Query::one(subject.bind_to(Statement::new(sql)).bind(name))
}
