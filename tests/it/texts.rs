//! Texts that one person writes and another reads: one list of hostile ones, for every place where one can be written,
//! and for everything that shows it, also where it is stored since before.

use hublet::domain::texts::{self, Form};
use serde_json::{Value, json};
use test_support::{
    client::TestClient,
    runner::{Backend, TestRequest},
};

const APP: &str = "/v2/repositories/acme/app";
const TOKENS: &str = "/v2/namespaces/acme/machines/robot/access-tokens";

/// The hostile texts, and the harmless ones.
fn listed() -> (Vec<String>, Vec<String>) {
    let all: Value = serde_json::from_str(include_str!("../hostile-texts.json")).unwrap();
    let texts = |kinds: &[&str]| {
        let texts = kinds.iter().flat_map(|kind| match &all[*kind] {
            Value::Array(texts) => texts.clone(),
            Value::Object(texts) => texts.values().cloned().collect(),
            _ => panic!("no texts of the kind {kind}"),
        });
        texts.map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    (texts(&["lines", "everywhere", "unseen"]), texts(&["harmless"]))
}

/// An index where Paul and Jane are admins of a namespace with a repository and a machine; with their sessions.
fn test_app() -> (TestClient, String, String) {
    let mut client = TestClient::new().unwrap();
    let (paul, jane) = (client.register("paul"), client.register("jane"));
    for command in ["namespace acme", "member acme paul admin", "member acme jane admin"] {
        client.operate(command).unwrap();
    }
    client.confirm_email("jane");
    assert_eq!(client.ask("POST /v2/repositories", &paul, r#"{"namespace":"acme","name":"app"}"#).status, 201);
    assert_eq!(client.ask("POST /v2/namespaces/acme/machines", &paul, r#"{"username":"robot"}"#).status, 201);
    client.app.set("MAIL", "on");
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    (client, paul, jane)
}

/// Everything of a text in an answer that has no place there. A search is read in a terminal, line by line.
fn odd(value: &Value, form: Form) -> Vec<String> {
    match value {
        Value::String(text) if texts::acceptable("", text, form).is_err() => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(|value| odd(value, form)).collect(),
        Value::Object(members) => {
            let of = |name: &str| if name == "full_description" { Form::Page } else { form };
            members.iter().flat_map(|(name, value)| odd(value, of(name))).collect()
        }
        _ => vec![],
    }
}

/// What Jane sees of what Paul wrote, and Paul of what his clients did, each by what was asked.
fn shown(client: &mut TestClient, paul: &str, jane: &str) -> Vec<(String, Value)> {
    client.app.scheduled();
    let mut seen = Vec::new();
    for (who, path) in [
        ("", "/v1/search?q=app"),
        ("", "/v2/search/repositories?query=app"),
        (jane, APP),
        (jane, "/v2/repositories/acme"),
        (jane, &format!("{APP}/tags")),
        (jane, &format!("{APP}/tags/latest")),
        (jane, TOKENS),
        (jane, "/v2/auditlogs/acme?page_size=100"),
        (paul, "/v2/auditlogs/paul?page_size=100"),
        (paul, "/v2/access-tokens"),
        (paul, "/v2/refresh-tokens"),
    ] {
        let response = client.ask(&format!("GET {path}"), who, "");
        assert_eq!(response.status, 200, "{path}: {:?}", response.body);
        seen.push((path.to_owned(), response.body));
    }
    let mails = client.app.platform.mailbox.take();
    seen.extend(mails.into_iter().map(|mail| ("mail".to_owned(), json!([mail.subject, mail.text]))));
    // What people do with a log is theirs; a line of it is one line of what is seen.
    let log = client.app.platform.log.take();
    seen.extend(log.into_iter().map(|line| ("log".to_owned(), line)));
    seen
}

fn nothing_odd(seen: &[(String, Value)]) {
    for (path, value) in seen {
        let form = if path.starts_with("/v1/search") || path == "log" { Form::Line } else { Form::Lines };
        assert_eq!(odd(value, form), Vec::<String>::new(), "{path}");
    }
}

/// Asks with a body, and a name for the client.
fn send(client: &mut TestClient, request: &str, who: &str, agent: &str, body: &Value) -> u16 {
    let (method, target) = request.split_once(' ').unwrap();
    let headers = [("Authorization", who), ("Content-Type", "application/json"), ("User-Agent", agent)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let sent =
        TestRequest { method: method.into(), target: target.into(), headers, body: body.to_string().into_bytes() };
    client.app.send(&sent).unwrap().status
}

/// Writes a text wherever one can be written; gives what each was answered.
fn write(client: &mut TestClient, paul: &str, text: &str, number: usize) -> [u16; 6] {
    let encoded = text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let asked = format!("GET /token?service=registry&offline_token=true&client_id={encoded}");
    let end = "2026-01-07T00:00:00Z"; // a week after the play begins, of which people are warned
    let event = |action: &str, at: usize| {
        json!({
            "id": format!("{action} {number} {at} {text}").chars().take(60).collect::<String>(), "action": action,
            "target": { "mediaType": text, "digest": format!("sha256:{number:064x}"), "repository": "acme/app",
                "tag": "latest", "references": [{ "mediaType": text, "digest": text, "platform": { "os": text, "architecture": text } }] },
            "actor": { "name": text }, "request": { "addr": text },
        })
    };
    let events = json!({ "events": [event("push", 0), event("pull", 1), event(text, 2)] });
    let registry = client.event_authorization("registry");
    [
        send(client, &format!("PATCH {APP}"), paul, "x", &json!({ "description": text })),
        send(client, &format!("PATCH {APP}"), paul, "x", &json!({ "full_description": text })),
        send(client, &format!("POST {TOKENS}"), paul, text, &json!({ "token_label": text, "expires_at": end })),
        send(client, "POST /v2/access-tokens", paul, text, &json!({ "token_label": "x" })),
        client.ask(&asked, "paul:secret", "").status,
        client.ask("POST /events", &registry, &events.to_string()).status,
    ]
}

#[test]
fn hostile_text_is_harmless_to_others() {
    let (mut client, paul, jane) = test_app();
    client.app.platform.log.take();
    let (hostile, harmless) = listed();
    let mut cases = 0;
    for (number, text) in hostile.iter().enumerate() {
        let [description, page, label, agent, client_id, events] = write(&mut client, &paul, text, number);
        let is = |form| if texts::acceptable("", text, form).is_ok() { 200 } else { 400 };
        assert_eq!([description, page], [is(Form::Lines), is(Form::Page)], "{text:?}");
        assert_eq!([label, agent, client_id, events], [400, 201, 200, 200], "{text:?}");
        nothing_odd(&shown(&mut client, &paul, &jane));
        cases += 6;
    }
    for (number, text) in harmless.iter().enumerate() {
        assert_eq!(write(&mut client, &paul, text, 100 + number), [200, 200, 201, 201, 200, 200], "{text:?}");
        let seen = shown(&mut client, &paul, &jane);
        nothing_odd(&seen);
        let found = |path: &str| seen.iter().find(|(seen, _)| seen == path).unwrap().1.clone();
        assert_eq!(found(APP)["description"], text.as_str());
        assert_eq!(found(APP)["full_description"], text.as_str());
        assert_eq!(found("/v1/search?q=app")["results"][0]["description"], text.as_str());
        assert!(found(TOKENS)["results"].as_array().unwrap().iter().any(|token| token["token_label"] == text.as_str()));
        cases += 6;
    }
    println!("cases: {cases} texts that one person writes and another reads");
}

/// They were taken once.
#[test]
fn stored_hostile_text_is_harmless() {
    let (mut client, paul, jane) = test_app();
    write(&mut client, &paul, "plain", 0);
    for text in listed().0 {
        client.app.scheduled();
        let text = if text.contains('\0') { "\u{1b}[2J" } else { text.as_str() };
        for sql in [
            "update repositories set description = ?1, full_description = ?1",
            "update access_tokens set label = ?1, creator_ua = ?1, warned_days = null",
            "update refresh_tokens set client = ?1",
            "update tags set pushed_by = ?1",
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select at, account, action, name, ?1, credential, address,
               json_object('client', ?1, 'label', ?1, 'tag', ?1, 'user', ?1)
             from audit where action in ('org.access_token.create', 'repo.create') and actor = 'paul'",
        ] {
            assert!(client.app.db.connection().execute(sql, [text]).unwrap() > 0, "{sql}");
        }
        let sql = "update documents set description = ?1";
        assert!(client.app.search.connection().execute(sql, [text]).unwrap() > 0);
        let seen = shown(&mut client, &paul, &jane);
        assert!(seen.iter().any(|(path, _)| path == "mail"), "nobody was warned");
        nothing_odd(&seen);
    }
}

/// Too much is refused, and so is half of a letter, which is no text.
#[test]
fn malformed_text_is_refused() {
    let (mut client, paul, _) = test_app();
    for (request, field, most) in [
        (format!("PATCH {APP}"), "description", 100),
        (format!("PATCH {APP}"), "full_description", 25_000),
        (format!("POST {TOKENS}"), "token_label", 100),
    ] {
        let body = |text: &str| format!(r#"{{"{field}": "{text}"}}"#);
        for (text, good) in [
            ("\u{1f433}".repeat(most), true),
            ("\u{1f433}".repeat(most + 1), false),
            (r"\ud800".into(), false),
            (r"\udc00\ud800".into(), false),
            (r"\u0000".into(), false),
        ] {
            let status = client.ask(&request, &paul, &body(&text)).status;
            assert_eq!(status < 300, good, "{request} {field}: {status}");
            assert!(good || status == 400);
        }
    }
}
