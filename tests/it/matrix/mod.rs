//! The permission matrix: every endpoint asked by everybody about a public repository, a private one and
//! none. `docs/permissions.md` shows what is measured here, and what may not be read is as if it were not there.

mod actors;
mod audited;
mod endpoints;
mod headers;
mod hidden;
mod largest;
mod limits;
mod moved;
mod page;
mod reviews;
mod variants;
mod withdrawn;

use actors::{Actor, Fixtures, MISSING, PRIVATE, PUBLIC};
use endpoints::{ENDPOINTS, Endpoint};
use page::Line;
use test_support::{
    TestApp,
    runner::{Backend, RawResponse, TestRequest},
};

/// An answer, with the calls of the databases that it waited for.
fn send(app: &mut TestApp, request: &TestRequest) -> (RawResponse, u64) {
    let response = app.send(request).unwrap();
    let round_trips = app.platform.log.borrow().iter().rev().find_map(|line| line.get("round_trips")?.as_u64());
    (response, round_trips.unwrap())
}

/// What the matrix says of one endpoint: a line for each repository, a cell for each actor.
fn measured(endpoint: &Endpoint, fixtures: &Fixtures, cases: &mut usize) -> Vec<Line> {
    let places: &[(&'static str, &str)] = &[("public", PUBLIC), ("private", PRIVATE), ("missing", MISSING)];
    let places = if endpoint.names_a_repository() { places } else { &[("", PUBLIC)] };
    let line = |(place, name): &(&'static str, &str)| {
        let mut cell = |actor: &Actor| {
            let app = &mut actor.app(&fixtures.client.app);
            let request = endpoint.request(fixtures, app, actor, name);
            let (response, _) = send(app, &request);
            *cases += 1;
            assert!(
                endpoints::describes(endpoint, response.status),
                "{} as {}: the description lacks {}",
                endpoint.label(),
                actor.label,
                response.status
            );
            if endpoint.method == "GET" {
                let head = send(app, &TestRequest { method: "HEAD".to_owned(), ..request }).0;
                *cases += 1;
                assert_eq!(
                    (head.status, head.body.len()),
                    (response.status, 0),
                    "HEAD of {} as {}",
                    endpoint.label(),
                    actor.label
                );
            }
            endpoint.outcome(&response, name)
        };
        Line { place, cells: fixtures.actors.iter().map(&mut cell).collect() }
    };
    places.iter().map(line).collect()
}

#[test]
fn manual_shows_the_matrix() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    let mut cases = 0;
    let rows = ENDPOINTS.map(|endpoint| (endpoint.label(), measured(&endpoint, &fixtures, &mut cases)));
    println!("cases: {cases} permission matrix");
    let labels = fixtures.actors.iter().map(|actor| actor.label).collect::<Vec<_>>();
    page::hold(&page::table(&labels, &rows));
}

#[test]
fn every_endpoint_is_in_the_matrix() {
    let all = endpoints::all();
    assert!(all.len() > 80, "where are the endpoints?");
    let asked = ENDPOINTS.iter().map(|endpoint| (endpoint.method, endpoint.pattern)).collect();
    let lacking = all.difference(&asked).collect::<Vec<_>>();
    assert!(lacking.is_empty(), "not in tests/it/matrix/endpoints.rs: {lacking:?}");
    let unknown = asked.difference(&all).collect::<Vec<_>>();
    assert!(unknown.is_empty(), "not in src/api.rs: {unknown:?}");
}

#[test]
fn responses_have_their_headers() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    let (mut cases, mut faults) = (0, Vec::new());
    for endpoint in &ENDPOINTS {
        for actor in &fixtures.actors {
            for (name, method) in
                [(PRIVATE, endpoint.method), (PUBLIC, endpoint.method), (PUBLIC, "OPTIONS"), (PUBLIC, "BREW")]
            {
                let app = &mut actor.app(&fixtures.client.app);
                let sent = endpoint.request(&fixtures, app, actor, name);
                let mut request = app.received(&TestRequest { method: method.to_owned(), ..sent }).unwrap();
                request.https = true;
                let reply = app.answer(&request);
                cases += 1;
                for fault in headers::faults(&request, &reply, !actor.off) {
                    faults.push(format!("{method} {} as {}: {} {fault}", request.path, actor.label, reply.status));
                }
            }
        }
    }
    println!("cases: {cases} headers of answers");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn changes_and_nothing_else_are_recorded() {
    let mut fixtures = actors::fixtures();
    actors::hide(&mut fixtures);
    let (mut cases, mut recorded, mut faults) = (0, 0, Vec::new());
    for endpoint in &ENDPOINTS {
        for actor in &fixtures.actors {
            for name in [PUBLIC, PRIVATE, MISSING] {
                let app = &mut actor.app(&fixtures.client.app);
                app.platform.advance(1);
                let before = audited::state(app);
                let request = endpoint.request(&fixtures, app, actor, name);
                let (response, _) = send(app, &request);
                let after = audited::state(app);
                cases += 1;
                recorded += usize::from(after.recorded > before.recorded);
                if (after.recorded > before.recorded) != (after.rows != before.rows) {
                    let (rows, what) = (after.recorded - before.recorded, audited::difference(&before, &after));
                    faults.push(format!(
                        "{} of {name} as {}: {}, {rows} rows of the audit, and changed: {what}",
                        endpoint.label(),
                        actor.label,
                        response.status
                    ));
                }
            }
        }
    }
    println!("cases: {cases} of changes that are in the audit, of which {recorded} changed something");
    assert!(recorded > 100, "nobody changed anything");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
