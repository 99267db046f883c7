//! What the last repository was of a name from which it was deleted or moved. Registries keep the bytes under a name,
//! and report late what happened to it: so events that are older than the end change nothing, and another repository of
//! the name is seen by no user who could not see the last one.

use crate::{
    domain::{RepositoryId, RepositoryName},
    store::{Statement, audit::AuditContext},
};

/// Remembers a repository that is about to be deleted.
pub(super) fn insert(id: RepositoryId, by: &AuditContext) -> Statement {
    Statement::new(
        "insert into tombstones (namespace_id, name, private, buried_at)
         select namespace_id, name, private, ?2 from repositories where id = ?1
         on conflict (namespace_id, name) do update set private = excluded.private,
           buried_at = max(buried_at, excluded.buried_at), moved_to = null, since = 0",
    )
    .bind(id)
    .bind(by.millis)
}

/// Remembers a repository under its old name, if the statement before this one moved it.
pub(super) fn record_move(id: RepositoryId, from: &RepositoryName, by: &AuditContext) -> Statement {
    Statement::new(
        "insert into tombstones (namespace_id, name, private, buried_at, moved_to)
         select n.id, r.name, r.private, ?3, r.id from repositories r join namespaces n on n.name = ?2
         where r.id = ?1 and changes() > 0
         on conflict (namespace_id, name) do update set private = excluded.private,
           buried_at = max(buried_at, excluded.buried_at),
           since = iif(moved_to is excluded.moved_to, since, buried_at), moved_to = excluded.moved_to",
    )
    .bind(id)
    .bind(from.namespace.as_str())
    .bind(by.millis)
}
