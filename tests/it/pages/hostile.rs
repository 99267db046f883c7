//! What users, clients and registries write is text on every page, and never markup: wherever it is stored, and
//! wherever it was typed.

use std::collections::BTreeSet;

use hublet::{
    api::{self, Method},
    domain::texts,
    wire::{Dialect, request},
};
use serde_json::Value;
use test_support::{
    TestApp,
    client::TestClient,
    runner::{Backend, RawResponse, TestRequest},
};

use super::{markup, stored};

/// It is as little of a name, a number or a date as the others are.
const HARMLESS: &str = "a harmless text, with blanks";

/// The same for texts that are refused for their letters.
const ODD: &str = "a harmless text\u{202e}, with blanks";

/// Texts that would be something else than text.
const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script></title><script>alert(2)//<u",
    "\"><img src=x onerror=alert(1)>' onmouseover='alert(2)",
    "\" autofocus onfocus=\"alert(1)</textarea></select><b>",
    "</article></main></body><script src=//example.com/x>",
    "<!-- <b> --!> <![CDATA[ <i> &lt;b&gt; &#60;b&#62; &quot onload=&#x22;",
    "javascript:alert(1)//<b> [a](javascript:alert(1)) <javascript:b>",
    "\u{202e}txt.exe\u{2066}<i>",
    "nul\0<i>\u{1b}[2J\u{9d}\u{7f}",
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn<u",
    "//example.com/<b>\\ `<b>` {{7*7}} ${7} %3Cb%3E +ADw-b+AD4-",
];

/// The fields that forms and queries have; each gets the text.
const FIELDS: [&str; 34] = [
    "q",
    "name",
    "username",
    "user",
    "actor",
    "role",
    "from",
    "to",
    "order",
    "page",
    "next",
    "done",
    "label",
    "repositories",
    "days",
    "date",
    "description",
    "full_description",
    "namespace",
    "visibility",
    "new",
    "email",
    "uuid",
    "overlap",
    "tag",
    "secret",
    "new_password",
    "text",
    "notice",
    "find",
    "kind",
    "state",
    "repository",
    "address",
];

/// Forms that are refused for their last field alone, which the message names, or which comes back.
const LAST: [(&str, &str); 6] = [
    ("/settings/tokens/new", "label=a&scope=repo:read&days=90&repositories="),
    ("/settings/tokens/new", "label=a&scope=repo:read&days=soon&date="),
    ("/r/olga/-/service-accounts/olga-ci", "label=a&scope=repo:read&days=90&repositories="),
    ("/r/olga/-/service-accounts", "action=create&role=write&username="),
    ("/r/olga/-/new", "visibility=public&description=a&name="),
    ("/register", "password=secret&email=a@example.com&username="),
];

/// What forms do, as far as one of them does it.
const ACTIONS: [&str; 16] = [
    "", "set", "remove", "create", "describe", "privacy", "transfer", "delete", "add", "primary", "password", "name",
    "end", "others", "renew", "off",
];

/// An index in which every page has something to show, and the cookie of an administrator who owns what there is.
fn index() -> (TestClient, String) {
    let mut client = TestClient::new().unwrap();
    let [olga, jane, _] = ["olga", "jane", "mira"].map(|name| client.register(name));
    for command in ["grant olga", "namespace acme", "member acme olga admin"] {
        client.operate(command).unwrap();
    }
    let tool = client.operate("reconciler registry").unwrap();
    let tool = format!("Bearer {}", tool.split_once('=').unwrap().1);
    assert_eq!(client.ask("GET /reconciler", &tool, "").status, 200);
    let registry = client.event_authorization("registry");
    client.access_token(&olga);
    let sql = "select 'olga/' || id from access_tokens";
    let pusher = client.app.db.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
    let platform = |digest: String| {
        serde_json::json!({ "digest": digest, "size": 9,
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "platform": { "os": "linux", "architecture": "arm64" } })
    };
    let push = |tag: &str, letter: &str, images: Value| {
        let kind = if images.is_null() { "manifest" } else { "index" };
        serde_json::json!({ "id": tag, "action": "push", "actor": { "name": pusher }, "target": { "repository": "olga/app",
            "tag": tag, "digest": digest(letter), "size": 9, "references": images,
            "mediaType": format!("application/vnd.oci.image.{kind}.v1+json") } })
    };
    let index = push("2.0", "d", serde_json::json!([platform(digest("a")), platform(digest("b"))]));
    let pushes = ["1.0", "1.1", "1.2"].map(|tag| push(tag, &tag[2..].replace(['1', '2'], "c"), Value::Null));
    let mut other = push("1.0", "e", Value::Null);
    other["id"] = "other".into();
    other["target"]["repository"] = "olga/other".into();
    let events = serde_json::json!({ "events": [pushes[0], pushes[1], pushes[2], index, other] }).to_string();
    for (request, who, body) in [
        ("POST /v2/repositories", olga.as_str(), r#"{"namespace": "olga", "name": "app"}"#),
        ("POST /v2/repositories", &olga, r#"{"namespace": "olga", "name": "other"}"#),
        ("POST /v2/repositories", &jane, r#"{"namespace": "jane", "name": "hidden", "is_private": true}"#),
        ("PUT /v1/users/olga/", "olga:secret", r#"{"email": "olga@example.org"}"#),
        ("PUT /v2/namespaces/olga/members/mira", &olga, r#"{"role": "read"}"#),
        ("POST /v2/repositories/olga/app/collaborators", &olga, r#"{"user": "jane", "role": "write"}"#),
        ("POST /v2/namespaces/olga/machines", &olga, r#"{"username": "olga-ci"}"#),
        ("POST /v2/namespaces/olga/machines", &olga, r#"{"username": "olga-two"}"#),
        ("POST /v2/namespaces/olga/machines/olga-ci/access-tokens", &olga, r#"{"token_label": "one"}"#),
        ("POST /events", &registry, &events),
        ("DELETE /v2/repositories/olga/app/tags/1.1", &olga, ""),
        ("GET /token?service=registry&offline_token=true&client_id=docker", "olga:secret", ""),
        ("GET /token?service=registry&scope=repository:olga/none:push", "jane:secret", ""),
    ] {
        let response = client.ask(request, who, body);
        assert!(response.status < 300, "{request}: {} {}", response.status, response.body);
    }
    client.app.scheduled();
    let notice = "insert into notices (text, written_at, written_by) values ('', 0, '')";
    client.app.db.connection().execute(notice, []).unwrap();
    let cookie = client.sign_in("olga");
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.set("MAIL", "on");
    (client, cookie)
}

/// A request as a browser sends it.
fn sent(method: &str, target: String, cookie: &str, body: String) -> TestRequest {
    let header = |name: &str, value: String| (name.to_owned(), value);
    let headers = vec![
        header("Cookie", format!("hublet={cookie}; __Host-hublet={cookie}")),
        header("Sec-Fetch-Site", "same-origin".into()),
        header("Content-Type", "application/x-www-form-urlencoded".into()),
    ];
    TestRequest { method: method.into(), target, headers, body: body.into_bytes() }
}

fn encoded(text: &str) -> String {
    request::encoded(text, "")
}

/// A query, or a form, of these fields.
fn fields(names: &[&str], text: &str) -> String {
    names.iter().map(|name| format!("{name}={}", encoded(text))).collect::<Vec<_>>().join("&")
}

/// The pages of a method, by their patterns, each with a path about what is in the index.
fn pages(method: Method) -> impl Iterator<Item = (&'static str, String)> {
    let of_pages = api::PATHS.iter().filter(move |path| {
        path.errors == Dialect::Page && path.endpoints.iter().any(|endpoint| endpoint.method == method)
    });
    of_pages.map(|path| {
        let user = if path.pattern.contains("service-accounts") { "olga-ci" } else { "jane" };
        let variables = [("{namespace}", "olga"), ("{repository}", "olga/app"), ("{tag}", "1.0"), ("{username}", user)];
        let full = variables.iter().fold(path.pattern.to_owned(), |full, (name, value)| full.replace(name, value));
        (path.pattern, full)
    })
}

/// The forms of all pages with a text in every field, and in the name of one.
fn forms(text: &str, cookie: &str, actions: &[&str], password: &str) -> Vec<TestRequest> {
    let own = format!("{}={}", encoded(text), encoded(text));
    let typed = format!("{password}&{}&scope=repo:read&{own}", fields(&FIELDS, text));
    let of = |path: &str, action: &&str| sent("POST", path.into(), cookie, format!("action={action}&{typed}"));
    pages(Method::Post)
        .flat_map(|(_, path)| actions.iter().map(|action| of(&path, action)).collect::<Vec<_>>())
        .collect()
}

/// All that is asked with a text.
fn requests(text: &str, cookie: &str) -> Vec<TestRequest> {
    let get = |target: String| sent("GET", target, cookie, String::new());
    let mut all = forms(text, cookie, &ACTIONS, "password=secret");
    all.extend(LAST.map(|(path, form)| sent("POST", path.into(), cookie, form.to_owned() + &encoded(text))));
    all.push(get("/r/olga/app/-/tags/2.0".into()));
    for (_, path) in pages(Method::Get) {
        all.push(get(path.clone()));
        for names in [&FIELDS[..], &["q", "name", "user", "actor", "label", "next", "find"]] {
            all.push(get(format!("{path}?{}", fields(names, text))));
        }
    }
    let part = encoded(text);
    for path in ["/r/{}", "/r/{}/{}", "/r/olga/-/{}", "/r/{}/-/members", "/r/olga/-/service-accounts/{}"] {
        all.push(get(path.replace("{}", &part)));
    }
    for path in ["/r/olga/app/-/tags/{}", "/static/{}", "/account/{}", "/settings/{}", "/admin/{}", "/admin/users/{}"] {
        all.push(get(path.replace("{}", &part)));
    }
    all
}

/// What is wrong with an answer, beside what is another structure.
fn faults(response: &RawResponse) -> (Vec<String>, Vec<String>) {
    let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let location = header("location").unwrap_or("/");
    let mut faults = Vec::new();
    let of_header = |text: &str| text.chars().any(|letter| letter.is_control() || !letter.is_ascii());
    if !location.starts_with('/') || location.starts_with("//") || of_header(location) {
        faults.push(format!("leads to {location:?}"));
    }
    if !header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return (faults, Vec::new());
    }
    let page = markup::read(std::str::from_utf8(&response.body).unwrap());
    faults.extend(page.faults);
    let odd = |text: &&str| texts::acceptable("", text, texts::Form::Page).is_err();
    faults.extend(page.text.lines().filter(odd).map(|line| format!("odd letters: {line:?}")));
    (faults, page.structure)
}

/// The responses to requests with a text, each from the same state: to all, or after a while to forms, which the page that
/// takes the password sends again.
fn responses(client: &TestClient, cookie: &str, text: &str, later: bool) -> Vec<(String, RawResponse)> {
    let mut app: TestApp = client.app.copied().unwrap();
    app.set("SITE_NAME", text);
    app.platform.advance(if later { 15 * 60 } else { 1 });
    stored::put(&app, text);
    let again = |password| forms(text, cookie, &["set"], password);
    let all = if later { [again("a=b"), again("confirm_password=wrong")].concat() } else { requests(text, cookie) };
    let answered = all.into_iter().map(|request| {
        let mut trial = app.trial().unwrap();
        let response = trial.send(&request).unwrap();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let what = format!("{} {:.60} {:.40}", request.method, request.target, body);
        assert!(response.status < 500, "{what}: {} {:?}", response.status, response.faults);
        (what, response)
    });
    answered.collect()
}

#[test]
fn hostile_text_is_no_markup() {
    let (client, cookie) = index();
    let (mut cases, mut found) = (0, Vec::new());
    for later in [false, true] {
        let [harmless, odd] = [HARMLESS, ODD].map(|text| {
            let same = responses(&client, &cookie, text, later);
            same.iter().map(|(_, same)| (same.status, faults(same).1)).collect::<Vec<_>>()
        });
        for text in HOSTILE {
            let same = if texts::acceptable("", text, texts::Form::Page).is_ok() { &harmless } else { &odd };
            for ((what, response), (status, expected)) in responses(&client, &cookie, text, later).iter().zip(same) {
                let (faults, structure) = faults(response);
                cases += 1;
                found.extend(faults.iter().map(|fault| format!("{text:?} {what}: {fault}")));
                if (response.status, &structure) != (*status, expected) {
                    let at = structure.iter().zip(expected).position(|(one, other)| one != other).unwrap_or_default();
                    let near = |structure: &[String]| structure.iter().skip(at).take(3).cloned().collect::<Vec<_>>();
                    found.push(format!(
                        "{text:?} {what}: {} {:?}, but {} {:?}",
                        response.status,
                        near(&structure),
                        status,
                        near(expected)
                    ));
                }
            }
        }
    }
    println!("cases: {cases} pages with hostile texts");
    assert!(found.is_empty(), "{} of {cases}\n{}", found.len(), found[..found.len().min(40)].join("\n"));
}

#[test]
fn every_stored_text_is_on_a_page() {
    let (client, cookie) = index();
    let all = responses(&client, &cookie, HARMLESS, false);
    let read = |(_, response): &(String, RawResponse)| markup::read(&String::from_utf8_lossy(&response.body)).text;
    let bodies = all.iter().map(|page| read(page) + &String::from_utf8_lossy(&page.1.body)).collect::<Vec<_>>();
    let lacking =
        stored::marks().filter(|mark| !bodies.iter().any(|body| body.contains(mark))).collect::<BTreeSet<_>>();
    assert!(lacking.is_empty(), "on no page: {lacking:?}");
    // And nothing of it where there is no page.
    for (pattern, path) in pages(Method::Get).filter(|(pattern, _)| !pattern.contains("{file}")) {
        let status = client.app.copied().unwrap().send(&sent("GET", path, &cookie, String::new())).unwrap().status;
        assert_eq!(status, 200, "{pattern}");
    }
}
