//! Machines: users without a password, made for a namespace.

use constcat::concat;

use crate::store::{
    Statement,
    audit::{self, Account, AuditContext},
    repositories::whole,
    roles::{Subject, WITH_ROLE},
};

/// Makes a machine of a namespace with a role in it, unless the name is taken or was somebody else's, or the namespace
/// has so many (`most`). The first statement gives its `id` if this made it, the last how many there are (`held`).
#[must_use]
pub fn create(
    namespace_id: i64,
    namespace: &str,
    name: &str,
    role: &str,
    by: &AuditContext,
    most: i64,
) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into users (name, kind, status, machine_of, created_at)
             select ?2, 'machine', 'active', ?1, ?3 where not exists (select 1 from namespaces where name = ?2)
               and not exists (select 1 from retired_names where name = ?2 and machine_of is not ?1)
               and (select count(*) from (select 1 from users where machine_of = ?1 limit ?4)) < ?4
             on conflict (name) do nothing returning id",
        )
        .bind(namespace_id)
        .bind(name)
        .bind(by.now)
        .bind(most),
        audit::record(by, "org.machine.create", Account::Named(namespace), name, &[("role", role)]),
        Statement::new(
            "insert into members (namespace_id, user_id, role)
             select ?1, id, ?3 from users where name = ?2 and machine_of = ?1 on conflict do nothing",
        )
        .bind(namespace_id)
        .bind(name)
        .bind(role),
        Statement::new(
            "delete from retired_names where name = ?2 and exists (
               select 1 from users where name = ?2 and machine_of = ?1)",
        )
        .bind(namespace_id)
        .bind(name),
        Statement::new("select count(*) held from (select 1 from users where machine_of = ?1 limit ?2)")
            .bind(namespace_id)
            .bind(most),
    ]
}

/// Whether a name is no more to be had by a machine of this namespace: a user or a namespace has it, or had it (`taken`);
/// and whether the namespace is somebody's own (`owned`).
#[must_use]
pub fn taken(namespace: &str, name: &str) -> Statement {
    Statement::new(
        "select exists (select 1 from users where name = ?1) or exists (select 1 from namespaces where name = ?1)
             or exists (select 1 from retired_names where name = ?1
               and machine_of is not (select id from namespaces where name = ?2)) taken,
           exists (select 1 from namespaces where name = ?2 and owner_id is not null) owned",
    )
    .bind(name)
    .bind(namespace)
}

/// The machines of a namespace, by name, for its admins: `name`, `role`, `created_at`.
#[must_use]
pub fn list(namespace: &str, subject: &Subject<'_>) -> Statement {
    let sql = concat!(
        WITH_ROLE,
        "select u.name, m.role, u.created_at from place p join users u on u.machine_of = p.namespace_id
         left join members m on m.namespace_id = p.namespace_id and m.user_id = u.id where p.role >= 3 order by u.name"
    );
    whole(sql, namespace, subject)
}

/// One machine of a namespace: `id`.
#[must_use]
pub fn find(namespace: &str, name: &str) -> Statement {
    Statement::new(
        "select u.id from namespaces n join users u on u.machine_of = n.id where n.name = ?1 and u.name = ?2",
    )
    .bind(namespace)
    .bind(name)
}

/// Removes a machine with its tokens; its name stays the namespace's.
#[must_use]
pub fn delete(id: i64, namespace: &str, name: &str, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, u.machine_of, 'org.access_token.delete', t.uuid, ?3, 'password', ?4
             from users u join access_tokens t on t.user_id = u.id where u.id = ?1 and u.kind = 'machine'",
        )
        .bind(id)
        .bind(by.now)
        .bind(by.actor.as_str())
        .bind(by.address.as_str()),
        Statement::new(
            "insert into retired_names (name, machine_of, retired_at)
             select name, machine_of, ?2 from users where id = ?1 and kind = 'machine'",
        )
        .bind(id)
        .bind(by.now),
        Statement::new("delete from users where id = ?1 and kind = 'machine'").bind(id),
        audit::record(by, "org.machine.delete", Account::Named(namespace), name, &[]),
    ]
}
