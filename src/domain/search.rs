//! What a search asks for, and how a repository is found.

use crate::domain::names::LIBRARY;

/// Results on a page, when the asker does not say.
const PAGE: i64 = 25;

/// The most results on a page.
const LARGEST_PAGE: i64 = 100;

/// How many matches are looked at, and counted.
pub const MOST: i64 = 1_000;

/// Terms and characters beyond which a search only costs time.
const MOST_TERMS: usize = 8;
const LONGEST: usize = 200;

/// A search, made sense of: nothing that is asked is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// As it was asked, for the answer.
    pub query: String,
    /// In lower case, without `library/`.
    pub whole: String,
    /// What must all be found.
    pub terms: Vec<String>,
    /// Results on a page.
    pub page_size: i64,
    /// From 1.
    pub page: i64,
}

impl Search {
    /// Reads `q`, `n` and `page`.
    #[must_use]
    pub fn read(parameters: &[(String, String)]) -> Self {
        let text = |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let number = |name: &str| text(name).trim().parse::<i64>().ok();
        let query = text("q");
        let bounded = query.chars().take(LONGEST).collect::<String>().to_lowercase();
        let bounded = bounded.trim();
        let whole = bounded.strip_prefix(LIBRARY).and_then(|rest| rest.strip_prefix('/')).unwrap_or(bounded);
        Self {
            query: query.to_owned(),
            whole: whole.to_owned(),
            // A NUL would end the text inside the database.
            terms: whole
                .split(|c: char| c.is_whitespace() || c == '\0')
                .filter(|term| !term.is_empty())
                .take(MOST_TERMS)
                .map(str::to_owned)
                .collect(),
            page_size: number("n").unwrap_or(PAGE).clamp(1, LARGEST_PAGE),
            page: number("page").unwrap_or(1).clamp(1, MOST),
        }
    }

    /// The full-text expression for terms of three and more characters, which are found anywhere.
    #[must_use]
    pub fn fragments(&self) -> Option<String> {
        phrases(self.terms.iter().filter(|term| term.chars().count() >= 3), "")
    }

    /// The full-text expression for terms of one and two characters, which begin a word.
    #[must_use]
    pub fn prefixes(&self) -> Option<String> {
        phrases(self.terms.iter().filter(|term| term.chars().count() < 3), " *")
    }
}

/// Each term a phrase in quotes, in which every character is literal; all of them must be there.
fn phrases<'a>(terms: impl Iterator<Item = &'a String>, behind: &str) -> Option<String> {
    let phrases = terms.map(|term| format!("\"{}\"{behind}", term.replace('"', "\"\""))).collect::<Vec<_>>();
    (!phrases.is_empty()).then(|| format!("{{name description}} : ({})", phrases.join(" AND ")))
}

/// The words of a name, between blanks.
#[must_use]
pub fn words(name: &str) -> String {
    let mut words = String::from(" ");
    for word in name.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.push_str(word);
        words.push(' ');
    }
    words
}

/// The last component of a name.
#[must_use]
pub fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Search {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        Search::read(&pairs)
    }

    #[test]
    fn nonsense_is_never_an_error() {
        let numbers = |n: &str, page: &str| {
            let search = read(&[("n", n), ("page", page)]);
            (search.page_size, search.page)
        };
        assert_eq!(numbers("", ""), (25, 1));
        assert_eq!(numbers("0", "0"), (1, 1));
        assert_eq!(numbers("1000", "-3"), (100, 1));
        assert_eq!(numbers("abc", "abc"), (25, 1));
        assert_eq!(numbers(" 7 ", "99999999999999999999"), (7, 1));
        assert_eq!(read(&[("q", "\0 \t")]).terms, Vec::<String>::new());
        assert_eq!(read(&[("q", &"x ".repeat(5000))]).terms.len(), 8);
    }

    #[test]
    fn terms_are_literal() {
        let search = read(&[("q", "library/Re\"dis* AND %x 数据")]);
        assert_eq!(search.terms, ["re\"dis*", "and", "%x", "数据"]);
        assert_eq!(search.fragments().unwrap(), r#"{name description} : ("re""dis*" AND "and")"#);
        assert_eq!(search.prefixes().unwrap(), r#"{name description} : ("%x" * AND "数据" *)"#);
        assert_eq!(read(&[]).fragments(), None);
    }

    #[test]
    fn names_have_words() {
        assert_eq!(words("paul/My-App.x"), " paul my app x ");
        assert_eq!(last("a/b/c"), "c");
    }
}
