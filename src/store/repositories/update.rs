//! Updates of a repository's details and visibility.

use crate::{
    domain::{RepositoryId, RepositoryName, audit::AuditAction},
    store::{
        Statement,
        audit::{self, Account, AuditContext},
        repositories::enqueue,
    },
};

/// The changes of a repository; what is `None` stays as it is.
#[derive(Default)]
pub struct Change<'a> {
    /// One line.
    pub description: Option<&'a str>,
    /// A page.
    pub full_description: Option<&'a str>,
    /// Only for users with a role in it.
    pub private: Option<bool>,
}

/// Changes a repository. Hiding it is written to search ahead of this, as the next revision, so the change itself is
/// the one after that.
#[must_use]
pub fn update(id: RepositoryId, name: &RepositoryName, change: &Change<'_>, by: &AuditContext) -> Vec<Statement> {
    let mut statements = Vec::new();
    if let Some(private) = change.private {
        // A statement of its own, so that the audit has a row only if the value was another one.
        statements.push(
            Statement::new(
                "update repositories set private = ?2 where id = ?1 and private <> ?2 and deleted_at is null",
            )
            .bind(id)
            .bind(private),
        );
        let (account, data) = (Account::Named(&name.namespace), [("is_private", audit::flag(private))]);
        statements.push(audit::record(by, AuditAction::RepoChangePrivacy, account, &name.to_string(), &data));
    }
    statements.extend([
        Statement::new(
            "update repositories set description = ifnull(?2, description),
               full_description = ifnull(?3, full_description), private = ifnull(?4, private), updated_at = ?5,
               revision = revision + 1 + ifnull(?4, 0)
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(change.description)
        .bind(change.full_description)
        .bind(change.private)
        .bind(by.now),
        enqueue(id),
    ]);
    statements
}
