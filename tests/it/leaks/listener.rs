//! An app behind a listener: every secret that passes is kept, and looked for afterwards.

use hublet::wire::Authorization;
use rusqlite::{Connection, types::ValueRef};

use test_support::{
    TestApp,
    page::{Directive, Page},
    runner::{Backend, Outcome, RawResponse, TestRequest},
};

use super::secrets::{Kind, Secrets};

/// What the operator must keep to themselves.
const SETTINGS: [&str; 4] = ["TOKEN_KEY", "PASSWORD_PEPPER", "REGISTRY_KEY", "PROXY_SECRET"];

/// An app that is listened to.
pub struct Listener {
    /// The app.
    pub app: TestApp,
    /// What was heard.
    pub secrets: Secrets,
    /// Bodies and headers of errors.
    bodies: Vec<String>,
    /// What was received and made of it, as it prints itself.
    debugged: Vec<String>,
}

impl Listener {
    /// Listens to this app.
    pub fn new(app: TestApp) -> Self {
        let mut listener = Self { app, secrets: Secrets::default(), bodies: Vec::new(), debugged: Vec::new() };
        listener.hear_settings();
        listener
    }

    fn hear_settings(&mut self) {
        for name in SETTINGS {
            let value = self.app.setting(name);
            for part in value.split([',', '\n']).filter(|part| !part.starts_with("-----")) {
                // A pepper is behind its id.
                self.secrets.keep(Kind::Setting, part.split_once(':').map_or(part, |(_, pepper)| pepper).trim());
            }
        }
        self.debugged.push(format!("{:?}", self.app.context().config));
    }

    fn hear_hashes(&mut self) {
        let sql = "select password from users where password is not null";
        let hashes = column(self.app.db.connection(), sql);
        for hash in &hashes {
            self.secrets.keep(Kind::Hash, hash);
        }
    }

    /// Every place in which a secret is.
    pub fn leaks(&self) -> Vec<String> {
        let mut found = Vec::new();
        let secrets = &self.secrets;
        for line in self.app.platform.log.borrow().iter() {
            found.extend(secrets.found_in("the log", &line.to_string(), None));
        }
        for body in &self.bodies {
            found.extend(secrets.found_in("a body", body, None));
        }
        for text in &self.debugged {
            found.extend(secrets.found_in("debug output", text, None));
        }
        for database in [&self.app.db, &self.app.search] {
            for (table, text) in dumped(database.connection()) {
                let may = (table == "users").then_some(Kind::Hash);
                found.extend(secrets.found_in(&table, &text, may));
            }
        }
        found
    }
}

/// The first column of some rows.
fn column(connection: &Connection, sql: &str) -> Vec<String> {
    let mut prepared = connection.prepare(sql).unwrap();
    let rows = prepared.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Every table with all that is written in it.
fn dumped(connection: &Connection) -> Vec<(String, String)> {
    let tables = column(connection, "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'");
    let dump = |table: String| {
        let mut prepared = connection.prepare(&format!("select * from \"{table}\"")).unwrap();
        let columns = prepared.column_count();
        let mut text = String::new();
        let mut rows = prepared.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for at in 0..columns {
                if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(at).unwrap() {
                    text.push_str(&String::from_utf8_lossy(bytes));
                    text.push('\n');
                }
            }
        }
        (table, text)
    };
    tables.into_iter().map(dump).collect()
}

impl Backend for Listener {
    fn begin(&mut self, page: &Page) -> Result<(), String> {
        self.app.begin(page)
    }

    fn send(&mut self, sent: &TestRequest) -> Result<RawResponse, String> {
        let sent = self.secrets.marked(sent);
        let request = self.app.received(&sent)?;
        self.debugged.push(format!("{request:?} {:?}", Authorization::parse(request.header("authorization"))));
        let reply = self.app.answer(&request);
        self.debugged.push(format!("{reply:?}"));
        let headers = reply.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        let response = RawResponse { status: reply.status, headers, body: reply.body, faults: Vec::new() };
        self.secrets.given(&response);
        self.hear_hashes();
        if response.status >= 400 {
            self.bodies.push(format!("{:?}\n{}", response.headers, String::from_utf8_lossy(&response.body)));
        }
        for message in self.app.platform.mailbox.borrow().iter() {
            let words = message.text.split_whitespace().filter_map(|word| word.split_once('#'));
            words.for_each(|(_, secret)| self.secrets.keep(Kind::Link, secret));
            self.debugged.push(format!("{message:?}"));
        }
        Ok(response)
    }

    fn run_directive(&mut self, directive: &Directive) -> Result<Outcome, String> {
        if let Some((_, bcrypt)) = directive.rest.rsplit_once('$').filter(|_| directive.rest.contains(" < ")) {
            self.secrets.keep(Kind::Setting, bcrypt.get(22..).unwrap_or_default());
        }
        let done = self.app.run_directive(directive)?;
        if let Outcome::Done(text) = &done {
            if directive.word == "Secret" {
                self.secrets.keep(Kind::Setting, text.trim());
            }
            if let Some((_, secret)) = text.trim().split_once('#').filter(|_| directive.word == "Operator") {
                self.secrets.keep(Kind::Link, secret);
            }
        }
        self.hear_settings();
        Ok(done)
    }
}
