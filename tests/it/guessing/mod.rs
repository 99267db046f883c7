//! Guessing and flooding: how long a name must wait after so many refused passwords, what does not wait,
//! and that nobody is told more by the work of an answer than by its words. The clock is moved.

mod counted;

use base64::{Engine, engine::general_purpose::STANDARD};
use hublet::{
    domain::password,
    platform::{Platform, RateLimit},
};
use serde_json::{Value, json};
use test_support::{
    client::TestClient,
    runner::{Backend, RawResponse, TestRequest},
};

const MINT: &str = "/token?service=registry&scope=repository:paul/app:pull,push";

/// "secret", as `htpasswd -B` stores it.
const BCRYPT: &str = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

/// Seconds after which failures are forgotten.
const HOUR: u64 = 60 * 60;

/// An index with Paul, who has not been guessed at.
fn test_app() -> TestClient {
    let mut client = TestClient::new().unwrap();
    client.register("paul");
    client
}

/// Somebody who shows a password from an address.
fn from(client: &mut TestClient, address: &str, name: &str, password: &str) -> RawResponse {
    let basic = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    let headers = [("Authorization", basic), ("CF-Connecting-IP", address.to_owned())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    client
        .app
        .send(&TestRequest { method: "GET".into(), target: MINT.into(), headers, ..TestRequest::default() })
        .unwrap()
}

fn retry_after(response: &RawResponse) -> u64 {
    let header = response.headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value.parse());
    header.map_or(0, Result::unwrap)
}

/// Guesses so often, waiting as long as it takes, and gives how long each had to wait.
fn guess(client: &mut TestClient, address: &str, name: &str, times: usize) -> Vec<u64> {
    let mut waits = Vec::new();
    client.app.platform.finish_second();
    for _ in 0..times {
        let response = from(client, address, name, "guess");
        let wait = if response.status == 429 { retry_after(&response) } else { 0 };
        client.app.platform.advance(wait);
        if wait > 0 {
            assert_eq!(from(client, address, name, "guess").status, 401, "after the wait that was told");
        }
        waits.push(wait);
    }
    waits
}

#[test]
fn backoff_doubles_from_fifth_failure() {
    let mut client = test_app();
    let waits = guess(&mut client, "203.0.113.9", "paul", 18);
    assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    // One second too early is too early, also for the right password.
    client.app.platform.advance(899);
    let response = from(&mut client, "203.0.113.9", "paul", "secret");
    assert_eq!((response.status, retry_after(&response)), (429, 1));
    client.app.platform.advance(1);
    assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 200);
}

#[test]
fn failures_end_with_a_login_or_an_hour() {
    let mut client = test_app();
    guess(&mut client, "203.0.113.9", "paul", 5);
    client.app.platform.advance(1);
    assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 200);
    assert_eq!(guess(&mut client, "203.0.113.9", "paul", 6), [0, 0, 0, 0, 0, 1]);
    client.app.platform.advance(HOUR);
    assert_eq!(guess(&mut client, "203.0.113.9", "paul", 6), [0, 0, 0, 0, 0, 1]);
    let rows = |client: &TestClient| -> i64 {
        client
            .app
            .db
            .connection()
            .query_row("select count(*) from failures where name = 'paul'", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(rows(&client), 2);
    client.app.platform.advance(HOUR);
    client.app.scheduled();
    assert_eq!(rows(&client), 0, "rows expire");
}

#[test]
fn throttle_is_per_address_then_per_name() {
    let mut client = test_app();
    guess(&mut client, "203.0.113.9", "paul", 5);
    assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 429);
    // Another name from there, and the same name from elsewhere, do not wait.
    assert_eq!(from(&mut client, "203.0.113.9", "jane", "guess").status, 401);
    assert_eq!(from(&mut client, "203.0.113.10", "paul", "secret").status, 200);

    let mut client = test_app();
    for number in 0..50 {
        assert_eq!(from(&mut client, &format!("203.0.113.{number}"), "paul", "guess").status, 401, "{number}");
    }
    let response = from(&mut client, "198.51.100.1", "paul", "secret");
    assert_eq!((response.status, retry_after(&response)), (429, 1));
    client.app.platform.advance(1);
    assert_eq!(from(&mut client, "198.51.100.1", "paul", "secret").status, 200);
}

#[test]
fn ipv6_network_counts_as_one_address() {
    let mut client = test_app();
    for number in 1..=5 {
        assert_eq!(from(&mut client, &format!("2001:db8:1:2::{number}"), "paul", "guess").status, 401);
    }
    assert_eq!(from(&mut client, "2001:db8:1:2:ffff::1", "paul", "secret").status, 429);
    assert_eq!(from(&mut client, "2001:db8:1:3::1", "paul", "secret").status, 200);
}

#[test]
fn unknown_names_are_throttled_alike() {
    let mut client = test_app();
    for name in ["paul", "ghost"] {
        assert_eq!(guess(&mut client, "203.0.113.9", name, 7), [0, 0, 0, 0, 0, 1, 2], "{name}");
    }
}

#[test]
fn throttle_check_is_free() {
    let mut client = test_app();
    guess(&mut client, "203.0.113.9", "paul", 5);
    let before = password::hashes();
    let response = from(&mut client, "203.0.113.9", "paul", "guess");
    let round_trips = client.app.platform.log.borrow().iter().rev().find_map(|line| line["round_trips"].as_u64());
    assert_eq!((response.status, round_trips, password::hashes() - before), (429, Some(1), 0));
}

/// What nobody may tell apart, each with the same name and a wrong password.
#[test]
fn login_failures_are_indistinguishable() {
    let mut client = test_app();
    for name in ["unna", "dora", "robo"] {
        client.register(name);
    }
    client.operate("disable dora").unwrap();
    let sql = "update users set status = 'unconfirmed' where name = 'unna'";
    client.app.db.connection().execute(sql, []).unwrap();
    client
        .app
        .db
        .connection()
        .execute("update users set kind = 'machine', password = null where name = 'robo'", [])
        .unwrap();
    let mut cases = 0;
    let layer = format!("GET /v1/repositories/paul/app/layer/{}/access", "a".repeat(64));
    for way in [
        "GET /v1/users/",
        "PUT /v1/users/paul/",
        "GET /v1/search?q=a",
        "PUT /v1/repositories/paul/app/",
        "DELETE /v1/repositories/paul/app/",
        "GET /v1/repositories/paul/app/images",
        "PUT /v1/repositories/paul/app/images",
        "DELETE /v1/repositories/paul/app/images",
        &layer,
        "GET /v2/",
        "GET /v2/_catalog",
        &format!("GET {MINT}"),
        "POST /token",
        "POST /v2/users/login",
        "POST /v2/auth/token",
    ] {
        let mut observed = Vec::new();
        for name in ["nobo", "paul", "unna", "dora", "robo"] {
            let form = format!("grant_type=password&service=registry&client_id=docker&username={name}&password=guess");
            let login = json!({ "username": name, "password": "guess" }).to_string();
            let identified = json!({ "identifier": name, "secret": "guess" }).to_string();
            let (who, body) = match way {
                "POST /token" => (String::new(), form),
                "POST /v2/users/login" => (String::new(), login),
                "POST /v2/auth/token" => (String::new(), identified),
                _ => (format!("{name}:guess"), "[]".to_owned()),
            };
            let before = password::hashes();
            let mut answer = client.ask(way, &who, &body);
            answer.headers.retain(|(name, _)| name != "x-request-id");
            let hashes = password::hashes() - before;
            cases += 1;
            assert_eq!((answer.status, hashes), (401, 1), "{way} as {name}: {answer:?}");
            observed.push((answer.headers, answer.body, answer.round_trips));
            client.app.platform.advance(HOUR);
        }
        assert!(observed.windows(2).all(|pair| pair[0] == pair[1]), "{way}: {observed:?}");
    }
    println!("cases: {cases} wrong passwords that are one answer and one Argon2");
}

/// A database has hashes of earlier settings, and what an answer costs must not tell whose.
#[test]
fn unknown_name_costs_as_much_as_a_stored_hash() {
    let mut client = test_app();
    client.register("robo");
    let machine = "update users set kind = 'machine', password = null where name = 'robo'";
    client.app.db.connection().execute(machine, []).unwrap();
    client.app.set("PASSWORD_COST", "m=128,t=2,p=1");
    let costs = |client: &mut TestClient, name: &str| {
        let before = password::work();
        assert_eq!(from(client, "203.0.113.9", name, "guess").status, 401, "{name}");
        client.app.platform.advance(HOUR);
        password::work() - before
    };
    for name in ["paul", "aaaa", "nobo", "robo", "zzzz"] {
        assert_eq!(costs(&mut client, name), 64, "{name}");
    }
    // Of two costs each name has one, and the same whenever it is asked.
    client.register("zora");
    for (name, cost) in [("paul", 64), ("zora", 256), ("nobo", 64), ("robo", 256), ("quin", 256), ("zzzz", 64)] {
        assert_eq!([costs(&mut client, name), costs(&mut client, name)], [cost; 2], "{name}");
    }
    client.operate(&format!("add yara --bcrypt-stdin < {BCRYPT}")).unwrap();
    for (name, cost) in [("yara", 64 + (128 << 5)), ("robo", 64 + (128 << 5)), ("yyyy", 256), ("nobo", 64)] {
        assert_eq!([costs(&mut client, name), costs(&mut client, name)], [cost; 2], "{name}");
    }
}

/// The first login replaces an imported password, and the next hash waits for what bcrypt takes.
#[test]
fn imported_password_is_replaced_by_the_first_login() {
    let mut client = test_app();
    client.operate(&format!("add yara --bcrypt-stdin < {BCRYPT}")).unwrap();
    let stored = |client: &TestClient| {
        let sql = "select password from users where name = 'yara'";
        client.app.db.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    let imported = stored(&client);
    assert!(imported.starts_with("$2b$05$") && !imported.contains(&BCRYPT[29..]), "{imported}");
    client.app.platform.advance(1);
    let begun = client.app.platform.now_ms();
    assert_eq!(client.ask("GET /v1/users/", "yara:guess", "").status, 401);
    assert_eq!(stored(&client), imported, "a wrong password changes nothing");
    assert_eq!(client.ask("GET /v1/users/", "yara:secret", "").status, 200);
    assert_eq!(client.app.platform.now_ms() - begun, 150 + 9 + 150 + 9, "the guess, the login, and the new hash");
    assert!(stored(&client).starts_with("$argon2id$"), "{}", stored(&client));
    assert_eq!(client.ask("GET /v1/users/", "yara:secret", "").status, 200);
}

#[test]
fn tokens_are_not_throttled() {
    let mut client = test_app();
    let session = client.ask("POST /v2/users/login", "", r#"{"username": "paul", "password": "secret"}"#).text("token");
    let (access, _) = client.access_token(&format!("Bearer {session}"));
    let login = client.ask("GET /token?service=registry&offline_token=true", "paul:secret", "").text("refresh_token");
    for _ in 0..20 {
        client.ask("GET /v1/users/", "paul:guess", "");
        client.app.platform.advance(1);
    }
    assert_eq!(client.ask("GET /v1/users/", "paul:secret", "").status, 429);
    let refresh = format!("grant_type=refresh_token&service=registry&client_id=docker&refresh_token={login}");
    let before = password::hashes();
    assert_eq!(client.ask("POST /token", "", &refresh).status, 200);
    assert_eq!(client.ask(&format!("GET {MINT}"), &format!("paul:{access}"), "").status, 200);
    assert_eq!(client.ask("GET /v2/user", &format!("Bearer {session}"), "").status, 200);
    assert_eq!(password::hashes(), before, "none of them costs an Argon2");
}

/// Every dialect, as the client that reads it prints it.
#[test]
fn throttled_response_says_when_to_retry() {
    let mut client = test_app();
    for _ in 0..5 {
        client.ask("GET /v1/users/", "paul:guess", "");
    }
    let words = "Too many attempts, try again in 1 seconds";
    let login = r#"{"username": "paul", "password": "secret"}"#;
    let form = "grant_type=password&service=registry&client_id=docker&username=paul&password=secret";
    for (request, who, body, pointer) in [
        // Docker 1.x prints the whole body.
        ("GET /v1/users/", "paul:secret", "", ""),
        ("PUT /v1/repositories/paul/app/", "paul:secret", "[]", ""),
        // Today's docker prints `details` of the token service, podman what `errors` has.
        (&format!("GET {MINT}"), "paul:secret", "", "/details"),
        ("POST /token", "", form, "/errors/0/message"),
        ("GET /v2/", "paul:secret", "", "/errors/0/message"),
        ("POST /v2/users/login", "", login, "/detail"),
    ] {
        let response = client.ask(request, who, body);
        assert_eq!((response.status, response.header("retry-after")), (429, "1"), "{request}");
        assert_eq!(response.body.pointer(pointer), Some(&Value::from(words)), "{request}: {}", response.body);
    }
}

#[test]
fn address_limit_comes_before_any_cost() {
    let mut client = test_app();
    client.app.set("MAIL", "on");
    client.app.set("PUBLIC_URL", "https://hub.example.com");
    client.app.platform.over_limits.set(true);
    let before = password::hashes();
    let account = r#"{"username": "newcomer", "password": "secret", "email": "n@example.com"}"#;
    for (request, who, body) in [
        ("GET /v1/users/", "paul:secret", ""),
        ("POST /v1/users/", "", account),
        // Also who only asks whether a name or an address is taken.
        ("POST /v1/users/", "", r#"{"username": "paul", "password": "secret", "email": "n@example.com"}"#),
        ("POST /v1/users/", "", r#"{"username": "newcomer", "password": "secret", "email": "paul@example.com"}"#),
        (&format!("GET {MINT}"), "", ""),
        (&format!("GET {MINT}"), "paul:secret", ""),
        ("POST /account/forgotten", "", "email=paul@example.com"),
    ] {
        let response = client.ask(request, who, body);
        assert_eq!(
            (response.status, response.header("retry-after")),
            (429, "60"),
            "{request} as {who:?}: {response:?}"
        );
    }
    assert_eq!(password::hashes(), before);
}

#[test]
fn address_limit_uses_the_client_address() {
    let mut client = test_app();
    for (address, key) in [("203.0.113.9", "203.0.113.9"), ("2001:db8:1:2::7", "2001:db8:1:2::/64")] {
        client.app.platform.limits_asked.take();
        from(&mut client, address, "paul", "guess");
        assert_eq!(client.app.platform.limits_asked.take(), [(RateLimit::Logins, key.to_owned())]);
    }
    let deployed = include_str!("../../../wrangler.toml");
    for (limit, most) in [(RateLimit::Logins, 100), (RateLimit::Anonymous, 600), (RateLimit::Writes, 600)] {
        let (_, rest) = deployed.split_once(&format!("\nname = \"{}\"\n", limit.binding())).unwrap();
        let simple = rest.lines().find(|line| line.starts_with("simple"));
        assert_eq!(simple, Some(format!("simple = {{ limit = {most}, period = 60 }}").as_str()), "{limit:?}");
    }
}

#[test]
fn overlong_password_is_refused_without_a_hash() {
    let mut client = test_app();
    let before = password::hashes();
    let long = "x".repeat(password::MAX_PASSWORD_BYTES + 1);
    for name in ["paul", "nobo"] {
        let response = client.ask("GET /v1/users/", &format!("{name}:{long}"), "");
        assert_eq!((response.status, response.round_trips), (401, 0), "{response:?}");
    }
    assert_eq!(password::hashes(), before);
    let longest = "x".repeat(password::MAX_PASSWORD_BYTES);
    assert_eq!(client.ask("GET /v1/users/", &format!("paul:{longest}"), "").round_trips, 2, "it is counted");
}
