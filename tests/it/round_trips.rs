//! How often an answer of the token service and of the management API waits for a database: never to
//! refuse what is malformed, forged or unknown, once for a read or a check, twice for a write.

use std::fmt::Write;

use serde_json::{Value, json};
use test_support::client::TestClient;

const MOST: usize = 500;

fn scopes(many: usize) -> String {
    (0..many).fold(String::new(), |mut all, number| {
        let _ = write!(all, "&scope=repository:paul/app{number}:pull,push");
        all
    })
}

/// An event as distribution sends it; each of another tag.
fn event(number: usize, action: &str) -> Value {
    json!({
        "id": format!("{action}-{number}"),
        "timestamp": "2025-12-01T10:00:00.123456789Z",
        "action": action,
        "target": {
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "size": 1234,
            "digest": format!("sha256:{number:064x}"),
            "length": 1234,
            "repository": format!("paul/app{}", number % 10),
            "url": format!("http://127.0.0.1:5000/v2/paul/app/manifests/sha256:{number:064x}"),
            "tag": format!("v{number}"),
        },
        "request": { "id": format!("{number:036x}"), "addr": "127.0.0.1:50000", "method": "PUT", "useragent": "x" },
        "actor": { "name": "paul" },
        "source": { "addr": "registry:5000", "instanceID": format!("{number:036x}") },
    })
}

fn events(many: usize, action: &str) -> String {
    json!({ "events": (0..many).map(|number| event(number, action)).collect::<Vec<_>>() }).to_string()
}

#[test]
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn responses_keep_to_their_round_trips() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    client.register("jane");
    client.operate("namespace acme").unwrap();
    client.operate("member acme paul admin").unwrap();
    let (access, uuid) = client.access_token(&session);
    let with_access = format!("paul:{access}");
    let made = client.ask("POST /v2/repositories", &session, r#"{"name": "app"}"#);
    assert_eq!(made.status, 201, "{made:?}");
    client.ask("POST /v2/namespaces/acme/machines", &session, r#"{"username": "robot"}"#);
    let tokens = "/v2/namespaces/acme/machines/robot/access-tokens";
    let robots = client.ask(&format!("POST {tokens}"), &session, r#"{"token_label": "builds"}"#).text("uuid");
    let login = client.ask("GET /token?service=registry&offline_token=true", "paul:secret", "");
    let token = format!("Bearer {}", login.text("token"));
    let searching = client.ask("GET /token?service=registry&scope=registry:catalog:search", "paul:secret", "");
    let searching = format!("Bearer {}", searching.text("token"));
    let refresh = format!(
        "grant_type=refresh_token&service=registry&client_id=docker&refresh_token={}{}",
        login.text("refresh_token"),
        scopes(MOST)
    );
    let refresh_uuid = client.ask("GET /v2/refresh-tokens", &session, "").body["results"][0]["uuid"].clone();
    let end_refresh = format!("DELETE /v2/refresh-tokens/{}", refresh_uuid.as_str().unwrap());
    let registry = client.event_authorization("registry");
    let forged = format!("{token}0");
    let mint = "GET /token?service=registry";
    let (most, more) = (format!("{mint}{}", scopes(MOST)), format!("{mint}{}", scopes(MOST + 1)));
    let broken = "paul:hlp_000000000000000000000000000000000000000000000000";
    let password = "grant_type=password&service=registry&client_id=docker&username=paul&password=secret";
    let offline = format!("{password}&access_type=offline");
    let one = format!("/v2/access-tokens/{uuid}");
    let robots_one = format!("{tokens}/{robots}");
    let choose = r#"{"primary": true, "password": "secret"}"#;
    let limited = json!({ "username": "paul", "password": access }).to_string();
    let limited = format!("Bearer {}", client.ask("POST /v2/users/login", "", &limited).text("token"));
    let with = |method: &str, path: &str| format!("{method} {path}");
    let list = |many| events(many, "push");
    let table = [
        (0, 400, "GET /token".to_owned(), "paul:secret", String::new()),
        (0, 400, "GET /token?service=other".into(), "paul:secret", String::new()),
        (0, 400, more, "paul:secret", String::new()),
        (0, 401, mint.into(), broken, String::new()),
        (0, 401, mint.into(), "Basic %%%", String::new()),
        (0, 401, mint.into(), "Bearer x.y.z", String::new()),
        (0, 401, mint.into(), "Pa+ul:secret", String::new()),
        (0, 401, format!("{mint}&account=jane"), "paul:secret", String::new()),
        (0, 400, "POST /token".into(), "", password.replace("password&", "magic&")),
        (0, 400, "POST /token".into(), "", password.replace("registry", "other")),
        (0, 400, "POST /token".into(), "", password.replace("client_id", "client")),
        (0, 400, "POST /token".into(), "", password.replace("username", "user")),
        (0, 401, "POST /token".into(), "", refresh.replace("hlr_", "hlr_0")),
        (0, 401, "GET /v2/".into(), &forged, String::new()),
        (0, 401, "GET /v2/_catalog".into(), &forged, String::new()),
        (0, 401, "GET /v1/search".into(), &token, String::new()),
        (0, 401, "POST /events".into(), "Bearer 0000", list(1)),
        (0, 401, "GET /v2/access-tokens".into(), "", String::new()),
        (0, 401, "GET /v2/access-tokens".into(), "paul:secret", String::new()),
        (0, 401, "GET /v2/access-tokens".into(), &token, String::new()),
        (0, 401, "POST /v2/access-tokens".into(), "", "{}".into()),
        (0, 401, with("POST", &format!("{one}/renew")), "", "{}".into()),
        (0, 200, "POST /token/revoke".into(), "", "token=hlp_000000000000000000000000000000000000000000000000".into()),
        (0, 200, "POST /token/revoke".into(), "", "token=nonsense&token_type_hint=refresh_token".into()),
        (0, 400, "POST /token/revoke".into(), "", format!("token={}", login.text("token"))),
        (0, 400, "POST /token/revoke".into(), "", "token_type_hint=refresh_token".into()),
        (0, 400, "POST /v2/users/login".into(), "", "{".into()),
        (0, 400, "POST /v2/users/login".into(), "", "username=paul".into()),
        (1, 200, mint.into(), "", String::new()),
        (1, 200, most.clone(), "", String::new()),
        (1, 200, most.clone(), "paul:secret", String::new()),
        (1, 200, most.clone(), "jane:secret", String::new()),
        (1, 200, most, &with_access, String::new()),
        (1, 200, format!("{mint}&offline_token=true"), &with_access, String::new()),
        (1, 200, "POST /token".into(), "", password.into()),
        (1, 200, "POST /token".into(), "", refresh.clone()),
        (1, 200, "GET /v2/".into(), "paul:secret", String::new()),
        (1, 200, "GET /v2/".into(), &token, String::new()),
        (1, 200, "GET /v2/_catalog".into(), "", String::new()),
        (1, 200, "GET /v2/_catalog".into(), "paul:secret", String::new()),
        (1, 200, "GET /v2/_catalog".into(), &with_access, String::new()),
        (1, 200, "GET /v2/_catalog?n=1".into(), &token, String::new()),
        (1, 200, "GET /v2/paul/app/tags/list".into(), &token, String::new()),
        (0, 401, "GET /v2/paul/app/tags/list".into(), &forged, String::new()),
        (1, 200, "GET /v1/repositories/paul/app/tags".into(), "paul:secret", String::new()),
        (0, 404, "GET /v2/paul/app/manifests/latest".into(), &token, String::new()),
        (0, 404, "POST /v2/paul/app/blobs/uploads/".into(), "paul:secret", "x".into()),
        (0, 200, "POST /events".into(), &registry, list(0)),
        (0, 200, "POST /events".into(), &registry, "{".into()),
        (1, 200, "POST /events".into(), &registry, list(1)),
        (1, 200, "POST /events".into(), &registry, events(10, "pull")),
        (1, 200, "POST /events".into(), &registry, events(10, "delete")),
        (1, 200, "POST /events".into(), &registry, list(1_000)),
        (1, 200, "POST /v2/users/login".into(), "", r#"{"username": "paul", "password": "secret"}"#.into()),
        (1, 200, "GET /v2/user".into(), &session, String::new()),
        (1, 200, "GET /v2/user/orgs".into(), &session, String::new()),
        (1, 200, "GET /v2/repositories/namespaces".into(), &limited, String::new()),
        (1, 200, "GET /v2/users/paul".into(), "", String::new()),
        (1, 404, "GET /v2/users/jane".into(), &session, String::new()),
        (1, 200, "GET /v2/orgs/acme".into(), &session, String::new()),
        (1, 200, "POST /v2/logout".into(), &session, String::new()),
        (0, 401, "POST /v2/logout".into(), &token, String::new()),
        (1, 200, "GET /v2/user/emails".into(), &session, String::new()),
        (0, 401, "POST /v2/user/emails".into(), "", "{}".into()),
        (1, 403, "PATCH /v2/user/emails/second@x".into(), &limited, choose.into()),
        (2, 201, "POST /v2/user/emails".into(), &session, r#"{"email": "second@x", "password": "secret"}"#.into()),
        (2, 200, "PATCH /v2/user/emails/second@x".into(), &session, choose.into()),
        (2, 204, "DELETE /v2/user/emails/second@x".into(), &session, r#"{"password": "secret"}"#.into()),
        (0, 401, "POST /v2/user/password".into(), "", "{}".into()),
        (1, 400, "POST /v2/user/password".into(), &session, r#"{"password": "secret"}"#.into()),
        (
            1,
            403,
            "POST /v2/user/password".into(),
            &limited,
            r#"{"password": "secret", "new_password": "other"}"#.into(),
        ),
        (0, 401, "DELETE /v2/user".into(), "", "{}".into()),
        (1, 403, "DELETE /v2/user".into(), &session, r#"{"password": "secret"}"#.into()),
        (1, 404, "DELETE /v2/user/emails/second@x".into(), &session, r#"{"password": "secret"}"#.into()),
        (1, 200, "GET /v2/access-tokens".into(), &session, String::new()),
        (1, 200, with("GET", &one), &session, String::new()),
        (1, 404, with("GET", &robots_one).replace("robot", "ghost"), &session, String::new()),
        (1, 200, "GET /v2/refresh-tokens".into(), &session, String::new()),
        (1, 200, "GET /v2/namespaces/acme/machines".into(), &session, String::new()),
        (1, 200, with("GET", tokens), &session, String::new()),
        (1, 200, with("GET", &robots_one), &session, String::new()),
        (1, 200, "GET /v2/repositories/paul/app".into(), &session, String::new()),
        (1, 200, "GET /v2/repositories/paul/app/stars".into(), &session, String::new()),
        (1, 200, "GET /v2/repositories/paul/app/images".into(), &session, String::new()),
        (1, 200, "GET /v2/repositories/paul/app/images-summary".into(), "", String::new()),
        (1, 200, "GET /v2/search/repositories/?query=app".into(), "", String::new()),
        (1, 200, "GET /".into(), "", String::new()),
        (0, 204, "GET /favicon.ico".into(), "", String::new()),
        (0, 200, "GET /robots.txt".into(), "", String::new()),
        // The health is that of both databases, which are asked at the same time.
        (2, 200, "GET /health".into(), "", String::new()),
        (2, 200, "GET /health".into(), &session, String::new()),
        (0, 401, "GET /health".into(), &token, String::new()),
        // Search asks the other database.
        (2, 200, "GET /v2/search/repositories/?query=app".into(), &session, String::new()),
        (0, 401, "GET /v2/auditlogs/paul".into(), "paul:secret", String::new()),
        (1, 200, "GET /v2/auditlogs/paul?action=repo.tag.push&name=paul/app:v1".into(), &session, String::new()),
        (1, 200, "GET /v2/auditlogs/paul/actions".into(), &session, String::new()),
        (1, 403, "GET /v2/auditlogs/jane".into(), &session, String::new()),
        (1, 400, "POST /v2/access-tokens".into(), &session, "{}".into()),
        (1, 415, "POST /v2/access-tokens".into(), &session, "x=y".into()),
        (1, 403, "POST /v2/namespaces/none/machines".into(), &session, r#"{"username": "other"}"#.into()),
        (1, 404, "POST /account/password".into(), "", "secret=x&password=other".into()),
        // A failure is counted, and search asks the other database.
        (2, 401, mint.into(), "paul:guess", String::new()),
        (2, 200, "GET /v1/search?q=app".into(), &searching, String::new()),
        (2, 200, format!("{mint}&offline_token=true{}", scopes(MOST)), "paul:secret", String::new()),
        (2, 200, "POST /token".into(), "", offline),
        (2, 201, "POST /v2/access-tokens".into(), &session, r#"{"token_label": "another"}"#.into()),
        (2, 200, with("POST", &format!("{one}/renew")), &session, r#"{"overlap_seconds": 60}"#.into()),
        (2, 200, with("POST", &format!("{robots_one}/renew")), &session, "{}".into()),
        (1, 200, mint.into(), &with_access, String::new()),
        (1, 200, "POST /token/revoke".into(), "", format!("token={access}")),
        (1, 401, mint.into(), &with_access, String::new()),
        (2, 200, with("PATCH", &one), &session, r#"{"is_active": false}"#.into()),
        (2, 204, with("DELETE", &one), &session, String::new()),
        (2, 204, end_refresh.clone(), &session, String::new()),
        (1, 404, end_refresh, &session, String::new()),
        (1, 401, "POST /token".into(), "", refresh),
        (2, 201, "POST /v2/namespaces/acme/machines".into(), &session, r#"{"username": "other"}"#.into()),
        (2, 201, with("POST", tokens), &session, r#"{"token_label": "another"}"#.into()),
        (2, 200, with("PATCH", &robots_one), &session, r#"{"is_active": false}"#.into()),
        (2, 204, with("DELETE", &robots_one), &session, String::new()),
        (2, 204, "DELETE /v2/namespaces/acme/machines/robot".into(), &session, String::new()),
        (2, 204, "DELETE /v2/user".into(), &session, r#"{"password": "secret", "repositories": true}"#.into()),
    ];
    for (round_trips, status, request, who, body) in table {
        let response = client.ask(&request, who, &body);
        let case = format!("{request} as {who:?} with {}: {}", body.get(..80).unwrap_or(&body), response.body);
        assert_eq!((response.status, response.round_trips), (status, round_trips), "{case}");
    }
}

#[test]
fn uncached_password_costs_one_more() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let mint = "GET /token?service=registry";
    for (round_trips, request) in [(2, "GET /v2/"), (2, mint), (3, "GET /token?service=registry&offline_token=true")] {
        client.app.platform.advance(5 * 60);
        let first = client.ask(request, "paul:secret", "");
        assert_eq!((first.status, first.round_trips), (200, round_trips), "{request}");
        let second = client.ask(request, "paul:secret", "");
        assert_eq!((second.status, second.round_trips), (200, round_trips - 1), "{request}, remembered");
    }
}

#[test]
fn password_reset_costs_the_same_for_all() {
    let mut client = TestClient::new().unwrap();
    for name in ["paul", "typist"] {
        client.register(name);
    }
    client.confirm_email("paul");
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.set("MAIL", "on");
    let late = r#"{"username": "late", "password": "secret", "email": "late@example.com"}"#;
    assert_eq!(client.ask("POST /v1/users/", "", late).status, 201);
    for (status, round_trips, mails, email) in [
        (400, 0, 1, "paul"),
        (200, 1, 1, "ghost@example.com"),
        // Nobody ever opened a mail there.
        (200, 1, 1, "typist@example.com"),
        (200, 1, 2, "PAUL@example.com"),
        (200, 1, 3, "late@example.com"),
        (200, 1, 4, "LATE@example.com"),
        // Three with that of the registration, which is all that one address is sent.
        (200, 1, 4, "late@example.com"),
    ] {
        let response = client.ask("POST /account/forgotten", "", &format!("email={email}"));
        assert_eq!((response.status, response.round_trips), (status, round_trips), "{email}");
        assert_eq!(client.app.platform.mailbox.borrow().len(), mails, "{email}");
    }
}

#[test]
fn token_use_is_recorded_sparsely() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    let (access, _) = client.access_token(&session);
    let login = client.ask("GET /token?service=registry&offline_token=true", "paul:secret", "");
    let exchange = format!(
        "grant_type=refresh_token&service=registry&client_id=docker&refresh_token={}",
        login.text("refresh_token")
    );
    for (table, seconds, who, body) in [
        ("access_tokens", 60, format!("paul:{access}"), ""),
        ("refresh_tokens", 3600, String::new(), exchange.as_str()),
    ] {
        let request = if body.is_empty() { "GET /token?service=registry" } else { "POST /token" };
        // From one that was noted, when that may be.
        client.app.platform.advance(seconds);
        let mut noted = |pass: u64| -> i64 {
            client.app.platform.advance(pass);
            assert_eq!(client.ask(request, &who, body).status, 200);
            let sql = format!("select max(used_at) from {table}");
            client.app.db.connection().query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        let first = noted(0);
        assert_eq!(noted(seconds - 1), first, "{table}");
        assert_eq!(noted(1), first + i64::try_from(seconds).unwrap(), "{table}");
    }
}

#[test]
fn long_list_has_its_count_and_last_page() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    let sql = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 5001)
        insert into repositories (namespace_id, name, full_name, private, created_at, updated_at, pushed_at)
        select id, printf('app%05d', i), printf('paul/app%05d', i), 0, 0, 0, 0 from namespaces join n where name = 'paul'";
    client.app.db.connection().execute(sql, []).unwrap();
    let response = client.ask("GET /v2/namespaces/paul/repositories?page=501&page_size=10", &session, "");
    assert_eq!((response.status, &response.body["count"], response.round_trips), (200, &json!(5001), 1));
    assert_eq!(response.body["results"][0]["name"], "app05001");
}

#[test]
fn longest_notification_is_accepted() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let registry = client.event_authorization("registry");
    let most = 8 << 20;
    // Most of what registries send is not kept.
    let long = |number| {
        let mut event = event(number, "push");
        event["request"]["useragent"] = json!("x".repeat(16_000));
        event
    };
    let list = json!({ "events": (0..500).map(long).collect::<Vec<_>>() }).to_string();
    assert!((most - 400_000..most).contains(&list.len()), "{}", list.len());
    let response = client.ask("POST /events", &registry, &list);
    assert_eq!((response.status, &response.body["taken"], response.round_trips), (200, &json!(500), 1), "{response:?}");
    let tags = client.ask("GET /v2/repositories/paul/app0/tags", "", "");
    assert_eq!(tags.body["count"], 50);
    let response = client.ask("POST /events", &registry, &" ".repeat(most + 1));
    assert_eq!(response.status, 413);
}

#[test]
fn thousand_events_take_two_round_trips() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let long = |number: usize| {
        let mut event = event(number, "push");
        event["id"] = json!(format!("{number:0>100}"));
        event["target"]["mediaType"] = json!("é".repeat(400));
        event["target"]["repository"] = json!(format!("paul/{number:0>250}"));
        event["target"]["tag"] = json!(format!("{number:0>128}"));
        event["target"]["digest"] = json!(format!("sha512:{number:0128x}"));
        event["actor"]["name"] = json!("\"".repeat(400));
        event
    };
    let list = json!({ "events": (0..1_000).map(long).collect::<Vec<_>>() }).to_string();
    let response = client.ask("POST /events", &client.event_authorization("registry"), &list);
    assert_eq!(
        (response.status, &response.body["taken"], response.round_trips),
        (200, &json!(1_000), 2),
        "{response:?}"
    );
}
