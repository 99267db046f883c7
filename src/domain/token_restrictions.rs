//! What an access token allows: never more than its user may, often less.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    domain::{
        RepositoryName, Role,
        names::{LIBRARY, MAX_NAME_LENGTH},
    },
    error::{Result, invalid},
};

/// The scopes that there are.
pub const SCOPES: &str = "repo:admin, repo:write, repo:read, repo:public_read, repo:roles";

/// The most scopes of a token, or of one of its resources: each once.
pub const MAX_SCOPES: usize = 5;

/// The most resources of a token.
pub const MAX_RESOURCES: usize = 50;

/// What the scopes of a token open, in the Hub's words; each of the first four includes the ones before it. The
/// last is ours, stands beside them and opens nothing by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TokenScope {
    /// Pull what is public.
    #[serde(rename = "repo:public_read")]
    PublicRead,
    /// Pull.
    #[serde(rename = "repo:read")]
    Read,
    /// Pull and push.
    #[serde(rename = "repo:write")]
    Write,
    /// Pull, push, delete.
    #[serde(rename = "repo:admin")]
    Admin,
    /// Where it is an admin: change roles.
    #[serde(rename = "repo:roles")]
    Roles,
}

impl TokenScope {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublicRead => "repo:public_read",
            Self::Read => "repo:read",
            Self::Write => "repo:write",
            Self::Admin => "repo:admin",
            Self::Roles => "repo:roles",
        }
    }

    /// The role that it allows in a repository.
    fn role(self, public: bool) -> Option<Role> {
        match self {
            Self::PublicRead => public.then_some(Role::Read),
            Self::Read => Some(Role::Read),
            Self::Write => Some(Role::Write),
            Self::Admin => Some(Role::Admin),
            Self::Roles => None,
        }
    }
}

/// Some repositories of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `ns/app`, `ns/*`, `ns/**`.
    pub path: String,
    /// What is open there; the token's own scopes when there are none.
    #[serde(default)]
    pub scopes: Vec<TokenScope>,
}

/// The limits of an access token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRestrictions {
    /// At least one.
    pub scopes: Vec<TokenScope>,
    /// Nothing: wherever the user may.
    pub resources: Option<Vec<Resource>>,
}

impl TokenRestrictions {
    /// Reads limits as they are stored; what cannot be read opens nothing.
    #[must_use]
    pub fn stored(scopes: &str, resources: Option<&str>) -> Self {
        Self { scopes: list(scopes), resources: resources.map(list) }
    }

    /// The most that the token allows in a repository.
    #[must_use]
    pub fn role(&self, name: &RepositoryName, public: bool) -> Option<Role> {
        self.role_of_scopes(public).min(self.role_of_resources(name, public))
    }

    /// The most that its scopes allow, wherever that is.
    #[must_use]
    pub fn role_of_scopes(&self, public: bool) -> Option<Role> {
        strongest(&self.scopes, public)
    }

    /// The most that its resources allow in a repository; what has no scopes of its own leaves it to those of the token.
    #[must_use]
    pub fn role_of_resources(&self, name: &RepositoryName, public: bool) -> Option<Role> {
        let Some(resources) = &self.resources else { return Some(Role::Admin) };
        let matching = resources.iter().filter(|resource| matches(&resource.path, name));
        let role = |resource: &Resource| {
            if resource.scopes.is_empty() { Some(Role::Admin) } else { strongest(&resource.scopes, public) }
        };
        matching.filter_map(role).max()
    }

    /// Whether it may change, in a repository where it is an admin, who may do what.
    #[must_use]
    pub fn changes_roles(&self, name: &RepositoryName) -> bool {
        let within = |resource: &Resource| {
            matches(&resource.path, name)
                && (resource.scopes.is_empty() || resource.scopes.contains(&TokenScope::Roles))
        };
        let there = self.resources.as_ref().is_none_or(|resources| resources.iter().any(within));
        there && self.scopes.contains(&TokenScope::Roles)
    }

    /// The same in a namespace.
    #[must_use]
    pub fn changes_roles_in_namespace(&self) -> bool {
        self.resources.is_none() && self.scopes.contains(&TokenScope::Roles)
    }

    /// The most that it allows anywhere in a namespace.
    #[must_use]
    pub fn role_in_namespace(&self) -> Option<Role> {
        strongest(&self.scopes, true).filter(|_| self.resources.is_none())
    }
}

/// The strongest role that scopes give.
fn strongest(scopes: &[TokenScope], public: bool) -> Option<Role> {
    scopes.iter().filter_map(|scope| scope.role(public)).max()
}

/// A stored list; nothing where it is damaged.
fn list<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str::<Value>(text).and_then(serde_json::from_value).unwrap_or_default()
}

/// Refuses too many scopes, and those that open nothing.
pub fn acceptable_scopes(scopes: &[TokenScope]) -> Result<()> {
    if scopes.len() > MAX_SCOPES {
        return invalid(format!("scopes: at most {MAX_SCOPES}"));
    }
    if scopes.is_empty() {
        return invalid(format!("scopes: at least one of {SCOPES}"));
    }
    if scopes.contains(&TokenScope::Roles) && !scopes.contains(&TokenScope::Admin) {
        return invalid("scopes: repo:roles goes with repo:admin");
    }
    Ok(())
}

/// Refuses too many resources, and those that are not of the form.
pub fn acceptable(resources: &[Resource]) -> Result<()> {
    if resources.len() > MAX_RESOURCES {
        return invalid(format!("resources: at most {MAX_RESOURCES}"));
    }
    for Resource { path, scopes } in resources {
        if scopes.len() > MAX_SCOPES {
            return invalid(format!("resources: at most {MAX_SCOPES} scopes each"));
        }
        let (namespace, rest) = path.split_once('/').unwrap_or((LIBRARY, path));
        let literal = rest.strip_suffix("/**").unwrap_or(rest).replace('*', "x");
        let formed = RepositoryName::parse(namespace, if rest == "**" { "x" } else { &literal }).is_ok();
        let open = !path.contains('/') && path.contains('*') || rest.trim_end_matches("**").contains("**");
        if !formed || open || path.len() > MAX_NAME_LENGTH {
            return invalid(format!(
                "Resource path {path:?} is not a repository, or a pattern with a literal namespace, * and a final /**"
            ));
        }
    }
    Ok(())
}

/// Whether a pattern names this repository. Its first component is literal; `*` is any text within a
/// component; a final `/**` is any depth; nothing else is special.
fn matches(pattern: &str, name: &RepositoryName) -> bool {
    let (namespace, rest) = pattern.split_once('/').unwrap_or((LIBRARY, pattern));
    if namespace != name.namespace {
        return false;
    }
    let mut patterns = rest.split('/').collect::<Vec<_>>();
    let mut components = name.name.split('/').collect::<Vec<_>>();
    if patterns.last() == Some(&"**") {
        patterns.pop();
        if components.len() <= patterns.len() {
            return false;
        }
        components.truncate(patterns.len());
    }
    patterns.len() == components.len() && patterns.iter().zip(&components).all(|(p, c)| component(p, c))
}

/// Whether a component is of a pattern. Each piece between stars is taken at its first place, so the
/// time is bounded by the product of the lengths.
fn component(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces = rest.split('*').collect::<Vec<_>>();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, behind)) = text.split_once(piece) else { return false };
        text = behind;
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RepositoryName {
        let (namespace, name) = text.split_once('/').unwrap();
        RepositoryName::parse(namespace, name).unwrap()
    }

    #[test]
    fn scope_has_the_name_that_is_stored() {
        for scope in [TokenScope::PublicRead, TokenScope::Read, TokenScope::Write, TokenScope::Admin, TokenScope::Roles]
        {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
    }

    #[test]
    fn patterns() {
        for (pattern, yes, no) in [
            ("ns/app", &["ns/app"][..], &["ns/app2", "ns/app/x", "other/app", "ns/ap"][..]),
            ("app", &["library/app"], &["ns/app"]),
            ("ns/*", &["ns/app", "ns/x"], &["ns/app/x", "nsx/app"]),
            ("ns/app-*", &["ns/app-", "ns/app-1"], &["ns/app", "ns/xapp-1"]),
            ("ns/*-app-*", &["ns/my-app-1", "ns/-app--app-"], &["ns/my-app", "ns/app-1"]),
            ("ns/**", &["ns/app", "ns/a/b/c"], &["other/app"]),
            ("ns/a/**", &["ns/a/b", "ns/a/b/c"], &["ns/a", "ns/b/c"]),
            ("ns/*/c", &["ns/a/c"], &["ns/a/b/c", "ns/c"]),
        ] {
            for text in yes {
                assert!(matches(pattern, &name(text)), "{pattern} {text}");
            }
            for text in no {
                assert!(!matches(pattern, &name(text)), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn only_such_patterns_are_accepted() {
        let accepted = |path: &str| acceptable(&[Resource { path: path.into(), scopes: vec![] }]).is_ok();
        for path in ["ns/app", "ns/*", "ns/**", "ns/a/**", "ns/a*b/c", "app"] {
            assert!(accepted(path), "{path}");
        }
        for path in ["", "*/app", "**", "ns/", "ns/**/x", "n*s/app", "ns/[a]", "ns/a?", "ns//x", "ns/a b"] {
            assert!(!accepted(path), "{path}");
        }
        let long = |length: usize| format!("ns/{}", "x".repeat(length - 3));
        assert!(accepted(&long(MAX_NAME_LENGTH)) && !accepted(&long(MAX_NAME_LENGTH + 1)));
        let scoped = |number: usize| vec![Resource { path: "ns/app".into(), scopes: vec![TokenScope::Read; number] }];
        assert!(acceptable(&scoped(MAX_SCOPES)).is_ok() && acceptable(&scoped(MAX_SCOPES + 1)).is_err());
        let resources = |number: usize| vec![Resource { path: "ns/app".into(), scopes: vec![] }; number];
        assert!(acceptable(&resources(MAX_RESOURCES)).is_ok() && acceptable(&resources(MAX_RESOURCES + 1)).is_err());
        let scopes = |number: usize| acceptable_scopes(&vec![TokenScope::Read; number]);
        assert!(scopes(MAX_SCOPES).is_ok() && scopes(MAX_SCOPES + 1).is_err());
    }

    #[test]
    fn token_needs_scope_and_resource() {
        let limits = |scopes: &str, resources: Option<&str>| TokenRestrictions::stored(scopes, resources);
        let all = limits(r#"["repo:write","repo:read"]"#, None);
        assert_eq!(all.role(&name("ns/app"), false), Some(Role::Write));
        let public = limits(r#"["repo:public_read"]"#, None);
        assert_eq!(public.role(&name("ns/app"), true), Some(Role::Read));
        assert_eq!(public.role(&name("ns/app"), false), None);
        let one = limits(r#"["repo:write"]"#, Some(r#"[{"path":"ns/app"},{"path":"ns/*","scopes":["repo:read"]}]"#));
        assert_eq!(one.role(&name("ns/app"), false), Some(Role::Write));
        assert_eq!(one.role(&name("ns/other"), false), Some(Role::Read));
        assert_eq!(one.role(&name("other/app"), true), None);
        let more = limits(r#"["repo:read"]"#, Some(r#"[{"path":"ns/app","scopes":["repo:admin"]}]"#));
        assert_eq!(more.role(&name("ns/app"), false), Some(Role::Read));
        let changes = |scopes: &str, resources: Option<&str>| {
            let limits = limits(scopes, resources);
            (limits.changes_roles(&name("ns/app")), limits.changes_roles_in_namespace())
        };
        assert_eq!(changes(r#"["repo:admin"]"#, None), (false, false));
        let both = r#"["repo:roles","repo:admin"]"#;
        assert_eq!(limits(both, None).role(&name("ns/app"), false), Some(Role::Admin));
        assert_eq!(limits(r#"["repo:roles"]"#, None).role(&name("ns/app"), true), None);
        assert_eq!(changes(both, None), (true, true));
        assert_eq!(changes(both, Some(r#"[{"path":"ns/*"}]"#)), (true, false));
        assert_eq!(changes(both, Some(r#"[{"path":"ns/other"}]"#)), (false, false));
        assert_eq!(changes(both, Some(r#"[{"path":"ns/*","scopes":["repo:admin"]}]"#)), (false, false));
        assert_eq!(changes(r#"["repo:admin"]"#, Some(r#"[{"path":"ns/*","scopes":["repo:roles"]}]"#)), (false, false));
        assert_eq!(limits("damaged", None).role(&name("ns/app"), true), None);
        assert_eq!(limits(r#"["repo:read"]"#, Some("damaged")).role(&name("ns/app"), true), None);
    }
}
