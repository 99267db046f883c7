//! What a request is given: databases, platform, configuration, and what the isolate remembers.

use std::{cell::Cell, rc::Rc};

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::json;

use crate::{
    config::Config,
    domain::{
        credential::CredentialId,
        logins::Logins,
        outgoing::OutgoingUrl,
        password::{HashPacer, PasswordCache},
    },
    error::{Refusal, Result},
    platform::{FetchError, FetchLimits, FetchResponse, Platform, RATE_LIMIT_PERIOD, RateLimit, log_line},
    store::{Db, Outcome, Right, Statement, Transaction, rights::guard},
};

/// Everything that a request needs and does not carry itself. A clone serves the work that follows the response.
#[derive(Clone)]
pub struct Context {
    /// `DB`: the primary database.
    pub db: Rc<Db>,
    /// `SEARCH`: the search index.
    pub search: Rc<Db>,
    /// Clock, randomness, mail, cache, rate limits, signatures, log.
    pub platform: Rc<dyn Platform>,
    /// The operator's settings, read once per isolate.
    pub config: Rc<Config>,
    /// Passwords that this isolate verified in the last minutes.
    pub password_cache: Rc<PasswordCache>,
    /// When this isolate may compute its next password hash.
    pub hash_pacer: Rc<HashPacer>,
    /// Logins that this isolate recorded in the last minutes.
    pub logins: Rc<Logins>,
    /// The credential that was authenticated, for the access log.
    pub authenticated: Cell<CredentialId>,
}

impl Context {
    /// Returns `N` random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.platform.fill_random(&mut bytes);
        bytes
    }

    /// Commits a transaction under these rights. If one of them was revoked meanwhile, nothing is written and the
    /// request fails with [`crate::error::FaultKind::Stale`].
    pub fn commit<const N: usize>(
        &self,
        rights: [Right; N],
        transaction: Transaction,
    ) -> LocalBoxFuture<'_, Result<Outcome>> {
        let guards = self.guards(rights);
        Box::pin(async move { Ok(self.db.commit(guards.await?, transaction).await?) })
    }

    /// Returns the statements that check these rights inside a transaction; 429 if their user writes too often.
    pub fn guards<const N: usize>(&self, rights: [Right; N]) -> LocalBoxFuture<'_, Result<Vec<Statement>>> {
        const { assert!(N > 0, "a write carries a right") };
        Box::pin(self.guards_of(rights.into()))
    }

    async fn guards_of(&self, rights: Vec<Right>) -> Result<Vec<Statement>> {
        // An access token has a limit of its own: one that leaked does not keep its owner from revoking it.
        let credential = rights.iter().map(|right| right.credential).find(|credential| credential.user().is_some());
        match credential {
            Some(CredentialId::Password { user, .. }) => {
                self.require_rate_limit(RateLimit::Writes, &user.to_string()).await?;
            }
            Some(CredentialId::AccessToken { user, token }) => {
                self.require_rate_limit(RateLimit::Writes, &format!("{user} {token}")).await?;
            }
            _ => {}
        }
        let now = self.platform.now();
        Ok(rights.iter().map(|right| guard(right, now)).collect())
    }

    /// A text in the Unicode normal form NFD.
    #[must_use]
    pub fn nfd(&self, text: &str) -> String {
        self.platform.normalized(text, "NFD")
    }

    /// Counts one request against a rate limit; 429 if it is exceeded.
    pub async fn require_rate_limit(&self, limit: RateLimit, key: &str) -> Result<()> {
        if self.platform.check_rate_limit(limit, key).await {
            return Ok(());
        }
        Err(Refusal::TooMany { retry_after: RATE_LIMIT_PERIOD }.into())
    }

    /// Writes one statement after the response. `doing` names it in the log if it fails.
    pub fn after_response(&self, doing: &'static str, statement: Statement) {
        self.after_response_all(doing, vec![statement]);
    }

    /// Writes statements in one transaction after the response. `doing` names them in the log if they fail.
    pub fn after_response_all(&self, doing: &'static str, statements: Vec<Statement>) {
        self.run_after_response(|ctx| async move {
            ctx.report(doing, ctx.db.commit_unguarded(statements.into()).await.map_err(Into::into));
        });
    }

    /// Fetches a URL, if hublet may: by the rules of [`OutgoingUrl`] and within these limits.
    pub async fn fetch(&self, url: &str, limits: FetchLimits) -> Result<FetchResponse, FetchError> {
        let url = OutgoingUrl::parse(url, self.config.public_url.as_deref()).map_err(FetchError::Forbidden)?;
        self.platform.fetch(&url, limits).await
    }

    /// Runs this after the response.
    pub fn run_after_response<F: Future<Output = ()> + 'static>(&self, work: impl FnOnce(Self) -> F) {
        self.platform.wait_until(Box::pin(work(self.clone())));
    }

    /// Writes a line to the log: to that of errors, where there is one.
    pub fn write_log(&self, is_error: bool, line: &impl Serialize) {
        self.platform.write_log(is_error, &log_line(line));
    }

    /// Logs a failure that happened after the response was sent.
    pub fn report<T>(&self, doing: &str, outcome: Result<T>) {
        if let Err(error) = outcome {
            self.platform.log(&json!({ "level": "error", "doing": doing, "error": format!("{error:?}") }));
        }
    }
}
