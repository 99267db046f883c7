//! The audit: what is written has its words, is never changed, and outlives what it is about.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use hublet::{
    domain::audit::{AuditAction, GROUPS},
    store::{Statement, Value},
};
use test_support::{
    client::TestClient,
    runner::{Backend, TestRequest},
};

use super::{
    operator::refused,
    plans::{entry::Entry, table},
};

/// The texts in quotes that have the form of an action.
fn actions(sql: &str) -> impl Iterator<Item = &str> {
    let is_action = |text: &&str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte));
        plain && GROUPS.iter().any(|(group, _)| text.strip_prefix(group).is_some_and(|name| name.starts_with('.')))
    };
    sql.split('\'').filter(is_action)
}

/// The actions that the store and the operator's commands record: bound to a statement, or named in its SQL.
#[test]
fn recorded_actions_are_those_of_the_enum() {
    let mut recorded = BTreeSet::new();
    // These two record what their caller names.
    let names_its_action = |entry: &Entry| !["audit::record", "audit::record_by_link"].contains(&entry.name);
    for Entry { statements, .. } in table::primary().into_iter().filter(names_its_action) {
        for Statement { sql, values, .. } in statements.iter().filter(|statement| statement.sql.contains("into audit"))
        {
            recorded.extend(actions(sql).map(str::to_owned));
            recorded.extend(values.iter().filter_map(|value| match value {
                Value::Text(text) => AuditAction::parse(text).map(|_| text.clone()),
                _ => None,
            }));
        }
    }
    let by_commands = refused::RECORDED.iter().map(|action| action.as_str().to_owned());
    let known = AuditAction::ALL.iter().map(|action| action.as_str().to_owned()).collect();
    assert_eq!(recorded.into_iter().chain(by_commands).collect::<BTreeSet<_>>(), known);
}

#[test]
fn compromised_looks_for_known_actions() {
    let sql = include_str!("../../operator/src/compromised.sql");
    let unknown = actions(sql).filter(|action| AuditAction::parse(action).is_none()).collect::<Vec<_>>();
    assert!(actions(sql).count() > 10 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn rows_are_append_only() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let database = client.app.db.connection();
    let rows = || database.query_row("select count(*) from audit", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = rows();
    assert!(before > 0);
    let refused = database.execute("update audit set actor = 'nobody'", []).unwrap_err();
    assert!(refused.to_string().contains("append-only"), "{refused}");
    database.execute("delete from users", []).unwrap();
    assert_eq!(rows(), before);
    let removes = |entry: &Entry| entry.statements.iter().any(|statement| statement.sql.contains("delete from audit"));
    let removing = table::primary().into_iter().filter(removes).map(|entry| entry.name).collect::<BTreeSet<_>>();
    assert_eq!(removing, ["audit::expire"].into());
}

/// An index with Paul.
fn test_app() -> TestClient {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    client
}

/// Somebody who guesses from an address.
fn guess(client: &mut TestClient, address: &str, name: &str) {
    let basic = format!("Basic {}", STANDARD.encode(format!("{name}:guess")));
    let headers = [("Authorization", basic), ("CF-Connecting-IP", address.to_owned())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    let request = TestRequest { method: "GET".into(), target: "/v1/users/".into(), headers, ..TestRequest::default() };
    assert_eq!(client.app.send(&request).unwrap().status, 401);
}

/// Names that are nobody's can be thought of without end: they fill no table.
#[test]
fn unknown_names_leave_one_row_per_address() {
    let mut client = test_app();
    let rows = |client: &TestClient| -> i64 {
        let sql = "select count(*) from audit where action = 'user.login.refuse'";
        client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    for number in 0..30 {
        guess(&mut client, "203.0.113.9", &format!("ghost{number}"));
        client.app.platform.advance(60);
    }
    assert_eq!(rows(&client), 1);
    guess(&mut client, "203.0.113.10", "ghost");
    assert_eq!(rows(&client), 2, "another address");
    client.app.platform.advance(30 * 60);
    guess(&mut client, "203.0.113.9", "ghost");
    assert_eq!(rows(&client), 3, "another hour");
    guess(&mut client, "203.0.113.9", "paul");
    guess(&mut client, "203.0.113.9", "paul");
    assert_eq!(rows(&client), 5, "each of somebody");
}

/// Refused without a guess: told with the reason, and not more often than once a minute.
#[test]
fn refused_login_is_recorded_once_a_minute() {
    let mut client = test_app();
    let session = client.ask("POST /v2/users/login", "", r#"{"username": "paul", "password": "secret"}"#).text("token");
    let (access, _) = client.access_token(&format!("Bearer {session}"));
    let login = client.ask("GET /token?service=registry&offline_token=true", "paul:secret", "").text("refresh_token");
    let refresh = format!("grant_type=refresh_token&service=registry&client_id=docker&refresh_token={login}");
    let refusals = |client: &TestClient| -> Vec<(String, String)> {
        let sql = "select credential, data ->> 'reason' from audit where action = 'user.login.refuse' order by id";
        let connection = client.app.db.connection();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    client.operate("disable paul").unwrap();
    let reason = "the account is not active";
    for (at, ask) in [
        ("GET /v1/users/", "paul:secret", ""),
        ("GET /v1/users/", &format!("paul:{access}"), ""),
        ("POST /token", "", &refresh),
    ]
    .into_iter()
    .enumerate()
    {
        for _ in 0..2 {
            assert_eq!(client.ask(ask.0, ask.1, ask.2).status, 403, "{ask:?}");
        }
        let refusals = refusals(&client);
        assert_eq!(refusals.len(), at + 1, "{refusals:?}");
        assert_eq!(refusals[at].1, reason);
        let means = ["password", "access-token ", "refresh-token "][at];
        assert!(refusals[at].0.starts_with(means), "{refusals:?}");
        client.app.platform.advance(60);
    }
    client.operate("enable paul").unwrap();
    client.app.db.connection().execute("update access_tokens set is_active = 0", []).unwrap();
    assert_eq!(client.ask("GET /v1/users/", &format!("paul:{access}"), "").status, 401);
    assert_eq!(refusals(&client)[3].1, "The access token has expired or is not active");
}

/// A machine that the operator made for nobody's namespace has no log of its own: its rows are the operator's.
#[test]
fn refused_machine_is_recorded_once_a_minute() {
    let mut client = test_app();
    client.operate("add-machine robo").unwrap();
    let sql = "insert into access_tokens (uuid, user_id, hash, label, scopes, is_active, created_at, created_by,
                 creator_ip, creator_ua)
               select 'u', id, ?1, 'x', '[\"repo:admin\"]', 0, 0, 'operator', '', '' from users where name = 'robo'";
    let secret = hublet::domain::opaque_token::TokenKind::Access.generate([7; 20]);
    let hash = hublet::domain::secret::sha256_hex(secret.reveal());
    client.app.db.connection().execute(sql, [hash]).unwrap();
    for _ in 0..5 {
        assert_eq!(client.ask("GET /v1/users/", &format!("robo:{}", secret.reveal()), "").status, 401);
    }
    let sql = "select count(*) from audit where action = 'user.login.refuse' and account is null";
    let rows: i64 = client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn pulls_are_counted_and_logged() {
    let mut client = test_app();
    let registry = client.event_authorization("registry");
    let event = |id: &str, action: &str| {
        let target = r#""target": {"repository": "paul/app", "tag": "1.0", "digest": "sha256:aa"}"#;
        let who = r#""actor": {"name": "paul"}, "request": {"addr": "192.0.2.1:5"}"#;
        format!(r#"{{"events": [{{"id": "{id}", "action": "{action}", {who}, {target}}}]}}"#)
    };
    let rows = |client: &TestClient| -> i64 {
        client.app.db.connection().query_row("select count(*) from audit", [], |row| row.get(0)).unwrap()
    };
    client.ask("POST /events", &registry, &event("1", "push"));
    let before = rows(&client);
    client.ask("POST /events", &registry, &event("2", "pull"));
    assert_eq!(rows(&client), before);
    let log = client.app.platform.log.borrow();
    let lines = log.iter().filter(|line| line.get("pulls").is_some()).collect::<Vec<_>>();
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["service"], &lines[0]["pull_count"]), (&"registry".into(), &1.into()));
    let expected = r#"{"name":"paul/app","tag":"1.0","digest":"sha256:aa","actor":"paul","address":"192.0.2.1"}"#;
    assert_eq!(lines[0]["pulls"][0], serde_json::from_str::<serde_json::Value>(expected).unwrap());
}
