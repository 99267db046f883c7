//! The incident command says all that came of a theft: what the service accounts of the user did, and what is not there
//! any more.

use serde_json::json;

use test_support::client::TestClient;

/// An index with these people, each with a session; Alice has private repositories.
fn test_app() -> (TestClient, [String; 3]) {
    let mut client = TestClient::new().unwrap();
    let sessions = ["alice", "mallory", "wally"].map(|name| client.register(name));
    for repository in ["secret", "moved", "shown"] {
        ok(&mut client, &sessions[0], "POST /v2/repositories", &json!({ "name": repository, "is_private": true }));
    }
    (client, sessions)
}

fn ok(client: &mut TestClient, session: &str, request: &str, body: &serde_json::Value) -> serde_json::Value {
    let response = client.ask(request, session, &body.to_string());
    assert!(response.status < 300, "{request}: {response:?}");
    response.body
}

/// Whether a row has all of these words.
fn said(rows: &[String], words: &[&str]) -> bool {
    rows.iter().any(|row| words.iter().all(|word| row.contains(word)))
}

#[test]
fn compromised_prints_undo_commands() {
    for gone in [false, true] {
        let (mut client, [alice, ..]) = test_app();
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
fn compromised_follows_second_steps() {
    let (mut client, [alice, mallory, wally]) = test_app();
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
