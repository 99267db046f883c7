//! The tags of repositories, as registries told of them in their events.

use constcat::concat;

use crate::{
    domain::RepositoryName,
    refusal::Fault,
    store::{
        FromRow, Query, Row, Statement,
        audit::{self, Account, AuditContext},
        manifests::{self, with_content},
        repositories::{RepositoryLookup, located},
        roles::{PLACE_LOOKUP, Subject, WITH_ROLE},
    },
};

/// The most names of tags that are told at once: as one text they must fit into a row of D1.
pub const MOST: i64 = 10_000;

/// The statement of lists in this order.
macro_rules! listed {
    ($order:literal) => {
        concat!(WITH_ROLE, ", newest as materialized (
               select t.id, t.name, max(t.pushed_at) pushed_at from place p cross join tags t on t.repository_id = p.repository_id
               where p.role >= 1 and t.deleted = 0 and (?6 = '' or instr(lower(t.name), lower(?6)) > 0) group by t.name)
             select c.count, t.id, t.repository_id, t.name, t.digest, t.media_type, t.pushed_at, t.pushed_by, t.pulled_at, ",
            with_content!(concat!(
                "(select count(*) count from newest) c left join (select id from newest order by ",
                $order,
                " limit ?7 offset ?8) p on true left join tags t on t.id = p.id"
            )),
            " order by ",
            $order)
    };
}

/// A page of the tags that have a text in their names, for who may read them, with `count` in every row; a page past the
/// end is one row without a `name`. The orders are those of the Hub, where a `-` stands before the ascending one. Where registries have the same tag, it is the one that was pushed
/// last. Nothing for an order that there is not.
#[must_use]
pub fn list(
    repository: &RepositoryName,
    subject: &Subject<'_>,
    name: &str,
    ordering: &str,
    limit: i64,
    offset: i64,
) -> Option<Statement> {
    let sql = match ordering {
        "name" => listed!("name desc"),
        "-name" => listed!("name"),
        "last_updated" => listed!("pushed_at desc, name"),
        "-last_updated" => listed!("pushed_at, name"),
        _ => return None,
    };
    Some(located(sql, repository, subject).bind(name).bind(limit).bind(offset))
}

/// A repository, and the names of its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagNames {
    /// The repository, as the subject stands to it.
    pub lookup: RepositoryLookup,
    names: String,
}

impl FromRow for TagNames {
    fn from_row(row: &mut Row) -> Result<Self, Fault> {
        Ok(Self { lookup: RepositoryLookup::from_row(row)?, names: row.take("tags")?.unwrap_or_default() })
    }
}

impl TagNames {
    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.split_whitespace()
    }
}

/// The names of the tags of a repository after this one (`last`), in order, at most so many, if the subject may read them.
#[must_use]
pub fn names(repository: &RepositoryName, subject: &Subject<'_>, last: &str, limit: i64) -> Query<TagNames> {
    let sql = concat!(
        WITH_ROLE,
        "select ",
        PLACE_LOOKUP,
        ", (select group_concat(name, ' ')
           from (select distinct name from tags where repository_id = p.repository_id and p.role >= 1
             and deleted = 0 and name > ?6 order by name limit ?7)) tags
         from place p"
    );
    Query::one(located(sql, repository, subject).bind(last).bind(limit))
}

/// Which images of a repository are listed, and how.
pub struct Digests<'a> {
    /// `active`, `inactive`, or empty for both.
    pub status: &'a str,
    /// Pushed or pulled since then, in milliseconds since 1970, is active.
    pub active_from: i64,
    /// `digest` or `last_activity`, descending behind a `-`.
    pub ordering: &'a str,
    /// At most so many.
    pub limit: i64,
    /// Behind so many.
    pub offset: i64,
}

/// A page of what the tags of a repository name, for who may read it: `digest`, `tags` with blanks between (the first
/// hundred), `pushed_at`, `pulled_at`, whether it is `active`, and in every row how many there are (`count`), and how many
/// images there are in all (`total`, `total_active`). A page past the end is one row without a `digest`.
#[must_use]
pub fn digests(repository: &RepositoryName, subject: &Subject<'_>, wanted: &Digests<'_>) -> Statement {
    let sql = concat!(
        WITH_ROLE,
        ", tagged as materialized (
           select t.repository_id, t.service, t.digest, t.name, t.pushed_at,
             row_number() over (partition by t.digest order by t.name) number
           from place p cross join tags t on t.repository_id = p.repository_id
           where p.role >= 1 and t.deleted = 0 and t.digest <> ''),
         digests as (
           select t.digest, group_concat(iif(t.number <= 100, t.name, null), ' ') tags, max(t.pushed_at) pushed_at,
             max(m.pulled_at) pulled_at
           from tagged t left join manifests m
             on m.repository_id = t.repository_id and m.service = t.service and m.digest = t.digest
           group by t.digest),
         known as materialized (
           select *, max(pushed_at, ifnull(pulled_at, 0)) used_at, max(pushed_at, ifnull(pulled_at, 0)) >= ?6 active
           from digests),
         page as (
           select *, row_number() over (order by iif(?8 = 'last_activity', used_at, null),
               iif(?8 = '-last_activity', -used_at, null), iif(?8 = '-digest', digest, null) desc, digest) position
           from known where ?7 = '' or active = (?7 = 'active'))
         select c.*, p.* from (select count(*) total, ifnull(sum(active), 0) total_active,
             ifnull(sum(?7 = '' or active = (?7 = 'active')), 0) count from known) c
         left join (select * from page order by position limit ?9 offset ?10) p on true order by p.position"
    );
    let statement = located(sql, repository, subject).bind(wanted.active_from).bind(wanted.status);
    statement.bind(wanted.ordering).bind(wanted.limit).bind(wanted.offset)
}

/// One tag, the one that was pushed last, for who may read it.
#[must_use]
pub fn find(repository: &RepositoryName, subject: &Subject<'_>, tag: &str) -> Statement {
    let sql = concat!(
        WITH_ROLE,
        "select t.*, ",
        with_content!("place p cross join tags t on t.repository_id = p.repository_id"),
        " where p.role >= 1 and t.name = ?6 and t.deleted = 0 order by t.pushed_at desc, t.id desc limit 1"
    );
    located(sql, repository, subject).bind(tag)
}

/// Forgets a tag (of this digest) in every registry; the last statement gives a row if there was one. A
/// mark stays, so that an older push that is told late does not bring it back.
#[must_use]
pub fn forget(repository: i64, name: &RepositoryName, tag: &str, digest: &str, by: &AuditContext) -> Vec<Statement> {
    let told = [("tag", tag), ("digest", digest)];
    vec![
        manifests::forgotten(repository, tag, by.now),
        Statement::new("update tags set deleted = 1 where repository_id = ?1 and name = ?2 and deleted = 0")
            .bind(repository)
            .bind(tag),
        audit::record(by, "repo.tag.delete", Account::Named(&name.namespace), &name.to_string(), &told),
    ]
}
