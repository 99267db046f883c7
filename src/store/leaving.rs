//! Who leaves: an account with all that is its own, in one batch.

use constcat::concat;

use crate::{
    domain::{UserId, audit::AuditAction},
    store::{
        Query, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        users::User,
    },
};

/// Whether there is a repository in the namespace of a user, which is a conflict unless it is deleted too.
#[must_use]
pub fn conflicts(user: UserId) -> Query<bool> {
    let sql = "select 1 from namespaces n join repositories r on r.namespace_id = n.id
       where n.owner_id = ?1 and r.deleted_at is null limit 1";
    Query::any(Statement::new(sql).bind(user))
}

/// The condition of every statement: the name was put away at the beginning, which it is only if there is no conflict.
const LEAVES: &str = "exists (select 1 from retired_names where name = ?2)";

/// A user and the service accounts of their own namespace: `id`.
const OWN: &str =
    "(select ?1 id union all select m.id from namespaces n join users m on m.machine_of = n.id where n.owner_id = ?1)";

/// Deletes a user with their namespace, its content and its service accounts, unless it has repositories that are to
/// stay (`repositories`). The names stay reserved: registries hold what was pushed under them. Search is updated, and
/// the audit log keeps the names. Returns whether they still exist.
pub fn leave(transaction: &mut Transaction, user: &User, repositories: bool, by: &AuditContext) -> Step<bool> {
    let asked = |sql| Statement::new(sql).bind(user.id).bind(user.name.as_str());
    let told = |sql| asked(sql).bind(by.now).bind(by.actor.as_str()).bind(by.address.as_str());
    transaction.run([
        asked(
            "insert into retired_names (name, retired_at) select ?2, ?3
             where exists (select 1 from users where id = ?1 and name = ?2 and kind = 'person') and (?4 or not exists (
               select 1 from namespaces n join repositories r on r.namespace_id = n.id
               where n.owner_id = ?1 and r.deleted_at is null))",
        )
        .bind(by.now)
        .bind(repositories),
        audit::record(by, AuditAction::UserDelete, Account::Of(user.id), &user.name, &[]),
        asked(concat!(
            "insert into retired_names (name, machine_of, retired_at) select m.name, n.id, ?3
             from namespaces n join users m on m.machine_of = n.id where n.owner_id = ?1 and ",
            LEAVES
        ))
        .bind(by.now),
        told(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?3, n.id, 'org.machine.delete', m.name, ?4, 'password', ?5
             from namespaces n join users m on m.machine_of = n.id where n.owner_id = ?1 and ",
            LEAVES
        )),
        told(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?3, n.id, 'repo.delete', r.full_name, ?4, 'password', ?5
             from namespaces n join repositories r on r.namespace_id = n.id where n.owner_id = ?1 and ",
            LEAVES
        )),
        asked(concat!(
            "insert into outbox (repository_id)
             select r.id from namespaces n join repositories r on r.namespace_id = n.id where n.owner_id = ?1 and ",
            LEAVES
        )),
        // Stars that they gave elsewhere.
        asked(concat!(
            "insert into outbox (repository_id) select s.repository_id from ",
            OWN,
            " o join stars s on s.user_id = o.id where ",
            LEAVES
        )),
        asked(concat!(
            "update repositories set revision = revision + 1, star_count = star_count - (
               select count(*) from ",
            OWN,
            " o join stars s on s.user_id = o.id and s.repository_id = repositories.id)
             where id in (select s.repository_id from ",
            OWN,
            " o join stars s on s.user_id = o.id) and ",
            LEAVES
        )),
        asked(concat!("delete from users where id = ?1 and ", LEAVES)),
    ]);
    transaction.read(Query::any(Statement::new("select id from users where id = ?1").bind(user.id)))
}
