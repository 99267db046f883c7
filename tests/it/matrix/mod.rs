//! The permission matrix: every endpoint asked by everybody about a public repository, a private one and
//! none. The README shows what is measured here, and what may not be read is as if it were not there.

mod actors;
mod audited;
mod endpoints;
mod headers;
mod hidden;
mod largest;
mod limits;
mod moved;
mod readme;
mod reviews;
mod withdrawn;

use actors::{Actor, Cast, MISSING, PRIVATE, PUBLIC};
use endpoints::{ENDPOINTS, Endpoint};
use readme::Line;
use test_support::{
    Stage,
    runner::{Answered, Sent, Theatre},
};

/// Indexes that are as they were before, whatever is asked of them: one, and one that is closed to requests without
/// credentials.
struct Rehearsal<'a> {
    original: &'a Stage,
    stages: [Option<(Stage, u64)>; 2],
}

impl<'a> Rehearsal<'a> {
    fn of(original: &'a Stage) -> Self {
        Self { original, stages: [None, None] }
    }

    /// The index that somebody asks; it begins anew if what was asked has changed anything.
    fn afresh(&mut self, actor: &Actor) -> &mut Stage {
        let stage = &mut self.stages[usize::from(actor.off)];
        if stage.as_ref().is_none_or(|(stage, before)| changes(stage) != *before) {
            let index = actor.index(self.original);
            let before = changes(&index);
            *stage = Some((index, before));
        }
        &mut stage.as_mut().unwrap().0
    }
}

fn changes(stage: &Stage) -> u64 {
    stage.db.connection().total_changes() + stage.search.connection().total_changes()
}

/// An answer, with the calls of the databases that it waited for.
fn send(stage: &mut Stage, sent: &Sent) -> (Answered, u64) {
    let answered = stage.send(sent).unwrap();
    let round_trips = stage.platform.log.borrow().iter().rev().find_map(|line| line.get("round_trips")?.as_u64());
    (answered, round_trips.unwrap())
}

/// What the matrix says of one endpoint: a line for each repository, a cell for each actor.
fn measured(endpoint: &Endpoint, cast: &Cast, rehearsal: &mut Rehearsal<'_>, cases: &mut usize) -> Vec<Line> {
    let places: &[(&'static str, &str)] = &[("public", PUBLIC), ("private", PRIVATE), ("missing", MISSING)];
    let places = if endpoint.names_a_repository() { places } else { &[("", PUBLIC)] };
    let line = |(place, name): &(&'static str, &str)| {
        let mut cell = |actor: &Actor| {
            let stage = rehearsal.afresh(actor);
            let sent = endpoint.request(cast, stage, actor, name);
            let (answered, _) = send(stage, &sent);
            *cases += 1;
            assert!(
                endpoints::describes(endpoint, answered.status),
                "{} as {}: the description lacks {}",
                endpoint.label(),
                actor.label,
                answered.status
            );
            if endpoint.method == "GET" {
                let head = send(stage, &Sent { method: "HEAD".to_owned(), ..sent }).0;
                *cases += 1;
                assert_eq!(
                    (head.status, head.body.len()),
                    (answered.status, 0),
                    "HEAD of {} as {}",
                    endpoint.label(),
                    actor.label
                );
            }
            endpoint.told(&answered, name)
        };
        Line { place, cells: cast.actors.iter().map(&mut cell).collect() }
    };
    places.iter().map(line).collect()
}

#[test]
fn the_readme_shows_who_may_do_what() {
    let mut cast = actors::cast();
    actors::hide(&mut cast);
    let mut rehearsal = Rehearsal::of(&cast.client.0);
    let mut cases = 0;
    let rows = ENDPOINTS.map(|endpoint| (endpoint.label(), measured(&endpoint, &cast, &mut rehearsal, &mut cases)));
    println!("cases: {cases} permission matrix");
    let labels = cast.actors.iter().map(|actor| actor.label).collect::<Vec<_>>();
    readme::hold(&readme::table(&labels, &rows));
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
fn every_answer_has_its_headers() {
    let mut cast = actors::cast();
    actors::hide(&mut cast);
    let mut rehearsal = Rehearsal::of(&cast.client.0);
    let (mut cases, mut faults) = (0, Vec::new());
    for endpoint in &ENDPOINTS {
        for actor in &cast.actors {
            for (name, method) in
                [(PRIVATE, endpoint.method), (PUBLIC, endpoint.method), (PUBLIC, "OPTIONS"), (PUBLIC, "BREW")]
            {
                let stage = rehearsal.afresh(actor);
                let sent = endpoint.request(&cast, stage, actor, name);
                let mut request = stage.received(&Sent { method: method.to_owned(), ..sent }).unwrap();
                request.https = true;
                let reply = stage.answer(&request);
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
fn what_changes_is_written_down_and_nothing_else_is() {
    let mut cast = actors::cast();
    actors::hide(&mut cast);
    let mut rehearsal = Rehearsal::of(&cast.client.0);
    let (mut cases, mut told, mut faults) = (0, 0, Vec::new());
    for endpoint in &ENDPOINTS {
        for actor in &cast.actors {
            for name in [PUBLIC, PRIVATE, MISSING] {
                let stage = rehearsal.afresh(actor);
                stage.platform.pass(1);
                let before = audited::state(stage);
                let sent = endpoint.request(&cast, stage, actor, name);
                let (answered, _) = send(stage, &sent);
                let after = audited::state(stage);
                cases += 1;
                told += usize::from(after.told > before.told);
                if (after.told > before.told) != (after.rows != before.rows) {
                    let (rows, what) = (after.told - before.told, audited::difference(&before, &after));
                    faults.push(format!(
                        "{} of {name} as {}: {}, {rows} rows of the audit, and changed: {what}",
                        endpoint.label(),
                        actor.label,
                        answered.status
                    ));
                }
            }
        }
    }
    println!("cases: {cases} of changes that are in the audit, of which {told} changed something");
    assert!(told > 100, "nobody changed anything");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
