//! A page of the contract, parsed: requests with their expected responses, and directives between them.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use serde_json::json;

/// One page.
#[derive(Debug)]
pub struct Page {
    /// Its path, for messages: `tests/wire/users.md`.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A heading of the second level: what an unsupported directive skips ends here.
    Section,
    /// What the backend does between requests.
    Directive(Directive),
    /// A request and what is expected for it.
    Exchange(Box<Exchange>),
    /// A signed token and its expected claims.
    Claims(Claims),
}

/// A line such as `Operator: disable paul`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Where it stands.
    pub line: usize,
    /// `Operator`, `Time`, `Mail`, `Secret`, `Scheduled` or `Setting`.
    pub word: String,
    /// The text after the colon.
    pub rest: String,
}

/// A line such as `Decoded: [token]`, and the JSON after it.
#[derive(Debug, PartialEq, Eq)]
pub struct Claims {
    /// Where the JSON begins.
    pub line: usize,
    /// A JSON Web Token, as a rule a capture.
    pub token: String,
    /// The expected claims, as JSON.
    pub expected: String,
}

/// A request and what is expected for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The request.
    pub request: Block,
    /// What is expected.
    pub response: Block,
}

/// An `http` block, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// Where its first line stands.
    pub line: usize,
    /// `GET /v1/_ping HTTP/1.1`, or `HTTP/1.1 200`.
    pub start: String,
    /// Names as they are written, in order.
    pub headers: Vec<(String, String)>,
    /// The text after the empty line; `None` without one.
    pub body: Option<String>,
}

/// The directives that a backend runs. `User` is none of them: it expands to exchanges.
const DIRECTIVES: [&str; 6] = ["Operator", "Time", "Mail", "Secret", "Scheduled", "Setting"];

impl Page {
    /// Parses a page. `suffix` replaces each `~` after a name.
    pub fn read(name: &str, text: &str, suffix: &str) -> Result<Self, String> {
        let text = with_suffix(text, suffix);
        let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end()));
        let (mut steps, mut asked, mut decoded) = (Vec::new(), None::<Block>, None::<&str>);
        let mut users = Users::default();
        while let Some((at, line)) = lines.next() {
            let Some(kind) = line.strip_prefix("```") else {
                decoded = line.strip_prefix("Decoded: ").or(decoded);
                if let Some(rest) = line.strip_prefix("User: ") {
                    let exchanges = users.exchanges(at, rest).map_err(|error| format!("{name}:{at}: {error}"))?;
                    steps.extend(exchanges.into_iter().map(|exchange| Step::Exchange(Box::new(exchange))));
                    continue;
                }
                steps.extend(read_prose(at, line));
                continue;
            };
            let content = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect::<Vec<_>>();
            if let Some(token) = decoded.take().filter(|_| kind == "json") {
                let claims = Claims { line: at + 1, token: token.to_owned(), expected: content.join("\n") };
                steps.push(Step::Claims(claims));
            }
            if kind != "http" {
                continue;
            }
            let block = Block::read(at + 1, &content).map_err(|error| format!("{name}:{at}: {error}"))?;
            let request = match (asked.take(), block.status().is_some()) {
                (None, false) => {
                    asked = Some(block);
                    continue;
                }
                (Some(request), true) => request,
                (None, true) => return Err(format!("{name}:{at}: a response without a request")),
                (Some(request), false) => return Err(without_response(name, &request)),
            };
            steps.push(Step::Exchange(Box::new(Exchange { request, response: block })));
        }
        match asked {
            Some(request) => Err(without_response(name, &request)),
            None => Ok(Self { name: name.to_owned(), steps }),
        }
    }

    /// Whether it changes settings: then it needs an app of its own.
    #[must_use]
    pub fn changes_settings(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Directive(directive) if directive.word == "Setting"))
    }
}

fn without_response(name: &str, request: &Block) -> String {
    format!("{name}:{}: a request without a response", request.line)
}

/// The passwords of the users that a page has registered with `User:`, by name.
#[derive(Default)]
struct Users(BTreeMap<String, String>);

impl Users {
    /// The exchanges of `paul:toto42 as [paul]`: the first line about a user registers them, with the password `secret` if
    /// it has none; one with `as` logs in, and captures the token of the session.
    fn exchanges(&mut self, line: usize, rest: &str) -> Result<Vec<Exchange>, String> {
        let (user, capture) = match rest.split_once(" as ") {
            Some((user, capture)) => (user, Some(capture)),
            None => (rest, None),
        };
        let (name, password) = match user.split_once(':') {
            Some((name, password)) => (name, Some(password)),
            None => (user, None),
        };
        let exchange = |start: &str, body: String, status: &str, answer: Option<String>| Exchange {
            request: Block {
                line,
                start: start.to_owned(),
                headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
                body: Some(body),
            },
            response: Block { line, start: status.to_owned(), headers: Vec::new(), body: answer },
        };
        let mut exchanges = Vec::new();
        if !self.0.contains_key(name) {
            let password = password.unwrap_or("secret");
            let body = json!({ "username": name, "password": password, "email": format!("{name}@example.com") });
            exchanges.push(exchange("POST /v1/users/ HTTP/1.1", body.to_string(), "HTTP/1.1 201", None));
            self.0.insert(name.to_owned(), password.to_owned());
        } else if password.is_some() || capture.is_none() {
            return Err(format!("{name} is registered already"));
        }
        if let (Some(password), Some(capture)) = (self.0.get(name), capture) {
            let body = json!({ "username": name, "password": password }).to_string();
            let token = json!({ "token": capture }).to_string();
            exchanges.push(exchange("POST /v2/users/login HTTP/1.1", body, "HTTP/1.1 200", Some(token)));
        }
        Ok(exchanges)
    }
}

fn read_prose(at: usize, line: &str) -> Option<Step> {
    if line.starts_with("## ") {
        return Some(Step::Section);
    }
    let (word, rest) = line.split_once(':')?;
    DIRECTIVES
        .contains(&word)
        .then(|| Step::Directive(Directive { line: at, word: word.to_owned(), rest: rest.trim().to_owned() }))
}

impl Block {
    fn read(line: usize, content: &[&str]) -> Result<Self, String> {
        let (start, rest) = content.split_first().ok_or("an empty block")?;
        let mut parts = rest.splitn(2, |line| line.is_empty());
        let header = |line: &&str| match line.split_once(':') {
            Some((name, value)) => Ok((name.to_owned(), value.trim().to_owned())),
            None => Err(format!("{line:?} is no header")),
        };
        let headers = parts.next().unwrap_or_default().iter().map(header).collect::<Result<_, _>>()?;
        let body = parts.next().map(|lines| lines.join("\n")).filter(|body| !body.is_empty());
        Ok(Self { line, start: (*start).to_owned(), headers, body })
    }

    /// The status, if this is a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// Method and target, if this is a request.
    #[must_use]
    pub fn method_and_target(&self) -> Option<(&str, &str)> {
        let (method, rest) = self.start.split_once(' ')?;
        Some((method, rest.strip_suffix(" HTTP/1.1").unwrap_or(rest))).filter(|(_, target)| target.starts_with('/'))
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Six characters that no other run has.
#[must_use]
pub fn fresh_suffix() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rest = RandomState::new().build_hasher().finish();
    let mut letter = || {
        let at = usize::try_from(rest % 36).unwrap_or_default();
        rest /= 36;
        LETTERS.get(at).map_or('a', |letter| char::from(*letter))
    };
    (0..6).map(|_| letter()).collect()
}

/// The text with the suffix in place of each `~` after a word.
fn with_suffix(text: &str, suffix: &str) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut before = ' ';
    for letter in text.chars() {
        if letter == '~' && (before.is_ascii_alphanumeric() || before == '_') {
            renamed.push_str(suffix);
        } else {
            renamed.push(letter);
        }
        before = letter;
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Users

Some prose: with a colon, and `Operator: nothing`.

## Log in

Operator: disable paul~

```sh
curl http://127.0.0.1/
```

```http
PUT /v1/users/paul~/?a=~b HTTP/1.1
Host: index.docker.io
X-Empty:

{\"email\":

 \"P~@x\"}
```

It says:

```http
HTTP/1.1 204
Content-Length: 0
```

```json
{}
```

Decoded: [token]

```json
{\"sub\": \"paul~\"}
```

Scheduled:
";

    #[test]
    fn page_is_a_list_of_steps() {
        let page = Page::read("users.md", PAGE, "_1").unwrap();
        let [
            Step::Section,
            Step::Directive(operator),
            Step::Exchange(exchange),
            Step::Claims(claims),
            Step::Directive(scheduled),
        ] = page.steps.as_slice()
        else {
            panic!("{page:?}");
        };
        assert_eq!((operator.line, operator.rest.as_str()), (7, "disable paul_1"));
        assert_eq!(exchange.request.line, 14);
        assert_eq!(exchange.request.method_and_target(), Some(("PUT", "/v1/users/paul_1/?a=~b")));
        assert_eq!(exchange.request.header("x-empty"), Some(""));
        assert_eq!(exchange.request.body.as_deref(), Some("{\"email\":\n\n \"P_1@x\"}"));
        assert_eq!((exchange.response.status(), &exchange.response.body), (Some(204), &None));
        assert_eq!((claims.token.as_str(), claims.expected.as_str()), ("[token]", "{\"sub\": \"paul_1\"}"));
        assert_eq!((scheduled.word.as_str(), scheduled.rest.as_str()), ("Scheduled", ""));
        assert!(!page.changes_settings());
    }

    #[test]
    fn incomplete_page_is_an_error_with_its_line() {
        let error = |text: &str| Page::read("p.md", text, "").unwrap_err();
        let request = "```http\nGET / HTTP/1.1\n```\n";
        let response = "```http\nHTTP/1.1 200\n```\n";
        assert_eq!(error(request), "p.md:2: a request without a response");
        assert_eq!(error(&format!("{request}{request}{response}")), "p.md:2: a request without a response");
        assert_eq!(error(response), "p.md:1: a response without a request");
        assert_eq!(error("\n```http\n```\n"), "p.md:2: an empty block");
        assert!(error("```http\nGET /\nnonsense\n```").contains("\"nonsense\" is no header"));
    }

    #[test]
    fn user_is_registered_once_and_logs_in() {
        let page = |text: &str| Page::read("p.md", text, "_1");
        let exchanges = |text: &str| {
            let steps = page(text).unwrap().steps;
            let shown = steps.into_iter().map(|step| match step {
                Step::Exchange(exchange) => {
                    assert_eq!(exchange.request.header("content-type"), Some("application/json"));
                    (exchange.request.start, exchange.request.body.unwrap(), exchange.response.body)
                }
                other => panic!("{other:?}"),
            });
            shown.collect::<Vec<_>>()
        };
        let register = |password: &str| {
            let body = format!(r#"{{"username":"paul_1","password":"{password}","email":"paul_1@example.com"}}"#);
            ("POST /v1/users/ HTTP/1.1".to_owned(), sorted(&body), None)
        };
        let log_in = |password: &str, capture: &str| {
            let body = format!(r#"{{"username":"paul_1","password":"{password}"}}"#);
            let token = format!(r#"{{"token":"[{capture}]"}}"#);
            ("POST /v2/users/login HTTP/1.1".to_owned(), sorted(&body), Some(token))
        };
        assert_eq!(exchanges("User: paul~\n"), [register("secret")]);
        assert_eq!(exchanges("User: paul~:to:to as [paul]\n"), [register("to:to"), log_in("to:to", "paul")]);
        let twice = exchanges("User: paul~\n\nUser: paul~ as [again]\n");
        assert_eq!(twice, [register("secret"), log_in("secret", "again")]);
        for line in ["User: paul~", "User: paul~:other as [again]"] {
            let error = page(&format!("User: paul~\n{line}\n")).unwrap_err();
            assert_eq!(error, "p.md:2: paul_1 is registered already");
        }
    }

    /// A body as `serde_json` writes it.
    fn sorted(body: &str) -> String {
        serde_json::from_str::<serde_json::Value>(body).unwrap().to_string()
    }

    #[test]
    fn suffixes_differ() {
        let suffixes = [fresh_suffix(), fresh_suffix()];
        assert_ne!(suffixes[0], suffixes[1]);
        assert!(suffixes.iter().all(|suffix| suffix.len() == 6));
    }

    #[test]
    fn setting_changes_settings() {
        assert!(Page::read("p.md", "Setting: REGISTRATION=closed\n", "").unwrap().changes_settings());
    }
}
