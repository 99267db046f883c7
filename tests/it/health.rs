//! `GET /health` where something is wrong: with a database, a secret, a certificate, or what should come regularly.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use hublet::{
    context::Context,
    domain::{certificates::Chain, ends::DAY},
    error::Fault,
    platform::Platform,
    serve::serve,
    store::{Database, Db, Rows, Statement},
    wire::{Request, Response},
};
use serde_json::{Value, json};
use test_support::{TestApp, client::TestClient, fake_platform::block_on};

/// A database that fails with this message of D1.
struct Failing(&'static str);

impl Database for Failing {
    fn batch<'a>(&'a self, _: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        Box::pin(async { Err(Fault::from_d1(self.0)) })
    }
}

fn failing(message: &'static str) -> Rc<Db> {
    Rc::new(Db::new(Rc::new(Failing(message))))
}

fn ask(ctx: &Context, authorization: &str) -> Response {
    let mut request =
        Request { method: "GET".into(), path: "/health".into(), body: Some(vec![]), ..Request::default() };
    request.host = "127.0.0.1:8787".into();
    if !authorization.is_empty() {
        request.headers.push(("authorization".into(), authorization.into()));
    }
    block_on(serve(ctx, &request))
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn found(app: &TestApp) -> (u16, Value) {
    let response = ask(&app.context(), "");
    (response.status, body(&response))
}

const EVENT: &str = r#"{"events": [{"id": "one", "action": "pull", "target": {"repository": "paul/app", "tag": "latest", "digest": "sha256:aa"}}]}"#;

/// A client of an index of which nothing is wrong, and the session of an administrator.
fn healthy() -> (TestClient, String) {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    client.operate("grant paul").unwrap();
    let registry = client.event_authorization("registry");
    assert_eq!(client.ask("POST /events", &registry, EVENT).status, 200);
    client.app.scheduled();
    assert_eq!(found(&client.app), (200, json!({ "status": "ok", "problems": [] })));
    (client, session)
}

#[test]
fn failing_primary_database_is_503() {
    let (client, session) = healthy();
    for (message, problem, retry) in [
        ("Network connection lost.", "database", Some("5")),
        ("D1 DB is overloaded. Too many requests queued.", "database", Some("5")),
        ("no such binding: DB", "database", Some("5")),
        ("UNIQUE constraint failed: surprises.name", "database", Some("5")),
        ("Your account has exceeded D1's free tier daily row read limit.", "database", Some("5")),
        ("no such table: d1_migrations: SQLITE_ERROR", "migrations", None),
        ("no such column: cursor at offset 7: SQLITE_ERROR", "migrations", None),
    ] {
        for authorization in ["", &session] {
            client.app.platform.log.borrow_mut().clear();
            let ctx = Context { db: failing(message), ..client.app.context() };
            let response = ask(&ctx, authorization);
            let expected = json!({ "status": "down", "problems": [problem] });
            assert_eq!((response.status, body(&response)), (503, expected), "{message}");
            assert_eq!(response.header("Retry-After"), retry, "{message}");
            assert_eq!(response.header("Cache-Control"), Some("no-store"), "{message}");
            let log = Value::from(client.app.platform.log.borrow().clone()).to_string();
            assert!(log.contains(message), "{log}");
        }
    }
}

#[test]
fn failing_search_index_is_degraded() {
    let (client, session) = healthy();
    for message in ["Network connection lost.", "no such table: d1_migrations: SQLITE_ERROR"] {
        let ctx = Context { search: failing(message), ..client.app.context() };
        let response = ask(&ctx, "");
        assert_eq!((response.status, body(&response)), (200, json!({ "status": "degraded", "problems": ["search"] })));
        assert_eq!(body(&ask(&ctx, &session))["details"]["search"]["migrations"], Value::Null);
    }
}

#[test]
fn missing_migration_is_found() {
    let (client, session) = healthy();
    let forget = "delete from d1_migrations where id = (select max(id) from d1_migrations)";
    client.app.search.connection().execute(forget, []).unwrap();
    assert_eq!(found(&client.app), (200, json!({ "status": "degraded", "problems": ["search"] })));
    client.app.db.connection().execute(forget, []).unwrap();
    assert_eq!(found(&client.app), (503, json!({ "status": "down", "problems": ["migrations", "search"] })));
    let details = body(&ask(&client.app.context(), &session))["details"].clone();
    for migrations in [&details["migrations"], &details["search"]["migrations"]] {
        assert!(migrations["applied"].as_str().unwrap() < migrations["expected"].as_str().unwrap(), "{details}");
    }
    client.app.db.connection().execute("insert into d1_migrations (name) values ('9999_later.sql')", []).unwrap();
    assert_eq!(found(&client.app).0, 200, "a later version's migrations are there after a rollback");
}

#[test]
fn unusable_secret_is_503() {
    let next = include_str!("../../test-support/registry/next-key.pem");
    for (name, value) in [
        ("TOKEN_KEY", ""),
        ("PASSWORD_PEPPER", "short"),
        ("REGISTRY_KEY", ""),
        ("REGISTRY_KEY", "no key"),
        ("REGISTRY_KEY", next),
        ("REGISTRY_CERTIFICATE", "no certificate"),
    ] {
        let (mut client, _) = healthy();
        client.app.set(name, value);
        assert_eq!(found(&client.app), (503, json!({ "status": "down", "problems": ["key"] })), "{name}={value}");
        let search = client.ask("GET /v1/search?q=app", "", "");
        assert_eq!((search.status, client.ask("GET /v1/_ping", "", "").status), (200, 200), "{name}={value}");
    }
    let (mut client, _) = healthy();
    client.app.set("SERVICES", "");
    client.app.set("REGISTRY_KEY", "");
    assert_eq!(found(&client.app), (200, json!({ "status": "ok", "problems": [] })), "no registry needs a key");
}

#[test]
fn certificate_is_found_60_days_before_its_end() {
    let (client, _) = healthy();
    let ends = Chain::parse(client.app.setting("REGISTRY_CERTIFICATE")).unwrap().expires_at();
    let at = |time: i64| {
        client.app.platform.advance((time - client.app.platform.now()).unsigned_abs());
        client.app.scheduled();
        found(&client.app)
    };
    let events = json!({ "status": "degraded", "problems": ["events"] });
    assert_eq!(at(ends - 60 * DAY), (200, events));
    let certificate = json!({ "status": "degraded", "problems": ["certificate", "events"] });
    assert_eq!(at(ends - 60 * DAY + 1), (200, certificate.clone()));
    assert_eq!(at(ends - 1), (200, certificate));
    assert_eq!(at(ends), (503, json!({ "status": "down", "problems": ["certificate", "events"] })));
}

#[test]
fn new_databases_are_not_late() {
    let client = TestClient::new().unwrap();
    let applied = format!("update d1_migrations set applied_at = datetime({}, 'unixepoch')", client.app.platform.now());
    client.app.db.connection().execute(&applied, []).unwrap();
    let found_after = |seconds| {
        client.app.platform.advance(seconds);
        found(&client.app).1["problems"].clone()
    };
    assert_eq!(found_after(600), json!(["events"]));
    assert_eq!(found_after(1), json!(["schedule", "search", "events"]));
}

#[test]
fn search_that_cannot_be_written_is_found() {
    let (client, _) = healthy();
    client.app.platform.advance(11 * 60);
    let ctx = Context { search: failing("Network connection lost."), ..client.app.context() };
    block_on(hublet::serve::scheduled(&ctx));
    assert_eq!(found(&client.app), (200, json!({ "status": "degraded", "problems": ["search"] })));
    client.app.scheduled();
    assert_eq!(found(&client.app).1["status"], "ok");
    let fill = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1200)
        insert into outbox (repository_id) select i from n";
    client.app.db.connection().execute(fill, []).unwrap();
    assert_eq!(found(&client.app), (200, json!({ "status": "degraded", "problems": ["search"] })));
}

#[test]
fn heartbeats_are_written_sparsely() {
    let (mut client, session) = healthy();
    let registry = client.event_authorization("registry");
    let seconds = |client: &TestClient| {
        let details = body(&ask(&client.app.context(), &session))["details"].clone();
        let seconds = [&details["schedule"], &details["search"], &details["events"][0]];
        seconds.map(|of| of["seconds"].as_i64().unwrap())
    };
    for (pass, expected) in [(29, 29), (1, 0), (20, 20), (40, 0)] {
        client.app.platform.advance(pass);
        client.app.scheduled();
        assert_eq!(client.ask("POST /events", &registry, EVENT).status, 200);
        assert_eq!(seconds(&client), [expected; 3], "{pass}");
    }
}
