// An index with much in it, by its own SQL: 300 repositories with names of 60 characters, one of 800 tags, and 120 of what
// else is listed.

/** How many there are of each. */
export const REPOSITORIES = 300;
export const TAGS = 800;
const OTHERS = 120;

/** Characters of the names. */
export const LENGTH = 60;

/** The name of a repository: every second one has no place at which a line could end. */
export const repository = (at) => {
  const number = String(at).padStart(3, "0");
  const words =
    at % 2 ? "payments-reconciliation-and-settlement-service-for-customers-" : "reconciliationandsettlement".repeat(3);
  return `${words.slice(0, LENGTH - number.length)}${number}`;
};

/** Pages with as much as each holds, and others on which names are long, for an administrator with the name `olga`. */
export const LISTS = [
  "/",
  "/search?q=settlement",
  "/search?q=settlement&page=12",
  "/r/crowd",
  "/r/crowd?page=6",
  "/r/crowd/tagged",
  "/r/crowd/tagged?order=name&page=16",
  "/r/crowd/tagged?order=version&page=3",
  "/r/crowd/tagged/-/tags/1.2.3",
  "/r/crowd/tagged/-/access",
  `/r/crowd/${repository(2)}/-/settings`,
  "/r/crowd/-/members?page=2",
  "/r/crowd/-/audit",
  "/r/crowd/-/refusals",
  "/r/crowd/-/deletions",
  "/settings/tokens",
  "/settings/sessions",
  "/admin/users",
  "/admin/users/olga",
  "/admin/namespaces",
];

const count = (most) => `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${most})`;
const hex = (text, length) => `substr(lower(hex(${text} || '${"0123456789abcdef".repeat(4)}')), 1, ${length})`;
const uuid = "printf('00000000-0000-4000-8000-%012d', i)";

/**
 * Fills the databases of a worker in which the user `name` administers the namespace `crowd`, at this time in seconds.
 * What search holds comes from the scheduled run.
 */
export async function fillCrowd(worker, name, now) {
  const { DB } = await worker.env();
  const one = async (sql, ...values) =>
    (
      await DB.prepare(sql)
        .bind(...values)
        .first()
    ).id;
  const user = await one("select id from users where name = ?", name);
  const crowd = await one("select id from namespaces where name = 'crowd'");
  const run = (sql, ...values) => DB.prepare(sql).bind(...values);
  const names = JSON.stringify(Array.from({ length: REPOSITORIES }, (_, at) => repository(at)));
  await DB.batch([
    run(
      `insert into repositories (namespace_id, name, full_name, private, description, created_at, updated_at, pushed_at)
       select ?1, value, 'crowd/' || value, key % 3 = 0, 'What it is for, in a hundred characters: orders and stock and payment and mail, number ' || key,
         ?2 - key, ?2 - key, ?2 - key from json_each(?3)`,
      crowd,
      now,
      names,
    ),
    run(
      `insert into repositories (namespace_id, name, full_name, private, description, created_at, updated_at, pushed_at)
       values (?1, 'tagged', 'crowd/tagged', 1, 'One with tags', ?2, ?2, ?2)`,
      crowd,
      now,
    ),
    run("insert into outbox (repository_id) select id from repositories where namespace_id = ?1", crowd),
  ]);
  const tagged = await one("select id from repositories where full_name = 'crowd/tagged'");
  await DB.batch([
    // Each third tag is one image; the others are of two, which have platforms.
    run(
      `insert into manifests (repository_id, service, digest, size)
       ${count(TAGS)} select ?1, 'registry', 'sha256:' || ${hex("'index' || i", 64)}, iif(i % 3 = 0, 31000000 + i, null) from n`,
      tagged,
    ),
    run(
      `insert into manifests (repository_id, service, digest, size)
       ${count(TAGS * 2)} select ?1, 'registry', 'sha256:' || ${hex("'image' || i", 64)}, 30000000 + i from n`,
      tagged,
    ),
    run(
      `insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by, pulled_at)
       ${count(TAGS)} select ?1, 'registry', iif(i % 10 = 0, 'g' || ${hex("'commit' || i", LENGTH - 1)}, (i / 100) || '.' || (i / 10 % 10) || '.' || (i % 10)),
         'sha256:' || ${hex("'index' || i", 64)}, 900, 'application/vnd.oci.image.index.v1+json', (?2 - 60 * i) * 1000, ?3, ?2 from n`,
      tagged,
      now,
      name,
    ),
  ]);
  await DB.batch([
    run(
      `insert into index_images (index_id, position, image_id, os, architecture, variant)
       ${count(TAGS * 2)} select m.id, i % 2, o.id, 'linux', iif(i % 2, 'amd64', 'arm64'), iif(i % 2, '', 'v8')
       from n join manifests m on m.repository_id = ?1 and m.service = 'registry' and m.digest = 'sha256:' || ${hex("'index' || ((i + 1) / 2)", 64)} and m.size is null
       join manifests o on o.repository_id = ?1 and o.service = 'registry' and o.digest = 'sha256:' || ${hex("'image' || i", 64)}`,
      tagged,
    ),
    run(
      `insert into users (name, status, created_at) ${count(OTHERS)} select printf('a_user_with_a_long_name_%06d', i), 'active', ?1 - i from n`,
      now,
    ),
    run(
      `insert into members (namespace_id, user_id, role) select ?1, id, 'write' from users where name like 'a_user_with_a_long_name_%'`,
      crowd,
    ),
    run(
      `insert into collaborators (repository_id, user_id, role) select ?1, id, 'admin' from users where name like 'a_user_with_a_long_name_%'`,
      tagged,
    ),
    run(
      `insert into audit (at, account, action, name, actor, credential, address, data)
       ${count(OTHERS)} select ?1 - 60 * i, ?2, 'repo.tag.push', 'crowd/tagged:1.2.' || i, printf('a_user_with_a_long_name_%06d', i),
         'access-token ' || ${uuid}, '2001:db8:aaaa:' || i || '::/64',
         json_object('tag', '1.2.' || i, 'digest', 'sha256:' || ${hex("'index' || i", 64)}, 'service', 'registry') from n`,
      now,
      crowd,
    ),
    run(
      `insert into refusals (namespace_id, hour, username, repository, reason, actions, count, last_at, address)
       ${count(OTHERS)} select ?1, cast((?2 - 60 * i) / 3600 as integer), printf('a_user_with_a_long_name_%06d', i), json_extract(?3, '$[' || i || ']'), 'role', 'pull,push', i, ?2 - 60 * i,
         '2001:db8:aaaa:' || i || '::/64' from n`,
      crowd,
      now,
      names,
    ),
    run(
      `insert into deletions (service, repository, tag, digest, requested_at, requested_by, refusal)
       ${count(OTHERS)} select 'registry', 'crowd/' || json_extract(?2, '$[' || i || ']'), '1.2.' || i, 'sha256:' || ${hex("'index' || i", 64)}, (?1 - 60 * i) * 1000, ?3,
         iif(i % 2, '', 'the registry does not delete: storage.delete.enabled is not set there') from n`,
      now,
      names,
      name,
    ),
    run(
      `insert into access_tokens (uuid, user_id, hash, label, scopes, resources, expires_at, expires_text, created_at, created_by, creator_ip, creator_ua, used_at)
       ${count(OTHERS)} select ${uuid}, ?1, ${hex("'token' || i", 64)}, 'a token of the pipeline number ' || i, '["repo:write"]',
         json_array(json_object('path', 'crowd/' || json_extract(?3, '$[' || i || ']'), 'scopes', json('[]'))),
         ?2 + 86400 * i, strftime('%Y-%m-%dT%H:%M:%SZ', ?2 + 86400 * i, 'unixepoch'), ?2 - 60 * i, ?4, '192.0.2.1', 'a browser', ?2 from n`,
      user,
      now,
      names,
      name,
    ),
    run(
      `insert into refresh_tokens (uuid, user_id, hash, client, address, created_at, used_at)
       ${count(OTHERS)} select ${uuid}, ?1, ${hex("'session' || i", 64)}, 'docker', '2001:db8:aaaa:' || i || '::/64', ?2 - 60 * i, ?2 - 30 * i from n`,
      user,
      now,
    ),
  ]);
  await worker.scheduled();
}
