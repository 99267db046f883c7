//! Texts that one person writes and another reads, perhaps in a terminal. What moves the cursor, turns the direction or
//! is not seen has no place there: it is refused where it is written, and left out where it is read, since a database
//! has texts from before. Joiners stay: letters of Persian and pictures of people are made with them.

use crate::error::{Result, invalid};

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One line: a label, a name that a program gives itself.
    Line,
    /// Perhaps several lines.
    Lines,
    /// A page of several scripts, where what is not seen may stand.
    Page,
}

impl Form {
    fn allows(self, letter: char) -> bool {
        match letter {
            '\t' | '\n' | '\r' => self != Self::Line,
            // Embeddings, overrides and isolates: what follows them reads as something else.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
            _ if letter.is_control() => false,
            _ => self == Self::Page || !is_unseen(letter),
        }
    }
}

/// Whether a letter is nothing to see, and is no joiner.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Refuses a text with what has no place in it.
pub fn acceptable(field: &str, text: &str, form: Form) -> Result<()> {
    match text.chars().find(|letter| !form.allows(*letter)) {
        None => Ok(()),
        Some(letter) => invalid(format!("{field}: U+{:04X} has no place in it", u32::from(letter))),
    }
}

/// A text without what has no place in it; in one line, ends of lines are blanks. What is ASCII, as nearly all of a page is,
/// is copied at once.
#[must_use]
pub fn display(text: &str, form: Form) -> String {
    let blank = |letter: char| if form == Form::Line && "\t\n\r".contains(letter) { ' ' } else { letter };
    let (mut displayed, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.bytes().position(|byte| !(b' '..=b'~').contains(&byte)) {
        let (plain, others) = rest.split_at(at);
        displayed.push_str(plain);
        let mut others = others.chars();
        displayed.extend(others.next().map(blank).filter(|letter| form.allows(*letter)));
        rest = others.as_str();
    }
    displayed + rest
}

/// A text in one line.
#[must_use]
pub fn line(text: &str) -> String {
    display(text, Form::Line)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The texts of these kinds.
    fn hostile(kinds: &[&str]) -> Vec<String> {
        let all: Value = serde_json::from_str(include_str!("../../tests/hostile-texts.json")).unwrap();
        let texts = kinds.iter().flat_map(|kind| match &all[*kind] {
            Value::Array(texts) => texts.clone(),
            Value::Object(texts) => texts.values().cloned().collect(),
            _ => unreachable!("no texts of the kind {kind}"),
        });
        texts.map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn forbidden_characters_are_refused_or_removed() {
        for (form, refused, taken) in [
            (Form::Line, &["lines", "everywhere", "unseen"][..], &["harmless"][..]),
            (Form::Lines, &["everywhere", "unseen"], &["harmless", "lines"]),
            (Form::Page, &["everywhere"], &["harmless", "lines", "unseen"]),
        ] {
            for text in hostile(refused) {
                assert!(acceptable("x", &text, form).is_err(), "{text:?} as {form:?}");
                assert!(acceptable("x", &display(&text, form), form).is_ok(), "{text:?} as {form:?}");
            }
            for text in hostile(taken) {
                assert!(acceptable("x", &text, form).is_ok(), "{text:?} as {form:?}");
                assert_eq!(display(&text, form), text, "as {form:?}");
            }
        }
        assert_eq!(line("two\r\nlines\u{1b}[2J"), "two  lines[2J");
    }
}
