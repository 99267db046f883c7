//! What the world lends to one request: databases, time, randomness, mail, settings, memory.

use std::{cell::Cell, fmt, pin::Pin, rc::Rc};

use serde_json::{Value, json};

use crate::{
    domain::{credential::CredentialId, logins::Logins, password::Verified},
    refusal::{Answer, Fault, Refusal},
    store::{Db, Outcome, Right, Statement, Transaction, rights::guard},
};

pub mod most;
pub mod settings;

pub use settings::Settings;

/// A value that is not there yet.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Everything that a request needs and is not part of it. Cloning lends it on, to what follows the
/// answer.
#[derive(Clone)]
pub struct Index {
    /// `DB`: the truth.
    pub db: Rc<Db>,
    /// `SEARCH`: the projection that search reads.
    pub search: Rc<Db>,
    /// Time, randomness, mail, limits, the log.
    pub world: Rc<dyn World>,
    /// What the operator set, read once per isolate.
    pub settings: Rc<Settings>,
    /// Passwords that this isolate verified lately.
    pub verified: Rc<Verified>,
    /// Logins that this isolate noted lately.
    pub logins: Rc<Logins>,
    /// Who turned out to be asking, for the log.
    pub authenticated: Cell<CredentialId>,
}

/// How much there may be in a minute, counted by the platform; each is a binding, with a number of its own in
/// `wrangler.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Of an address: passwords that cost an Argon2, registrations, links that are asked for. Never what
    /// comes with a token.
    Logins,
    /// Of an address: what comes without credentials and asks a database.
    Anonymous,
    /// Of a user: writes that are told to the audit.
    Writes,
}

impl Limit {
    /// The name of the binding.
    #[must_use]
    pub fn binding(self) -> &'static str {
        match self {
            Self::Logins => "LOGIN_LIMIT",
            Self::Anonymous => "ANONYMOUS_LIMIT",
            Self::Writes => "WRITE_LIMIT",
        }
    }
}

/// Seconds after which each limit has begun anew: the `period` of the bindings.
const PERIOD: i64 = 60;

/// The rest of the world. Two bodies: the edge, and the stage of the tests.
pub trait World {
    /// Seconds since 1970.
    fn now(&self) -> i64;

    /// Milliseconds since 1970.
    fn millis(&self) -> u64;

    /// A text in a normal form of Unicode: `NFC`, `NFD`.
    fn normalized(&self, text: &str, form: &str) -> String;

    /// Resolves after so many milliseconds.
    fn sleep(&self, millis: u64) -> Pending<'static, ()>;

    /// Fills the buffer with bytes from the system's generator.
    fn random(&self, buffer: &mut [u8]);

    /// Whether one more for this key (an address, a user) is within a limit, which counts it. Without the
    /// binding, or when it fails, everybody is.
    fn within_limit<'a>(&'a self, limit: Limit, key: &'a str) -> Pending<'a, bool>;

    /// Whether mail can be sent.
    fn mails(&self) -> bool;

    /// Sends a message.
    fn mail<'a>(&'a self, message: &'a Message) -> Pending<'a, Result<(), Fault>>;

    /// What `CACHE` holds under this key; nothing when it is absent or fails.
    fn cached<'a>(&'a self, key: &'a str) -> Pending<'a, Option<String>>;

    /// Puts a value into `CACHE` for so many seconds; a failure is nothing.
    fn cache<'a>(&'a self, key: &'a str, value: &'a str, seconds: u64) -> Pending<'a, ()>;

    /// Signs ES256 with this P-256 key (PKCS#8): r and s, 64 bytes.
    fn sign<'a>(&'a self, pkcs8: &'a [u8], message: &'a [u8]) -> Pending<'a, Result<Vec<u8>, Fault>>;

    /// Whether this is an ES256 signature of the message under this key (an uncompressed point).
    fn verifies<'a>(&'a self, point: &'a [u8; 65], message: &'a [u8], signature: &'a [u8]) -> Pending<'a, bool>;

    /// Does this after the answer has gone out.
    fn later(&self, work: Pending<'static, ()>);

    /// Writes one line to the log.
    fn log(&self, line: &Value);
}

/// A mail to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The address it goes to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// The subject alone: the text holds a link that is a secret.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)
    }
}

impl Index {
    /// So many random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.world.random(&mut bytes);
        bytes
    }

    /// Writes a transaction by these rights: where one of them is gone by now, nothing is written, and what was read
    /// before is stale.
    pub fn commit<const N: usize>(&self, rights: [Right; N], transaction: Transaction) -> Pending<'_, Answer<Outcome>> {
        let guards = self.guards(rights);
        Box::pin(async move { Ok(self.db.commit(guards.await?, transaction).await?) })
    }

    /// The guards of a write by these rights, of somebody who has not written too often.
    pub fn guards<const N: usize>(&self, rights: [Right; N]) -> Pending<'_, Answer<Vec<Statement>>> {
        const { assert!(N > 0, "a write carries a right") };
        Box::pin(self.guards_of(rights.into()))
    }

    async fn guards_of(&self, rights: Vec<Right>) -> Answer<Vec<Statement>> {
        // An access token that leaked does not keep its owner from ending it.
        let credential = rights.iter().map(|right| right.credential).find(|credential| credential.user().is_some());
        match credential {
            Some(CredentialId::Password { user, .. }) => self.require_within(Limit::Writes, &user.to_string()).await?,
            Some(CredentialId::AccessToken { user, token }) => {
                self.require_within(Limit::Writes, &format!("{user} {token}")).await?;
            }
            _ => {}
        }
        let now = self.world.now();
        Ok(rights.iter().map(|right| guard(right, now)).collect())
    }

    /// Refuses what is beyond a limit, and counts it.
    pub async fn require_within(&self, limit: Limit, key: &str) -> Answer<()> {
        if self.world.within_limit(limit, key).await {
            return Ok(());
        }
        Err(Refusal::TooMany { retry_after: PERIOD }.into())
    }

    /// Writes one statement after the answer.
    pub fn later(&self, doing: &'static str, statement: Statement) {
        self.later_all(doing, vec![statement]);
    }

    /// Writes a batch after the answer.
    pub fn later_all(&self, doing: &'static str, batch: Vec<Statement>) {
        let lender = self.clone();
        self.world.later(Box::pin(async move {
            lender.report(doing, lender.db.commit_unguarded(batch.into()).await.map_err(Into::into));
        }));
    }

    /// Logs what failed after an answer had gone out: nobody else would hear of it.
    pub fn report<T>(&self, doing: &str, outcome: Answer<T>) {
        if let Err(error) = outcome {
            self.world.log(&json!({ "level": "error", "doing": doing, "error": format!("{error:?}") }));
        }
    }
}
