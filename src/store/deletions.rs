//! What was deleted here while a registry has it, until the tool beside that has deleted it there.

use std::rc::Rc;

use constcat::concat;

use crate::{
    domain::{RepositoryId, RepositoryName, audit::AuditAction},
    store::{
        FromRow, Keyed, Page, Query, Row, Statement, Step, Transaction,
        audit::{self, AuditContext},
        repositories::bind_namespace,
        roles::{Subject, WITH_ROLE},
    },
};

/// Seconds after which a tool that is not seen any more has gone: the nightly run is missed a week long.
pub const ABSENT_AFTER: i64 = 8 * 24 * 60 * 60;

/// The services with a tool that was seen since then (`?1`).
pub(super) const PRESENT: &str = "select service from reconcilers where seen_at >= ?1";

/// The services with a tool beside them.
#[must_use]
pub fn present(now: i64) -> Query<Vec<String>> {
    Query::all(Statement::new(concat!(PRESENT, " order by service")).bind(now - ABSENT_AFTER))
}

/// A deletion that a tool has not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The full name of the repository, which may be gone.
    pub repository: String,
    /// Empty: all of the repository.
    pub tag: String,
    /// What the tag named.
    pub digest: String,
    /// Milliseconds since 1970.
    pub requested_at: i64,
}

impl FromRow for Deletion {
    fn from_row(row: &mut Row) -> Self {
        Self {
            repository: row.get("repository"),
            tag: row.get("tag"),
            digest: row.get("digest"),
            requested_at: row.get("requested_at"),
        }
    }
}

/// A deletion that a tool has not done yet, with who asked for it, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDeletion {
    /// The registry.
    pub service: String,
    /// The full name of the repository, which may be gone.
    pub repository: String,
    /// Empty: all of the repository.
    pub tag: String,
    /// Milliseconds since 1970.
    pub requested_at: i64,
    /// The name of the user.
    pub requested_by: String,
    /// Why the tool did not do it; empty if it did not try.
    pub refusal: String,
}

impl FromRow for WaitingDeletion {
    fn from_row(row: &mut Row) -> Self {
        Self {
            service: row.get("service"),
            repository: row.get("repository"),
            tag: row.get("tag"),
            requested_at: row.get("requested_at"),
            requested_by: row.get("requested_by"),
            refusal: row.get("refusal"),
        }
    }
}

impl Keyed for WaitingDeletion {
    const KEY: &'static str = "service";
}

/// The deletions of a namespace that a tool has not done yet, the newest first, for its admins.
#[must_use]
pub fn waiting(namespace: &str, subject: &Subject<'_>, limit: i64, offset: i64) -> Query<Page<WaitingDeletion>> {
    let sql = concat!(
        WITH_ROLE,
        ", waiting as materialized (
           select d.id, d.service, d.repository, d.tag, d.requested_at, d.requested_by, d.refusal
           from place p cross join namespaces n on n.id = p.namespace_id cross join reconcilers c
           cross join deletions d on d.service = c.service
             and d.repository > n.name || '/' and d.repository < n.name || '0'
           where p.role >= 3)
         select c.count, w.service, w.repository, w.tag, w.requested_at, w.requested_by, w.refusal
         from (select count(*) count from waiting) c
         left join (select * from waiting order by id desc limit ?6 offset ?7) w on true order by w.id desc"
    );
    Query::page(bind_namespace(sql, namespace, subject).bind(limit).bind(offset))
}

/// Requests the deletion of tags (`tags`: a JSON list of their names and digests) from the registries with a tool beside
/// them, and returns the names of those that one has.
pub fn request_tags(
    transaction: &mut Transaction,
    id: RepositoryId,
    name: &RepositoryName,
    tags: &Rc<str>,
    by: &AuditContext,
) -> Step<Vec<String>> {
    let record = concat!(audit::EACH_TAG, " in (", PRESENT, audit::RETURNING_TAGS);
    let present = Statement::new(record).bind(by.now - ABSENT_AFTER).bind(id).bind(tags);
    let requested = transaction.read(audit::record_tags(present, by, AuditAction::RepoTagDeletionRequest, name));
    transaction.run([Statement::new(concat!(
        "insert into deletions (service, repository, tag, digest, requested_at, requested_by)
         select t.service, r.full_name, t.name, t.digest, ?4, ?5
         from tags t join repositories r on r.id = t.repository_id
         where t.repository_id = ?2 and t.name in (select value ->> 0 from json_each(?3)) and t.deleted = 0
           and t.service in (",
        PRESENT,
        ") on conflict (service, repository, tag) do update set digest = excluded.digest,
           requested_at = excluded.requested_at, requested_by = excluded.requested_by, refusal = ''"
    ))
    .bind(by.now - ABSENT_AFTER)
    .bind(id)
    .bind(tags)
    .bind(by.millis)
    .bind(by.actor.as_str())]);
    requested
}

/// Requests the deletion of all that registries with a tool beside them have of a repository.
#[must_use]
pub fn request_repository(name: &RepositoryName, by: &AuditContext) -> Statement {
    Statement::new(concat!(
        "insert into deletions (service, repository, tag, digest, requested_at, requested_by)
         select service, ?2, '', '', ?3, ?4 from (",
        PRESENT,
        ") where true on conflict (service, repository, tag) do update set requested_at = excluded.requested_at,
           requested_by = excluded.requested_by, refusal = ''"
    ))
    .bind(by.now - ABSENT_AFTER)
    .bind(name.to_string())
    .bind(by.millis)
    .bind(by.actor.as_str())
}

/// Ends the deletions of a service that these events say are done, and those of tags that were pushed since.
pub(super) fn settle(events: &Rc<str>, service: &str) -> Statement {
    Statement::new(
        "delete from deletions where id in (
           select d.id from json_each(?1) j cross join deletions d
             on d.service = ?2 and d.repository = (j.value ->> 2) || '/' || (j.value ->> 3)
           where j.value ->> 8 >= d.requested_at and case j.value ->> 1
             when 'push' then j.value ->> 14 is null and d.tag <> '' and d.tag = j.value ->> 4
             when 'delete' then case when j.value ->> 4 <> '' then d.tag = j.value ->> 4
               when j.value ->> 5 <> '' then d.tag <> '' and d.digest = j.value ->> 5 else true end
             else false end)",
    )
    .bind(events)
    .bind(service)
}
