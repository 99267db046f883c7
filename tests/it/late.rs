//! What registries tell late: whenever an event is delivered, the index ends as if each had come when it
//! happened.

use std::cell::Cell;

use arbtest::arbtest;
use hublet::{domain::time, platform::Platform};
use serde_json::{Value, json};
use test_support::client::TestClient;

/// Histories that are made, at least.
const HISTORIES: u32 = 40;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// A push of `1.0` or another tag, in the namespace.
    Push(&'static str, &'static str),
    /// `POST …/repositories`, without a word about who may see it.
    Create,
    /// `PUT /v1/repositories/…`
    Announce,
    /// `DELETE` of the management API.
    Delete,
    /// `DELETE` of the Hub API v1: the first marks, the second removes.
    DeleteV1,
    /// From one namespace into the other.
    Transfer(&'static str, &'static str),
    /// `POST …/privacy`
    Privacy(bool),
}
use Deed::{Announce, Create, Delete, DeleteV1, Privacy, Push, Transfer};

/// An index with Alice, who owns `alice`, and rules `acme`.
fn beginning() -> (TestClient, String) {
    let mut client = TestClient::new().unwrap();
    let session = client.register("alice");
    client.operate("namespace acme").unwrap();
    client.operate("member acme alice admin").unwrap();
    (client, session)
}

/// One run: the events that happened and were not delivered wait.
struct Run {
    client: TestClient,
    session: String,
    registry: String,
    waiting: Vec<Value>,
    delivered: Vec<Value>,
    answers: Vec<u16>,
}

impl Run {
    fn of(beginning: &(TestClient, String)) -> Self {
        let client = TestClient { app: beginning.0.app.copied().unwrap() };
        let registry = client.event_authorization("registry");
        Self { session: beginning.1.clone(), registry, client, waiting: vec![], delivered: vec![], answers: vec![] }
    }

    fn happens(&mut self, deed: Deed) {
        self.client.app.platform.advance(1);
        let privacy = |private: bool| json!({ "is_private": private }).to_string();
        let (ask, session) = (&mut self.client, self.session.as_str());
        let response = match deed {
            Push(namespace, tag) => {
                let at = time::format_rfc3339(ask.app.platform.now());
                let id = format!("event {at}");
                self.waiting.push(json!({ "id": id, "timestamp": at, "action": "push", "target": {
                    "digest": format!("sha256:{:064x}", ask.app.platform.now()), "repository": format!("{namespace}/app"),
                    "tag": tag, "mediaType": "application/vnd.oci.image.manifest.v1+json" } }));
                return;
            }
            Create => ask.ask("POST /v2/namespaces/alice/repositories", session, r#"{"name": "app"}"#),
            Announce => ask.ask("PUT /v1/repositories/alice/app/", "alice:secret", "[]"),
            Delete => ask.ask("DELETE /v2/repositories/alice/app", session, ""),
            DeleteV1 => ask.ask("DELETE /v1/repositories/alice/app/", "alice:secret", ""),
            Transfer(from, to) => {
                let body = json!({ "namespace": to }).to_string();
                ask.ask(&format!("POST /v2/repositories/{from}/app/transfer"), session, &body)
            }
            Privacy(private) => ask.ask("POST /v2/repositories/alice/app/privacy", session, &privacy(private)),
        };
        assert!(response.status < 500, "{deed:?}: {response:?}");
        self.answers.push(response.status);
    }

    /// The registry is heard.
    fn delivers(&mut self) {
        let events = std::mem::take(&mut self.waiting);
        self.post(&events);
        self.delivered.extend(events);
    }

    fn post(&mut self, events: &[Value]) {
        let response = self.client.ask("POST /events", &self.registry, &json!({ "events": events }).to_string());
        assert_eq!(
            (response.status, response.body["taken"].as_u64()),
            (200, u64::try_from(events.len()).ok()),
            "{response:?}"
        );
    }

    /// Everything is told once more, and once more by a registry that has forgotten its ids.
    fn repeats(&mut self) {
        let mut events = self.delivered.clone();
        self.post(&events);
        for event in &mut events {
            event["id"] = format!("again {}", event["id"]).into();
        }
        self.post(&events);
    }

    /// Which repositories there are, who sees them, and their tags.
    fn state(&self) -> String {
        let sql = "select ifnull(group_concat(said, '; '), '') from (
           select r.full_name || iif(r.private, ' private', ' public') || ifnull((select group_concat(' ' || tag, '')
             from (select t.name || '@' || ltrim(substr(t.digest, 8), '0') tag from tags t
               where t.repository_id = r.id and t.deleted = 0 order by 1)), '') said
           from repositories r where r.deleted_at is null order by 1)";
        self.client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// The state when every event comes when it happens, and when each waits for the end; with what was answered.
fn both(beginning: &(TestClient, String), deeds: &[Deed], waits: &dyn Fn(usize) -> bool) -> [(String, Vec<u16>); 2] {
    let late = |waits: &dyn Fn(usize) -> bool| {
        let mut run = Run::of(beginning);
        for (at, deed) in deeds.iter().enumerate() {
            run.happens(*deed);
            if !waits(at) {
                run.delivers();
            }
        }
        run.delivers();
        let state = run.state();
        run.repeats();
        assert_eq!(run.state(), state, "what is told again changes nothing: {deeds:?}");
        (state, run.answers)
    };
    [late(&|_| false), late(waits)]
}

#[test]
fn late_events_end_in_the_state_of_their_order() {
    let public = beginning();
    let mut private = beginning();
    private.0.app.set("VISIBILITY", "private");
    let first = [Push("alice", "1.0"), Push("alice", "2.0")];
    let table: [(&str, &[Deed], &str); 11] = [
        ("delete", &[Delete], ""),
        ("v1 delete", &[DeleteV1], ""),
        ("v1 delete twice", &[DeleteV1, DeleteV1], ""),
        ("transfer", &[Transfer("alice", "acme")], "acme/app public 1.0@3 2.0@4"),
        ("there and back", &[Transfer("alice", "acme"), Transfer("acme", "alice")], "alice/app public 1.0@3 2.0@4"),
        ("privacy", &[Privacy(true)], "alice/app private 1.0@3 2.0@4"),
        ("delete, and a push", &[Delete, Push("alice", "3.0")], "alice/app public 3.0@6"),
        ("private, delete, and a push", &[Privacy(true), Delete, Push("alice", "3.0")], "alice/app private 3.0@7"),
        ("private, delete, and PUT", &[Privacy(true), Delete, Announce], "alice/app private"),
        ("private, delete, and create", &[Privacy(true), DeleteV1, Create], "alice/app private"),
        (
            "private, transfer, and a push",
            &[Privacy(true), Transfer("alice", "acme"), Push("alice", "3.0")],
            "acme/app private 1.0@3 2.0@4; alice/app private 3.0@7",
        ),
    ];
    let mut cases = 0;
    for (name, deeds, expected) in table {
        let all = [&first, deeds].concat();
        // The first push is heard at once, or there is nothing to delete; the second at once, or at the end.
        for (beginning, default) in [(&public, "public"), (&private, "private")] {
            let [right, late] = both(beginning, &all, &|at| at > 0);
            cases += 2;
            assert_eq!(late, right, "{name}, {default}");
            let seconds = |state: &str| renumbered(state, beginning);
            if default == "public" {
                assert_eq!(seconds(&right.0), expected, "{name}");
            }
            assert!(default == "public" || !right.0.contains("public"), "{name}: {}", right.0);
        }
    }
    println!("cases: {cases} deeds before and after what is told of");
}

/// Digests as the seconds since the beginning.
fn renumbered(state: &str, beginning: &(TestClient, String)) -> String {
    let now = beginning.0.app.platform.now();
    (1..20).fold(state.to_owned(), |state, second| {
        state.replace(&format!("@{:x}", now + second), &format!("@{}", second + 2))
    })
}

#[test]
fn shuffled_events_end_in_the_same_state() {
    let beginning = beginning();
    let (cases, same) = (Cell::new(0_u32), Cell::new(0_u32));
    let deeds = [
        Push("alice", "1.0"),
        Push("alice", "2.0"),
        Push("acme", "1.0"),
        Create,
        Announce,
        Delete,
        DeleteV1,
        Transfer("alice", "acme"),
        Transfer("acme", "alice"),
        Privacy(true),
        Privacy(false),
    ];
    let property = |u: &mut arbtest::arbitrary::Unstructured<'_>| {
        let mut all = vec![Push("alice", "1.0")];
        for _ in 0..u.int_in_range(1..=9)? {
            all.push(*u.choose(&deeds)?);
        }
        let pattern = u.arbitrary::<u16>()?;
        let [right, late] = both(&beginning, &all, &|at| at > 0 && pattern >> at & 1 == 1);
        cases.set(cases.get() + 1);
        // Where somebody was told otherwise, because the index did not know yet, they did otherwise.
        if right.1 == late.1 {
            same.set(same.get() + 1);
            assert_eq!(late.0, right.0, "{all:?} {pattern:b}");
        }
        Ok(())
    };
    while same.get() < HISTORIES {
        arbtest(property).budget_ms(300);
    }
    println!(
        "cases: {} histories of which the end was told late, {} of them with the same answers",
        cases.get(),
        same.get()
    );
}
