//! The table of the API holds together: every path is read as itself, and nothing stands in it twice or is missing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

#[allow(dead_code, reason = "the pages need more of it")]
mod support;

use std::{collections::BTreeSet, fs, path::Path};

use hublet::{
    api::{self, Cors},
    routes, serve,
    wire::Request,
};
use support::{Stage, sources::rust_files};

const TABLE: &str = include_str!("../src/api.rs");

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

#[test]
fn only_what_is_read_is_for_pages_of_other_origins() {
    for path in api::PATHS {
        assert!(path.cors == Cors::Closed || path.endpoint("GET").is_some(), "{}", path.pattern);
    }
}

/// A body that nobody reads costs the client its connection.
#[test]
fn body_is_read_whatever_the_method() {
    let index = Stage::new().unwrap().index();
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
