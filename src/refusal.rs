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
    /// 401: the credentials are missing or wrong; the challenge says which kind is wanted.
    Unauthorized(Challenge, Reason),
    /// 403: the account exists, but is not active.
    Inactive,
    /// 403: the caller is known and may not do this.
    Forbidden(Reason),
    /// 404: there is no such thing, or the caller may not know of it.
    NotFound(Reason),
    /// 404: no route has this path.
    NoRoute,
    /// 405: the path exists, the method does not; these do.
    MethodNotAllowed(&'static [&'static str]),
    /// 413: the body is over the limit of its route.
    TooLarge,
    /// 415: management takes JSON only.
    UnsupportedMediaType,
    /// 429: come back after so many seconds.
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

/// Something of ours failed. It is logged once, with the request's id, and never shown.
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
    /// 503 with `Retry-After`: a database is overloaded or gave up; trying at once makes it worse.
    Overloaded,
    /// 503: the operator has not configured what this needs.
    Unconfigured,
    /// 500: a defect.
    Broken,
}

impl Fault {
    /// A defect of ours.
    pub fn broken(what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: FaultKind::Broken }
    }

    /// A setting is missing; `what` names it.
    pub fn unconfigured(what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: FaultKind::Unconfigured }
    }
}

/// Why a request has no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Theirs.
    Refusal(Refusal),
    /// Ours.
    Fault(Fault),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What every step of a request gives: a value, a refusal or a fault.
pub type Answer<T> = Result<T, Error>;

/// 400 with these words.
pub fn invalid<T>(reason: impl Into<Reason>) -> Answer<T> {
    Err(Refusal::Invalid(reason.into()).into())
}

/// 403 with these words.
pub fn forbidden<T>(reason: impl Into<Reason>) -> Answer<T> {
    Err(Refusal::Forbidden(reason.into()).into())
}

/// 404 with these words.
pub fn not_found<T>(reason: impl Into<Reason>) -> Answer<T> {
    Err(Refusal::NotFound(reason.into()).into())
}
