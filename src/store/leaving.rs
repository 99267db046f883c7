//! Who leaves: an account with all that is its own, in one batch.

use crate::store::{
    Statement,
    audit::{self, Account, AuditContext},
    users::User,
};

/// A repository in the namespace of a user, which is in the way unless it goes too: `full_name`.
#[must_use]
pub fn in_the_way(user: i64) -> Statement {
    Statement::new(
        "select r.full_name from namespaces n join repositories r on r.namespace_id = n.id
         where n.owner_id = ?1 and r.deleted_at is null order by r.name limit 1",
    )
    .bind(user)
}

/// The condition of every statement: the name was put away at the beginning, which it is only where nothing is in the way.
macro_rules! leaves {
    ($name:literal) => {
        concat!("exists (select 1 from retired_names where name = ", $name, ")")
    };
}

/// A user and the machines of their own namespace: `id`.
macro_rules! own {
    () => {
        "(select ?1 id union all select m.id from namespaces n join users m on m.machine_of = n.id where n.owner_id = ?1)"
    };
}

/// Removes a user with their namespace, what is in it, and its machines, unless there are repositories in it that are
/// not to go (`repositories`). Nobody gets the names: registries hold what was pushed under them. Search is told, and the
/// audit keeps the names. The last statement gives a row where they are there still.
#[must_use]
pub fn leave(user: &User, repositories: bool, by: &AuditContext) -> Vec<Statement> {
    let asked = |sql| Statement::new(sql).bind(user.id).bind(user.name.as_str());
    let told = |sql| asked(sql).bind(by.now).bind(by.actor.as_str()).bind(by.address.as_str());
    vec![
        asked(
            "insert into retired_names (name, retired_at) select ?2, ?3
             where exists (select 1 from users where id = ?1 and name = ?2 and kind = 'person') and (?4 or not exists (
               select 1 from namespaces n join repositories r on r.namespace_id = n.id
               where n.owner_id = ?1 and r.deleted_at is null))",
        )
        .bind(by.now)
        .bind(repositories),
        audit::record(by, "user.delete", Account::Of(user.id), &user.name, &[]),
        asked(concat!(
            "insert into retired_names (name, machine_of, retired_at) select m.name, n.id, ?3
             from namespaces n join users m on m.machine_of = n.id where n.owner_id = ?1 and ",
            leaves!("?2")
        ))
        .bind(by.now),
        told(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?3, n.id, 'org.machine.delete', m.name, ?4, 'password', ?5
             from namespaces n join users m on m.machine_of = n.id where n.owner_id = ?1 and ",
            leaves!("?2")
        )),
        told(concat!(
            "insert into audit (at, account, action, name, actor, credential, address)
             select ?3, n.id, 'repo.delete', r.full_name, ?4, 'password', ?5
             from namespaces n join repositories r on r.namespace_id = n.id where n.owner_id = ?1 and ",
            leaves!("?2")
        )),
        asked(concat!(
            "insert into outbox (repository_id)
             select r.id from namespaces n join repositories r on r.namespace_id = n.id where n.owner_id = ?1 and ",
            leaves!("?2")
        )),
        // Stars that they gave elsewhere.
        asked(concat!(
            "insert into outbox (repository_id) select s.repository_id from ",
            own!(),
            " o join stars s on s.user_id = o.id where ",
            leaves!("?2")
        )),
        asked(concat!(
            "update repositories set revision = revision + 1, star_count = star_count - (
               select count(*) from ",
            own!(),
            " o join stars s on s.user_id = o.id and s.repository_id = repositories.id)
             where id in (select s.repository_id from ",
            own!(),
            " o join stars s on s.user_id = o.id) and ",
            leaves!("?2")
        )),
        asked(concat!("delete from users where id = ?1 and ", leaves!("?2"))),
        Statement::new("select id from users where id = ?1").bind(user.id),
    ]
}
