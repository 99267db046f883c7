//! What the largest body leaves behind that a route of the management API takes: little in the audit, and not much
//! anywhere.

use std::collections::BTreeSet;

use hublet::{api, routes, wire::Dialect};
use serde_json::{Value, json};

use test_support::{TestApp, runner::TestRequest, sqlite::Sqlite};

use super::{
    actors::{self, OWNER, PUBLIC},
    endpoints::{self, ENDPOINTS, Endpoint},
    send,
};

/// Bytes that one request may leave in the audit, and in all other tables together.
const AUDIT: i64 = 4_000;
const ANYWHERE: i64 = 64_000;

/// The same of a repository with its description, which has 25,000 characters of up to four bytes, as at the Hub.
const DESCRIBED: i64 = 128_000;

/// The most that is accepted, of each member; none where a route reads no body.
fn largest(method: &str, pattern: &str) -> Option<Value> {
    let name = "n".repeat(200);
    let described = || json!({ "description": "🐳".repeat(100), "full_description": "🐳".repeat(25_000) });
    let with = |mut body: Value, more: Value| {
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let token = || {
        let scopes = ["repo:admin", "repo:write", "repo:read", "repo:public_read", "repo:roles"];
        let resource = |at: usize| json!({ "path": format!("{OWNER}/{at:02}{}", "r".repeat(180)), "scopes": scopes });
        json!({
            "token_label": "🐳".repeat(100), "scopes": scopes, "resources": (0..50).map(resource).collect::<Vec<_>>(),
            "expires_at": format!("2999-01-01T00:00:00.{}Z", "0".repeat(1_000)),
        })
    };
    let end =
        json!({ "overlap_seconds": 604_800, "expires_at": format!("2999-01-01T00:00:00.{}Z", "0".repeat(9_000)) });
    let email = format!("{}@example.net", "e".repeat(200));
    Some(match (method, pattern.rsplit('/').next()?) {
        ("POST", "login") => json!({ "username": OWNER, "password": "secret" }),
        ("POST", "token") => json!({ "identifier": OWNER, "secret": "secret" }),
        ("DELETE", "user") => json!({ "password": "secret", "repositories": true }),
        ("POST", "password") => json!({ "password": "secret", "new_password": "p".repeat(1_024) }),
        ("POST", "emails") => json!({ "email": email, "password": "secret" }),
        ("PATCH", "{email}") => json!({ "primary": true, "password": "secret" }),
        ("DELETE", "{email}") => json!({ "password": "secret" }),
        ("POST", "access-tokens") => token(),
        ("PATCH", "{uuid}") => json!({ "token_label": "🐳".repeat(100), "is_active": false }),
        ("POST", "renew") => end,
        ("POST", "repositories") => with(described(), json!({ "name": name, "namespace": OWNER, "is_private": true })),
        ("PATCH", "{repository}") => with(described(), json!({ "is_private": true })),
        ("POST", "privacy") => json!({ "is_private": true }),
        ("POST", "transfer") => json!({ "namespace": "acme", "keep_collaborators": false }),
        ("POST", "access-reviews") => {
            json!({ "repository": format!("{OWNER}/{PUBLIC}"), "username": OWNER, "actions": ["pull", "push", "delete"] })
        }
        ("POST", "collaborators") => json!({ "user": "jane", "role": "admin" }),
        ("PUT", "{username}") => json!({ "role": "admin" }),
        ("POST", "reconciler") => json!({ "events": [] }),
        ("POST", "machines") => json!({ "username": format!("{OWNER}-{}", "m".repeat(59)), "role": "admin" }),
        ("DELETE", "{uuid}" | "{repository}" | "{tag}" | "{username}" | "star")
        | ("PUT", "star")
        | ("POST", "star" | "logout") => {
            json!({})
        }
        _ => return None,
    })
}

/// The request with this body, up to the last byte that its route takes.
fn filled(request: TestRequest, body: Value) -> TestRequest {
    let route = routes::route(request.target.split('?').next().unwrap()).unwrap();
    let limit = api::path(&route).max_body;
    let mut body = body;
    let room = limit - body.to_string().len() - r#","more":"""#.len();
    body["more"] = "x".repeat(room).into();
    let mut body = body.to_string();
    body.push_str(&" ".repeat(limit - body.len()));
    let mut headers = request.headers;
    headers.retain(|(name, _)| name != "Content-Type");
    headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    TestRequest { headers, body: body.into_bytes(), ..request }
}

/// Bytes in a table, and in all the others.
fn stored(database: &Sqlite) -> (i64, i64) {
    let connection = database.connection();
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let mut tables = connection
        .prepare("select name from sqlite_schema where type = 'table' and sql not like 'create virtual%'")
        .unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let size = |table: &String| {
        let mut columns = connection.prepare(&format!("select name from pragma_table_info('{table}')")).unwrap();
        let columns = columns.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
        let length = columns.map(|column| format!("ifnull(length(cast(\"{column}\" as blob)), 0)"));
        let length = length.collect::<Vec<_>>().join(" + ");
        ask(&format!("select ifnull(sum({length}), 0) from \"{table}\""))
    };
    let audit = tables.iter().filter(|table| *table == "audit").map(size).sum();
    (audit, tables.iter().filter(|table| *table != "audit").map(size).sum())
}

fn left(app: &TestApp) -> (i64, i64) {
    let (audit, rest) = stored(&app.db);
    (audit, rest + stored(&app.search).1)
}

#[test]
fn largest_body_stores_little() {
    let mut fixtures = actors::fixtures();
    let events = json!({ "events": [{ "id": "a tag", "action": "push",
        "target": { "repository": format!("{OWNER}/{PUBLIC}"), "tag": actors::TAG, "digest": "sha256:aa" } }] });
    let registry = fixtures.client.event_authorization("registry");
    assert_eq!(fixtures.client.ask("POST /events", &registry, &events.to_string()).status, 200);
    let actor = |label: &str| fixtures.actors.iter().find(|actor| actor.label == label).unwrap();
    let (mut cases, mut most) = (0, (0, 0));
    let mut unasked = written();
    for endpoint in &ENDPOINTS {
        if !unasked.remove(&(endpoint.method, endpoint.pattern)) {
            continue;
        }
        let label = endpoint.label();
        let body = largest(endpoint.method, endpoint.pattern);
        let body = body.unwrap_or_else(|| panic!("{label} needs its largest body in tests/it/matrix/largest.rs"));
        let owner = actor(if endpoint.pattern == "/reconciler" { "a reconciler" } else { "the owner" });
        let app = &mut owner.app(&fixtures.client.app);
        let request = filled(Endpoint { body: "", ..*endpoint }.request(&fixtures, app, owner, PUBLIC), body);
        let before = left(app);
        let (response, _) = send(app, &request);
        assert!(response.status < 300, "{label}: {}", String::from_utf8_lossy(&response.body));
        app.scheduled();
        let after = left(app);
        let (audit, rest) = (after.0 - before.0, after.1 - before.1);
        let described = String::from_utf8_lossy(&request.body).contains("full_description");
        let anywhere = if described { DESCRIBED } else { ANYWHERE };
        assert!(audit < AUDIT && rest < anywhere, "{label} leaves {audit} bytes in the audit, {rest} elsewhere");
        most = (most.0.max(audit), most.1.max(rest));
        cases += 1;
    }
    assert!(unasked.is_empty(), "in no endpoint: {unasked:?}");
    println!(
        "cases: {cases} largest bodies, which leave {} bytes in the audit at most, and {} elsewhere",
        most.0, most.1
    );
}

/// What of the management API writes.
fn written() -> BTreeSet<(&'static str, &'static str)> {
    let mut written = endpoints::all();
    written.retain(|(method, pattern)| *method != "GET" && endpoints::path(pattern).errors == Dialect::Hub);
    written
}
