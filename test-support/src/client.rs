//! A client of an app in this process: it sends requests, and reads what each response cost.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    TestApp, operator,
    runner::{Backend, TestRequest},
};

/// Sends requests to one app.
pub struct TestClient {
    /// The app.
    pub app: TestApp,
}

/// A response, its body read as JSON.
#[derive(Debug)]
pub struct TestResponse {
    /// The status; 0 when the app itself failed.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, where it is JSON.
    pub body: Value,
    /// Calls of the databases that the response waited for.
    pub round_trips: u64,
}

impl TestResponse {
    /// A text of the body; empty when there is none.
    pub fn text(&self, member: &str) -> String {
        self.body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A header; empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl TestClient {
    /// A client of an empty app.
    pub fn new() -> Result<Self, String> {
        Ok(Self { app: TestApp::new()? })
    }

    /// Sends `GET /path` without credentials (empty), as `name:password`, or with a header such as `Bearer x`; a body is
    /// JSON if it begins as JSON does, else a form.
    pub fn ask(&mut self, request: &str, who: &str, body: &str) -> TestResponse {
        let (method, target) = request.split_once(' ').unwrap_or_default();
        let mut headers = Vec::new();
        if !who.is_empty() {
            let basic = || format!("Basic {}", STANDARD.encode(who));
            headers.push(("Authorization".to_owned(), if who.contains(' ') { who.to_owned() } else { basic() }));
        }
        if !body.is_empty() {
            let form = "application/x-www-form-urlencoded";
            let kind = if body.starts_with(['{', '[']) { "application/json" } else { form };
            headers.push(("Content-Type".to_owned(), kind.to_owned()));
        }
        // As a browser does; programs are not asked for it where they may come.
        headers.push(("Sec-Fetch-Site".to_owned(), "same-origin".to_owned()));
        let sent = TestRequest { method: method.to_owned(), target: target.to_owned(), headers, body: body.into() };
        let response = self.app.send(&sent).unwrap_or_default();
        let round_trips =
            self.app.platform.log.borrow().iter().rev().find_map(|line| line.get("round_trips")?.as_u64());
        TestResponse {
            status: response.status,
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
            headers: response.headers,
            round_trips: round_trips.unwrap_or(u64::MAX),
        }
    }

    /// Registers a user with the password `secret`, and returns the header of a session.
    pub fn register(&mut self, name: &str) -> String {
        let account = json!({ "username": name, "password": "secret", "email": format!("{name}@example.com") });
        self.ask("POST /v1/users/", "", &account.to_string());
        let login = json!({ "username": name, "password": "secret" }).to_string();
        format!("Bearer {}", self.ask("POST /v2/users/login", "", &login).text("token"))
    }

    /// Signs a user with the password `secret` in as a browser does, and returns the value of the cookie.
    pub fn sign_in(&mut self, name: &str) -> String {
        let response = self.ask("POST /sign-in", "", &format!("username={name}&password=secret"));
        let cookie = response.header("set-cookie");
        let value = cookie.split_once('=').and_then(|(_, rest)| rest.split_once(';')).map(|(value, _)| value);
        value.unwrap_or_default().to_owned()
    }

    /// Confirms the address of a user that was registered here.
    pub fn confirm_email(&self, name: &str) {
        let sql = "update emails set proved_at = 1 where key = ?1 || '@example.com'";
        let _ = self.app.db.connection().execute(sql, [name]);
    }

    /// Creates an access token and returns it with its uuid.
    pub fn access_token(&mut self, session: &str) -> (String, String) {
        let made = self.ask(
            "POST /v2/access-tokens",
            session,
            r#"{"token_label": "made for a test", "scopes": ["repo:admin"]}"#,
        );
        (made.text("token"), made.text("uuid"))
    }

    /// Runs a command of the operator, and returns its link.
    pub fn operate(&self, command: &str) -> Result<String, String> {
        self.operated(command).map(|said| said.link)
    }

    /// The same, and returns all that it prints.
    pub fn operated(&self, command: &str) -> Result<operator::Said, String> {
        operator::run(&self.app.db, command, hublet::platform::Platform::now(&*self.app.platform))
    }

    /// The header with which the registry of this service sends events.
    #[must_use]
    pub fn event_authorization(&self, service: &str) -> String {
        format!("Bearer {}", self.app.event_secret(service).unwrap_or_default())
    }
}
