//! The manifests that tags name, as registries report them: their sizes, their pulls, and the images of an index.

use std::rc::Rc;

use constcat::concat;

use crate::{
    domain::RepositoryId,
    store::{
        Statement,
        events::{EVENT_ID_TTL, FRESH_PUSHES_AND_DELETIONS, FRESH_PUSHES_AND_PULLS},
    },
};

/// The content of the manifest `m` of a tag: `images` of an index, and the `platform` that an index names for it.
pub(super) const CONTENT: &str = "m.size content_size, m.pulled_at content_pulled_at,
   (select json_group_array(json_object('digest', c.digest, 'os', i.os, 'architecture', i.architecture,
      'variant', i.variant, 'size', c.size, 'pulled_at', c.pulled_at))
    from (select * from index_images where index_id = m.id order by position) i
      join manifests c on c.id = i.image_id) images,
   ifnull((select json_object('os', i.os, 'architecture', i.architecture, 'variant', i.variant)
    from index_images i where i.image_id = m.id and i.os <> '' limit 1), m.platform) platform,
   m.created_at content_created_at, m.labels content_labels";

/// After `tags t`: the manifest `m` of a tag, as far as there is one.
pub(super) const MANIFEST: &str =
    " left join manifests m on m.repository_id = t.repository_id and m.service = t.service
   and m.digest = t.digest";

/// Whether a manifest `m` is named by a tag, or by an index.
const NAMED: &str = "(exists (select 1 from tags t where t.repository_id = m.repository_id and t.service = m.service
    and t.digest = m.digest and t.deleted = 0)
  or exists (select 1 from index_images i where i.image_id = m.id))";

/// The manifests that are due to be looked at, at most `?2`.
const DUE: &str = "(select id from manifests where look_at <= ?1 order by look_at limit ?2)";

/// Queues the manifests that lose a tag, or all, to be looked at.
pub(super) fn queue_untagged(of: impl Fn(&'static str) -> Statement) -> Statement {
    of(concat!(
        FRESH_PUSHES_AND_DELETIONS,
        "update manifests set look_at = ?3 where id in (
           select m.id from fresh f cross join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             cross join manifests m on m.repository_id = r.id and m.service = ?2 and m.digest in (f.digest,
               (select t.digest from tags t where t.repository_id = r.id and t.service = ?2 and t.name = f.tag))
           union all
           select m.id from fresh f cross join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             cross join manifests m on m.repository_id = r.id and m.service = ?2
           where f.tag = '' and f.digest = '')"
    ))
}

/// Records the manifests that were pushed and pulled, and the images that they name.
pub(super) fn record(of: impl Fn(&'static str) -> Statement) -> [Statement; 3] {
    [
        of(concat!(
            FRESH_PUSHES_AND_PULLS,
            "insert into manifests (repository_id, service, digest, size, pulled_at, look_at, described, created_at,
               labels, platform)
             select r.id, ?2, f.digest, max(f.size), max(iif(f.action = 'pull', f.at, null)), ?3,
               max(f.labels is not null), max(f.created_at), max(f.labels), max(f.platform)
             from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
             where f.digest <> '' and r.deleted_at is null group by r.id, f.digest
             on conflict (repository_id, service, digest) do update set size = ifnull(excluded.size, size),
               pulled_at = max(ifnull(pulled_at, excluded.pulled_at), ifnull(excluded.pulled_at, pulled_at)),
               look_at = excluded.look_at, described = max(described, excluded.described),
               created_at = ifnull(excluded.created_at, created_at), labels = ifnull(excluded.labels, labels),
               platform = ifnull(excluded.platform, platform)"
        )),
        of(concat!(
            FRESH_PUSHES_AND_PULLS,
            "insert into manifests (repository_id, service, digest, look_at)
             select distinct r.id, ?2, i.value ->> 0, ?3
             from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
               join json_each(f.images) i
             where f.digest <> '' and r.deleted_at is null
             on conflict (repository_id, service, digest) do nothing"
        )),
        // What one registry does not report another does, or the same one after an upgrade.
        of(concat!(
            FRESH_PUSHES_AND_PULLS,
            "insert into index_images (index_id, position, image_id, os, architecture, variant)
             select m.id, i.key, c.id, i.value ->> 1, i.value ->> 2, i.value ->> 3
             from fresh f join repositories r on r.namespace_id = f.namespace_id and r.name = f.name
               join json_each(f.images) i
               join manifests m on m.repository_id = r.id and m.service = ?2 and m.digest = f.digest
               join manifests c on c.repository_id = r.id and c.service = ?2 and c.digest = i.value ->> 0
             where ?3 and r.deleted_at is null
             on conflict (index_id, position) do update set os = excluded.os, architecture = excluded.architecture,
               variant = excluded.variant
             where os = '' and excluded.os <> ''"
        )),
    ]
}

/// Queues the manifests of tags (`tags`: a JSON list of their names and digests) that are about to be forgotten to be
/// looked at.
pub(super) fn queue_forgotten(repository: RepositoryId, tags: &Rc<str>, now: i64) -> Statement {
    Statement::new(
        "update manifests set look_at = ?3 where id in (
           select m.id from tags t join manifests m on m.repository_id = t.repository_id and m.service = t.service
             and m.digest = t.digest
           where t.repository_id = ?1 and t.name in (select value ->> 0 from json_each(?2)))",
    )
    .bind(repository)
    .bind(tags)
    .bind(now)
}

/// Forgets the manifests that nothing has named for a while: an index may be reported long after its images.
pub(super) fn expire(now: i64, most: i64) -> Vec<Statement> {
    let of = |sql: &'static str| Statement::new(sql).bind(now - EVENT_ID_TTL).bind(most);
    vec![
        of(concat!("update manifests as m set look_at = null where id in ", DUE, " and ", NAMED, " returning 1")),
        of(concat!(
            "update manifests set look_at = ?3 where id in (
               select i.image_id from manifests m join index_images i on i.index_id = m.id
               where m.id in ",
            DUE,
            " and not ",
            NAMED,
            ")"
        ))
        .bind(now),
        of(concat!("delete from manifests as m where id in ", DUE, " and not ", NAMED, " returning 1")),
    ]
}
