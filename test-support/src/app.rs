//! hublet in this process, over `SQLite` and a platform whose clock is set.

use std::{
    cell::Cell,
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    rc::Rc,
};

use hublet::{
    config::Config,
    context::Context,
    domain::{
        logins::Logins,
        password::{HashPacer, PasswordCache},
    },
    platform::Platform,
    serve,
    store::Db,
    wire::{Request, Response, request::HEADERS},
};
use serde_json::Value;
use url::Url;

use super::{
    fake_platform::{FakePlatform, block_on},
    operator,
    page::{Directive, Page},
    runner::{Backend, Outcome, RawResponse, TestRequest},
    sqlite::Sqlite,
};

/// The pepper of the index, which the operator's commands get too.
pub(crate) const PEPPER: &str = "1:a pepper of the stage which is no secret at all";

/// The cheapest hash.
pub(crate) const PASSWORD_COST: &str = "m=64,t=1,p=1";

/// The settings unless a test or a page changes them: an index on a loopback address, with the cheapest hash.
const SETTINGS: [(&str, &str); 9] = [
    ("TOKEN_KEY", "a key of the stage which is no secret at all"),
    ("PASSWORD_PEPPER", PEPPER),
    ("PASSWORD_COST", PASSWORD_COST),
    ("REGISTRATION", "open"),
    ("VISIBILITY", "public"),
    ("SEARCH_CACHE", "0"),
    ("SERVICES", "registry"),
    ("REGISTRY_KEY", include_str!("../registry/key.pem")),
    ("REGISTRY_CERTIFICATE", include_str!("../registry/certificates.pem")),
];

/// The address that requests are sent to.
const ORIGIN: &str = "http://127.0.0.1:8787";

/// hublet with its databases and its platform. Requests are answered one after another.
pub struct TestApp {
    /// `DB`.
    pub db: Rc<Sqlite>,
    /// `SEARCH`.
    pub search: Rc<Sqlite>,
    /// Clock, mailbox, log.
    pub platform: Rc<FakePlatform>,
    vars: BTreeMap<String, String>,
    config: Rc<Config>,
    password_cache: Rc<PasswordCache>,
    hash_pacer: Rc<HashPacer>,
    logins: Rc<Logins>,
    requests: u64,
    mail_read: usize,
}

impl TestApp {
    /// An app with empty databases.
    pub fn new() -> Result<Self, String> {
        let vars = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut app = Self {
            db: Rc::new(Sqlite::migrated("db")?),
            search: Rc::new(Sqlite::migrated("search")?),
            platform: Rc::default(),
            vars: vars.into(),
            config: Rc::new(Config::from_env(|_| None)),
            password_cache: Rc::new(PasswordCache::new([0; 32])),
            hash_pacer: Rc::default(),
            logins: Rc::default(),
            requests: 0,
            mail_read: 0,
        };
        app.restart();
        Ok(app)
    }

    /// A copy with databases of its own. Its randomness starts again, so that two copies give the same requests the
    /// same responses.
    pub fn copied(&self) -> Result<Self, String> {
        let copied = |database: &Rc<Sqlite>| database.copied().map(Rc::new).map_err(|error| error.to_string());
        Ok(Self { db: copied(&self.db)?, search: copied(&self.search)?, ..self.another() })
    }

    /// What a copy would be, over the same databases, which forget what it wrote: cheaper than a copy. While it lives,
    /// only it may write there.
    pub fn trial(&self) -> Result<Trial, String> {
        let begin = |database: &Sqlite| database.begin_trial().map_err(|error| error.to_string());
        begin(&self.db)?;
        begin(&self.search)?;
        Ok(Trial(self.another()))
    }

    /// Another isolate over the same databases, at the same time.
    fn another(&self) -> Self {
        Self {
            db: Rc::clone(&self.db),
            search: Rc::clone(&self.search),
            platform: Rc::new(self.platform.copied()),
            vars: self.vars.clone(),
            config: Rc::clone(&self.config),
            password_cache: Rc::new(PasswordCache::new([1; 32])),
            hash_pacer: Rc::default(),
            logins: Rc::default(),
            requests: 0,
            mail_read: 0,
        }
    }

    /// The value of a setting.
    pub fn setting(&self, name: &str) -> &str {
        self.vars.get(name).map_or("", String::as_str)
    }

    /// Changes a setting, as a deployment does. `MAIL=on` binds `MAIL`.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
        self.restart();
    }

    /// A new isolate: it reads the settings, and its caches are empty.
    fn restart(&mut self) {
        self.config = Rc::new(Config::from_env(|name| self.vars.get(name).cloned()));
        self.password_cache = Rc::new(PasswordCache::new([1; 32]));
        self.hash_pacer = Rc::default();
        self.logins = Rc::default();
        self.platform.mails.set(self.vars.get("MAIL").is_some_and(|value| value == "on"));
    }

    /// The context of one request.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            db: Rc::new(Db::new(self.db.clone())),
            search: Rc::new(Db::new(self.search.clone())),
            platform: self.platform.clone(),
            config: Rc::clone(&self.config),
            password_cache: Rc::clone(&self.password_cache),
            hash_pacer: Rc::clone(&self.hash_pacer),
            logins: Rc::clone(&self.logins),
            authenticated: Cell::default(),
        }
    }

    /// Answers a request, and runs what it left for after the response.
    pub fn answer(&self, request: &Request) -> Response {
        let reply = block_on(serve::serve(&self.context(), request));
        self.platform.run_pending();
        reply
    }

    /// Runs the scheduled job.
    pub fn scheduled(&self) {
        block_on(serve::scheduled(&self.context()));
        self.platform.run_pending();
    }

    /// The request as the platform would provide it: the URL normalised, a body over its limit not read.
    pub fn received(&mut self, sent: &TestRequest) -> Result<Request, String> {
        let url = Url::parse(&format!("{ORIGIN}{}", sent.target)).map_err(|error| error.to_string())?;
        let (path, body) = (url.path().to_owned(), sent.body.clone());
        let unread = matches!(sent.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        self.requests += 1;
        let mut request = Request {
            method: sent.method.clone(),
            path,
            query: url.query().unwrap_or_default().to_owned(),
            host: ORIGIN.trim_start_matches("http://").to_owned(),
            https: false,
            headers: joined(sent),
            body: Some(Vec::new()),
            id: format!("{:016x}", self.requests),
            proxied: Cell::default(),
        };
        if !unread {
            request.body = (body.len() <= serve::body_limit(&self.context(), &request)).then_some(body);
        }
        Ok(request)
    }

    /// The newest mail to an address since the page began whose link carries a secret: one that only reports has none.
    fn newest_mail(&self, address: &str) -> Result<String, String> {
        let mailbox = self.platform.mailbox.borrow();
        let mut unread = mailbox.iter().skip(self.mail_read);
        let newest = unread.rfind(|message| message.to == address && message.text.contains('#'));
        newest
            .map(|message| message.text.clone())
            .ok_or_else(|| format!("no mail was sent to {address} whose link carries a secret"))
    }

    /// What a registry of this name shows with its events.
    pub fn event_secret(&self, service: &str) -> Result<String, String> {
        let keys = self.config.keys().map_err(|fault| fault.what)?;
        Ok(keys.event_secret(service))
    }

    fn faults(&self, since: usize) -> Vec<String> {
        let log = self.platform.log.borrow();
        let is_error = |line: &&Value| line.get("level").is_some_and(|level| level == "error");
        log.iter().skip(since).filter(is_error).map(ToString::to_string).collect()
    }
}

/// An app whose databases forget what it wrote once it is dropped.
pub struct Trial(TestApp);

impl Deref for Trial {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl DerefMut for Trial {
    fn deref_mut(&mut self) -> &mut TestApp {
        &mut self.0
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        for database in [&self.0.db, &self.0.search] {
            if let Err(error) = database.end_trial() {
                // A test that failed in the middle of a statement has its own message; a second panic would hide it.
                assert!(std::thread::panicking(), "{error}");
            }
        }
    }
}

/// The headers that the index reads, as the platform joins them.
fn joined(request: &TestRequest) -> Vec<(String, String)> {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if HEADERS.contains(&name.as_str()) {
            headers
                .entry(name)
                .and_modify(|first| *first = format!("{first}, {value}"))
                .or_insert_with(|| value.clone());
        }
    }
    headers.into_iter().collect()
}

impl Backend for TestApp {
    fn begin(&mut self, _: &Page) -> Result<(), String> {
        self.mail_read = self.platform.mailbox.borrow().len();
        Ok(())
    }

    fn send(&mut self, sent: &TestRequest) -> Result<RawResponse, String> {
        let logged = self.platform.log.borrow().len();
        let request = self.received(sent)?;
        let reply = self.answer(&request);
        let headers = reply.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        Ok(RawResponse { status: reply.status, headers, body: reply.body, faults: self.faults(logged) })
    }

    fn run_directive(&mut self, directive: &Directive) -> Result<Outcome, String> {
        let rest = directive.rest.as_str();
        match directive.word.as_str() {
            "Operator" => operator::run(&self.db, rest, self.platform.now()).map(|said| Outcome::Done(said.link)),
            "Time" => {
                self.platform.advance(seconds(rest)?);
                Ok(Outcome::Done(String::new()))
            }
            "Mail" => self.newest_mail(rest).map(Outcome::Done),
            "Secret" => self.event_secret(rest).map(Outcome::Done),
            "Scheduled" => {
                self.scheduled();
                Ok(Outcome::Done(String::new()))
            }
            _ => {
                let (name, value) = rest.split_once('=').ok_or("a setting is NAME=value")?;
                self.set(name, value);
                Ok(Outcome::Done(String::new()))
            }
        }
    }
}

/// Reads `+4h`.
fn seconds(text: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = text.strip_prefix('+')?.split_at_checked(text.len().checked_sub(2)?)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(unit)
    };
    read().ok_or_else(|| format!("{text:?} is not +NUMBER and one of s, m, h, d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(["+90s", "+5m", "+4h", "+2d"].map(|text| seconds(text).unwrap()), [90, 300, 14_400, 172_800]);
        for text in ["4h", "+h", "+4", "+", "", "+4w", "+é"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
