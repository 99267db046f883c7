//! Creation of repositories.

use constcat::concat;

use crate::{
    domain::{NamespaceId, RepositoryId, RepositoryName, audit::AuditAction},
    store::{
        FromRow, Query, Row, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        repositories::{RepositoryLookup, delete::give_way},
        roles::{LOOKED_UP, LOOKUP, Subject},
    },
};

/// The name under which a repository is to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The repository of this name, if it exists.
    pub lookup: RepositoryLookup,
    /// The name of the namespace, whether or not it exists; `None` if the user has none of their own.
    pub namespace: Option<String>,
    /// Whether the last repository of this name was private, if there was one.
    pub was_private: Option<bool>,
}

impl FromRow for Destination {
    fn from_row(row: &mut Row) -> Self {
        Self {
            lookup: RepositoryLookup::from_row(row),
            namespace: row.get("namespace"),
            was_private: row.get("was_private"),
        }
    }
}

/// Looks a name up in a namespace, or in the user's own one.
#[must_use]
pub fn lookup_in_own_namespace(namespace: Option<&str>, name: &str, subject: &Subject<'_>) -> Query<Destination> {
    let sql = concat!(
        "select ",
        LOOKUP,
        ", asked.namespace, (select t.private from tombstones t where t.namespace_id = n.id and t.name = asked.name)
           was_private
         from (select coalesce(?4, (select name from namespaces where owner_id = ?2)) as namespace, ?5 as name)",
        LOOKED_UP
    );
    Query::one(subject.bind_to(Statement::new(sql)).bind(namespace).bind(name))
}

/// A new repository.
pub struct New<'a> {
    /// The id of its namespace.
    pub namespace: NamespaceId,
    /// Its name, with the name of that namespace.
    pub name: &'a RepositoryName,
    /// One line.
    pub description: &'a str,
    /// A page.
    pub full_description: &'a str,
    /// Only for users with a role in it.
    pub private: bool,
    /// Whether the client chose that: else, where the last repository of this name was private, this one is too.
    pub asked: bool,
    /// The user who creates it.
    pub by: &'a AuditContext,
    /// The most repositories that the namespace may have.
    pub most: i64,
}

/// Creates a repository, unless it exists, or its namespace has the most already; one with a pending deletion
/// (`pending_deletion`) is removed first. Returns whether this created it.
pub fn create(transaction: &mut Transaction, new: &New<'_>, pending_deletion: Option<RepositoryId>) -> Step<bool> {
    transaction.run(pending_deletion.map(|id| give_way(id, new.name, new.by)).unwrap_or_default());
    transaction.run([Statement::new(
        "insert into repositories (namespace_id, name, full_name, private, description, full_description,
               created_at, updated_at)
             select id, ?2, name || '/' || ?2, iif(?8, ?3,
                 max(?3, ifnull((select private from tombstones where namespace_id = ?1 and name = ?2), 0))),
               ?4, ?5, ?6, ?6 from namespaces where id = ?1
               and (select count(*) from (select 1 from repositories where namespace_id = ?1 limit ?7)) < ?7
             on conflict (namespace_id, name) do nothing",
    )
    .bind(new.namespace)
    .bind(new.name.name.as_str())
    .bind(new.private)
    .bind(new.description)
    .bind(new.full_description)
    .bind(new.by.now)
    .bind(new.most)
    .bind(new.asked)]);
    let data = [("is_private", audit::flag(new.private))];
    let account = Account::Named(&new.name.namespace);
    transaction.read(Query::any(audit::record(new.by, AuditAction::RepoCreate, account, &new.name.to_string(), &data)))
}
