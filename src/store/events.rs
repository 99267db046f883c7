//! What registries told, taken once.

use std::rc::Rc;

use serde_json::{Value, json};

use constcat::concat;

use crate::{
    domain::{events::Event, manifests::Image, registry_token::AuthMethod},
    store::{Statement, manifests},
};

/// Seconds for which an id is known: a registry that was away longer sends what is new by then.
pub const REMEMBERED: i64 = 7 * 24 * 60 * 60;

/// Events as the statements below take them: `0` id, `1` action, `2` namespace, `3` name, `4` tag,
/// `5` digest, `6` size, `7` media type, `8` milliseconds, `9` actor, `10` access token, `11` address,
/// `12` refresh token, `13` images of an index, each with digest, system, architecture and variant.
fn listed(events: &[Event]) -> Rc<str> {
    let image = |image: &Image| json!([image.digest, image.os, image.architecture, image.variant]);
    let one = |event: &Event| {
        let (access, refresh) = match event.method {
            AuthMethod::Password => (None, None),
            AuthMethod::AccessToken(id) => (Some(id), None),
            AuthMethod::RefreshToken(id) => (None, Some(id)),
        };
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
        ])
    };
    Value::Array(events.iter().map(one).collect()).to_string().into()
}

/// Events of a service, of these actions, that were not taken before. Who is no user here is somebody of the
/// registry's own, and is called so.
macro_rules! notified {
    ($actions:literal) => {
        concat!(
            "select j.value ->> 0 id, j.value ->> 1 action, j.value ->> 2 namespace, j.value ->> 3 name, j.value ->> 4 tag,
               j.value ->> 5 digest, j.value ->> 6 size, j.value ->> 7 media_type, j.value ->> 8 at,
               iif(j.value ->> 9 = '' or exists (select 1 from users u where u.name = j.value ->> 9), '', ?2 || ':')
                 || (j.value ->> 9) actor,
               j.value ->> 10 access, j.value ->> 11 address, j.value ->> 12 refresh, j.value ->> 13 images
             from json_each(?1) j
             where j.value ->> 1 in (",
            $actions,
            ") and not exists (select 1 from events e where e.service = ?2 and e.id = j.value ->> 0)"
        )
    };
}

/// Those of them that are news of a repository, with its namespace. What is older than the end of the last
/// one of that name is news of that one: it follows where it was moved to, and else is none.
macro_rules! fresh {
    ($actions:literal, $($rest:expr),+) => {
        concat!(
            "with fresh as materialized (
               select d.id, ifnull(m.namespace_id, n.id) namespace_id, d.namespace, d.name, d.tag, d.digest, d.size,
                 d.media_type, d.at, d.actor, d.action, d.access, d.address, d.refresh, d.images
               from (",
            notified!($actions),
            "  ) d join namespaces n on n.name = d.namespace
               left join tombstones t on t.namespace_id = n.id and t.name = d.name and t.buried_at > d.at
               left join repositories m on m.id = t.moved_to and d.at >= t.since and m.deleted_at is null
               where t.name is null or m.id is not null) ",
            $($rest),+
        )
    };
}

pub(super) use {fresh, notified};

/// With what the actor of a fresh event did it. Without a token it was a password, if the index knows
/// them at all.
macro_rules! method {
    () => {
        "case
           when f.access is not null then
             'access-token ' || ifnull((select uuid from access_tokens where id = f.access), '#' || f.access)
           when f.refresh is not null then
             'refresh-token ' || ifnull((select uuid from refresh_tokens where id = f.refresh), '#' || f.refresh)
           when exists (select 1 from users u where u.name = f.actor) then 'password' else '' end"
    };
}

/// Who pushed and who deleted, for the audit, while it is still to be seen what there was before.
fn recorded(of: impl Fn(&'static str) -> Statement, now: i64) -> Vec<Statement> {
    vec![
        // One that was marked deleted before the push is removed, and begins anew.
        of(fresh!(
            "'push'",
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?3, f.namespace_id, 'repo.remove', r.full_name, f.actor, ",
            method!(),
            ", f.address, json_object('service', ?2) from fresh f
             join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             where r.deleted_at is not null group by r.id"
        ))
        .bind(now),
        of(fresh!(
            "'push'",
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?3, f.namespace_id, 'repo.create', f.namespace || '/' || f.name, f.actor, ",
            method!(),
            ", f.address, json_object('service', ?2) from fresh f where not exists (
               select 1 from repositories r where r.namespace_id = f.namespace_id and r.name = f.name
                 and r.deleted_at is null)
             group by f.namespace_id, f.name"
        ))
        .bind(now),
        // Also what changes nothing, and what is told of a namespace that is not there: somebody did it.
        of(concat!(
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?3, n.id, 'repo.' || case when f.tag <> '' then 'tag.' when f.digest <> '' then 'manifest.'
                 else 'content.' end || f.action,
               f.namespace || '/' || f.name, f.actor, ",
            method!(),
            ", f.address, json_object('tag', f.tag, 'digest', f.digest, 'service', ?2)
             from (",
            notified!("'push', 'delete'"),
            ") f left join namespaces n on n.name = f.namespace"
        ))
        .bind(now),
    ]
}

/// Repositories that were pushed to come into being, and their tags are set: the newer stays.
fn pushed(of: impl Fn(&'static str) -> Statement, private: bool, now: i64) -> [Statement; 3] {
    [
        // A push begins a repository anew that was marked deleted before it.
        of(fresh!(
            "'push'",
            "delete from repositories where deleted_at is not null and id in (
               select r.id from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name)"
        )),
        of(fresh!(
            "'push'",
            "insert into repositories (namespace_id, name, full_name, private, created_at, updated_at, pushed_at)
             select namespace_id, name, namespace || '/' || name, max(?3, ifnull(
               (select t.private from tombstones t where t.namespace_id = fresh.namespace_id and t.name = fresh.name), 0)),
               ?4, ?4, max(at) / 1000 from fresh where true group by namespace_id, name
             on conflict (namespace_id, name) do update set
               pushed_at = max(ifnull(pushed_at, 0), excluded.pushed_at), updated_at = excluded.updated_at,
               revision = revision + 1
             where deleted_at is null"
        ))
        .bind(private)
        .bind(now),
        // One row a tag: the newest of this list.
        of(fresh!(
            "'push'",
            "insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by)
             select r.id, ?2, f.tag, f.digest, 0, f.media_type, max(f.at), f.actor
             from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             where f.tag <> '' and r.deleted_at is null
               and not exists (select 1 from tags d where d.repository_id = r.id and d.service = ?2
                 and d.name in ('@', '@' || f.digest) and d.deleted = 1 and d.pushed_at >= f.at)
             group by r.id, f.tag
             on conflict (repository_id, service, name) do update set digest = excluded.digest,
               media_type = excluded.media_type, pushed_at = excluded.pushed_at, pushed_by = excluded.pushed_by,
               deleted = 0
             where excluded.pushed_at > tags.pushed_at"
        )),
    ]
}

/// Tags are removed, one, all of a digest, or all that there are.
fn deleted(of: impl Fn(&'static str) -> Statement) -> [Statement; 2] {
    [
        // A deletion leaves a mark, under the tag or under the digest, or of all that there was, for an older push that comes late.
        of(fresh!(
            "'delete'",
            "insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by, deleted)
             select r.id, ?2, case f.tag when '' then '@' || f.digest else f.tag end, f.digest, 0, '', max(f.at),
               f.actor, 1
             from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             where true group by r.id, 3
             on conflict (repository_id, service, name) do update set pushed_at = excluded.pushed_at, deleted = 1
             where excluded.pushed_at >= tags.pushed_at"
        )),
        of(fresh!(
            "'delete'",
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

/// The pulls that count: those of an image that an index names are part of the pull of that index, where that
/// came within a minute before.
macro_rules! counted {
    () => {
        ", counted as (
           select f.namespace_id, f.name, f.tag, f.digest, f.at from fresh f where f.tag <> '' or not exists (
             select 1 from repositories r cross join manifests c on c.repository_id = r.id and c.service = ?2
               cross join index_images i on i.image_id = c.id cross join manifests m on m.id = i.index_id
             where r.namespace_id = f.namespace_id and r.name = f.name and c.digest = f.digest
               and m.pulled_at >= f.at - 60000)) "
    };
}

/// Pulls are counted, and their times kept at what was pulled.
fn pulled(of: impl Fn(&'static str) -> Statement) -> [Statement; 2] {
    [
        of(fresh!(
            "'pull'",
            counted!(),
            "update repositories set pull_count = pull_count + p.pulls, pulled_at = max(ifnull(pulled_at, 0), p.at / 1000)
             from (select namespace_id, name, count(*) pulls, max(at) at from counted group by namespace_id, name) p
             where repositories.namespace_id = p.namespace_id and repositories.name = p.name"
        )),
        of(fresh!(
            "'pull'",
            counted!(),
            "update tags set pulled_at = max(ifnull(pulled_at, 0), p.at / 1000)
             from (select r.id repository_id, f.tag, f.digest, max(f.at) at from counted f
                   join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
                   group by r.id, f.tag, f.digest) p
             where tags.repository_id = p.repository_id and tags.service = ?2
               and (tags.name = p.tag or p.tag = '' and tags.digest = p.digest)"
        )),
    ]
}

/// Takes events of a service, in one batch: repositories that were pushed to come into being, tags
/// are set and removed (the newer stays), pulls are counted, and the ids are remembered, so that the
/// same events change nothing again. Who pushed and deleted goes into the audit. What is older than the end of
/// a repository changes nothing of the next one of its name. The last statement gives the names (`name`) in
/// namespaces that do not exist.
#[must_use]
pub fn take(events: &[Event], service: &str, private: bool, now: i64) -> Vec<Statement> {
    let list = listed(events);
    let of = |sql: &'static str| Statement::new(sql).bind(&list).bind(service);
    let mut statements = recorded(of, now);
    statements.push(manifests::left(of).bind(now));
    statements.extend(pushed(of, private, now));
    statements.extend(manifests::kept(of).map(|statement| statement.bind(now)));
    statements.extend(deleted(of));
    statements.extend(pulled(of));
    statements.extend([
        of(fresh!(
            "'push'",
            "insert into outbox (repository_id)
             select distinct r.id from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name"
        )),
        Statement::new(
            "insert into events (service, id, taken_at) select ?2, value ->> 0, ?3 from json_each(?1) where true
             on conflict (service, id) do nothing",
        )
        .bind(&list)
        .bind(service)
        .bind(now),
        Statement::new(
            "select distinct value ->> 2 || '/' || (value ->> 3) name from json_each(?1)
             where not exists (select 1 from namespaces where name = value ->> 2) limit 20",
        )
        .bind(&list),
    ]);
    statements
}

/// Forgets ids that no registry sends again, the marks of what was deleted before them, and what nothing names any
/// more, at most so many of each.
#[must_use]
pub fn expire(now: i64, most: i64) -> Vec<Statement> {
    let mut statements = vec![
        Statement::new(
            "delete from events where (service, id) in (
               select service, id from events where taken_at <= ?1 limit ?2) returning 1",
        )
        .bind(now - REMEMBERED)
        .bind(most),
        Statement::new(
            "delete from tags where id in (
               select id from tags where deleted = 1 and pushed_at <= ?1 limit ?2) returning 1",
        )
        .bind((now - REMEMBERED) * 1000)
        .bind(most),
    ];
    statements.extend(manifests::expire(now, most));
    statements
}
