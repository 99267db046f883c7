//! The right to write, taken away while the request is under way: every endpoint that writes, by everybody who
//! may, in every way in which the right can go between what was read and what is written. Nothing is written
//! then, and the answer is the one to who asks afterwards.

use std::{collections::BTreeMap, rc::Rc};

use hublet::{
    domain::{Access, RepositoryId, RepositoryName, repository_token::RepositoryTokenClaims},
    platform::Platform,
};
use rusqlite::types::Value;

use test_support::{
    TestApp,
    hooks::{answer, before_first_write},
    operator,
    runner::TestRequest,
    sqlite::Sqlite,
};

use super::{
    actors::{self, Actor, Fixtures, MISSING, OWNER, PRIVATE, PUBLIC},
    endpoints::{self, ENDPOINTS, Endpoint, Shows, endpoint},
};

/// Other ways in which endpoints write, or are written by.
#[rustfmt::skip]
const MORE: [Endpoint; 24] = [
    endpoint("GET", "/token", "").asking("?service=registry&offline_token=true", endpoints::Says::Status),
    endpoint("POST", "/token", "grant_type=password&service=registry&client_id=matrix&access_type=offline").showing(Shows::Body),
    endpoint("PUT", "/v1/users/{username}/", r#"{"password": "another one"}"#),
    endpoint("POST", "/settings", "action=primary&email=olga@example.org&password=[secret]"),
    endpoint("POST", "/settings", "action=remove&email=olga@example.org&password=[secret]"),
    endpoint("POST", "/settings", "action=password&password=[secret]&new_password=another&repeated_password=another"),
    endpoint("POST", "/settings", "action=delete&name=[name]&password=[secret]&repositories=on"),
    endpoint("POST", "/settings/tokens", "action=renew&uuid=[token]"),
    endpoint("POST", "/r/{namespace}/-/service-accounts", "action=remove&username=olga-ci"),
    endpoint("POST", "/r/{namespace}/-/service-accounts/{username}", "label=other&scope=repo:read&days=90"),
    endpoint("POST", "/r/{namespace}/-/service-accounts/{username}", "action=renew&uuid=[token]"),
    endpoint("POST", "/r/{namespace}/-/service-accounts/{username}", "action=delete&uuid=[token]"),
    endpoint("POST", "/settings/sessions", "action=name&uuid=[login]&label=other"),
    endpoint("POST", "/settings/sessions", "action=others"),
    endpoint("POST", "/admin", "action=remove"),
    endpoint("POST", "/admin/users/{username}", "action=enable"),
    endpoint("POST", "/admin/users/{username}", "action=sessions"),
    endpoint("POST", "/admin/users/{username}", "action=grant"),
    endpoint("POST", "/admin/users/{username}", "action=revoke"),
    endpoint("POST", "/admin/users/{username}", "action=incident&days=7"),
    endpoint("POST", "/admin/users/{username}", "action=remove&name=olga&repositories=on"),
    endpoint("PATCH", "/v2/namespaces/{namespace}/repositories/{repository}", r#"{"description": "new", "is_private": true}"#),
    endpoint("PUT", "/v1/repositories/{repository}/images", "[]").showing(Shows::Token),
    endpoint("DELETE", "/v1/repositories/{repository}/images", "").showing(Shows::Token),
];

/// Endpoints that are not read and carry no user's right, with the reason.
const EXCEPT: [(&str, &str, &str); 17] = [
    ("POST", "/v1/users/", "registration is anybody's, and its conditions are in its statements"),
    ("POST", "/register", "as above"),
    ("PUT", "/v1/repositories/{repository}/auth", "writes nothing"),
    ("POST", "/v2/users/login", "writes what was refused, which is nobody's right"),
    ("POST", "/v2/auth/token", "as above"),
    ("POST", "/v2/logout", "writes nothing"),
    ("POST", "/v2/access-reviews", "writes nothing"),
    ("PUT", "/v2/{repository}/manifests/{reference}", "writes nothing"),
    ("POST", "/v2/{repository}/blobs/{digest}", "writes nothing"),
    ("POST", "/token/revoke", "the token is a condition of every statement"),
    ("POST", "/events", "a registry's secret, which no one takes away while it is read"),
    ("POST", "/reconciler", "that the token is the tool's is a condition of the first statement"),
    ("POST", "/sign-in", "opens a session by a password, which is verified"),
    ("POST", "/sign-out", "ends the session that it has"),
    ("POST", "/account/confirm", "the link is a condition of every statement"),
    ("POST", "/account/password", "as above"),
    ("POST", "/account/forgotten", "a link is asked for by anybody"),
];

/// How a right goes: what happens, of the user `?1`, the repository `?2` and at the time `?3`; what begins with
/// a word of the operator's is their command.
const WAYS: [(&str, &str); 16] = [
    (
        "the password changes",
        "update users set epoch = epoch + 1, password = (select password from users where name = 'else') where name = ?1",
    ),
    ("the user is disabled", "disable"),
    ("all sessions are ended", "sessions"),
    ("no longer an administrator", "update users set administrator = 0 where name = ?1"),
    ("access tokens are deleted", "delete from access_tokens where user_id = (select id from users where name = ?1)"),
    (
        "access tokens are turned off",
        "update access_tokens set is_active = 0 where user_id = (select id from users where name = ?1)",
    ),
    (
        "access tokens end",
        "update access_tokens set expires_at = ?3 where user_id = (select id from users where name = ?1)",
    ),
    ("no longer a member", "delete from members where user_id = (select id from users where name = ?1)"),
    ("a member who reads", "update members set role = 'read' where user_id = (select id from users where name = ?1)"),
    ("no longer a collaborator", "delete from collaborators where user_id = (select id from users where name = ?1)"),
    (
        "a collaborator who reads",
        "update collaborators set role = 'read' where user_id = (select id from users where name = ?1)",
    ),
    ("the namespace is somebody else's", "update namespaces set owner_id = null where name = 'olga'"),
    ("the namespace is gone", "delete from namespaces where name = 'olga'"),
    (
        "the repository is elsewhere",
        "update repositories set namespace_id = (select id from namespaces where name = 'acme') where full_name = ?2",
    ),
    ("the repository is gone", "delete from repositories where full_name = ?2"),
    ("the repository is private", "update repositories set private = 1 where full_name = ?2"),
];

/// Takes a right away.
fn withdraw(db: &Rc<Sqlite>, way: &str, user: &str, repository: &str, now: i64) {
    match way {
        "disable" => drop(operator::run(db, &format!("disable {user}"), now).unwrap()),
        "sessions" => drop(operator::run(db, &format!("sessions {user} end"), now)),
        sql => {
            let mut statement = db.connection().prepare_cached(sql).unwrap();
            let values = [Value::Text(user.into()), Value::Text(repository.into()), Value::Integer(now)];
            let many = statement.parameter_count();
            for at in 1..=many {
                // Of those that are not named there is no parameter.
                let _ = statement.raw_bind_parameter(at, &values[at - 1]);
            }
            statement.raw_execute().unwrap();
        }
    }
}

/// An index from which something was taken away, as it is then.
struct Without {
    way: &'static str,
    sql: &'static str,
    app: TestApp,
    stored: BTreeMap<String, String>,
}

impl Without {
    fn of(original: &TestApp, (way, sql): (&'static str, &'static str), user: &str, repository: &str) -> Self {
        let app = original.copied().unwrap();
        withdraw(&app.db, sql, user, repository, app.platform.now());
        let stored = stored(&app);
        Self { way, sql, app, stored }
    }

    /// All the ways that take anything from this user, or from what is asked for.
    fn all(original: &TestApp, user: &str, repository: &str) -> Vec<Self> {
        let whole = stored(original);
        let all = WAYS.into_iter().map(|way| Self::of(original, way, user, repository));
        all.filter(|without| without.stored != whole).collect()
    }
}

/// All that is stored, but for what is written of those who are refused.
fn stored(app: &TestApp) -> BTreeMap<String, String> {
    /// Each table with the statement that reads its rows, in an order of their own.
    const TABLES: &str = "select name,
        'select json_group_array(json_array(' || (select group_concat(name, ', ') from pragma_table_info(t.name)) ||
        ')) from (select * from ' || name || iif(name = 'audit', ' where action <> ''user.login.refuse''', '') ||
        ' order by 1, 2)'
      from sqlite_schema t where type = 'table' and name not like 'sqlite_%' and name <> 'failures'";
    let connection = app.db.connection();
    let mut tables = connection.prepare_cached(TABLES).unwrap();
    let tables = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows = |(table, sql): (String, String)| {
        (table, connection.prepare_cached(&sql).unwrap().query_row([], |row| row.get(0)).unwrap())
    };
    tables.map(|table| rows(table.unwrap())).collect()
}

/// The tables in which two states differ.
fn differing(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> String {
    let changed = one.iter().filter(|(table, rows)| other.get(*table) != Some(rows));
    changed.map(|(table, _)| table.as_str()).collect::<Vec<_>>().join(", ")
}

/// A request by everything that this actor could show.
fn requests(fixtures: &Fixtures, endpoint: &Endpoint, actor: &Actor, name: &str) -> Vec<TestRequest> {
    let app = &fixtures.client.app;
    let request = endpoint.request(fixtures, app, actor, name);
    if endpoint.shows != Shows::Token || !endpoint.pattern.ends_with("/images") {
        return vec![request];
    }
    let index = app.context();
    let sql = "select id from repositories where full_name = ?1";
    let full = format!("{OWNER}/{name}");
    let id = app.db.connection().query_row(sql, [full], |row| row.get(0)).unwrap();
    let token = |access| {
        let claim = RepositoryTokenClaims {
            repository: RepositoryName::parse(OWNER, name).unwrap(),
            repository_id: RepositoryId::new(id),
            access,
            credential: actor.credential,
            expires_at: index.platform.now() + 60,
        };
        let token = format!("Token {}", claim.sign(index.config.keys().unwrap(), [0; 8]));
        TestRequest { headers: vec![("Authorization".to_owned(), token)], ..request.clone() }
    };
    [Access::Write, Access::Delete].map(token).into()
}

/// The user whose right goes: of the owner's cookie, that of the owner.
fn user_of(actor: &Actor) -> String {
    if actor.only_cookie { OWNER.to_owned() } else { actor.basic.0.clone() }
}

/// Whether this is allowed as things are, and writes after it has read.
fn writes(fixtures: &Fixtures, sent: &TestRequest) -> bool {
    let mut app = fixtures.client.app.trial().unwrap();
    let request = app.received(sent).unwrap();
    let wrote = Rc::new(std::cell::Cell::new(0));
    let seen = Rc::clone(&wrote);
    let (reply, _) = answer(
        &app,
        &request,
        Box::new(move |_, call, writes| {
            if writes && seen.get() == 0 {
                seen.set(call);
            }
        }),
    );
    reply.status < 400 && wrote.get() > 1
}

/// How often a right went, by endpoint and by way, and what was wrong.
#[derive(Default)]
struct Found {
    lost: BTreeMap<String, usize>,
    ways: BTreeMap<&'static str, usize>,
    kept: usize,
    /// What there is without it, by user and repository.
    without: BTreeMap<(String, String), Vec<Without>>,
    faults: Vec<String>,
}

impl Found {
    /// One request, whose right goes in each way.
    fn withdraw_each_way(
        &mut self,
        fixtures: &Fixtures,
        endpoint: &Endpoint,
        actor: &Actor,
        name: &str,
        sent: &TestRequest,
    ) {
        let (user, repository) = (user_of(actor), format!("{OWNER}/{name}"));
        let original = &fixtures.client.app;
        let key = (user.clone(), repository.clone());
        let all = self.without.entry(key).or_insert_with(|| Without::all(original, &user, &repository));
        for without in all {
            let (way, sql, now) = (without.way, without.sql, original.platform.now());
            let request = without.app.received(sent).unwrap();
            let changes = without.app.db.connection().total_changes();
            let asked_after = without.app.answer(&request).status;
            if without.app.db.connection().total_changes() > changes {
                *without = Without::of(original, (way, sql), &user, &repository);
            }

            let during = original.trial().unwrap();
            let (user, repository) = (user.clone(), repository.clone());
            let withdrawing = before_first_write(move |database| withdraw(database, sql, &user, &repository, now));
            let asked_before = answer(&during, &request, withdrawing).0.status;
            let case = format!("{} of {name} as {}, and {way}", endpoint.label(), actor.label);
            if asked_before != asked_after {
                self.faults.push(format!("{case}: {asked_before}, and {asked_after} afterwards"));
            } else if asked_after < 400 {
                self.kept += 1;
            } else {
                let changed = differing(&without.stored, &stored(&during));
                if !changed.is_empty() {
                    self.faults.push(format!("{case}: {asked_before}, and written is {changed}"));
                }
                *self.lost.entry(format!("{} {}", endpoint.method, endpoint.pattern)).or_default() += 1;
                *self.ways.entry(way).or_default() += 1;
            }
        }
    }
}

#[test]
fn withdrawn_right_writes_nothing() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    // Somebody else's password is what a changed one becomes, and no use of a token is to be noted.
    fixtures.client.app.set("MAIL", "off");
    let other = r#"{"username": "else", "password": "nobody knows", "email": "else@example.com"}"#;
    assert_eq!(fixtures.client.ask("POST /v1/users/", "", other).status, 201);
    fixtures.client.app.set("MAIL", "on");
    let now = fixtures.client.app.platform.now();
    fixtures.client.app.db.connection().execute("update access_tokens set used_at = ?1", [now]).unwrap();
    let mut found = Found::default();
    let written = |endpoint: &&Endpoint| endpoint.method != "GET" || endpoint.query.contains("offline");
    for endpoint in ENDPOINTS.iter().chain(&MORE).filter(written) {
        if EXCEPT.iter().any(|(method, pattern, _)| (*method, *pattern) == (endpoint.method, endpoint.pattern)) {
            continue;
        }
        let named = endpoint.names_a_repository();
        // Of the two repositories the private one, for those who may: what they may is the same in both.
        let names: &[&str] = match endpoint.pattern.contains("{repository}") {
            true => &[PRIVATE, PUBLIC],
            false if named => &[MISSING],
            false => &[PUBLIC],
        };
        for actor in &fixtures.actors {
            let asked = |name: &&str| -> Vec<TestRequest> {
                let request = requests(&fixtures, endpoint, actor, name);
                request.into_iter().filter(|request| writes(&fixtures, request)).collect()
            };
            let allowed = names.iter().map(|name| (*name, asked(name))).find(|(_, request)| !request.is_empty());
            for (name, request) in allowed.iter().flat_map(|(name, all)| all.iter().map(move |request| (name, request)))
            {
                found.withdraw_each_way(&fixtures, endpoint, actor, name, request);
            }
        }
    }
    let cases = found.lost.values().sum::<usize>() + found.kept;
    println!("cases: {cases} rights that went on the way, of which {} were of no matter", found.kept);
    assert!(found.faults.is_empty(), "\n{}", found.faults.join("\n"));
    let idle = WAYS.iter().filter(|(way, _)| !found.ways.contains_key(way)).collect::<Vec<_>>();
    assert!(idle.is_empty(), "takes nothing away: {idle:?}");
    every_endpoint_is_covered(&found.lost);
}

/// Every endpoint that does not only read was refused for a right that went, or is an exception.
fn every_endpoint_is_covered(lost: &BTreeMap<String, usize>) {
    let all = endpoints::all();
    let excepted = |method: &str, pattern: &str| EXCEPT.iter().any(|except| (except.0, except.1) == (method, pattern));
    for (method, pattern) in all.iter().filter(|(method, _)| *method != "GET") {
        let played = lost.contains_key(&format!("{method} {pattern}"));
        assert!(
            played != excepted(method, pattern),
            "{method} {pattern}: nobody lost the right to it on the way; either it is asked so in tests/it/matrix, or why it \
             needs none is in EXCEPT"
        );
    }
    for (method, pattern, _) in EXCEPT {
        assert!(all.contains(&(method, pattern)), "{method} {pattern} is no endpoint");
    }
}
