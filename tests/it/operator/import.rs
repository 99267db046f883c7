//! Moving in from a file of passwords, from zot, and by a plan that was written by hand: what is planned, written and compared.

use std::rc::Rc;

use hublet_operator::{
    Output,
    import::{self, Changes, Files, MAX_CHANGES, Plan},
};
use rusqlite::types::Value;
use serde_json::json;
use test_support::{client::TestClient, fake_platform::block_on, operator::operator, sqlite::Sqlite};

/// Of `secret`, as Apache's htpasswd writes it.
const HASH: &str = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

const NOW: i64 = 1_800_000_000;

/// Strings of a slice.
fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A plan of a file of passwords and some repositories.
fn of_htpasswd(lines: &[&str], repositories: &[&str], delete: bool) -> Plan {
    let (source, htpasswd, repositories) = ("htpasswd".to_owned(), lines.join("\n"), texts(repositories));
    import::plan(&Files { source, htpasswd, repositories, delete, ..Files::default() }).unwrap()
}

/// What a plan changes.
pub fn changes(database: &Rc<Sqlite>, plan: &Plan) -> Changes {
    let operator = operator(database, NOW, "on").unwrap();
    block_on(import::changes(&operator, plan, false)).unwrap()
}

/// Writes a plan in steps, as the tool does; gives the names of users with a link.
pub fn apply(database: &Rc<Sqlite>, plan: &Plan) -> Vec<String> {
    let mut links = Vec::new();
    let all = changes(database, plan).changes;
    for some in all.chunk_by(|one, other| std::mem::discriminant(one) == std::mem::discriminant(other)) {
        for step in some.chunks(MAX_CHANGES) {
            let operator = operator(database, NOW, "on").unwrap();
            links.extend(block_on(import::step(&operator, step)).unwrap().into_iter().map(|(name, _)| name));
        }
    }
    links
}

/// How the index differs from what the plan says of before.
fn compare(database: &Rc<Sqlite>, plan: &Plan, anonymous_read: &str) -> Output {
    let operator = operator(database, NOW, anonymous_read).unwrap();
    block_on(import::compare(&operator, plan)).unwrap()
}

/// The rows of a table, with blanks between columns.
pub fn rows(output: &Output) -> Vec<String> {
    let text = |value: &hublet::store::Value| match value {
        hublet::store::Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let row = |row: &hublet::store::Row| row.columns().iter().map(|(_, value)| text(value)).collect::<Vec<_>>();
    output.rows.iter().map(|one| row(one).join("  ")).collect()
}

/// All rows that a statement gives.
fn query(database: &Sqlite, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = database.connection().prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn htpasswd_users_keep_their_passwords_and_rights() {
    let alice = format!("alice:{HASH}");
    let robin = format!("Robin:{HASH}");
    let plan = of_htpasswd(
        &[&alice, &robin, "eve:$apr1$x$y", &format!("admin:{HASH}"), "broken"],
        &["app", "acme/app", "acme/sub/app", "alice/own", "ACME/x"],
        false,
    );
    assert_eq!(plan.namespaces, ["acme"]);
    assert_eq!(plan.repositories, ["acme/app", "acme/sub/app", "alice/own", "library/app"]);
    let refused = plan.refused.iter().map(|one| one.what.as_str()).collect::<Vec<_>>();
    assert_eq!(refused, ["line 5", "the user admin", "the repository ACME/x"]);
    let summary = import::summary(&plan);
    let notes = summary.notes.join("\n");
    assert!(notes.contains("Robin becomes robin") && notes.contains("--rename admin=NAME"), "{notes}");
    assert!(notes.contains("By a link") && notes.contains("\n  eve"), "{notes}");
    // The owner of a namespace could delete there before, too.
    assert_eq!(
        rows(&summary),
        ["loses  alice  delete  acme/*, library/app", "loses  eve, robin  delete  all repositories"]
    );

    let mut client = TestClient::new().unwrap();
    let database = Rc::clone(&client.app.db);
    assert_eq!(apply(&database, &plan), ["eve"]);
    let compared = compare(&database, &plan, "on");
    assert_eq!((compared.denied, rows(&compared)), (false, rows(&summary)));
    for (user, repository, actions) in [
        ("alice", "acme/app", "pull,push"),
        ("robin", "app", "pull,push"),
        ("robin", "alice/own", "pull,push"),
        ("alice", "alice/own", "pull,push,delete"),
    ] {
        let target = format!("GET /token?service=registry&scope=repository:{repository}:pull,push,delete");
        let answer = client.ask(&target, &format!("{user}:secret"), "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let claims = answer.text("token").split('.').nth(1).unwrap().to_owned();
        let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
        let claims = serde_json::from_slice::<serde_json::Value>(&claims).unwrap();
        let granted = claims["access"][0]["actions"].as_array().unwrap();
        let granted = granted.iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join(",");
        assert_eq!(granted, actions, "{user} {repository}");
    }
}

#[test]
fn applied_twice_is_applied_once() {
    let client = TestClient::new().unwrap();
    let database = Rc::clone(&client.app.db);
    let lines = (0..120).map(|at| format!("user{at}:{HASH}")).collect::<Vec<_>>();
    let lines = lines.iter().map(String::as_str).collect::<Vec<_>>();
    let plan = of_htpasswd(&lines, &["acme/app", "app"], true);
    let planned = changes(&database, &plan).changes.len();
    assert_eq!(planned, 120 + 1 + 2 + 240);
    apply(&database, &plan);
    let everything = ["users", "namespaces", "members", "repositories", "collaborators", "audit", "links"];
    let all = || everything.map(|table| query(&database, &format!("select * from {table}")));
    let before = all();
    assert!(changes(&database, &plan).changes.is_empty());
    apply(&database, &plan);
    assert!(all() == before);
    // Each change has its row, and no other.
    let recorded = query(&database, "select count(*) from audit where actor = 'operator'");
    assert_eq!(recorded, [[Value::Integer(i64::try_from(planned).unwrap())]]);
    assert!(!compare(&database, &plan, "on").denied);
}

#[test]
fn apply_never_lowers_a_role_or_changes_a_password() {
    let mut client = TestClient::new().unwrap();
    client.register("mallory");
    for command in [
        "add alice --password-stdin < the old password",
        "namespace acme",
        "add bob_",
        "member acme alice admin",
        "member acme bob_ read",
    ] {
        client.operate(command).unwrap();
    }
    let database = Rc::clone(&client.app.db);
    let passwords = "select name, password, epoch from users where name in ('alice', 'mallory')";
    let before = query(&database, passwords);
    let (alice, bob, mallory) = (format!("alice:{HASH}"), format!("bob_:{HASH}"), format!("mallory:{HASH}"));
    let plan = of_htpasswd(&[&alice, &bob, &mallory], &["acme/app", "gone/app"], false);
    let found = changes(&database, &plan);
    let refused = found.refused.iter().map(|one| one.what.as_str()).collect::<Vec<_>>();
    assert_eq!(refused, ["user mallory"]);
    apply(&database, &plan);
    assert_eq!(query(&database, passwords), before);
    let text = |text: &str| Value::Text(text.to_owned());
    let roles = "select n.name, u.name, m.role from members m join namespaces n on n.id = namespace_id
       join users u on u.id = user_id order by 1, 2";
    assert_eq!(
        query(&database, roles),
        [
            [text("acme"), text("alice"), text("admin")],
            [text("acme"), text("bob_"), text("write")],
            [text("gone"), text("alice"), text("write")],
            [text("gone"), text("bob_"), text("write")],
        ]
    );
    let raised = "select count(*) from audit where action = 'org.member.role.change' and name = 'bob_'";
    assert_eq!(query(&database, raised), [[Value::Integer(1)]]);
}

#[test]
fn names_that_are_taken_are_refused() {
    let mut client = TestClient::new().unwrap();
    client.register("stranger");
    for command in ["add gone_one", "remove gone_one", "namespace shared", "add-machine robot_one"] {
        client.operate(command).unwrap();
    }
    let lines = ["gone_one", "shared", "robot_one", "fine_one"].map(|name| format!("{name}:{HASH}"));
    let lines = lines.iter().map(String::as_str).collect::<Vec<_>>();
    let plan = of_htpasswd(&lines, &["shared/app", "stranger/app", "gone_one/app"], false);
    let found = changes(&client.app.db, &plan);
    let refused = found.refused.iter().map(|one| format!("{}: {}", one.what, one.reason)).collect::<Vec<_>>();
    assert_eq!(
        refused,
        [
            "user gone_one: it is the name of what is gone (`release`)",
            "user robot_one: it is a service account",
            "user shared: it is a namespace of no single user",
            "namespace gone_one, with its repositories and members: it is the name of what is gone (`release`)",
            "namespace stranger, with its repositories and members: it is a user's own, and the user is none of this plan",
        ]
    );
    apply(&client.app.db, &plan);
    let strangers = "select 1 from members m join namespaces n on n.id = m.namespace_id where n.name = 'stranger'";
    assert!(query(&client.app.db, strangers).is_empty());
}

#[test]
fn compare_lists_who_gains() {
    let mut client = TestClient::new().unwrap();
    for name in ["keeper", "mallory"] {
        client.register(name);
    }
    let alice = format!("alice:{HASH}");
    let plan = of_htpasswd(&[&alice], &["acme/app", "acme/lib", "app"], false);
    apply(&client.app.db, &plan);
    let loses = "loses  alice  delete  all repositories";
    assert_eq!(rows(&compare(&client.app.db, &plan, "on")), [loses]);
    client.operate("grant keeper").unwrap();
    client.operate("privacy acme/app public").unwrap();
    let gains = compare(&client.app.db, &plan, "on");
    assert!(gains.denied);
    assert_eq!(
        rows(&gains),
        ["gains  (anonymous), mallory  pull  acme/app", "gains  keeper  pull, push, delete  all repositories", loses]
    );
    assert_eq!(rows(&compare(&client.app.db, &plan, "off"))[0], "gains  mallory  pull  acme/app");
    client.operate("disable mallory").unwrap();
    assert_eq!(rows(&compare(&client.app.db, &plan, "off"))[0], "gains  keeper  pull, push, delete  all repositories");
}

#[test]
fn zot_policies_are_evaluated() {
    let config = json!({ "http": {
        "auth": { "htpasswd": { "path": "x" }, "ldap": { "address": "x" } },
        "accessControl": {
            "groups": { "devs": { "users": ["bob_"] } },
            "repositories": {
                "**": { "defaultPolicy": ["read"] },
                "infra/**": {
                    "policies": [
                        { "users": ["alice"], "actions": ["read", "create", "update", "delete"] },
                        { "groups": ["devs"], "actions": ["read", "create"] },
                    ],
                    "anonymousPolicy": ["read"],
                },
                "infra/secret": { "policies": [{ "users": ["bob_"], "actions": ["read"] }] },
                "tools/*": { "policies": [
                    { "users": ["carol"], "actions": ["read"], "conditions": [{ "expression": "x", "message": "y" }] },
                ] },
            },
            "adminPolicy": { "users": ["dora_"], "actions": ["read", "create", "update", "delete"] },
        },
    } });
    let users = ["alice", "bob_", "carol", "dora_"].map(|name| format!("{name}:{HASH}"));
    let files = Files {
        source: "zot".to_owned(),
        htpasswd: users.join("\n"),
        config,
        repositories: texts(&["infra/app", "infra/secret", "other/app", "tools/app"]),
        ..Files::default()
    };
    let plan = import::plan(&files).unwrap();
    let list = |user: &str| {
        let lists = plan.grants.iter().flatten().filter(|list| list.users.iter().any(|one| one == user));
        lists.map(|list| format!("{} {}", list.actions, list.repositories.join(" "))).collect::<Vec<_>>()
    };
    assert_eq!(list("alice"), ["pull other/app", "pull, push, delete infra/app"]);
    assert_eq!(list("bob_"), ["pull infra/app infra/secret other/app"]);
    assert_eq!(list("carol"), ["pull other/app"]);
    assert_eq!(list("dora_"), ["pull, push, delete infra/app infra/secret other/app tools/app"]);
    assert_eq!(list(""), ["pull infra/app"]);
    // Carol was denied it by name.
    assert!(plan.public.is_empty());
    let notes = plan.notes.join("\n");
    assert!(notes.contains("conditions") && notes.contains("may not push here"), "{notes}");
    assert_eq!(plan.refused[0].what, "ldap");
    let client = TestClient::new().unwrap();
    apply(&client.app.db, &plan);
    assert!(!compare(&client.app.db, &plan, "on").denied);
}

/// Of before zot 1.4.3, as its examples had it: globs in `accessControl` itself.
#[test]
fn old_configuration_of_zot_is_read() {
    let config = json!({ "http": { "accessControl": {
        "**": { "defaultPolicy": ["read"] },
        "repos2/repo": { "policies": [{ "users": ["mallory"], "actions": ["create", "read", "update"] }] },
        "adminPolicy": { "users": ["keeper"], "actions": ["read", "create", "update", "delete"] },
    } } });
    let files = Files {
        source: "zot".to_owned(),
        htpasswd: ["keeper", "mallory"].map(|name| format!("{name}:{HASH}")).join("\n"),
        config,
        repositories: texts(&["repos2/repo", "repos2/x"]),
        ..Files::default()
    };
    let plan = import::plan(&files).unwrap();
    let lists = plan.grants.iter().flatten();
    let lists = lists.map(|list| format!("{}: {} {}", list.users.join(" "), list.actions, list.repositories.join(" ")));
    assert_eq!(
        lists.collect::<Vec<_>>(),
        [
            "mallory: pull repos2/x",
            "mallory: pull, push repos2/repo",
            "keeper: pull, push, delete repos2/repo repos2/x",
        ]
    );
    let roles = plan.collaborators.iter().map(|one| format!("{} {} {:?}", one.repository, one.user, one.role));
    assert_eq!(roles.collect::<Vec<_>>(), ["repos2/repo mallory Write"]);
    let members = plan.members.iter().map(|one| format!("{} {:?}", one.user, one.role)).collect::<Vec<_>>();
    assert_eq!(members, ["keeper Write", "mallory Read"]);
}

#[test]
fn plan_written_by_hand_is_read_strictly() {
    let good = json!({
        "users": [{ "name": "robin" }],
        "namespaces": ["acme"],
        "members": [{ "namespace": "acme", "user": "robin", "role": "write" }],
        "collaborators": [{ "repository": "acme/app", "user": "robin", "role": "admin" }],
        "public": ["acme/site"],
    });
    let plan = Plan::read(&good.to_string()).unwrap();
    assert_eq!(plan.repositories, ["acme/app", "acme/site"]);
    let client = TestClient::new().unwrap();
    assert_eq!(apply(&client.app.db, &plan), ["robin"]);
    let compared = compare(&client.app.db, &plan, "on");
    assert_eq!((compared.denied, compared.rows.len()), (false, 0), "{:?}", rows(&compared));
    for (member, value) in [
        ("users", json!([{ "name": "admin" }])),
        ("users", json!([{ "name": "Robin" }])),
        ("users", json!([{ "name": "robin" }, { "name": "robin" }])),
        ("users", json!([{ "name": "robin", "password": "secret" }])),
        ("namespaces", json!(["a/b"])),
        ("members", json!([{ "namespace": "acme", "user": "robin", "role": "owner" }])),
        ("collaborators", json!([{ "repository": "app", "user": "robin", "role": "read" }])),
        ("public", json!(["app"])),
        ("grants", json!([{ "users": ["robin"], "actions": ["fly"], "repositories": ["acme/app"] }])),
        ("visibility", json!([])),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(Plan::read(&bad.to_string()).is_err(), "{bad}");
    }
}
