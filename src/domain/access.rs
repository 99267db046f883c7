//! Who may do what: the rules, over facts that `store` has read.

use std::fmt;

/// What a user may do in a namespace or a repository; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Pull.
    Read,
    /// Pull and push.
    Write,
    /// Pull, push, delete, and change roles.
    Admin,
}

impl Role {
    /// The role of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Why a user cannot administrate the index, in words that follow their name.
#[must_use]
pub fn cannot_administrate(machine: bool, active: bool) -> Option<&'static str> {
    match (machine, active) {
        (true, _) => Some("is a service account, which administrates nothing"),
        (_, false) => Some("is not active"),
        _ => None,
    }
}

/// What a repository token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Pull.
    Read,
    /// Push.
    Write,
    /// Delete.
    Delete,
}

impl Access {
    /// The access of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    /// The role that it takes.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Read => Role::Read,
            Self::Write => Role::Write,
            Self::Delete => Role::Admin,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The relations between a user and a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relations {
    /// Administrates the whole index.
    pub administrator: bool,
    /// The namespace is the user's own.
    pub owner: bool,
    /// Role in the namespace.
    pub member: Option<Role>,
    /// Role in this one repository.
    pub collaborator: Option<Role>,
    /// The repository exists and is public.
    pub public: bool,
}

impl Relations {
    /// The user's effective role: the strongest of administrator, owner, member and collaborator, and `Read` for a public
    /// repository. Every authorization decision is made from it.
    #[must_use]
    pub fn effective_role(self) -> Option<Role> {
        if self.administrator || self.owner {
            return Some(Role::Admin);
        }
        let public = self.public.then_some(Role::Read);
        self.member.max(self.collaborator).max(public)
    }

    /// Whether the user has a relation to the repository.
    #[must_use]
    pub fn is_related(self) -> bool {
        self.administrator || self.owner || self.member.max(self.collaborator).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greatest_role_counts() {
        let nobody = Relations::default();
        assert_eq!(nobody.effective_role(), None);
        assert_eq!(Relations { public: true, ..nobody }.effective_role(), Some(Role::Read));
        assert_eq!(Relations { member: Some(Role::Read), ..nobody }.effective_role(), Some(Role::Read));
        assert_eq!(
            Relations { member: Some(Role::Read), collaborator: Some(Role::Write), ..nobody }.effective_role(),
            Some(Role::Write)
        );
        assert_eq!(
            Relations { collaborator: Some(Role::Write), public: true, ..nobody }.effective_role(),
            Some(Role::Write)
        );
        assert_eq!(Relations { owner: true, ..nobody }.effective_role(), Some(Role::Admin));
        assert_eq!(Relations { administrator: true, ..nobody }.effective_role(), Some(Role::Admin));
    }
}
