//! What the platform offers a request: clock, randomness, mail, cache, rate limits, signatures, log.

use std::fmt;

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{domain::outgoing::OutgoingUrl, error::Fault};

/// A limit per minute that the platform counts. Each is a rate limiting binding whose number is set in `wrangler.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// Per address: passwords that cost an Argon2, registrations, mailed links. Requests with a token never count.
    Logins,
    /// Per address: requests without credentials that query a database.
    Anonymous,
    /// Per user: writes that are recorded in the audit log.
    Writes,
}

impl RateLimit {
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

/// Seconds until a rate limit starts over: the `period` of the bindings.
pub const RATE_LIMIT_PERIOD: i64 = 60;

/// A line of the log. A value of `serde_json` costs more than twice what a type of its own does, which every request pays.
#[must_use]
pub fn log_line(line: &impl Serialize) -> String {
    serde_json::to_string(line)
        .unwrap_or_else(|error| json!({ "level": "error", "fault": error.to_string() }).to_string())
}

/// What the platform offers. Implemented by `edge` and, for the tests, by their fake platform.
pub trait Platform {
    /// Seconds since 1970.
    fn now(&self) -> i64;

    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// A text in a Unicode normal form: `NFC`, `NFD`.
    fn normalized(&self, text: &str, form: &str) -> String;

    /// The text of `src/openapi.json`, which is large and rarely asked for: it lies beside the program. It is made of the
    /// routes and the pages of the contract by `cargo test --test it openapi::`.
    fn openapi(&self) -> LocalBoxFuture<'_, Result<String, Fault>>;

    /// Resolves after this number of milliseconds.
    fn sleep(&self, millis: u64) -> LocalBoxFuture<'static, ()>;

    /// Fills the buffer with bytes from the system's generator.
    fn fill_random(&self, buffer: &mut [u8]);

    /// Counts one request of `key` (an address, a user) and returns whether it is within the limit: `true` if the
    /// binding is missing or fails.
    fn check_rate_limit<'a>(&'a self, limit: RateLimit, key: &'a str) -> LocalBoxFuture<'a, bool>;

    /// Whether mail can be sent.
    fn can_send_mail(&self) -> bool;

    /// Sends a message.
    fn send_mail<'a>(&'a self, message: &'a Message) -> LocalBoxFuture<'a, Result<(), Fault>>;

    /// The value of a key in `CACHE`; `None` if it is absent or `CACHE` fails.
    fn cache_get<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Option<String>>;

    /// Puts a value into `CACHE` for `seconds`; a failure is ignored.
    fn cache_put<'a>(&'a self, key: &'a str, value: &'a str, seconds: u64) -> LocalBoxFuture<'a, ()>;

    /// Signs with ES256 and this P-256 key (PKCS#8): r and s, 64 bytes.
    fn sign_es256<'a>(&'a self, pkcs8: &'a [u8], message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, Fault>>;

    /// Whether this is an ES256 signature of the message under this public key (an uncompressed point).
    fn verify_es256<'a>(
        &'a self,
        point: &'a [u8; 65],
        message: &'a [u8],
        signature: &'a [u8],
    ) -> LocalBoxFuture<'a, bool>;

    /// Fetches a URL with `GET`. A redirect is returned, not followed.
    fn fetch<'a>(
        &'a self,
        url: &'a OutgoingUrl,
        limits: FetchLimits,
    ) -> LocalBoxFuture<'a, Result<FetchResponse, FetchError>>;

    /// Runs this after the response was sent.
    fn wait_until(&self, work: LocalBoxFuture<'static, ()>);

    /// Writes one line to the log, a JSON object: to that of errors, where there is one.
    fn write_log(&self, is_error: bool, line: &str);

    /// Writes an object to the log, by its `level`.
    fn log(&self, line: &Value) {
        self.write_log(line.get("level").and_then(Value::as_str) == Some("error"), &line.to_string());
    }
}

/// The bounds of an outgoing request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Milliseconds until the last byte of the response.
    pub timeout_ms: u32,
    /// Bytes of the response's body, after it is decompressed.
    pub max_bytes: u32,
}

/// A response to an outgoing request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResponse {
    /// Its status; 300 to 399 is a redirect that was not followed.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why an outgoing request has no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The URL breaks this rule of [`OutgoingUrl`]; nothing was sent.
    Forbidden(&'static str),
    /// The body is larger than allowed.
    TooLarge,
    /// No connection, no TLS, no time left: what the platform reports.
    Failed(String),
}

/// An e-mail to one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The recipient's address.
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
