//! Who has access to a repository, and by which relation.

use constcat::concat;

use crate::{
    domain::{RepositoryName, Role, access::Relations},
    store::{
        FromRow, Keyed, Page, Query, Row, Statement,
        access_tokens::{AccessToken, TOKEN_COLUMNS},
        repositories::bind_repository,
        roles::{SUBJECT, Subject, WITH_ROLE},
        users::STATUS,
    },
};

/// A user with a relation to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccess {
    /// The user's name.
    pub username: String,
    /// Whether it is a service account.
    pub machine: bool,
    /// Whether the account may do anything.
    pub active: bool,
    /// Owner, member and collaborator.
    pub relations: Relations,
}

impl FromRow for UserAccess {
    fn from_row(row: &mut Row) -> Self {
        Self {
            username: row.get("username"),
            machine: row.get::<String>("kind") == "machine",
            active: row.get::<String>("status") == "active",
            relations: Relations {
                owner: row.get("owner"),
                member: row.get::<Option<Role>>("member_role"),
                collaborator: row.get::<Option<Role>>("collaborator_role"),
                ..Relations::default()
            },
        }
    }
}

impl Keyed for UserAccess {
    const KEY: &'static str = "username";
}

/// A page of the owner, the members and the collaborators of a repository, by name, for its admins.
#[must_use]
pub fn list(repository: &RepositoryName, subject: &Subject<'_>, limit: i64, offset: i64) -> Query<Page<UserAccess>> {
    let sql = concat!(
        WITH_ROLE,
        ", relations as (
           select n.owner_id user_id, 1 owner, null member_role, null collaborator_role
           from place p cross join namespaces n on n.id = p.namespace_id where p.role >= 3 and n.owner_id is not null
           union all select m.user_id, 0, m.role, null
           from place p cross join members m on m.namespace_id = p.namespace_id where p.role >= 3
           union all select c.user_id, 0, null, c.role
           from place p cross join collaborators c on c.repository_id = p.repository_id where p.role >= 3),
         access as materialized (
           select u.name username, u.kind, ",
        STATUS,
        " status, max(r.owner) owner, max(r.member_role) member_role, max(r.collaborator_role) collaborator_role
           from relations r cross join users u on u.id = r.user_id group by u.id)
         select c.count, a.* from (select count(*) count from access) c
         left join (select * from access order by username limit ?6 offset ?7) a on true order by a.username"
    );
    Query::page(bind_repository(sql, repository, subject).bind(limit).bind(offset))
}

/// An access token that a review is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedToken {
    /// The token.
    pub token: AccessToken,
    /// Whether its user is a service account of the namespace.
    pub is_of_namespace: bool,
}

impl FromRow for ReviewedToken {
    fn from_row(row: &mut Row) -> Self {
        Self { token: AccessToken::from_row(row), is_of_namespace: row.get("is_of_namespace") }
    }
}

/// The access token of a subject with the given uuid.
#[must_use]
pub fn token(uuid: &str, subject: &Subject<'_>, namespace: &str) -> Query<Option<ReviewedToken>> {
    let sql = concat!(
        "select ",
        TOKEN_COLUMNS,
        ", t.expires_at token_expires_at,
           ifnull(u.machine_of = (select id from namespaces where name = ?5), 0) is_of_namespace
         from access_tokens t join users u on u.id = t.user_id where t.uuid = ?4 and u.id = ",
        SUBJECT
    );
    Query::optional(subject.bind_to(Statement::new(sql)).bind(uuid).bind(namespace))
}
