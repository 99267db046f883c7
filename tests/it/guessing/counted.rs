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

use test_support::{client::Client, sqlite::Sqlite};

use super::{HOUR, from, guess, index};

#[test]
fn a_right_password_forgets_what_was_counted_here_and_nothing_that_was_counted_from_anywhere() {
    // Elsewhere it has not forgotten what the name had from here.
    let mut client = index();
    guess(&mut client, "203.0.113.9", "paul", 4);
    assert_eq!(from(&mut client, "203.0.113.10", "paul", "secret").status, 200);
    assert_eq!(guess(&mut client, "203.0.113.9", "paul", 1), [0]);
    assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 429);

    let mut client = index();
    for number in 0..49 {
        assert_eq!(from(&mut client, &format!("203.0.113.{number}"), "paul", "guess").status, 401, "{number}");
    }
    assert_eq!(from(&mut client, "198.51.100.1", "paul", "secret").status, 200, "a name with 49 failures elsewhere");
    assert_eq!(from(&mut client, "198.51.100.2", "paul", "guess").status, 401);
    assert_eq!(from(&mut client, "198.51.100.1", "paul", "secret").status, 429);
}

/// How many guesses at Paul are looked at, of so many in an hour that come each from a network of its own,
/// while he logs in every minute where nobody remembers him.
fn looked_at(client: &mut Client, guesses: usize) -> usize {
    let (mut looked_at, before) = (0, client.0.platform.now_ms());
    for number in 0..guesses {
        let told = from(client, &format!("2001:db8:1:{number:x}::1"), "paul", "guess");
        looked_at += usize::from(told.status == 401);
        if number % (guesses / 60) == 0 {
            client.0.set("PASSWORD_COST", "m=64,t=1,p=1");
            from(client, "198.51.100.1", "paul", "secret");
        }
        let due = HOUR * 1000 * (number as u64 + 1) / guesses as u64;
        let wait = (before + due).saturating_sub(client.0.platform.now_ms()) / 1000;
        client.0.platform.pass(wait);
    }
    looked_at
}

#[test]
fn an_hour_of_guesses_from_a_network_of_65536_is_little_more_than_fifty() {
    let mut client = index();
    // The wait doubles to 15 minutes from there: some fifteen more fit into the hour.
    let looked_at = looked_at(&mut client, 1_200);
    assert!((50..=65).contains(&looked_at), "{looked_at} were looked at");
}

#[test]
fn who_logs_in_keeps_no_failure_alive() {
    let mut client = index();
    for number in 0..30 {
        assert_eq!(from(&mut client, &format!("203.0.113.{number}"), "paul", "guess").status, 401, "{number}");
    }
    for _ in 0..61 {
        client.0.set("PASSWORD_COST", "m=64,t=1,p=1");
        assert_eq!(from(&mut client, "198.51.100.1", "paul", "secret").status, 200);
        client.0.platform.pass(60);
    }
    assert_eq!(from(&mut client, "203.0.113.200", "paul", "guess").status, 401);
    let sql = "select count from failures where name = 'paul' and address = ''";
    let count: i64 = client.0.db.connection().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn what_counts_a_guess_waits_as_the_throttle_does() {
    let client = index();
    let now = client.0.platform.now();
    let mut cases = 0;
    for count in 0..75 {
        for age in [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 511, 512, 513, 899, 900, 901, 1023, 3599, 3600, 3601] {
            for address in ["203.0.113.9", ""] {
                let row = (count, now - age, address);
                let sql = "insert or replace into failures (name, count, last_at, address) values ('paul', ?1, ?2, ?3)";
                client.0.db.connection().execute("delete from failures", []).unwrap();
                client.0.db.connection().execute(sql, row).unwrap();
                let failures = throttle::Failures { count, last_at: now - age };
                let wait = if address.is_empty() {
                    throttle::retry_after(throttle::Failures::default(), failures, now)
                } else {
                    throttle::retry_after(failures, throttle::Failures::default(), now)
                };
                let rows = test_support::fake_platform::finished(
                    client.0.db.batch(&login_failures::count("paul", "203.0.113.9", now).map(Statement::from)),
                );
                assert_eq!(rows.unwrap()[0].len(), if wait == 0 { 2 } else { 0 }, "{row:?}");
                cases += 1;
            }
        }
    }
    println!("cases: {cases} waits");
}

#[test]
fn a_guess_that_could_not_be_looked_at_was_none() {
    let mut client = index();
    let pepper = client.0.setting("PASSWORD_PEPPER").to_owned();
    client.0.set("PASSWORD_PEPPER", &pepper.replace("1:", "2:"));
    for _ in 0..8 {
        assert_eq!(from(&mut client, "203.0.113.9", "paul", "secret").status, 503);
    }
    client.0.set("PASSWORD_PEPPER", &pepper);
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
fn at_once(client: &Client, passwords: &[&str]) -> (Vec<u16>, u32) {
    let far = Rc::new(Far(client.0.db.clone(), Cell::new(0)));
    let index = hublet::context::Context { db: Rc::new(Db::new(far.clone())), ..client.0.index() };
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
    test_support::fake_platform::finished(std::future::poll_fn(|context| {
        for (work, status) in serving.iter_mut().filter(|(_, status)| *status == 0) {
            if let Poll::Ready(reply) = work.as_mut().poll(context) {
                *status = reply.status;
            }
        }
        if serving.iter().any(|(_, status)| *status == 0) { Poll::Pending } else { Poll::Ready(()) }
    }));
    client.0.platform.do_later();
    (serving.iter().map(|(_, status)| *status).collect(), far.1.get())
}

#[test]
fn guesses_in_flight_are_counted_before_they_are_looked_at() {
    let mut client = index();
    guess(&mut client, "203.0.113.9", "paul", 4);
    client.0.platform.pass(1);
    client.0.platform.strike();
    let before = password::hashes();
    assert_eq!(at_once(&client, &["one", "two", "three"]).0, [401, 429, 429], "one is the fifth");
    assert_eq!(password::hashes() - before, 1);
    let sql = "select count from failures where name = 'paul' and address <> ''";
    let count: i64 = client.0.db.connection().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 5, "what is held back is not counted");

    // Six begin within a second.
    let client = index();
    client.0.platform.pass(1);
    client.0.platform.strike();
    let before = password::hashes();
    assert_eq!(at_once(&client, &["guess"; 6]).0, [401, 401, 401, 401, 401, 429]);
    assert_eq!(password::hashes() - before, 5);
    // Of sixty the last waits for its turn for seconds, in which the wait of the fifth and the next is over.
    let client = index();
    client.0.platform.pass(1);
    let before = password::hashes();
    let told = at_once(&client, &["guess"; 60]).0;
    assert!((5..=8).contains(&(password::hashes() - before)), "{told:?}");
}

#[test]
fn many_who_come_with_one_password_at_once_cost_one_argon2() {
    let client = index();
    client.0.platform.pass(5 * 60);
    let before = password::hashes();
    assert_eq!(
        at_once(&client, &["secret"; 3]),
        (vec![200; 3], 10),
        "each is counted and taken back, and one login noted"
    );
    assert_eq!(password::hashes() - before, 1);
    let before = password::hashes();
    assert_eq!(at_once(&client, &["guess"; 3]).0, [401; 3]);
    assert_eq!(password::hashes() - before, 3, "what is wrong is not remembered");
    assert_eq!(at_once(&client, &["secret"; 3]), (vec![200; 3], 6), "what was counted is forgotten behind the answer");
}

#[test]
fn an_argon2_begins_every_150_milliseconds() {
    let client = index();
    client.0.platform.pass(1);
    let before = client.0.platform.now_ms();
    assert_eq!(at_once(&client, &["one", "two", "three"]).0, [401; 3]);
    assert_eq!(client.0.platform.now_ms() - before, 300);
}

#[test]
fn a_name_is_one_name_however_it_is_typed() {
    let mut client = index();
    for name in ["paul", "PAUL", " Paul", "pauL\n", "paul"] {
        assert_eq!(from(&mut client, "203.0.113.9", name, "guess").status, 401, "{name}");
    }
    assert_eq!(from(&mut client, "203.0.113.9", "Paul", "secret").status, 429);
}

/// Some clients know no UTF-8, and some machines write an accent apart from its letter.
#[test]
fn a_password_is_one_password_in_whichever_bytes_and_a_wrong_one_costs_the_same_for_everybody() {
    let mut client = index();
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
            client.0.platform.pass(HOUR);
        }
    }
}
