//! How the original v1 registry reads the header of a repository token: every `name=value` that its pattern finds
//! anywhere, the last of a name counts.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

/// The pattern of its `toolkit.py`, of all versions.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(\w+)[:=][\s"]?([^",]+)"?"#).ok());

/// What it takes a header to say.
pub fn registry(header: &str) -> BTreeMap<String, String> {
    let Some(pattern) = &*PATTERN else { return BTreeMap::new() };
    let found = pattern.captures_iter(header).filter_map(|found| Some((found.get(1)?, found.get(2)?)));
    found.map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned())).collect()
}
