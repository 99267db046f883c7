//! The parameters of a command, each of a type of `domain`.

use hublet::domain::{NamespaceName, RepositoryName, Role, UserName, access_review::Action, names};

use crate::{Failure, Result};

/// What a user's name is.
const A_USER: &str =
    "a user's name has 2 to 64 of a-z and 0-9, with single . _ or - between them; or 4 to 30 of a-z, 0-9 and _";

/// What a namespace's name is.
const A_NAMESPACE: &str = "a namespace's name has a-z and 0-9, with . _ __ or hyphens between them";

/// The parameters of a command with their words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<(&'static str, String)>);

/// What becomes of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is the user's.
    Confirm,
    /// Mail goes there.
    Primary,
    /// It is taken away.
    Remove,
}

impl Words {
    /// The words of these parameters, in their order; of those that may be missing, perhaps not all.
    pub(crate) fn new(parameters: impl Iterator<Item = &'static str>, words: &[String]) -> Self {
        Self(parameters.zip(words.iter().cloned()).collect())
    }

    /// A text in which every parameter stands as it was given.
    pub(crate) fn named(&self, text: &str) -> String {
        let mut named = String::new();
        for part in text.split_inclusive(|letter: char| !letter.is_ascii_uppercase()) {
            let name = part.trim_end_matches(|letter: char| !letter.is_ascii_uppercase());
            named.push_str(self.word(name).unwrap_or(name));
            named.push_str(part.get(name.len()..).unwrap_or_default());
        }
        named
    }

    /// The word of a parameter, if it was given.
    fn word(&self, parameter: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == parameter).map(|(_, word)| word.as_str())
    }

    /// The word of a parameter, read as what it has to be.
    fn read<T>(&self, parameter: &str, parse: impl Fn(&str) -> Option<T>, what: &str) -> Result<T> {
        let word = self.word(parameter).unwrap_or_default();
        parse(word)
            .ok_or_else(|| Failure::Invalid(format!("{parameter} cannot be {}: {what}", serde_json::Value::from(word))))
    }

    /// The name of a user.
    pub fn user(&self, parameter: &str) -> Result<UserName> {
        self.read(parameter, UserName::parse, A_USER)
    }

    /// The name of a user, if it was given.
    pub fn maybe_user(&self, parameter: &str) -> Result<Option<UserName>> {
        self.word(parameter).map(|_| self.user(parameter)).transpose()
    }

    /// The name of a user, and nothing for `anonymous`, who is none.
    pub fn user_or_anonymous(&self, parameter: &str) -> Result<Option<UserName>> {
        if self.word(parameter) == Some("anonymous") { Ok(None) } else { self.user(parameter).map(Some) }
    }

    /// The name of a namespace.
    pub fn namespace(&self, parameter: &str) -> Result<NamespaceName> {
        self.read(parameter, NamespaceName::parse, A_NAMESPACE)
    }

    /// The name of a namespace, if it was given.
    pub fn maybe_namespace(&self, parameter: &str) -> Result<Option<NamespaceName>> {
        self.word(parameter).map(|_| self.namespace(parameter)).transpose()
    }

    /// The name of a user or a namespace.
    pub fn account(&self, parameter: &str) -> Result<String> {
        let parse = |word: &str| {
            let named = UserName::parse(word).is_some() || NamespaceName::parse(word).is_some();
            named.then(|| word.to_owned())
        };
        self.read(parameter, parse, A_NAMESPACE)
    }

    /// A repository.
    pub fn repository(&self, parameter: &str) -> Result<RepositoryName> {
        let parse = |word: &str| {
            let (namespace, name) = word.split_once('/')?;
            RepositoryName::parse(namespace, name).ok()
        };
        self.read(parameter, parse, "a repository is given as namespace/name, without a host and without a tag")
    }

    /// A role, and nothing for `none`.
    pub fn role(&self, parameter: &str) -> Result<Option<Role>> {
        let parse = |word: &str| if word == "none" { Some(None) } else { Role::parse(word).map(Some) };
        self.read(parameter, parse, "a role is read, write or admin, or none")
    }

    /// Whether a repository is to be private.
    pub fn private(&self, parameter: &str) -> Result<bool> {
        let parse = |word: &str| match word {
            "private" => Some(true),
            "public" => Some(false),
            _ => None,
        };
        self.read(parameter, parse, "a repository is public or private")
    }

    /// An e-mail address.
    pub fn email(&self, parameter: &str) -> Result<String> {
        let parse = |word: &str| names::email(word).ok().map(str::to_owned);
        self.read(parameter, parse, "an address is one of e-mail, without a name and without < and >")
    }

    /// What becomes of an address.
    pub fn change(&self, parameter: &str) -> Result<Change> {
        let parse = |word: &str| match word {
            "confirm" => Some(Change::Confirm),
            "primary" => Some(Change::Primary),
            "remove" => Some(Change::Remove),
            _ => None,
        };
        self.read(
            parameter,
            parse,
            "an address is to be confirmed, or made primary, or removed: confirm, primary or remove",
        )
    }

    /// The public name of an access token.
    pub fn uuid(&self, parameter: &str) -> Result<String> {
        let parse = |word: &str| is_uuid(word).then(|| word.to_owned());
        self.read(parameter, parse, A_UUID)
    }

    /// What is done with a repository.
    pub fn action(&self, parameter: &str) -> Result<Action> {
        self.read(parameter, Action::parse, "an action is pull, push or delete")
    }

    /// The word `end`.
    pub fn end(&self) -> Result<()> {
        self.read("end", |word| (word == "end").then_some(()), "what ends it is the word end")
    }
}

/// What the UUID of an access token is.
pub const A_UUID: &str = "an access token goes by its UUID, not its secret: `tokens` lists them";

/// Whether this is a UUID as `opaque_token::uuid` prints it.
pub fn is_uuid(text: &str) -> bool {
    let hex = |group: &str| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let groups = text.split('-').collect::<Vec<_>>();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.into_iter().all(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_is_replaced_as_a_whole_word() {
        let words = Words::new(["NAME", "USER"].into_iter(), &["acme".into(), "alice".into()]);
        assert_eq!(words.named("no NAME, no USER: NAMES (`x NAME`) UTC."), "no acme, no alice: NAMES (`x acme`) UTC.");
    }

    #[test]
    fn uuid_is_printed_in_groups() {
        assert!(is_uuid("00000000-0000-4000-8000-0000000000af"));
        for other in ["", "hlp_0", "00000000-0000-4000-8000-0000000000AF", "00000000-0000-4000-8000", "-----"] {
            assert!(!is_uuid(other), "{other}");
        }
    }
}
