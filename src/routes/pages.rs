//! The routes of the pages. `-` is no component of a name: what follows it is about the repository, or the namespace.

use crate::{
    domain::RepositoryName,
    error::{Refusal, Result},
};

/// What a page is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// `/sign-in`
    SignIn,
    /// `/sign-out`
    SignOut,
    /// `/register`
    Register,
    /// `/search`
    Search,
    /// `/settings`
    Settings,
    /// `/settings/tokens`
    Tokens,
    /// `/settings/tokens/new`
    NewToken,
    /// `/settings/sessions`
    Sessions,
    /// `/admin`
    Administration,
    /// `/admin/users`
    Users,
    /// `/admin/users/{username}`
    User(String),
    /// `/admin/namespaces`
    Namespaces,
    /// `/admin/limits`
    Limits,
    /// `/static/{file}`
    Asset(String),
    /// `/r/{namespace}`
    Namespace(String),
    /// `/r/{repository}`
    Repository(RepositoryName),
    /// `/r/{repository}/-/tags`
    Tags(RepositoryName),
    /// `/r/{repository}/-/settings`
    RepositorySettings(RepositoryName),
    /// `/r/{repository}/-/access`
    Access(RepositoryName),
    /// `/r/{namespace}/-/new`
    NewRepository(String),
    /// `/r/{namespace}/-/members`
    Members(String),
    /// `/r/{namespace}/-/service-accounts`
    ServiceAccounts(String),
    /// `/r/{namespace}/-/service-accounts/{username}`
    ServiceAccount(String, String),
    /// `/r/{namespace}/-/audit`
    Audit(String),
    /// `/r/{namespace}/-/refusals`
    Refusals(String),
    /// `/r/{namespace}/-/deletions`
    Deletions(String),
    /// `/r/{repository}/-/tags/{tag}`
    Tag(RepositoryName, String),
}

impl Page {
    /// The route of a path.
    pub fn read(segments: &[&str]) -> Result<Self> {
        Ok(match segments {
            ["sign-in"] => Self::SignIn,
            ["sign-out"] => Self::SignOut,
            ["register"] => Self::Register,
            ["search"] => Self::Search,
            ["settings"] => Self::Settings,
            ["settings", "tokens"] => Self::Tokens,
            ["settings", "tokens", "new"] => Self::NewToken,
            ["settings", "sessions"] => Self::Sessions,
            ["admin"] => Self::Administration,
            ["admin", "users"] => Self::Users,
            ["admin", "users", name] => Self::User((*name).to_owned()),
            ["admin", "namespaces"] => Self::Namespaces,
            ["admin", "limits"] => Self::Limits,
            ["static", file] => Self::Asset((*file).to_owned()),
            ["r", namespace] => Self::Namespace((*namespace).to_owned()),
            ["r", namespace, rest @ ..] => {
                let mut halves = rest.splitn(2, |segment| *segment == "-");
                let name = halves.next().unwrap_or_default();
                let repository = || RepositoryName::parse(namespace, &name.join("/"));
                match (name, halves.next()) {
                    ([_, ..], None) => Self::Repository(repository()?),
                    ([_, ..], Some(["tags"])) => Self::Tags(repository()?),
                    ([_, ..], Some(["settings"])) => Self::RepositorySettings(repository()?),
                    ([_, ..], Some(["access"])) => Self::Access(repository()?),
                    ([], Some(["new"])) => Self::NewRepository((*namespace).to_owned()),
                    ([], Some(["members"])) => Self::Members((*namespace).to_owned()),
                    ([], Some(["service-accounts"])) => Self::ServiceAccounts((*namespace).to_owned()),
                    ([], Some(["service-accounts", user])) => {
                        Self::ServiceAccount((*namespace).to_owned(), (*user).to_owned())
                    }
                    ([], Some(["audit"])) => Self::Audit((*namespace).to_owned()),
                    ([], Some(["refusals"])) => Self::Refusals((*namespace).to_owned()),
                    ([], Some(["deletions"])) => Self::Deletions((*namespace).to_owned()),
                    ([_, ..], Some(["tags", tag])) => Self::Tag(repository()?, (*tag).to_owned()),
                    _ => return Err(Refusal::NoRoute.into()),
                }
            }
            _ => return Err(Refusal::NoRoute.into()),
        })
    }
}
