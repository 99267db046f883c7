//! Every command with every word that could stand in it: what is refused leaves all tables as they were.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use hublet::domain::audit::AuditAction;
use rusqlite::{Connection, types::Value};

use test_support::{client::TestClient, operator};

/// One of each kind of what a name can be.
const NAMES: [&str; 15] = [
    "alice",
    "admin_",
    "dora_",
    "newcomer",
    "alice-ci",
    "robot_one",
    "loose_one",
    "acme",
    "empty",
    "bare_ns",
    "library",
    "docker",
    "gone_one",
    "gone_ci",
    "nobody_",
];

/// The actions that the commands record here, without flags.
pub const RECORDED: [AuditAction; 25] = [
    AuditAction::OrgAccessTokenCreate,
    AuditAction::OrgAccessTokenDelete,
    AuditAction::OrgCreate,
    AuditAction::OrgDelete,
    AuditAction::OrgMachineCreate,
    AuditAction::OrgMachineDelete,
    AuditAction::OrgMemberAdd,
    AuditAction::OrgMemberRemove,
    AuditAction::OrgMemberRoleChange,
    AuditAction::OrgReconcilerCreate,
    AuditAction::OrgReconcilerDelete,
    AuditAction::RepoChangePrivacy,
    AuditAction::RepoCollaboratorAdd,
    AuditAction::RepoTransfer,
    AuditAction::UserCreate,
    AuditAction::UserDelete,
    AuditAction::UserEmailAdd,
    AuditAction::UserEmailConfirm,
    AuditAction::UserEmailPrimary,
    AuditAction::UserEmailRemove,
    AuditAction::UserNameRelease,
    AuditAction::UserPasswordLink,
    AuditAction::UserRoleChange,
    AuditAction::UserSessionsEnd,
    AuditAction::UserStatusChange,
];

/// The words that a parameter is tried with.
fn words<'a>(parameter: &str, uuids: &'a [String]) -> Vec<&'a str> {
    if let Some(parameter) = parameter.strip_prefix('[') {
        return [words(parameter.trim_end_matches(']'), uuids), vec![""]].concat();
    }
    match parameter {
        "NAME" | "USER" | "NAMESPACE" | "ACCOUNT" => NAMES.to_vec(),
        "ROLE" => vec!["none", "read", "admin"],
        "REPOSITORY" => vec!["alice/app", "acme/app", "alice/marked", "alice/none", "nobody_/app"],
        "VISIBILITY" => vec!["public", "private"],
        "ADDRESS" => vec!["alice@example.com", "dora_@example.com", "nobody@example.com"],
        "CHANGE" => vec!["confirm", "primary", "remove"],
        "UUID" => uuids.iter().map(String::as_str).collect(),
        "end" => vec!["end"],
        "SERVICE" => vec!["registry", "elsewhere"],
        "ACTION" => vec!["pull", "push", "delete"],
        _ => panic!("what may {parameter} be?"),
    }
}

/// Everything that a parameter list can be.
fn all(parameters: &[&str], uuids: &[String]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for parameter in parameters {
        let words = words(parameter, uuids);
        lines = lines.iter().flat_map(|line| words.iter().map(move |word| format!("{line} {word}"))).collect();
    }
    lines
}

/// An index on which there is one of each.
fn test_app() -> (TestClient, Vec<String>) {
    let mut client = TestClient::new().unwrap();
    let alice = client.register("alice");
    for name in ["admin_", "dora_"] {
        client.register(name);
    }
    let (_, uuid) = client.access_token(&alice);
    for command in [
        "namespace acme",
        "reconciler registry",
        "namespace empty",
        "namespace bare_ns",
        "member acme alice admin",
        "add gone_one",
        "add-machine loose_one",
        "add-machine gone_ci",
        "grant admin_",
        "disable dora_",
        "remove gone_one",
        "remove gone_ci",
    ] {
        client.operate(command).unwrap();
    }
    for (namespace, name) in [("alice", "alice-ci"), ("acme", "robot_one")] {
        let made = client.ask(
            &format!("POST /v2/namespaces/{namespace}/machines"),
            &alice,
            &format!(r#"{{"username": "{name}"}}"#),
        );
        assert_eq!(made.status, 201, "{made:?}");
    }
    for name in ["alice/app", "acme/app", "alice/marked", "empty/app"] {
        let made = client.ask(
            &format!("PUT /v1/repositories/{name}/"),
            if name == "empty/app" { "admin_:secret" } else { "alice:secret" },
            "[]",
        );
        assert_eq!(made.status, 200, "{made:?}");
    }
    assert_eq!(client.ask("DELETE /v1/repositories/alice/marked/", "alice:secret", "").status, 202);
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.set("MAIL", "on");
    client.register("newcomer");
    let none = "00000000-0000-4000-8000-000000000000".to_owned();
    (client, vec![uuid, none])
}

/// How many rows of the audit have an e-mail address in full.
fn addresses(connection: &Connection) -> i64 {
    let sql = "select count(*) from audit where data glob '*[^*]@example.com*'";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The actions of the rows of the audit after the first ones.
fn new_actions(connection: &Connection, rows: usize) -> Vec<String> {
    let mut actions = connection.prepare("select action from audit order by id limit -1 offset ?1").unwrap();
    actions.query_map([i64::try_from(rows).unwrap()], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The rows of each table.
type Tables = BTreeMap<String, Vec<Vec<Value>>>;

/// What of it is the index's own, and not news for search or numbers to come.
fn lasting(tables: &Tables) -> Vec<(&String, &Vec<Vec<Value>>)> {
    let passing = ["audit", "outbox", "progress", "sqlite_sequence"];
    tables.iter().filter(|(name, _)| !passing.contains(&name.as_str())).collect()
}

/// All rows of all tables.
fn tables(connection: &Connection) -> Tables {
    let mut names = connection.prepare("select name from sqlite_schema where type = 'table'").unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let rows = |name: &String| {
        let mut all = connection.prepare(&format!("select * from \"{name}\"")).unwrap();
        let columns = all.column_count();
        let row = all.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
        row.map(Result::unwrap).collect()
    };
    names.iter().map(|name| (name.clone(), rows(name))).collect()
}

#[test]
fn refused_command_changes_nothing() {
    let (client, uuids) = test_app();
    let before = tables(client.app.db.connection());
    let recorded = |tables: &Tables| tables["audit"].len();
    let (mut cases, mut actions) = (0, BTreeSet::new());
    for (usage, refuses) in operator::commands() {
        let mut words = usage.split(' ');
        let name = words.next().unwrap();
        let parameters = words.collect::<Vec<_>>();
        let mut found = (0, 0);
        for line in all(&parameters, &uuids) {
            let copy = Rc::new(client.app.db.copied().unwrap());
            match operator::run(&copy, &format!("{name}{line}"), 1_800_000_000) {
                Ok(_) => {
                    let after = tables(copy.connection());
                    assert_eq!(
                        recorded(&after) > recorded(&before),
                        lasting(&after) != lasting(&before),
                        "{name}{line} changes something and records nothing, or the other way round"
                    );
                    assert_eq!(
                        addresses(copy.connection()),
                        0,
                        "{name}{line} has written an address in full into the audit"
                    );
                    actions.extend(new_actions(copy.connection(), recorded(&before)));
                    found.0 += 1;
                }
                Err(error) => {
                    let (_, reason) = error.split_once(" was refused: ").expect(&error);
                    let reason = reason.replace("(`transfer` them first, or --repositories)", "");
                    assert!(!reason.is_empty() && !reason.contains(" or "), "which of them is it? {error}");
                    assert!(tables(copy.connection()) == before, "{name}{line} was refused and has changed something");
                    found.1 += 1;
                }
            }
        }
        // A command that is never refused refuses nothing, and one that is never taken does nothing.
        assert!(found.0 > 0, "{usage}: {found:?}");
        assert_eq!(found.1 > 0, refuses, "{usage}: {found:?}");
        cases += found.1;
    }
    let expected = RECORDED.map(|action| action.as_str().to_owned()).into();
    assert_eq!(actions, expected);
    println!("cases: {cases} commands refused, none of which changed anything");
}

/// A removal without --repositories takes none with it.
#[test]
fn remove_needs_permission_for_repositories() {
    let (client, _) = test_app();
    let before = tables(client.app.db.connection());
    for name in ["alice", "acme", "empty"] {
        client.operate(&format!("remove {name}")).unwrap_err();
    }
    assert!(tables(client.app.db.connection()) == before);
    client.operate("remove alice --repositories").unwrap();
}

/// Nor does it take the place of one that is there, whatever else happened to that in the same second.
#[test]
fn transfer_to_a_taken_name_is_refused() {
    let now = 1_800_000_000;
    let (client, _) = test_app();
    let connection = client.app.db.connection();
    operator::run(&client.app.db, "privacy acme/app private", now).unwrap();
    let before = tables(connection);
    operator::run(&client.app.db, "transfer alice/app acme", now).unwrap_err();
    assert!(tables(connection) == before);
    operator::run(&client.app.db, "transfer alice/app empty", now).unwrap_err();
    operator::run(&client.app.db, "remove empty --repositories", now).unwrap();
    operator::run(&client.app.db, "release empty", now).unwrap();
    operator::run(&client.app.db, "namespace empty", now).unwrap();
    operator::run(&client.app.db, "transfer alice/app empty", now).unwrap();
}

/// The log knows what somebody did who is gone, but there is nobody to end anything of, nor to give a link to.
#[test]
fn compromised_refuses_a_removed_user() {
    let (client, _) = test_app();
    client.operate("compromised alice").unwrap();
    client.operate("remove alice --repositories").unwrap();
    client.operate("compromised alice").unwrap_err();
}

/// Whatever makes a user or a namespace asks whether the name was somebody's.
#[test]
fn removed_name_is_given_again_by_no_command() {
    let (mut client, _) = test_app();
    let alice = format!(
        "Bearer {}",
        client.ask("POST /v2/users/login", "", r#"{"username": "alice", "password": "secret"}"#).text("token")
    );
    for name in ["gone_one", "gone_ci"] {
        for command in ["add", "add-machine", "namespace"] {
            client.operate(&format!("{command} {name}")).unwrap_err();
        }
        let account = format!(r#"{{"username": "{name}", "password": "secret", "email": "{name}@example.org"}}"#);
        let asked = [
            client.ask("POST /v1/users/", "", &account),
            client.ask("POST /v2/namespaces/acme/machines", &alice, &format!(r#"{{"username": "{name}"}}"#)),
        ];
        for response in asked {
            assert_eq!(response.status, 400, "{response:?}");
        }
    }
    client.operate("release gone_one").unwrap();
    client.operate("add gone_one").unwrap();
}
