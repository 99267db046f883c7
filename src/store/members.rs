//! Members: who may do what in everything of a namespace.

use constcat::concat;

use crate::{
    domain::{NamespaceId, Role, UserId, audit::AuditAction},
    store::{
        FromRow, Keyed, Page, Query, Row, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        candidates::Candidate,
        repositories::bind_namespace,
        roles::{Subject, WITH_ROLE},
    },
};

/// A user with a role in a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// A service account is a user without a password.
    pub machine: bool,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The role.
    pub role: Role,
    /// The owner of the namespace is an admin of it.
    pub owner: bool,
}

impl FromRow for Member {
    fn from_row(row: &mut Row) -> Self {
        Self {
            user_id: row.get("user_id"),
            name: row.get("name"),
            machine: row.get::<String>("kind") == "machine",
            created_at: row.get("created_at"),
            role: row.get("role"),
            owner: row.get("owner"),
        }
    }
}

impl Keyed for Member {
    const KEY: &'static str = "role";
}

/// A page of the members of a namespace, for its admins: its owner first and the rest by name.
#[must_use]
pub fn list(namespace: &str, subject: &Subject<'_>, limit: i64, offset: i64) -> Query<Page<Member>> {
    let sql = concat!(
        WITH_ROLE,
        ", there as (select n.id, n.owner_id from place p cross join namespaces n on n.id = p.namespace_id
           where p.role >= 3),
         all_of_them as (
           select u.id user_id, u.name, u.kind, u.created_at, 'admin' role, 1 owner
           from there t cross join users u on u.id = t.owner_id
           union all
           select u.id, u.name, u.kind, u.created_at, m.role, 0
           from there t cross join members m on m.namespace_id = t.id cross join users u on u.id = m.user_id
           where m.user_id is not t.owner_id)
         select c.count, p.* from (select count(*) count from all_of_them) c
         left join (select * from all_of_them order by owner desc, name limit ?6 offset ?7) p on true
         order by p.owner desc, p.name"
    );
    Query::page(bind_namespace(sql, namespace, subject).bind(limit).bind(offset))
}

/// A user as a member of a namespace, if there is such a user.
#[must_use]
pub fn find(namespace: &str, username: &str) -> Query<Option<Candidate<Member>>> {
    let statement = Statement::new(
        "select u.id user_id, u.name, u.kind, u.status, u.created_at, m.role, ifnull(n.owner_id = u.id, 0) owner
         from users u left join namespaces n on n.name = ?1
         left join members m on m.namespace_id = n.id and m.user_id = u.id
         where u.name = ?2",
    );
    Query::optional(statement.bind(namespace).bind(username))
}

/// A role that a user is to have in a namespace.
pub struct Grant<'a> {
    /// The namespace.
    pub namespace_id: NamespaceId,
    /// Its name.
    pub namespace: &'a str,
    /// The user's name.
    pub user: &'a str,
    /// Whether it takes the place of another role.
    pub changes: bool,
    /// The role.
    pub role: Role,
}

/// Gives a user a role in a namespace; returns the user as they are then.
pub fn set(transaction: &mut Transaction, grant: &Grant<'_>, by: &AuditContext) -> Step<Option<Candidate<Member>>> {
    let set = Statement::new(
        "insert into members (namespace_id, user_id, role)
         select n.id, u.id, ?3 from namespaces n join users u on u.name = ?2 where n.id = ?1
         on conflict (namespace_id, user_id) do update set role = excluded.role where role <> excluded.role",
    )
    .bind(grant.namespace_id)
    .bind(grant.user)
    .bind(grant.role.as_str());
    let action = if grant.changes { AuditAction::OrgMemberRoleChange } else { AuditAction::OrgMemberAdd };
    let data = [("role", grant.role.as_str())];
    transaction.run([set, audit::record(by, action, Account::Named(grant.namespace), grant.user, &data)]);
    transaction.read(find(grant.namespace, grant.user))
}

/// Takes the role from a user; returns whether they had one.
pub fn remove(
    transaction: &mut Transaction,
    (namespace_id, namespace): (NamespaceId, &str),
    username: &str,
    by: &AuditContext,
) -> Step<bool> {
    let delete = "delete from members where namespace_id = ?1 and user_id = (select id from users where name = ?2)";
    transaction.run([Statement::new(delete).bind(namespace_id).bind(username)]);
    transaction.read(Query::any(audit::record(
        by,
        AuditAction::OrgMemberRemove,
        Account::Named(namespace),
        username,
        &[],
    )))
}
