//! Members: who may do what in everything of a namespace.

use constcat::concat;

use crate::store::{
    Statement,
    audit::{self, Account, AuditContext},
    repositories::whole,
    roles::{Subject, WITH_ROLE},
};

/// A page of those who have a right in a namespace, for its admins, its owner first and the rest by name, with `count`
/// in every row: columns as of [`find`]. A page past the end is one row without a `name`.
#[must_use]
pub fn list(namespace: &str, subject: &Subject<'_>, limit: i64, offset: i64) -> Statement {
    let sql = concat!(
        WITH_ROLE,
        ", there as (select n.id, n.owner_id from place p cross join namespaces n on n.id = p.namespace_id
           where p.role >= 3),
         all_of_them as (
           select u.id user_id, u.name, u.kind, u.status, u.created_at, 'admin' role, 1 owner
           from there t cross join users u on u.id = t.owner_id
           union all
           select u.id, u.name, u.kind, u.status, u.created_at, m.role, 0
           from there t cross join members m on m.namespace_id = t.id cross join users u on u.id = m.user_id
           where m.user_id is not t.owner_id)
         select c.count, p.* from (select count(*) count from all_of_them) c
         left join (select * from all_of_them order by owner desc, name limit ?6 offset ?7) p on true
         order by p.owner desc, p.name"
    );
    whole(sql, namespace, subject).bind(limit).bind(offset)
}

/// A user as they stand to a namespace: `user_id`, `name`, `kind`, `status`, `created_at`, `role`,
/// `owner`; no row when there is no such user.
#[must_use]
pub fn find(namespace: &str, username: &str) -> Statement {
    Statement::new(
        "select u.id user_id, u.name, u.kind, u.status, u.created_at, m.role, ifnull(n.owner_id = u.id, 0) owner
         from users u left join namespaces n on n.name = ?1
         left join members m on m.namespace_id = n.id and m.user_id = u.id
         where u.name = ?2",
    )
    .bind(namespace)
    .bind(username)
}

/// A role of a user in a namespace.
pub struct Role<'a> {
    /// The namespace.
    pub namespace_id: i64,
    /// Its name.
    pub namespace: &'a str,
    /// The user's name.
    pub user: &'a str,
    /// Whether there was another one.
    pub changes: bool,
    /// `read`, `write` or `admin`.
    pub role: &'a str,
}

/// Gives a user a role in a namespace.
#[must_use]
pub fn set(role: &Role<'_>, by: &AuditContext) -> Vec<Statement> {
    let set = Statement::new(
        "insert into members (namespace_id, user_id, role)
         select n.id, u.id, ?3 from namespaces n join users u on u.name = ?2 where n.id = ?1
         on conflict (namespace_id, user_id) do update set role = excluded.role where role <> excluded.role",
    )
    .bind(role.namespace_id)
    .bind(role.user)
    .bind(role.role);
    let action = if role.changes { "org.member.role.change" } else { "org.member.add" };
    vec![set, audit::record(by, action, Account::Named(role.namespace), role.user, &[("role", role.role)])]
}

/// Takes it away; the last statement gives a row if there was one.
#[must_use]
pub fn remove(namespace_id: i64, namespace: &str, username: &str, by: &AuditContext) -> Vec<Statement> {
    let remove = Statement::new(
        "delete from members where namespace_id = ?1 and user_id = (select id from users where name = ?2)",
    )
    .bind(namespace_id)
    .bind(username);
    vec![remove, audit::record(by, "org.member.remove", Account::Named(namespace), username, &[])]
}
