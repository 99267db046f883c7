//! The events of registries, each taken once.

use std::rc::Rc;

use serde_json::{Value, json};

use constcat::concat;

use crate::{
    domain::{manifests::Image, notifications::Event, registry_token::AuthMethod},
    store::{
        Query, Statement, Step, Transaction, deletions,
        health::{self, Heartbeat},
        manifests,
    },
};

/// Seconds for which the id of an event is kept: a registry that was away longer sends new events.
pub const EVENT_ID_TTL: i64 = 7 * 24 * 60 * 60;

/// Events as the statements take them: `0` id, `1` action, `2` namespace, `3` name, `4` tag,
/// `5` digest, `6` size, `7` media type, `8` milliseconds, `9` actor, `10` access token, `11` address,
/// `12` refresh token, `13` images of an index, each with digest, system, architecture and variant; of what the tool
/// beside a registry reports, `14` when, and, if it read the manifest, `15` when that was made, `16` labels, `17` platform.
fn listed(events: &[Event]) -> Rc<str> {
    let image = |image: &Image| json!([image.digest, image.os, image.architecture, image.variant]);
    let one = |event: &Event| {
        let (access, refresh) = match event.method {
            AuthMethod::Password => (None, None),
            AuthMethod::AccessToken(id) => (Some(id), None),
            AuthMethod::RefreshToken(id) => (None, Some(id)),
        };
        let configuration = event.configuration.as_ref();
        json!([
            event.id,
            event.action.as_str(),
            event.repository.namespace,
            event.repository.name,
            event.tag,
            event.digest,
            event.content.size,
            event.media_type,
            event.at,
            event.by,
            access,
            event.address,
            refresh,
            event.content.images.iter().map(image).collect::<Value>(),
            event.imported_at,
            configuration.map(|read| read.created),
            configuration.map(|read| &read.labels),
            configuration.map(|read| &read.platform),
        ])
    };
    Value::Array(events.iter().map(one).collect()).to_string().into()
}

/// Events (`?1`) of a service (`?2`), up to the list of their actions. An actor who is no user of this index is one of
/// the registry's own, and has its name in front.
const REPORTED: &str = "select j.value ->> 0 id, j.value ->> 1 action, j.value ->> 2 namespace, j.value ->> 3 name,
     j.value ->> 4 tag, j.value ->> 5 digest, j.value ->> 6 size, j.value ->> 7 media_type, j.value ->> 8 at,
     iif(j.value ->> 9 = '' or exists (select 1 from users u where u.name = j.value ->> 9), '', ?2 || ':')
       || (j.value ->> 9) actor,
     j.value ->> 10 access, j.value ->> 11 address, j.value ->> 12 refresh, j.value ->> 13 images,
     j.value ->> 14 imported_at, j.value ->> 15 created_at, j.value ->> 16 labels, j.value ->> 17 platform
   from json_each(?1) j where j.value ->> 1 in (";

/// After that list: those of them that were not taken before.
const NOT_TAKEN: &str = ") and not exists (select 1 from events e where e.service = ?2 and e.id = j.value ->> 0)";

/// The beginning of a statement over `fresh` events: those of them that are about a repository, with its namespace.
/// What is older than the end of the last one of that name is about that one: it follows where it was moved to, and
/// else is not among them. Nor is what the tool found of a repository whose deletion is its task.
const FRESH: &str = concat!(
    "with fresh as materialized (
       select d.id, ifnull(m.namespace_id, n.id) namespace_id, d.namespace, d.name, d.tag, d.digest, d.size,
         d.media_type, d.at, d.actor, d.action, d.access, d.address, d.refresh, d.images, d.imported_at, d.created_at,
         d.labels, d.platform
       from (",
    REPORTED
);

/// After the list of the actions.
const OF_REPOSITORIES: &str = concat!(
    NOT_TAKEN,
    ") d join namespaces n on n.name = d.namespace
       left join tombstones t on t.namespace_id = n.id and t.name = d.name and t.buried_at > d.at
       left join repositories m on m.id = t.moved_to and d.at >= t.since and m.deleted_at is null
       where (t.name is null or m.id is not null) and (d.imported_at is null or not exists (
         select 1 from deletions x where x.service = ?2 and x.repository = d.namespace || '/' || d.name
           and x.tag = ''))) "
);

/// `fresh` are pushes.
const FRESH_PUSHES: &str = concat!(FRESH, "'push'", OF_REPOSITORIES);

/// `fresh` are deletions.
const FRESH_DELETIONS: &str = concat!(FRESH, "'delete'", OF_REPOSITORIES);

/// `fresh` are pushes and deletions.
pub(super) const FRESH_PUSHES_AND_DELETIONS: &str = concat!(FRESH, "'push', 'delete'", OF_REPOSITORIES);

/// `fresh` are pushes and pulls.
pub(super) const FRESH_PUSHES_AND_PULLS: &str = concat!(FRESH, "'push', 'pull'", OF_REPOSITORIES);

/// `fresh` are pulls, and `counted` those of them that count: one of an image that an index names is part of the pull
/// of that index, if that was within a minute before.
const COUNTED_PULLS: &str = concat!(
    FRESH,
    "'pull'",
    OF_REPOSITORIES,
    ", counted as (
       select f.namespace_id, f.name, f.tag, f.digest, f.at from fresh f where f.tag <> '' or not exists (
         select 1 from repositories r cross join manifests c on c.repository_id = r.id and c.service = ?2
           cross join index_images i on i.image_id = c.id cross join manifests m on m.id = i.index_id
         where r.namespace_id = f.namespace_id and r.name = f.name and c.digest = f.digest
           and m.pulled_at >= f.at - 60000)) "
);

/// The credential with which the actor of an event `f` did it. Without a token it was a password, if the index knows
/// them at all.
const CREDENTIAL: &str = "case
     when f.access is not null then
       'access-token ' || ifnull((select uuid from access_tokens where id = f.access), '#' || f.access)
     when f.refresh is not null then
       'refresh-token ' || ifnull((select uuid from refresh_tokens where id = f.refresh), '#' || f.refresh)
     when exists (select 1 from users u where u.name = f.actor) then 'password' else '' end";

/// Records pushes and deletions in the audit, before what was there is changed.
fn record(of: impl Fn(&'static str) -> Statement, now: i64) -> Vec<Statement> {
    vec![
        // One with a pending deletion from before the push is removed, and created again.
        of(concat!(
            FRESH_PUSHES,
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?3, f.namespace_id, 'repo.remove', r.full_name, f.actor, ",
            CREDENTIAL,
            ", f.address, json_object('service', ?2) from fresh f
             join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             where r.deleted_at is not null and f.imported_at is null group by r.id"
        ))
        .bind(now),
        of(concat!(
            FRESH_PUSHES,
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?3, f.namespace_id, 'repo.create', f.namespace || '/' || f.name, f.actor, ",
            CREDENTIAL,
            ", f.address, json_object('service', ?2) from fresh f where not exists (
               select 1 from repositories r where r.namespace_id = f.namespace_id and r.name = f.name
                 and r.deleted_at is null)
             group by f.namespace_id, f.name"
        ))
        .bind(now),
        // Also an event that changes nothing, and one of a namespace that does not exist: a user did it.
        of(concat!(
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?3, n.id, case
                 when f.tag <> '' then iif(f.action = 'push', 'repo.tag.push', 'repo.tag.delete')
                 when f.digest <> '' then iif(f.action = 'push', 'repo.manifest.push', 'repo.manifest.delete')
                 else 'repo.content.delete' end,
               f.namespace || '/' || f.name, f.actor, ",
            CREDENTIAL,
            ", f.address, json_object('tag', f.tag, 'digest', f.digest, 'service', ?2)
             from (",
            REPORTED,
            "'push', 'delete'",
            NOT_TAKEN,
            ") f left join namespaces n on n.name = f.namespace where f.imported_at is null or f.tag <> ''"
        ))
        .bind(now),
    ]
}

/// Creates the repositories that were pushed to, and sets their tags: the newer stays.
fn push(of: impl Fn(&'static str) -> Statement, private: bool, now: i64) -> [Statement; 3] {
    [
        // A push creates a repository again whose deletion was pending before it.
        of(concat!(
            FRESH_PUSHES,
            "delete from repositories where deleted_at is not null and id in (
               select r.id from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
               where f.imported_at is null)"
        )),
        of(concat!(
            FRESH_PUSHES,
            "insert into repositories (namespace_id, name, full_name, private, created_at, updated_at, pushed_at)
             select namespace_id, name, namespace || '/' || name, max(?3, ifnull(
                 (select t.private from tombstones t
                  where t.namespace_id = fresh.namespace_id and t.name = fresh.name), 0)),
               ?4, ?4, max(iif(imported_at is null, at, ifnull(created_at, at))) / 1000
             from fresh where true group by namespace_id, name
             on conflict (namespace_id, name) do update set
               pushed_at = max(ifnull(pushed_at, 0), excluded.pushed_at), updated_at = excluded.updated_at,
               revision = revision + 1
             where deleted_at is null"
        ))
        .bind(private)
        .bind(now),
        // One row a tag: the newest of this list. What the tool found was pushed when the image was made, as far as is
        // known; it changes nothing that is newer than its walk.
        of(concat!(
            FRESH_PUSHES,
            ", pushed as (
               select r.id repository_id, f.tag, f.digest, f.media_type, max(f.at) at, f.actor, f.imported_at, f.created_at
               from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
               where f.tag <> '' and r.deleted_at is null
                 and not exists (select 1 from tags d where d.repository_id = r.id and d.service = ?2
                   and d.name in ('@', '@' || f.digest) and d.deleted = 1 and d.pushed_at >= f.at)
               group by r.id, f.tag)
             insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by, imported_at)
             select p.repository_id, ?2, p.tag, p.digest, 0, p.media_type,
               iif(p.imported_at is null, p.at, coalesce(p.created_at, (select m.created_at from manifests m
                 where m.repository_id = p.repository_id and m.service = ?2 and m.digest = p.digest), p.at)),
               p.actor, p.imported_at
             from pushed p where p.imported_at is null or not exists (
               select 1 from tags t where t.repository_id = p.repository_id and t.service = ?2 and t.name = p.tag
                 and (t.pushed_at >= p.at or t.digest = p.digest and t.deleted = 0))
             on conflict (repository_id, service, name) do update set digest = excluded.digest,
               media_type = excluded.media_type, pushed_at = excluded.pushed_at, pushed_by = excluded.pushed_by,
               deleted = 0, imported_at = excluded.imported_at
             where excluded.pushed_at > tags.pushed_at or excluded.imported_at is not null"
        )),
    ]
}

/// Removes tags: one, all of a digest, or all of a repository.
fn delete(of: impl Fn(&'static str) -> Statement) -> [Statement; 2] {
    [
        // A deletion leaves a mark, of the tag, of the digest, or of the whole repository, for an older push that comes
        // late.
        of(concat!(
            FRESH_DELETIONS,
            "insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by, deleted)
             select r.id, ?2, case f.tag when '' then '@' || f.digest else f.tag end, f.digest, 0, '', max(f.at),
               f.actor, 1
             from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             where true group by r.id, 3
             on conflict (repository_id, service, name) do update set pushed_at = excluded.pushed_at, deleted = 1
             where excluded.pushed_at >= tags.pushed_at"
        )),
        of(concat!(
            FRESH_DELETIONS,
            "update tags set deleted = 1 where deleted = 0 and service = ?2 and id in (
               select t.id from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
               join tags t on t.repository_id = r.id and t.service = ?2 and t.digest = f.digest
               where f.tag = '' and t.pushed_at <= f.at
               union all
               select t.id from fresh f cross join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
               cross join tags t on t.repository_id = r.id and t.service = ?2
               where f.tag = '' and f.digest = '' and t.pushed_at <= f.at)"
        )),
    ]
}

/// Counts pulls, and sets the times of repositories and tags.
fn pull(of: impl Fn(&'static str) -> Statement) -> [Statement; 2] {
    [
        of(concat!(
            COUNTED_PULLS,
            "update repositories set pull_count = pull_count + p.pulls,
               pulled_at = max(ifnull(pulled_at, 0), p.at / 1000)
             from (select namespace_id, name, count(*) pulls, max(at) at from counted group by namespace_id, name) p
             where repositories.namespace_id = p.namespace_id and repositories.name = p.name"
        )),
        of(concat!(
            COUNTED_PULLS,
            "update tags set pulled_at = max(ifnull(pulled_at, 0), p.at / 1000)
             from (select r.id repository_id, f.tag, f.digest, max(f.at) at from counted f
                   join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
                   group by r.id, f.tag, f.digest) p
             where tags.repository_id = p.repository_id and tags.service = ?2
               and (tags.name = p.tag or p.tag = '' and tags.digest = p.digest)"
        )),
    ]
}

/// Takes events of a service, in one transaction: repositories that were pushed to are created, tags are set and
/// removed (the newer stays), pulls are counted, and the ids are kept, so that the same events change nothing again.
/// Pushes and deletions go into the audit. An event that is older than the end of a repository changes nothing of the
/// next one of its name. Gives the names of repositories in namespaces that do not exist, the first of them.
pub fn receive(
    transaction: &mut Transaction,
    events: &[Event],
    service: &str,
    private: bool,
    now: i64,
) -> Step<Vec<String>> {
    let unknown = take(transaction, events, service, private, now);
    transaction.run([health::record(Heartbeat::Notification(service), now)]);
    unknown
}

/// The same of what the tool beside the registry reports.
pub fn take(
    transaction: &mut Transaction,
    events: &[Event],
    service: &str,
    private: bool,
    now: i64,
) -> Step<Vec<String>> {
    let list = listed(events);
    let of = |sql: &'static str| Statement::new(sql).bind(&list).bind(service);
    transaction.run(record(of, now));
    transaction.run([manifests::queue_untagged(of).bind(now)]);
    transaction.run(push(of, private, now));
    transaction.run(manifests::record(of).map(|statement| statement.bind(now)));
    transaction.run(delete(of));
    transaction.run(pull(of));
    transaction.run([
        of(concat!(
            FRESH_PUSHES,
            "insert into outbox (repository_id)
             select distinct r.id from fresh f
               join repositories r on r.namespace_id = f.namespace_id and r.name = f.name"
        )),
        Statement::new(
            "insert into events (service, id, taken_at) select ?2, value ->> 0, ?3 from json_each(?1) where true
             on conflict (service, id) do nothing",
        )
        .bind(&list)
        .bind(service)
        .bind(now),
        deletions::settle(&list, service),
    ]);
    let unknown = "select distinct value ->> 2 || '/' || (value ->> 3) name from json_each(?1)
       where not exists (select 1 from namespaces where name = value ->> 2) limit 20";
    transaction.read(Query::all(Statement::new(unknown).bind(&list)))
}

/// Deletes ids of events that no registry sends again, the marks of what was deleted before them, and manifests that
/// nothing names any more, at most `most` of each; returns how many of each were deleted.
pub fn expire(transaction: &mut Transaction, now: i64, most: i64) -> Vec<Step<usize>> {
    let ids = Statement::new(
        "delete from events where (service, id) in (
           select service, id from events where taken_at <= ?1 limit ?2) returning 1",
    );
    let marks = Statement::new(
        "delete from tags where id in (
           select id from tags where deleted = 1 and pushed_at <= ?1 limit ?2) returning 1",
    );
    let mut removed = vec![
        transaction.read(Query::number(ids.bind(now - EVENT_ID_TTL).bind(most))),
        transaction.read(Query::number(marks.bind((now - EVENT_ID_TTL) * 1000).bind(most))),
    ];
    let manifests = manifests::expire(now, most).into_iter();
    removed.extend(manifests.map(|statement| transaction.read(Query::number(statement))));
    removed
}
