//! The kinds of client by which people log in.

use crate::store::Statement;

/// The most kinds that are known of a user: whoever makes up one after the other fills no table.
const MOST: i64 = 100;

/// Keeps a kind by which a person logged in. A row says that it is new: `others` is 1 if it is not the first of all.
#[must_use]
pub fn seen(user: i64, kind: &str, now: i64) -> Statement {
    Statement::new(
        "insert into clients (user_id, kind, first_at)
         select id, ?2, ?3 from users where id = ?1 and kind = 'person'
           and (select count(*) from (select 1 from clients where user_id = ?1 limit ?4)) < ?4
         on conflict (user_id, kind) do nothing
         returning exists (select 1 from clients c where c.user_id = ?1 and c.kind <> ?2) others",
    )
    .bind(user)
    .bind(kind)
    .bind(now)
    .bind(MOST)
}
