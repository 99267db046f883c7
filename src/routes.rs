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
    /// `/v1/repositories/(namespace)/(repo_name)/tags`
    TagList(RepositoryName),
    /// `/v1/search`
    Search,
    /// `/v2/`
    Gate,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/(name)/tags/list`
    TagNames(RepositoryName),
    /// `/v2/(name)/manifests/(reference)`: a registry has them.
    Manifest,
    /// `/v2/(name)/blobs/…`: a registry has them.
    Blob,
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
/// What a body has that holds no list and no long text, in bytes.
const SMALL_BODY: usize = 16 << 10;

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
            | Self::TagList(_)
            | Self::TagNames(_)
            | Self::Layer(..) => READ,
            Self::Users | Self::Confirm | Self::Password | Self::Forgotten | Self::Token => FORM,
            // What pulls and pushes begin with.
            Self::Manifest => &["GET", "HEAD", "PUT", "OPTIONS"],
            Self::Blob => &["POST", "GET", "HEAD", "OPTIONS"],
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
            Self::TagList(_) => "/v1/repositories/{repository}/tags",
            Self::Search => "/v1/search",
            Self::Gate => "/v2/",
            Self::Catalog => "/v2/_catalog",
            Self::TagNames(_) => "/v2/{repository}/tags/list",
            Self::Manifest => "/v2/{repository}/manifests/{reference}",
            Self::Blob => "/v2/{repository}/blobs/{digest}",
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
            Self::Manifest | Self::Blob => 0,
            Self::Events => 8 << 20,
            // As many scopes as a token may have, of the longest names.
            Self::Token => 160 << 10,
            Self::Hub(route) => route.body_limit(),
            _ => SMALL_BODY,
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
            | Self::TagList(_)
            | Self::Catalog
            | Self::TagNames(_)
            | Self::Hub(
                Hub::Repositories(_)
                | Hub::Repository(_)
                | Hub::Images(_)
                | Hub::ImagesSummary(_)
                | Hub::Search
                | Hub::Tags(_)
                | Hub::Tag(..)
                | Hub::User(_)
                | Hub::Organisation(_),
            ) => anonymous_read,
            _ => false,
        }
    }

    /// In which form a failure on it is written.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Confirm | Self::Password | Self::Forgotten => Dialect::Page,
            Self::Gate
            | Self::Catalog
            | Self::TagNames(_)
            | Self::Manifest
            | Self::Blob
            | Self::Token
            | Self::Revocation
            | Self::Keys
            | Self::Events => Dialect::Token,
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
        ["v2", rest @ ..] => return below_v2(rest),
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

/// The routes below `/v2/`, which two protocols share: the management API has what it knows, and everything below
/// `repositories` and `namespaces`; the rest is of the registry protocol if it ends as paths of that do.
fn below_v2(segments: &[&str]) -> Answer<Route> {
    let managed = Hub::read(segments).map(Route::Hub);
    if managed.is_ok() || matches!(segments, ["repositories" | "namespaces", ..]) || segments.contains(&"") {
        return managed;
    }
    match segments {
        [name @ .., "tags", "list"] => Ok(Route::TagNames(registry_name(name)?)),
        [name @ .., "manifests", _] => registry_name(name).map(|_| Route::Manifest),
        [name @ .., "blobs", "uploads", _] | [name @ .., "blobs", _] => registry_name(name).map(|_| Route::Blob),
        _ => managed,
    }
}

/// A name in the registry protocol; `library` is meant, whose the repository is of one component.
fn registry_name(components: &[&str]) -> Answer<RepositoryName> {
    match components {
        [] => Err(Refusal::NoRoute.into()),
        [repo] => RepositoryName::parse(LIBRARY, repo),
        [namespace, rest @ ..] => RepositoryName::parse(namespace, &rest.join("/")),
    }
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
        [namespace, repo, "tags"] => Ok(Route::TagList(name(namespace, repo)?)),
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

    /// Where both could mean a path, it is the management API that does.
    #[test]
    fn two_protocols_share_v2() {
        for (path, expected) in [
            ("/v2/paul/app/tags/list", Route::TagNames(name("paul", "app"))),
            ("/v2/paul/a/b/tags/list", Route::TagNames(name("paul", "a/b"))),
            ("/v2/redis/tags/list", Route::TagNames(name("library", "redis"))),
            ("/v2/users/app/tags/list", Route::TagNames(name("users", "app"))),
            ("/v2/redis/manifests/latest", Route::Manifest),
            ("/v2/user/manifests/latest", Route::Manifest),
            ("/v2/paul/app/manifests/sha256:aa", Route::Manifest),
            ("/v2/paul/app/blobs/uploads/", Route::Blob),
            ("/v2/paul/app/blobs/uploads/uuid", Route::Blob),
            ("/v2/paul/app/blobs/sha256:aa", Route::Blob),
            ("/v2/repositories/paul/app/tags/list", Route::Hub(Hub::Tag(name("paul", "app"), "list".into()))),
            (
                "/v2/namespaces/paul/repositories/app/tags/list",
                Route::Hub(Hub::Tag(name("paul", "app"), "list".into())),
            ),
            ("/v2/repositories/paul/manifests", Route::Hub(Hub::Repository(name("paul", "manifests")))),
        ] {
            assert_eq!(route(path), Ok(expected), "{path}");
        }
        for path in [
            "/v2/repositories/paul/app/manifests/latest",
            "/v2/namespaces/paul/repositories/app/blobs/sha256:aa",
            "/v2/tags/list",
            "/v2/manifests/latest",
            "/v2/paul//app/tags/list",
            "/v2/paul/app/tags",
            "/v2/paul/app/blobs/a/b/c",
        ] {
            assert_eq!(route(path), Err(Error::Refusal(Refusal::NoRoute)), "{path}");
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
