//! Access tokens that end soon, and who is to know of it.

use constcat::concat;

use crate::{
    domain::ends::{DAY, WARNINGS},
    store::Statement,
};

/// The condition of a token whose next warning is due: it had the warnings up to `?2`, and ends in `?3` seconds.
macro_rules! due {
    () => {
        "id in (select id from access_tokens where warned_days is ?2 and expires_at > ?1 and expires_at <= ?1 + ?3
           order by expires_at limit ?4)"
    };
}

/// The tokens whose warnings are due, at most so many of each, which are then no longer: statements in pairs, of
/// which each first gives `uuid`, `user_id`, `label`, `expires_at`, `is_active`, `user_name`, and `addresses`, a JSON
/// list: those of the user, and of a machine those of the admins of its namespace, as far as they are proved.
#[must_use]
pub fn due(now: i64, most: i64) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut behind = None;
    for days in WARNINGS {
        for sql in [
            concat!(
                "select t.uuid, t.user_id, t.label, t.expires_at, t.is_active, u.name user_name,
                   (select json_group_array(address) from (
                      select (select e.address from emails e where e.user_id = p.id and e.proved_at is not null
                          order by e.chosen_at desc nulls last, e.confirmed_at, e.id limit 1) address
                        from users p where p.status = 'active' and p.id in (
                          select u.id where u.machine_of is null
                          union select owner_id from namespaces where id = u.machine_of
                          union select user_id from members where namespace_id = u.machine_of and role = 'admin')
                        limit 10) where address is not null) addresses
                 from access_tokens t join users u on u.id = t.user_id where t.",
                due!()
            ),
            concat!(
                "update access_tokens set warned_days = case when expires_at <= ?1 + 86400 then 1
                   when expires_at <= ?1 + 604800 then 7 else 30 end where ",
                due!()
            ),
        ] {
            statements.push(Statement::new(sql).bind(now).bind(behind).bind(days * DAY).bind(most));
        }
        behind = Some(days);
    }
    statements
}
