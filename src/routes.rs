//! Path to a [`Route`]: the endpoint's path and its variable parts.
//!
//! In scope: what the path alone decides (404, 400 for a malformed name). Out of scope: methods, which are in the table
//! of the [API](crate::api), and credentials. Every path is served with and without a slash at its end, and never
//! redirected: old clients lose their credentials on the way.

pub mod hub;
pub mod pages;

pub use hub::Hub;
pub use pages::Page;

use crate::{
    domain::{
        RepositoryName,
        names::{LIBRARY, is_image_id},
    },
    error::{Refusal, Result, invalid},
    wire::Dialect,
};

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/v1/_ping`
    Ping,
    /// `/v1/users/`
    Users,
    /// `/v1/users/(username)/`; whether it is a valid user name is not decided here.
    User(String),
    /// `/v1/repositories/(namespace)/(repo_name)/`, or without a namespace for `library`.
    Repository(RepositoryName),
    /// `/v1/repositories/(namespace)/(repo_name)/images`
    Images(RepositoryName),
    /// `/v1/repositories/(namespace)/(repo_name)/auth`
    Auth(RepositoryName),
    /// `/v1/repositories/(namespace)/(repo_name)/layer/(image_id)/access`
    LayerAccess(RepositoryName, String),
    /// `/v1/repositories/(namespace)/(repo_name)/tags`
    TagList(RepositoryName),
    /// `/v1/search`
    Search,
    /// `/v2/`
    RegistryBase,
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
    Jwks,
    /// `/health`
    Health,
    /// `/`
    Front,
    /// `/favicon.ico`
    Icon,
    /// `/robots.txt`
    Robots,
    /// `/openapi.json`
    OpenApi,
    /// `/events`
    Events,
    /// `/reconciler`
    Reconciler,
    /// `/account/confirm`
    Confirm,
    /// `/account/password`
    Password,
    /// `/account/forgotten`
    Forgotten,
    /// The management API.
    Hub(Hub),
    /// The pages, beside those of mailed links.
    Page(Page),
}

/// In which form a failure is written on a path that is no route.
#[must_use]
pub fn dialect(path: &str) -> Dialect {
    match path.trim_start_matches('/').split('/').next() {
        Some(
            "account" | "" | "r" | "settings" | "admin" | "register" | "search" | "sign-in" | "sign-out" | "static",
        ) => Dialect::Page,
        Some("v2" | "health" | "reconciler") => Dialect::Hub,
        _ => Dialect::V1,
    }
}

/// The route of a path.
pub fn route(path: &str) -> Result<Route> {
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
        ["v2"] => Route::RegistryBase,
        ["v2", "_catalog"] => Route::Catalog,
        ["v2", rest @ ..] => return below_v2(rest),
        ["token"] => Route::Token,
        ["token", "revoke"] => Route::Revocation,
        [".well-known", "jwks.json"] => Route::Jwks,
        ["health"] => Route::Health,
        [""] if path == "/" => Route::Front,
        ["favicon.ico"] => Route::Icon,
        ["robots.txt"] => Route::Robots,
        ["openapi.json"] => Route::OpenApi,
        ["events"] => Route::Events,
        ["reconciler"] => Route::Reconciler,
        ["account", "confirm"] => Route::Confirm,
        ["account", "password"] => Route::Password,
        ["account", "forgotten"] => Route::Forgotten,
        _ => return Page::read(&segments).map(Route::Page),
    };
    Ok(route)
}

/// The routes below `/v2/`, which two protocols share: the management API has what it knows, and everything below
/// `repositories` and `namespaces`; the rest is of the registry protocol if it ends as paths of that do.
fn below_v2(segments: &[&str]) -> Result<Route> {
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
fn registry_name(components: &[&str]) -> Result<RepositoryName> {
    match components {
        [] => Err(Refusal::NoRoute.into()),
        [repo] => RepositoryName::parse(LIBRARY, repo),
        [namespace, rest @ ..] => RepositoryName::parse(namespace, &rest.join("/")),
    }
}

/// The routes below `/v1/repositories/`. The last of two components that is a word of the API is that word:
/// `library` is meant, whose the repository is that is named by the first.
fn repository(segments: &[&str]) -> Result<Route> {
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

fn layer(name: RepositoryName, id: &str) -> Result<Route> {
    if is_image_id(id) {
        Ok(Route::LayerAccess(name, id.to_owned()))
    } else {
        invalid("An image id is 64 lower-case hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn name(namespace: &str, repo: &str) -> RepositoryName {
        RepositoryName::parse(namespace, repo).unwrap()
    }

    #[test]
    fn both_name_forms_are_one_repository() {
        for path in ["/v1/repositories/redis/images", "/v1/repositories/library/redis/images/"] {
            assert_eq!(route(path), Ok(Route::Images(name("library", "redis"))), "{path}");
        }
        assert_eq!(route("/v1/repositories/redis"), Ok(Route::Repository(name("library", "redis"))));
        assert_eq!(route("/v1/repositories/paul/app/"), Ok(Route::Repository(name("paul", "app"))));
        let id = "a".repeat(64);
        let access = format!("/v1/repositories/paul/app/layer/{id}/access");
        assert_eq!(route(&access), Ok(Route::LayerAccess(name("paul", "app"), id)));
    }

    #[test]
    fn unknown_paths_are_not_found() {
        for path in [
            "",
            "//",
            "/v1",
            "/v1/",
            "/v3/",
            "/v1/repositories/a/b/c/",
            "/v1//users",
            "//v1/users",
            "/v1/repositories//",
        ] {
            assert_eq!(route(path), Err(Refusal::NoRoute.into()), "{path}");
        }
        for path in ["/v1/repositories/a%2Fb/", "/v1/repositories/a/b..c", "/v1/repositories/a/layer/xyz/access"] {
            let refused = route(path).err();
            assert!(matches!(refused.as_ref().and_then(Error::refusal), Some(Refusal::Invalid(_))), "{path}");
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
            assert_eq!(route(path), Err(Refusal::NoRoute.into()), "{path}");
        }
    }
}
