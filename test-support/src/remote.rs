//! The stage at an address: the index is asked over HTTP, and done to by whoever can.

use std::{env, fs, process::Command, time::Duration};

use serde_json::json;
use ureq::{Agent, http};

use super::{
    page::{Direction, Page},
    runner::{Answered, Done, Sent, Theatre},
};

/// The clone, for what is run and read there.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// An index at an address.
pub struct Remote {
    agent: Agent,
    /// `INDEX_URL`: where it is, without a slash at its end.
    url: String,
    /// `INDEX_STAGE`: who does what a page says between requests, if anybody does.
    stage: Option<String>,
    /// Flags for `npm run admin` from `INDEX_ADMIN`, if that may be run.
    admin: Option<Vec<String>>,
}

impl Remote {
    /// The index at `INDEX_URL`, if that is set.
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
            stage: env::var("INDEX_STAGE").ok(),
            admin: admin.map(|flags| flags.split_whitespace().map(str::to_owned).collect()),
        })
    }

    fn request(&self, sent: &Sent) -> Result<Answered, String> {
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
        Ok(Answered {
            status: answer.status().as_u16(),
            headers: joined(answer.headers()),
            body: answer.body_mut().read_to_vec().map_err(|error| error.to_string())?,
            faults: Vec::new(),
        })
    }

    /// Asks the stage to do what a line says.
    fn ask(&self, stage: &str, line: &str) -> Result<Done, String> {
        let failed = |error: String| format!("{line}: the stage: {error}");
        let answer = self.agent.post(stage).content_type("application/json").send(json!({ "line": line }).to_string());
        let mut answer = answer.map_err(|error| failed(error.to_string()))?;
        let text = answer.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
        match answer.status().as_u16() {
            200 => Ok(Done::Read(text)),
            501 => Ok(Done::Cannot("not on this stage".to_owned())),
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

/// Runs `npm run admin`, as an operator does.
fn administrate(words: &str, flags: &[String]) -> Result<Done, String> {
    let output = Command::new("npm")
        .args(["run", "--silent", "admin", "--"])
        .args(words.split_whitespace())
        .args(flags)
        .current_dir(ROOT)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if output.status.success() {
        Ok(Done::Read(String::from_utf8_lossy(&output.stdout).into_owned()))
    } else {
        Err(format!("npm run admin: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// What `npm run keys` wrote into the configuration of a registry here.
fn event_secret(service: &str) -> Done {
    let file = format!("{ROOT}/.keys/{service}.yml");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let secret = text.split_once("Bearer ").and_then(|(_, rest)| rest.split('"').next());
    secret.map_or_else(|| Done::Cannot(format!("{file} has no event secret")), |secret| Done::Read(secret.to_owned()))
}

impl Theatre for Remote {
    fn begin(&mut self, page: &Page) -> Result<(), String> {
        match &self.stage {
            Some(stage) => self.ask(stage, &format!("Page: {}", page.name)).map(|_| ()),
            None => Ok(()),
        }
    }

    fn send(&mut self, request: &Sent) -> Result<Answered, String> {
        self.request(request)
    }

    fn direct(&mut self, direction: &Direction) -> Result<Done, String> {
        if let Some(stage) = &self.stage {
            return self.ask(stage, &format!("{}: {}", direction.word, direction.rest));
        }
        match (direction.word.as_str(), &self.admin) {
            ("Operator", Some(flags)) => administrate(&direction.rest, flags),
            ("Secret", _) if is_loopback(&self.url) => Ok(event_secret(&direction.rest)),
            ("Operator", None) => Ok(Done::Cannot("INDEX_ADMIN is not set".to_owned())),
            _ => Ok(Done::Cannot("not at an address".to_owned())),
        }
    }
}
