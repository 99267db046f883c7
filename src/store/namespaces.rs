//! Namespaces as people and programs ask about them: those somebody is in, and who is behind a name.

use constcat::concat;

use crate::store::{
    Statement,
    roles::{READS_PUBLIC, SUBJECT, Subject},
    users::STATUS,
};

/// The namespaces that the user `?1` is in: `id`, `name`, `owner_id`, `created_at`.
macro_rules! joined {
    () => {
        "joined as (select id, name, owner_id, created_at from namespaces where owner_id = ?1
           union select n.id, n.name, n.owner_id, n.created_at
           from members m cross join namespaces n on n.id = m.namespace_id where m.user_id = ?1)"
    };
}

/// A page of the namespaces without an owner that a user is a member of, by name: `namespace_id`, `name`, `created_at`,
/// with `count` in every row. A page past the end is one row without a `name`.
#[must_use]
pub fn shared(user: i64, limit: i64, offset: i64) -> Statement {
    let sql = concat!(
        "with ",
        joined!(),
        " select c.count, p.* from (select count(*) count from joined where owner_id is null) c
         left join (select id namespace_id, name, created_at from joined where owner_id is null
           order by name limit ?2 offset ?3) p on true order by p.name"
    );
    Statement::new(sql).bind(user).bind(limit).bind(offset)
}

/// The names of the namespaces that a user owns or is a member of (`name`), so many at most.
#[must_use]
pub fn names(user: i64, most: i64) -> Statement {
    let sql = concat!("with ", joined!(), " select name from joined order by name limit ?2");
    Statement::new(sql).bind(user).bind(most)
}

/// What there is of a name: the namespace (`namespace_id`, `namespace_since`, whether it is `owned`), the user
/// (`user_id`, `kind`, `user_since`), and whether there is something in the namespace that is not their own and that they
/// may read (`shown`); always one row.
#[must_use]
pub fn about(name: &str, subject: &Subject<'_>) -> Statement {
    let sql = concat!(
        "select n.id namespace_id, n.created_at namespace_since, n.owner_id is not null owned,
           w.id user_id, w.kind, w.created_at user_since,
           (",
        READS_PUBLIC,
        " and exists (select 1 from repositories r where r.namespace_id = n.id and r.private = 0 and r.deleted_at is null))
           or exists (select 1 from collaborators k cross join repositories r on r.id = k.repository_id
             where k.user_id = u.id and r.namespace_id = n.id and r.deleted_at is null) shown
         from (select ?4 name) asked
         left join namespaces n on n.name = asked.name left join users w on w.name = asked.name
         left join users u on ",
        STATUS,
        " = 'active' and u.id = ",
        SUBJECT
    );
    subject.bind_to(Statement::new(sql)).bind(name)
}
