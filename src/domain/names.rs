//! Names: of users, namespaces, repositories, images and hosts, and addresses of mail.

use std::fmt;

use crate::{
    domain::texts::{self, Form},
    error::{Result, invalid},
};

/// Names that no user may have: they look like an authority, or have a meaning in the audit log.
const FORBIDDEN_USERS: [&str; 7] = ["library", "admin", "root", "docker", "hublet", "operator", "everybody"];

/// The longest name, namespace and slash included: the registries' own limit.
pub const MAX_NAME_LENGTH: usize = 255;

/// The namespace of a name that has none.
pub const LIBRARY: &str = "library";

/// A user's name: registered, or given by an administrator. Compared as it is written: `a.b`, `a-b` and `a_b` are
/// three.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserName(String);

impl UserName {
    /// Takes a name as it was typed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (is_registrable(text) || is_givable(text)).then(|| Self(text.to_owned()))
    }

    /// Parses the name of a login, as it is typed: in lower case, without blanks around it.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        Self::parse(&text.trim_ascii().to_ascii_lowercase())
    }

    /// Parses the name of a registration; the words of the refusal are the Hub's.
    pub fn new_account(text: &str) -> Result<Self> {
        if is_registrable(text) {
            return Self::available(text);
        }
        invalid(r#"Wrong username format (it has to match "^[a-z0-9_]{4,30}$")"#)
    }

    /// Parses a name that an administrator gives to a user or a service account.
    pub fn given(text: &str) -> Result<Self> {
        if is_registrable(text) || is_givable(text) {
            return Self::available(text);
        }
        invalid("Wrong username format (2 to 64 of a-z and 0-9, with single . _ - between them)")
    }

    /// Refuses the name to a service account of a user's own namespace, unless the user's name precedes it: so its
    /// owner takes no name that a user could want, and does not learn which names are taken.
    pub fn require_in_front(&self, owner: &str) -> Result<()> {
        if self.0.strip_prefix(owner).is_some_and(|rest| rest.starts_with('-')) {
            return Ok(());
        }
        invalid(format!("The name of a service account of {owner} begins with {owner}-, such as {owner}-ci"))
    }

    fn available(text: &str) -> Result<Self> {
        if FORBIDDEN_USERS.contains(&text) {
            return invalid("This username is not available");
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The grammar of a registered name, by the document: 4 to 30 of `[a-z0-9_]`.
fn is_registrable(text: &str) -> bool {
    let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    (4..=30).contains(&text.len()) && text.bytes().all(plain)
}

/// The grammar of a given name, which has the names of other systems: 2 to 64 of `[a-z0-9]`, with single `.`, `_` and
/// `-` between. A registered name may precede, with any `_`: it has service accounts too.
fn is_givable(text: &str) -> bool {
    let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let part = |part: &str| !part.is_empty() && part.bytes().all(plain);
    let behind = text.split_once('-').filter(|(owner, _)| is_registrable(owner)).map_or(text, |(_, behind)| behind);
    (2..=64).contains(&text.len()) && behind.split(['.', '_', '-']).all(part)
}

/// A name of a namespace that an operator makes: distribution's grammar, or what a user could register.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamespaceName(String);

impl NamespaceName {
    /// Takes a name as it was typed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (is_registrable(text) || is_path_component(text)).then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What distribution takes as a component of a repository's name: `[a-z0-9]` with `.`, `_`, `__` or hyphens between.
fn is_path_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separates = |run: &[u8]| matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-');
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    (1..=MAX_NAME_LENGTH).contains(&bytes.len())
        && ends.into_iter().flatten().all(|byte| plain(*byte))
        && bytes.split(|byte| plain(*byte)).filter(|run| !run.is_empty()).all(separates)
}

/// A repository's full name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryName {
    /// `library` when none was given.
    pub namespace: String,
    /// The rest; in the registry protocol it may have slashes.
    pub name: String,
}

impl RepositoryName {
    /// Takes a namespace and a name as they stand in a path or a scope. The grammar is as wide as
    /// any client's: letters of both cases, digits, `.`, `_`, `-`.
    pub fn parse(namespace: &str, name: &str) -> Result<Self> {
        let components = || std::iter::once(namespace).chain(name.split('/'));
        if namespace.len() + 1 + name.len() > MAX_NAME_LENGTH {
            return invalid(format!("Repository name is longer than {MAX_NAME_LENGTH} characters"));
        }
        if !components().all(is_component) {
            return invalid("Invalid repository name (it has to match [a-zA-Z0-9._-]+)");
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// The name for display: without `library/`, unless the rest would look like a namespace and a name.
    #[must_use]
    pub fn short(&self) -> String {
        if self.namespace == LIBRARY && !self.name.contains('/') { self.name.clone() } else { self.to_string() }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Dots in a row are refused because paths give them a meaning, and a hyphen alone because the paths of pages do.
fn is_component(text: &str) -> bool {
    !text.is_empty()
        && !matches!(text, "." | "-")
        && !text.contains("..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Whether this is an image id: 64 lower-case hex digits.
#[must_use]
pub fn is_image_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a host, perhaps with a port, is a loopback address.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name == "localhost"
        || name == "[::1]"
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// The longest address that SMTP carries (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL_LENGTH: usize = 254;

/// Parses an e-mail address: a local part, one `@`, a domain, nothing that could end a header. Whether mail arrives
/// there is for the confirmation to find out.
pub fn email(text: &str) -> Result<&str> {
    let plain =
        text.len() <= MAX_EMAIL_LENGTH && !text.chars().any(|c| c.is_whitespace() || "<>()[]\\,;:\"".contains(c));
    let plain = plain && texts::acceptable("email", text, Form::Line).is_ok();
    match text.split_once('@') {
        Some((local, domain))
            if plain && !local.is_empty() && domain.split('.').all(|l| !l.is_empty()) && !domain.contains('@') =>
        {
            Ok(text)
        }
        _ => invalid("Invalid email address"),
    }
}

/// An address as the audit log keeps it, longer than the address itself exists: recognizable to its owner alone.
#[must_use]
pub fn masked(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    format!("{}***@{domain}", local.chars().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names() {
        for good in ["paul", "a_b9", "____", &"x".repeat(30)] {
            assert!(UserName::new_account(good).is_ok(), "{good}");
        }
        for bad in ["abc", "Paul", "pa-ul", "pa ul", "päul", "library", "admin", "docker", &"x".repeat(31)] {
            assert!(UserName::new_account(bad).is_err(), "{bad}");
        }
    }

    /// The same names that `npm run admin` takes and refuses.
    #[test]
    fn names_that_are_given() {
        let names: serde_json::Value = serde_json::from_str(include_str!("../../tests/names.json")).unwrap();
        let list = |kind: &str| names[kind].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        for good in list("names") {
            assert_eq!(UserName::given(&good).unwrap().as_str(), good);
            assert!(UserName::parse(&good).is_some(), "{good}");
        }
        for bad in list("no names") {
            assert!(UserName::given(&bad).is_err() && UserName::parse(&bad).is_none(), "{bad}");
        }
        for taken in FORBIDDEN_USERS {
            assert!(UserName::given(taken).is_err(), "{taken}");
        }
    }

    #[test]
    fn namespace_names() {
        for good in ["acme", "a", "a.b", "a_b", "a__b", "a---b", "____", "library", &"x".repeat(255)] {
            assert!(NamespaceName::parse(good).is_some(), "{good}");
        }
        for bad in ["", "A", "a b", "a/b", ".a", "a-", "a..b", "a___b.c", "a._b", "a-_b", "../x", "é", &"x".repeat(256)]
        {
            assert!(NamespaceName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn names_of_machines_of_a_user() {
        let allowed = |name: &str, owner| UserName::given(name).and_then(|name| name.require_in_front(owner));
        for owner in ["alice", "a_b9", "____", "jane.doe", "pa-ul"] {
            for good in ["ci", "c", "build-2.x"] {
                assert!(allowed(&format!("{owner}-{good}"), owner).is_ok(), "{owner}-{good}");
            }
            for bad in ["{}", "{}-", "{}--ci", "{}_ci", "{}.ci", "{}ci", "ci", "ci-{}", "x{}-ci"] {
                let bad = bad.replace("{}", owner);
                assert!(allowed(&bad, owner).is_err(), "{bad} of {owner}");
            }
        }
        let told = UserName::given("bob").unwrap().require_in_front("alice").unwrap_err();
        assert!(format!("{told:?}").contains("alice-ci"), "{told:?}");
    }

    #[test]
    fn repository_names() {
        for good in ["app", "App-1.x_y", "____", "-x", "a/b/c"] {
            assert!(RepositoryName::parse("paul", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "-",
            "a/-/settings",
            "..",
            "a..b",
            "a/",
            "/a",
            "a//b",
            "a b",
            "a%2Fb",
            "é",
            "a:b",
            &"x".repeat(251),
        ] {
            assert!(RepositoryName::parse("paul", bad).is_err(), "{bad}");
        }
        assert!(RepositoryName::parse("paul", &"x".repeat(250)).is_ok());
        let name = |name| RepositoryName::parse(LIBRARY, name).unwrap();
        assert_eq!(name("redis").short(), "redis");
        assert_eq!(name("redis/alpine").short(), "library/redis/alpine");
    }

    #[test]
    fn emails() {
        for good in ["sam@docker.com", "a+b@localhost", "ü@例え.jp"] {
            assert!(email(good).is_ok(), "{good}");
        }
        for bad in ["", "sam", "@docker.com", "sam@", "a@b@c", "a b@c.de", "a@c.de\r\nBcc: x", "a@.com", "<a@b.c>"] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }
}
