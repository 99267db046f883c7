//! Addresses: who may change them, and who is told of what happens to an account.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

#[allow(dead_code, reason = "the pages need more of it")]
mod support;

use serde_json::json;
use support::{Stage, client::Client};

/// An index with Paul, where mail is sent, and one was opened at Paul's address.
fn index() -> (Client, String) {
    let mut client = Client(Stage::new().unwrap());
    let session = client.join("paul");
    client.prove("paul");
    client.0.set("PUBLIC_URL", "https://hub.example.com");
    client.0.set("MAIL", "on");
    (client, session)
}

/// Whom mails went to, and what about, since this was asked last.
fn mails(client: &Client) -> Vec<(String, String)> {
    let mails = client.0.world.mailbox.take();
    mails.into_iter().map(|mail| (mail.to, mail.subject)).collect()
}

/// Where no mail was ever opened may be a stranger's; where one is added, the thief's.
#[test]
fn whoever_owns_an_account_is_told_what_happened_to_its_addresses() {
    let (mut client, session) = index();
    let second = r#"{"email": "second@example.com"}"#;
    assert_eq!(client.ask("PUT /v1/users/paul/", "paul:secret", second).status, 204);
    let confirm = ("second@example.com".to_owned(), "Confirm your e-mail address".to_owned());
    let added = ("paul@example.com".to_owned(), "An e-mail address was added to your account".to_owned());
    assert_eq!(mails(&client), [confirm, added]);
    client.0.db.connection().execute("update emails set confirmed_at = 1 where key like 'second%'", []).unwrap();
    let third = r#"{"email": "third@example.com", "password": "secret"}"#;
    assert_eq!(client.ask("POST /v2/user/emails", &session, third).status, 201);
    let told = mails(&client);
    assert_eq!(told.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["third@example.com", "paul@example.com"]);

    // What is removed is told too, if a mail was ever opened there.
    let with = r#"{"password": "secret"}"#;
    assert_eq!(client.ask("DELETE /v2/user/emails/third@example.com", &session, with).status, 204);
    let removed = "An e-mail address was removed from your account";
    assert_eq!(mails(&client), [("paul@example.com".to_owned(), removed.to_owned())]);
    assert_eq!(client.ask("DELETE /v2/user/emails/paul@example.com", &session, with).status, 204);
    assert_eq!(mails(&client), [("paul@example.com".to_owned(), removed.to_owned())]);
}

/// Guessers try it first. No page shows it: other tests play those with something behind each password.
#[test]
fn nobodys_password_is_their_own_name() {
    let mut client = Client(Stage::new().unwrap());
    client.join("paulina");
    let said = client.operated("password paulina").unwrap();
    let secret = said.link.split_once('#').unwrap().1.to_owned();
    let body = r#"{"username": "josephine", "password": "Josephine", "email": "josephine@example.com"}"#;
    for (request, who, body) in [
        ("POST /v1/users/", "", body),
        ("PUT /v1/users/paulina/", "paulina:secret", r#"{"password": "paulina"}"#),
        ("PUT /v1/users/paulina/", "paulina:secret", r#"{"password": "Paulina"}"#),
    ] {
        let told = client.ask(request, who, body);
        assert_eq!((told.status, told.body), (400, json!("Password must not be the username")), "{request}");
    }
    for (password, status) in [("PAULINA", 400), ("paulina+of+old", 200), ("paulina+of+old", 404)] {
        let told = client.ask("POST /account/password", "", &format!("secret={secret}&password={password}"));
        assert_eq!(told.status, status, "{password}");
    }
}

/// A thief of a session guesses no faster than anybody.
#[test]
fn a_password_that_is_asked_for_once_more_counts_as_any() {
    let (client, session) = index();
    for (request, body) in [
        ("POST /v2/user/emails", json!({ "email": "thief@example.com", "password": "guess" })),
        ("PATCH /v2/user/emails/paul@example.com", json!({ "primary": true, "password": "guess" })),
        ("DELETE /v2/user/emails/paul@example.com", json!({ "password": "guess" })),
    ] {
        let mut client = Client(client.0.copied().unwrap());
        client.0.world.strike();
        let told = (0..6).map(|_| client.ask(request, &session, &body.to_string()).status).collect::<Vec<_>>();
        assert_eq!(told, [403, 403, 403, 403, 403, 429], "{request}");
        let right = client.ask(request, &session, &body.to_string().replace("guess", "secret"));
        assert_eq!(right.status, 429, "{request}: the right one waits too");
        let rows: i64 = client
            .0
            .db
            .connection()
            .query_row("select count(*) from audit where action = 'user.login.refuse'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 5, "{request}");
    }
}
