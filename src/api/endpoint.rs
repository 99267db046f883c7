//! What the table of endpoints is made of, and what follows from its lines.

use futures_util::future::LocalBoxFuture;

use crate::{
    auth::{self, Credentials},
    context::Context,
    error::Result,
    wire::{Dialect, Request, Response},
};

/// The methods that endpoints have. `HEAD` is `GET` without the body, and every path answers `OPTIONS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `GET`, and `HEAD`.
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method of a request, which is written in capitals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "GET" | "HEAD" => Self::Get,
            "PUT" => Self::Put,
            "POST" => Self::Post,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    /// As it is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Which kinds of credentials an endpoint takes; every other kind is refused, or not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// None: the response is the same for all clients.
    None,
    /// `Basic`, without which it is a 401: a password or an access token.
    Password,
    /// `Basic` or nothing: a password or an access token. The handler reads it, since its refusals have a form of their own.
    OptionalPassword,
    /// `Token`: a repository token. The handler reads it, since its refusals have a status of their own.
    RepositoryToken,
    /// `Basic`, `Token` or nothing: a password, an access token or a repository token.
    V1,
    /// `Basic`, `Bearer` or nothing: a password, an access token or a registry token. The handler reads it, since its
    /// refusals have a challenge of their own.
    Registry,
    /// `Bearer`, without which it is a 401: a session token.
    Session,
    /// `Bearer` or nothing: a session token.
    OptionalSession,
    /// `Bearer`: a session token that was issued for a password.
    PasswordSession,
    /// The cookie of a browser, without which the page to sign in follows. Only pages take one.
    Cookie,
    /// The cookie of a browser, or none where anonymous requests may read.
    OptionalCookie,
    /// The cookie of a browser in which the password was typed lately, or a password beside it.
    FreshCookie,
    /// `Bearer` or `Basic`: the event secret of a registry.
    EventSecret,
    /// `Bearer`: the token of the tool beside a registry. The handler reads it.
    Reconciler,
    /// In the body: a password, an access token or a refresh token.
    Body,
    /// In the body: the secret of a link that was mailed.
    Link,
}

impl Security {
    /// The credentials of a request that such an endpoint takes; none where the handler reads them, or there are none.
    pub(super) fn credentials(self, ctx: &Context, request: &Request) -> Result<Credentials> {
        match self {
            Self::Password => auth::password_credentials(ctx, request),
            Self::V1 => auth::v1_credentials(ctx, request),
            Self::Session | Self::PasswordSession => auth::session(ctx, request),
            Self::OptionalSession => auth::optional_session(ctx, request),
            Self::Cookie => auth::browser::required_cookie(ctx, request),
            Self::OptionalCookie => auth::browser::optional_cookie(ctx, request),
            Self::FreshCookie => auth::browser::fresh_cookie(ctx, request),
            Self::None
            | Self::OptionalPassword
            | Self::RepositoryToken
            | Self::Registry
            | Self::EventSecret
            | Self::Reconciler
            | Self::Body
            | Self::Link => Ok(Credentials::Anonymous),
        }
    }
}

/// What scripts on pages of other origins may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// Nothing.
    Closed,
    /// What requests without credentials may, where they may (`ANONYMOUS_READ`).
    Anonymous,
    /// A response that is the same for all clients.
    Public,
    /// Also with the password that was typed on such a page: a registry's page asks for tokens so. A browser sends none
    /// by itself, since it keeps none for the index.
    Token,
}

impl Cors {
    /// Whether they read the answers to requests without credentials.
    #[must_use]
    pub fn is_public_read(self, anonymous_read: bool) -> bool {
        match self {
            Self::Closed | Self::Token => false,
            Self::Anonymous => anonymous_read,
            Self::Public => true,
        }
    }
}

/// One method of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// Which credentials it takes.
    pub security: Security,
}

/// The endpoints of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// The path without what varies: for the log, where names would be too many.
    pub pattern: &'static str,
    /// In which form a failure is written.
    pub errors: Dialect,
    /// What scripts of other origins may read.
    pub cors: Cors,
    /// The most bytes that the body of a request may have, whatever its method.
    pub max_body: usize,
    /// Its methods, in the order in which `Allow` lists them.
    pub endpoints: &'static [Endpoint],
}

impl Path {
    /// The endpoint that serves a method, if there is one.
    #[must_use]
    pub fn endpoint(&self, method: &str) -> Option<&'static Endpoint> {
        let method = Method::parse(method)?;
        self.endpoints.iter().find(|endpoint| endpoint.method == method)
    }

    /// The methods, as the header `Allow` lists them.
    #[must_use]
    pub fn allow(&self) -> String {
        let mut allow = String::new();
        for endpoint in self.endpoints {
            allow += endpoint.method.as_str();
            allow += if endpoint.method == Method::Get { ", HEAD, " } else { ", " };
        }
        allow + "OPTIONS"
    }
}

/// The response of a handler, which may have to wait for it.
pub(super) type PendingResponse<'a> = LocalBoxFuture<'a, Result<Response>>;

/// Calls this, which the compiler makes a function of its own.
#[inline(never)]
pub(super) fn apart<'a, F: FnOnce() -> Option<PendingResponse<'a>>>(work: F) -> Option<PendingResponse<'a>> {
    work()
}

/// Makes of the table [`PATHS`](super::PATHS), [`path`](super::path) and [`dispatch`](super::dispatch). A route that is
/// not in the table does not compile, and neither does a line without a handler.
macro_rules! endpoints {
    (($ctx:ident, $request:ident, $credentials:ident) $(
        $pattern:literal $errors:ident $cors:ident $max_body:ident $route:pat =>
        $( $method:ident $security:ident => $handler:expr; )+
    )+) => {
        /// Every path with its endpoints.
        pub static PATHS: &[Path] = &[
            $( endpoints!(@path $pattern $errors $cors $max_body $( $method $security; )+) ),+
        ];

        /// The endpoints of a route.
        #[must_use]
        #[allow(unused_variables, reason = "it is the handlers that need what varies")]
        pub fn path(route: &Route) -> &'static Path {
            match route {
                $( $route => &endpoints!(@path $pattern $errors $cors $max_body $( $method $security; )+), )+
            }
        }

        /// Calls the handler of a method with the credentials that its line takes, or refuses a method that the path does not
        /// have.
        #[allow(unused_variables, clippy::let_unit_value, reason = "not every endpoint takes credentials")]
        pub async fn dispatch($ctx: &Context, $request: &Request, route: &Route) -> Result<Response> {
            let path = path(route);
            let security = path.endpoint(&$request.method).map_or(Security::None, |endpoint| endpoint.security);
            let presented = &security.credentials($ctx, $request)?;
            let password_session = &PasswordSession::new(presented);
            let method = Method::parse(&$request.method);
            // Each path and each handler is a function of its own: an isolate compiles those that it is asked for.
            let response: Option<PendingResponse<'_>> = match route {
                $( $route => apart(|| match method {
                    $( Some(Method::$method) => {
                        let $credentials = endpoints!(@credentials $security presented password_session);
                        Some(Box::pin($handler))
                    } )+
                    _ => None,
                }), )+
            };
            match response {
                Some(response) => response.await,
                None => Err(Refusal::MethodNotAllowed(path.allow()).into()),
            }
        }
    };
    (@credentials Password $presented:ident $session:ident) => { $presented };
    (@credentials V1 $presented:ident $session:ident) => { $presented };
    (@credentials Session $presented:ident $session:ident) => { $presented };
    (@credentials OptionalSession $presented:ident $session:ident) => { $presented };
    (@credentials Cookie $presented:ident $session:ident) => { $presented };
    (@credentials OptionalCookie $presented:ident $session:ident) => { $presented };
    (@credentials FreshCookie $presented:ident $session:ident) => { $presented };
    (@credentials PasswordSession $presented:ident $session:ident) => { $session };
    (@credentials $other:ident $presented:ident $session:ident) => { () };
    (@path $pattern:literal $errors:ident $cors:ident $max_body:ident $( $method:ident $security:ident; )+) => {
        Path {
            pattern: $pattern,
            errors: Dialect::$errors,
            cors: Cors::$cors,
            max_body: $max_body,
            endpoints: &[$(
                Endpoint { method: Method::$method, security: Security::$security }
            ),+],
        }
    };
}
