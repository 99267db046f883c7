//! What a subject can read, in all namespaces.

use constcat::concat;

use crate::store::{
    FromRow, Query, Row, Statement,
    roles::{SUBJECT, Subject},
    users::STATUS,
};

/// Whether a repository `r` is private, and one that search may find.
const SECRET: &str = "r.private = 1 and r.deleted_at is null and r.pushed_at is not null";

/// Some of the private repositories that a user may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadablePrivate {
    /// Up to a thousand of them: the id and the full name of each.
    pub repositories: Vec<(i64, String)>,
    /// Whether there are more than all the rows have.
    pub cut: bool,
}

impl FromRow for ReadablePrivate {
    fn from_row(row: &mut Row) -> Self {
        let list = row.take("readable").unwrap_or_default();
        Self { repositories: row.json("readable", &list), cut: row.get("cut") }
    }
}

/// The private repositories that a user may read, fewer than `most` in all rows together. The first row has none, and
/// contains whether they were cut: the number of repositories that are looked at for them is bounded as well.
#[must_use]
pub fn readable_private(subject: &Subject<'_>, most: i64) -> Query<Vec<ReadablePrivate>> {
    let statement = subject
        .bind_to(Statement::new(concat!(
            "with subject as (select id from users where id = ",
            SUBJECT,
            "), invited (id) as materialized (
               select c.repository_id from subject cross join collaborators c on c.user_id = subject.id
               order by c.repository_id desc limit ?4
             ), joined (id) as materialized (
               select m.namespace_id from subject cross join members m on m.user_id = subject.id limit ?4
             ), own (id, full_name) as materialized (
               select id, full_name from (select r.id, r.full_name from subject cross join namespaces n on n.owner_id = subject.id
                 cross join repositories r on r.namespace_id = n.id where ",
            SECRET,
            " limit ?4)
               union
               select id, full_name from (select r.id, r.full_name from joined
                 cross join repositories r on r.namespace_id = joined.id where ",
            SECRET,
            " limit ?4)
               union
               select r.id, r.full_name from invited cross join repositories r on r.id = invited.id where ",
            SECRET,
            " order by 1 desc limit ?4
             )
             select '[]' readable, max((select count(*) from invited), (select count(*) from joined),
               (select count(*) from own)) >= ?4 cut
             union all
             select json_group_array(json_array(id, full_name)), 0
               from (select id, full_name, row_number() over (order by id desc) - 1 at from own where true limit ?4 - 1)
               group by at / 1000"
        )))
        .bind(most);
    Query::all(statement)
}

/// A repository of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Namespace and name.
    pub full_name: String,
    /// Only for users with a role in it.
    pub private: bool,
}

impl FromRow for CatalogEntry {
    fn from_row(row: &mut Row) -> Self {
        Self { full_name: row.get("full_name"), private: row.get("private") }
    }
}

/// The repositories that the subject may read, by full name, after this one (`last`), at most `most`. `administrating`:
/// whether the credentials allow administration, which reads everything.
#[must_use]
pub fn catalog(subject: &Subject<'_>, administrating: bool, last: &str, limit: i64) -> Query<Vec<CatalogEntry>> {
    let statement = subject
        .bind_to(Statement::new(concat!(
            "with subject as (select id, administrator from users u where ",
            STATUS,
            " = 'active' and id = ",
            SUBJECT,
            ")
             select full_name, private from (
               select full_name, private from (select full_name, private from repositories
                 where private = 0 and deleted_at is null and pushed_at is not null and full_name > ?4
                   and (?2 = 0 or exists (select 1 from subject))
                 order by full_name limit coalesce(?5, 0))
               union
               select r.full_name, r.private from subject join namespaces n on n.owner_id = subject.id
                 join repositories r on r.namespace_id = n.id
                 where r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
               union
               select r.full_name, r.private from subject join members m on m.user_id = subject.id
                 join repositories r on r.namespace_id = m.namespace_id
                 where r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
               union
               select r.full_name, r.private from subject join collaborators c on c.user_id = subject.id
                 join repositories r on r.id = c.repository_id
                 where r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
               union
               select full_name, private from (select r.full_name, r.private from subject cross join repositories r
                 where ?6 and subject.administrator = 1
                   and r.deleted_at is null and r.pushed_at is not null and r.full_name > ?4
                 order by r.full_name limit coalesce(?5, 0))
               order by 1 limit coalesce(?5, 0))"
        )))
        .bind(last)
        .bind(limit)
        .bind(administrating);
    Query::all(statement)
}
