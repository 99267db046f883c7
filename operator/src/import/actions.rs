//! What a user may do in a repository, as a set of actions.

use std::fmt;

use hublet::domain::Role;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A set of the actions pull, push and delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actions(u8);

/// Each action with its name.
const NAMES: [(&str, Actions); 3] = [("pull", Actions::PULL), ("push", Actions::PUSH), ("delete", Actions::DELETE)];

impl Actions {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// To pull.
    pub const PULL: Self = Self(1);
    /// To push.
    pub const PUSH: Self = Self(2);
    /// To delete.
    pub const DELETE: Self = Self(4);
    /// All of them.
    pub const ALL: Self = Self(7);

    /// What a role allows.
    #[must_use]
    pub fn of_role(role: Option<Role>) -> Self {
        match role {
            None => Self::NONE,
            Some(Role::Read) => Self::PULL,
            Some(Role::Write) => Self::PULL.or(Self::PUSH),
            Some(Role::Admin) => Self::ALL,
        }
    }

    /// The strongest role that allows nothing else. The role `admin`, which changes roles too, is given only where `admins` is set.
    #[must_use]
    pub fn role(self, admins: bool) -> Option<Role> {
        let roles = [Role::Admin, Role::Write, Role::Read];
        roles.into_iter().filter(|role| admins || *role != Role::Admin).find(|role| {
            let allowed = Self::of_role(Some(*role));
            allowed.and(self) == allowed
        })
    }

    /// What both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What one of them has.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What the other has not.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it has no action.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// The action of this name, if it is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, action)| *action)
    }

    /// Their names.
    fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().filter(move |(_, action)| !self.and(*action).is_empty()).map(|(name, _)| name)
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(", "))
    }
}

impl Serialize for Actions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Actions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().try_fold(Self::NONE, |all, name| {
            let action = Self::named(name);
            action.map(|action| all.or(action)).ok_or_else(|| D::Error::custom(format!("{name:?} is no action")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_allows_nothing_that_was_denied() {
        for bits in 0..8 {
            for admins in [false, true] {
                let actions = Actions(bits);
                let role = actions.role(admins);
                assert!(Actions::of_role(role).without(actions).is_empty(), "{actions}: {role:?}");
                assert!(admins || role != Some(Role::Admin));
            }
        }
        let both = Actions::PULL.or(Actions::PUSH);
        assert_eq!((both.role(false), Actions::ALL.role(false)), (Some(Role::Write), Some(Role::Write)));
        assert_eq!((Actions::ALL.role(true), Actions::PUSH.role(true)), (Some(Role::Admin), None));
        assert_eq!(Actions::PULL.or(Actions::DELETE).role(true), Some(Role::Read));
    }
}
