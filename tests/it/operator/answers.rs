//! The operator may know everything: an answer and a refusal say which of several reasons it is, and what is printed gives
//! no more than there was.

use test_support::client::TestClient;

/// An index with a private and a public repository of acme, a disabled user and a service account.
fn test_app() -> TestClient {
    let mut client = TestClient::new().unwrap();
    let [alice, ..] = ["alice", "bob_", "carol"].map(|name| client.register(name));
    for command in ["namespace acme", "namespace my.team", "member acme alice admin", "member my.team alice admin"] {
        client.operate(command).unwrap();
    }
    for (namespace, body) in [
        ("acme", r#"{"name": "app", "is_private": true}"#),
        ("acme", r#"{"name": "site", "is_private": false}"#),
        ("my.team", r#"{"name": "app", "is_private": true}"#),
    ] {
        let made = client.ask(&format!("POST /v2/namespaces/{namespace}/repositories"), &alice, body);
        assert_eq!(made.status, 201, "{made:?}");
    }
    let made = client.ask("POST /v2/namespaces/acme/machines", &alice, r#"{"username": "acme-ci", "role": "write"}"#);
    assert_eq!(made.status, 201, "{made:?}");
    client.operate("disable carol").unwrap();
    client
}

/// The rows of a denied action.
fn reasons(client: &TestClient, command: &str) -> Vec<String> {
    let said = client.operated(command).unwrap();
    assert!(said.denied, "{command}: {said:?}");
    said.rows
}

/// Why a command is refused.
fn refusal(client: &TestClient, command: &str) -> String {
    let error = client.operate(command).unwrap_err();
    error.split_once("was refused: ").unwrap_or_else(|| panic!("{error}")).1.to_owned()
}

#[test]
fn why_says_which_reason_it_is() {
    let client = test_app();
    for (command, reason) in [
        ("why bob_ pull acme/app", "acme/app is private, and bob_ has no role in it or in acme  npm run admin -- "),
        (
            "why bob_ pull acme/none",
            "there is no repository acme/none, and bob_ has no role in acme  npm run admin -- ",
        ),
        ("why bob_ pull none/app", "there is no namespace none  npm run admin -- namespace none"),
        ("why anonymous pull acme/app", "acme/app is private  npm run admin -- privacy acme/app public"),
        ("why anonymous pull acme/none", "there is no repository acme/none  "),
        ("why carol pull acme/app", "carol is disabled  npm run admin -- enable carol"),
    ] {
        let rows = reasons(&client, command);
        assert!(rows.iter().any(|row| row.starts_with(reason)), "{command}: {rows:#?}");
        assert!(!rows.concat().contains("it does not exist, or"), "{command}: {rows:#?}");
    }
    let rows = reasons(&client, "why bob_ push none/app");
    assert_eq!(
        rows,
        [
            "there is no namespace none  npm run admin -- namespace none",
            "bob_ has no role in none  npm run admin -- member none bob_ write"
        ]
    );
    let error = client.operate("why bob_ push Acme/App").unwrap_err();
    assert!(error.ends_with("there can be no namespace Acme: names are in lower case, such as acme/app"), "{error}");
    let now = hublet::platform::Platform::now(&*client.app.platform);
    let off = test_support::operator::run_with(&client.app.db, "why anonymous pull acme/site", now, "off").unwrap();
    assert!(off.rows.iter().any(|row| row.starts_with("acme/site is public, and ANONYMOUS_READ is off")), "{off:?}");
    let said = client.operated("why alice pull acme/none").unwrap();
    assert_eq!((said.denied, said.notes), (false, vec!["But there is no repository acme/none.".to_owned()]));
}

#[test]
fn refusals_are_listed_with_the_command_that_prints_why() {
    let mut client = test_app();
    client.operate("member acme bob_ read").unwrap();
    for (user, repository) in [("bob_", "acme/app"), ("bob_", "my.team/app"), ("bob_", "none/app"), ("", "acme/app")] {
        let credentials = if user.is_empty() { String::new() } else { format!("{user}:secret") };
        let scope = format!("GET /token?service=registry&scope=repository:{repository}:pull,push");
        assert_eq!(client.ask(&scope, &credentials, "").status, 200, "{scope}");
        client.app.platform.advance(1);
    }
    let rows = client.operated("refusals").unwrap().rows;
    let found = rows.iter().map(|row| row.split("  ").skip(1).collect::<Vec<_>>().join("  ")).collect::<Vec<_>>();
    let (last, others) = found.split_at(2);
    assert!(last.iter().all(|row| row.starts_with("1  anonymous  pull,push  acme/app  ")), "{found:#?}");
    assert!(others[0].starts_with("1  bob_  pull,push  my.team/app  not_visible  "), "{found:#?}");
    assert!(others[1].starts_with("1  bob_  push  acme/app  role  "), "{found:#?}");
    assert_eq!(others.len(), 2, "{found:#?}");
    for row in &rows {
        let (_, command) = row.split_once("npm run admin -- ").unwrap();
        assert!(client.operated(command).unwrap().denied, "{row}");
    }
    assert_eq!(client.operated("refusals my.team").unwrap().rows.len(), 1);
    assert_eq!(client.operated("refusals bob_").unwrap().rows.len(), 0);
    assert_eq!(refusal(&client, "refusals none"), "there is no namespace none.");
}

#[test]
fn token_that_a_restore_ended_is_listed_as_ended() {
    let client = test_app();
    client.operate("reconciler registry").unwrap();
    let listed = || client.operated("reconcilers").unwrap().rows.concat();
    assert!(listed().contains("  never  valid  "), "{}", listed());
    client.operate("after-restore").unwrap();
    assert!(listed().contains("  never  ended: `reconciler registry` makes another  "), "{}", listed());
    client.operate("reconciler registry").unwrap();
    assert!(listed().contains("  never  valid  "), "{}", listed());
}

#[test]
fn refusal_says_which_reason_it_is() {
    let client = test_app();
    let uuid = "00000000-0000-4000-8000-000000000000";
    client.operate("add gone_one").unwrap();
    client.operate("remove gone_one").unwrap();
    for (command, reason) in [
        ("member tools alice read", "there is no namespace tools."),
        ("member acme dave read", "there is no user dave."),
        ("collaborator acme/none bob_ read", "there is no repository acme/none."),
        ("collaborator none/app bob_ read", "there is no namespace none."),
        ("transfer acme/app none", "there is no namespace none."),
        ("transfer acme/app my.team", "there is my.team/app already."),
        ("remove nothing", "there is no user and no namespace nothing."),
        ("remove library", "library is the namespace of repositories without one, and stays."),
        ("remove acme", "acme has repositories (`transfer` them first, or --repositories)."),
        ("grant carol", "carol is not active (`enable carol`)."),
        ("grant acme-ci", "acme-ci is a service account, which administrates nothing."),
        ("password acme-ci", "acme-ci is a service account, which has no password."),
        ("add acme", "acme is taken: it is a namespace."),
        ("add acme-ci", "acme-ci is taken: it is a service account."),
        ("add gone_one", "gone_one is taken: it is the name of what is gone (`release gone_one`)."),
        ("add docker", "docker is reserved."),
        ("namespace alice", "alice is taken: it is a user."),
        ("email alice x@example.com remove", "alice has no address x@example.com."),
        ("email alice bob_@example.com confirm", "bob_@example.com is the address of another user."),
        ("why dave pull acme/app", "there is no user dave."),
        (&format!("why alice pull acme/app --token {uuid}"), &format!("alice has no access token {uuid}.")),
    ] {
        assert_eq!(refusal(&client, command), reason, "{command}");
    }
}

#[test]
fn repository_is_read_as_docker_reads_it() {
    let client = test_app();
    for (word, name) in [
        ("standalone", "library/standalone"),
        ("hub.example.com:5000/acme/app:1.0", "acme/app"),
        ("localhost/acme/app", "acme/app"),
        ("hub.example.com/acme/app@sha256:00", "acme/app"),
    ] {
        let said = client.operated(&format!("why bob_ pull {word}")).unwrap();
        assert_eq!(said.headline, format!("no: bob_ may not pull {name}"));
        assert_eq!(said.warnings, [format!("{word} is read as {name}")]);
    }
    // A namespace with a dot is no host.
    let said = client.operated("why bob_ pull my.team/app").unwrap();
    assert_eq!((said.headline.as_str(), said.warnings.len()), ("no: bob_ may not pull my.team/app", 0));
    assert_eq!(client.operated("privacy localhost:5000/acme/app:1 public").unwrap().rows, ["acme/app  public"]);
    assert_eq!(
        refusal(&client, "privacy standalone:1 public"),
        "there is no repository library/standalone. (standalone:1 is read as library/standalone)"
    );
}

#[test]
fn service_account_is_called_so() {
    let client = test_app();
    let listed = client.operated("list").unwrap().rows;
    for row in ["acme-ci  service account  active", "alice  user  active"] {
        assert!(listed.iter().any(|listed| listed.starts_with(row)), "{row}: {listed:?}");
    }
    let added = client.operated("add-machine loose_one").unwrap();
    assert_eq!(added.rows, ["loose_one  service account  active"]);
    assert_eq!(added.warnings, Vec::<String>::new());
}

/// The scopes, resources and days of the newest token of a user.
fn newest(client: &TestClient, user: &str) -> (String, String, i64) {
    let sql = "select scopes, ifnull((select group_concat(value ->> 'path', ' ') from json_each(resources)), '-'),
         ifnull((expires_at - created_at) / 86400, 0)
       from access_tokens where user_id = (select id from users where name = ?1) order by id desc limit 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    client.app.db.connection().query_row(sql, [user], row).unwrap()
}

#[test]
fn printed_token_has_the_limits_of_the_old_one() {
    for (limits, action, repository, expected) in [
        ("--scope repo:write --resource acme/** --days 90", "push", "acme/app", (r#"["repo:write"]"#, "acme/**", 90)),
        (
            "--scope repo:read --resource acme/app --resource acme/s*",
            "pull",
            "acme/app",
            (r#"["repo:read"]"#, "acme/app acme/s*", 0),
        ),
        ("--scope repo:write", "push", "acme/app", (r#"["repo:write"]"#, "-", 0)),
        // What stands against the action beside its end is changed, and nothing else.
        ("--scope repo:read --resource acme/** --days 7", "push", "acme/app", (r#"["repo:write"]"#, "acme/**", 7)),
        (
            "--scope repo:write --resource my.team/* --days 7",
            "push",
            "acme/app",
            (r#"["repo:write"]"#, "my.team/* acme/app", 7),
        ),
        // A wider scope counts in the repository alone.
        ("--scope repo:read --resource my.team/* --days 7", "push", "acme/app", (r#"["repo:write"]"#, "acme/app", 7)),
    ] {
        let client = test_app();
        client.operate(&format!("token acme-ci {limits}")).unwrap();
        let connection = client.app.db.connection();
        let uuid = connection.query_row("select uuid from access_tokens", [], |row| row.get::<_, String>(0)).unwrap();
        connection.execute("update access_tokens set is_active = 0", []).unwrap();
        let rows = reasons(&client, &format!("why acme-ci {action} {repository} --token {uuid}"));
        assert!(rows[0].starts_with("the access token is deactivated  "), "{rows:?}");
        for row in &rows {
            let (_, command) = row.split_once("npm run admin -- ").unwrap();
            client.operate(command).unwrap();
            let (scopes, resources, days) = newest(&client, "acme-ci");
            assert_eq!((scopes.as_str(), resources.as_str(), days), expected, "{limits}: {row}");
        }
        let again = "select uuid from access_tokens order by id desc limit 1";
        let again = connection.query_row(again, [], |row| row.get::<_, String>(0)).unwrap();
        assert!(!client.operated(&format!("why acme-ci {action} {repository} --token {again}")).unwrap().denied);
    }
}

/// The command gives all resources the scopes of the token: one that would allow more is not printed.
#[test]
fn no_token_is_printed_that_allows_more() {
    let client = test_app();
    client.operate("token acme-ci --scope repo:admin --resource acme/app --days 1").unwrap();
    let connection = client.app.db.connection();
    let narrow = r#"[{"path":"acme/app","scopes":["repo:read"]}]"#;
    connection.execute("update access_tokens set resources = ?1", [narrow]).unwrap();
    let uuid = connection.query_row("select uuid from access_tokens", [], |row| row.get::<_, String>(0)).unwrap();
    client.app.platform.advance(2 * 24 * 60 * 60);
    let rows = reasons(&client, &format!("why acme-ci pull acme/app --token {uuid}"));
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert!(row.starts_with("the access token has expired at 20") && !row.contains("npm run"), "{row}");
}

#[test]
fn resource_without_a_namespace_is_warned_of() {
    let client = test_app();
    let said = client.operated("token acme-ci --resource acme --resource acme/app").unwrap();
    let [warning] = &said.warnings[..] else { panic!("{said:?}") };
    assert!(warning.starts_with("--resource acme is the one repository library/acme."), "{warning}");
    assert!(warning.contains("'acme/*'") && warning.contains("'acme/**'"), "{warning}");
    assert!(client.operated("token acme-ci --resource library/acme").unwrap().warnings.is_empty());
}
