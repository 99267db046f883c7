//! The order of versions: numbers in names are compared as numbers, and what precedes a release comes before it.

use std::cmp::Ordering;

/// Compares two names of tags as versions: `1.9` before `1.10`, `2.0-rc1` before `2.0`.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (number(a), number(b));
    loop {
        match (left.is_empty(), right.is_empty()) {
            (true, true) => return a.cmp(b),
            (true, false) => return if precedes_release(right) { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if precedes_release(left) { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        let ((one, rest), (other, others)) = (part(left), part(right));
        let ordering = match (digits(one), digits(other)) {
            (true, true) => numbers(one, other),
            (false, false) => precedes_release(other).cmp(&precedes_release(one)).then_with(|| one.cmp(other)),
            // Names without a version come first in an ascending order: `edge`, then `1.0`.
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
        (left, right) = (rest, others);
    }
}

/// A version without the letter before it.
fn number(text: &str) -> &str {
    text.strip_prefix('v').filter(|rest| digits(rest)).unwrap_or(text)
}

/// The words of what comes before a release.
fn precedes_release(rest: &str) -> bool {
    let word = rest.trim_start_matches(['-', '.', '_', '~']);
    ["alpha", "beta", "rc", "pre", "dev", "snapshot", "a", "b"].iter().any(|before| {
        word.strip_prefix(before).is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_ascii_alphabetic()))
    })
}

/// The first digits of a text, or what comes before them, and the rest.
fn part(text: &str) -> (&str, &str) {
    let number = text.starts_with(|letter: char| letter.is_ascii_digit());
    let end = text.find(|letter: char| letter.is_ascii_digit() != number).unwrap_or(text.len());
    text.split_at(end)
}

fn digits(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Numbers of any length.
fn numbers(one: &str, other: &str) -> Ordering {
    let (a, b) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order() {
        let ordered = [
            "edge",
            "latest",
            "0.9",
            "1.2.0-alpha",
            "1.2.0-rc1",
            "1.2.0-rc2",
            "1.2.0",
            "1.2.0-alpine",
            "1.9",
            "v1.10",
            "2",
            "10",
        ];
        for (at, one) in ordered.iter().enumerate() {
            for (other_at, other) in ordered.iter().enumerate() {
                assert_eq!(compare(one, other), at.cmp(&other_at), "{one} {other}");
            }
        }
    }
}
