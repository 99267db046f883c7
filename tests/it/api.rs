//! The table of the API holds together: every path is read as itself, and nothing stands in it twice or is missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use hublet::{
    api::{self, Cors},
    routes, serve,
    wire::{Dialect, Request},
};
use test_support::{TestApp, fake_platform::block_on, sources::rust_files};

const TABLE: &str = include_str!("../../src/api.rs");

/// A path of this pattern.
fn sample(pattern: &str) -> String {
    let image = "a".repeat(64);
    pattern.replace("{image}", &image).replace("{repository}", "owner/name").replace(['{', '}'], "")
}

#[test]
fn path_of_a_pattern_is_read_as_that_pattern() {
    for path in api::PATHS {
        let sample = sample(path.pattern);
        let route = routes::route(&sample).unwrap_or_else(|error| panic!("{} is no route: {error:?}", path.pattern));
        assert_eq!(api::path(&route), path, "{sample}");
    }
}

#[test]
fn nothing_is_in_the_table_twice() {
    let patterns = api::PATHS.iter().map(|path| path.pattern).collect::<BTreeSet<_>>();
    assert_eq!(patterns.len(), api::PATHS.len());
    for path in api::PATHS {
        let methods = path.endpoints.iter().map(|endpoint| endpoint.method).collect::<BTreeSet<_>>();
        assert_eq!(methods.len(), path.endpoints.len(), "{}", path.pattern);
    }
    assert!(api::endpoints().count() > 80);
}

/// What scripts of other origins read, written down once more: one that is here by mistake gives away what it answers.
const OPEN: [(&str, Cors); 23] = [
    ("/.well-known/jwks.json", Cors::Public),
    ("/favicon.ico", Cors::Public),
    ("/health", Cors::Anonymous),
    ("/openapi.json", Cors::Public),
    ("/robots.txt", Cors::Public),
    ("/static/{file}", Cors::Public),
    ("/token", Cors::Token),
    ("/v1/_ping", Cors::Public),
    ("/v1/repositories/{repository}/images", Cors::Anonymous),
    ("/v1/repositories/{repository}/layer/{image}/access", Cors::Anonymous),
    ("/v1/repositories/{repository}/tags", Cors::Anonymous),
    ("/v1/search", Cors::Anonymous),
    ("/v2/_catalog", Cors::Anonymous),
    ("/v2/namespaces/{namespace}/repositories", Cors::Anonymous),
    ("/v2/namespaces/{namespace}/repositories/{repository}", Cors::Anonymous),
    ("/v2/namespaces/{namespace}/repositories/{repository}/images", Cors::Anonymous),
    ("/v2/namespaces/{namespace}/repositories/{repository}/images-summary", Cors::Anonymous),
    ("/v2/namespaces/{namespace}/repositories/{repository}/tags", Cors::Anonymous),
    ("/v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}", Cors::Anonymous),
    ("/v2/orgs/{namespace}", Cors::Anonymous),
    ("/v2/search/repositories", Cors::Anonymous),
    ("/v2/users/{username}", Cors::Anonymous),
    ("/v2/{repository}/tags/list", Cors::Anonymous),
];

/// The largest bodies, in bytes, where they are not 16 KiB.
const BODIES: [(&str, usize); 11] = [
    ("/events", 8_388_608),
    ("/r/{repository}/-/settings", 409_600),
    ("/reconciler", 262_144),
    ("/token", 163_840),
    ("/v1/repositories/{repository}/", 2_000_000),
    ("/v1/repositories/{repository}/images", 2_000_000),
    ("/v2/namespaces/{namespace}/repositories", 262_144),
    ("/v2/namespaces/{namespace}/repositories/{repository}", 262_144),
    ("/v2/repositories", 262_144),
    ("/v2/{repository}/blobs/{digest}", 0),
    ("/v2/{repository}/manifests/{reference}", 0),
];

/// The form of a failure on a path of the table.
fn errors(pattern: &str) -> Dialect {
    let of_registries = ["/v2/", "/v2/_catalog", "/token", "/token/revoke", "/events", "/.well-known/jwks.json"];
    let pages = ["/account/", "/admin", "/r/", "/register", "/search", "/settings", "/sign-", "/static/"];
    if pattern == "/" || pages.iter().any(|start| pattern.starts_with(start)) {
        Dialect::Page
    } else if of_registries.contains(&pattern) || pattern.starts_with("/v2/{repository}/") {
        Dialect::Token
    } else if ["/health", "/reconciler"].contains(&pattern) || pattern.starts_with("/v2/") {
        Dialect::Hub
    } else {
        Dialect::V1
    }
}

#[test]
fn cors_and_body_limits_are_those_listed() {
    let open = api::PATHS.iter().filter(|path| path.cors != Cors::Closed).map(|path| (path.pattern, path.cors));
    let sorted = open.collect::<BTreeMap<_, _>>().into_iter().collect::<Vec<_>>();
    assert_eq!(sorted, OPEN);
    let bodies = api::PATHS.iter().filter(|path| path.max_body != 16 << 10).map(|path| (path.pattern, path.max_body));
    assert_eq!(bodies.collect::<BTreeMap<_, _>>().into_iter().collect::<Vec<_>>(), BODIES);
    for path in api::PATHS {
        assert_eq!(path.errors, errors(path.pattern), "{}", path.pattern);
        assert!(path.cors == Cors::Closed || path.endpoint("GET").is_some(), "{}", path.pattern);
    }
}

/// 405 before 413, and both before who asks: of a body that was too large to be read.
#[test]
fn oversized_body_is_refused_on_every_path() {
    let index = TestApp::new().unwrap().context();
    for path in api::PATHS {
        for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
            let request =
                Request { method: method.into(), path: sample(path.pattern), body: None, ..Request::default() };
            let status = block_on(serve::serve(&index, &request)).status;
            let limited = path.max_body > 0 && path.pattern != "/events";
            match path.endpoint(method) {
                _ if method == "OPTIONS" => assert_eq!(status, 204, "{}", path.pattern),
                None => assert_eq!(status, 405, "{method} {}", path.pattern),
                Some(_) => assert_eq!(status == 413, limited, "{method} {}: {status}", path.pattern),
            }
        }
    }
}

/// A body that nobody reads costs the client its connection.
#[test]
fn body_is_read_whatever_the_method() {
    let index = TestApp::new().unwrap().context();
    // What is for a registry, and what only a registry may send, of which nobody sends that much by mistake.
    let unread = ["/v2/{repository}/manifests/{reference}", "/v2/{repository}/blobs/{digest}", "/events"];
    for path in api::PATHS {
        for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
            let request = Request { method: method.into(), path: sample(path.pattern), ..Request::default() };
            let limit = serve::body_limit(&index, &request);
            let wanted = if unread.contains(&path.pattern) { 0 } else { path.max_body };
            assert_eq!(limit, wanted, "{method} {}", path.pattern);
            assert!(limit >= 16 << 10 || unread.contains(&path.pattern), "{method} {}", path.pattern);
        }
    }
}

#[test]
fn methods_are_those_of_the_lines() {
    let images = api::path(&routes::route("/v1/repositories/a/b/images").unwrap());
    assert_eq!(images.allow(), "GET, HEAD, PUT, DELETE, OPTIONS");
    assert_eq!(images.endpoint("HEAD"), images.endpoint("GET"));
    assert!(images.endpoint("DELETE").is_some());
    for method in ["POST", "PATCH", "OPTIONS", "PURGE", "get", ""] {
        assert_eq!(images.endpoint(method), None, "{method}");
    }
}

/// A handler says first of all which endpoint it is.
#[test]
fn every_handler_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/handlers");
    let mut handlers = 0;
    for file in rust_files(&folder) {
        let place = file.strip_prefix(&folder).unwrap().to_string_lossy().replace(".rs", "");
        let text = fs::read_to_string(&file).unwrap();
        let mut endpoint = None;
        for line in text.lines() {
            if let Some(said) = line.strip_prefix("/// `").filter(|said| said.contains(" /")) {
                endpoint = said.split_once(' ').map(|(method, _)| method);
            } else if let Some(method) = endpoint.filter(|_| line.starts_with("pub ")) {
                let name = line.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).unwrap().0;
                let mut lines = TABLE.lines().filter(|line| {
                    let calls = |module: &str| line.contains(&format!("{module}::{name}("));
                    line.trim_start().to_uppercase().starts_with(method) && place.split('/').any(calls)
                });
                assert!(lines.next().is_some(), "{place}::{name} is the handler of no {method} in src/api.rs");
                handlers += 1;
                endpoint = None;
            }
        }
    }
    assert!(handlers > 80, "where are the handlers?");
}
