//! What the pages showed of every operation: what was sent when it went well, and what was answered.

use std::collections::{BTreeMap, BTreeSet};

use hublet::{
    api,
    routes::{self, Route},
    wire::{Dialect, request::form},
};
use serde_json::Value;

use test_support::{
    page::Block,
    runner::{RawResponse, TestRequest},
};

use super::shape::{Nouns, Shape};

/// Everything that was seen.
#[derive(Default)]
pub struct Seen {
    /// By pattern and method.
    pub operations: BTreeMap<&'static str, BTreeMap<String, Operation>>,
    /// Bodies and headers of failures, by dialect.
    pub failures: BTreeMap<&'static str, Response>,
}

/// One method of one path.
#[derive(Default)]
pub struct Operation {
    /// The headings under which it went well, and how often.
    pub headings: BTreeMap<String, usize>,
    /// In which form it fails.
    pub dialect: &'static str,
    /// Times that it went well.
    pub successes: usize,
    /// Parameters of the query.
    pub parameters: BTreeMap<String, Parameter>,
    /// The parameters of each request that was refused for its form.
    pub refused: Vec<BTreeSet<String>>,
    /// Bodies by their type.
    pub bodies: BTreeMap<String, Body>,
    /// Credentials that it took; empty text for none.
    pub credentials: BTreeSet<&'static str>,
    /// What it answered, by status.
    pub responses: BTreeMap<u16, Response>,
    /// Whether an answer waited for a database.
    pub stored: bool,
    /// The fewest calls of the databases that one waited for when it went well.
    pub round_trips: Option<u64>,
    /// The most bytes of a body.
    pub body_limit: usize,
}

/// A parameter of the query.
#[derive(Default)]
pub struct Parameter {
    /// Requests that had it and went well.
    pub times: usize,
    /// Whether one request had it twice.
    pub many: bool,
    /// The first value.
    pub example: String,
}

/// A body that was sent.
#[derive(Default)]
pub struct Body {
    /// How often.
    pub times: usize,
    /// What was in it.
    pub shape: Shape,
    /// The longest one that stands on its page as it was sent.
    pub example: Option<Value>,
}

/// What was answered with one status.
#[derive(Default)]
pub struct Response {
    /// How often.
    pub times: usize,
    /// Bodies by their type; nothing where there was none.
    pub content: BTreeMap<String, Shape>,
    /// Headers that not every answer has, and how often each was there.
    pub headers: BTreeMap<String, usize>,
}

/// Bytes that an example has at most.
const LONGEST_EXAMPLE: usize = 250;

/// Headers of every answer, or of every answer of a kind.
const USUAL: [&str; 13] = [
    "content-type",
    "content-security-policy",
    "cache-control",
    "vary",
    "x-request-id",
    "x-content-type-options",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-max-age",
    "strict-transport-security",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
];

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Seen {
    /// Takes an exchange into account. `written` is the request as it stands on its page.
    pub fn meet(&mut self, heading: &str, written: &Block, request: &TestRequest, got: &RawResponse, round_trips: u64) {
        let (target, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let Ok(route) = routes::route(target) else {
            self.failures.entry(dialect(routes::dialect(target))).or_default().meet(None, got);
            return;
        };
        let path = api::path(&route);
        if got.status >= 400 && !is_own(path.pattern, got.status) {
            self.failures.entry(dialect(path.errors)).or_default().meet(Some(&route), got);
        }
        // HEAD and OPTIONS are no operations of their own.
        if !path.endpoints.iter().any(|endpoint| endpoint.method.as_str() == request.method) {
            return;
        }
        let operation = self.operations.entry(path.pattern).or_default().entry(request.method.clone()).or_default();
        operation.dialect = dialect(path.errors);
        operation.stored |= round_trips > 0;
        operation.body_limit = path.max_body;
        operation.responses.entry(got.status).or_default().meet(Some(&route), got);
        match got.status {
            // A form that was sent leads to a page.
            200..300 | 303 if !(got.status == 303 && request.method == "GET") => {
                operation.round_trips =
                    Some(operation.round_trips.map_or(round_trips, |fewest| fewest.min(round_trips)));
                operation.succeed(heading, &route, query, written, request);
            }
            400 => operation.refused.push(form(query.as_bytes()).map(|(name, _)| name).collect()),
            // Also what never goes well stands under a heading.
            _ => operation.headings.extend([(heading.to_owned(), 0)].into_iter().filter(|_| operation.successes == 0)),
        }
    }
}

impl Seen {
    /// Gives what is shown in several places all that was seen of it in any of them.
    pub fn unify(&mut self) {
        let mut nouns = Nouns::default();
        let shapes = |seen: &mut Self, work: &mut dyn FnMut(&mut Shape)| {
            let operations = seen.operations.values_mut().flat_map(BTreeMap::values_mut);
            let responses = operations.flat_map(|operation| operation.responses.values_mut());
            responses.flat_map(|response| response.content.values_mut()).for_each(work);
        };
        shapes(self, &mut |shape| shape.name(&mut nouns));
        shapes(self, &mut |shape| shape.unify(&nouns));
    }
}

impl Operation {
    /// The heading under which it stands most often.
    pub fn summary(&self) -> &str {
        self.headings.iter().max_by_key(|(_, times)| **times).map_or("", |(heading, _)| heading)
    }

    /// The credentials that count: what neither asks a database nor refuses any does not look at them.
    pub fn schemes(&self) -> impl Iterator<Item = &&'static str> {
        self.credentials.iter().filter(|_| self.stored || self.responses.contains_key(&401))
    }

    /// Whether nothing goes well without this parameter.
    pub fn requires(&self, name: &str, parameter: &Parameter) -> bool {
        parameter.times == self.successes && self.refused.iter().any(|names| !names.contains(name))
    }

    fn succeed(&mut self, heading: &str, route: &Route, query: &str, written: &Block, request: &TestRequest) {
        self.successes += 1;
        *self.headings.entry(heading.to_owned()).or_default() += 1;
        self.credentials.insert(credentials(route, request));
        let mut names = BTreeSet::new();
        for (name, value) in form(query.as_bytes()) {
            let again = !names.insert(name.clone());
            let parameter =
                self.parameters.entry(name).or_insert_with(|| Parameter { example: value, ..Parameter::default() });
            parameter.times += usize::from(!again);
            parameter.many |= again;
        }
        if request.body.is_empty() {
            return;
        }
        let Some((media, value)) = body(request) else { return };
        let known = self.bodies.entry(media.to_owned()).or_default();
        known.times += 1;
        known.shape.meet(&value);
        let plain = written.body.as_ref().is_some_and(|written| written.as_bytes() == request.body);
        let longer = known.example.as_ref().map_or(0, |known| known.to_string().len()) < value.to_string().len();
        if plain && longer && request.body.is_ascii() && request.body.len() <= LONGEST_EXAMPLE {
            known.example = Some(value);
        }
    }
}

impl Response {
    fn meet(&mut self, route: Option<&Route>, got: &RawResponse) {
        self.times += 1;
        for (name, _) in got.headers.iter().filter(|(name, _)| !USUAL.contains(&name.as_str())) {
            *self.headers.entry(name.clone()).or_default() += 1;
        }
        if got.body.is_empty() {
            return;
        }
        let media = got.headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
        let shape = self.content.entry(media.to_owned()).or_default();
        // What is in the description itself is not for it to say.
        if route != Some(&Route::OpenApi) {
            shape.meet(&serde_json::from_slice(&got.body).unwrap_or_else(|_| Value::from("")));
        }
    }
}

/// A body by its type: JSON, or the fields of a form.
fn body(request: &TestRequest) -> Option<(&'static str, Value)> {
    let said = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    // What `curl -d` sends is a form by its type alone.
    if said.is_some_and(|(_, value)| value.starts_with(FORM)) && !request.body.starts_with(b"{") {
        let fields = form(&request.body).map(|(name, value)| (name, Value::from(value)));
        return Some((FORM, Value::Object(fields.collect())));
    }
    serde_json::from_slice(&request.body).ok().map(|value| (JSON, value))
}

/// Whether a status of an endpoint has a body of its own: it is a success, or what the health of the index is.
pub fn is_own(pattern: &str, status: u16) -> bool {
    status < 400 || (pattern, status) == ("/health", 503)
}

/// The scheme of the credentials of a request that went well.
fn credentials(route: &Route, request: &TestRequest) -> &'static str {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let scheme = header.and_then(|(_, value)| value.split_once(' ')).map(|(scheme, _)| scheme.to_ascii_lowercase());
    match (scheme.as_deref(), route) {
        // An empty name with an empty password is nobody.
        (Some("basic"), _) if header.is_some_and(|(_, value)| !value.ends_with(" Og==")) => "password",
        (Some("token"), _) => "repositoryToken",
        (Some("bearer" | "jwt"), Route::Hub(_) | Route::Health) => "session",
        (Some("bearer"), Route::Events) => "eventSecret",
        (Some("bearer"), Route::Reconciler) => "reconcilerToken",
        (Some("bearer"), _) => "registryToken",
        (None, _) if request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie")) => "cookie",
        _ => "",
    }
}

/// The name of a dialect in the document.
fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::V1 => "V1Error",
        Dialect::Hub => "HubError",
        Dialect::Token => "TokenError",
        Dialect::Page => "ErrorPage",
    }
}
