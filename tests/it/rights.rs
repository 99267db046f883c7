//! The right by which somebody writes is a condition of the write: what was taken away while a request was
//! under way is gone for it too. Every route is asked in `tests/it/matrix`; here are the guard, and what an
//! answer becomes.

use std::{fs, path::Path, rc::Rc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hublet::{
    domain::{AccessTokenId, NamespaceId, RepositoryId, Role, UserId, credential::CredentialId},
    error::FaultKind,
    platform::RateLimit,
    store::{Database, Over, Right, Statement, rights},
    wire::Request,
};
use test_support::{TestApp, client::TestClient, fake_platform::block_on, hooks, sources::rust_files, sqlite::Sqlite};

const NOW: i64 = 1_000;

/// Everybody who has a right, and the right; the id of each is its line.
const WORLD: &str = "
    insert into users (id, name, status, epoch, administrator, created_at) values
      (1, 'olga', 'active', 3, 0, 0), (2, 'mira', 'active', 1, 0, 0), (3, 'rita', 'active', 1, 0, 0),
      (4, 'boss', 'active', 1, 1, 0), (5, 'jane', 'active', 1, 0, 0);
    insert into namespaces (id, name, owner_id, created_at) values (11, 'olga', 1, 0), (12, 'acme', null, 0);
    insert into users (id, name, kind, status, machine_of, created_at) values (6, 'robot', 'machine', 'active', 11, 0);
    insert into members values (11, 2, 'write'), (12, 2, 'admin'), (11, 6, 'write');
    insert into repositories (id, namespace_id, name, private, created_at, updated_at) values
      (21, 11, 'hidden', 1, 0, 0), (22, 11, 'open', 0, 0, 0);
    insert into collaborators values (21, 3, 'write');
    insert into access_tokens (id, uuid, user_id, hash, label, scopes, expires_at, created_at, created_by,
      creator_ip, creator_ua) values (31, 'a', 1, 'a', '', '[]', 1001, 0, '', '', ''), (32, 'b', 4, 'b', '', '[]', null, 0, '', '', ''),
      (33, 'c', 6, 'c', '', '[]', null, 0, '', '', '');
";

const fn password(user: i64, epoch: i64) -> CredentialId {
    CredentialId::Password { user: UserId::new(user), epoch }
}

const fn token(user: i64, token: i64) -> CredentialId {
    CredentialId::AccessToken { user: UserId::new(user), token: AccessTokenId::new(token) }
}

const fn repository(id: i64, role: Role) -> Over {
    Over::Repository { id: RepositoryId::new(id), namespace: NamespaceId::new(11), role, public: false }
}

/// Whether a write by this right is made; nothing else stops it.
fn writes(database: &Sqlite, credential: CredentialId, over: Over, now: i64) -> bool {
    let write = Statement::new("insert into outbox (repository_id) values (?1)").bind(1);
    let count =
        || -> i64 { database.connection().query_row("select count(*) from outbox", [], |row| row.get(0)).unwrap() };
    let before = count();
    let written = block_on(database.batch(&[rights::guard(&Right { credential, over }, now), write]));
    let kind = written.as_ref().err().map(|fault| fault.kind);
    assert!(kind.is_none() || kind == Some(FaultKind::Stale), "{written:?}");
    assert_eq!(count() - before, i64::from(written.is_ok()), "{credential:?} over {over:?}");
    written.is_ok()
}

#[test]
fn guard_holds_as_long_as_the_right() {
    let database = Sqlite::migrated("db").unwrap();
    database.connection().execute_batch(WORLD).unwrap();
    let public = Over::Repository { id: 22.into(), namespace: 11.into(), role: Role::Read, public: true };
    let machine = Over::Machine { id: 6.into(), namespace: 11.into() };
    let (olga, mira, rita, boss) = (password(1, 3), password(2, 1), password(3, 1), password(4, 1));
    for (credential, over, ends) in [
        (olga, Over::Themselves, "update users set epoch = 4 where id = 1"),
        (olga, Over::Themselves, "update users set status = 'disabled' where id = 1"),
        (olga, Over::Themselves, "update users set status = 'unconfirmed' where id = 1"),
        (olga, Over::Namespace(11.into(), Role::Admin), "update namespaces set owner_id = 5 where id = 11"),
        (token(6, 33), repository(21, Role::Write), "update users set status = 'disabled' where id = 1"),
        (olga, machine, "delete from users where id = 6"),
        (olga, machine, "update users set machine_of = 12 where id = 6"),
        (olga, repository(21, Role::Admin), "update repositories set namespace_id = 12 where id = 21"),
        (olga, repository(21, Role::Admin), "delete from repositories where id = 21"),
        (token(1, 31), repository(21, Role::Admin), "delete from access_tokens where id = 31"),
        (token(1, 31), Over::Themselves, "update access_tokens set is_active = 0 where id = 31"),
        (token(1, 31), Over::Themselves, "update access_tokens set expires_at = 1000 where id = 31"),
        (token(1, 31), Over::Themselves, "update access_tokens set user_id = 5 where id = 31"),
        (token(1, 31), public, "update repositories set private = 1 where id = 22"),
        (mira, Over::Namespace(11.into(), Role::Write), "delete from members where user_id = 2"),
        (mira, Over::Namespace(11.into(), Role::Write), "update members set role = 'read' where user_id = 2"),
        (mira, Over::Namespace(12.into(), Role::Admin), "update members set role = 'write' where user_id = 2"),
        (mira, repository(21, Role::Read), "delete from members where user_id = 2"),
        (mira, repository(21, Role::Write), "update members set role = 'read' where user_id = 2"),
        (rita, repository(21, Role::Write), "delete from collaborators where user_id = 3"),
        (rita, repository(21, Role::Write), "update collaborators set role = 'read' where user_id = 3"),
        (boss, Over::Index, "update users set administrator = 0 where id = 4"),
        (boss, Over::Namespace(12.into(), Role::Admin), "update users set administrator = 0 where id = 4"),
        (boss, repository(21, Role::Admin), "update users set administrator = 0 where id = 4"),
        (boss, machine, "update users set administrator = 0 where id = 4"),
        (password(5, 1), repository(22, Role::Read), "update repositories set private = 1 where id = 22"),
    ] {
        let database = database.copied().unwrap();
        assert!(writes(&database, credential, over, NOW), "{credential:?} over {over:?}");
        database.connection().execute(ends, []).unwrap();
        assert!(!writes(&database, credential, over, NOW), "{credential:?} over {over:?} after {ends}");
    }
}

#[test]
fn guard_grants_nothing_missing() {
    let database = Sqlite::migrated("db").unwrap();
    database.connection().execute_batch(WORLD).unwrap();
    let (jane, boss) = (password(5, 1), password(4, 1));
    for (credential, over) in [
        (CredentialId::Anonymous, Over::Themselves),
        (CredentialId::Anonymous, repository(22, Role::Read)),
        (jane, Over::Index),
        (jane, Over::Namespace(11.into(), Role::Read)),
        (jane, Over::Namespace(12.into(), Role::Read)),
        (jane, Over::Namespace(99.into(), Role::Read)),
        (jane, repository(21, Role::Read)),
        (jane, repository(22, Role::Write)),
        (jane, Over::Machine { id: 6.into(), namespace: 11.into() }),
        (password(2, 1), Over::Namespace(11.into(), Role::Admin)),
        (password(2, 1), repository(21, Role::Admin)),
        (password(2, 1), Over::Machine { id: 6.into(), namespace: 11.into() }),
        (password(2, 1), Over::Machine { id: 6.into(), namespace: 12.into() }),
        (password(3, 1), repository(21, Role::Admin)),
        (password(3, 1), repository(22, Role::Write)),
        (boss, Over::Repository { id: 21.into(), namespace: 12.into(), role: Role::Read, public: false }),
        // Access tokens never administrate.
        (token(4, 32), Over::Index),
        (token(4, 32), Over::Namespace(12.into(), Role::Read)),
        (token(4, 32), repository(21, Role::Read)),
        (token(4, 31), Over::Themselves),
        (token(99, 31), Over::Themselves),
    ] {
        assert!(!writes(&database, credential, over, NOW), "{credential:?} over {over:?}");
    }
    // A token is good until its end, and has none at it.
    assert!(writes(&database, token(1, 31), Over::Themselves, NOW));
    assert!(!writes(&database, token(1, 31), Over::Themselves, NOW + 1));
}

/// Who writes without a user's right, how often, and by what instead.
const UNGUARDED: [(&str, usize, &str); 13] = [
    ("auth/login.rs", 1, "a login was already"),
    ("handlers/account.rs", 3, "a link's secret is a condition of every statement, and anybody asks for a link"),
    ("handlers/events.rs", 1, "a registry's secret does not end while an event is taken"),
    ("handlers/reconciler.rs", 1, "the first statement fails where the token has ended"),
    ("auth/password.rs", 2, "a guess is nobody's, and a new hash replaces the very one it is of"),
    ("mail/notices.rs", 1, "counts mails that follow an answer"),
    ("jobs/search_index.rs", 6, "search, and by its guards what hides a repository"),
    ("jobs/expiry.rs", 1, "the scheduled run is nobody's"),
    ("handlers/revocation.rs", 2, "a token's secret is a condition of every statement"),
    ("operations/registration.rs", 1, "registration is anybody's"),
    ("jobs/warnings.rs", 1, "the scheduled run is nobody's"),
    ("context.rs", 2, "the write that takes a right, and what follows an answer"),
    ("store/db.rs", 2, "the functions themselves, and its test"),
];

#[test]
fn unguarded_writes_are_listed() {
    // That nothing else writes is seen to by the client of the database, which refuses a write where it is asked to read.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root);
    assert!(files.len() > 50, "where is the source?");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let many =
            ["commit_unguarded(", ".db.commit(", ".search.commit("].iter().map(|call| code.matches(call).count());
        let (many, name) =
            (many.sum::<usize>(), path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"));
        let allowed = UNGUARDED.iter().find(|(file, ..)| *file == name).map_or(0, |(_, many, _)| *many);
        assert_eq!(many, allowed, "{name}: writes without a right; see UNGUARDED in tests/it/rights.rs");
    }
}

/// Somebody who sets a new password with this one.
fn new_password(with: &str) -> Request {
    Request {
        method: "PUT".into(),
        path: "/v1/users/paul/".into(),
        host: "127.0.0.1:8787".into(),
        headers: vec![("authorization".into(), format!("Basic {}", STANDARD.encode(format!("paul:{with}"))))],
        body: Some(br#"{"password": "of the thief"}"#.into()),
        id: "0".into(),
        ..Request::default()
    }
}

fn password_of(app: &TestApp) -> (String, i64) {
    let sql = "select password, epoch from users where name = 'paul'";
    app.db.connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[test]
fn password_change_needs_the_current_password() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    // Paul is quicker: while the other waits for its turn to hash.
    let elsewhere = client.app.copied().unwrap();
    assert_eq!(elsewhere.answer(&new_password("secret")).status, 204);
    let pauls = password_of(&elsewhere);
    let hash = pauls.0.clone();
    let change = move |database: &Rc<Sqlite>| {
        let sql = "update users set password = ?1, epoch = epoch + 1 where name = 'paul'";
        database.connection().execute(sql, [hash.as_str()]).unwrap();
    };
    let (reply, _) = hooks::answer(&client.app, &new_password("secret"), hooks::before_first_write(change));
    assert_eq!(reply.status, 401);
    assert_eq!(password_of(&client.app), pauls, "the one that is there is Paul's");
}

#[test]
fn stale_decision_is_repeated_once() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let hashed = password_of(&client.app).0;
    let end = |database: &Rc<Sqlite>| {
        database.connection().execute("update users set epoch = epoch + 1 where name = 'paul'", []).unwrap();
    };
    // The same password again, of another epoch: what is so by now allows it as well.
    let (reply, asked) = hooks::answer(&client.app, &new_password("secret"), hooks::before_first_write(end));
    assert_eq!((reply.status, asked), (204, 4), "read, refused; read, written");
    assert_ne!(password_of(&client.app).0, hashed);
}

#[test]
fn second_stale_decision_is_503() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let hashed = password_of(&client.app).0;
    let end = |database: &Rc<Sqlite>, _, writes: bool| {
        if writes {
            database.connection().execute("update users set epoch = epoch + 1 where name = 'paul'", []).unwrap();
        }
    };
    let (reply, asked) = hooks::answer(&client.app, &new_password("secret"), Box::new(end));
    assert_eq!((reply.status, reply.header("Retry-After"), asked), (503, Some("5"), 4));
    assert_eq!(password_of(&client.app).0, hashed);
    let logged = client.app.platform.log.borrow().iter().rev().find_map(|line| Some(line.get("fault")?.to_string()));
    assert!(logged.unwrap().contains("the right is gone"));
}

#[test]
fn write_limit_leaves_reads_alone() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    let (token, uuid) = client.access_token(&session);
    assert_eq!(client.ask("PUT /v1/repositories/paul/app/", "paul:secret", "[]").status, 200);
    // Its use is noted now, and not again in this minute.
    assert_eq!(client.ask("GET /v1/users/", &format!("paul:{token}"), "").status, 200);
    client.app.platform.over_limits.set(true);
    let id = |table: &str| -> i64 {
        client.app.db.connection().query_row(&format!("select id from {table}"), [], |row| row.get(0)).unwrap()
    };
    let paul = id("users").to_string();
    let by_token = format!("{paul} {}", id("access_tokens"));
    let changes = |client: &TestClient| {
        client.app.db.connection().total_changes() + client.app.search.connection().total_changes()
    };
    // The session and the password are Paul; his access token is counted for itself.
    let token = format!("paul:{token}");
    for (request, who, body) in [
        ("PUT /v1/repositories/paul/other/", token.as_str(), "[]"),
        ("POST /v2/repositories", session.as_str(), r#"{"name": "another"}"#),
        ("POST /v2/repositories/paul/app/privacy", session.as_str(), r#"{"is_private": true}"#),
        ("DELETE /v1/repositories/paul/app/", "paul:secret", ""),
        ("DELETE /v2/repositories/paul/app/", session.as_str(), ""),
    ] {
        client.app.platform.limits_asked.take();
        let before = changes(&client);
        let response = client.ask(request, who, body);
        assert_eq!(
            (response.status, response.header("retry-after"), response.round_trips),
            (429, "60", 1),
            "{request}"
        );
        assert_eq!(changes(&client), before, "{request}");
        let counted = if who == token { &by_token } else { &paul };
        assert_eq!(client.app.platform.limits_asked.take(), [(RateLimit::Writes, counted.clone())], "{request}");
    }
    assert_eq!(client.ask("GET /v2/repositories/paul/app/", &session, "").status, 200);
    client.app.platform.over_limits.set(false);
    assert_eq!(client.ask("POST /v2/repositories", &session, r#"{"name": "another"}"#).status, 201);
    assert_eq!(client.ask(&format!("DELETE /v2/access-tokens/{uuid}"), &session, "").status, 204);
}
