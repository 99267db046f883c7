//! Somebody who asks the index in this process, and is told what it cost.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Stage, operator,
    runner::{Sent, Theatre},
};

/// Asks one stage.
pub struct Client(pub Stage);

/// What came back.
#[derive(Debug)]
pub struct Told {
    /// The status; 0 when the stage itself failed.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, where it is JSON.
    pub body: Value,
    /// Calls of the databases that the answer waited for.
    pub round_trips: u64,
}

impl Told {
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

impl Client {
    /// Asks `GET /path` as nobody (empty), as `name:password`, or with a header such as `Bearer x`; a
    /// body is JSON or a form, as it looks.
    pub fn ask(&mut self, request: &str, who: &str, body: &str) -> Told {
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
        let sent = Sent { method: method.to_owned(), target: target.to_owned(), headers, body: body.into() };
        let answered = self.0.send(&sent).unwrap_or_default();
        let round_trips = self.0.platform.log.borrow().iter().rev().find_map(|line| line.get("round_trips")?.as_u64());
        Told {
            status: answered.status,
            body: serde_json::from_slice(&answered.body).unwrap_or_default(),
            headers: answered.headers,
            round_trips: round_trips.unwrap_or(u64::MAX),
        }
    }

    /// Registers somebody whose password is `secret`, and gives them a session.
    pub fn join(&mut self, name: &str) -> String {
        let account = json!({ "username": name, "password": "secret", "email": format!("{name}@example.com") });
        self.ask("POST /v1/users/", "", &account.to_string());
        let login = json!({ "username": name, "password": "secret" }).to_string();
        format!("Bearer {}", self.ask("POST /v2/users/login", "", &login).text("token"))
    }

    /// Has somebody have opened a mail at the address of who joined.
    pub fn prove(&self, name: &str) {
        let sql = "update emails set proved_at = 1 where key = ?1 || '@example.com'";
        let _ = self.0.db.connection().execute(sql, [name]);
    }

    /// Makes an access token and gives it with its uuid.
    pub fn access_token(&mut self, session: &str) -> (String, String) {
        let made = self.ask(
            "POST /v2/access-tokens",
            session,
            r#"{"token_label": "made for a test", "scopes": ["repo:admin"]}"#,
        );
        (made.text("token"), made.text("uuid"))
    }

    /// Does what the operator can.
    pub fn operate(&self, command: &str) -> Result<String, String> {
        self.operated(command).map(|said| said.link)
    }

    /// The same, and gives all that it says.
    pub fn operated(&self, command: &str) -> Result<operator::Said, String> {
        operator::run(self.0.db.connection(), command, hublet::platform::Platform::now(&*self.0.platform))
    }

    /// The header of the service of this name with its events.
    #[must_use]
    pub fn registry(&self, service: &str) -> String {
        format!("Bearer {}", self.0.event_secret(service).unwrap_or_default())
    }
}
