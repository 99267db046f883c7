//! hublet at an address: requests go over HTTP, directives to a server that runs them or to `npm run admin`.

use std::{env, fs, process::Command, time::Duration};

use serde_json::json;
use ureq::{Agent, http};

use super::{
    page::{Directive, Page},
    runner::{Backend, Outcome, RawResponse, TestRequest},
};

/// The clone, for what is run and read there.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// hublet at an address.
pub struct Remote {
    agent: Agent,
    /// `INDEX_URL`: where it is, without a slash at its end.
    url: String,
    /// `INDEX_DIRECTIVES`: the address of the server that runs directives, if there is one.
    app: Option<String>,
    /// Flags for `npm run admin` from `INDEX_ADMIN`, if that may be run.
    admin: Option<Vec<String>>,
}

impl Remote {
    /// The one at `INDEX_URL`, if that is set.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        let url = env::var("INDEX_URL").ok()?.trim_end_matches('/').to_owned();
        let flags = env::var("INDEX_ADMIN").ok();
        let admin = (flags.is_some() || is_loopback(&url)).then(|| flags.unwrap_or_default());
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build();
        Some(Self {
            agent: Agent::new_with_config(config),
            url,
            app: env::var("INDEX_DIRECTIVES").ok(),
            admin: admin.map(|flags| flags.split_whitespace().map(str::to_owned).collect()),
        })
    }

    fn request(&self, sent: &TestRequest) -> Result<RawResponse, String> {
        let mut request =
            http::Request::builder().method(sent.method.as_str()).uri(format!("{}{}", self.url, sent.target));
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        // Without a body there is no length either, as clients do it that have none to send.
        let answer = if sent.body.is_empty() {
            self.agent.run(request.body(()).map_err(|error| error.to_string())?)
        } else {
            self.agent.run(request.body(sent.body.clone()).map_err(|error| error.to_string())?)
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        Ok(RawResponse {
            status: answer.status().as_u16(),
            headers: joined(answer.headers()),
            body: answer.body_mut().read_to_vec().map_err(|error| error.to_string())?,
            faults: Vec::new(),
        })
    }

    /// Sends a line to the server that runs directives.
    fn ask(&self, app: &str, line: &str) -> Result<Outcome, String> {
        let failed = |error: String| format!("{line}: {error}");
        let answer = self.agent.post(app).content_type("application/json").send(json!({ "line": line }).to_string());
        let mut answer = answer.map_err(|error| failed(error.to_string()))?;
        let text = answer.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
        match answer.status().as_u16() {
            200 => Ok(Outcome::Done(text)),
            501 => Ok(Outcome::Unsupported("not supported there".to_owned())),
            _ => Err(failed(text)),
        }
    }
}

fn is_loopback(url: &str) -> bool {
    ["http://127.", "http://localhost", "http://[::1]"].iter().any(|local| url.starts_with(local))
}

/// Lines of one name are joined, as HTTP has it.
fn joined(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let values = |name| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    headers.keys().map(|name| (name.to_string(), values(name).collect::<Vec<_>>().join(", "))).collect()
}

/// Runs `npm run admin`.
fn administrate(words: &str, flags: &[String]) -> Result<Outcome, String> {
    let output = Command::new("npm")
        .args(["run", "--silent", "admin", "--"])
        .args(words.split_whitespace())
        .args(flags)
        .current_dir(ROOT)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if output.status.success() {
        Ok(Outcome::Done(String::from_utf8_lossy(&output.stdout).into_owned()))
    } else {
        Err(format!("npm run admin: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// The event secret that `npm run keys` wrote into the configuration of a local registry.
fn event_secret(service: &str) -> Outcome {
    let file = format!("{ROOT}/.keys/{service}.yml");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let secret = text.split_once("Bearer ").and_then(|(_, rest)| rest.split('"').next());
    secret.map_or_else(
        || Outcome::Unsupported(format!("{file} has no event secret")),
        |secret| Outcome::Done(secret.to_owned()),
    )
}

impl Backend for Remote {
    fn begin(&mut self, page: &Page) -> Result<(), String> {
        match &self.app {
            Some(app) => self.ask(app, &format!("Page: {}", page.name)).map(|_| ()),
            None => Ok(()),
        }
    }

    fn send(&mut self, request: &TestRequest) -> Result<RawResponse, String> {
        self.request(request)
    }

    fn run_directive(&mut self, directive: &Directive) -> Result<Outcome, String> {
        if let Some(app) = &self.app {
            return self.ask(app, &format!("{}: {}", directive.word, directive.rest));
        }
        match (directive.word.as_str(), &self.admin) {
            ("Operator", Some(flags)) => administrate(&directive.rest, flags),
            ("Secret", _) if is_loopback(&self.url) => Ok(event_secret(&directive.rest)),
            ("Operator", None) => Ok(Outcome::Unsupported("INDEX_ADMIN is not set".to_owned())),
            _ => Ok(Outcome::Unsupported("not at an address".to_owned())),
        }
    }
}
