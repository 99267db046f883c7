//! What a search asks for, and how a repository is found.

use crate::domain::names::LIBRARY;

/// Results of a page, if the client does not set it.
const DEFAULT_PAGE_SIZE: i64 = 25;

/// The most results on a page.
const MAX_PAGE_SIZE: i64 = 100;

/// How many matches are looked at, and counted.
pub const MAX_MATCHES: i64 = 500;

/// Terms and characters beyond which a search only costs time.
const MAX_TERMS: usize = 8;
const MAX_QUERY_LENGTH: usize = 200;

/// Marks in what is searched, and in nothing that is asked: where a name begins (two of them) and ends, where a word of a
/// name begins (two of them) and ends, and where any word begins (two of them).
const NAME: char = '\u{1}';
const WORD: char = '\u{2}';
const END: char = '\u{3}';
const ANY_WORD: char = '\u{5}';

/// What is in no name.
const NOTHING: &str = "\u{1}\u{1}\u{1}";

/// A search, made sense of: nothing that is asked is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// As it was asked, for the answer.
    pub query: String,
    /// What must all be found, folded.
    pub terms: Vec<String>,
    /// Results on a page.
    pub page_size: i64,
    /// From 1.
    pub page: i64,
}

impl Search {
    /// Reads `q`, `n` and `page`.
    #[must_use]
    pub fn parse(parameters: &[(String, String)], decompose: Decompose<'_>) -> Self {
        let text = |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let number = |name: &str| text(name).trim().parse::<i64>().ok();
        let query = text("q");
        let bounded = fold(&query.chars().take(MAX_QUERY_LENGTH).collect::<String>(), decompose);
        let bounded = bounded.trim();
        let bounded = bounded.strip_prefix(LIBRARY).and_then(|rest| rest.strip_prefix('/')).unwrap_or(bounded);
        // A NUL would end the text inside the database, and the others are marks.
        let terms = bounded.split(|c: char| c.is_whitespace() || c.is_control()).map(untagged);
        // Signs say nothing beside words.
        let (words, signs) =
            terms.filter(|term| !term.is_empty()).partition::<Vec<_>, _>(|term| term.contains(char::is_alphanumeric));
        let terms = if words.is_empty() { signs } else { words };
        Self {
            query: query.to_owned(),
            terms: terms.into_iter().take(MAX_TERMS).map(str::to_owned).collect(),
            page_size: number("n").unwrap_or(DEFAULT_PAGE_SIZE).clamp(1, MAX_PAGE_SIZE),
            page: number("page").unwrap_or(1).clamp(1, MAX_MATCHES),
        }
    }

    /// What the name or the description must have, each: a term as it is, or, where it is shorter than three characters,
    /// the beginning of a word.
    #[must_use]
    pub fn anywhere(&self) -> Vec<String> {
        let sought = |term: &String| {
            if term.chars().count() >= 3 {
                return term.clone();
            }
            let letters = term.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            let word = if letters.is_empty() { term } else { &letters };
            let marks = std::iter::repeat_n(ANY_WORD, 3 - word.chars().count());
            marks.chain(word.chars()).collect()
        };
        self.terms.iter().map(sought).collect()
    }

    /// What the name has where it, or its last component, is what was asked for: no name has a blank.
    #[must_use]
    pub fn whole(&self) -> Option<String> {
        self.beginning().map(|beginning| format!("{beginning}{NAME}"))
    }

    /// The same where it begins so.
    #[must_use]
    pub fn beginning(&self) -> Option<String> {
        match self.terms.as_slice() {
            [name] => Some(format!("{NAME}{NAME}{name}")),
            _ => None,
        }
    }

    /// What the name has where each term is one of its words, or several in a row.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let row = |term: &String| {
            let row = tokenize(term).split_whitespace().collect::<Vec<_>>().join(&format!("{END}{WORD}{WORD}"));
            if row.is_empty() { NOTHING.to_owned() } else { format!("{WORD}{row}{END}") }
        };
        self.terms.iter().map(row).collect()
    }
}

/// What a text has that has these phrases: of each, every second run of three characters, and the last one.
#[must_use]
pub fn trigrams(phrases: &[impl AsRef<str>]) -> Vec<String> {
    runs(phrases, |at, last| at % 2 == 0 || at == last)
}

/// The same by the first and the last run of each.
#[must_use]
pub fn edges(phrases: &[impl AsRef<str>]) -> Vec<String> {
    runs(phrases, |at, last| at == 0 || at == last)
}

/// The runs of three characters of these phrases at some of the places from 0 to the last.
fn runs(phrases: &[impl AsRef<str>], takes: impl Fn(usize, usize) -> bool) -> Vec<String> {
    let mut runs = Vec::new();
    for phrase in phrases {
        let characters = phrase.as_ref().chars().collect::<Vec<_>>();
        for (at, run) in characters.windows(3).enumerate() {
            let run = run.iter().collect::<String>();
            if takes(at, characters.len() - 3) && !runs.contains(&run) {
                runs.push(run);
            }
        }
    }
    runs
}

/// The full-text expression for runs of characters that must all be there, in which every character is literal.
#[must_use]
pub fn all(runs: &[String]) -> String {
    let runs = runs.iter().map(|run| format!("\"{}\"", run.replace('"', "\"\"")));
    runs.collect::<Vec<_>>().join(" AND ")
}

/// The name of `name:tag` and of `name@digest`; anything else is itself.
fn untagged(term: &str) -> &str {
    let term = term.split_once("@sha256:").map_or(term, |(name, _)| name);
    let tag = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    let name = |text: &str| text.ends_with(|c: char| c.is_ascii_alphanumeric());
    term.rsplit_once(':').filter(|(left, right)| name(left) && tag(right)).map_or(term, |(name, _)| name)
}

/// A text in the Unicode normal form NFD. The platform has it; tables of our own would be a twentieth of the worker.
pub type Decompose<'a> = &'a dyn Fn(&str) -> String;

/// A text as it is compared: in lower case and without diacritics. Syllables of Hangul stay whole.
#[must_use]
pub fn fold(text: &str, decompose: Decompose<'_>) -> String {
    let lower = text.to_lowercase();
    if lower.is_ascii() {
        return lower;
    }
    let is_syllable = |letter: char| ('가'..='힣').contains(&letter);
    let mut folded = String::with_capacity(lower.len());
    // A syllable ends each part, which has no other.
    for part in lower.split_inclusive(is_syllable) {
        let (letters, syllable) = part
            .char_indices()
            .last()
            .filter(|(_, last)| is_syllable(*last))
            .map_or((part, ""), |(at, _)| part.split_at(at));
        folded.extend(decompose(letters).chars().filter(|letter| !('\u{300}'..='\u{36f}').contains(letter)));
        folded.push_str(syllable);
    }
    folded
}

/// A description in the form that is searched: folded, followed by the first two characters of its words.
#[must_use]
pub fn text_of_description(description: &str, decompose: Decompose<'_>) -> String {
    let mut told = fold(description, decompose);
    let starts = told.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let starts = starts.flat_map(|word| [WORD, WORD].into_iter().chain(word.chars().take(2))).collect::<String>();
    told.push(NAME);
    told.push_str(&starts);
    told
}

/// The words of a name, between blanks.
#[must_use]
pub fn tokenize(name: &str) -> String {
    let mut words = String::from(" ");
    for word in name.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.push_str(word);
        words.push(' ');
    }
    words
}

/// The last component of a name.
#[must_use]
pub fn last_component(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn nfd(text: &str) -> String {
        text.nfd().collect()
    }

    fn parse(pairs: &[(&str, &str)]) -> Search {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        Search::parse(&pairs, &nfd)
    }

    #[test]
    fn any_query_is_parsed() {
        let numbers = |n: &str, page: &str| {
            let search = parse(&[("n", n), ("page", page)]);
            (search.page_size, search.page)
        };
        assert_eq!(numbers("", ""), (25, 1));
        assert_eq!(numbers("0", "0"), (1, 1));
        assert_eq!(numbers("1000", "-3"), (100, 1));
        assert_eq!(numbers("abc", "abc"), (25, 1));
        assert_eq!(numbers(" 7 ", "99999999999999999999"), (7, 1));
        assert_eq!(parse(&[("q", "\0 \t")]).terms, Vec::<String>::new());
        assert_eq!(parse(&[("q", &"x ".repeat(5000))]).terms.len(), 8);
    }

    #[test]
    fn terms_are_literal() {
        let search = parse(&[("q", "library/Re\"dis* AND %x 数据")]);
        assert_eq!(search.terms, ["re\"dis*", "and", "%x", "数据"]);
        let seen = |text: &str| text.replace(NAME, "1").replace(WORD, "2").replace(END, "3").replace(ANY_WORD, "5");
        assert_eq!(
            seen(&all(&trigrams(&search.anywhere()))),
            r#""re""" AND """di" AND "is*" AND "and" AND "55x" AND "5数据""#
        );
        assert_eq!(
            search.words().iter().map(|row| seen(row)).collect::<Vec<_>>(),
            ["2re322dis3", "2and3", "2x3", "2数据3"]
        );
        assert_eq!((search.whole(), search.beginning()), (None, None));
        assert_eq!(parse(&[("q", "A/b\u{1}")]).whole().unwrap(), "\u{1}\u{1}a/b\u{1}");
    }

    #[test]
    fn signs_and_diacritics_are_ignored() {
        let terms = |q: &str| parse(&[("q", q)]).terms;
        for (q, expected) in [
            ("tea & cake", vec!["tea", "cake"]),
            ("tea - cake", vec!["tea", "cake"]),
            ("🐳 port", vec!["port"]),
            ("& --- 🐳", vec!["&", "---", "🐳"]),
            ("c++ :", vec!["c++"]),
            ("redis:7.2-alpine", vec!["redis"]),
            ("library/Redis:7@sha256:0123", vec!["redis"]),
            ("hub.example.com:5000/a/b", vec!["hub.example.com:5000/a/b"]),
            ("std::string redis: :7", vec!["std::string", "redis:", ":7"]),
            ("Café CAFE\u{301} cafe", vec!["cafe", "cafe", "cafe"]),
            ("Ёжик Việt Straße 한국", vec!["ежик", "viet", "straße", "한국"]),
        ] {
            assert_eq!(terms(q), expected, "{q}");
        }
        assert_eq!(parse(&[("q", "c# 🐳 +é")]).anywhere(), ["\u{5}\u{5}c", "\u{5}\u{5}e"]);
        assert_eq!(parse(&[("q", "🐳")]).anywhere(), ["\u{5}\u{5}🐳"]);
        let starts = "\u{1}\u{2}\u{2}cr\u{2}\u{2}br\u{2}\u{2}2\u{2}\u{2}a";
        assert_eq!(text_of_description("Crème-brûlée, 2 à", &nfd), format!("creme-brulee, 2 a{starts}"));
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(tokenize("paul/My-App.x"), " paul my app x ");
        assert_eq!(last_component("a/b/c"), "c");
    }
}
