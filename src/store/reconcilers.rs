//! The tools beside registries: their tokens, and what they are given to compare.

use constcat::concat;
use serde_json::{Value, json};

use crate::{
    domain::notifications::Named,
    store::{FromRow, Query, Row, Statement, deletions::Deletion, rights::FAIL},
};

/// The most tags that are read at once.
pub const MAX_TAGS: i64 = 1_000;

/// The most deletions that are read at once.
pub const MAX_DELETIONS: i64 = 1_000;

/// The service of the tool with the token of this hash (`?1`).
const OF_TOKEN: &str = "select service from reconcilers where hash = ?1";

/// A tool beside a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciler {
    /// The registry's service.
    pub service: String,
    /// SHA-256 of the token.
    pub hash: String,
    /// Seconds since 1970; when its first token was made.
    pub created_at: i64,
    /// When it was last seen, roughly.
    pub seen_at: Option<i64>,
}

impl FromRow for Reconciler {
    fn from_row(row: &mut Row) -> Self {
        Self {
            service: row.get("service"),
            hash: row.get("hash"),
            created_at: row.get("created_at"),
            seen_at: row.get("seen_at"),
        }
    }
}

/// The tool with the token of this hash.
#[must_use]
pub fn find(hash: &str) -> Query<Option<Reconciler>> {
    Query::optional(
        Statement::new("select service, hash, created_at, seen_at from reconcilers where hash = ?1").bind(hash),
    )
}

/// Fails, and the batch with it, unless the token is still the tool's.
#[must_use]
pub fn guard(reconciler: &Reconciler) -> Statement {
    let sql = concat!("select json_extract('{}', iif(exists (select 1 from reconcilers where hash = ?1", FAIL);
    Statement::new(sql).bind(reconciler.hash.as_str())
}

/// Seconds within which another visit is not written down.
const SEEN_GRANULARITY: i64 = 60;

/// Notes that the tool is there, if it was not noted a moment ago.
#[must_use]
pub fn seen(reconciler: &Reconciler, now: i64) -> Option<Statement> {
    let noted = reconciler.seen_at.is_some_and(|seen_at| now < seen_at + SEEN_GRANULARITY);
    let update = "update reconcilers set seen_at = ?2 where service = ?1";
    (!noted).then(|| Statement::new(update).bind(reconciler.service.as_str()).bind(now))
}

/// Those of these repositories (full names) of which the tool has to delete something.
#[must_use]
pub fn deletable(hash: &str, names: &[String]) -> Query<Vec<String>> {
    let sql = concat!(
        "select distinct d.repository from json_each(?2) j cross join deletions d
           on d.service = (",
        OF_TOKEN,
        ") and d.repository = j.value"
    );
    Query::all(Statement::new(sql).bind(hash).bind(json!(names).to_string()))
}

/// A tag as the tool compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedTag {
    /// The full name of its repository.
    pub repository: String,
    /// Its name.
    pub name: String,
    /// What it names.
    pub digest: String,
    /// Milliseconds since 1970.
    pub pushed_at: i64,
    /// Milliseconds since 1970, of what it names.
    pub pulled_at: Option<i64>,
    /// Milliseconds since 1970; when the tool found it, if it did.
    pub imported_at: Option<i64>,
    /// Whether the tool has read what it names.
    pub described: bool,
}

impl FromRow for ComparedTag {
    fn from_row(row: &mut Row) -> Self {
        Self {
            repository: row.get("repository"),
            name: row.get("name"),
            digest: row.get("digest"),
            pushed_at: row.get("pushed_at"),
            pulled_at: row.get("pulled_at"),
            imported_at: row.get("imported_at"),
            described: row.get("described"),
        }
    }
}

/// The next tags of the tool's registry after this one, by repository and name.
#[must_use]
pub fn tags(hash: &str, (repository, tag): (&str, &str), limit: i64) -> Query<Vec<ComparedTag>> {
    let sql = concat!(
        "select r.full_name repository, t.name, t.digest, t.pushed_at, t.imported_at,
           max(ifnull(m.pulled_at, t.pulled_at * 1000), ifnull(t.pulled_at * 1000, m.pulled_at)) pulled_at, ifnull(m.described, 0) described
         from repositories r cross join tags t on t.repository_id = r.id and t.service = (",
        OF_TOKEN,
        ") left join manifests m on m.repository_id = t.repository_id and m.service = t.service
           and m.digest = t.digest
         where r.full_name >= ?2 and (r.full_name > ?2 or t.name > ?3) and t.deleted = 0 and r.deleted_at is null
         order by r.full_name, t.name limit ?4"
    );
    Query::all(Statement::new(sql).bind(hash).bind(repository).bind(tag).bind(limit))
}

/// What the tool has to delete, the oldest first.
#[must_use]
pub fn deletions(hash: &str, limit: i64) -> Query<Vec<Deletion>> {
    let sql = concat!(
        "select repository, tag, digest, requested_at from deletions where service = (",
        OF_TOKEN,
        ") order by id limit ?2"
    );
    Query::all(Statement::new(sql).bind(hash).bind(limit))
}

/// Requests the deletion of tags that the tool chose, with a row of the audit for each, and keeps why it did not delete
/// others.
#[must_use]
pub fn answer(
    service: &str,
    requests: &[Named],
    refusals: &[(Named, String)],
    now: i64,
    millis: i64,
) -> Vec<Statement> {
    let named = |named: &Named| json!([named.repository.to_string(), named.tag]);
    let requests = requests.iter().map(named).collect::<Value>().to_string();
    let refusal = |(Named { repository, tag }, reason): &(Named, String)| json!([repository.to_string(), tag, reason]);
    let refusals = refusals.iter().map(refusal).collect::<Value>().to_string();
    vec![
        Statement::new(
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?3, r.namespace_id, 'repo.tag.deletion.request', r.full_name, ?2 || ':(imported)', '', '',
               json_object('tag', t.name, 'digest', t.digest, 'service', ?2)
             from json_each(?1) j join repositories r on r.full_name = j.value ->> 0
               join tags t on t.repository_id = r.id and t.service = ?2 and t.name = j.value ->> 1
             where t.deleted = 0 and not exists (select 1 from deletions d
               where d.service = ?2 and d.repository = r.full_name and d.tag = t.name)",
        )
        .bind(&requests[..])
        .bind(service)
        .bind(now),
        Statement::new(
            "insert into deletions (service, repository, tag, digest, requested_at, requested_by)
             select ?2, r.full_name, t.name, t.digest, ?3, ?2 || ':(imported)'
             from json_each(?1) j join repositories r on r.full_name = j.value ->> 0
               join tags t on t.repository_id = r.id and t.service = ?2 and t.name = j.value ->> 1
             where t.deleted = 0 on conflict (service, repository, tag) do nothing",
        )
        .bind(&requests[..])
        .bind(service)
        .bind(millis),
        Statement::new(
            "update deletions set refusal = (select j.value ->> 2 from json_each(?1) j
               where j.value ->> 0 = repository and j.value ->> 1 = tag)
             where id in (select d.id from json_each(?1) j cross join deletions d
               on d.service = ?2 and d.repository = j.value ->> 0 and d.tag = j.value ->> 1)",
        )
        .bind(&refusals[..])
        .bind(service),
    ]
}
