//! The audit: what is written has its words, is never changed, and outlives what it is about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]
#[allow(dead_code, reason = "the pages need more of it")]
mod support;

use std::{collections::BTreeSet, fs, path::Path};

use hublet::domain::audit::ACTIONS;
use support::{Stage, client::Client};

/// The texts of a source that have the form of an action.
fn actions(source: &str) -> impl Iterator<Item = &str> {
    let is_action = |text: &&str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte));
        plain && !text.ends_with('.') && ["repo.", "org.", "user."].iter().any(|group| text.starts_with(group))
    };
    source.split(['"', '\'']).filter(is_action)
}

fn sources(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn what_is_written_is_what_has_words() {
    let sources = [sources("src/store"), sources("src/store/operator")].concat();
    let mut written = sources.iter().flat_map(|source| actions(source)).map(str::to_owned).collect::<BTreeSet<_>>();
    // `store::events` puts these together.
    written.extend(["tag.push", "manifest.push", "tag.delete", "manifest.delete"].map(|name| format!("repo.{name}")));
    let known = ACTIONS.map(|(group, name, _)| format!("{group}.{name}")).into();
    assert_eq!(written, known);
}

#[test]
fn every_command_that_changes_something_is_written_down() {
    for command in sources("src/store/operator") {
        let changes =
            ["insert into ", "update ", "delete from "].iter().any(|change| command.contains(&format!("\n{change}")));
        assert_eq!(changes, command.contains("insert into audit"), "{command}");
    }
}

#[test]
fn whoever_owns_an_account_is_told_that_an_address_was_added() {
    let mut client = Client(Stage::new().unwrap());
    client.join("paul");
    client.0.set("PUBLIC_URL", "https://hub.example.com");
    client.0.set("MAIL", "on");
    let told = client.ask("PUT /v1/users/paul/", "paul:secret", r#"{"email": "other@example.com"}"#);
    assert_eq!(told.status, 204);
    let mailbox = client.0.world.mailbox.borrow();
    let mails = mailbox.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect::<BTreeSet<_>>();
    let expected = [
        ("other@example.com", "Confirm your e-mail address"),
        ("paul@example.com", "An e-mail address was added to your account"),
    ];
    assert_eq!(mails, expected.into());
    assert!(mailbox.iter().all(|mail| mail.text.contains("paul")));
}

#[test]
fn rows_are_not_changed_and_removed_by_age_alone() {
    let mut client = Client(Stage::new().unwrap());
    client.join("paul");
    let database = client.0.db.connection();
    let rows = || database.query_row("select count(*) from audit", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = rows();
    assert!(before > 0);
    let refused = database.execute("update audit set actor = 'nobody'", []).unwrap_err();
    assert!(refused.to_string().contains("append-only"), "{refused}");
    database.execute("delete from users", []).unwrap();
    assert_eq!(rows(), before);
    let removals = sources("src/store").iter().map(|source| source.matches("delete from audit").count()).sum::<usize>();
    assert_eq!(removals, 1, "`audit::expire` alone");
}
