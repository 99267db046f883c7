//! The kinds of client by which people log in.

use crate::{
    domain::UserId,
    store::{Query, Statement},
};

/// Kinds of client that are kept of a user at most: invented names do not fill the table.
const MAX_KINDS: i64 = 100;

/// Keeps a kind by which a person logged in. If it is new: whether there are others.
#[must_use]
pub fn record(user: UserId, kind: &str, now: i64) -> Query<Option<bool>> {
    let statement = Statement::new(
        "insert into clients (user_id, kind, first_at)
         select id, ?2, ?3 from users where id = ?1 and kind = 'person'
           and (select count(*) from (select 1 from clients where user_id = ?1 limit ?4)) < ?4
         on conflict (user_id, kind) do nothing
         returning exists (select 1 from clients c where c.user_id = ?1 and c.kind <> ?2) others",
    );
    Query::optional(statement.bind(user).bind(kind).bind(now).bind(MAX_KINDS))
}
