//! Access tokens that end, and logins that are noted: what follows an answer, or happens without one.

use base64::{Engine, engine::general_purpose::STANDARD};
use hublet::{platform::Platform, serve};
use serde_json::json;
use test_support::{client::TestClient, fake_platform::block_on, runner::TestRequest};

const DAY: u64 = 24 * 60 * 60;

/// Calls of `DB` that an answer waits for, and those that follow it.
fn calls(client: &mut TestClient, method: &str, target: &str, basic: &str, body: &str) -> (u16, u32, u32) {
    let mut headers = vec![("CF-Connecting-IP".to_owned(), "203.0.113.9".to_owned())];
    if !basic.is_empty() {
        headers.push(("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(basic))));
    }
    if body.starts_with('{') {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let sent = TestRequest { method: method.into(), target: target.into(), headers, body: body.into() };
    let request = client.app.received(&sent).unwrap();
    let index = client.app.context();
    let reply = block_on(serve::serve(&index, &request));
    let waited = index.db.round_trips();
    client.app.platform.run_pending();
    (reply.status, waited, index.db.round_trips() - waited)
}

fn logins(client: &TestClient) -> Vec<(String, String, String)> {
    let sql = "select name, credential, address from audit where action = 'user.login' order by id";
    let connection = client.app.db.connection();
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A busy token costs no statement more than it did: a login is noted after the answer, once an hour.
#[test]
fn login_is_recorded_once_an_hour() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    let (access, uuid) = client.access_token(&session);
    let login = client.ask("GET /token?service=registry&offline_token=true", "paul:secret", "");
    let refresh = client.ask("GET /v2/refresh-tokens", &session, "").body["results"][0]["uuid"].clone();
    let form = |rest: &str| format!("grant_type={rest}&service=registry&client_id=docker");
    let by_refresh = form(&format!("refresh_token&refresh_token={}", login.text("refresh_token")));
    let by_password = form("password&username=paul&password=secret");
    let with_access = format!("paul:{access}");
    let session_body = json!({ "username": "paul", "password": access }).to_string();
    let newer_body = json!({ "identifier": "paul", "secret": "secret" }).to_string();
    let ways: [(&str, &str, &str, &str); 8] = [
        ("GET", "/v1/users/", "paul:secret", ""),
        ("GET", "/v2/", "paul:secret", ""),
        ("POST", "/v2/auth/token", "", &newer_body),
        ("POST", "/token", "", &by_password),
        ("GET", "/token?service=registry", &with_access, ""),
        ("POST", "/v2/users/login", "", &session_body),
        ("GET", "/v1/users/", &with_access, ""),
        ("POST", "/token", "", &by_refresh),
    ];
    client.app.platform.advance(2 * 60 * 60);
    for hour in 0..2 {
        let before = logins(&client).len();
        for (at, (method, target, basic, body)) in ways.into_iter().enumerate() {
            // A password that is not remembered is counted before it is looked at, and that is taken back. After the
            // first of each credential the login is noted, and for tokens the time of their use.
            let (waited, after) = match at {
                0 => (2, 2),
                4 | 7 => (1, 2),
                _ => (1, 0),
            };
            let made = calls(&mut client, method, target, basic, body);
            assert_eq!(made, (200, waited, after), "{method} {target} {basic} {body}, hour {hour}");
            let again = calls(&mut client, method, target, basic, body);
            assert_eq!(again, (200, 1, 0), "{method} {target} {basic} {body}, hour {hour}, again");
        }
        let found = logins(&client).split_off(before);
        let means =
            ["password".into(), format!("access-token {uuid}"), format!("refresh-token {}", refresh.as_str().unwrap())];
        let expected = means.map(|means| ("paul".to_owned(), means, "203.0.113.9".to_owned()));
        assert_eq!(found, expected, "hour {hour}");
        client.app.platform.advance(60 * 60);
    }
    // Nobody, and who is refused, did not log in.
    let before = logins(&client).len();
    assert_eq!(calls(&mut client, "GET", "/token?service=registry", "", ""), (200, 1, 0));
    assert_eq!(calls(&mut client, "GET", "/v1/users/", "paul:guess", "").0, 401);
    assert_eq!(logins(&client).len(), before);
}

/// What an isolate does not remember, the database does.
#[test]
fn login_recorded_elsewhere_is_not_repeated() {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    let before = logins(&client).len();
    // The login of `join` is remembered here, with another address.
    assert_eq!(calls(&mut client, "GET", "/v1/users/", "paul:secret", ""), (200, 1, 1));
    client.app.set("SITE", "another deployment");
    assert_eq!(calls(&mut client, "GET", "/v1/users/", "paul:secret", ""), (200, 2, 2));
    assert_eq!(logins(&client).len(), before + 1);
}

/// The mails about tokens so far: to whom, and in how many days.
fn mails(client: &TestClient) -> Vec<(String, String)> {
    let mailbox = client.app.platform.mailbox.borrow();
    let about = mailbox.iter().filter(|mail| mail.subject.contains("access token"));
    about.map(|mail| (mail.to.clone(), mail.text.split_once(", in ").unwrap().1.chars().take(7).collect())).collect()
}

fn warned(client: &TestClient) -> Vec<String> {
    let log = client.app.platform.log.borrow();
    let lines = log.iter().filter(|line| line["doing"] == "warn of the end of an access token");
    lines.map(|line| format!("{} {}", line["token"].as_str().unwrap(), line["days"])).collect()
}

#[test]
fn expiring_token_is_announced() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    client.register("jane");
    client.register("mary");
    client.operate("namespace acme").unwrap();
    for member in ["acme paul admin", "acme jane admin", "acme mary write"] {
        client.operate(&format!("member {member}")).unwrap();
    }
    client.ask("POST /v2/namespaces/acme/machines", &session, r#"{"username": "robot"}"#);
    let end = hublet::domain::time::format_rfc3339(client.app.platform.now() + 60 * i64::try_from(DAY).unwrap());
    let machine = format!(r#"{{"token_label": "builds", "expires_at": "{end}"}}"#);
    let machine = client.ask("POST /v2/namespaces/acme/machines/robot/access-tokens", &session, &machine).text("uuid");
    // A label of before there was a rule for them.
    let label = "update access_tokens set label = 'builds' || char(13, 10) || 'Bcc: x' where label = 'builds'";
    assert_eq!(client.app.db.connection().execute(label, []).unwrap(), 1);
    let own = client.access_token(&session).1;
    let soon = hublet::domain::time::format_rfc3339(client.app.platform.now() + 5 * i64::try_from(DAY).unwrap());
    let short = client.ask(
        "POST /v2/access-tokens",
        &session,
        &json!({ "token_label": "short", "expires_at": soon }).to_string(),
    );
    let short = short.text("uuid");
    // Mary is no admin, and nobody proved that Jane's address is hers.
    let proved = "update emails set proved_at = confirmed_at where address <> 'jane@example.com'";
    client.app.db.connection().execute(proved, []).unwrap();
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.set("MAIL", "on");
    let expect = |client: &TestClient, days: u64, expected: &[&str]| {
        let before = (warned(client).len(), mails(client).len());
        client.app.platform.advance(days * DAY);
        client.app.scheduled();
        client.app.scheduled();
        let found = warned(client).split_off(before.0);
        assert_eq!(found, expected);
        let mailed = mails(client).split_off(before.1);
        assert_eq!(mailed.len(), expected.len(), "{mailed:?}");
        assert!(mailed.iter().all(|(to, _)| to == "paul@example.com"), "{mailed:?}");
    };
    // Who asks for five days is told of the last one alone.
    expect(&client, 0, &[]);
    expect(&client, 4, &[&format!("{short} 1")]);
    expect(&client, 25, &[]);
    expect(&client, 1, &[&format!("{machine} 30")]);
    expect(&client, 23, &[&format!("{machine} 7")]);
    expect(&client, 6, &[&format!("{machine} 1")]);
    expect(&client, 276, &[&format!("{own} 30")]);
    // The run that could not be at 7 days: the next one tells what is true then, once.
    expect(&client, 29, &[&format!("{own} 1")]);
    expect(&client, 1, &[]);
    let mailbox = client.app.platform.mailbox.borrow();
    assert!(mailbox.iter().all(|mail| !mail.text.contains("\r\nBcc")), "a label is no header");
}

/// One that is not active opens nothing, and its end takes nothing away.
#[test]
fn inactive_token_is_not_announced() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    let (_, uuid) = client.access_token(&session);
    client.ask(&format!("PATCH /v2/access-tokens/{uuid}"), &session, r#"{"is_active": false}"#);
    client.app.platform.advance(340 * DAY);
    client.app.scheduled();
    assert_eq!(warned(&client), Vec::<String>::new());
}

/// However many end on one day, a run takes a few, and the next ones take the rest.
#[test]
fn announcements_are_bounded_per_run() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    for _ in 0..25 {
        client.access_token(&session);
    }
    client.app.platform.advance(340 * DAY);
    let runs = (0..4).map(|_| {
        client.app.scheduled();
        warned(&client).len()
    });
    assert_eq!(runs.collect::<Vec<_>>(), [10, 20, 25, 25]);
}

/// Of two who renew at once one has the new secret, and the other is not given one that is good for nothing.
#[test]
fn one_of_two_concurrent_renewals_wins() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    let (_, uuid) = client.access_token(&session);
    let headers = [("Authorization", session.as_str()), ("Content-Type", "application/json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let target = format!("/v2/access-tokens/{uuid}/renew");
    let sent = TestRequest { method: "POST".into(), target, headers, body: "{}".into() };
    let request = client.app.received(&sent).unwrap();
    let quicker = |database: &std::rc::Rc<test_support::sqlite::Sqlite>| {
        database.connection().execute("update access_tokens set hash = 'of the other'", []).unwrap();
    };
    let (reply, _) =
        test_support::hooks::answer(&client.app, &request, test_support::hooks::before_first_write(quicker));
    assert_eq!(reply.status, 400);
    let sql = "select hash, (select count(*) from audit where action = 'org.access_token.renew') from access_tokens";
    let stored = client.app.db.connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(stored, ("of the other".to_owned(), 0));
}
