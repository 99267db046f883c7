//! Ids: each entity has a type of its own, so that one is not taken for another.

use std::{fmt, marker::PhantomData};

use serde::{Serialize, Serializer};

/// The id of an entity; never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<Of>(i64, PhantomData<Of>);

impl<Of> Id<Of> {
    /// The id that no entity has.
    pub const NONE: Self = Self::new(0);

    /// The id of this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number, PhantomData)
    }

    /// The number, as it is stored.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl<Of> From<i64> for Id<Of> {
    fn from(number: i64) -> Self {
        Self::new(number)
    }
}

impl<Of> fmt::Display for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<Of> Serialize for Id<Of> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Marks the ids of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfUser {}

/// The id of a user.
pub type UserId = Id<OfUser>;

/// Marks the ids of namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfNamespace {}

/// The id of a namespace.
pub type NamespaceId = Id<OfNamespace>;

/// Marks the ids of repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfRepository {}

/// The id of a repository.
pub type RepositoryId = Id<OfRepository>;

/// Marks the ids of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfAccessToken {}

/// The id of an access token.
pub type AccessTokenId = Id<OfAccessToken>;

/// Marks the ids of refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfRefreshToken {}

/// The id of a refresh token.
pub type RefreshTokenId = Id<OfRefreshToken>;
