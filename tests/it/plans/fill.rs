//! Databases of any size, filled by SQL alone: every table grows, what belongs to one thing does not.

use rusqlite::Connection;
use test_support::sqlite::migrate;

/// Numbers from 1 to `?2`.
const NUMBERS: &str = "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?2)";

/// What happened first is of this second; thing number n is of n seconds later.
pub const BEGINNING: i64 = 1_700_000_000;

/// The truth of `?1` repositories: ten in each namespace, one namespace a user. User 5 owns `user5`,
/// which holds the repositories from 41 to 50. Before each, how many rows come of ten repositories.
const TRUTH: &[(i64, &str)] = &[
    (
        1,
        "insert into users (name, status, password, created_at)
           select 'user' || n, iif(n <= 3, 'unconfirmed', 'active'), 'hash' || n, 1700000000 + n from numbers",
    ),
    (
        1,
        "insert into emails (user_id, address, key, confirmed_at, proved_at, created_at)
           select n, 'user' || n || '@x', 'user' || n || '@x', iif(n <= 3, null, 1), iif(n <= 3, null, 1),
             1700000000 + n from numbers",
    ),
    (
        2,
        "insert into links (hash, user_id, email_id, expires_at, created_at)
           select 'link' || n, (n - 1) % (?1 / 10) + 1, iif(n % 2, (n - 1) % (?1 / 10) + 1, null), 1700000000 + n, 0
           from numbers",
    ),
    (1, "insert into namespaces (name, owner_id, created_at) select 'user' || n, n, 1700000000 + n from numbers"),
    (
        1,
        "insert into users (name, kind, status, machine_of, created_at)
           select 'machine' || n, 'machine', 'active', n + 1, 1700000000 + n from numbers",
    ),
    (1, "insert into members (namespace_id, user_id, role) select n + 1, n % (?1 / 10) + 1, 'write' from numbers"),
    (
        10,
        "insert into repositories
           (namespace_id, name, full_name, private, created_at, updated_at, pushed_at, deleted_at)
           select (n - 1) / 10 + 2, 'app' || n, 'user' || ((n - 1) / 10 + 1) || '/app' || n, n % 3 = 0,
             1700000000 + n, 1700000000 + n, 1700000000 + n, iif(n % 10 = 9, 1700000000 + n, null) from numbers",
    ),
    (
        10,
        "insert into collaborators (repository_id, user_id, role) select n, (n + 6) % (?1 / 10) + 1, 'read' from numbers",
    ),
    (
        20,
        "insert into images (repository_id, position, id, checksum)
           select (n + 1) / 2, n % 2 + 1, printf('%064x', n % 2 + 1), 'sum' from numbers",
    ),
    (10, "insert into outbox (repository_id) select n from numbers"),
    (
        10,
        "insert into failures (name, address, count, last_at)
           select 'user' || n, iif(n % 2, '', '::1'), 3, 1700000000 + n from numbers",
    ),
    (
        2,
        "insert into access_tokens (uuid, user_id, hash, label, scopes, created_at, created_by, creator_ip, creator_ua,
             expires_at, warned_days, previous_hash, previous_until)
           select 'uuid' || n, (n - 1) % (?1 / 10) + 1, 'access' || n, '', '[]', 0, '', '', '',
             1701000001 + n * 100 % (40 * 86400), iif(n % 3, iif(n % 3 = 1, 30, 7), null), 'previous' || n, 1700000000 + n
           from numbers",
    ),
    (
        2,
        "insert into refresh_tokens (uuid, user_id, hash, client, address, created_at, used_at, kind, authenticated_at)
           select 'uuid' || n, (n - 1) % (?1 / 10) + 1, 'refresh' || n, '', '', 1700000000 + n, 1700000000 + n,
             iif(n % 2, 'browser', 'docker'), iif(n % 2, 1700000000 + n, null)
           from numbers",
    ),
    (
        20,
        "insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by, deleted)
           select (n + 1) / 2, 'registry', 'tag' || (n % 2), 'digest' || n, 1, '', (1700000000 + n) * 1000, '',
             n % 10 = 1 from numbers",
    ),
    (
        20,
        "insert into manifests (repository_id, service, digest, size, pulled_at, look_at)
           select (n + 1) / 2, 'registry', 'digest' || n, 1, (1700000000 + n) * 1000, iif(n % 3, null, 1700000000 + n)
           from numbers",
    ),
    (
        10,
        "insert into index_images (index_id, position, image_id, os, architecture, variant)
           select n * 2, 0, n * 2 - 1, 'linux', 'arm64', 'v8' from numbers",
    ),
    (10, "insert into events (service, id, taken_at) select 'registry', 'event' || n, 1700000000 + n from numbers"),
    (
        20,
        "insert into audit (at, account, action, name, actor, credential, address, data)
           select 1700000000 + n, (n - 1) / 20 + 2, iif(n % 2, 'repo.create', 'repo.tag.push'),
             'user' || ((n - 1) / 20 + 1) || '/app' || (n / 2), 'user' || (n % (?1 / 10) + 1), 'password', '::1',
             json_object('tag', 'tag' || (n % 2))
           from numbers",
    ),
    (10, "insert into stars (user_id, repository_id) select n % (?1 / 10) + 1, n from numbers"),
    (1, "insert into retired_names (name, retired_at) select 'gone' || n, 1700000000 + n from numbers"),
    (
        10,
        "insert into tombstones (namespace_id, name, private, buried_at)
           select (n - 1) / 10 + 2, 'gone' || n, n % 2, (1700000000 + n) * 1000 from numbers",
    ),
    (
        10,
        "insert into refusals (namespace_id, hour, username, repository, reason, actions, count, last_at, address)
           select (n - 1) / 10 + 2, 472222 + n % 100, 'user' || n, 'app' || n, 'role', 'push', 1, 1700000000 + n, '::1'
           from numbers",
    ),
    (
        1,
        "insert into reconcilers (service, hash, created_at, seen_at)
           select 'registry', 'reconciler', 1700000000, 1700999999 from numbers where n = 1",
    ),
    (
        10,
        "insert into deletions (service, repository, tag, digest, requested_at, requested_by)
           select 'registry', 'user' || ((n - 1) / 10 + 1) || '/app' || n, 'tag1', 'digest' || (2 * n - 1),
             (1700000000 + n) * 1000, '' from numbers",
    ),
    (2, "insert into clients (user_id, kind, first_at) select (n - 1) / 2 + 1, 'kind' || (n % 2), 0 from numbers"),
];

/// User 4 administrates, and 7 is a machine of `user5`.
const SOME: &str = "update users set administrator = id = 4, machine_of = iif(id = 7, 6, null) where id in (4, 7)";

/// What search holds: `rare` is in the descriptions of thirty documents, `often` in all of them.
const SEARCH: &str =
    "insert into documents (id, revision, name, last, words, description, visibility, star_count, pushed_at)
   select n, 1, 'user' || (n % (?1 / 10)) || '/app' || n, 'app' || n, ' app' || n || ' ',
     iif(n % (?1 / 30), '', 'rare qx ') || 'often', iif(n % 3, 'pub', 'prv'), n % 7, 1700000000 + n from numbers";

/// The truth of so many repositories.
pub fn primary(repositories: i64) -> Connection {
    let connection = migrated("db");
    for (of_ten, insert) in TRUTH {
        let filled = connection.execute(&format!("{NUMBERS} {insert}"), [repositories, repositories * of_ten / 10]);
        filled.unwrap_or_else(|error| panic!("{error}: {insert}"));
    }
    connection.execute(SOME, []).unwrap();
    finish(connection)
}

/// A search over so many documents.
pub fn search(documents: i64) -> Connection {
    let connection = migrated("search");
    connection.execute(&format!("{NUMBERS} {SEARCH}"), [documents, documents]).unwrap();
    finish(connection)
}

/// How many rows each table has.
pub fn tables(connection: &Connection) -> Vec<(String, i64)> {
    let names = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
    let mut names = connection.prepare(names).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let rows =
        |name: &str| connection.query_row(&format!("select count(*) from {name}"), [], |row| row.get(0)).unwrap();
    names.into_iter().map(|name| (name.clone(), rows(&name))).collect()
}

fn migrated(folder: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    migrate(&connection, folder).unwrap();
    connection.execute_batch("begin").unwrap();
    connection
}

fn finish(connection: Connection) -> Connection {
    connection.execute_batch("commit").unwrap();
    connection
}
