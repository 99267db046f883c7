//! What an account can make that opens something or gives a right, in one list, and what becomes of each under every
//! command that is there to end it. A column for another such thing fails until it stands in the list.

use std::collections::BTreeSet;

use Fate::{Dead, Lives, Printed};

use test_support::client::TestClient;

/// What becomes of something.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It opens nothing.
    Dead,
    /// It goes on, and the command says nothing of it.
    Lives,
    /// It goes on, and the command printed another one that ends it.
    Printed,
}

/// The commands that end something, in the order of the fates below.
const COMMANDS: [&str; 5] =
    ["disable alice", "sessions alice end", "password alice", "compromised alice", "remove alice --repositories"];

/// One thing that an account can make.
struct Right {
    name: &'static str,
    /// Where it is kept.
    columns: &'static [&'static str],
    fates: [Fate; 5],
    /// Whether it opens anything.
    alive: fn(&mut TestClient, &Made) -> bool,
    /// What a printed row says of it.
    printed: fn(&Made) -> String,
}

/// All that the thief has made.
#[derive(Default)]
struct Made {
    session: String,
    access: String,
    access_session: String,
    refresh: String,
    registry: String,
    repository: String,
    link: String,
    confirmation: String,
    own_machine: String,
    shared_machine: String,
    shared_uuid: String,
    mallory: String,
}

/// A right that no command prints.
fn unprinted(_: &Made) -> String {
    String::new()
}

const RIGHTS: [Right; 15] = [
    Right {
        name: "the password",
        columns: &["users.password"],
        fates: [Dead, Lives, Dead, Dead, Dead],
        alive: |client, _| client.ask("GET /v1/users/", "alice:secret", "").status == 200,
        printed: unprinted,
    },
    Right {
        name: "a session",
        columns: &[],
        fates: [Dead; 5],
        alive: |client, made| client.ask("GET /v2/user", &made.session, "").status == 200,
        printed: unprinted,
    },
    Right {
        name: "an access token",
        columns: &["access_tokens.user_id", "access_tokens.hash", "access_tokens.previous_hash"],
        fates: [Dead, Dead, Lives, Dead, Dead],
        alive: |client, made| client.ask("GET /v1/users/", &format!("alice:{}", made.access), "").status == 200,
        printed: unprinted,
    },
    Right {
        name: "a session of an access token",
        columns: &[],
        fates: [Dead, Dead, Lives, Dead, Dead],
        alive: |client, made| client.ask("GET /v2/user", &made.access_session, "").status == 200,
        printed: unprinted,
    },
    Right {
        name: "a refresh token",
        columns: &["refresh_tokens.user_id", "refresh_tokens.hash"],
        fates: [Dead; 5],
        alive: |client, made| {
            let form = format!("grant_type=refresh_token&service=registry&client_id=x&refresh_token={}", made.refresh);
            client.ask("POST /token", "", &form).status == 200
        },
        printed: unprinted,
    },
    Right {
        name: "a registry token, shown here",
        columns: &[],
        fates: [Dead; 5],
        alive: |client, made| client.ask("GET /v2/", &made.registry, "").status == 200,
        printed: unprinted,
    },
    Right {
        name: "a repository token",
        columns: &[],
        fates: [Dead; 5],
        alive: |client, made| client.ask("PUT /v1/repositories/alice/app/auth", &made.repository, "").status == 200,
        printed: unprinted,
    },
    Right {
        name: "a link that sets the password",
        columns: &["links.user_id", "links.hash"],
        fates: [Dead; 5],
        alive: |client, made| {
            let form = format!("secret={}&password=of+the+thief", made.link);
            client.ask("POST /account/password", "", &form).status == 200
        },
        printed: unprinted,
    },
    Right {
        name: "a link that confirms an address",
        columns: &[],
        fates: [Lives, Dead, Dead, Dead, Dead],
        alive: |client, made| {
            client.ask("POST /account/confirm", "", &format!("secret={}", made.confirmation)).status == 200
        },
        printed: unprinted,
    },
    Right {
        name: "an address where a link is mailed",
        columns: &["emails.user_id", "emails.proved_at"],
        fates: [Dead, Lives, Lives, Dead, Dead],
        alive: |client, _| {
            let mails = |client: &TestClient| {
                client.app.platform.mailbox.borrow().iter().filter(|mail| mail.to == "thief@example.net").count()
            };
            let before = mails(client);
            client.ask("POST /account/forgotten", "", "email=thief%40example.net");
            mails(client) > before
        },
        printed: unprinted,
    },
    Right {
        name: "the token of a service account of its own namespace",
        columns: &["users.machine_of"],
        fates: [Dead, Dead, Lives, Dead, Dead],
        alive: |client, made| client.ask("GET /v1/users/", &format!("alice-ci:{}", made.own_machine), "").status == 200,
        printed: unprinted,
    },
    Right {
        name: "the token of a service account of a shared namespace",
        columns: &["access_tokens.created_by"],
        fates: [Printed, Printed, Lives, Printed, Printed],
        alive: |client, made| {
            client.ask("GET /v1/users/", &format!("helper:{}", made.shared_machine), "").status == 200
        },
        printed: |made| format!("token {}", made.shared_uuid),
    },
    Right {
        name: "a member",
        columns: &["members.user_id"],
        fates: [Lives, Lives, Lives, Printed, Lives],
        alive: |client, made| client.ask("GET /v2/namespaces/acme/members", &made.mallory, "").status == 200,
        printed: |_| "member mallory of acme: admin".to_owned(),
    },
    Right {
        name: "a collaborator",
        columns: &["collaborators.user_id"],
        fates: [Lives, Lives, Lives, Printed, Dead],
        alive: |client, made| {
            let target = "GET /v2/namespaces/alice/repositories/app/collaborators";
            client.ask(target, &made.mallory, "").status == 200
        },
        printed: |_| "collaborator mallory of alice/app: admin".to_owned(),
    },
    Right {
        name: "the right to administrate the index",
        columns: &["users.administrator"],
        fates: [Lives, Lives, Lives, Printed, Dead],
        alive: |client, _| {
            let sql = "select count(*) from users where name = 'alice' and administrator = 1";
            client.app.db.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() == 1
        },
        printed: |_| "alice administrates".to_owned(),
    },
];

/// What names a user, or looks like a secret, and opens nothing and gives nothing.
const NOTHING: [&str; 6] = [
    "namespaces.owner_id",      // whose it is: the credentials are theirs
    "stars.user_id",            // a star
    "clients.user_id",          // what kinds of client were seen
    "retired_names.machine_of", // who may have a name again
    "reconcilers.hash",         // only the operator makes one
    "users.epoch",              // which password it is
];

/// Columns that name a user, or by their name keep what opens something.
fn suspects(client: &TestClient) -> BTreeSet<String> {
    let sql = "select t.name || '.' || c.name from sqlite_schema t join pragma_table_info(t.name) c
         where t.type = 'table' and (
           c.name in (select f.\"from\" from pragma_foreign_key_list(t.name) f where f.\"table\" = 'users')
           or c.name like '%hash%' or c.name like '%password%' or c.name like '%secret%' or c.name like '%epoch%'
           or c.name like '%administrator%' or c.name like '%created_by%' or c.name like '%machine_of%'
           or c.name like '%proved%')";
    let mut columns = client.app.db.connection().prepare(sql).unwrap();
    columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The secret of the newest link that was mailed there.
fn mailed(client: &TestClient, address: &str) -> String {
    let mailbox = client.app.platform.mailbox.borrow();
    let text = &mailbox.iter().rev().find(|mail| mail.to == address).unwrap().text;
    let link = text.split_whitespace().find(|word| word.contains('#')).unwrap();
    link.split_once('#').unwrap().1.to_owned()
}

/// An index on which a thief of Alice's password has made one of everything.
fn test_app() -> (TestClient, Made) {
    let mut client = TestClient::new().unwrap();
    client.register("alice");
    client.register("mallory");
    for command in ["namespace acme", "member acme alice admin", "grant alice"] {
        client.operate(command).unwrap();
    }
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.set("MAIL", "on");
    client.app.platform.advance(90 * 24 * 60 * 60);

    let mut made = Made::default();
    let login = |client: &mut TestClient, name: &str, password: &str| {
        let body = format!(r#"{{"username": "{name}", "password": "{password}"}}"#);
        format!("Bearer {}", client.ask("POST /v2/users/login", "", &body).text("token"))
    };
    let ask = |client: &mut TestClient, request: &str, who: &str, body: &str| {
        let response = client.ask(request, who, body);
        assert!((200..300).contains(&response.status), "{request}: {response:?}");
        response
    };
    made.mallory = login(&mut client, "mallory", "secret");
    made.session = login(&mut client, "alice", "secret");
    made.access = client.access_token(&made.session).0;
    made.access_session = login(&mut client, "alice", &made.access);
    let asked = "GET /token?service=registry&offline_token=true&client_id=x&scope=registry:catalog:search";
    let response = ask(&mut client, asked, "alice:secret", "");
    (made.refresh, made.registry) = (response.text("refresh_token"), format!("Bearer {}", response.text("token")));
    ask(&mut client, "PUT /v1/repositories/alice/app/", "alice:secret", "[]");
    ask(&mut client, "PUT /v1/repositories/alice/app/images", "alice:secret", "[]");
    made.repository = repository_token(&mut client);

    ask(&mut client, "PUT /v1/users/alice/", "alice:secret", r#"{"email": "thief@example.net"}"#);
    let confirmation = mailed(&client, "thief@example.net");
    ask(&mut client, "POST /account/confirm", "", &format!("secret={confirmation}"));
    ask(&mut client, "PUT /v1/users/alice/", "alice:secret", r#"{"email": "later@example.net"}"#);
    made.confirmation = mailed(&client, "later@example.net");
    ask(&mut client, "POST /account/forgotten", "", "email=thief%40example.net");
    made.link = mailed(&client, "thief@example.net");

    let session = made.session.clone();
    for (namespace, machine) in [("alice", "alice-ci"), ("acme", "helper")] {
        let machines = format!("POST /v2/namespaces/{namespace}/machines");
        ask(&mut client, &machines, &session, &format!(r#"{{"username": "{machine}"}}"#));
        let response =
            ask(&mut client, &format!("{machines}/{machine}/access-tokens"), &session, r#"{"token_label": "x"}"#);
        if namespace == "alice" {
            made.own_machine = response.text("token");
        } else {
            (made.shared_machine, made.shared_uuid) = (response.text("token"), response.text("uuid"));
        }
    }
    ask(&mut client, "PUT /v2/namespaces/acme/members/mallory", &session, r#"{"role": "admin"}"#);
    let collaborators = "POST /v2/namespaces/alice/repositories/app/collaborators";
    ask(&mut client, collaborators, &session, r#"{"user": "mallory", "role": "admin"}"#);
    (client, made)
}

/// A token for Alice's repository, as docker shows it.
fn repository_token(client: &mut TestClient) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use test_support::runner::{Backend, TestRequest};
    let headers = [
        ("Authorization", format!("Basic {}", STANDARD.encode("alice:secret"))),
        ("X-Docker-Token", "true".to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    let target = "/v1/repositories/alice/app/".to_owned();
    let request = TestRequest { method: "PUT".into(), target, headers, body: b"[]".to_vec() };
    let response = client.app.send(&request).unwrap();
    let token = response.headers.iter().find(|(name, _)| name == "x-docker-token").unwrap();
    format!("Token {}", token.1)
}

#[test]
fn every_granting_column_is_listed() {
    let client = TestClient::new().unwrap();
    let listed = RIGHTS.iter().flat_map(|right| right.columns).chain(&NOTHING);
    assert_eq!(suspects(&client), listed.map(|column| (*column).to_owned()).collect());
}

/// The last of the commands, by the user's own hand.
#[test]
fn leaving_equals_a_removal() {
    let (client, made) = test_app();
    let mut after = TestClient { app: client.app.copied().unwrap() };
    let response = after.ask("DELETE /v2/user", &made.session, r#"{"password": "secret", "repositories": true}"#);
    assert_eq!(response.status, 204, "{response:?}");
    for right in &RIGHTS {
        let alive = (right.alive)(&mut TestClient { app: after.app.copied().unwrap() }, &made);
        assert_eq!(alive, right.fates[COMMANDS.len() - 1] != Dead, "{}", right.name);
    }
}

#[test]
fn commands_revoke_and_print_as_listed() {
    let (client, made) = test_app();
    let copied = |client: &TestClient| TestClient { app: client.app.copied().unwrap() };
    let mut wrong = Vec::new();
    for right in &RIGHTS {
        assert!((right.alive)(&mut copied(&client), &made), "{} opens nothing from the beginning", right.name);
    }
    for (at, command) in COMMANDS.iter().enumerate() {
        let mut after = copied(&client);
        let said = after.operated(command).unwrap();
        if command.starts_with("password") {
            let secret = said.link.split_once('#').unwrap().1.to_owned();
            let response = after.ask("POST /account/password", "", &format!("secret={secret}&password=another+one"));
            assert_eq!(response.status, 200, "{response:?}");
        }
        for right in &RIGHTS {
            let needle = (right.printed)(&made);
            let row = said.rows.iter().find(|row| !needle.is_empty() && row.contains(&needle));
            let undone = row.and_then(|row| row.split_once("npm run admin -- ")).map(|(_, command)| command.trim_end());
            let fate = match ((right.alive)(&mut copied(&after), &made), undone) {
                (false, _) => Dead,
                (true, None) => Lives,
                (true, Some(undo)) => {
                    let mut then = copied(&after);
                    // A row may say more behind the command.
                    let undo = undo.split("  ").next().unwrap();
                    then.operate(undo).unwrap();
                    assert!(!(right.alive)(&mut then, &made), "{command}: {undo:?} does not end {}", right.name);
                    Printed
                }
            };
            if fate != right.fates[at] {
                wrong.push(format!("{command}: {} is {fate:?}, not {:?}", right.name, right.fates[at]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("cases: {} credentials and rights under {} commands", RIGHTS.len(), COMMANDS.len());
}
