//! A reply as plain values, and the four dialects in which a failure is written.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    error::{Challenge, Error, ErrorKind, FaultKind, Refusal},
    wire::{Request, html},
};

/// One reply.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// Names as they are written, each at most once.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for 204.
    pub body: Vec<u8>,
}

/// Neither headers nor the body: both hold tokens.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.status, self.body.len())
    }
}

/// In which form a failure is written; the route decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The Hub API v1: a bare JSON string, and a dict for unknown routes.
    V1,
    /// The management API: `message`, `detail`, `errinfo`.
    Hub,
    /// The token service and the base of the registry protocol: both of `OAuth2`'s and of
    /// distribution's forms in one object.
    Token,
    /// A page for a person.
    Page,
}

impl Response {
    /// A reply without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![("Content-Type", "application/json".into())], body: Vec::new() }
    }

    /// A reply with a JSON body.
    #[must_use]
    pub fn json(status: u16, value: &Value) -> Self {
        Self::raw_json(status, value.to_string())
    }

    /// A reply whose body is JSON already.
    #[must_use]
    pub fn raw_json(status: u16, body: String) -> Self {
        Self { body: body.into_bytes(), ..Self::empty(status) }
    }

    /// A page, which may load nothing from elsewhere.
    #[must_use]
    pub fn html(status: u16, body: String) -> Self {
        let response = Self {
            status,
            headers: vec![("Content-Type", "text/html; charset=utf-8".into())],
            body: body.into_bytes(),
        };
        response
            .with("Referrer-Policy", "same-origin")
            .with("Cross-Origin-Opener-Policy", "same-origin")
            .with("Cross-Origin-Resource-Policy", "same-origin")
            .with("Content-Security-Policy", crate::wire::html::POLICY)
    }

    /// A redirect to a path of this site, which is asked for with `GET`.
    #[must_use]
    pub fn see_other(path: &str) -> Self {
        Self { status: 303, headers: vec![("Location", path.to_owned())], body: Vec::new() }.no_store()
    }

    /// Adds a header, or replaces the one of this name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// No cache may keep this: it is about a user or a token.
    #[must_use]
    pub fn no_store(self) -> Self {
        self.with("Cache-Control", "no-store")
    }
}

/// A failure as a reply; `site` is the name that a page has.
#[must_use]
pub fn error_response(error: &Error, dialect: Dialect, request: &Request, site: &str) -> Response {
    let (status, reason) = status_and_message(error);
    let (path, id) = (request.path.as_str(), request.id.as_str());
    let response = match dialect {
        Dialect::V1 => Response::json(status, &v1_body(error, &reason, path, id)),
        Dialect::Hub => Response::json(status, &json!({ "message": reason, "detail": reason, "errinfo": {} })),
        Dialect::Token => Response::json(
            status,
            &json!({
                "error": oauth_code(error, status),
                "error_description": reason,
                "details": reason,
                "errors": [{ "code": distribution_code(error, status), "message": reason }],
            }),
        ),
        Dialect::Page => page(error, status, &reason, request, site),
    };
    let response = response.no_store();
    match error.kind() {
        ErrorKind::Refusal(Refusal::Unauthorized(challenge, _)) => {
            let response = response.with("WWW-Authenticate", challenge_header(challenge));
            match challenge {
                Challenge::Bearer { version: true, .. } => {
                    response.with("Docker-Distribution-Api-Version", "registry/2.0")
                }
                _ => response,
            }
        }
        ErrorKind::Refusal(Refusal::MethodNotAllowed(allowed)) => response.with("Allow", allowed.as_str()),
        ErrorKind::Refusal(Refusal::TooMany { retry_after }) => response.with("Retry-After", retry_after.to_string()),
        ErrorKind::Fault(fault)
            if matches!(fault.kind, FaultKind::Transient | FaultKind::Overloaded | FaultKind::Stale) =>
        {
            response.with("Retry-After", "5")
        }
        _ => response,
    }
}

/// A failure as a page. Where one has to sign in first, the page follows that; a form is not lost.
fn page(error: &Error, status: u16, reason: &str, request: &Request, site: &str) -> Response {
    match error.refusal() {
        Some(Refusal::SignIn) if matches!(request.method.as_str(), "GET" | "HEAD") => {
            let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
            Response::see_other(&format!("/sign-in?next={}", html::encoded(&format!("{}{query}", request.path))))
        }
        Some(Refusal::Reauthenticate(error)) => {
            Response::html(status, html::reauthenticate(site, request, error.as_deref()))
        }
        _ if error.fault().is_some() => {
            Response::html(status, html::message(site, "Not now", &format!("{reason} (request {})", request.id)))
        }
        _ => {
            let title = match status {
                404 => "Not found",
                429 => "Too many attempts",
                _ => "Refused",
            };
            Response::html(status, html::message(site, title, reason))
        }
    }
}

/// The status of a failure and its words for the caller. A fault keeps its own words for the log.
fn status_and_message(error: &Error) -> (u16, String) {
    match error.kind() {
        ErrorKind::Refusal(refusal) => match refusal {
            Refusal::Invalid(reason) => (400, reason.to_string()),
            Refusal::UnknownGrant => (400, "grant_type is neither password nor refresh_token".into()),
            Refusal::UnsupportedToken => (400, "Such a token ends by itself, or with what it was given for".into()),
            Refusal::Unauthorized(_, reason) => (401, reason.to_string()),
            Refusal::SignIn => {
                (403, "You are signed out. Sign in on another page, then go back and send the form again.".into())
            }
            Refusal::Reauthenticate(_) => (403, "The password must be typed again".into()),
            Refusal::Inactive => (403, "Account is not Active".into()),
            Refusal::Forbidden(reason) => (403, reason.to_string()),
            Refusal::NotFound(reason) | Refusal::Elsewhere(reason) => (404, reason.to_string()),
            Refusal::NoRoute => (404, "not found".into()),
            Refusal::MethodNotAllowed(_) => (405, "Method not allowed".into()),
            Refusal::TooLarge => (413, "The request body is too large".into()),
            Refusal::UnsupportedMediaType => (415, "The header Content-Type: application/json is missing".into()),
            Refusal::TooMany { retry_after } => (429, format!("Too many attempts, try again in {retry_after} seconds")),
        },
        ErrorKind::Fault(fault) => match fault.kind {
            FaultKind::Transient | FaultKind::Overloaded | FaultKind::Stale => {
                (503, "The index is temporarily unavailable, try again".into())
            }
            FaultKind::Unconfigured => {
                (503, "The index is not configured for this: ask its operator, whose log says what is missing".into())
            }
            FaultKind::Bug => (500, "Internal error of the index".into()),
        },
    }
}

/// A bare string, as the Hub answered; for a path without a route its dict. A fault names the
/// request, so that the person who sees it can name it to the operator.
fn v1_body(error: &Error, reason: &str, path: &str, id: &str) -> Value {
    match error.kind() {
        ErrorKind::Refusal(Refusal::NoRoute) => json!({
            "status_code": "404",
            "error": format!("The requested URL ({path}) was not found on this server."),
        }),
        ErrorKind::Fault(_) => json!(format!("{reason} (request {id})")),
        ErrorKind::Refusal(_) => json!(reason),
    }
}

fn challenge_header(challenge: &Challenge) -> String {
    match challenge {
        Challenge::Index => r#"Basic realm="auth required",Token"#.into(),
        Challenge::Basic => r#"Basic realm="auth required""#.into(),
        Challenge::Bearer { realm, service, .. } => format!(r#"Bearer realm="{realm}",service="{service}""#),
        Challenge::Session => "Bearer".into(),
    }
}

fn oauth_code(error: &Error, status: u16) -> &'static str {
    match status {
        _ if error.refusal() == Some(&Refusal::UnknownGrant) => "unsupported_grant_type",
        _ if error.refusal() == Some(&Refusal::UnsupportedToken) => "unsupported_token_type",
        401 => "invalid_grant",
        403 => "access_denied",
        429 | 503 => "temporarily_unavailable",
        500 => "server_error",
        _ => "invalid_request",
    }
}

fn distribution_code(error: &Error, status: u16) -> &'static str {
    match status {
        _ if matches!(error.refusal(), Some(Refusal::Elsewhere(_))) => "UNSUPPORTED",
        401 => "UNAUTHORIZED",
        403 => "DENIED",
        404 => "NAME_UNKNOWN",
        429 => "TOOMANYREQUESTS",
        500 | 503 => "UNAVAILABLE",
        _ => "UNSUPPORTED",
    }
}
