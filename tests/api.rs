//! The table of the API holds together: every path is read as itself, and nothing stands in it twice or is missing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use hublet::{
    api::{self, Cors, Method},
    routes,
};

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
fn what_is_read_has_a_small_body_and_only_that_is_for_pages_of_other_origins() {
    for (path, endpoint) in api::endpoints() {
        assert!(endpoint.method != Method::Get || endpoint.max_body <= 16 << 10, "GET {}: a large body", path.pattern);
    }
    for path in api::PATHS {
        assert!(path.cors == Cors::Closed || path.endpoint("GET").is_some(), "{}", path.pattern);
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

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A handler says first of all which endpoint it is.
#[test]
fn every_handler_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/handlers");
    let mut handlers = 0;
    for file in files(&folder) {
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
