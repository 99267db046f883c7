//! The log says in which namespace something was done, and finds it by that.

use test_support::client::TestClient;

/// The rows of the log as action, name and namespace.
fn logged(client: &TestClient, flags: &str) -> Vec<String> {
    let rows = client.operated(&format!("log {flags}")).unwrap().rows;
    let column = |row: &String, at: usize| row.split("  ").nth(at).unwrap().to_owned();
    rows.iter().map(|row| [3, 4, 5].map(|at| column(row, at)).join(" ").trim_end().to_owned()).collect()
}

/// An index where much was done in acme, by the operator and by the API.
fn test_app() -> TestClient {
    let mut client = TestClient::new().unwrap();
    let alice = client.register("alice");
    client.register("bob_");
    for command in ["namespace acme", "namespace guild", "member acme alice admin", "member guild bob_ read"] {
        client.operate(command).unwrap();
    }
    for command in ["member acme bob_ write", "member acme bob_ read", "member acme bob_ none"] {
        client.operate(command).unwrap();
    }
    for (request, body) in [
        ("PUT /v2/namespaces/acme/members/bob_", r#"{"role": "write"}"#),
        ("POST /v2/namespaces/acme/machines", r#"{"username": "robot_"}"#),
        ("POST /v2/namespaces/acme/machines/robot_/access-tokens", r#"{"token_label": "x"}"#),
        ("POST /v2/namespaces/acme/repositories", r#"{"name": "app"}"#),
    ] {
        let response = client.ask(request, &alice, body);
        assert!(response.status < 300, "{request}: {response:?}");
    }
    client
}

#[test]
fn log_finds_what_was_done_in_a_namespace() {
    let client = test_app();
    let uuid = "select uuid from access_tokens";
    let uuid = client.app.db.connection().query_row(uuid, [], |row| row.get::<_, String>(0)).unwrap();
    let mut expected = [
        "org.create acme acme",
        "org.member.add alice acme",
        "org.member.add bob_ acme",
        "org.member.role.change bob_ acme",
        "org.member.remove bob_ acme",
        "org.member.add bob_ acme",
        "org.machine.create robot_ acme",
        &format!("org.access_token.create {uuid} acme"),
        "repo.create acme/app acme",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(logged(&client, "--name acme"), expected);
    assert_eq!(
        logged(&client, "--name bob_").into_iter().filter(|row| row.starts_with("org.member.add")).collect::<Vec<_>>(),
        ["org.member.add bob_ guild", "org.member.add bob_ acme", "org.member.add bob_ acme"]
    );
    // Its rows keep the name, and another namespace of the name is found beside it.
    client.app.platform.advance(1);
    client.operate("remove acme --repositories").unwrap();
    expected.extend(
        ["org.machine.delete robot_ acme", "repo.delete acme/app acme", "org.delete acme acme"].map(str::to_owned),
    );
    assert_eq!(logged(&client, "--name acme"), expected);
    client.operate("release acme").unwrap();
    client.operate("namespace acme").unwrap();
    expected.extend(["user.name.release acme", "org.create acme acme"].map(str::to_owned));
    assert_eq!(logged(&client, "--name acme"), expected);
}

/// A user's rows are in the namespace of their own, and those of a service account without a namespace in none.
#[test]
fn log_has_rows_without_a_namespace() {
    let client = test_app();
    client.operate("add-machine loose_one").unwrap();
    assert_eq!(logged(&client, "--name loose_one"), ["org.machine.create loose_one"]);
    client.operate("remove bob_").unwrap();
    let rows = logged(&client, "--name bob_");
    assert_eq!(
        (rows.first().unwrap().as_str(), rows.last().unwrap().as_str()),
        ("user.create bob_ bob_", "user.delete bob_ bob_")
    );
}

#[test]
fn created_token_is_logged_with_its_limits() {
    let client = test_app();
    client.operate("token bob_ --scope repo:write --resource acme/* --days 90").unwrap();
    let rows = client.operated("log --name bob_").unwrap().rows;
    let rows = [rows, client.operated("log --actor operator").unwrap().rows].concat();
    let row = rows.iter().find(|row| row.contains("org.access_token.create")).unwrap();
    assert!(row.contains(r#""scopes":"[\"repo:write\"]""#), "{row}");
    assert!(row.contains(r#""resources":"[{\"path\":\"acme/*\",\"scopes\":[]}]""#), "{row}");
    assert!(row.contains(r#""expires_at":"2"#), "{row}");
    client.operate("add-machine loose_one").unwrap();
    client.operate("token loose_one").unwrap();
    let rows = client.operated("log --actor operator").unwrap().rows;
    let row = rows.iter().rfind(|row| row.contains("org.access_token.create")).unwrap();
    assert!(row.contains("loose_one") && !row.contains("resources") && !row.contains("expires_at"), "{row}");
}

#[test]
fn log_finds_the_actor_that_it_prints() {
    let client = test_app();
    let sql = "insert into audit (at, account, action, name, actor, credential, address)
       select 1, id, 'repo.tag.push', 'acme/app', ?1, '', '' from namespaces where name = 'acme'";
    for actor in ["registry:emergency", "registry:(imported)", ""] {
        client.app.db.connection().execute(sql, [actor]).unwrap();
        let asked = if actor.is_empty() { "-" } else { actor };
        assert_eq!(
            logged(&client, &format!("--actor {asked}")).last().unwrap(),
            "repo.tag.push acme/app acme",
            "{asked}"
        );
    }
    assert_eq!(logged(&client, "--actor registry:emergency").len(), 1);
}
