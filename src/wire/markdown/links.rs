//! Where links of a text in Markdown lead: the addresses that a page may link to, and those that the text defines.

use super::scan::{after, closed, is_letter, slice, span, steps};

/// What an address begins with: every other scheme, and what is relative to a page of ours, is no link.
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

/// The bytes of a label, as CommonMark has them.
const MAX_LABEL: usize = 999;

/// The most parentheses in one another in an address.
const MAX_PARENTHESES: usize = 32;

/// The most definitions of a text that count: each label is compared with all of them.
const MAX_DEFINITIONS: usize = 256;

/// The addresses that a text defines, by their labels.
#[derive(Default)]
pub struct Definitions(Vec<(String, String)>);

impl Definitions {
    /// The address of a label.
    pub fn get(&self, label: &str) -> Option<&str> {
        if label.len() > MAX_LABEL {
            return None;
        }
        let label = folded(label);
        self.0.iter().find(|(name, _)| *name == label).map(|(_, address)| address.as_str())
    }
}

/// A label as it is compared: in small letters, with one blank between words.
fn folded(label: &str) -> String {
    let mut folded = String::new();
    for letter in label.trim().chars() {
        steps::add(1);
        match letter {
            ' ' | '\t' | '\n' if folded.ends_with(' ') => {}
            '\t' | '\n' => folded.push(' '),
            letter => folded.push(letter.to_ascii_lowercase()),
        }
    }
    folded
}

/// Whether a link may lead to an address. A browser leaves out some letters that are not seen, so none are allowed.
fn is_allowed(address: &str) -> bool {
    let begins = |scheme: &&str| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().any(begins) && !address.contains(|letter: char| letter.is_control() || letter.is_whitespace())
}

/// The address that a link may have, without the backslashes that only Markdown needs; nothing where it may have none.
pub fn address(text: &str) -> String {
    steps::add(text.len());
    let mut address = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letters.next_if(|next| letter == '\\' && next.is_ascii_punctuation());
        address.push(escaped.unwrap_or(letter));
    }
    if is_allowed(&address) { address } else { String::new() }
}

/// The address of `<https://…>` or `<name@example.com>`, and the bytes of it with its brackets.
pub fn bracketed(text: &str) -> Option<(String, usize)> {
    let inner = after(text, 1);
    let length = span(inner, |byte| !matches!(byte, b'<' | b'>') && !byte.is_ascii_whitespace());
    if after(inner, length).bytes().next() != Some(b'>') {
        return None;
    }
    let inner = slice(inner, 0, length);
    let part =
        |text: &str| span(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+'));
    let name = part(inner);
    let host = part(after(inner, name + 1));
    let is_email = name > 0 && host > 0 && name + 1 + host == length && after(inner, name).starts_with('@');
    let address = if is_email { ["mailto:", inner].concat() } else { inner.to_owned() };
    is_allowed(&address).then_some((address, length + 2))
}

/// The bytes of an address that is written without anything around it; none where there is no address.
pub fn bare(text: &str) -> usize {
    let scheme = SCHEMES.iter().take(2).find(|scheme| text.starts_with(**scheme)).map_or(0, |scheme| scheme.len());
    let rest = after(text, scheme);
    if scheme == 0 || !rest.bytes().next().is_some_and(is_letter) {
        return 0;
    }
    let ends = |letter: char| letter.is_whitespace() || letter.is_control() || "<>\"[]`\\|".contains(letter);
    let length = rest.find(ends).unwrap_or(rest.len());
    steps::add(length);
    let mut address = slice(rest, 0, length);
    // What ends a sentence, or what was opened before the address, is none of it.
    let count = |mark: char| address.matches(mark).count();
    let mut unopened = count(')').saturating_sub(count('('));
    while let Some(last) = address.bytes().next_back() {
        steps::add(1);
        match last {
            b')' if unopened > 0 => unopened -= 1,
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'*' | b'_' | b'~' | b'\'' => {}
            _ => break,
        }
        address = slice(address, 0, address.len() - 1);
    }
    scheme + address.len()
}

fn blanks(text: &str) -> usize {
    span(text, |byte| byte.is_ascii_whitespace())
}

/// The address at the beginning of a text, as it is written, and the bytes of it.
fn destination(text: &str) -> Option<(&str, usize)> {
    if let Some(inner) = text.strip_prefix('<') {
        let length = closed(inner, b'>', b'<')?;
        let address = slice(inner, 0, length);
        return (!address.contains('\n')).then_some((address, length + 2));
    }
    let (mut depth, mut escaped) = (0, false);
    let end = text.bytes().position(|byte| {
        steps::add(1);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => return true,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' if depth == MAX_PARENTHESES => return true,
            b'(' => depth += 1,
            b')' if depth == 0 => return true,
            b')' => depth -= 1,
            _ => {}
        }
        false
    });
    let length = end.unwrap_or(text.len());
    (depth == 0).then_some((slice(text, 0, length), length))
}

/// The bytes of blanks and of the title after an address, if there is one. No page shows it.
fn title(text: &str) -> usize {
    let before = blanks(text);
    let rest = after(text, before);
    let (end, never) = match rest.bytes().next() {
        Some(b'"') => (b'"', b'"'),
        Some(b'\'') => (b'\'', b'\''),
        Some(b'(') => (b')', b'('),
        _ => return before,
    };
    let inner = after(rest, 1);
    match closed(inner, end, never) {
        Some(length) if before > 0 => before + length + 2 + blanks(after(inner, length + 1)),
        _ => before,
    }
}

/// The address in parentheses after the text of a link, and the bytes of it with them.
pub fn inline(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix('(')?;
    let start = blanks(inner);
    let (address, length) = destination(after(inner, start))?;
    let end = start + length;
    let end = end + title(after(inner, end));
    (after(inner, end).bytes().next() == Some(b')')).then_some((address, end + 2))
}

/// The label in brackets after the text of a link, and the bytes of it with them.
pub fn label(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix('[')?;
    let length = closed(inner, b']', b'[')?;
    Some((slice(inner, 0, length), length + 2))
}

/// Takes the lines that define addresses from the beginning of a paragraph, and gives the rest. The first definition of
/// a label counts.
pub fn definitions<'a>(paragraph: &'a str, definitions: &mut Definitions) -> &'a str {
    let mut rest = paragraph;
    while let Some((name, length)) = label(rest) {
        let (line, others) = rest.split_once('\n').unwrap_or((rest, ""));
        let Some(text) = after(line, length).strip_prefix(':') else { break };
        let text = after(text, blanks(text));
        let Some((address, length)) = destination(text).filter(|(_, length)| *length > 0) else { break };
        let text = after(text, length);
        if name.trim().is_empty() || name.len() > MAX_LABEL || title(text) != text.len() {
            break;
        }
        if definitions.0.len() < MAX_DEFINITIONS {
            definitions.0.push((folded(name), self::address(address)));
        }
        rest = others;
    }
    rest
}
