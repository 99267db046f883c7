//! The tags of repositories, as the events of registries report them.

mod contents;

pub use contents::{Deletion, Image, PushCredential};

use std::rc::Rc;

use constcat::concat;

use crate::{
    domain::{RepositoryId, RepositoryName, audit::AuditAction},
    store::{
        FromRow, Keyed, Page, Query, Row, Statement, Step, Transaction,
        audit::{self, AuditContext},
        deletions,
        manifests::{self, CONTENT, MANIFEST},
        repositories::{RepositoryLookup, bind_repository},
        roles::{PLACE_LOOKUP, Subject, WITH_ROLE, WITH_ROLE_BY_ID},
    },
};

/// The most names of tags that are read at once: as one text they must fit into a row of D1.
pub const MAX_TAG_NAMES: i64 = 10_000;

/// A tag, with what is known of its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Never given twice.
    pub id: i64,
    /// The id of its repository.
    pub repository_id: RepositoryId,
    /// Its name.
    pub name: String,
    /// The digest that it names.
    pub digest: String,
    /// Of what it names.
    pub media_type: String,
    /// Milliseconds since 1970.
    pub pushed_at: i64,
    /// The name of the user, as the registry sent it.
    pub pushed_by: String,
    /// Seconds since 1970.
    pub pulled_at: Option<i64>,
    /// Bytes.
    pub content_size: Option<i64>,
    /// Milliseconds since 1970, when its manifest was pulled, by this tag or not.
    pub content_pulled_at: Option<i64>,
    /// A JSON list of the images of an index, with their platforms; empty if it is none.
    pub images: String,
    /// The platform that an index names for its image, or its configuration, as JSON.
    pub platform: Option<String>,
    /// When the image was made, in milliseconds since 1970, as far as a reconciler read it.
    pub created_at: Option<i64>,
    /// A JSON object of its labels, as far as a reconciler read them.
    pub labels: Option<String>,
    /// Whether a reconciler found it, and no registry reported it.
    pub is_imported: bool,
    /// The deletion that a reconciler has to do, as JSON.
    pub deletion: Option<String>,
    /// With what it was pushed, as JSON, where that was asked for.
    pub pushed_with: Option<String>,
}

impl FromRow for Tag {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.get("id"),
            repository_id: row.get("repository_id"),
            name: row.get("name"),
            digest: row.get("digest"),
            media_type: row.get("media_type"),
            pushed_at: row.get("pushed_at"),
            pushed_by: row.get("pushed_by"),
            pulled_at: row.get("pulled_at"),
            content_size: row.get("content_size"),
            content_pulled_at: row.get("content_pulled_at"),
            images: row.take("images").unwrap_or_default(),
            platform: row.get("platform"),
            created_at: row.get("content_created_at"),
            labels: row.get("content_labels"),
            is_imported: row.get("is_imported"),
            deletion: row.get("deletion"),
            pushed_with: row.get("pushed_with"),
        }
    }
}

impl Keyed for Tag {
    const KEY: &'static str = "id";
}

/// The columns of a [`Tag`] `t` with its manifest `m`.
const TAG_COLUMNS: &str = concat!(
    "t.id, t.repository_id, t.name, t.digest, t.media_type, t.pushed_at, t.pushed_by, t.pulled_at,
     t.imported_at is not null is_imported,
     (select json_object('requested_at', d.requested_at, 'requested_by', d.requested_by, 'refusal', d.refusal)
      from repositories r cross join deletions d on d.service = t.service and d.repository = r.full_name
        and d.tag = t.name where r.id = t.repository_id and t.id is not null) deletion, ",
    CONTENT
);

/// After them, where it is not asked for with what it was pushed: the text of that is long, and is compiled at each request.
const NOT_WANTED: &str = ", null pushed_with";

/// After them: with what it was pushed, for admins and for who pushed it. The audit has it: the first such push that was
/// recorded since then, within a day.
const PUSHED_WITH: &str = ", (select json_object('credential', a.credential, 'label', k.label,
       'machine', exists (select 1 from users u where u.name = a.actor and u.kind = 'machine'))
     from place v cross join repositories r on r.id = t.repository_id
       cross join audit a indexed by audit_by_name on a.account = v.namespace_id and a.name = r.full_name
         and a.at between t.pushed_at / 1000 and t.pushed_at / 1000 + 86400
       left join access_tokens k on k.uuid = substr(a.credential, 14)
     where a.action = 'repo.tag.push' and a.actor = t.pushed_by and a.data ->> 'tag' = t.name
       and a.data ->> 'digest' = t.digest
       and (v.role >= 3 or v.user_id = (select id from users where name = t.pushed_by)) order by a.at limit 1) pushed_with";

/// A list of a `place`, up to its columns. Where several registries have the same tag, it is the one that was pushed
/// last.
const NEWEST: &str = concat!(
    ", newest as materialized (
       select t.id, t.name, max(t.pushed_at) pushed_at from place p cross join tags t on t.repository_id = p.repository_id
       where p.role >= 1 and t.deleted = 0 and (?6 = '' or instr(lower(t.name), lower(?6)) > 0) group by t.name)
     select c.count, ",
    TAG_COLUMNS
);

/// After them, up to the order.
const ORDERED: &str = " from (select count(*) count from newest) c left join (select id from newest order by ";

/// A list for any subject, up to its order.
const LISTED_FOR_ANY: &str = concat!(WITH_ROLE, NEWEST, NOT_WANTED, ORDERED);

/// The same for [`Subject::is_by_id`].
const LISTED_BY_ID: &str = concat!(WITH_ROLE_BY_ID, NEWEST, NOT_WANTED, ORDERED);

/// The same with what each was pushed with.
const LISTED_WITH: &str = concat!(WITH_ROLE_BY_ID, NEWEST, PUSHED_WITH, ORDERED);

/// A list, after its order, up to the order of the page. A limit that is an expression is not a reason to compile the
/// statement each time: see `roles::LOOKED_UP_BY_ID`.
const PAGED: &str = concat!(
    " limit coalesce(?7, 0) offset coalesce(?8, 0)) p on true left join tags t on t.id = p.id",
    MANIFEST,
    " order by "
);

/// By name, for [`Subject::is_by_id`].
const BY_NAME: &str = concat!(LISTED_BY_ID, "name", PAGED, "name");

/// The newest first, for [`Subject::is_by_id`].
const NEWEST_FIRST: &str = concat!(LISTED_BY_ID, "pushed_at desc, name", PAGED, "pushed_at desc, name");

/// The tags of a repository that contain a text in their names, for a subject who may read them. The orders are those
/// of the Hub, where a `-` stands before the ascending one. Nothing for an order that does not exist.
#[must_use]
pub fn list(
    repository: &RepositoryName,
    subject: &Subject<'_>,
    name: &str,
    ordering: &str,
    (limit, offset): (i64, i64),
) -> Option<Query<Page<Tag>>> {
    let (by_id, any) = match ordering {
        "name" => (
            concat!(LISTED_BY_ID, "name desc", PAGED, "name desc"),
            concat!(LISTED_FOR_ANY, "name desc", PAGED, "name desc"),
        ),
        "-name" => (BY_NAME, concat!(LISTED_FOR_ANY, "name", PAGED, "name")),
        "last_updated" => {
            (NEWEST_FIRST, concat!(LISTED_FOR_ANY, "pushed_at desc, name", PAGED, "pushed_at desc, name"))
        }
        "-last_updated" => (
            concat!(LISTED_BY_ID, "pushed_at, name", PAGED, "pushed_at, name"),
            concat!(LISTED_FOR_ANY, "pushed_at, name", PAGED, "pushed_at, name"),
        ),
        _ => return None,
    };
    let statement = bind_repository(subject.text(by_id, any), repository, subject);
    Some(Query::page(statement.bind(name).bind(limit).bind(offset)))
}

/// The same, by name or the newest first, for a subject that [`Subject::is_by_id`]: for a user with what each was pushed
/// with, which an anonymous request never reads.
#[must_use]
pub fn list_with_credentials(
    repository: &RepositoryName,
    subject: &Subject<'_>,
    name: &str,
    by_name: bool,
    (limit, offset): (i64, i64),
) -> Query<Page<Tag>> {
    let sql = match (subject, by_name) {
        (Subject::Id(_), true) => concat!(LISTED_WITH, "name", PAGED, "name"),
        (Subject::Id(_), false) => concat!(LISTED_WITH, "pushed_at desc, name", PAGED, "pushed_at desc, name"),
        (_, true) => BY_NAME,
        (_, false) => NEWEST_FIRST,
    };
    Query::page(bind_repository(sql, repository, subject).bind(name).bind(limit).bind(offset))
}

/// A repository, and the names of its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagNames {
    /// The repository.
    pub lookup: RepositoryLookup,
    names: String,
}

impl FromRow for TagNames {
    fn from_row(row: &mut Row) -> Self {
        Self { lookup: RepositoryLookup::from_row(row), names: row.take("tags").unwrap_or_default() }
    }
}

impl TagNames {
    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.split_whitespace()
    }
}

/// The names of the tags of a `place`.
const NAMES: &str = concat!(
    "select ",
    PLACE_LOOKUP,
    ", (select group_concat(name, ' ')
       from (select distinct name from tags where repository_id = p.repository_id and p.role >= 1
         and deleted = 0 and name > ?6 order by name limit coalesce(?7, 0))) tags
     from place p"
);

/// The names of the tags of a repository after this one (`last`), in order, at most `most`, if the subject may read
/// them.
#[must_use]
pub fn names(repository: &RepositoryName, subject: &Subject<'_>, last: &str, limit: i64) -> Query<TagNames> {
    let sql = subject.text(concat!(WITH_ROLE_BY_ID, NAMES), concat!(WITH_ROLE, NAMES));
    Query::one(bind_repository(sql, repository, subject).bind(last).bind(limit))
}

/// Which images of a repository are listed, and in which order.
pub struct Digests<'a> {
    /// `active`, `inactive`, or empty for both.
    pub status: &'a str,
    /// Pushed or pulled since then, in milliseconds since 1970, is active.
    pub active_from: i64,
    /// `digest` or `last_activity`, descending after a `-`.
    pub ordering: &'a str,
    /// The most items.
    pub limit: i64,
    /// The number of items before them.
    pub offset: i64,
}

/// What tags of a repository name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The digest.
    pub digest: String,
    /// The names of the tags, separated by spaces: the first hundred.
    pub tags: String,
    /// Milliseconds since 1970.
    pub pushed_at: i64,
    /// Milliseconds since 1970.
    pub pulled_at: Option<i64>,
    /// Whether it was pushed or pulled lately.
    pub is_active: bool,
}

impl FromRow for Digest {
    fn from_row(row: &mut Row) -> Self {
        Self {
            digest: row.get("digest"),
            tags: row.take("tags").unwrap_or_default(),
            pushed_at: row.get("pushed_at"),
            pulled_at: row.get("pulled_at"),
            is_active: row.get("is_active"),
        }
    }
}

impl Keyed for Digest {
    const KEY: &'static str = "digest";
}

/// What is known of all images of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestCounts {
    /// How many of them are listed.
    pub count: i64,
    /// How many there are.
    pub total: i64,
    /// How many of these are active.
    pub total_active: i64,
}

impl FromRow for DigestCounts {
    fn from_row(row: &mut Row) -> Self {
        Self { count: row.get("count"), total: row.get("total"), total_active: row.get("total_active") }
    }
}

/// What the tags of a repository name, for a subject who may read it.
#[must_use]
pub fn digests(
    repository: &RepositoryName,
    subject: &Subject<'_>,
    wanted: &Digests<'_>,
) -> Query<Page<Digest, DigestCounts>> {
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
           select *, max(pushed_at, ifnull(pulled_at, 0)) used_at, max(pushed_at, ifnull(pulled_at, 0)) >= ?6 is_active
           from digests),
         page as (
           select *, row_number() over (order by iif(?8 = 'last_activity', used_at, null),
               iif(?8 = '-last_activity', -used_at, null), iif(?8 = '-digest', digest, null) desc, digest) position
           from known where ?7 = '' or is_active = (?7 = 'active'))
         select c.count, c.total, c.total_active, p.digest, p.tags, p.pushed_at, p.pulled_at, p.is_active
         from (select count(*) total, ifnull(sum(is_active), 0) total_active,
             ifnull(sum(?7 = '' or is_active = (?7 = 'active')), 0) count from known) c
         left join (select * from page order by position limit ?9 offset ?10) p on true order by p.position"
    );
    let statement = bind_repository(sql, repository, subject).bind(wanted.active_from).bind(wanted.status);
    Query::page(statement.bind(wanted.ordering).bind(wanted.limit).bind(wanted.offset))
}

/// A tag of a `place`, after its columns: where several registries have it, the one that was pushed last.
const FOUND: &str = concat!(
    " from place p cross join tags t on t.repository_id = p.repository_id",
    MANIFEST,
    " where p.role >= 1 and t.name = ?6 and t.deleted = 0 order by t.pushed_at desc, t.id desc limit 1"
);

/// A tag by its name, for a subject who may read it.
#[must_use]
pub fn find(repository: &RepositoryName, subject: &Subject<'_>, tag: &str) -> Query<Option<Tag>> {
    let sql = concat!(WITH_ROLE, "select ", TAG_COLUMNS, NOT_WANTED, FOUND);
    Query::optional(bind_repository(sql, repository, subject).bind(tag))
}

/// The same, with what it was pushed with.
#[must_use]
pub fn find_with_credential(repository: &RepositoryName, subject: &Subject<'_>, tag: &str) -> Query<Option<Tag>> {
    let sql = concat!(WITH_ROLE, "select ", TAG_COLUMNS, PUSHED_WITH, FOUND);
    Query::optional(bind_repository(sql, repository, subject).bind(tag))
}

/// The names of the tags that share the digest of a tag, it among them, for a subject who may read them: at most 100.
#[must_use]
pub fn sharing(repository: &RepositoryName, subject: &Subject<'_>, tag: &str) -> Query<Vec<String>> {
    let sql = concat!(
        WITH_ROLE,
        "select distinct o.name name from place p cross join tags t on t.repository_id = p.repository_id
         cross join tags o on o.repository_id = t.repository_id and o.service = t.service and o.digest = t.digest
         where p.role >= 1 and t.name = ?6 and t.deleted = 0 and o.deleted = 0 order by o.name limit 100"
    );
    Query::all(bind_repository(sql, repository, subject).bind(tag))
}

/// Forgets tags (`tags`: a JSON list of their names and digests) in every registry without a tool beside it, and returns
/// the names of those that there were. A mark stays, so that an older push that is reported late does not bring one back.
pub fn forget(
    transaction: &mut Transaction,
    repository: RepositoryId,
    name: &RepositoryName,
    tags: &Rc<str>,
    by: &AuditContext,
) -> Step<Vec<String>> {
    let of = |sql: &'static str| Statement::new(sql).bind(by.now - deletions::ABSENT_AFTER).bind(repository).bind(tags);
    let record = of(concat!(audit::EACH_TAG, " not in (", deletions::PRESENT, audit::RETURNING_TAGS));
    let forgotten = transaction.read(audit::record_tags(record, by, AuditAction::RepoTagDelete, name));
    transaction.run([
        manifests::queue_forgotten(repository, tags, by.now),
        of(concat!(
            "update tags set deleted = 1 where repository_id = ?2 and name in (select value ->> 0 from json_each(?3))
               and deleted = 0 and service not in (",
            deletions::PRESENT,
            ")"
        )),
    ]);
    forgotten
}
