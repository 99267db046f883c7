//! Runs a page: sends each request, compares each response, and has the backend run the directives between them.

use std::fmt::Write;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

use super::{
    page::{Block, Claims, Directive, Exchange, Page, Step},
    pattern::Captures,
    times,
};

/// What a page runs against: an app in this process, or hublet at an address.
pub trait Backend {
    /// A page begins: mail that was sent before is not looked at.
    fn begin(&mut self, page: &Page) -> Result<(), String>;

    /// Sends a request.
    fn send(&mut self, request: &TestRequest) -> Result<RawResponse, String>;

    /// Runs a directive of the page.
    fn run_directive(&mut self, directive: &Directive) -> Result<Outcome, String>;
}

/// A request, ready to be sent.
#[derive(Debug, Clone, Default)]
pub struct TestRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names as they are written, in order, perhaps one twice.
    pub headers: Vec<(String, String)>,
    /// Perhaps empty.
    pub body: Vec<u8>,
}

/// A response as it arrived.
#[derive(Debug, Clone, Default)]
pub struct RawResponse {
    /// The status.
    pub status: u16,
    /// Lower-case names; lines of one name are joined.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Errors that hublet logged meanwhile, where the log can be read.
    pub faults: Vec<String>,
}

/// The result of a directive.
#[derive(Debug)]
pub enum Outcome {
    /// It was run; its text: a mail, the link of a new user, or empty.
    Done(String),
    /// The backend cannot run it; why.
    Unsupported(String),
}

/// The counts of exchanges.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sent and compared.
    pub played: usize,
    /// Not sent, since the backend could not run what they depend on.
    pub skipped: usize,
    /// The directives that the backend could not run.
    pub unsupported: Vec<String>,
}

#[derive(PartialEq, Eq)]
enum Skipping {
    Nothing,
    Section,
    Page,
}

/// Runs a page to its end, or to its first failure, which names file and line.
pub fn run_page(page: &Page, backend: &mut dyn Backend, summary: &mut Summary) -> Result<(), String> {
    let at = |line: usize, error: String| format!("{}:{line}: {error}", page.name);
    let (mut captures, mut skipping, mut skipped) = (Captures::default(), Skipping::Nothing, false);
    backend.begin(page).map_err(|error| at(1, error))?;
    for step in &page.steps {
        match step {
            Step::Section if skipping == Skipping::Section => skipping = Skipping::Nothing,
            Step::Section => {}
            Step::Exchange(exchange)
                if skipping != Skipping::Nothing || skipped && lacks_captures(exchange, &captures) =>
            {
                summary.skipped += 1;
            }
            Step::Exchange(exchange) => {
                run_exchange(exchange, backend, &mut captures).map_err(|(line, error)| at(line, error))?;
                summary.played += 1;
            }
            Step::Claims(claims)
                if skipping != Skipping::Nothing || skipped && captures.fill(&claims.token).is_err() => {}
            Step::Claims(claims) => check_claims(claims, &mut captures).map_err(|error| at(claims.line, error))?,
            Step::Directive(directive)
                if skipping != Skipping::Nothing || skipped && captures.fill(&directive.rest).is_err() => {}
            Step::Directive(directive) => {
                let rest = captures.fill(&directive.rest).map_err(|error| at(directive.line, error))?;
                let directive = Directive { rest, ..directive.clone() };
                match backend.run_directive(&directive).map_err(|error| at(directive.line, error))? {
                    Outcome::Done(text) => {
                        capture_secret(&directive, &text, &mut captures).map_err(|error| at(directive.line, error))?;
                    }
                    Outcome::Unsupported(why) => {
                        summary
                            .unsupported
                            .push(at(directive.line, format!("{}: {} ({why})", directive.word, directive.rest)));
                        skipping = if directive.word == "Setting" { Skipping::Page } else { Skipping::Section };
                        skipped = true;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Compares the claims of a token.
fn check_claims(claims: &Claims, captures: &mut Captures) -> Result<(), String> {
    let token = captures.fill(&claims.token)?;
    let said = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let said = said.and_then(|said| serde_json::from_slice(&said).ok());
    let said: Value = said.ok_or_else(|| format!("{token:?} is no JSON Web Token"))?;
    let expected = serde_json::from_str(&claims.expected).map_err(|error| error.to_string())?;
    captures.json(&expected, &said).map_err(|error| format!("{error}\n    {said}"))
}

/// Captures the secret of the link in a text. A mail must have one.
fn capture_secret(directive: &Directive, text: &str, captures: &mut Captures) -> Result<(), String> {
    let found = if directive.word == "Secret" { Some(text.trim()) } else { secret(text) };
    match found {
        Some(secret) => captures.put("secret", secret),
        None if directive.word == "Mail" => return Err(format!("there is no link in the mail: {text:?}")),
        None => {}
    }
    Ok(())
}

/// The token of a reconciler, or the fragment of the first URL in a text.
fn secret(text: &str) -> Option<&str> {
    let token = text.split_whitespace().find_map(|word| word.strip_prefix("HUBLET_RECONCILER_TOKEN="));
    if token.is_some() {
        return token;
    }
    let url = text.split_whitespace().find(|word| word.starts_with("http") && word.contains('#'))?;
    url.split_once('#').map(|(_, secret)| secret)
}

fn lacks_captures(exchange: &Exchange, captures: &Captures) -> bool {
    build_request(&exchange.request, captures).is_err()
}

fn run_exchange(
    exchange: &Exchange,
    backend: &mut dyn Backend,
    captures: &mut Captures,
) -> Result<(), (usize, String)> {
    let request = build_request(&exchange.request, captures).map_err(|error| (exchange.request.line, error))?;
    let got = backend.send(&request).map_err(|error| (exchange.request.line, error))?;
    compare(&exchange.response, &request, &got, captures)
        .and_then(|()| check_times(&request, &got))
        .map_err(|error| (exchange.response.line, report(&error, exchange, &request, &got)))
}

/// The request of a block, with the captures filled in. `Host` is for the reader.
fn build_request(block: &Block, captures: &Captures) -> Result<TestRequest, String> {
    let (method, target) = block.method_and_target().ok_or_else(|| format!("{:?} is no request", block.start))?;
    let mut headers = Vec::new();
    for (name, value) in block.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        let value = captures.fill(value)?;
        let encoded = if name.eq_ignore_ascii_case("authorization") { encode_basic(&value) } else { None };
        headers.push((name.clone(), encoded.unwrap_or(value)));
    }
    let body = captures.fill_body(block.body.as_deref().unwrap_or_default())?;
    Ok(TestRequest { method: method.to_owned(), target: captures.fill(target)?, headers, body: body.into_bytes() })
}

/// Encodes credentials that the page has in clear text.
fn encode_basic(value: &str) -> Option<String> {
    let (scheme, clear) = value.split_once(' ')?;
    let written = scheme.eq_ignore_ascii_case("basic") && clear.contains(':');
    written.then(|| format!("{scheme} {}", STANDARD.encode(clear)))
}

fn compare(expected: &Block, request: &TestRequest, got: &RawResponse, captures: &mut Captures) -> Result<(), String> {
    let status = expected.status().ok_or_else(|| format!("{:?} is no response", expected.start))?;
    if got.status != status {
        return Err(format!("the status is {}, and not {status}", got.status));
    }
    for (name, value) in &expected.headers {
        if name.eq_ignore_ascii_case("content-length") {
            check_length(value, request, got)?;
        } else {
            check_header(name, value, got, captures)?;
        }
    }
    expected.body.as_deref().map_or(Ok(()), |wanted| check_body(wanted, got, captures))
}

/// Clients of the Hub's API take a time without a fraction for none.
fn check_times(request: &TestRequest, got: &RawResponse) -> Result<(), String> {
    let answer = if request.target.starts_with("/v2/") { serde_json::from_slice(&got.body).ok() } else { None };
    match answer.as_ref().and_then(times::find_imprecise) {
        Some(odd) => Err(format!("the time {odd:?} has no six digits of fraction")),
        None => Ok(()),
    }
}

/// Compares the length of what arrived: a response in this process has no such header, and a 204 never has one. One to
/// HEAD has the length of a body that it does not have.
fn check_length(value: &str, request: &TestRequest, got: &RawResponse) -> Result<(), String> {
    let arrived = got.body.len().to_string();
    if arrived == value || request.method == "HEAD" && got.body.is_empty() {
        return Ok(());
    }
    Err(format!("the body has {arrived} bytes, and not {value}"))
}

fn check_header(name: &str, value: &str, got: &RawResponse, captures: &mut Captures) -> Result<(), String> {
    let found = got.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match (found, value) {
        (None, "(absent)") => Ok(()),
        (None, _) => Err(format!("there is no {name}")),
        (Some(found), "(absent)") => Err(format!("there is a {name}: {found}")),
        (Some(found), _) if captures.text(value, found) => Ok(()),
        (Some(found), _) => Err(format!("{name} is {found:?}, and not {:?}", filled(value, captures))),
    }
}

fn check_body(wanted: &str, got: &RawResponse, captures: &mut Captures) -> Result<(), String> {
    let text = String::from_utf8_lossy(&got.body);
    let Ok(expected) = serde_json::from_str::<Value>(wanted) else {
        let fits = captures.text(wanted, text.trim_end_matches('\n'));
        return if fits { Ok(()) } else { Err(format!("the body is not {:?}", filled(wanted, captures))) };
    };
    let actual = serde_json::from_str(&text).map_err(|error| format!("the body is no JSON: {error}"))?;
    captures.json(&expected, &actual)
}

fn filled(pattern: &str, captures: &Captures) -> String {
    captures.fill(pattern).unwrap_or_else(|_| pattern.to_owned())
}

/// The error, with both sides of the exchange.
fn report(error: &str, exchange: &Exchange, request: &TestRequest, got: &RawResponse) -> String {
    let mut text = format!("{error}\n    {} {}\n", request.method, request.target);
    let mut show = |title: &str, start: String, headers: &[(String, String)], body: &str| {
        let _ = writeln!(text, "  {title}:\n    {start}");
        for (name, value) in headers {
            let _ = writeln!(text, "    {name}: {value}");
        }
        let _ = writeln!(text, "\n    {}", body.replace('\n', "\n    "));
    };
    let response = &exchange.response;
    show("expected", response.start.clone(), &response.headers, response.body.as_deref().unwrap_or_default());
    show("actual", format!("HTTP/1.1 {}", got.status), &got.headers, &String::from_utf8_lossy(&got.body));
    for fault in &got.faults {
        let _ = writeln!(text, "  logged: {fault}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Responds with the body of the request, and supports two directives.
    #[derive(Default)]
    struct Echo {
        sent: Vec<TestRequest>,
    }

    impl Backend for Echo {
        fn begin(&mut self, _: &Page) -> Result<(), String> {
            Ok(())
        }

        fn send(&mut self, request: &TestRequest) -> Result<RawResponse, String> {
            self.sent.push(request.clone());
            let headers = vec![("x-length".to_owned(), request.body.len().to_string())];
            Ok(RawResponse { status: 200, headers, body: request.body.clone(), faults: Vec::new() })
        }

        fn run_directive(&mut self, directive: &Directive) -> Result<Outcome, String> {
            Ok(match directive.word.as_str() {
                "Mail" => Outcome::Done("Open http://x/account/confirm#s3cret\n".into()),
                "Secret" => Outcome::Done("hush\n".into()),
                _ => Outcome::Unsupported("no hands".into()),
            })
        }
    }

    fn run_text(text: &str) -> (Result<(), String>, Summary, Vec<TestRequest>) {
        let (mut echo, mut summary) = (Echo::default(), Summary::default());
        let page = Page::read("p.md", text, "_1").unwrap();
        let outcome = run_page(&page, &mut echo, &mut summary);
        (outcome, summary, echo.sent)
    }

    fn exchange(request: &str, response: &str) -> String {
        format!("```http\n{request}\n```\n\n```http\n{response}\n```\n\n")
    }

    #[test]
    fn matching_exchange_is_counted() {
        let text = exchange(
            "PUT /a HTTP/1.1\nHost: x\nAuthorization: Basic paul:to:to\n\n{\"a\": 1}",
            "HTTP/1.1 200\nX-Length: [n]\nX-None: (absent)\nContent-Length: 8\n\n{\"a\":1}",
        );
        let (outcome, summary, request) = run_text(&text);
        outcome.unwrap();
        assert_eq!(summary, Summary { played: 1, ..Summary::default() });
        assert_eq!(request[0].headers, [("Authorization".to_owned(), "Basic cGF1bDp0bzp0bw==".to_owned())]);
        assert_eq!(request[0].target, "/a");
    }

    #[test]
    fn failure_names_its_line_and_shows_both_sides() {
        for (response, words) in [
            ("HTTP/1.1 201", "p.md:8: the status is 200, and not 201"),
            ("HTTP/1.1 200\nX-Length: 2", "p.md:8: X-Length is \"1\", and not \"2\""),
            ("HTTP/1.1 200\nX-Length: (absent)", "p.md:8: there is a X-Length: 1"),
            ("HTTP/1.1 200\nX-None: a", "p.md:8: there is no X-None"),
            ("HTTP/1.1 200\nContent-Length: 0", "p.md:8: the body has 1 bytes, and not 0"),
            ("HTTP/1.1 200\n\n2", "p.md:8: body is 1, and not 2"),
            ("HTTP/1.1 200\n\nplain", "p.md:8: the body is not \"plain\""),
        ] {
            let (outcome, summary, _) = run_text(&exchange("PUT /\n\n1", response));
            let error = outcome.unwrap_err();
            assert!(error.starts_with(words) && error.contains("actual:"), "{error}");
            assert_eq!(summary, Summary::default());
        }
    }

    #[test]
    fn captures_go_into_later_requests() {
        let text = exchange("PUT /\n\n\"abc\"", "HTTP/1.1 200\nX-Length: [n]\n\n\"[word]\"")
            + "Mail: paul@example.com\n\n"
            + &exchange("POST /[word]?[n]\nX-A: <[secret]>\n\nb=[secret]", "HTTP/1.1 200");
        let (outcome, _, request) = run_text(&text);
        outcome.unwrap();
        assert_eq!(request[1].target, "/abc?5");
        assert_eq!(request[1].headers[0].1, "<s3cret>");
        assert_eq!(request[1].body, b"b=s3cret");
    }

    #[test]
    fn token_claims_are_compared() {
        // {"sub":"paul"}
        let caught = "Secret: registry\n\n".to_owned()
            + &exchange("PUT /\n\nx.eyJzdWIiOiJwYXVsIn0.[secret]", "HTTP/1.1 200\n\n[token]");
        let says = |claims: &str| run_text(&format!("{caught}Decoded: [token]\n\n```json\n{claims}\n```\n")).0;
        says(r#"{"sub": "[name]"}"#).unwrap();
        says(r#"{"...": "..."}"#).unwrap();
        assert!(says("{}").unwrap_err().starts_with("p.md:18: body.sub was not expected"));
        let nothing = run_text("Decoded: a.b.c\n\n```json\n{}\n```\n").0;
        assert!(nothing.unwrap_err().contains("is no JSON Web Token"));
    }

    #[test]
    fn unsupported_directive_skips_section_or_page() {
        let one = exchange("PUT /", "HTTP/1.1 200\nX-Length: [n]");
        let needs = exchange("PUT /[n]", "HTTP/1.1 200");
        let operator = format!("## A\n\nOperator: x\n\n{one}## B\n\n{needs}{one}{needs}");
        let summary = run_text(&operator).1;
        assert_eq!((summary.played, summary.skipped), (2, 2));
        assert_eq!(summary.unsupported, ["p.md:3: Operator: x (no hands)"]);
        let setting = format!("## A\n\nSetting: A=b\n\n{one}## B\n\n{one}");
        let summary = run_text(&setting).1;
        assert_eq!((summary.played, summary.skipped), (0, 2));
        assert!(run_text(&needs).0.unwrap_err().contains("nothing was caught as [n]"));
    }
}
