//! The pages: that texts are no markup, and how many statements a form with many marks is.

mod hostile;
mod markup;
mod stored;
mod typed;

use std::{cell::Cell, rc::Rc};

use futures_util::future::LocalBoxFuture;
use hublet::{
    context::Context,
    error::Fault,
    serve::serve,
    store::{Database, Db, Rows, Statement},
};
use serde_json::json;
use test_support::{client::TestClient, fake_platform::block_on, runner::TestRequest, sqlite::Sqlite};

/// A database that counts the statements that it is sent.
struct Counted {
    database: Rc<Sqlite>,
    statements: Cell<usize>,
}

impl Database for Counted {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        self.statements.set(self.statements.get() + statements.len());
        self.database.batch(statements)
    }
}

/// Answers a request; returns the status and the number of statements of `DB` before the response.
fn counted(client: &mut TestClient, request: &TestRequest) -> (u16, usize) {
    let request = client.app.received(request).unwrap();
    let counting = Rc::new(Counted { database: client.app.db.clone(), statements: Cell::new(0) });
    let index = Context { db: Rc::new(Db::new(counting.clone())), ..client.app.context() };
    (block_on(serve(&index, &request)).status, counting.statements.get())
}

/// An index with 100 tags, of which every second one is in a second registry alone; the tool is beside the first.
fn tagged() -> (TestClient, String, Vec<String>) {
    let mut client = TestClient::new().unwrap();
    client.app.set("SERVICES", "registry,second");
    client.register("olga");
    let names = (0..100).map(|at| format!("tag{at}")).collect::<Vec<_>>();
    for (service, odd) in [("registry", 0), ("second", 1)] {
        let events = names.iter().skip(odd).step_by(2).map(|tag| {
            json!({ "id": tag, "action": "push", "target": { "repository": "olga/app", "tag": tag, "digest": "sha256:aa" } })
        });
        let (registry, events) = (client.event_authorization(service), json!({ "events": events.collect::<Vec<_>>() }));
        assert_eq!(client.ask("POST /events", &registry, &events.to_string()).status, 200);
    }
    let cookie = client.sign_in("olga");
    (client, cookie, names)
}

fn marked(cookie: &str, names: &[String]) -> TestRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let body = names.iter().map(|name| format!("tag={name}")).collect::<Vec<_>>().join("&").into_bytes();
    let headers = vec![header("Cookie", &format!("hublet={cookie}")), header("Sec-Fetch-Site", "same-origin")];
    TestRequest { method: "POST".into(), target: "/r/olga/app/-/tags".into(), headers, body }
}

/// D1 counts each statement of a batch: a worker on its free plan may send 50 for a request.
#[test]
fn many_deletions_are_few_statements() {
    let (mut client, cookie, names) = tagged();
    let count = |client: &TestClient, sql: &str| -> i64 {
        client.app.db.connection().query_row(&format!("select count(*) from {sql}"), [], |row| row.get(0)).unwrap()
    };
    let one = counted(&mut client, &marked(&cookie, &names[..1]));
    assert_eq!((one.0, count(&client, "tags where deleted = 1")), (303, 1));
    assert!(one.1 < 12, "{one:?}");
    let tool = client.operate("reconciler registry").unwrap();
    let tool = format!("Bearer {}", tool.split_once('=').unwrap().1);
    assert_eq!(client.ask("GET /reconciler", &tool, "").status, 200);
    // The first one is gone: with it there are 100 names, and 99 tags.
    assert_eq!(counted(&mut client, &marked(&cookie, &names)), one);
    assert_eq!(count(&client, "deletions"), 49);
    assert_eq!(count(&client, "tags where deleted = 1"), 51);
    assert_eq!(
        count(&client, "audit where action = 'repo.tag.deletion.request' and data ->> 'digest' = 'sha256:aa'"),
        49
    );
    assert_eq!(count(&client, "audit where action = 'repo.tag.delete' and name = 'olga/app'"), 51);
    let more = [&names[..], &["more".to_owned()]].concat();
    assert_eq!(counted(&mut client, &marked(&cookie, &more)).0, 400);
}
