//! `plan.json`: what is imported, and what the other system allowed, so that both can be read and changed before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use hublet::domain::{NamespaceName, RepositoryName, Role, UserName, access::Relations};
use serde::{Deserialize, Serialize};

use crate::import::{
    actions::Actions,
    granted::{Granted, Grants},
    source::Refused,
};

/// What is imported.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What it was made of.
    #[serde(default)]
    pub source: String,
    /// The users.
    #[serde(default)]
    pub users: Vec<User>,
    /// Namespaces of no single user.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Roles in namespaces.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Roles in repositories.
    #[serde(default)]
    pub collaborators: Vec<Collaborator>,
    /// The repositories, as namespace/name.
    #[serde(default)]
    pub repositories: Vec<String>,
    /// Those of them that are public.
    #[serde(default)]
    pub public: Vec<String>,
    /// What is not imported.
    #[serde(default)]
    pub refused: Vec<Refused>,
    /// What is not as the other system has it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What the other system allows. Without them, what the plan itself gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Grants>>,
}

/// A user.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name here.
    pub name: String,
    /// The name there.
    #[serde(default)]
    pub source: String,
    /// The hash of the password; without one, the user gets a link on which to choose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bcrypt: Option<String>,
}

/// A role in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The namespace.
    pub namespace: String,
    /// The user.
    pub user: String,
    /// The role.
    #[serde(with = "role")]
    pub role: Role,
}

/// A role in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collaborator {
    /// The repository, as namespace/name.
    pub repository: String,
    /// The user.
    pub user: String,
    /// The role.
    #[serde(with = "role")]
    pub role: Role,
}

/// A role by its name.
pub(super) mod role {
    use hublet::domain::Role;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(role.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
        let name = String::deserialize(deserializer)?;
        Role::parse(&name).ok_or_else(|| D::Error::custom(format!("{name:?} is no role: read, write or admin")))
    }
}

/// A repository as it is written in a plan.
pub fn repository(text: &str) -> Result<RepositoryName, String> {
    let name = text.split_once('/').and_then(|(namespace, name)| {
        NamespaceName::parse(namespace)?;
        RepositoryName::parse(namespace, name).ok()
    });
    name.ok_or_else(|| format!("{text:?} is no repository, as namespace/name"))
}

impl Plan {
    /// Reads a plan, in which every name is one.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut plan = serde_json::from_str::<Self>(text).map_err(|error| error.to_string())?;
        let is_user = |name: &str| match UserName::given(name) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("{name:?} is no name of a user, or a reserved one")),
        };
        let is_namespace = |name: &str| match NamespaceName::parse(name) {
            Some(_) => Ok(()),
            None => Err(format!("{name:?} is no name of a namespace")),
        };
        let mut names = BTreeSet::new();
        for user in &plan.users {
            is_user(&user.name)?;
            if !names.insert(user.name.as_str()) {
                return Err(format!("there are two users {}", user.name));
            }
        }
        plan.namespaces.iter().try_for_each(|name| is_namespace(name))?;
        for member in &plan.members {
            is_namespace(&member.namespace)?;
            is_user(&member.user)?;
        }
        for collaborator in &plan.collaborators {
            is_user(&collaborator.user)?;
        }
        let named = plan.collaborators.iter().map(|collaborator| &collaborator.repository).chain(&plan.public);
        let granted = plan.grants.iter().flatten().flat_map(|grants| &grants.repositories);
        let all = plan.repositories.iter().chain(named).chain(granted).cloned().collect::<BTreeSet<_>>();
        for name in &all {
            repository(name)?;
        }
        plan.repositories = all.into_iter().collect();
        Ok(plan)
    }

    /// What the other system allows.
    #[must_use]
    pub fn granted(&self) -> Granted {
        match &self.grants {
            Some(grants) => {
                let users = self.users.iter().map(|user| user.name.as_str());
                Granted::read(&self.repositories, users, grants)
            }
            None => self.gives(),
        }
    }

    /// What this gives, on an index on which there is nothing else.
    #[must_use]
    pub fn gives(&self) -> Granted {
        let mut gives = Granted::new(&self.repositories);
        let members = self.members.iter().map(|one| ((one.namespace.as_str(), one.user.as_str()), one.role));
        let members = members.collect::<BTreeMap<_, _>>();
        let roles = self.collaborators.iter().map(|one| ((one.repository.as_str(), one.user.as_str()), one.role));
        let roles = roles.collect::<BTreeMap<_, _>>();
        let public = self.public.iter().map(String::as_str).collect::<BTreeSet<_>>();
        for user in self.users.iter().map(|user| user.name.as_str()).chain([""]) {
            let allowed = |repository: &String| {
                let namespace = repository.split('/').next().unwrap_or_default();
                let relations = Relations {
                    administrator: false,
                    owner: namespace == user,
                    member: members.get(&(namespace, user)).copied(),
                    collaborator: roles.get(&(repository.as_str(), user)).copied(),
                    public: public.contains(repository.as_str()),
                };
                Actions::of_role(relations.effective_role())
            };
            let row = self.repositories.iter().map(allowed).collect();
            gives.users.insert(user.to_owned(), row);
        }
        gives
    }
}
