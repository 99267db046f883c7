//! Addresses: who may change them, and who is told of what happens to an account.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use test_support::{
    client::TestClient,
    runner::{Backend, TestRequest},
};

/// An index with Paul, where mail is sent, and one was opened at Paul's address.
fn test_app() -> (TestClient, String) {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    client.confirm_email("paul");
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.set("MAIL", "on");
    (client, session)
}

/// Whom mails went to, and what about, since this was asked last.
fn mails(client: &TestClient) -> Vec<(String, String)> {
    let mails = client.app.platform.mailbox.take();
    mails.into_iter().map(|mail| (mail.to, mail.subject)).collect()
}

/// Where no mail was ever opened may be a stranger's; where one is added, the thief's.
#[test]
fn address_changes_are_mailed_to_the_owner() {
    let (mut client, session) = test_app();
    let second = r#"{"email": "second@example.com"}"#;
    assert_eq!(client.ask("PUT /v1/users/paul/", "paul:secret", second).status, 204);
    let confirm = ("second@example.com".to_owned(), "Confirm your e-mail address".to_owned());
    let added = ("paul@example.com".to_owned(), "An e-mail address was added to your account".to_owned());
    assert_eq!(mails(&client), [confirm, added]);
    client.app.db.connection().execute("update emails set confirmed_at = 1 where key like 'second%'", []).unwrap();
    let third = r#"{"email": "third@example.com", "password": "secret"}"#;
    assert_eq!(client.ask("POST /v2/user/emails", &session, third).status, 201);
    let mailed = mails(&client);
    assert_eq!(mailed.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["third@example.com", "paul@example.com"]);

    // What is removed is told too, if a mail was ever opened there.
    let with = r#"{"password": "secret"}"#;
    assert_eq!(client.ask("DELETE /v2/user/emails/third@example.com", &session, with).status, 204);
    let removed = "An e-mail address was removed from your account";
    assert_eq!(mails(&client), [("paul@example.com".to_owned(), removed.to_owned())]);
    assert_eq!(client.ask("DELETE /v2/user/emails/paul@example.com", &session, with).status, 204);
    assert_eq!(mails(&client), [("paul@example.com".to_owned(), removed.to_owned())]);
}

/// The mails of a login that came from there with this client; a form is one at the token service.
fn login(client: &mut TestClient, address: &str, agent: &str, form: &str) -> Vec<(String, String)> {
    let header = |name: &str, value: String| (name.to_owned(), value);
    let mut headers = vec![header("CF-Connecting-IP", address.to_owned()), header("User-Agent", agent.to_owned())];
    let (method, target) = if form.is_empty() { ("GET", "/v1/users/") } else { ("POST", "/token") };
    if form.is_empty() {
        headers.push(header("Authorization", format!("Basic {}", STANDARD.encode("paul:secret"))));
    }
    let request = TestRequest { method: method.into(), target: target.into(), headers, body: form.into() };
    assert_eq!(client.app.send(&request).unwrap().status, 200, "{agent}");
    mails(client)
}

/// A thief rarely has what the owner uses. The first client of all is no news, and none is told twice.
#[test]
fn login_by_a_new_client_is_mailed() {
    let (mut client, _) = test_app();
    let mailed = [("paul@example.com".to_owned(), "A login to your account from a new kind of client".to_owned())];
    assert_eq!(login(&mut client, "203.0.113.1", "docker/27.0 go/go1.21", ""), mailed);
    assert_eq!(login(&mut client, "203.0.113.2", "Docker/28.0", ""), []);
    assert_eq!(login(&mut client, "203.0.113.3", "curl/8.5", ""), mailed);
    client.app.set("SITE", "another deployment");
    assert_eq!(login(&mut client, "203.0.113.3", "curl/8.6", ""), []);
    let form = "grant_type=password&username=paul&password=secret&service=registry&client_id=containers/image";
    assert_eq!(login(&mut client, "203.0.113.4", "curl/8.5", form), mailed);

    let sql = "delete from clients where user_id = (select id from users where name = 'paul')";
    client.app.db.connection().execute(sql, []).unwrap();
    assert_eq!(login(&mut client, "203.0.113.5", "wget/1.2", ""), []);
    assert_eq!(login(&mut client, "203.0.113.6", "", ""), mailed);

    // Nobody fills a table with names that are made up.
    for number in 0..110 {
        login(&mut client, &format!("198.51.100.{number}"), &format!("made-up-{number}"), "");
    }
    let count = "select count(*) from clients";
    assert_eq!(client.app.db.connection().query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 100);
}

/// Guessers try it first. No page shows it: other tests play those with something behind each password.
#[test]
fn password_that_is_the_name_is_refused() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paulina");
    let said = client.operated("password paulina").unwrap();
    let secret = said.link.split_once('#').unwrap().1.to_owned();
    let body = r#"{"username": "josephine", "password": "Josephine", "email": "josephine@example.com"}"#;
    for (request, who, body) in [
        ("POST /v1/users/", "", body),
        ("PUT /v1/users/paulina/", "paulina:secret", r#"{"password": "paulina"}"#),
        ("PUT /v1/users/paulina/", "paulina:secret", r#"{"password": "Paulina"}"#),
    ] {
        let response = client.ask(request, who, body);
        assert_eq!((response.status, response.body), (400, json!("Password must not be the username")), "{request}");
    }
    for new in ["Paulina", " paulina "] {
        let body = json!({ "password": "secret", "new_password": new }).to_string();
        let response = client.ask("POST /v2/user/password", &session, &body);
        assert_eq!(
            (response.status, &response.body["message"]),
            (400, &json!("Password must not be the username")),
            "{new}"
        );
    }
    for (password, status) in [("PAULINA", 400), ("paulina+of+old", 200), ("paulina+of+old", 404)] {
        let response = client.ask("POST /account/password", "", &format!("secret={secret}&password={password}"));
        assert_eq!(response.status, status, "{password}");
    }
}

/// What lasts when the password is changed back, and the password itself; five an hour of a kind are enough.
#[test]
fn new_credentials_are_mailed_to_the_owner() {
    let (mut client, session) = test_app();
    client.app.set("MAIL", "off");
    client.register("jane");
    client.ask("POST /v2/repositories", &session, r#"{"name": "app"}"#);
    client.ask("POST /v2/namespaces/paul/machines", &session, r#"{"username": "paul-ci"}"#);
    client.app.set("MAIL", "on");
    let label = r#"{"token_label": "Call +1 555 0100 at once", "scopes": ["repo:read"]}"#;
    for (request, body, subject) in [
        ("POST /v2/access-tokens", label, "An access token was made with your account"),
        (
            "POST /v2/namespaces/paul/machines/paul-ci/access-tokens",
            label,
            "An access token was made with your account",
        ),
        ("PUT /v2/namespaces/paul/members/jane", r#"{"role": "admin"}"#, "Your account gave somebody a role"),
        ("POST /v2/repositories/paul/app/collaborators", r#"{"user": "jane"}"#, "Your account gave somebody a role"),
        (
            "POST /v2/user/password",
            r#"{"password": "secret", "new_password": "another"}"#,
            "The password of your account was changed",
        ),
        ("PUT /v1/users/paul/", r#"{"password": "another-one"}"#, "The password of your account was changed"),
    ] {
        let who = if request.starts_with("PUT /v1") { "paul:another" } else { &session };
        assert!(client.ask(request, who, body).status < 300, "{request}");
        let text = client.app.platform.mailbox.borrow().iter().map(|mail| mail.text.clone()).collect::<String>();
        assert_eq!(mails(&client), [("paul@example.com".to_owned(), subject.to_owned())], "{request}");
        assert!(text.contains("paul") && text.contains("From: ") && !text.contains("555"), "{text}");
    }
    let passwords = (0..7).map(|number| {
        let (old, new) = (number.to_string(), (number + 1).to_string());
        let old = if number == 0 { "another-one".to_owned() } else { format!("password-{old}") };
        let body = format!(r#"{{"password": "password-{new}"}}"#);
        assert_eq!(client.ask("PUT /v1/users/paul/", &format!("paul:{old}"), &body).status, 204);
        mails(&client).len()
    });
    assert_eq!(passwords.collect::<Vec<_>>(), [1, 1, 1, 0, 0, 0, 0]);
}

/// A thief of a session guesses no faster than anybody.
#[test]
fn password_confirmation_is_throttled() {
    let (client, session) = test_app();
    for (request, body) in [
        ("POST /v2/user/emails", json!({ "email": "thief@example.com", "password": "guess" })),
        ("PATCH /v2/user/emails/paul@example.com", json!({ "primary": true, "password": "guess" })),
        ("DELETE /v2/user/emails/paul@example.com", json!({ "password": "guess" })),
        ("POST /v2/user/password", json!({ "password": "guess", "new_password": "another" })),
    ] {
        let mut client = TestClient { app: client.app.copied().unwrap() };
        client.app.platform.finish_second();
        let statuses = (0..6).map(|_| client.ask(request, &session, &body.to_string()).status).collect::<Vec<_>>();
        assert_eq!(statuses, [403, 403, 403, 403, 403, 429], "{request}");
        let right = client.ask(request, &session, &body.to_string().replace("guess", "secret"));
        assert_eq!(right.status, 429, "{request}: the right one waits too");
        let rows: i64 = client
            .app
            .db
            .connection()
            .query_row("select count(*) from audit where action = 'user.login.refuse'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 5, "{request}");
    }
}
