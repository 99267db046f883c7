//! Nothing secret is said: every page of the contract is played, and whatever it used as a secret is
//! looked for in the log, in the bodies of errors, in debug output, and in every table.

mod listener;
mod secrets;

use std::{collections::BTreeMap, fs, path::Path};

use listener::Listener;
use secrets::Kind;
use test_support::{
    Stage,
    page::{Page, fresh_suffix},
    runner::{Tally, Theatre, play},
};

fn pages() -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    let pages = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    let read = |file: &std::path::PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy();
        Page::read(&name, &fs::read_to_string(file).unwrap(), &fresh_suffix()).unwrap()
    };
    pages.map(read).collect()
}

#[test]
fn no_page_of_the_contract_leaves_a_secret_behind() {
    let mut found = Vec::new();
    let mut used = BTreeMap::<Kind, usize>::new();
    let mut tally = Tally::default();
    for page in pages() {
        let mut listener = Listener::new(Stage::new().unwrap());
        play(&page, &mut listener, &mut tally).unwrap();
        listener.secrets.count_into(&mut used);
        found.extend(listener.leaks().into_iter().map(|leak| format!("{}: {leak}", page.name)));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    for kind in Kind::ALL {
        assert!(used.get(&kind).is_some_and(|many| *many > 0), "no page used a secret of the kind {kind:?}: {used:?}");
    }
    println!("cases: {} secrets of {} exchanges, none found", used.values().sum::<usize>(), tally.played);
}

/// An index that somebody has used, and the secrets of it.
fn used() -> Listener {
    let text = "\
```http\nPOST /v1/users/\n\n{\"username\": \"paul\", \"password\": \"toto42\", \"email\": \"paul@example.com\"}\n```\n
```http\nHTTP/1.1 201\n```\n
```http\nGET /token?service=registry&offline_token=true\nAuthorization: Basic paul:toto42\n```\n
```http\nHTTP/1.1 200\n```\n";
    let mut listener = Listener::new(Stage::new().unwrap());
    play(&Page::read("planted", text, "").unwrap(), &mut listener, &mut Tally::default()).unwrap();
    assert_eq!(listener.leaks(), Vec::<String>::new());
    listener
}

#[test]
fn planted_leaks_are_found() {
    let logged = used();
    let password = logged.secrets.of(Kind::Password)[0].clone();
    logged.stage.platform.log.borrow_mut().push(serde_json::json!({ "fault": format!("no user for {password}") }));
    assert!(logged.leaks()[0].starts_with("the log has a Password"), "{:?}", logged.leaks());

    let stored = used();
    let refresh = stored.secrets.of(Kind::Opaque)[0].clone();
    stored.stage.db.connection().execute("update refresh_tokens set client = ?1", [refresh]).unwrap();
    assert!(stored.leaks()[0].starts_with("refresh_tokens has a Opaque"), "{:?}", stored.leaks());

    let hidden = used();
    let password = hidden.secrets.of(Kind::Password)[0].clone();
    let write = "insert into progress (task, cursor) values (?1, 1)";
    hidden.stage.search.connection().execute("create table progress (task text, cursor integer)", []).unwrap();
    hidden.stage.search.connection().execute(write, [password]).unwrap();
    assert!(hidden.leaks()[0].starts_with("progress has a Password"), "{:?}", hidden.leaks());

    let mut answered = used();
    let password = answered.secrets.of(Kind::Password)[0].clone();
    let target = format!("/v1/nothing/{password}");
    let sent = test_support::runner::Sent { method: "GET".into(), target, ..test_support::runner::Sent::default() };
    answered.send(&sent).unwrap();
    assert!(answered.leaks().iter().any(|leak| leak.starts_with("a body has a Password")), "{:?}", answered.leaks());
    assert!(answered.leaks().iter().any(|leak| leak.starts_with("debug output has a Password")));
}
