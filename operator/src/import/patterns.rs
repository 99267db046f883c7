//! The patterns of other systems, as regular expressions: Go's `path.Match`, zot's globs, and Go's regular expressions.

use std::{collections::HashMap, rc::Rc};

use regex_lite::Regex;

/// Whether a pattern, or a rule, is for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It depends on what is not known here.
    Unknown,
}

impl Matched {
    /// Whether both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn known(matched: bool) -> Self {
        if matched { Self::Yes } else { Self::No }
    }
}

/// Patterns that were compiled, each once.
#[derive(Debug, Default)]
pub struct Patterns(HashMap<String, Rc<Compiled>>);

/// What became of a pattern.
#[derive(Debug)]
pub enum Compiled {
    /// It is this.
    Regex(Regex),
    /// The other system takes it for none, and nothing matches it.
    Invalid,
    /// It is one of there, and cannot be compiled here.
    Unknown,
}

impl Patterns {
    /// A pattern of `docker_auth`: a regular expression between slashes, and else one of `path.Match`.
    pub fn of_docker_auth(&mut self, pattern: &str) -> Rc<Compiled> {
        let regex = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|rest| !rest.is_empty());
        // Go takes a brace that begins no repetition for itself.
        self.compiled(pattern, || {
            regex.map_or_else(|| of_path_match(pattern), |regex| Some(regex.replace("${", r"$\{")))
        })
    }

    /// A glob of zot.
    pub fn of_zot(&mut self, glob: &str) -> Rc<Compiled> {
        self.compiled(glob, || of_glob(glob))
    }

    /// The group of this number, which Go's regular expression, with its slashes, catches in a text; `None` where it catches none.
    pub fn group(&mut self, pattern: &str, number: usize, text: &str) -> Option<String> {
        let compiled = self.of_docker_auth(pattern);
        let Compiled::Regex(regex) = &*compiled else { return None };
        let groups = regex.captures(text).filter(|_| number > 0 && number < regex.captures_len())?;
        Some(groups.get(number).map_or("", |group| group.as_str()).to_owned())
    }

    /// The same text is not one pattern in two languages: no caller uses two.
    fn compiled(&mut self, pattern: &str, translate: impl FnOnce() -> Option<String>) -> Rc<Compiled> {
        if let Some(compiled) = self.0.get(pattern) {
            return Rc::clone(compiled);
        }
        let compiled = Rc::new(match translate() {
            None => Compiled::Invalid,
            Some(regex) => Regex::new(&regex).map_or(Compiled::Unknown, Compiled::Regex),
        });
        self.0.insert(pattern.to_owned(), Rc::clone(&compiled));
        compiled
    }
}

impl Compiled {
    /// Whether it is for a text.
    #[must_use]
    pub fn matches(&self, text: &str) -> Matched {
        match self {
            Self::Regex(regex) => Matched::known(regex.is_match(text)),
            Self::Invalid => Matched::No,
            Self::Unknown => Matched::Unknown,
        }
    }
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What `path.Match` takes, which is all of a text; `None` where it takes the pattern for none.
fn of_path_match(pattern: &str) -> Option<String> {
    let mut regex = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => regex.push_str(&class(&mut letters, &['^'], None)?),
            '\\' => regex.push_str(&number(letters.next()?)),
            letter => regex.push_str(&number(letter)),
        }
    }
    Some(format!("(?s)^(?:{regex})$"))
}

/// What doublestar takes, by which zot matches: stars of their own between slashes cross them.
fn of_glob(glob: &str) -> Option<String> {
    let mut regex = String::new();
    let mut letters = glob.chars().peekable();
    let (mut before, mut depth) = ('/', 0_usize);
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.peek() == Some(&'*') => {
                letters.next();
                let next = letters.peek().copied().unwrap_or(',');
                match (before, next) {
                    ('/' | '{' | ',', '/') => {
                        letters.next();
                        regex.push_str("(?:.*/)?");
                    }
                    ('/' | '{' | ',', ',' | '}') => match regex.strip_suffix(&number('/')) {
                        Some(parent) => regex = format!("{parent}(?:/.*)?"),
                        None => regex.push_str(".*"),
                    },
                    _ => regex.push_str("[^/]*"),
                }
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => regex.push_str(&class(&mut letters, &['^', '!'], Some('/'))?),
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            ',' if depth > 0 => regex.push('|'),
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            '\\' => regex.push_str(&number(letters.next()?)),
            letter => regex.push_str(&number(letter)),
        }
        before = letter;
    }
    (depth == 0).then(|| format!("(?s)^(?:{regex})$"))
}

/// A class, after its bracket; it does not match what is `never`. One that matches nothing makes the pattern one of nothing.
fn class(letters: &mut Letters<'_>, negations: &[char], never: Option<char>) -> Option<String> {
    let negated = letters.next_if(|letter| negations.contains(letter)).is_some();
    let mut ranges = Vec::new();
    let mut count = 0;
    while count == 0 || letters.next_if_eq(&']').is_none() {
        let first = of_class(letters)?;
        let last = if letters.next_if_eq(&'-').is_some() { of_class(letters)? } else { first };
        letters.peek()?;
        ranges.push((u32::from(first), u32::from(last)));
        count += 1;
    }
    if let Some(never) = never.map(u32::from) {
        let apart = |(first, last): (u32, u32)| {
            let inside = (first..=last).contains(&never);
            if inside { vec![(first, never.saturating_sub(1)), (never + 1, last)] } else { vec![(first, last)] }
        };
        ranges = if negated {
            [ranges, vec![(never, never)]].concat()
        } else {
            ranges.into_iter().flat_map(apart).collect()
        };
    }
    let ranges = ranges.into_iter().filter(|(first, last)| first <= last);
    let ranges = ranges.map(|(first, last)| [first, last].map(of_number).join("-")).collect::<Vec<_>>().concat();
    match (negated, ranges.is_empty()) {
        (false, true) => None,
        (true, true) => Some("[\\s\\S]".to_owned()),
        (false, false) => Some(format!("[{ranges}]")),
        (true, false) => Some(format!("[^{ranges}]")),
    }
}

/// A letter of a class.
fn of_class(letters: &mut Letters<'_>) -> Option<char> {
    match letters.next()? {
        '-' | ']' => None,
        '\\' => letters.next(),
        letter => Some(letter),
    }
}

/// A letter as a regular expression, by its number.
fn number(letter: char) -> String {
    of_number(u32::from(letter))
}

/// The letter of a number.
fn of_number(number: u32) -> String {
    format!("\\x{{{number:x}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(compiled: fn(&mut Patterns, &str) -> Rc<Compiled>, cases: &[(&str, &str, Matched)]) {
        for (pattern, text, expected) in cases {
            assert_eq!(compiled(&mut Patterns::default(), pattern).matches(text), *expected, "{pattern} {text}");
        }
    }

    /// Of Go's own table, and what is between slashes.
    #[test]
    fn patterns_of_docker_auth() {
        use Matched::{No, Unknown, Yes};
        check(
            Patterns::of_docker_auth,
            &[
                ("abc", "abc", Yes),
                ("*", "abc", Yes),
                ("*c", "abc", Yes),
                ("a*/b", "abc/b", Yes),
                ("a*/b", "a/c/b", No),
                ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Yes),
                ("a*b?c*x", "abxbbxdbxebxczzy", No),
                ("ab[c]", "abc", Yes),
                ("ab[b-d]", "abc", Yes),
                ("ab[e-g]", "abc", No),
                ("ab[^c]", "abc", No),
                ("ab[^e-g]", "abc", Yes),
                ("a\\*b", "a*b", Yes),
                ("a\\*b", "ab", No),
                ("a?b", "a/b", No),
                ("a[^a]b", "a/b", Yes),
                ("[a-ζ]*", "γ", Yes),
                ("[^b-a]", "/", Yes),
                ("[]a]", "]", No),
                ("[-]", "-", No),
                ("[x-]", "x", No),
                ("[b-a]", "a", No),
                ("[", "a", No),
                ("[^", "a", No),
                ("[^bc", "a", No),
                ("a[", "a", No),
                ("a[", "ab", No),
                ("\\", "a", No),
                ("*x", "xxx", Yes),
                ("", "", Yes),
                ("*", "", Yes),
                ("ns/*", "ns/a/b", No),
                ("//", "//", Yes),
                ("/ns/", "a/ns/b", Yes),
                ("/^ns/.+$/", "ns/a/b", Yes),
                ("/.+/", "", No),
                ("/^${labels:x}$/", "x", No),
                ("/a{b/", "a{b", Unknown),
                ("/(/", "(", Unknown),
            ],
        );
        let mut patterns = Patterns::default();
        assert_eq!(patterns.group("/^(.+)-(x)?/", 1, "team-app"), Some("team".into()));
        assert_eq!(patterns.group("/^(.+)-(x)?/", 2, "team-app"), Some(String::new()));
        for (number, text) in [(0, "team-app"), (3, "team-app"), (1, "app")] {
            assert_eq!(patterns.group("/^(.+)-(x)?/", number, text), None);
        }
    }

    #[test]
    fn globs_of_zot() {
        use Matched::{No, Yes};
        check(
            Patterns::of_zot,
            &[
                ("**", "a/b/c", Yes),
                ("*", "a/b", No),
                ("*", "a", Yes),
                ("repos1/**", "repos1/a/b", Yes),
                ("repos1/**", "repos1", Yes),
                ("repos1/**", "repos10", No),
                ("**/app", "app", Yes),
                ("**/app", "a/b/app", Yes),
                ("**/app", "a/xapp", No),
                ("a/**/b", "a/b", Yes),
                ("a/**/b", "a/x/y/b", Yes),
                ("a**", "ab/c", No),
                ("{infra,tools}/*", "tools/x", Yes),
                ("{infra,tools/**}", "tools/x/y", Yes),
                ("{infra", "infra", No),
                ("a[!b]c", "axc", Yes),
                ("a[!b]c", "a/c", No),
                ("a[+-z]c", "a/c", No),
                ("a[+-z]c", "axc", Yes),
                ("a[+-z]c", "a.c", Yes),
                ("a.b", "axb", No),
            ],
        );
    }
}
