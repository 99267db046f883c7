//! The image lists of repositories.

use crate::{
    domain::{NamespaceId, RepositoryId, RepositoryName, audit::AuditAction, images::MAX_IMAGES},
    store::{
        FromRow, Query, Row, Statement,
        audit::{self, Account, AuditContext},
    },
};

/// Which repository a list is merged into.
pub enum Target<'a> {
    /// The one of this namespace and name, which the same transaction may have created.
    Named(NamespaceId, &'a str),
    /// The one of this id.
    Id(RepositoryId),
}

impl Target<'_> {
    /// Binds a list and the repository: `?1` to `?4`.
    fn bind_to(&self, statement: Statement, pairs: &str) -> Statement {
        let (id, namespace, name) = match *self {
            Self::Named(namespace, name) => (None, Some(namespace), Some(name)),
            Self::Id(id) => (Some(id), None, None),
        };
        statement.bind(pairs).bind(id).bind(namespace).bind(name)
    }
}

/// Merges a list (JSON pairs of id and checksum) into a repository: new ids go after the known ones in the order of the
/// list, a known one keeps its position and, when none is sent, its checksum. Nothing is merged when the repository
/// would then hold too many, which [`merged`] returns.
#[must_use]
pub fn merge(target: &Target<'_>, pairs: &str) -> Statement {
    let statement = Statement::new(
        "with place as materialized (
           select r.id repository_id,
             (select ifnull(max(position), 0) from images where repository_id = r.id) last,
             (select count(*) from images where repository_id = r.id) held,
             (select count(*) from json_each(?1) n where not exists (
                select 1 from images i where i.repository_id = r.id and i.id = n.value ->> 0)) fresh
           from repositories r
           where r.id = coalesce(?2, (select id from repositories where namespace_id = ?3 and name = ?4))
             and r.deleted_at is null)
         insert into images (repository_id, position, id, checksum)
         select place.repository_id, place.last + 1 + j.key, j.value ->> 0, j.value ->> 1
         from place cross join json_each(?1) j where place.held + place.fresh <= ?5
         on conflict (repository_id, id) do update set checksum = excluded.checksum
           where excluded.checksum is not null and images.checksum is not excluded.checksum",
    );
    target.bind_to(statement, pairs).bind(i64::try_from(MAX_IMAGES).unwrap_or(i64::MAX))
}

/// The result of [`merge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// The id of the repository.
    pub repository_id: RepositoryId,
    /// How many images of the list the repository lacks: 0, unless they were too many.
    pub missing: i64,
}

impl FromRow for Merged {
    fn from_row(row: &mut Row) -> Self {
        Self { repository_id: row.get("repository_id"), missing: row.get("missing") }
    }
}

/// The result of merging this list; `None` if the repository does not exist.
#[must_use]
pub fn merged(target: &Target<'_>, pairs: &str) -> Query<Option<Merged>> {
    let statement = Statement::new(
        "select r.id repository_id, (select count(*) from json_each(?1) n where not exists (
           select 1 from images i where i.repository_id = r.id and i.id = n.value ->> 0)) missing
         from repositories r
         where r.id = coalesce(?2, (select id from repositories where namespace_id = ?3 and name = ?4))
           and r.deleted_at is null",
    );
    Query::optional(target.bind_to(statement, pairs))
}

/// Empties the list of a repository.
#[must_use]
pub fn clear(repository: RepositoryId, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        Statement::new("delete from images where repository_id = ?1").bind(repository),
        audit::record(by, AuditAction::RepoImagesDelete, Account::Named(&name.namespace), &name.to_string(), &[]),
    ]
}
