//! Guesses are counted before they are looked at, whoever else guesses, and what a right password forgets.

use std::{cell::Cell, rc::Rc, task::Poll};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::LocalBoxFuture;

use hublet::{
    domain::{password, throttle},
    error::Fault,
    platform::Platform,
    store::{Database, Db, Rows, Statement, login_failures},
};

use test_support::{client::TestClient, sqlite::Sqlite};

use super::{HOUR, from, guess, test_app};

#[test]
fn login_resets_only_its_own_address() {
    // Elsewhere it has not forgotten what the name had from here.
    let mut client = test_app();
    guess(&mut client, "203.0.113.9", "paul", 4);
    assert_eq!(from(&mut client, "203.0.113.10", "paul", "secret").status, 200);
    assert_eq!(guess(&mut client, "203.0.113.9", "paul", 1), [0]);
    assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 429);

    let mut client = test_app();
    for number in 0..49 {
        assert_eq!(from(&mut client, &format!("203.0.113.{number}"), "paul", "guess").status, 401, "{number}");
    }
    assert_eq!(from(&mut client, "198.51.100.1", "paul", "secret").status, 200, "a name with 49 failures elsewhere");
    assert_eq!(from(&mut client, "198.51.100.2", "paul", "guess").status, 401);
    assert_eq!(from(&mut client, "198.51.100.1", "paul", "secret").status, 429);
}

/// How many guesses at Paul are looked at, of so many in an hour that come each from a network of its own,
/// while he logs in every minute where nobody remembers him.
fn looked_at(client: &mut TestClient, guesses: usize) -> usize {
    let (mut looked_at, before) = (0, client.app.platform.now_ms());
    for number in 0..guesses {
        let response = from(client, &format!("2001:db8:1:{number:x}::1"), "paul", "guess");
        looked_at += usize::from(response.status == 401);
        if number % (guesses / 60) == 0 {
            client.app.set("PASSWORD_COST", "m=64,t=1,p=1");
            from(client, "198.51.100.1", "paul", "secret");
        }
        let due = HOUR * 1000 * (number as u64 + 1) / guesses as u64;
        let wait = (before + due).saturating_sub(client.app.platform.now_ms()) / 1000;
        client.app.platform.advance(wait);
    }
    looked_at
}

#[test]
fn guesses_of_a_network_are_bounded_per_hour() {
    let mut client = test_app();
    // The wait doubles to 15 minutes from there: some fifteen more fit into the hour.
    let looked_at = looked_at(&mut client, 1_200);
    assert!((50..=65).contains(&looked_at), "{looked_at} were looked at");
}

#[test]
fn login_does_not_extend_failures() {
    let mut client = test_app();
    for number in 0..30 {
        assert_eq!(from(&mut client, &format!("203.0.113.{number}"), "paul", "guess").status, 401, "{number}");
    }
    for _ in 0..61 {
        client.app.set("PASSWORD_COST", "m=64,t=1,p=1");
        assert_eq!(from(&mut client, "198.51.100.1", "paul", "secret").status, 200);
        client.app.platform.advance(60);
    }
    assert_eq!(from(&mut client, "203.0.113.200", "paul", "guess").status, 401);
    let sql = "select count from failures where name = 'paul' and address = ''";
    let count: i64 = client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn counting_sql_agrees_with_throttle() {
    let client = test_app();
    let now = client.app.platform.now();
    let mut cases = 0;
    for count in 0..75 {
        for age in [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 511, 512, 513, 899, 900, 901, 1023, 3599, 3600, 3601] {
            for address in ["203.0.113.9", ""] {
                let row = (count, now - age, address);
                let sql = "insert or replace into failures (name, count, last_at, address) values ('paul', ?1, ?2, ?3)";
                client.app.db.connection().execute("delete from failures", []).unwrap();
                client.app.db.connection().execute(sql, row).unwrap();
                let failures = throttle::Failures { count, last_at: now - age };
                let wait = if address.is_empty() {
                    throttle::retry_after(throttle::Failures::default(), failures, now)
                } else {
                    throttle::retry_after(failures, throttle::Failures::default(), now)
                };
                let rows = test_support::fake_platform::block_on(
                    client.app.db.batch(&login_failures::count("paul", "203.0.113.9", now).map(Statement::from)),
                );
                assert_eq!(rows.unwrap()[0].len(), if wait == 0 { 2 } else { 0 }, "{row:?}");
                cases += 1;
            }
        }
    }
    println!("cases: {cases} waits");
}

#[test]
fn unchecked_guess_is_not_counted() {
    let mut client = test_app();
    let pepper = client.app.setting("PASSWORD_PEPPER").to_owned();
    client.app.set("PASSWORD_PEPPER", &pepper.replace("1:", "2:"));
    for _ in 0..8 {
        assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 503);
    }
    client.app.set("PASSWORD_PEPPER", &pepper);
    assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 200);
}

/// A database that does not answer at once, so that others can ask meanwhile; it counts.
struct Far(Rc<Sqlite>, Cell<u32>);

impl Database for Far {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        self.1.set(self.1.get() + 1);
        Box::pin(async move {
            let mut on_its_way = true;
            std::future::poll_fn(|_| if std::mem::take(&mut on_its_way) { Poll::Pending } else { Poll::Ready(()) })
                .await;
            self.0.batch(statements).await
        })
    }
}

/// Those who show these passwords of Paul at once: what they are told, and how often the database was asked
/// for it and for what follows from it.
fn at_once(client: &TestClient, passwords: &[&str]) -> (Vec<u16>, u32) {
    let far = Rc::new(Far(client.app.db.clone(), Cell::new(0)));
    let index = hublet::context::Context { db: Rc::new(Db::new(far.clone())), ..client.app.context() };
    let request = |password: &&str| hublet::wire::Request {
        method: "GET".into(),
        path: "/v1/users/".into(),
        host: "127.0.0.1:8787".into(),
        headers: vec![
            ("authorization".into(), format!("Basic {}", STANDARD.encode(format!("paul:{password}")))),
            ("cf-connecting-ip".into(), "203.0.113.9".into()),
        ],
        body: Some(Vec::new()),
        id: "0".into(),
        ..hublet::wire::Request::default()
    };
    let requests = passwords.iter().map(request).collect::<Vec<_>>();
    let serve = |request| Box::pin(hublet::serve::serve(&index, request));
    let mut serving = requests.iter().map(|request| (serve(request), 0)).collect::<Vec<_>>();
    test_support::fake_platform::block_on(std::future::poll_fn(|context| {
        for (work, status) in serving.iter_mut().filter(|(_, status)| *status == 0) {
            if let Poll::Ready(reply) = work.as_mut().poll(context) {
                *status = reply.status;
            }
        }
        if serving.iter().any(|(_, status)| *status == 0) { Poll::Pending } else { Poll::Ready(()) }
    }));
    client.app.platform.run_pending();
    (serving.iter().map(|(_, status)| *status).collect(), far.1.get())
}

#[test]
fn concurrent_guesses_are_counted_first() {
    let mut client = test_app();
    guess(&mut client, "203.0.113.9", "paul", 4);
    client.app.platform.advance(1);
    client.app.platform.finish_second();
    let before = password::hashes();
    assert_eq!(at_once(&client, &["one", "two", "three"]).0, [401, 429, 429], "one is the fifth");
    assert_eq!(password::hashes() - before, 1);
    let sql = "select count from failures where name = 'paul' and address <> ''";
    let count: i64 = client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 5, "what is held back is not counted");

    // Six begin within a second.
    let client = test_app();
    client.app.platform.advance(1);
    client.app.platform.finish_second();
    let before = password::hashes();
    assert_eq!(at_once(&client, &["guess"; 6]).0, [401, 401, 401, 401, 401, 429]);
    assert_eq!(password::hashes() - before, 5);
    // Of sixty the last waits for its turn for seconds, in which the wait of the fifth and the next is over.
    let client = test_app();
    client.app.platform.advance(1);
    let before = password::hashes();
    let statuses = at_once(&client, &["guess"; 60]).0;
    assert!((5..=8).contains(&(password::hashes() - before)), "{statuses:?}");
}

#[test]
fn concurrent_logins_share_one_hash() {
    let client = test_app();
    client.app.platform.advance(5 * 60);
    let before = password::hashes();
    assert_eq!(
        at_once(&client, &["secret"; 3]),
        (vec![200; 3], 6),
        "one is counted and taken back, and one login noted"
    );
    assert_eq!(password::hashes() - before, 1);
    let before = password::hashes();
    assert_eq!(at_once(&client, &["guess"; 3]).0, [401; 3]);
    assert_eq!(password::hashes() - before, 3, "what is wrong is not remembered");
    assert_eq!(at_once(&client, &["secret"; 3]), (vec![200; 3], 6), "what was counted is forgotten behind the answer");
}

#[test]
fn hashes_start_150_milliseconds_apart() {
    let client = test_app();
    client.app.platform.advance(1);
    let before = client.app.platform.now_ms();
    assert_eq!(at_once(&client, &["one", "two", "three"]).0, [401; 3]);
    assert_eq!(client.app.platform.now_ms() - before, 300);
}

#[test]
fn name_is_normalized_before_counting() {
    let mut client = test_app();
    for name in ["paul", "PAUL", " Paul", "pauL\n", "paul"] {
        assert_eq!(from(&mut client, "203.0.113.9", name, "guess").status, 401, "{name}");
    }
    assert_eq!(from(&mut client, "203.0.113.9", "Paul", "secret").status, 429);
}

/// Some clients know no UTF-8, and some machines write an accent apart from its letter.
#[test]
fn password_is_normalized_at_constant_cost() {
    let mut client = test_app();
    let (composed, apart) = ("gr\u{f6}\u{df}er", "gro\u{308}\u{df}er");
    for (name, password) in [("anna", composed), ("otto", apart)] {
        let body = format!(r#"{{"username":"{name}","password":"{password}","email":"{name}@example.com"}}"#);
        assert_eq!(client.ask("POST /v1/users/", "", &body).status, 201);
        for shown in [composed, apart] {
            assert_eq!(from(&mut client, "203.0.113.9", name, shown).status, 200, "{name} with {shown}");
        }
        let latin = [name.as_bytes(), b":gr\xf6\xdfer"].concat();
        let basic = format!("Basic {}", STANDARD.encode(latin));
        assert_eq!(client.ask("GET /v1/users/", &basic, "").status, 200, "{name} in Latin-1");
    }
    for (password, cost) in [("wrong", 1), ("\u{df}", 1), ("fal\u{e7}", 2), ("falc\u{327}", 2)] {
        for name in ["anna", "otto", "nobo"] {
            let before = password::hashes();
            assert_eq!(from(&mut client, "203.0.113.9", name, password).status, 401);
            assert_eq!(password::hashes() - before, cost, "{name} with {password}");
            client.app.platform.advance(HOUR);
        }
    }
}
