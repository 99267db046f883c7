//! Pictures: every page of the site is in the table of screens and, with its picture, in the manual; and they are small.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use hublet::{api, wire::Dialect};
use regex::Regex;

use super::{markdown, read, root};

const FOLDER: &str = "docs/pictures";
const SCREENS: &str = "tests/e2e/support/screens.mjs";

/// The most bytes of all pictures.
const MAX: u64 = 1_572_864;

/// The endpoint of each picture by its name; other views of a screen have none of their own.
fn screens() -> BTreeMap<String, Option<String>> {
    let text = read(SCREENS);
    let screen = Regex::new(r#"name: "([\w-]+)",\s*endpoint: "([^"]+)""#).unwrap();
    let other = Regex::new(r#"\{ name: "([\w-]+)", (?:scheme|width):"#).unwrap();
    let screens = screen.captures_iter(&text).map(|found| (found[1].to_owned(), Some(found[2].to_owned())));
    let others = other.captures_iter(&text).map(|found| (found[1].to_owned(), None));
    screens.chain(others).collect()
}

/// The names of the pictures that a page of the manual has.
fn pictures(page: &str) -> BTreeSet<String> {
    let text = read(page);
    let (_, prose) = markdown::split(&text);
    let links = prose.iter().flat_map(|(_, line)| markdown::links(line));
    let name = |link: String| Some(link.rsplit_once("pictures/")?.1.strip_suffix(".png")?.to_owned());
    links.filter_map(name).collect()
}

#[test]
fn every_page_has_a_screen_and_its_picture_in_the_manual() {
    let (screens, printed) = (screens(), pictures("docs/pages.md"));
    let has_page = |path: &&api::Path| path.errors == Dialect::Page && path.endpoint("GET").is_some();
    let pages = api::PATHS.iter().filter(has_page).map(|path| path.pattern).filter(|path| !path.contains("{file}"));
    let pages = pages.collect::<Vec<_>>();
    assert!(pages.len() > 15, "{pages:?}");
    let lacks = |page: &&str| {
        !screens.iter().any(|(name, endpoint)| endpoint.as_deref() == Some(*page) && printed.contains(name))
    };
    let missing = pages.iter().copied().filter(lacks).collect::<Vec<_>>();
    assert!(missing.is_empty(), "no screen in {SCREENS}, or no picture in docs/pages.md: {missing:?}");
    let unknown = screens.values().flatten().filter(|endpoint| !pages.contains(&endpoint.as_str()));
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new(), "the table has screens of what is no page");
    let made = screens.into_keys().collect::<BTreeSet<_>>();
    assert_eq!(printed, made, "docs/pages.md has every picture that `npm run pictures` makes, and no other");
}

#[test]
fn pictures_are_small() {
    let entries = fs::read_dir(root().join(FOLDER)).unwrap().map(|entry| entry.unwrap());
    let (mut names, mut total) = (BTreeSet::new(), 0);
    for entry in entries {
        let bytes = fs::read(entry.path()).unwrap();
        // The byte of a PNG that has the kind of its colours: 3 is a palette.
        assert_eq!(bytes.get(25), Some(&3), "{} has no palette", entry.path().display());
        total += entry.metadata().unwrap().len();
        names.insert(entry.path().file_stem().unwrap().to_string_lossy().into_owned());
    }
    assert_eq!(names, screens().into_keys().collect(), "npm run pictures makes those of the table, and no others");
    assert!(total <= MAX, "{total} bytes of pictures, and not {MAX}");
}
