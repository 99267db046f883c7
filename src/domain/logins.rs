//! Successful logins that an isolate has noted, so that the database is not asked about each use of a busy token.

use std::{cell::RefCell, collections::HashMap};

use crate::domain::{UserId, registry_token::AuthMethod};

/// Seconds within which another login of the same kind is not noted.
pub const NOTED: i64 = 60 * 60;

/// How many an isolate remembers.
const MAX_REMEMBERED: usize = 4096;

/// The longest name of a kind of client.
const MAX_KIND_LENGTH: usize = 40;

/// The kind of a client: the first product of its `User-Agent`, or what precedes the slash of its `client_id`. The
/// client chose the text, so that only the characters of a word remain of it.
#[must_use]
pub fn kind(client: &str) -> String {
    let product = client.trim_start().split(['/', ' ']).next().unwrap_or_default();
    let harmless = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    product.chars().filter(harmless).take(MAX_KIND_LENGTH).collect::<String>().to_ascii_lowercase()
}

/// Browsers and systems by the words that their `User-Agent` has; the first one counts, since most name others, too.
const BROWSERS: [(&str, &str); 5] =
    [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A browser and its system, for the list of sessions.
#[must_use]
pub fn browser(user_agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => kind(user_agent),
    }
}

/// Whose login, with what, and from which address.
type Login = (UserId, AuthMethod, String);

/// When each was noted. Losing it costs a statement each.
#[derive(Default)]
pub struct Logins(RefCell<HashMap<Login, i64>>);

impl Logins {
    /// Whether this one is to be noted; from then on it is remembered.
    #[must_use]
    pub fn begin(&self, user: UserId, method: AuthMethod, address: &str, now: i64) -> bool {
        let mut noted = self.0.borrow_mut();
        let login = (user, method, address.to_owned());
        if noted.get(&login).is_some_and(|at| (*at..*at + NOTED).contains(&now)) {
            return false;
        }
        if noted.len() >= MAX_REMEMBERED {
            noted.retain(|_, at| (*at..*at + NOTED).contains(&now));
        }
        if noted.len() >= MAX_REMEMBERED {
            noted.clear();
        }
        noted.insert(login, now);
        true
    }

    /// Forgets one that could not be noted.
    pub fn forget(&self, user: UserId, method: AuthMethod, address: &str) {
        self.0.borrow_mut().remove(&(user, method, address.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_kind_is_one_word() {
        assert_eq!(kind("docker/27.0 go/go1.21 (linux)"), "docker");
        assert_eq!(kind("containers/image"), "containers");
        assert_eq!(kind("  Mozilla/5.0"), "mozilla");
        assert_eq!(kind("curl"), "curl");
        assert_eq!(kind("<b>http:\u{202e}\r\n//x"), "bhttp");
        assert_eq!(kind(&"x".repeat(1000)).len(), MAX_KIND_LENGTH);
        assert_eq!(kind(""), "");
    }

    #[test]
    fn logins_are_remembered_for_an_hour() {
        let logins = Logins::default();
        let begin = |user, method, address: &str, now| logins.begin(UserId::new(user), method, address, now);
        assert!(begin(1, AuthMethod::Password, "::1", 0));
        assert!(!begin(1, AuthMethod::Password, "::1", NOTED - 1));
        assert!(begin(2, AuthMethod::Password, "::1", 0));
        assert!(begin(1, AuthMethod::AccessToken(1.into()), "::1", 0));
        assert!(begin(1, AuthMethod::RefreshToken(1.into()), "::1", 0));
        assert!(begin(1, AuthMethod::Password, "::2", 0));
        assert!(begin(1, AuthMethod::Password, "::1", NOTED));
        assert!(begin(1, AuthMethod::Password, "::1", 1), "a clock that went back");
        logins.forget(UserId::new(1), AuthMethod::Password, "::2");
        assert!(begin(1, AuthMethod::Password, "::2", 1));
        for number in 0..2 * i64::try_from(MAX_REMEMBERED).unwrap() {
            assert!(begin(number, AuthMethod::Password, "::3", 1));
            assert!(logins.0.borrow().len() <= MAX_REMEMBERED);
        }
    }
}
