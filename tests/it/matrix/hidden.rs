//! What somebody may not see is as if it were not there: by the answer, and by what the databases do for it.

use test_support::{TestApp, runner::TestRequest};

use super::{
    actors::{self, Actor, Fixtures, MISSING, OWNER, PRIVATE, PUBLIC},
    endpoints::{ENDPOINTS, Endpoint},
    send,
    variants::VARIANTS,
};

/// The namespace of others that is looked for.
const SECLUDED: &str = "secluded";

/// Steps of `SQLite` by which two answers may differ: a row that is found is more than one that is not. What there is
/// thousands of would make it tens of thousands.
const FEW: i64 = 400;

/// All by which a client could tell two apps apart, and the number of steps that it took.
type Observation = ((u16, Vec<(String, String)>, String, u64), i64);

fn observe(app: &mut TestApp, request: &TestRequest) -> Observation {
    let steps = |app: &TestApp| app.db.steps() + app.search.steps();
    let before = steps(app);
    let (response, round_trips) = send(app, request);
    let body = String::from_utf8_lossy(&response.body).into_owned();
    ((response.status, response.headers, body, round_trips), steps(app) - before)
}

/// Two apps, of which one has what the other lacks. Both get the same requests, each from the same state.
struct Twins<'a> {
    with: &'a Fixtures,
    without: &'a Fixtures,
    cases: usize,
    found: Vec<String>,
}

impl<'a> Twins<'a> {
    fn of(with: &'a Fixtures, without: &'a Fixtures) -> Self {
        Self { with, without, cases: 0, found: Vec::new() }
    }

    /// Asks both, and finds the case if they answer differently.
    fn ask(&mut self, actor: &Actor, request: &TestRequest, case: &str) {
        let observed = |fixtures: &Fixtures| observe(&mut actor.app(&fixtures.client.app), request);
        let [hidden, missing] = [self.with, self.without].map(observed);
        self.cases += 1;
        if hidden.0 != missing.0 || (hidden.1 - missing.1).abs() > FEW {
            self.found.push(format!("{case} as {}\n  hidden:  {hidden:?}\n  missing: {missing:?}", actor.label));
        }
    }

    /// The cases that were found, and how many there were.
    fn results(self) -> (Vec<String>, usize) {
        (self.found, self.cases)
    }
}

/// The requests about the hidden repository whose answers differ between two indexes, for these actors, and of how many.
fn differing(with: &Fixtures, without: &Fixtures, who: impl Fn(&Actor) -> bool) -> (Vec<String>, usize) {
    let mut twins = Twins::of(with, without);
    for endpoint in ENDPOINTS.iter().chain(&VARIANTS).filter(|endpoint| endpoint.names_a_repository()) {
        for actor in without.actors.iter().filter(|actor| who(actor)) {
            // A repository token is a genuine one for what is hidden, from when they could read it.
            let request = endpoint.request(without, &with.client.app, actor, PRIVATE);
            twins.ask(actor, &request, &format!("{}{}", endpoint.label(), endpoint.query));
        }
    }
    twins.results()
}

/// So much of everything that reading it shows: tags, images, collaborators and rows of the audit of one repository.
fn fill(fixtures: &Fixtures, name: &str) {
    fixtures.client
        .app
        .db
        .connection()
        .execute_batch(&format!(
            "create temp table numbers as with recursive n (n) as (select 1 union all select n + 1 from n where n < 16000)
               select n, (select id from repositories where full_name = '{name}') repository from n;
             insert into tags (repository_id, service, name, digest, size, media_type, pushed_at, pushed_by)
               select repository, 'registry', 'tag' || n, 'digest' || n, 1, '', n, '' from numbers;
             insert into images (repository_id, position, id) select repository, n + 1, printf('%064x', n) from numbers
               where n <= 2000;
             insert into users (name, status, created_at) select 'filler' || n, 'active', 0 from numbers where n <= 500;
             insert into collaborators (repository_id, user_id, role)
               select repository, u.id, 'read' from numbers join users u on u.name = 'filler' || n;
             insert into audit (at, account, action, name, actor, credential, address)
               select 1, r.namespace_id, 'repo.tag.push', r.full_name, '', '', '' from numbers
               join repositories r on r.id = repository;
             update repositories set full_description = printf('%.*c', 25000, 'x') where full_name = '{name}';
             drop table numbers;"
        ))
        .unwrap();
}

#[test]
fn private_repository_looks_missing() {
    let without = actors::fixtures();
    let mut with = actors::fixtures();
    actors::hide(&mut with);
    fill(&with, "olga/hidden");
    let (found, cases) = differing(&with, &without, |actor| !actor.reads);
    assert!(found.is_empty(), "\n{}", found.join("\n"));

    // The same while its registry deletes its part.
    assert_eq!(with.client.ask("DELETE /v1/repositories/olga/hidden/", "olga:secret", "").status, 202);
    let (found, more) = differing(&with, &without, |actor| !actor.reads);
    assert!(found.is_empty(), "marked deleted\n{}", found.join("\n"));
    println!("cases: {} private repositories that look missing", cases + more);
}

#[test]
fn public_repository_looks_missing_when_closed() {
    let without = actors::fixtures();
    let mut with = actors::fixtures();
    actors::hide(&mut with);
    show(&with);
    fill(&with, "olga/hidden");
    let (found, cases) = differing(&with, &without, |actor| actor.off);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    println!("cases: {cases} public repositories that look missing");
}

/// Makes what is hidden public.
fn show(fixtures: &Fixtures) {
    for (database, sql) in [
        (&fixtures.client.app.db, "update repositories set private = 0 where full_name = 'olga/hidden'"),
        (&fixtures.client.app.search, "update documents set visibility = 'pub' where name = 'olga/hidden'"),
    ] {
        assert_eq!(database.connection().execute(sql, []).unwrap(), 1, "{sql}");
    }
}

#[test]
fn planted_disclosures_are_found() {
    let without = actors::fixtures();
    let mut with = actors::fixtures();
    actors::hide(&mut with);
    show(&with);
    let (found, _) = differing(&with, &without, |actor| !actor.reads && !actor.off);
    for (endpoint, actor) in [("GET /v1/repositories/{repository}/images", "anonymous"), ("GET /token", "another user")]
    {
        assert!(found.iter().any(|case| case.contains(endpoint) && case.contains(actor)), "{endpoint} as {actor}");
    }
}

/// A namespace of others, with a private repository and many more, members, machines with tokens, and a log.
fn seclude(fixtures: &mut Fixtures) {
    for command in ["namespace secluded", "member secluded maya admin"] {
        fixtures.client.operate(command).unwrap();
    }
    let connection = fixtures.client.app.db.connection();
    connection
        .execute_batch(
            "create temp table numbers as with recursive n (n) as (select 1 union all select n + 1 from n where n < 1000)
               select n, (select id from namespaces where name = 'secluded') namespace from n;
             insert into repositories (namespace_id, name, full_name, private, created_at, updated_at, pushed_at)
               select namespace, 'app' || n, 'secluded/app' || n, 1, 0, 0, 0 from numbers;
             update repositories set name = 'hidden', full_name = 'secluded/hidden' where full_name = 'secluded/app1';
             insert into users (name, status, created_at) select 'filler' || n, 'active', 0 from numbers;
             insert into members (namespace_id, user_id, role)
               select namespace, u.id, 'read' from numbers join users u on u.name = 'filler' || n;
             insert into users (name, kind, status, machine_of, created_at)
               select 'machine' || n, 'machine', 'active', namespace, 0 from numbers;
             insert into access_tokens (uuid, user_id, hash, label, scopes, created_at, created_by, creator_ip, creator_ua)
               select 'uuid' || n, (select id from users where name = 'machine1'), 'hash' || n, '', '[]', 0, '', '', ''
               from numbers;
             insert into audit (at, account, action, name, actor, credential, address)
               select 1, namespace, 'repo.create', 'secluded/app' || n, '', '', '' from numbers;
             drop table numbers;",
        )
        .unwrap();
    fixtures.machine = "machine1";
}

#[test]
fn namespace_of_others_looks_missing() {
    let without = actors::fixtures();
    let mut with = actors::fixtures();
    seclude(&mut with);
    let mut twins = Twins::of(&with, &without);
    // Its admin is told, and so are those who administrate the index.
    let strangers = |actor: &&Actor| !["member `admin`", "an administrator"].contains(&actor.label);
    let transfer = ENDPOINTS.iter().find(|endpoint| endpoint.pattern.ends_with("/transfer")).unwrap();
    let transfer = Endpoint { body: r#"{"namespace": "secluded"}"#, ..*transfer };
    for actor in without.actors.iter().filter(strangers) {
        for endpoint in ENDPOINTS.iter().chain(&VARIANTS).filter(|endpoint| endpoint.names_a_namespace()) {
            for name in [PRIVATE, MISSING] {
                let request = endpoint.request_in(SECLUDED, &with, &with.client.app, actor, name);
                twins.ask(actor, &request, &format!("{}{} of {name}", endpoint.label(), endpoint.query));
            }
        }
        // Where a repository of theirs is to go.
        let request = transfer.request_in(OWNER, &with, &with.client.app, actor, PUBLIC);
        twins.ask(actor, &request, "a transfer there");
    }
    let (found, cases) = twins.results();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    println!("cases: {cases} namespaces that look missing");
}
