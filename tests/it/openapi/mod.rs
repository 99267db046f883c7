//! The description that is served at `/openapi.json` is what the pages of the contract show and the table of the API
//! has: it is made of both, and compared. What an endpoint takes and costs is held to the same pages.
//! `UPDATE=1 cargo test --test it openapi::` writes it anew.

mod document;
mod seen;
mod shape;

use std::{env, fs, path::PathBuf, sync::OnceLock};

use hublet::{
    api::{self, Method, Security},
    wire::Dialect,
};
use seen::{Operation, Seen};
use serde_json::Value;
use test_support::{
    TestApp,
    page::{Block, Directive, Page, Step},
    runner::{Backend, Outcome, RawResponse, Summary, TestRequest, run_page},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const DESCRIPTION: &str = include_str!("../../../src/openapi.json");

/// Whether the description has a path: it has none of the pages for people, but those that a mail leads to.
pub fn is_described(pattern: &str) -> bool {
    let is_page = |path: &&api::Path| path.pattern == pattern && path.errors == Dialect::Page;
    pattern.starts_with("/account/") || !api::PATHS.iter().any(|path| is_page(&path))
}

/// An app whose exchanges are recorded.
struct Recorder<'a> {
    app: TestApp,
    /// The requests of the page as they are written, each with its heading, the next one first.
    written: std::vec::IntoIter<(String, Block)>,
    seen: &'a mut Seen,
}

impl Backend for Recorder<'_> {
    fn begin(&mut self, page: &Page) -> Result<(), String> {
        self.app.begin(page)
    }

    fn send(&mut self, request: &TestRequest) -> Result<RawResponse, String> {
        let got = self.app.send(request)?;
        let (heading, written) = self.written.next().ok_or("more was sent than is written")?;
        let log = self.app.platform.log.borrow();
        let round_trips = log.iter().rev().find_map(|line| line.get("round_trips")?.as_u64());
        self.seen.meet(&heading, &written, request, &got, round_trips.unwrap_or_default());
        Ok(got)
    }

    fn run_directive(&mut self, directive: &Directive) -> Result<Outcome, String> {
        self.app.run_directive(directive)
    }
}

/// The text of a heading above a line, without marks.
fn heading(text: &str, line: usize) -> String {
    let above = text.lines().take(line).filter_map(|line| line.strip_prefix("## ").or(line.strip_prefix("# ")));
    above.last().unwrap_or_default().replace('`', "")
}

/// Runs a page on an app of its own, so that names need no fresh suffix.
fn record(path: &PathBuf, seen: &mut Seen) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let written = |page: Page| {
        let exchanges = page.steps.into_iter().filter_map(|step| match step {
            Step::Exchange(exchange) => Some((heading(&text, exchange.request.line), exchange.request)),
            _ => None,
        });
        exchanges.collect::<Vec<_>>().into_iter()
    };
    let read = || Page::read(&path.to_string_lossy(), &text, "_1");
    let mut recorder = Recorder { app: TestApp::new()?, written: written(read()?), seen };
    let mut summary = Summary::default();
    run_page(&read()?, &mut recorder, &mut summary)?;
    if summary.skipped == 0 { Ok(()) } else { Err(format!("{}: something was skipped", path.display())) }
}

/// All pages, played once for all tests.
fn seen() -> &'static Seen {
    static SEEN: OnceLock<Seen> = OnceLock::new();
    SEEN.get_or_init(|| all().unwrap_or_else(|error| unreachable!("{error}")))
}

fn all() -> Result<Seen, String> {
    let entries = fs::read_dir(format!("{ROOT}/tests/wire")).map_err(|error| error.to_string())?;
    let mut pages = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect::<Vec<_>>();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut seen = Seen::default();
    pages.iter().try_for_each(|page| record(page, &mut seen))?;
    seen.unify();
    Ok(seen)
}

#[test]
fn description_agrees_with_the_pages() {
    let made = document::print(seen());
    serde_json::from_str::<Value>(&made).unwrap();
    if env::var_os("UPDATE").is_some() {
        fs::write(format!("{ROOT}/src/openapi.json"), &made).unwrap();
        return;
    }
    let differing = made.lines().zip(DESCRIPTION.lines()).find(|(made, kept)| made != kept);
    assert!(
        made == DESCRIPTION,
        "run UPDATE=1 cargo test --test it openapi:: and look at what changed, as {differing:#?}"
    );
}

/// What an endpoint of this method and this pattern showed.
fn operation(path: &api::Path, endpoint: api::Endpoint) -> Option<&'static Operation> {
    seen().operations.get(path.pattern).and_then(|operations| operations.get(endpoint.method.as_str()))
}

#[test]
fn every_endpoint_succeeds_on_a_page() {
    for (path, endpoint) in api::endpoints() {
        // Which never go well: a registry has what is asked for.
        let elsewhere =
            ["manifests", "blobs"].iter().any(|word| path.pattern.starts_with(&format!("/v2/{{repository}}/{word}/")));
        let (method, pattern) = (endpoint.method.as_str(), path.pattern);
        assert!(
            operation(path, *endpoint).is_some_and(|seen| elsewhere != (seen.successes > 0)),
            "{method} {pattern} goes well on no page"
        );
    }
}

/// The schemes of the document by which an endpoint knows who asks.
fn schemes(security: Security) -> &'static [&'static str] {
    match security {
        Security::None | Security::Body | Security::Link => &[],
        Security::Password | Security::OptionalPassword => &["password"],
        Security::RepositoryToken => &["repositoryToken"],
        Security::V1 => &["password", "repositoryToken"],
        Security::Registry => &["password", "registryToken"],
        Security::Session | Security::OptionalSession | Security::PasswordSession => &["session"],
        Security::EventSecret => &["eventSecret", "password"],
        Security::Reconciler => &["reconcilerToken"],
        Security::Cookie | Security::OptionalCookie | Security::FreshCookie => &["cookie"],
    }
}

#[test]
fn pages_show_accepted_credentials() {
    for (path, endpoint) in api::endpoints() {
        let Some(seen) = operation(path, *endpoint) else { continue };
        let shown = seen.schemes().copied().filter(|scheme| !scheme.is_empty()).collect::<Vec<_>>();
        let taken = schemes(endpoint.security);
        let (method, pattern) = (endpoint.method.as_str(), path.pattern);
        assert!(shown.iter().all(|scheme| taken.contains(scheme)), "{method} {pattern} takes {shown:?}, not {taken:?}");
        assert_eq!(
            shown.is_empty(),
            taken.is_empty(),
            "{method} {pattern} takes {taken:?}, of which no page shows any"
        );
    }
}

/// How often an answer waits for a database where it is more than once for a read and twice for a write. It is the fewest
/// of what the pages show: what a password, a first use or a hidden repository adds is held by `tests/it/round_trips.rs`.
const BUDGETS: [(&str, &str, u64); 4] = [
    // Both databases, at the same time.
    ("GET", "/health", 2),
    ("GET", "/admin", 2),
    // What the user may read, and then what is found.
    ("GET", "/search", 2),
    // A read, and then a write to each of the two databases, at the same time.
    ("DELETE", "/v2/namespaces/{namespace}/repositories/{repository}", 3),
];

#[test]
fn endpoints_keep_to_their_round_trips() {
    let usual = |method| if method == Method::Get { 1 } else { 2 };
    let mut over = Vec::new();
    for (path, endpoint) in api::endpoints() {
        let (method, pattern) = (endpoint.method.as_str(), path.pattern);
        let special = BUDGETS.iter().find(|budget| (budget.0, budget.1) == (method, pattern)).map(|budget| budget.2);
        let Some(round_trips) = operation(path, *endpoint).and_then(|seen| seen.round_trips) else { continue };
        if special.map_or(round_trips > usual(endpoint.method), |budget| round_trips != budget) {
            over.push(format!("{method} {pattern} waits {round_trips} times at least"));
        }
    }
    assert!(over.is_empty(), "\n{}", over.join("\n"));
}
