//! The incident command says all that came of a theft: what the service accounts of the user did, and what is not there
//! any more.

use serde_json::json;

use test_support::{Stage, client::Client};

/// An index with these people, each with a session; Alice has private repositories.
fn index() -> (Client, [String; 3]) {
    let mut client = Client(Stage::new().unwrap());
    let sessions = ["alice", "mallory", "wally"].map(|name| client.join(name));
    for repository in ["secret", "moved", "shown"] {
        ok(&mut client, &sessions[0], "POST /v2/repositories", &json!({ "name": repository, "is_private": true }));
    }
    (client, sessions)
}

fn ok(client: &mut Client, session: &str, request: &str, body: &serde_json::Value) -> serde_json::Value {
    let told = client.ask(request, session, &body.to_string());
    assert!(told.status < 300, "{request}: {told:?}");
    told.body
}

/// Whether a row has all of these words.
fn said(rows: &[String], words: &[&str]) -> bool {
    rows.iter().any(|row| words.iter().all(|word| row.contains(word)))
}

#[test]
fn what_a_service_account_of_the_user_did_is_printed_with_what_undoes_it() {
    for gone in [false, true] {
        let (mut client, [alice, ..]) = index();
        ok(
            &mut client,
            &alice,
            "POST /v2/namespaces/alice/machines",
            &json!({ "username": "alice-ci", "role": "admin" }),
        );
        let wanted = json!({ "token_label": "x", "scopes": ["repo:admin", "repo:roles"] });
        let made = ok(&mut client, &alice, "POST /v2/namespaces/alice/machines/alice-ci/access-tokens", &wanted);
        let login = json!({ "username": "alice-ci", "password": made["token"] });
        let session = ok(&mut client, "", "POST /v2/users/login", &login)["token"].as_str().unwrap().to_owned();
        let machine = format!("Bearer {session}");
        ok(&mut client, &machine, "PUT /v2/namespaces/alice/members/mallory", &json!({ "role": "admin" }));
        let collaborator = json!({ "user": "wally", "role": "admin" });
        ok(&mut client, &machine, "POST /v2/repositories/alice/secret/collaborators", &collaborator);
        ok(&mut client, &machine, "POST /v2/repositories/alice/shown/privacy", &json!({ "is_private": false }));
        if gone {
            ok(&mut client, &alice, "DELETE /v2/namespaces/alice/machines/alice-ci", &json!({}));
        }
        let rows = client.operated("compromised alice").unwrap().rows;
        for words in [
            ["mallory of alice: admin", "member alice mallory none"],
            ["wally of alice/secret: admin", "collaborator alice/secret wally none"],
            ["alice/shown was made public", "privacy alice/shown private"],
        ] {
            assert!(said(&rows, &words), "{gone}: {words:?} in {rows:#?}");
        }
        assert_eq!(said(&rows, &["service account alice-ci", "remove alice-ci"]), !gone, "{rows:#?}");
    }
}

#[test]
fn one_more_step_hides_nothing() {
    let (mut client, [alice, mallory, wally]) = index();
    ok(&mut client, &wally, "PUT /v2/namespaces/wally/members/alice", &json!({ "role": "write" }));
    ok(&mut client, &mallory, "PUT /v2/namespaces/mallory/members/wally", &json!({ "role": "write" }));
    ok(&mut client, &alice, "PUT /v2/namespaces/alice/members/mallory", &json!({ "role": "admin" }));
    ok(&mut client, &mallory, "PUT /v2/namespaces/alice/members/wally", &json!({ "role": "admin" }));
    ok(&mut client, &wally, "DELETE /v2/namespaces/alice/members/mallory", &json!({}));
    ok(&mut client, &alice, "POST /v2/repositories/alice/shown/privacy", &json!({ "is_private": false }));
    ok(&mut client, &alice, "POST /v2/repositories/alice/shown/transfer", &json!({ "namespace": "wally" }));
    ok(&mut client, &alice, "POST /v2/repositories/alice/moved/transfer", &json!({ "namespace": "wally" }));
    ok(&mut client, &wally, "POST /v2/repositories/wally/moved/transfer", &json!({ "namespace": "mallory" }));
    let rows = client.operated("compromised alice").unwrap().rows;
    for words in [
        &["org.member.add of wally by mallory", "was let in", "log --actor mallory --name wally"][..],
        &["alice/moved was moved to wally/moved", "not there any more", "log --name wally/moved"],
        &["alice/shown was moved, and is wally/shown", "transfer wally/shown alice"],
        &["alice/shown was made public", "not there any more", "log --name alice/shown"],
    ] {
        assert!(said(&rows, words), "{words:?} in {rows:#?}");
    }
}
