//! The style sheet: words that the reference, the manual and the comments of the code do not use, each with those that
//! they do.

use std::{fs, path::Path, sync::LazyLock};

use regex::{Captures, Regex};
use test_support::sources::rust_files;

/// What a text must not have, as a regular expression of whole words, and what it has instead.
const WORDS: [(&str, &str); 29] = [
    ("nobody|nobody's", "an anonymous client, no user, none"),
    ("somebody|somebody's", "a user, another user, a client"),
    ("anybody|anybody's", "any user, all users"),
    ("everybody|everybody's", "all users, every client"),
    ("whoever|whomever", "a user who, a client that"),
    ("asker|askers", "the caller, the client, the principal"),
    ("strangers?", "other users"),
    ("told", "reported, returned, notified, recorded"),
    ("tells?", "reports, returns, reveals"),
    ("said", "reported, returned"),
    ("shown", "returned, listed, sent"),
    ("lent|lends?|lender", "injected, provided"),
    ("anew", "again, new"),
    ("so many", "the maximum, a number, N"),
    ("the truth", "the primary database"),
    ("mint|mints|minted|minting", "issue"),
    ("gate", "the base endpoint"),
    ("(is|are|be) (no )?good", "is valid, is invalid"),
    ("stands? for", "was issued under, means"),
    ("came with|comes with", "authenticated with, has"),
    ("worth nothing", "invalid, revoked"),
    ("what is marked deleted|marked deleted", "pending deletion"),
    ("right behind|behind (it|its|the|a|an|that)", "after"),
    ("rooms?", "modules"),
    ("beats", "steps"),
    ("patiently", "with retries"),
    ("who asks", "the client, the caller"),
    ("in the way", "a conflict"),
    ("machines", "service accounts"),
];

/// Where a word of the list has its plain meaning.
const PLAIN: [&str; 8] = [
    "makes room",
    "there is room",
    "There is room",
    "needs room",
    "leave room",
    "If many machines have the token",
    "under the path `machines`",
    "Setting: MACHINES",
];

/// Code, and the addresses of links.
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`[^`]*`|\]\([^)]*\)").unwrap());

/// A line that the runner of the pages executes.
static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[A-Z][a-z]+: ").unwrap());

/// The prose of a page: no blocks, no code, no links' addresses, no directives.
fn of_page(text: &str) -> Vec<(usize, String)> {
    let mut in_block = false;
    let lines = text.lines().enumerate().filter(|(_, line)| {
        let is_fence = line.starts_with("```");
        in_block ^= is_fence;
        !is_fence && !in_block && !DIRECTIVE.is_match(line)
    });
    lines.map(|(at, line)| (at + 1, line.to_owned())).collect()
}

/// The comments of a source file that have lines of their own.
fn of_source(text: &str) -> Vec<(usize, String)> {
    let comment =
        |line: &str| line.trim_start().strip_prefix("//").map(|line| line.trim_start_matches(['/', '!']).to_owned());
    text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, comment(line)?))).collect()
}

/// What of the list a line has.
fn found(line: &str, words: &[(Regex, &str)]) -> Vec<String> {
    let plain = PLAIN.iter().fold(line.to_owned(), |line, plain| line.replace(plain, ""));
    let plain = CODE.replace_all(&plain, |_: &Captures<'_>| "").into_owned();
    let found = words.iter().filter_map(|(word, instead)| {
        let found = word.find(&plain)?;
        Some(format!("{:?}: write {instead}", found.as_str()))
    });
    found.collect()
}

fn words() -> Vec<(Regex, &'static str)> {
    WORDS.map(|(word, instead)| (Regex::new(&format!(r"(?i)\b(?:{word})\b")).unwrap(), instead)).into()
}

#[test]
fn texts_follow_the_style_sheet() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = [".", "tests/wire", "docs", ".github"].map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let pages = pages.into_iter().flatten().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|end| end == "md")).collect::<Vec<_>>();
    let sources = ["src", "operator/src", "test-support/src"].map(|folder| rust_files(&root.join(folder))).concat();
    assert!(pages.len() > 30 && sources.len() > 50, "{} pages, {} files", pages.len(), sources.len());
    let words = words();
    let mut faults = Vec::new();
    for (files, prose) in [(pages, of_page as fn(&str) -> _), (sources, of_source)] {
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let lines: Vec<(usize, String)> = prose(&text);
            let lines =
                lines.iter().flat_map(|(at, line)| found(line, &words).into_iter().map(move |fault| (at, fault)));
            faults.extend(lines.map(|(at, fault)| format!("{name}:{at}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn planted_words_are_found() {
    let words = words();
    for (line, faults) in [
        ("Whoever asks is told.", 2),
        ("A token that is no good.", 1),
        ("`told` is code, and so is [this](told.md).", 0),
        ("Deleting one makes room:", 0),
    ] {
        assert_eq!(found(line, &words).len(), faults, "{line}");
    }
    let page = "One.\n```http\nGET /told\n```\nOperator: add somebody\nTold.\n";
    assert_eq!(of_page(page), [(1, "One.".to_owned()), (6, "Told.".to_owned())]);
    assert_eq!(
        of_source("//! A\nfn b() {}\n    /// C\n// D"),
        [(1, " A".to_owned()), (3, " C".to_owned()), (4, " D".to_owned())]
    );
}
