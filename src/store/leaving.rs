//! What is removed with all that is its own: an account or a namespace, in one batch.

use constcat::concat;

use crate::{
    domain::UserId,
    store::{
        Query, Statement, Step, Transaction,
        audit::{self, AuditContext},
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
const LEAVES: &str = "exists (select 1 from retired_names where name = ?1)";

/// The namespace of the name `?1`, and the service accounts that are its own, as tables `n` and `m`.
const MACHINES: &str = "namespaces n join users m on m.machine_of = n.id where n.name = ?1";

/// The namespace of the name `?1`, and its repositories, as tables `n` and `r`.
const REPOSITORIES: &str = "namespaces n join repositories r on r.namespace_id = n.id where n.name = ?1";

/// The users who go: `id`.
const OWN: &str = concat!("(select id from users where name = ?1 union all select m.id from ", MACHINES, ")");

/// Deletes the user or the namespace of a name with all that is its own, unless it has repositories that are to stay
/// (`repositories`). The names stay reserved: registries hold what was pushed under them. Search is updated, and the
/// audit log keeps the names. Returns whether it still exists.
pub fn leave(transaction: &mut Transaction, name: &str, repositories: bool, by: &AuditContext) -> Step<bool> {
    let asked = |sql| Statement::new(sql).bind(name);
    let recorded = |sql| audit::bind_by(asked(sql), by);
    transaction.run([
        asked(concat!(
            "insert into retired_names (name, machine_of, retired_at)
             select ?1, (select machine_of from users where name = ?1), ?2
             where (exists (select 1 from users where name = ?1) or exists (select 1 from namespaces where name = ?1))
               and (?3 or not exists (select 1 from ",
            REPOSITORIES,
            " and r.deleted_at is null))"
        ))
        .bind(by.now)
        .bind(repositories),
        asked(concat!(
            "insert into retired_names (name, machine_of, retired_at) select m.name, n.id, ?2 from ",
            MACHINES,
            " and ",
            LEAVES
        ))
        .bind(by.now),
        recorded(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, n.id, 'org.machine.delete', m.name, ?3, ?4, ?5 from ",
            MACHINES,
            " and ",
            LEAVES
        )),
        recorded(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, n.id, 'repo.delete', r.full_name, ?3, ?4, ?5 from ",
            REPOSITORIES,
            " and ",
            LEAVES
        )),
        recorded(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?2, coalesce(u.machine_of, n.id),
               case when u.kind = 'machine' then 'org.machine.delete' when u.id is null then 'org.delete'
                 else 'user.delete' end, gone.name, ?3, ?4, ?5
             from (select ?1 name) gone
             left join users u on u.name = gone.name left join namespaces n on n.name = gone.name
             where coalesce(u.id, n.id) is not null and ",
            LEAVES
        )),
        asked(concat!("insert into outbox (repository_id) select r.id from ", REPOSITORIES, " and ", LEAVES)),
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
        asked(concat!("delete from users where name = ?1 and ", LEAVES)),
        asked(concat!("delete from namespaces where name = ?1 and ", LEAVES)),
    ]);
    let left = "select 1 from users where name = ?1 union all select 1 from namespaces where name = ?1";
    transaction.read(Query::any(asked(left)))
}
