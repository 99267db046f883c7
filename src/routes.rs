//! Method and path to a [`Route`]: the table of contents of the API.
//!
//! In scope: what the path alone decides (404, 405, 400 for a malformed name). Out of scope: who asks.
//! Every path is served with and without a slash at its end, and never redirected: old clients lose
//! their credentials on the way.

pub mod hub;

pub use hub::Hub;

use crate::{
    domain::{
        RepositoryName,
        names::{LIBRARY, is_image_id},
    },
    refusal::{Answer, Refusal, invalid},
    wire::Dialect,
};

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/v1/_ping`
    Ping,
    /// `/v1/users/`
    Users,
    /// `/v1/users/(username)/`; whether it is a user's name is not for the path to say.
    User(String),
    /// `/v1/repositories/(namespace)/(repo_name)/`, or without a namespace for `library`.
    Repository(RepositoryName),
    /// `/v1/repositories/(namespace)/(repo_name)/images`
    Images(RepositoryName),
    /// `/v1/repositories/(namespace)/(repo_name)/auth`
    Auth(RepositoryName),
    /// `/v1/repositories/(namespace)/(repo_name)/layer/(image_id)/access`
    Layer(RepositoryName, String),
    /// `/v1/search`
    Search,
    /// `/v2/`
    Gate,
    /// `/v2/_catalog`
    Catalog,
    /// `/token`
    Token,
    /// `/token/revoke`
    Revocation,
    /// `/.well-known/jwks.json`
    Keys,
    /// `/openapi.json`
    Description,
    /// `/events`
    Events,
    /// `/account/confirm`
    Confirm,
    /// `/account/password`
    Password,
    /// `/account/forgotten`
    Forgotten,
    /// The management API.
    Hub(Hub),
}

/// The methods of a route, as its 405 lists them.
pub type Methods = &'static [&'static str];

/// Methods of what is only read.
pub const READ: Methods = &["GET", "HEAD", "OPTIONS"];
const FORM: Methods = &["GET", "HEAD", "POST", "OPTIONS"];

impl Route {
    /// The methods that it has.
    #[must_use]
    pub fn methods(&self) -> Methods {
        match self {
            Self::Ping
            | Self::Search
            | Self::Gate
            | Self::Catalog
            | Self::Keys
            | Self::Description
            | Self::Layer(..) => READ,
            Self::Users | Self::Confirm | Self::Password | Self::Forgotten | Self::Token => FORM,
            Self::User(_) | Self::Auth(_) => &["PUT", "OPTIONS"],
            Self::Repository(_) => &["PUT", "DELETE", "OPTIONS"],
            Self::Images(_) => &["GET", "HEAD", "PUT", "DELETE", "OPTIONS"],
            Self::Revocation | Self::Events => &["POST", "OPTIONS"],
            Self::Hub(route) => route.methods(),
        }
    }

    /// Its path without what varies: for the log, where names would be too many.
    #[must_use]
    pub fn pattern(&self) -> &'static str {
        match self {
            Self::Ping => "/v1/_ping",
            Self::Users => "/v1/users/",
            Self::User(_) => "/v1/users/{username}/",
            Self::Repository(_) => "/v1/repositories/{repository}/",
            Self::Images(_) => "/v1/repositories/{repository}/images",
            Self::Auth(_) => "/v1/repositories/{repository}/auth",
            Self::Layer(..) => "/v1/repositories/{repository}/layer/{image}/access",
            Self::Search => "/v1/search",
            Self::Gate => "/v2/",
            Self::Catalog => "/v2/_catalog",
            Self::Token => "/token",
            Self::Revocation => "/token/revoke",
            Self::Keys => "/.well-known/jwks.json",
            Self::Description => "/openapi.json",
            Self::Events => "/events",
            Self::Confirm => "/account/confirm",
            Self::Password => "/account/password",
            Self::Forgotten => "/account/forgotten",
            Self::Hub(route) => route.pattern(),
        }
    }

    /// The most that its body may have, in bytes.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        match self {
            // 10,000 images with checksums.
            Self::Repository(_) | Self::Images(_) => 2_000_000,
            Self::Events => 8 << 20,
            _ => 1 << 20,
        }
    }

    /// Whether a page in a browser, of any origin, may read its answer: what is the same for everybody, and, where
    /// requests without credentials read what is public (`anonymous_read`), that.
    #[must_use]
    pub fn is_public_read(&self, anonymous_read: bool) -> bool {
        match self {
            Self::Ping | Self::Keys | Self::Description => true,
            Self::Search
            | Self::Images(_)
            | Self::Layer(..)
            | Self::Catalog
            | Self::Hub(Hub::Repositories(_) | Hub::Repository(_) | Hub::Tags(_) | Hub::Tag(..)) => anonymous_read,
            _ => false,
        }
    }

    /// In which form a failure on it is written.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Confirm | Self::Password | Self::Forgotten => Dialect::Page,
            Self::Gate | Self::Catalog | Self::Token | Self::Revocation | Self::Keys | Self::Events => Dialect::Token,
            Self::Hub(_) => Dialect::Hub,
            _ => Dialect::V1,
        }
    }
}

/// In which form a failure is written on a path that is no route.
#[must_use]
pub fn dialect(path: &str) -> Dialect {
    match path.trim_start_matches('/').split('/').next() {
        Some("account") => Dialect::Page,
        Some("v2") => Dialect::Hub,
        _ => Dialect::V1,
    }
}

/// The route of a path.
pub fn route(path: &str) -> Answer<Route> {
    // The slash at the end is the caller's choice.
    let trimmed = path.strip_prefix('/').unwrap_or(path);
    let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
    let segments = trimmed.split('/').collect::<Vec<_>>();
    let route = match segments.as_slice() {
        ["v1", "_ping"] => Route::Ping,
        ["v1", "users"] => Route::Users,
        ["v1", "users", name] => Route::User((*name).to_owned()),
        ["v1", "search"] => Route::Search,
        ["v1", "repositories", rest @ ..] => return repository(rest),
        ["v2"] => Route::Gate,
        ["v2", "_catalog"] => Route::Catalog,
        ["v2", rest @ ..] => Route::Hub(Hub::read(rest)?),
        ["token"] => Route::Token,
        ["token", "revoke"] => Route::Revocation,
        [".well-known", "jwks.json"] => Route::Keys,
        ["openapi.json"] => Route::Description,
        ["events"] => Route::Events,
        ["account", "confirm"] => Route::Confirm,
        ["account", "password"] => Route::Password,
        ["account", "forgotten"] => Route::Forgotten,
        _ => return Err(Refusal::NoRoute.into()),
    };
    Ok(route)
}

/// The routes below `/v1/repositories/`. The last of two components that is a word of the API is that word:
/// `library` is meant, whose the repository is that is named by the first.
fn repository(segments: &[&str]) -> Answer<Route> {
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err(Refusal::NoRoute.into());
    }
    let name = RepositoryName::parse;
    match segments {
        [repo, "images"] => Ok(Route::Images(name(LIBRARY, repo)?)),
        [repo, "auth"] => Ok(Route::Auth(name(LIBRARY, repo)?)),
        [repo, "layer", id, "access"] => layer(name(LIBRARY, repo)?, id),
        [namespace, repo, "images"] => Ok(Route::Images(name(namespace, repo)?)),
        [namespace, repo, "auth"] => Ok(Route::Auth(name(namespace, repo)?)),
        [namespace, repo, "layer", id, "access"] => layer(name(namespace, repo)?, id),
        [repo] => Ok(Route::Repository(name(LIBRARY, repo)?)),
        [namespace, repo] => Ok(Route::Repository(name(namespace, repo)?)),
        _ => Err(Refusal::NoRoute.into()),
    }
}

fn layer(name: RepositoryName, id: &str) -> Answer<Route> {
    if is_image_id(id) {
        Ok(Route::Layer(name, id.to_owned()))
    } else {
        invalid("An image id is 64 lower-case hexadecimal digits")
    }
}

/// Refuses a method that the route does not have.
pub fn require_method(route: &Route, method: &str) -> Answer<()> {
    let methods = route.methods();
    if methods.contains(&method) { Ok(()) } else { Err(Refusal::MethodNotAllowed(methods).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Error;

    fn name(namespace: &str, repo: &str) -> RepositoryName {
        RepositoryName::parse(namespace, repo).unwrap()
    }

    #[test]
    fn two_forms_are_one_repository() {
        for path in ["/v1/repositories/redis/images", "/v1/repositories/library/redis/images/"] {
            assert_eq!(route(path), Ok(Route::Images(name("library", "redis"))), "{path}");
        }
        assert_eq!(route("/v1/repositories/redis"), Ok(Route::Repository(name("library", "redis"))));
        assert_eq!(route("/v1/repositories/paul/app/"), Ok(Route::Repository(name("paul", "app"))));
        let id = "a".repeat(64);
        let access = format!("/v1/repositories/paul/app/layer/{id}/access");
        assert_eq!(route(&access), Ok(Route::Layer(name("paul", "app"), id)));
    }

    #[test]
    fn what_is_not_a_path_of_ours() {
        for path in [
            "/",
            "",
            "/v1",
            "/v1/",
            "/v3/",
            "/v1/repositories/a/b/c/",
            "/v1//users",
            "//v1/users",
            "/v1/repositories//",
        ] {
            assert_eq!(route(path), Err(Error::Refusal(Refusal::NoRoute)), "{path}");
        }
        for path in ["/v1/repositories/a%2Fb/", "/v1/repositories/a/b..c", "/v1/repositories/a/layer/xyz/access"] {
            assert!(matches!(route(path), Err(Error::Refusal(Refusal::Invalid(_)))), "{path}");
        }
    }

    #[test]
    fn methods() {
        let images = route("/v1/repositories/a/b/images").unwrap();
        assert!(require_method(&images, "HEAD").is_ok());
        assert!(require_method(&images, "PURGE").is_err());
        assert!(require_method(&images, "get").is_err());
    }
}
