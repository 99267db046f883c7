//! What has expired is removed in steps, so that the database answers others in between, however much there is.

use test_support::client::TestClient;

/// Of each kind: more than a run removes.
const ROWS: usize = 12_000;
const REMOVED: usize = 10_000;

/// Each kind that expires: what fills it with what has expired long ago, and how many are left.
const KINDS: [(&str, &str); 9] = [
    (
        "insert into users (name, status, created_at) select 'lapsed' || n, 'unconfirmed', 0 from numbers",
        "select count(*) from users where status = 'unconfirmed'",
    ),
    (
        "insert into emails (user_id, address, key, created_at) select 1, 'a' || n, 'a' || n, 0 from numbers",
        "select count(*) from emails where confirmed_at is null",
    ),
    (
        "insert into links (hash, user_id, expires_at, created_at) select 'link' || n, 1, 0, 0 from numbers",
        "select count(*) from links",
    ),
    (
        "insert into failures (name, address, count, last_at) select 'name' || n, '', 1, 0 from numbers",
        "select count(*) from failures where last_at = 0",
    ),
    (
        "insert into events (service, id, taken_at) select 'registry', 'event' || n, 0 from numbers",
        "select count(*) from events",
    ),
    (
        "insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by, deleted)
           select (select id from repositories), 'registry', 'tag' || n, '', 0, '', 0, '', 1 from numbers",
        "select count(*) from tags",
    ),
    (
        "insert into access_tokens (uuid, user_id, hash, label, scopes, created_at, created_by, creator_ip, creator_ua,
             previous_hash, previous_until)
           select 'uuid' || n, 1, 'hash' || n, '', '[]', 0, '', '', '', 'previous' || n, 0 from numbers",
        "select count(previous_hash) from access_tokens",
    ),
    (
        "insert into refresh_tokens (uuid, user_id, hash, client, address, created_at, used_at)
           select 'uuid' || n, 1, 'hash' || n, '', '', 0, 0 from numbers",
        "select count(*) from refresh_tokens",
    ),
    (
        "insert into audit (at, account, action, name, actor, credential, address)
           select 0, 1, 'repo.create', 'paul/app', '', '', '' from numbers",
        "select count(*) from audit where at = 0",
    ),
];

/// How many are left of each kind.
fn left(client: &TestClient) -> Vec<usize> {
    let count = |sql| client.app.db.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    KINDS.iter().map(|(_, left)| usize::try_from(count(left)).unwrap()).collect()
}

/// Whether the log said of the last run that there was more.
fn said(client: &TestClient) -> bool {
    let said = client.app.platform.log.borrow().iter().any(|line| line["doing"] == "remove what has expired");
    client.app.platform.log.borrow_mut().clear();
    said
}

#[test]
fn expiry_is_stepwise_and_reports_the_rest() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    assert_eq!(client.ask("POST /v2/repositories", &session, r#"{"name": "app"}"#).status, 201);
    client.app.scheduled();
    assert!(!said(&client));
    let numbers =
        format!("with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {ROWS})");
    // The oldest rows of the audit are looked at first.
    client.app.db.connection().execute_batch("delete from audit").unwrap();
    for (fill, _) in KINDS {
        client.app.db.connection().execute(&format!("{numbers} {fill}"), []).unwrap();
    }
    assert_eq!(left(&client), [ROWS; KINDS.len()]);
    client.app.scheduled();
    assert_eq!(left(&client), [ROWS - REMOVED; KINDS.len()]);
    assert!(said(&client));
    client.app.scheduled();
    assert_eq!(left(&client), [0; KINDS.len()]);
    assert!(!said(&client));
}
