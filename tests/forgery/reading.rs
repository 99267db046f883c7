//! How the original v1 registry reads the header of a repository token: every `name=value` that its pattern finds
//! anywhere, the last of a name counts.

use std::{collections::BTreeMap, fs, sync::LazyLock};

use regex::Regex;

/// The pattern of its `toolkit.py`, of all versions.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(\w+)[:=][\s"]?([^",]+)"?"#).ok());

/// What the fuzzer has kept.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus");

/// What it takes a header to say.
pub fn registry(header: &str) -> BTreeMap<String, String> {
    let Some(pattern) = &*PATTERN else { return BTreeMap::new() };
    let found = pattern.captures_iter(header).filter_map(|found| Some((found.get(1)?, found.get(2)?)));
    found.map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned())).collect()
}

/// What the fuzzer has kept, as headers.
pub fn corpus() -> Vec<String> {
    let entries = fs::read_dir(CORPUS);
    let files = entries.into_iter().flatten().filter_map(|entry| fs::read(entry.ok()?.path()).ok());
    files.map(|bytes| format!("Token {}", String::from_utf8_lossy(&bytes))).collect()
}
