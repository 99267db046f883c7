//! Markdown, as much of it as the tests of the manual read.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The number of the line of its fence.
    pub line: usize,
    /// What stands after the fence.
    pub info: &'a str,
    /// Its lines.
    pub text: Vec<&'a str>,
}

/// The fenced blocks of a text, and the lines outside of them with their numbers.
pub fn split(text: &str) -> (Vec<Block<'_>>, Vec<(usize, &str)>) {
    let (mut blocks, mut prose) = (Vec::<Block<'_>>::new(), Vec::new());
    let mut fence = None;
    for (at, line) in text.lines().enumerate() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(length) if ticks >= length && line.trim_matches('`').trim().is_empty() => fence = None,
            Some(_) => blocks.last_mut().unwrap().text.push(line),
            None if ticks >= 3 => {
                fence = Some(ticks);
                blocks.push(Block { line: at + 1, info: line.trim_start_matches('`').trim(), text: Vec::new() });
            }
            None => prose.push((at + 1, line)),
        }
    }
    assert!(fence.is_none(), "a block does not end: {:?}", blocks.last());
    (blocks, prose)
}

/// Code within a line. It begins and ends with as many ticks.
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new("``+ .*? ``+|`[^`]*`").unwrap());

/// The code within a line, without its ticks.
pub fn code(line: &str) -> Vec<&str> {
    CODE.find_iter(line).map(|found| found.as_str().trim_matches('`').trim()).collect()
}

static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]*)\)").unwrap());

/// The targets of the links of a line.
pub fn links(line: &str) -> Vec<String> {
    let line = CODE.replace_all(line, "code");
    LINK.captures_iter(&line).map(|found| found[1].to_owned()).collect()
}

/// The anchors of a text: one for each heading, made as GitHub makes them.
pub fn anchors(text: &str) -> Vec<String> {
    static TARGET: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[([^\]]*)\]\([^)]*\)").unwrap());
    let mut seen = BTreeMap::<String, usize>::new();
    let (_, prose) = split(text);
    let headings = prose.iter().filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
    });
    let anchor = |title: &str| {
        let title = TARGET.replace_all(title.trim(), "$1").to_lowercase();
        let kept = title.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect::<String>()
    };
    let mut numbered = |anchor: String| {
        let times = seen.entry(anchor.clone()).and_modify(|times| *times += 1).or_default();
        if *times == 0 { anchor } else { format!("{anchor}-{times}") }
    };
    headings.map(|title| numbered(anchor(title))).collect()
}

#[test]
fn blocks_links_and_anchors_are_read() {
    let text = "# One *thing*\n[a](b.md#c) `[no](x)` [d](e)\n```sh name tests/x\n# not a heading\n[f](g)\n```\n\n## One thing\n";
    let (blocks, prose) = split(text);
    assert_eq!(blocks, [Block { line: 3, info: "sh name tests/x", text: vec!["# not a heading", "[f](g)"] }]);
    assert_eq!(prose.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 2, 7, 8]);
    assert_eq!(links(prose[1].1), ["b.md#c", "e"]);
    assert_eq!(code(prose[1].1), ["[no](x)"]);
    assert_eq!(anchors(text), ["one-thing", "one-thing-1"]);
    assert_eq!(anchors("## What's `a_b`, and [the rest](x)?"), ["whats-a_b-and-the-rest"]);
    assert_eq!(anchors("## GET /v1/_ping\n## A: b/c"), ["get-v1_ping", "a-bc"]);
}
