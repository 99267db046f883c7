//! The routes of the management API, in the forms of Docker Hub's own. Its older and its newer paths
//! are one route.

use crate::{
    domain::RepositoryName,
    error::{Refusal, Result},
};

/// Words that follow the name of a repository in a path, of hublet and of the Hub: no component of a name there but the
/// first. Some are a DELETE of something harmless at the Hub.
const BEHIND_NAMES: [&str; 18] = [
    "access",
    "autobuild",
    "blobs",
    "collaborators",
    "comments",
    "dockerfile",
    "groups",
    "images",
    "images-summary",
    "manifests",
    "permissions",
    "privacy",
    "star",
    "stars",
    "tags",
    "transfer",
    "uploads",
    "webhooks",
];

/// What a request to the management API is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hub {
    /// `/v2/users/login`: the older login.
    Login,
    /// `/v2/auth/token`: the newer login.
    AuthToken,
    /// `/v2/logout`
    Logout,
    /// `/v2/user`: oneself.
    CurrentUser,
    /// `/v2/user/orgs`: the organisations that one is a member of.
    OwnOrganisations,
    /// `/v2/repositories/namespaces`: the names of one's namespaces.
    OwnNamespaces,
    /// `/v2/users/{username}`
    User(String),
    /// `/v2/orgs/{namespace}`
    Organisation(String),
    /// `/v2/user/password`
    Password,
    /// `/v2/user/emails`
    Emails,
    /// `/v2/user/emails/{email}`, still percent-encoded.
    Email(String),
    /// `/v2/access-tokens`
    AccessTokens,
    /// `/v2/access-tokens/{uuid}`
    AccessToken(String),
    /// `/v2/access-tokens/{uuid}/renew`
    AccessTokenRenewal(String),
    /// `/v2/refresh-tokens`: the logins that docker keeps.
    RefreshTokens,
    /// `/v2/refresh-tokens/{uuid}`
    RefreshToken(String),
    /// `/v2/namespaces/{namespace}/repositories`
    Repositories(String),
    /// `/v2/repositories`: to create, with the namespace in the body.
    NewRepository,
    /// `/v2/namespaces/{namespace}/repositories/{repository}`
    Repository(RepositoryName),
    /// `…/privacy`
    Privacy(RepositoryName),
    /// `…/transfer`
    Transfer(RepositoryName),
    /// `…/star`
    Star(RepositoryName),
    /// `…/images`
    Images(RepositoryName),
    /// `…/images-summary`
    ImagesSummary(RepositoryName),
    /// `/v2/search/repositories`
    Search,
    /// `…/tags`
    Tags(RepositoryName),
    /// `…/tags/{tag}`
    Tag(RepositoryName, String),
    /// `…/collaborators`
    Collaborators(RepositoryName),
    /// `…/collaborators/{username}`
    Collaborator(RepositoryName, String),
    /// `…/access`: who may do what with it.
    RepositoryAccess(RepositoryName),
    /// `/v2/access-reviews`: why something is denied.
    AccessReviews,
    /// `/v2/namespaces/{namespace}/refusals`: what was refused there.
    Refusals(String),
    /// `/v2/namespaces/{namespace}/members`
    Members(String),
    /// `/v2/namespaces/{namespace}/members/{username}`
    Member(String, String),
    /// `/v2/auditlogs/{account}`: who did what in a namespace.
    AuditLogs(String),
    /// `/v2/auditlogs/{account}/actions`
    AuditActions,
    /// `/v2/namespaces/{namespace}/machines`
    Machines(String),
    /// `/v2/namespaces/{namespace}/machines/{username}`
    Machine(String, String),
    /// `/v2/namespaces/{namespace}/machines/{username}/access-tokens`
    MachineTokens(String, String),
    /// `/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}`
    MachineToken(String, String, String),
    /// `/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}/renew`
    MachineTokenRenewal(String, String, String),
}

impl Hub {
    /// The route of a path, after `/v2/`.
    pub fn read(segments: &[&str]) -> Result<Self> {
        if segments.iter().any(|segment| segment.is_empty()) {
            return Err(Refusal::NoRoute.into());
        }
        let own = |text: &str| text.to_owned();
        Ok(match segments {
            ["users", "login"] => Self::Login,
            ["auth", "token"] => Self::AuthToken,
            ["logout"] => Self::Logout,
            ["search", "repositories"] => Self::Search,
            ["user"] => Self::CurrentUser,
            ["user", "orgs"] => Self::OwnOrganisations,
            ["users", name] => Self::User(own(name)),
            ["orgs", namespace] => Self::Organisation(own(namespace)),
            ["user", "password"] => Self::Password,
            ["user", "emails"] => Self::Emails,
            ["user", "emails", email] => Self::Email(own(email)),
            ["access-tokens" | "api_tokens"] => Self::AccessTokens,
            ["access-tokens" | "api_tokens", uuid] => Self::AccessToken(own(uuid)),
            ["access-tokens" | "api_tokens", uuid, "renew"] => Self::AccessTokenRenewal(own(uuid)),
            ["access-reviews"] => Self::AccessReviews,
            ["refresh-tokens"] => Self::RefreshTokens,
            ["refresh-tokens", uuid] => Self::RefreshToken(own(uuid)),
            ["repositories"] => Self::NewRepository,
            // As on the Hub, which has no such namespace; one's repositories are at the newer path.
            ["repositories", "namespaces"] => Self::OwnNamespaces,
            ["repositories", namespace] | ["namespaces", namespace, "repositories"] => {
                Self::Repositories(own(namespace))
            }
            ["repositories", namespace, rest @ ..] | ["namespaces", namespace, "repositories", rest @ ..] => {
                return Self::repository(namespace, rest);
            }
            ["namespaces" | "orgs", namespace, "members"] => Self::Members(own(namespace)),
            ["namespaces" | "orgs", namespace, "members", user] => Self::Member(own(namespace), own(user)),
            ["namespaces" | "orgs", namespace, "refusals"] => Self::Refusals(own(namespace)),
            ["auditlogs", account] => Self::AuditLogs(own(account)),
            ["auditlogs", _, "actions"] => Self::AuditActions,
            ["namespaces", namespace, "machines"] => Self::Machines(own(namespace)),
            ["namespaces", namespace, "machines", user] => Self::Machine(own(namespace), own(user)),
            ["namespaces", namespace, "machines", user, "access-tokens"] => {
                Self::MachineTokens(own(namespace), own(user))
            }
            ["namespaces", namespace, "machines", user, "access-tokens", uuid] => {
                Self::MachineToken(own(namespace), own(user), own(uuid))
            }
            ["namespaces", namespace, "machines", user, "access-tokens", uuid, "renew"] => {
                Self::MachineTokenRenewal(own(namespace), own(user), own(uuid))
            }
            _ => return Err(Refusal::NoRoute.into()),
        })
    }

    /// A repository is every component up to a reserved word. One that has such a word in its own name is written as
    /// one component, with `:` for its slashes, which no name has.
    fn repository(namespace: &str, rest: &[&str]) -> Result<Self> {
        let whole = rest.first().is_some_and(|first| first.contains(':'));
        let word = rest.iter().skip(1).position(|component| whole || BEHIND_NAMES.contains(component));
        let (name, rest) = rest.split_at_checked(word.map_or(rest.len(), |p| p + 1)).ok_or(Refusal::NoRoute)?;
        let name = name.join("/");
        let name = RepositoryName::parse(namespace, &if whole { name.replace(':', "/") } else { name })?;
        Ok(match rest {
            [] => Self::Repository(name),
            ["privacy"] => Self::Privacy(name),
            ["transfer"] => Self::Transfer(name),
            ["star" | "stars"] => Self::Star(name),
            ["images"] => Self::Images(name),
            ["images-summary"] => Self::ImagesSummary(name),
            ["tags"] => Self::Tags(name),
            ["tags", tag] => Self::Tag(name, (*tag).to_owned()),
            ["access"] => Self::RepositoryAccess(name),
            ["collaborators"] => Self::Collaborators(name),
            ["collaborators", user] => Self::Collaborator(name, (*user).to_owned()),
            _ => return Err(Refusal::NoRoute.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Result<Hub> {
        Hub::read(&path.split('/').collect::<Vec<_>>())
    }

    #[test]
    fn older_and_newer_paths_are_one() {
        let name = RepositoryName::parse("ns", "a/b").unwrap();
        for path in ["repositories/ns/a/b", "namespaces/ns/repositories/a/b"] {
            assert_eq!(read(path), Ok(Hub::Repository(name.clone())), "{path}");
            let tags = format!("{path}/tags/tags");
            assert_eq!(read(&tags), Ok(Hub::Tag(name.clone(), "tags".into())), "{tags}");
        }
        assert_eq!(read("repositories/ns/tags"), Ok(Hub::Repository(RepositoryName::parse("ns", "tags").unwrap())));
        let deep = RepositoryName::parse("ns", "a/auth/tags").unwrap();
        assert_eq!(read("repositories/ns/a:auth:tags"), Ok(Hub::Repository(deep.clone())));
        assert_eq!(read("namespaces/ns/repositories/a:auth:tags/tags/x"), Ok(Hub::Tag(deep, "x".into())));
        for odd in ["a:b/c", "a/b:c", ":b", "a:", "a::b", "a:..", "a:b/webhooks"] {
            assert!(read(&format!("repositories/ns/{odd}")).is_err(), "{odd}");
        }
        assert!(read("repositories/ns/a%2Fb").is_err());
        assert!(read("repositories//a").is_err());
    }

    /// At the Hub they are something of the repository before them, and never one of their own.
    #[test]
    fn suffix_words_are_no_names() {
        let served =
            ["access", "collaborators", "images", "images-summary", "privacy", "star", "stars", "tags", "transfer"];
        for word in BEHIND_NAMES {
            assert_eq!(read(&format!("repositories/ns/{word}")), read(&format!("namespaces/ns/repositories/{word}")));
            let alone = RepositoryName::parse("ns", word).unwrap();
            assert_eq!(read(&format!("repositories/ns/{word}")), Ok(Hub::Repository(alone)), "{word}");
            for path in [format!("repositories/ns/a/{word}"), format!("namespaces/ns/repositories/a/b/{word}")] {
                let behind = read(&path);
                assert_eq!(behind.is_ok(), served.contains(&word), "{path}");
                assert!(!matches!(behind, Ok(Hub::Repository(_))), "{path}");
            }
        }
    }
}
