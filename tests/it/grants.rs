//! What is granted is not lost: for every name for which a push is granted, its event leaves a repository that can
//! be managed, or a row of the audit.

use std::{cell::Cell, collections::BTreeSet};

use arbtest::arbtest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hublet::domain::RepositoryName;
use serde_json::{Value, json};
use test_support::client::TestClient;

/// What names are made of: words of paths, and what a grammar could take or not.
const COMPONENTS: [&str; 40] = [
    "app",
    "images",
    "auth",
    "layer",
    "tags",
    "collaborators",
    "privacy",
    "star",
    "transfer",
    "manifests",
    "blobs",
    "uploads",
    "stars",
    "webhooks",
    "autobuild",
    "groups",
    "permissions",
    "comments",
    "images-summary",
    "dockerfile",
    "access",
    "list",
    "repositories",
    "namespaces",
    "_catalog",
    "App",
    "a.b",
    "a_b",
    "a--b",
    "-",
    "_",
    ".a",
    "a.",
    "..",
    ".",
    "",
    "a b",
    "a:b",
    "%41",
    "\u{e9}",
];
const NAMESPACES: [&str; 8] = ["alice", "acme", "library", "nowhere", "Alice", "tags", "a.b", ""];

/// Names enough.
const NAMES: usize = 300;

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What a registry token opens.
fn granted(client: &mut TestClient, who: &str, name: &str) -> Vec<String> {
    let scope = encoded(&format!("repository:{name}:pull,push"));
    let response = client.ask(&format!("GET /token?service=registry&scope={scope}"), who, "");
    assert_eq!(response.status, 200, "{name}: {response:?}");
    let token = response.text("token");
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let actions = claims["access"][0]["actions"].as_array().cloned().unwrap_or_default();
    actions.iter().map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn granted_push_leaves_a_trace() {
    let mut client = TestClient::new().unwrap();
    for name in ["alice", "boss"] {
        client.register(name);
    }
    for command in ["grant boss", "namespace acme", "namespace tags", "add a.b", "member acme alice write"] {
        client.operate(command).unwrap();
    }
    let login = client.ask("POST /v2/users/login", "", r#"{"username": "boss", "password": "secret"}"#);
    let session = format!("Bearer {}", login.text("token"));
    let registry = client.event_authorization("registry");
    let (names, pushed) = (Cell::new(0), Cell::new(0));
    let mut seen = BTreeSet::new();
    let mut property = |u: &mut arbtest::arbitrary::Unstructured<'_>| {
        let mut name = (*u.choose(&NAMESPACES)?).to_owned();
        for _ in 0..u.int_in_range(0..=4)? {
            name = format!("{name}/{}", u.choose(&COMPONENTS)?);
        }
        if u.ratio(1, 10)? {
            name += &"x".repeat(u.int_in_range(200..=300)?);
        }
        let who = *u.choose(&["alice:secret", "boss:secret"])?;
        let event = json!({ "events": [{ "id": format!("event {}", names.get()), "action": "push", "actor": { "name": "boss" },
            "target": { "repository": name, "tag": "1.0", "digest": format!("sha256:{:064x}", names.get()),
              "mediaType": "application/vnd.oci.image.manifest.v1+json" } }] });
        names.set(names.get() + 1);
        client.app.platform.advance(1);
        if !granted(&mut client, who, &name).contains(&"push".to_owned()) {
            return Ok(());
        }
        pushed.set(pushed.get() + 1);
        assert_eq!(client.ask("POST /events", &registry, &event.to_string()).body["taken"], 1, "{name}");
        let (namespace, rest) = name.split_once('/').unwrap_or(("library", &name));
        let full = RepositoryName::parse(namespace, rest).unwrap().to_string();
        let connection = client.app.db.connection();
        let there = |sql: &str| connection.query_row(sql, [&full], |row| row.get::<_, bool>(0)).unwrap();
        let recorded = there("select exists (select 1 from audit where name = ?1 and action = 'repo.tag.push')");
        let made = there("select exists (select 1 from repositories where full_name = ?1)");
        assert!(recorded && made, "{name}: {recorded} {made}");
        // It is reached by one path, and by no path that means another.
        let path = format!("/v2/namespaces/{namespace}/repositories/{}", rest.replace('/', ":"));
        let shown = client.ask(&format!("GET {path}"), &session, "");
        assert_eq!((shown.status, shown.text("name").as_str()), (200, rest), "{path}");
        if seen.insert(name.clone()) && u.ratio(1, 2)? {
            assert_eq!(client.ask(&format!("DELETE {path}"), &session, "").status, 202, "{path}");
        }
        Ok(())
    };
    while names.get() < NAMES {
        arbtest(&mut property).budget_ms(300);
    }
    assert!(pushed.get() > 50, "nothing was granted");
    println!("cases: {} names, of which {} may be pushed", names.get(), pushed.get());
}

#[test]
fn push_to_a_removed_namespace_is_recorded() {
    let mut client = TestClient::new().unwrap();
    client.register("alice");
    client.operate("namespace acme").unwrap();
    client.operate("member acme alice write").unwrap();
    assert_eq!(granted(&mut client, "alice:secret", "acme/app"), ["pull", "push"]);
    client.app.db.connection().execute("delete from namespaces where name = 'acme'", []).unwrap();
    assert_eq!(granted(&mut client, "alice:secret", "acme/app"), Vec::<String>::new());
    let registry = client.event_authorization("registry");
    let event = r#"{"events": [{"id": "1", "action": "push", "actor": {"name": "alice"}, "target":
        {"repository": "acme/app", "tag": "1.0", "digest": "sha256:aa"}}]}"#;
    assert_eq!(client.ask("POST /events", &registry, event).status, 200);
    let sql = "select count(*) from audit where name = 'acme/app' and action = 'repo.tag.push' and account is null";
    let rows: i64 = client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}
