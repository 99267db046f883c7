//! Pushes of the v1 protocol: the repository is created by the first, and search may find it after the last step.

use crate::{
    domain::{NamespaceId, RepositoryId, RepositoryName, audit::AuditAction},
    store::{
        Statement,
        audit::{self, Account, AuditContext},
        repositories::{delete::give_way, enqueue, record},
    },
};

/// Creates a repository, unless it exists, or the namespace has `most` already. One with a pending deletion
/// (`pending_deletion`) is deleted first.
#[must_use]
pub fn create_for_push(
    namespace: NamespaceId,
    name: &RepositoryName,
    pending_deletion: Option<RepositoryId>,
    private: bool,
    by: &AuditContext,
    most: i64,
) -> Vec<Statement> {
    let mut statements = pending_deletion.map(|id| give_way(id, name, by)).unwrap_or_default();
    statements.push(
        // Where it exists, nothing is counted.
        Statement::new(
            "insert into repositories (namespace_id, name, full_name, private, created_at, updated_at)
             select id, ?2, name || '/' || ?2,
               max(?3, ifnull((select private from tombstones where namespace_id = ?1 and name = ?2), 0)), ?4, ?4
             from namespaces where id = ?1
               and not exists (select 1 from repositories where namespace_id = ?1 and name = ?2)
               and (select count(*) from (select 1 from repositories where namespace_id = ?1 limit ?5)) < ?5
             on conflict (namespace_id, name) do nothing",
        )
        .bind(namespace)
        .bind(name.name.as_str())
        .bind(private)
        .bind(by.now)
        .bind(most),
    );
    statements.push(record(by, AuditAction::RepoCreate, name));
    statements
}

/// Records in the audit log how many images were announced, if the statement before merged any: one of them is new or
/// has another checksum.
#[must_use]
pub fn record_announcement(name: &RepositoryName, images: usize, by: &AuditContext) -> Statement {
    let images = images.to_string();
    audit::record(
        by,
        AuditAction::RepoImagesPush,
        Account::Named(&name.namespace),
        &name.to_string(),
        &[("images", &images)],
    )
}

/// Completes a push: search may find the repository.
#[must_use]
pub fn complete_push(id: RepositoryId, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new(
            "update repositories set pushed_at = ?2, updated_at = ?2, revision = revision + 1
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(by.now),
        record(by, AuditAction::RepoImagesPush, name),
        enqueue(id),
    ]
}
