//! What a command is given: the database, the time, randomness, flags and settings.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hublet::{
    config::Config,
    domain::{UserName, credential::CredentialId, secret::sha256_hex},
    store::{
        Batch, Database, Db, Outcome, Query, Row, Statement, Transaction,
        audit::AuditContext,
        users::{self, User},
    },
};
use serde::Deserialize;

use crate::{Result, invalid, refuse};

/// What was typed, and what it is run with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The command and its parameters.
    pub words: Vec<String>,
    /// The flags.
    pub flags: Flags,
    /// Seconds since 1970.
    pub now: i64,
    /// Random bytes: [`Operator::random`] takes what a command needs.
    pub random: Vec<u8>,
    /// What came on standard input.
    pub password: Option<String>,
    /// The settings of the index, by name.
    pub settings: BTreeMap<String, String>,
    /// The file of its secrets, for messages.
    pub secrets: String,
    /// Where a link leads that is printed.
    pub origin: String,
    /// The flag by which a command that is printed works on the same database, after a space; or nothing.
    pub database_flag: String,
}

/// The flags of all commands, as they are typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Flags {
    /// With `add`.
    pub machine: bool,
    /// With `token`.
    pub resource: Option<Vec<String>>,
    /// With `token`.
    pub scope: Option<Vec<String>>,
    /// With `token` and `log`.
    pub days: Option<String>,
    /// With `token`.
    pub label: Option<String>,
    /// With `add` and `password`.
    pub password_stdin: bool,
    /// With `add` and `password`.
    pub bcrypt_stdin: bool,
    /// With `after-restore`.
    pub keep_access_tokens: bool,
    /// With `after-restore`.
    pub private: bool,
    /// With `transfer`.
    pub keep_collaborators: bool,
    /// With `compromised`.
    pub since: Option<String>,
    /// With `remove`.
    pub repositories: bool,
    /// With `log`.
    pub name: Option<String>,
    /// With `log`.
    pub actor: Option<String>,
    /// With `why`.
    pub token: Option<String>,
    /// With `log`: the last row that was printed.
    pub after: Option<i64>,
}

/// What a command is given.
pub struct Operator {
    db: Db,
    /// Seconds since 1970.
    pub now: i64,
    /// Who does it, for the audit.
    pub by: AuditContext,
    /// The flags.
    pub flags: Flags,
    /// The settings of the index.
    pub config: Config,
    /// What came on standard input.
    pub password: Option<String>,
    /// The file of the secrets, for messages.
    pub secrets: String,
    /// The flag of the database.
    pub database_flag: String,
    origin: String,
    random: RefCell<Vec<u8>>,
}

impl Operator {
    /// What this request gives.
    #[must_use]
    pub fn new(request: Request, database: Rc<dyn Database>) -> Self {
        let now = request.now;
        // An event of the same second is older than what the operator does.
        let millis = now * 1000 + 999;
        let (actor, address) = ("operator".to_owned(), String::new());
        Self {
            db: Db::new(database),
            now,
            by: AuditContext { actor, credential: CredentialId::Anonymous, address, now, millis },
            flags: request.flags,
            config: Config::from_env(|name| request.settings.get(name).cloned()),
            password: request.password,
            secrets: request.secrets,
            database_flag: request.database_flag,
            origin: request.origin,
            random: RefCell::new(request.random),
        }
    }

    /// Reads.
    pub async fn fetch<B: Batch>(&self, batch: B) -> Result<B::Output> {
        Ok(self.db.fetch(batch).await?)
    }

    /// The rows of a statement, which are the table that is printed.
    pub async fn rows(&self, statement: Statement) -> Result<Vec<Row>> {
        self.fetch(Query::all(statement)).await
    }

    /// Writes, all or nothing: who may run this command may do everything.
    pub async fn commit(&self, transaction: Transaction) -> Result<Outcome> {
        Ok(self.db.commit_unguarded(transaction).await?)
    }

    /// The user of this name, or a refusal.
    pub async fn require_user(&self, name: &UserName) -> Result<User> {
        let found = self.fetch(users::by_name(name.as_str())).await?;
        found.map_or_else(|| refuse(format!("there is no user {}.", name.as_str())), Ok)
    }

    /// Bytes that were not given before.
    pub fn random<const N: usize>(&self) -> Result<[u8; N]> {
        let mut left = self.random.borrow_mut();
        let at = left.len().checked_sub(N);
        let taken = at.and_then(|at| left.split_off(at).try_into().ok());
        taken.map_or_else(|| invalid("the request has too few random bytes"), Ok)
    }

    /// A link on which a user chooses a password, by its secret.
    pub fn link(&self, secret: &str) -> String {
        format!("\nTo choose the password, once, within a week:\n{}", self.link_address(secret))
    }

    /// The address of that link.
    pub fn link_address(&self, secret: &str) -> String {
        format!("{}/account/password#{secret}", self.origin)
    }

    /// A secret of a link, and what is stored of it.
    pub fn link_secret(&self) -> Result<(String, String)> {
        let secret = URL_SAFE_NO_PAD.encode(self.random::<32>()?);
        let hash = sha256_hex(&secret);
        Ok((secret, hash))
    }
}
