//! Scopes of the registry protocol, and what is granted of them.

use serde::Serialize;

use crate::domain::{RepositoryName, Role, access_review::Action, names::LIBRARY};

/// The most scopes that one token is asked for.
pub const MAX_SCOPES: usize = 500;

/// The longest scope, in bytes: a repository's name has 255 at most.
const MAX_SCOPE_LENGTH: usize = 320;

/// Every action that anything is granted for, `*` for all of them.
const ACTIONS: [&str; 5] = ["pull", "push", "delete", "search", "*"];

/// A scope as a client asks for it: `repository:ns/name:pull,push`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `repository`, `registry`, or what we do not know.
    pub kind: String,
    /// `plugin` of `repository(plugin)`.
    pub class: Option<String>,
    /// As it was asked; perhaps with a host and its port.
    pub name: String,
    /// Those that there are.
    pub actions: Vec<&'static str>,
}

/// A part of the `access` claim of a registry token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// As it was asked.
    #[serde(rename = "type")]
    pub kind: String,
    /// As it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// As it was asked.
    pub name: String,
    /// Never `*`: registries take it for everything.
    pub actions: Vec<&'static str>,
}

impl Scope {
    /// Reads one scope: what is between the first and the last colon is the name. A class is signed as
    /// it was asked, so it is a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').filter(|_| text.len() <= MAX_SCOPE_LENGTH)?;
        let (name, asked) = rest.rsplit_once(':')?;
        let (kind, class) = match kind.strip_suffix(')').and_then(|kind| kind.split_once('(')) {
            Some((kind, class)) => (kind, Some(class.to_owned())),
            None => (kind, None),
        };
        if class.as_ref().is_some_and(|class| !class.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            return None;
        }
        let is_asked = |action: &&str| asked.split(',').any(|asked| asked == *action);
        let actions = ACTIONS.into_iter().filter(is_asked).collect();
        Some(Self { kind: kind.to_owned(), class, name: name.to_owned(), actions })
    }

    /// The repository that it is about. A name outside the grammar, or with a host, is none.
    #[must_use]
    pub fn repository(&self) -> Option<RepositoryName> {
        if self.kind != "repository" {
            return None;
        }
        let (namespace, name) = self.name.split_once('/').unwrap_or((LIBRARY, &self.name));
        RepositoryName::parse(namespace, name).ok()
    }

    /// The part of a scope that is granted to this role; less than was asked is no error.
    #[must_use]
    pub fn for_role(&self, role: Option<Role>) -> Option<Grant> {
        let actions = Action::ALL.into_iter().filter(|action| self.asks_for(*action) && role >= Some(action.role()));
        self.grant(actions.map(Action::as_str).collect())
    }

    /// Whether it asks for this action on a repository.
    #[must_use]
    pub fn asks_for(&self, action: Action) -> bool {
        self.actions.iter().any(|asked| *asked == action.as_str() || *asked == "*")
    }

    /// The part of a scope of a registry as a whole: search for all, the catalog for administrators, since registries
    /// take it for everything they hold.
    #[must_use]
    pub fn for_registry(&self, administrator: bool) -> Option<Grant> {
        if self.kind != "registry" || self.name != "catalog" {
            return None;
        }
        let asked = |action: &str| self.actions.contains(&action);
        let mut actions = Vec::new();
        if asked("search") {
            actions.push("search");
        }
        if asked("*") && administrator {
            actions.push("*");
        }
        self.grant(actions)
    }

    /// The part of a scope that is granted to the tool beside a registry: the catalog, every pull, and deleting where it
    /// has something to delete.
    #[must_use]
    pub fn for_reconciler(&self, deletes: bool) -> Option<Grant> {
        if self.repository().is_none() {
            return self.for_registry(true).filter(|grant| grant.actions.contains(&"*"));
        }
        let granted = |action: &Action| {
            self.asks_for(*action) && (*action == Action::Pull || deletes && *action == Action::Delete)
        };
        self.grant(Action::ALL.into_iter().filter(granted).map(Action::as_str).collect())
    }

    fn grant(&self, actions: Vec<&'static str>) -> Option<Grant> {
        (!actions.is_empty()).then(|| Grant {
            kind: self.kind.clone(),
            class: self.class.clone(),
            name: self.name.clone(),
            actions,
        })
    }
}

/// Every scope of the parameters of a request, up to one more than there may be: each may hold several
/// between blanks, and the same one may come twice. What has not the form of a scope asks for nothing.
#[must_use]
pub fn parse_all<'a>(parameters: impl Iterator<Item = &'a str>) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for scope in parameters.flat_map(str::split_whitespace).filter_map(Scope::parse) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
        if scopes.len() > MAX_SCOPES {
            break;
        }
    }
    scopes
}

/// Grants as one text, for the answer of the OAuth2 form.
#[must_use]
pub fn encode(grants: &[Grant]) -> String {
    let one = |grant: &Grant| {
        let class = grant.class.as_ref().map_or_else(String::new, |class| format!("({class})"));
        format!("{}{class}:{}:{}", grant.kind, grant.name, grant.actions.join(","))
    };
    grants.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn scope_is_split_at_first_and_last_colon() {
        let host = scope("repository:host:5000/a/b:pull");
        assert_eq!((host.name.as_str(), host.repository()), ("host:5000/a/b", None));
        assert_eq!(scope("repository::pull").repository(), None);
        assert_eq!(scope("repository(plugin):a/b:pull").class.as_deref(), Some("plugin"));
        assert_eq!(scope("repository:app:pull").repository().unwrap().to_string(), "library/app");
        assert_eq!(scope("repository:a/b/c:pull").repository().unwrap().name, "b/c");
        for other in ["", "repository", "repository:a/b", "pull", "repository(a b):a/b:pull", "repository(\"):a/b:pull"]
        {
            assert_eq!(Scope::parse(other), None, "{other}");
        }
        let long = |length| format!("repository:{}:pull", "a".repeat(length - "repository::pull".len()));
        assert!(Scope::parse(&long(MAX_SCOPE_LENGTH)).is_some() && Scope::parse(&long(MAX_SCOPE_LENGTH + 1)).is_none());
        assert_eq!(scope("repository:a/b:fly,,push,*,push").actions, ["push", "*"]);
    }

    #[test]
    fn scopes_are_bounded() {
        let many = (0..1_000_000).map(|n| format!("repository:a/{n}:pull")).collect::<Vec<_>>().join(" ");
        assert_eq!(parse_all(std::iter::once(many.as_str())).len(), MAX_SCOPES + 1);
    }

    #[test]
    fn scopes_come_in_several_forms() {
        let all = parse_all(
            ["repository:a/b:pull repository:c/d:pull,push", "repository:a/b:pull", " nonsense "].into_iter(),
        );
        assert_eq!(all, [scope("repository:a/b:pull"), scope("repository:c/d:pull,push")]);
    }

    #[test]
    fn wildcard_action_is_expanded() {
        let actions = |text: &str, role| scope(text).for_role(role).map(|grant| grant.actions);
        assert_eq!(actions("repository:a/b:*", Some(Role::Read)), Some(vec!["pull"]));
        assert_eq!(actions("repository:a/b:*", Some(Role::Write)), Some(vec!["pull", "push"]));
        assert_eq!(actions("repository:a/b:*", Some(Role::Admin)), Some(vec!["pull", "push", "delete"]));
        assert_eq!(actions("repository:a/b:push,pull", Some(Role::Read)), Some(vec!["pull"]));
        assert_eq!(actions("repository:a/b:delete", Some(Role::Write)), None);
        assert_eq!(actions("repository:a/b:pull", None), None);
        assert_eq!(actions("repository:a/b:fly", Some(Role::Admin)), None);
    }

    #[test]
    fn catalog_is_for_administrators() {
        let actions = |text: &str, admin| scope(text).for_registry(admin).map(|grant| grant.actions);
        assert_eq!(actions("registry:catalog:search", false), Some(vec!["search"]));
        assert_eq!(actions("registry:catalog:*", false), None);
        assert_eq!(actions("registry:catalog:*", true), Some(vec!["*"]));
        assert_eq!(actions("registry:other:*", true), None);
        assert_eq!(actions("repository:catalog:*", true), None);
    }
}
