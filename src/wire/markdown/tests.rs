//! What Markdown becomes, and that it costs no more than in proportion to its length.

use super::{html, scan::steps};

/// Texts with the HTML that they become; `→` is a tab, `␠` a blank at the end of a line.
const EXAMPLES: &str = include_str!("examples.txt");

/// How an example is divided, and from the next.
const BETWEEN: [&str; 2] = ["\n=>\n", "\n\n--\n\n"];

#[test]
fn examples_hold() {
    let examples = EXAMPLES.replace('→', "\t").replace('␠', " ");
    let examples = examples.split(BETWEEN[1]).map(|example| example.split_once(BETWEEN[0]).unwrap());
    let mut faults = Vec::new();
    let mut number = 0;
    for (text, expected) in examples {
        let found = html(text);
        if found.trim_end() != expected.trim_end() {
            faults.push(format!("{text}\n=>\n{found}\nand not\n{expected}"));
        }
        number += 1;
    }
    assert!(number > 30, "{number} examples");
    assert!(faults.is_empty(), "{}", faults.join("\n\n--\n\n"));
}

/// What is cheap to write and dear to read, where a reader is naive: the beginning, what is repeated, and the end.
const HOSTILE: &[(&str, &str, &str)] = &[
    ("", "*a ", ""),
    ("", "*a _b ~~c ", ""),
    ("", "*a**b ", ""),
    ("", "a**b*c", ""),
    ("", "_a __b ", " c_"),
    ("", "*a _b* c_ ", ""),
    ("", "*a ", "b* b* b* b*"),
    ("", "**a *b ", ""),
    ("", "*", "a"),
    ("a", "*", ""),
    ("", "*a", "*"),
    ("", "[", ""),
    ("", "[a", "](b)"),
    ("", "[", "](a)"),
    ("", "![", "](http://a)"),
    ("", "[a](", ""),
    ("", "[a](<b", ""),
    ("", "[a](b \"c", ""),
    ("", "[a](b 'c\" (", ""),
    ("", "[a](b (c", ""),
    ("", "[a](\\", ""),
    ("", "](", ""),
    ("", "[a]", ""),
    ("", "[a][", ""),
    ("", "[a][b", "]"),
    ("", "![[a](http://b)", ""),
    ("", "[[a](http://b)", ""),
    ("[a]: http://example.com/long\n\n", "[a]", ""),
    ("[a]: http://example.com/&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&\n\n", "[a] ", ""),
    ("", "[a]: http://b\n", ""),
    ("", "[a]: <", ""),
    ("", "[a]:\n", ""),
    ("", "<", ""),
    ("", "<a@b>", ""),
    ("", "<http://a", ""),
    ("", "http://a ", ""),
    ("", "http://a)", ""),
    ("http://a", ")", ""),
    ("http://a", ".", ""),
    ("", "http://", ""),
    ("", "h", ""),
    ("", "`", ""),
    ("", "` ", "``"),
    ("", "`a``b```c````d", ""),
    ("", "``a`", ""),
    ("", "`a` ", ""),
    ("", "\\", ""),
    ("", "\\\n", ""),
    ("", "a  \n", ""),
    ("a", " ", "b"),
    ("a", " \n", "b"),
    ("", "&", ""),
    ("", "\"", ""),
    ("", "> ", ""),
    ("", "> > a\n", ""),
    ("", ">\n\n", ""),
    ("", ">>>>>>>>>>>>>>>>>>>>>>>>\n\n", ""),
    ("", "- ", ""),
    ("", "- ", "a"),
    ("", "-\n\n", ""),
    ("", "+\n-\n", ""),
    ("", "* a\n\n  ", ""),
    ("", "  - a\n", ""),
    ("- a\n", "    - b\n", ""),
    ("", "1. ", ""),
    ("", "7)\n8.\n", ""),
    ("> - > - > - > - > - ", "a\n", ""),
    ("> - > - > - > - > - a\n", "\n", ""),
    ("", "\t", "a"),
    ("- ", "\t", "a"),
    ("- a\n", "                                        \n", ""),
    ("", "#\n", ""),
    ("#", "#", ""),
    ("# a", "#", "b"),
    ("# a", " #", ""),
    ("", "---\n", ""),
    ("", "- - -", "a"),
    ("", "a\n-\n", ""),
    ("", "a\n", "="),
    ("", "~~~\n", ""),
    ("```", "\n", ""),
    ("", "```a`\n", ""),
    ("", "    a\n\n", ""),
    ("    a", "\n", "    b"),
    ("", "<!--", ""),
    ("", "<!-- a --> b\n", ""),
    ("<!--", "--\n", ""),
    ("|a|\n|-|\n", "|", ""),
    ("|a|\n|-|\n", "b\n", ""),
    ("", "|", "\n|-|"),
    ("", "|a|\n|-|\n", ""),
    ("", "|a|\n|:-:|\n", ""),
    ("", "a|b\n", ""),
    ("", "|-", ""),
    ("", "|-|\n", ""),
    ("", "a\\|", ""),
    ("", "é", ""),
    ("", "\u{202e}", ""),
    ("", "\r", ""),
    ("", "\0", ""),
];

/// A table as wide as it is long.
fn wide(length: usize) -> String {
    let columns = length / 12;
    let row = |cell: &str| format!("{}|\n", cell.repeat(columns));
    [row("|a"), row("|:-:"), "b\n".repeat(length - 7 * columns)].concat()
}

fn hostile(length: usize) -> Vec<String> {
    let repeated = |(start, middle, end): &(&str, &str, &str)| {
        let times = (length - start.len() - end.len()) / middle.len();
        [*start, &middle.repeat(times), end].concat()
    };
    let growing = (1..).scan(0, |sum, ticks| {
        *sum += ticks + 1;
        (*sum < length).then(|| format!("{}a", "`".repeat(ticks)))
    });
    HOSTILE.iter().map(repeated).chain([wide(length), growing.collect()]).collect()
}

/// As many bytes as the longest description may have letters.
const LONGEST: usize = 25_000;

/// The most that is looked at, and written, for each byte. Quotes around nothing are the longest for what they say.
const MAX_STEPS: usize = 64;
const MAX_OUTPUT: usize = 32;

#[test]
fn cost_is_in_proportion_to_the_text() {
    for (long, short) in hostile(LONGEST).iter().zip(hostile(LONGEST / 5)) {
        let name = long.get(..40).unwrap_or("wide or growing");
        let cost = |text: &str| {
            steps::take();
            let output = html(text).len();
            (steps::take(), output)
        };
        let (long_steps, long_output) = cost(long);
        let (short_steps, _) = cost(&short);
        assert!(long_steps <= MAX_STEPS * long.len(), "{long_steps} steps: {name:?}");
        assert!(long_output <= MAX_OUTPUT * long.len(), "{long_output} bytes: {name:?}");
        assert!(long_steps <= 6 * short_steps + 1_000, "{short_steps} steps became {long_steps}: {name:?}");
    }
}

#[test]
fn depth_is_bounded() {
    for text in hostile(LONGEST) {
        let html = html(&text);
        let (mut depth, mut deepest) = (0_usize, 0);
        for tag in html.split('<').skip(1).filter(|tag| !tag.starts_with("br>") && !tag.starts_with("hr>")) {
            depth = if tag.starts_with('/') { depth - 1 } else { depth + 1 };
            deepest = deepest.max(depth);
        }
        assert_eq!(depth, 0, "{:?}", text.get(..40));
        assert!(deepest <= 48, "{deepest}: {:?}", text.get(..40));
    }
}
