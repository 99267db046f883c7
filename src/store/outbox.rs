//! What search must still learn: read from the truth here, written by `documents`.

use crate::store::{Row, Statement};

/// The oldest news, at most so many, with the repositories as they are now: `outbox_id`,
/// `repository_id`, and `revision` of one that is there, `listed` if search should know it.
#[must_use]
pub fn pending(most: i64) -> Statement {
    Statement::new(
        "select o.id outbox_id, o.repository_id, n.name namespace, r.name, r.description, r.private, r.star_count,
           r.pushed_at, r.revision, r.pushed_at is not null and r.deleted_at is null listed
         from (select id, repository_id from outbox order by id limit ?1) o
         left join repositories r on r.id = o.repository_id
         left join namespaces n on n.id = r.namespace_id
         order by o.id",
    )
    .bind(most)
}

/// Strikes news off (JSON pairs of outbox id and the revision that search was given, 0 for a
/// repository that is gone), but only where the repository is still what search was told.
#[must_use]
pub fn acknowledge(pairs: &str) -> Statement {
    Statement::new(
        "delete from outbox where id in (
           select o.id from json_each(?1) j join outbox o on o.id = j.value ->> 0
           left join repositories r on r.id = o.repository_id
           where ifnull(r.revision, 0) = j.value ->> 1)",
    )
    .bind(pairs)
}

/// The repositories behind this id, in order, at most so many: columns as of [`pending`].
#[must_use]
pub fn repositories_after(id: i64, most: i64) -> Statement {
    Statement::new(
        "select r.id repository_id, n.name namespace, r.name, r.description, r.private, r.star_count,
           r.pushed_at, r.revision, r.pushed_at is not null and r.deleted_at is null listed
         from (select * from repositories where id > ?1 order by id limit ?2) r
         join namespaces n on n.id = r.namespace_id order by r.id",
    )
    .bind(id)
    .bind(most)
}

/// How far the verification has come: `cursor`.
#[must_use]
pub fn cursor() -> Statement {
    Statement::new("select cursor from progress where task = 'verify search'")
}

/// Remembers how far it has come.
#[must_use]
pub fn set_cursor(id: i64) -> Statement {
    Statement::new(
        "insert into progress (task, cursor) values ('verify search', ?1)
         on conflict (task) do update set cursor = excluded.cursor where cursor <> excluded.cursor",
    )
    .bind(id)
}

/// A repository as the rows above tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The row of the outbox, if it comes from there.
    pub outbox_id: i64,
    /// The repository's id.
    pub repository_id: i64,
    /// 0 when the repository is gone.
    pub revision: i64,
    /// What search should hold, or nothing.
    pub document: Option<Document>,
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
    /// Only for who was named.
    pub private: bool,
    /// Stars.
    pub star_count: i64,
    /// Seconds since 1970.
    pub pushed_at: i64,
}

impl News {
    /// The news of a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let document = row.flag("listed").then(|| Document {
            namespace: row.text("namespace").to_owned(),
            name: row.text("name").to_owned(),
            description: row.text("description").to_owned(),
            private: row.flag("private"),
            star_count: row.integer("star_count"),
            pushed_at: row.integer("pushed_at"),
        });
        Self {
            outbox_id: row.integer("outbox_id"),
            repository_id: row.integer("repository_id"),
            revision: row.integer("revision"),
            document,
        }
    }
}
