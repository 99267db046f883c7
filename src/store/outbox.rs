//! Repositories whose search documents are outdated: read from the primary database here, written by `documents`.

use serde_json::json;

use crate::{
    domain::RepositoryId,
    store::{FromRow, Query, Row, Statement},
};

/// A repository as it is now, for search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The repository's id.
    pub repository_id: RepositoryId,
    /// 0 when the repository is gone.
    pub revision: i64,
    /// What search should hold, or nothing.
    pub document: Option<Document>,
}

impl FromRow for Change {
    fn from_row(row: &mut Row) -> Self {
        let listed = row.get::<bool>("listed");
        Self {
            repository_id: row.get("repository_id"),
            revision: row.get::<Option<i64>>("revision").unwrap_or_default(),
            document: if listed { Some(Document::from_row(row)) } else { None },
        }
    }
}

/// What search holds of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// One line.
    pub description: String,
    /// Only for users who have a role in it.
    pub private: bool,
    /// Stars.
    pub star_count: i64,
    /// Seconds since 1970.
    pub pushed_at: i64,
}

impl FromRow for Document {
    fn from_row(row: &mut Row) -> Self {
        Self {
            namespace: row.get("namespace"),
            name: row.get("name"),
            description: row.take("description").unwrap_or_default(),
            private: row.get("private"),
            star_count: row.get("star_count"),
            pushed_at: row.get("pushed_at"),
        }
    }
}

/// News that waits in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingChange {
    /// The row of the outbox.
    pub outbox_id: i64,
    /// The repository.
    pub news: Change,
}

impl FromRow for PendingChange {
    fn from_row(row: &mut Row) -> Self {
        Self { outbox_id: row.get("outbox_id"), news: Change::from_row(row) }
    }
}

/// The oldest entries of the outbox, at most `most`, with the repositories as they are now.
#[must_use]
pub fn pending(most: i64) -> Query<Vec<PendingChange>> {
    let sql =
        "select o.id outbox_id, o.repository_id, n.name namespace, r.name, r.description, r.private, r.star_count,
         r.pushed_at, r.revision, r.pushed_at is not null and r.deleted_at is null listed
       from (select id, repository_id from outbox order by id limit ?1) o
       left join repositories r on r.id = o.repository_id
       left join namespaces n on n.id = r.namespace_id
       order by o.id";
    Query::all(Statement::new(sql).bind(most))
}

/// Removes news from the outbox (pairs of its id there and the revision that search has now), but only if the
/// repository still has that revision.
#[must_use]
pub fn acknowledge(written: &[(i64, i64)]) -> Statement {
    Statement::new(
        "delete from outbox where id in (
           select o.id from json_each(?1) j join outbox o on o.id = j.value ->> 0
           left join repositories r on r.id = o.repository_id
           where ifnull(r.revision, 0) = j.value ->> 1)",
    )
    .bind(json!(written).to_string())
}

/// The repositories after this id, in order, at most `most`.
#[must_use]
pub fn repositories_after(id: i64, most: i64) -> Query<Vec<Change>> {
    let sql = "select r.id repository_id, n.name namespace, r.name, r.description, r.private, r.star_count,
         r.pushed_at, r.revision, r.pushed_at is not null and r.deleted_at is null listed
       from (select * from repositories where id > ?1 order by id limit ?2) r
       join namespaces n on n.id = r.namespace_id order by r.id";
    Query::all(Statement::new(sql).bind(id).bind(most))
}

/// The last repository that was verified.
#[must_use]
pub fn cursor() -> Query<Option<i64>> {
    Query::optional(Statement::new("select cursor from progress where task = 'verify search'"))
}

/// Sets the last repository that was verified.
#[must_use]
pub fn set_cursor(id: i64) -> Statement {
    Statement::new(
        "insert into progress (task, cursor) values ('verify search', ?1)
         on conflict (task) do update set cursor = excluded.cursor where cursor <> excluded.cursor",
    )
    .bind(id)
}
