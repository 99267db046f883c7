//! What a line of Markdown begins, by its first letters.

use super::{
    line::Line,
    scan::{after, is_blank, run, span, steps},
};

/// What a block begins with.
pub enum Start<'a> {
    Quote,
    Item(Item),
    /// `#` to `######`, and the text after them.
    Heading(usize, &'a str),
    /// The line below a paragraph that makes a heading of it.
    Underline(usize),
    Rule,
    Fence {
        mark: u8,
        length: usize,
    },
    Comment,
    Indented,
}

/// The marker of an item.
pub struct Item {
    /// The bullet, or what is after the number: another one is another list.
    pub mark: u8,
    /// The number.
    pub start: Option<u32>,
    /// Bytes.
    pub length: usize,
    /// Whether the line has nothing else.
    pub is_empty: bool,
}

/// What begins at a line, if it is not text. Within a paragraph nothing is indented code, and the line after one that it
/// continues may be the underline of a heading.
pub fn of<'a>(line: &Line<'a>, in_paragraph: bool, continued: bool) -> Option<Start<'a>> {
    if line.indent() >= 4 {
        return if in_paragraph { None } else { Some(Start::Indented) };
    }
    let text = line.text();
    let first = text.bytes().next()?;
    let length = run(text, first);
    let rest = after(text, length);
    match first {
        b'>' => return Some(Start::Quote),
        b'#' if length <= 6 && ends(rest) => return Some(Start::Heading(length, heading(rest))),
        b'=' if continued && is_empty(rest) => return Some(Start::Underline(1)),
        b'-' if continued && is_empty(rest) => return Some(Start::Underline(2)),
        b'~' if length >= 3 => return Some(Start::Fence { mark: first, length }),
        b'`' if length >= 3 && !rest.contains('`') => return Some(Start::Fence { mark: first, length }),
        b'<' if text.starts_with("<!--") => return Some(Start::Comment),
        b'*' | b'-' | b'_' if is_rule(text, first) => return Some(Start::Rule),
        _ => {}
    }
    item(text).map(Start::Item)
}

/// Whether a marker ends here.
fn ends(rest: &str) -> bool {
    rest.bytes().next().is_none_or(is_blank)
}

fn is_empty(rest: &str) -> bool {
    span(rest, is_blank) == rest.len()
}

fn is_rule(text: &str, mark: u8) -> bool {
    let mut marks = 0;
    for byte in text.bytes() {
        steps::add(1);
        match byte {
            _ if byte == mark => marks += 1,
            b' ' | b'\t' => {}
            _ => return false,
        }
    }
    marks >= 3
}

/// The text of a heading, without the marks that close it.
fn heading(text: &str) -> &str {
    let text = text.trim();
    let open = text.trim_end_matches('#');
    if open.is_empty() || open.ends_with([' ', '\t']) { open.trim_end() } else { text }
}

fn item(text: &str) -> Option<Item> {
    let digits = span(text, |byte| byte.is_ascii_digit());
    let mark = after(text, digits).bytes().next()?;
    let start = match mark {
        b'-' | b'+' | b'*' if digits == 0 => None,
        // A number of ten digits may be too large for a browser.
        b'.' | b')' if (1..=9).contains(&digits) => Some(text.get(..digits)?.parse().ok()?),
        _ => return None,
    };
    let rest = after(text, digits + 1);
    ends(rest).then(|| Item { mark, start, length: digits + 1, is_empty: is_empty(rest) })
}
