//! The parameters of a command, each of a type of `domain`.

use hublet::{
    config::Service,
    domain::{
        NamespaceName, RepositoryName, Role, UserName,
        access_review::Action,
        names::{self, LIBRARY},
    },
};

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

    /// The name of a registry, as `SERVICES` has it.
    pub fn service(&self, parameter: &str) -> Result<String> {
        let parse =
            |word: &str| Service::parse(word).filter(|service| service.name == word).map(|service| service.name);
        self.read(parameter, parse, "a registry is named as in SERVICES")
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
        self.read(
            parameter,
            |word| reference(word, true),
            "a repository is given as namespace/name, of letters, digits and . _ -",
        )
    }

    /// A namespace that the word of a repository may begin with, and that docker would take for a host.
    pub(crate) fn host(&self) -> Option<NamespaceName> {
        host(self.word(REPOSITORY)?).and_then(NamespaceName::parse)
    }

    /// Reads the word of a repository as docker does; `is_namespace` is whether there is the namespace [`Words::host`].
    /// Returns a sentence if the repository is another text than the word.
    pub(crate) fn resolve(&mut self, is_namespace: bool) -> Option<String> {
        let (_, word) = self.0.iter_mut().find(|(name, _)| *name == REPOSITORY)?;
        let name = reference(word, is_namespace)?.to_string();
        let notice = (*word != name).then(|| format!("{word} is read as {name}"));
        *word = name;
        notice
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

/// The parameter that is a repository.
const REPOSITORY: &str = "REPOSITORY";

/// What docker takes for the host of a reference: a first component with a dot or a colon, or `localhost`.
fn host(word: &str) -> Option<&str> {
    let (first, _) = word.split_once('/')?;
    (first == "localhost" || first.contains(['.', ':'])).then_some(first)
}

/// The repository of a reference as it is given to docker: without host, tag and digest, and in `library` where it has
/// one component. A first component that is a namespace is no host.
fn reference(word: &str, is_namespace: bool) -> Option<RepositoryName> {
    let name = word.split_once('@').filter(|(_, digest)| digest.contains(':')).map_or(word, |(name, _)| name);
    let host = host(name).filter(|host| !is_namespace || host.contains(':'));
    let name = host.map_or(Some(name), |host| name.get(host.len() + 1..))?;
    let name =
        name.rsplit_once(':').filter(|(_, tag)| !tag.is_empty() && !tag.contains('/')).map_or(name, |(name, _)| name);
    let (namespace, name) = name.split_once('/').unwrap_or((LIBRARY, name));
    RepositoryName::parse(namespace, name).ok()
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
    fn reference_is_read_as_docker_does() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (word, name) in [
            ("acme/app", "acme/app"),
            ("standalone", "library/standalone"),
            ("standalone:1.0", "library/standalone"),
            ("acme/group/app", "acme/group/app"),
            ("acme/app:1.0", "acme/app"),
            (&format!("acme/app@{digest}"), "acme/app"),
            (&format!("hub.example.com:5000/acme/app:1.0@{digest}"), "acme/app"),
            ("hub.example.com:5000/acme/group/app", "acme/group/app"),
            ("registry:5000/app", "library/app"),
            ("localhost/acme/app", "acme/app"),
            ("hub.example.com/acme/app", "acme/app"),
            ("[::1]:5000/acme/app", "acme/app"),
        ] {
            assert_eq!(reference(word, false).map(|name| name.to_string()).as_deref(), Some(name), "{word}");
        }
        for (word, name) in
            [("my.team/app:1", "my.team/app"), ("my.team/a/b", "my.team/a/b"), ("localhost/a", "localhost/a")]
        {
            assert_eq!(reference(word, true).map(|name| name.to_string()).as_deref(), Some(name), "{word}");
        }
        for word in
            ["", "/", "acme/", "/app", "acme//app", "acme/app:", "acme/app@", "a b", "https://hub.example.com/acme/app"]
        {
            assert_eq!(reference(word, false), None, "{word}");
        }
    }

    #[test]
    fn uuid_is_printed_in_groups() {
        assert!(is_uuid("00000000-0000-4000-8000-0000000000af"));
        for other in ["", "hlp_0", "00000000-0000-4000-8000-0000000000AF", "00000000-0000-4000-8000", "-----"] {
            assert!(!is_uuid(other), "{other}");
        }
    }
}
