//! The manual as a test: its links lead somewhere, its commands are run by a test or marked as run by none, what it names
//! exists, and what it counts is counted.

mod commands;
mod counts;
mod links;
mod markdown;
mod pictures;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The bytes of the front door: more is for `docs/`.
const MAX_README: usize = 6_144;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files of a folder, in the order of their names.
fn in_folder(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files = entries.filter(|path| path.extension().is_some_and(|end| end == "md")).collect::<Vec<_>>();
    files.sort();
    files
}

/// The manual: the pages at the top of the tree and those of `docs`.
pub fn manual() -> Vec<PathBuf> {
    [in_folder(""), in_folder("docs")].concat()
}

/// The manual, the contract, and the templates of the hosting site.
fn all() -> Vec<PathBuf> {
    [manual(), in_folder("tests/wire"), in_folder(".github")].concat()
}

/// A path as it is named in messages.
fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn readme_is_short() {
    let length = read("README.md").len();
    assert!(length <= MAX_README, "README.md has {length} bytes, and may have {MAX_README}");
}

#[test]
fn indexes_have_every_page() {
    for folder in ["docs", "tests/wire"] {
        let index = read(&format!("{folder}/README.md"));
        let pages = in_folder(folder).into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
        let missing = pages.filter(|page| page != "README.md" && !index.contains(&format!("({page})")));
        let missing = missing.collect::<Vec<_>>();
        assert!(missing.is_empty(), "{folder}/README.md has no line for {missing:?}");
    }
}
