//! What can go wrong, and whose fault it is: a [`Refusal`] is theirs, a [`Fault`] is ours.

use std::borrow::Cow;

/// Words for the caller: most are fixed, a few name a field.
pub type Reason = Cow<'static, str>;

/// A documented answer to a request that is not granted. Each variant is one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 400: the request is not of the documented form.
    Invalid(Reason),
    /// 400: the token service has no such grant.
    UnknownGrant,
    /// 400: such a token is not ended by itself.
    UnsupportedToken,
    /// 401: the credentials are missing or wrong; the challenge names the ones that are wanted.
    Unauthorized(Challenge, Reason),
    /// 303 to the page on which to sign in; 403 for a form, whose text the browser keeps.
    SignIn,
    /// 403: the password must be typed again, in a form that sends the request again; why, if it was.
    Reauthenticate(Option<Reason>),
    /// 403: the account exists, but is not active.
    Inactive,
    /// 403: the caller is known and may not do this.
    Forbidden(Reason),
    /// 404: there is no such thing, or the caller may not know of it.
    NotFound(Reason),
    /// 404: a registry has it, and this is none.
    Elsewhere(Reason),
    /// 404: no route has this path.
    NoRoute,
    /// 405: the path exists, the method does not; these do, as `Allow` lists them.
    MethodNotAllowed(String),
    /// 413: the body is over the limit of its route.
    TooLarge,
    /// 415: management takes JSON only.
    UnsupportedMediaType,
    /// 429: try again after this number of seconds.
    TooMany {
        /// Seconds.
        retry_after: i64,
    },
}

/// Which credentials a 401 asks for, in the words of its `WWW-Authenticate` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// The index: a password or a repository token (`Basic realm="auth required",Token`).
    Index,
    /// A password alone (`Basic realm="auth required"`).
    Basic,
    /// A registry token from this realm for this service.
    Bearer {
        /// Where tokens are had.
        realm: String,
        /// The registry for which the token must be.
        service: String,
        /// Whether the version of the registry protocol is named beside it.
        version: bool,
    },
    /// A session token of the management API (`Bearer`).
    Session,
}

/// A failure of hublet or its platform. It is logged once, with the request's id, and never sent to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For the log: what was being done, and what went wrong.
    pub what: String,
    /// What the caller may do about it.
    pub kind: FaultKind,
}

/// How a fault is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// 503 with `Retry-After`: a database did not answer; the same request may succeed later, and
    /// a read may be tried again at once.
    Transient,
    /// 503 with `Retry-After`: a database is overloaded, busy or gave up; trying at once makes it
    /// worse.
    Overloaded,
    /// 503 with `Retry-After`: the right to write was revoked during the request, and nothing was written. The request
    /// is tried once more before the client gets this.
    Stale,
    /// 503: the operator has not configured what this needs, or has used up what the plan gives.
    Unconfigured,
    /// 500: a defect.
    Bug,
}

/// Messages of D1 and their kinds; the first that occurs in a message counts. Most are on
/// <https://developers.cloudflare.com/d1/observability/debug-d1/>; the others (exports, imports, locks, internal errors
/// with a reference) have been observed.
const D1_ERRORS: [(&str, FaultKind); 19] = [
    // Our own words, in a path that is none: `store::rights`.
    ("the right is gone", FaultKind::Stale),
    // Our own: `edge/platform.js`.
    ("no answer in", FaultKind::Overloaded),
    ("overloaded", FaultKind::Overloaded),
    ("exceeded timeout", FaultKind::Overloaded),
    ("limit and was reset", FaultKind::Overloaded),
    ("long-running", FaultKind::Overloaded),
    ("SQLITE_BUSY", FaultKind::Overloaded),
    ("caused object to be reset", FaultKind::Transient),
    ("code was updated", FaultKind::Transient),
    ("connection lost", FaultKind::Transient),
    ("disconnected", FaultKind::Transient),
    ("transient issue", FaultKind::Transient),
    ("internal error; reference", FaultKind::Transient),
    ("no such table", FaultKind::Unconfigured),
    ("no such column", FaultKind::Unconfigured),
    ("no such binding", FaultKind::Unconfigured),
    ("has no column named", FaultKind::Unconfigured),
    ("exceeded D1's", FaultKind::Unconfigured),
    ("Exceeded maximum DB size", FaultKind::Unconfigured),
];

impl Fault {
    /// A failure of a database, by its message.
    #[must_use]
    pub fn from_d1(message: &str) -> Self {
        let said = D1_ERRORS.iter().find(|(words, _)| message.contains(words));
        Self { what: format!("D1: {message}"), kind: said.map_or(FaultKind::Bug, |(_, kind)| *kind) }
    }

    /// Whether a table or a column is missing that a migration adds.
    #[must_use]
    pub fn lacks_migration(&self) -> bool {
        ["no such table", "no such column", "has no column named"].iter().any(|words| self.what.contains(words))
    }

    /// A defect of ours.
    pub fn bug(what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: FaultKind::Bug }
    }

    /// A setting is missing; `what` names it.
    pub fn unconfigured(what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: FaultKind::Unconfigured }
    }
}

/// Why a request failed. One pointer, since every `?` of a handler is code that moves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<ErrorKind>);

/// Whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// Theirs.
    Refusal(Refusal),
    /// Ours.
    Fault(Fault),
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// The refusal, if it is theirs.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        if let ErrorKind::Refusal(refusal) = self.kind() { Some(refusal) } else { None }
    }

    /// The fault, if it is ours.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        if let ErrorKind::Fault(fault) = self.kind() { Some(fault) } else { None }
    }

    /// The status and the words of what stands beside the form that was sent: what is wrong with it, or with what it is
    /// about. `None` for what a page of its own answers.
    #[must_use]
    pub fn beside_a_form(&self) -> Option<(u16, String)> {
        let (status, reason) = match self.refusal()? {
            Refusal::Invalid(reason) => (400, reason.clone()),
            Refusal::Unauthorized(_, reason) | Refusal::Forbidden(reason) => (403, reason.clone()),
            Refusal::Inactive => (403, "Account is not Active".into()),
            Refusal::TooMany { retry_after } => {
                (429, format!("Too many attempts, try again in {retry_after} seconds").into())
            }
            _ => return None,
        };
        Some((status, reason.into_owned()))
    }

    /// What a 401 is elsewhere; every other error as it is.
    #[must_use]
    pub fn map_unauthorized(self, other: impl FnOnce(Reason) -> Refusal) -> Self {
        match *self.0 {
            ErrorKind::Refusal(Refusal::Unauthorized(_, reason)) => other(reason).into(),
            kind => Self(Box::new(kind)),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(ErrorKind::Refusal(refusal)))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self(Box::new(ErrorKind::Fault(fault)))
    }
}

/// What every step of a request returns: a value, a refusal or a fault.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// 400 with these words.
pub fn invalid<T>(reason: impl Into<Reason>) -> Result<T> {
    Err(Refusal::Invalid(reason.into()).into())
}

/// 403 with these words.
pub fn forbidden<T>(reason: impl Into<Reason>) -> Result<T> {
    Err(Refusal::Forbidden(reason.into()).into())
}

/// 404 with these words.
pub fn not_found<T>(reason: impl Into<Reason>) -> Result<T> {
    Err(Refusal::NotFound(reason.into()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_errors_are_classified() {
        for (kind, messages) in [
            (
                FaultKind::Transient,
                &[
                    "D1 DB reset because its code was updated.",
                    "Internal error while starting up D1 DB storage caused object to be reset.",
                    "Network connection lost.",
                    "Replica disconnected from primary.",
                    "Internal error in D1 DB storage caused object to be reset.",
                    "Internal error in Durable Object storage caused object to be reset; reference = abc123",
                    "Cannot resolve D1 DB due to transient issue on remote node.",
                    "Can't read from request stream because client disconnected.",
                    "internal error; reference = s4msp5hr8gru445bqon1v55g",
                ][..],
            ),
            (
                FaultKind::Overloaded,
                &[
                    "D1 DB storage operation exceeded timeout which caused object to be reset.",
                    "D1 DB is overloaded. Requests queued for too long.",
                    "D1 DB is overloaded. Too many requests queued.",
                    "D1 DB's isolate exceeded its memory limit and was reset.",
                    "D1 DB exceeded its CPU time limit and was reset.",
                    "Currently processing a long-running export.",
                    "Currently processing a long-running import.",
                    "database is locked: SQLITE_BUSY",
                ],
            ),
            (
                FaultKind::Stale,
                &[
                    "bad JSON path: 'the right is gone': SQLITE_ERROR",
                    "JSON path error near 'the right is gone': SQLITE_ERROR",
                ],
            ),
            (
                FaultKind::Unconfigured,
                &[
                    "no such table: users: SQLITE_ERROR",
                    "no such column: full_name at offset 7: SQLITE_ERROR",
                    "table users has no column named epoch: SQLITE_ERROR",
                    "no such binding: DB",
                    "Exceeded maximum DB size.",
                    "Your account has exceeded D1's maximum account storage limit, please contact Cloudflare",
                    "Your account has exceeded D1's free tier daily row read limit. Upgrade to a paid plan or wait",
                    "Your account has exceeded D1's free tier daily row write limit. Upgrade to a paid plan or wait",
                ],
            ),
            (
                FaultKind::Bug,
                &[
                    "No SQL statements detected.",
                    "UNIQUE constraint failed: users.name: SQLITE_CONSTRAINT",
                    "near \"selct\": syntax error at offset 0: SQLITE_ERROR",
                    "D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'",
                    "",
                ],
            ),
        ] {
            for message in messages {
                let what = format!("D1: D1_ERROR: {message}");
                assert_eq!(Fault::from_d1(&what[4..]), Fault { what, kind });
            }
        }
    }

    #[test]
    fn missing_migration_is_recognized() {
        for (message, lacks) in [
            ("no such table: d1_migrations: SQLITE_ERROR", true),
            ("no such column: full_name at offset 7: SQLITE_ERROR", true),
            ("table users has no column named epoch: SQLITE_ERROR", true),
            ("no such binding: DB", false),
            ("Network connection lost.", false),
        ] {
            assert_eq!(Fault::from_d1(message).lacks_migration(), lacks, "{message}");
        }
    }
}
