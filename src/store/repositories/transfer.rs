//! Transfers of repositories to other namespaces.

use crate::{
    domain::{NamespaceId, RepositoryId, RepositoryName, audit::AuditAction},
    store::{
        Statement,
        audit::{self, Account, AuditContext},
        repositories::{delete::give_way, enqueue},
        tombstones::record_move,
    },
};

/// A repository on its way to another namespace.
pub struct Transfer<'a> {
    /// The repository.
    pub id: RepositoryId,
    /// Its name.
    pub from: &'a RepositoryName,
    /// The id of the namespace that it goes to.
    pub namespace: NamespaceId,
    /// Its new name.
    pub to: &'a RepositoryName,
    /// Whether its collaborators keep their roles, which the admins of the new namespace never gave them.
    pub keep: bool,
    /// The user who moves it.
    pub by: &'a AuditContext,
    /// The most repositories that the namespace may have.
    pub most: i64,
}

/// Moves a repository to another namespace, unless the name is taken there, or it has its quota already; one with a
/// pending deletion there (`pending_deletion`) is deleted first. If the last repository of the name was private, this
/// one is from now on. The audit logs of both namespaces record it, and every collaborator that it loses.
#[must_use]
pub fn transfer(this: &Transfer<'_>, pending_deletion: Option<RepositoryId>) -> Vec<Statement> {
    let (from, to, by) = (this.from, this.to, this.by);
    let mut statements =
        pending_deletion.map(|pending_deletion| give_way(pending_deletion, to, by)).unwrap_or_default();
    statements.push(enqueue(this.id));
    statements.push(
        Statement::new(
            "update repositories set namespace_id = ?2, updated_at = ?3, revision = revision + 1,
               full_name = (select n.name from namespaces n where n.id = ?2) || '/' || name,
               private = max(private, ifnull(
                 (select t.private from tombstones t where t.namespace_id = ?2 and t.name = repositories.name), 0))
             where id = ?1 and deleted_at is null and exists (select 1 from namespaces where id = ?2)
               and not exists (select 1 from repositories t where t.namespace_id = ?2 and t.name = repositories.name)
               and (namespace_id = ?2
                 or (select count(*) from (select 1 from repositories where namespace_id = ?2 limit ?4)) < ?4)",
        )
        .bind(this.id)
        .bind(this.namespace)
        .bind(by.now)
        .bind(this.most),
    );
    statements.push(record_move(this.id, from, by));
    let (old, new) = (from.to_string(), to.to_string());
    let record =
        |account, name, data| audit::record(by, AuditAction::RepoTransfer, Account::Named(account), name, &[data]);
    // Each directly after the one before, which inserted a row if the repository was moved.
    statements.push(record(&from.namespace, &old, ("to", new.as_str())));
    statements.push(record(&to.namespace, &new, ("from", old.as_str())));
    if !this.keep {
        statements.push(audit::record_lost_collaborators(by, this.id, from, to));
        let drop = "delete from collaborators where repository_id = ?1 and changes() > 0";
        statements.push(Statement::new(drop).bind(this.id));
    }
    statements
}
