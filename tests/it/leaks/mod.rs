//! Nothing secret is said: every page of the contract is played, and whatever it used as a secret is
//! looked for in the log, in the bodies of errors, in debug output, and in every table.

mod listener;
mod secrets;

use std::{collections::BTreeMap, fs, path::Path};

use listener::Listener;
use secrets::Kind;
use test_support::{
    TestApp,
    page::{Page, fresh_suffix},
    runner::{Backend, Summary, run_page},
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
fn contract_pages_leak_no_secret() {
    let mut found = Vec::new();
    let mut used = BTreeMap::<Kind, usize>::new();
    let mut summary = Summary::default();
    for page in pages() {
        let mut listener = Listener::new(TestApp::new().unwrap());
        run_page(&page, &mut listener, &mut summary).unwrap();
        listener.secrets.count_into(&mut used);
        found.extend(listener.leaks().into_iter().map(|leak| format!("{}: {leak}", page.name)));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    for kind in Kind::ALL {
        assert!(used.get(&kind).is_some_and(|many| *many > 0), "no page used a secret of the kind {kind:?}: {used:?}");
    }
    println!("cases: {} secrets of {} exchanges, none found", used.values().sum::<usize>(), summary.played);
}

/// An index that somebody has used, and the secrets of it.
fn used() -> Listener {
    let text = "\
```http\nPOST /v1/users/\n\n{\"username\": \"paul\", \"password\": \"toto42\", \"email\": \"paul@example.com\"}\n```\n
```http\nHTTP/1.1 201\n```\n
```http\nGET /token?service=registry&offline_token=true\nAuthorization: Basic paul:toto42\n```\n
```http\nHTTP/1.1 200\n```\n";
    let mut listener = Listener::new(TestApp::new().unwrap());
    run_page(&Page::read("planted", text, "").unwrap(), &mut listener, &mut Summary::default()).unwrap();
    assert_eq!(listener.leaks(), Vec::<String>::new());
    listener
}

#[test]
fn planted_leaks_are_found() {
    let logged = used();
    let password = logged.secrets.of(Kind::Password)[0].clone();
    logged.app.platform.log.borrow_mut().push(serde_json::json!({ "fault": format!("no user for {password}") }));
    assert!(logged.leaks()[0].starts_with("the log has a Password"), "{:?}", logged.leaks());

    let stored = used();
    let refresh = stored.secrets.of(Kind::Opaque)[0].clone();
    stored.app.db.connection().execute("update refresh_tokens set client = ?1", [refresh]).unwrap();
    assert!(stored.leaks()[0].starts_with("refresh_tokens has a Opaque"), "{:?}", stored.leaks());

    let hidden = used();
    let password = hidden.secrets.of(Kind::Password)[0].clone();
    let write = "insert into progress (task, cursor) values (?1, 1)";
    hidden.app.search.connection().execute("create table progress (task text, cursor integer)", []).unwrap();
    hidden.app.search.connection().execute(write, [password]).unwrap();
    assert!(hidden.leaks()[0].starts_with("progress has a Password"), "{:?}", hidden.leaks());

    let mut listener = used();
    let password = listener.secrets.of(Kind::Password)[0].clone();
    let target = format!("/v1/nothing/{password}");
    let request = test_support::runner::TestRequest {
        method: "GET".into(),
        target,
        ..test_support::runner::TestRequest::default()
    };
    listener.send(&request).unwrap();
    assert!(listener.leaks().iter().any(|leak| leak.starts_with("a body has a Password")), "{:?}", listener.leaks());
    assert!(listener.leaks().iter().any(|leak| leak.starts_with("debug output has a Password")));
}
