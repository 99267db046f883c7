//! What `/token` refuses is counted for the admins of a namespace: how much of it, and by how much work, whatever a client
//! asks for.

use std::ops::Range;

use serde_json::json;
use test_support::client::TestClient;

/// Rows of a user in a namespace in an hour, as the manual says.
const OF_USER: i64 = 100;
/// The rows of a namespace in an hour from which on strangers add none.
const OF_NAMESPACE: i64 = 1_000;

/// The namespace `acme` with a public and a private repository, its admin `olga`, and a member `wim` who reads.
fn acme() -> (TestClient, String) {
    let mut client = TestClient::new().unwrap();
    let olga = client.register("olga");
    client.register("wim_");
    for command in ["namespace acme", "member acme olga admin", "member acme wim_ read"] {
        client.operate(command).unwrap();
    }
    for (name, private) in [("app", false), ("plan", true)] {
        let body = json!({ "name": name, "is_private": private }).to_string();
        assert_eq!(client.ask("POST /v2/namespaces/acme/repositories", &olga, &body).status, 201);
    }
    (client, olga)
}

/// Asks for tokens for scopes, and does what follows the answer; gives the steps of the database that it cost.
fn ask(client: &mut TestClient, who: &str, scopes: &[String]) -> i64 {
    let query = std::iter::once("service=registry").chain(scopes.iter().map(String::as_str)).collect::<Vec<_>>();
    let before = client.app.db.steps();
    assert_eq!(client.ask(&format!("GET /token?{}", query.join("&scope=")), who, "").status, 200);
    client.app.platform.run_pending();
    client.app.db.steps() - before
}

/// Scopes of repositories that do not exist.
fn invented(namespace: &str, names: Range<usize>) -> Vec<String> {
    names.map(|name| format!("repository:{namespace}/invented{name}:pull,push")).collect()
}

/// The rows of a namespace, and the sum of their counts.
fn counted(client: &TestClient, namespace: &str) -> (i64, i64) {
    let sql = "select count(*), ifnull(sum(f.count), 0) from refusals f join namespaces n on n.id = f.namespace_id where n.name = ?1";
    client.app.db.connection().query_row(sql, [namespace], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

/// The reasons that the admins read of a user.
fn reasons(client: &mut TestClient, admin: &str, username: &str) -> Vec<(String, String, i64)> {
    let listed = client.ask("GET /v2/namespaces/acme/refusals?page_size=100", admin, "");
    let rows = listed.body["results"].as_array().cloned().unwrap();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let of_user = rows.iter().filter(|row| row["username"] == username);
    of_user.map(|row| (text(row, "repository"), text(row, "reason"), row["count"].as_i64().unwrap())).collect()
}

#[test]
fn refusals_of_a_namespace_are_bounded() {
    let (mut client, _) = acme();
    let strangers = (0..12).map(|number| format!("stranger{number}")).collect::<Vec<_>>();
    for name in &strangers {
        client.register(name);
    }
    // One invents as many names as a token may have, twice.
    for names in [0..500, 500..1_000] {
        ask(&mut client, "stranger0:secret", &invented("acme", names));
        assert_eq!(counted(&client, "acme").0, OF_USER);
    }
    // As many as it takes fill the hour, and not one row more.
    for name in &strangers {
        ask(&mut client, &format!("{name}:secret"), &invented("acme", 0..500));
        assert!(counted(&client, "acme").0 <= OF_NAMESPACE);
    }
    assert_eq!(counted(&client, "acme").0, OF_NAMESPACE);
    // What is there already still counts; who has a relation there still has room, as far as any user.
    let (_, before) = counted(&client, "acme");
    ask(&mut client, "stranger0:secret", &invented("acme", 0..1));
    assert_eq!(counted(&client, "acme"), (OF_NAMESPACE, before + 1));
    ask(&mut client, "wim_:secret", &["repository:acme/plan:push".to_owned()]);
    assert_eq!(counted(&client, "acme"), (OF_NAMESPACE + 1, before + 2));
    ask(&mut client, "wim_:secret", &invented("acme", 0..500));
    assert_eq!(counted(&client, "acme").0, OF_NAMESPACE + OF_USER);
    // The next hour has room.
    client.app.platform.advance(3_600);
    ask(&mut client, "stranger11:secret", &invented("acme", 0..1));
    assert_eq!(counted(&client, "acme").0, OF_NAMESPACE + OF_USER + 1);
}

#[test]
fn work_of_a_request_is_bounded() {
    let (mut client, _) = acme();
    for number in 0..12 {
        client.register(&format!("stranger{number}"));
    }
    let none = ask(&mut client, "stranger0:secret", &[]);
    let first = ask(&mut client, "stranger0:secret", &invented("acme", 0..500));
    for number in 1..12 {
        ask(&mut client, &format!("stranger{number}:secret"), &invented("acme", 0..500));
    }
    let full = ask(&mut client, "stranger11:secret", &invented("acme", 500..1_000));
    // 75,000 in either case, most of which look 500 repositories up. A count for each row took millions.
    for steps in [first, full] {
        assert!(steps - none < 150_000, "{steps} steps, and {none} without a scope");
    }
    // Of very many namespaces, ten.
    for number in 0..12 {
        client.operate(&format!("namespace other{number}")).unwrap();
    }
    let scopes = (0..12).flat_map(|number| invented(&format!("other{number}"), 0..1)).collect::<Vec<_>>();
    ask(&mut client, "stranger0:secret", &scopes);
    let counted = (0..12).filter(|number| counted(&client, &format!("other{number}")).0 > 0).count();
    assert_eq!(counted, 10);
}

#[test]
fn repository_is_counted_once_per_request() {
    let (mut client, olga) = acme();
    let classes =
        (0..50).map(|class| format!("repository(c{class}):acme/plan:push{}", if class > 0 { ",pull" } else { "" }));
    let classes = classes.collect::<Vec<_>>();
    ask(&mut client, "wim_:secret", &classes);
    assert_eq!(reasons(&mut client, &olga, "wim_"), [("acme/plan".into(), "role".into(), 1)]);
    ask(&mut client, "wim_:secret", &classes);
    assert_eq!(reasons(&mut client, &olga, "wim_"), [("acme/plan".into(), "role".into(), 2)]);
}

#[test]
fn refusals_name_no_token_of_other_users() {
    let (mut client, olga) = acme();
    for (name, told) in [("jane_", &["not_visible"][..]), ("wim_", &["resources", "scopes"])] {
        let session = client.register(name);
        let limits =
            json!({ "token_label": "ci", "scopes": ["repo:public_read"], "resources": [{ "path": "other/x" }] });
        let token = client.ask("POST /v2/access-tokens", &session, &limits.to_string()).text("token");
        ask(&mut client, &format!("{name}:{token}"), &["repository:acme/plan:pull".to_owned()]);
        let mut found = reasons(&mut client, &olga, name).into_iter().map(|(_, reason, _)| reason).collect::<Vec<_>>();
        found.sort();
        assert_eq!(found, told);
    }
}
