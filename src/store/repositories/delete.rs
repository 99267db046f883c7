//! Deletions of repositories.

use crate::{
    domain::{RepositoryId, RepositoryName, audit::AuditAction},
    store::{
        Statement,
        audit::AuditContext,
        deletions,
        repositories::{enqueue, record},
        tombstones,
    },
};

/// Deletes a repository at once, with everything that belongs to it.
#[must_use]
pub fn delete(id: RepositoryId, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        enqueue(id),
        tombstones::insert(id, by),
        Statement::new("delete from repositories where id = ?1").bind(id),
        record(by, AuditAction::RepoDelete, name),
        deletions::request_repository(name, by),
    ]
}

/// Marks a repository deleted: it is hidden, and waits for the registry to delete its part.
#[must_use]
pub fn mark(id: RepositoryId, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        tombstones::insert(id, by),
        Statement::new(
            "update repositories set deleted_at = ?2, updated_at = ?2, revision = revision + 1
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(by.now),
        record(by, AuditAction::RepoDelete, name),
        enqueue(id),
    ]
}

/// Removes a repository with a pending deletion, with everything that belongs to it.
#[must_use]
pub fn remove(id: RepositoryId, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    let mut statements = vec![tombstones::insert(id, by)];
    statements.extend(give_way(id, name, by));
    statements
}

/// Removes one with a pending deletion, so that another of its name can be created: its tombstone is from when it was
/// marked.
pub(super) fn give_way(id: RepositoryId, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        enqueue(id),
        Statement::new("delete from repositories where id = ?1 and deleted_at is not null").bind(id),
        record(by, AuditAction::RepoRemove, name),
    ]
}
