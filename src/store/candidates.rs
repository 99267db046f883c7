//! Users who may be given a role.

use crate::{
    domain::UserId,
    store::{FromRow, Keyed, Row},
};

/// A user, and what they are in a namespace or a repository: a member or a collaborator (`T`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<T> {
    /// The user.
    pub user_id: UserId,
    /// Only an active user is given a role.
    pub active: bool,
    /// The owner of the namespace has every right without a role.
    pub owner: bool,
    /// What they are now, if they have a role.
    pub current: Option<T>,
}

impl<T: Keyed> FromRow for Candidate<T> {
    fn from_row(row: &mut Row) -> Self {
        Self {
            user_id: row.get("user_id"),
            active: row.get::<String>("status") == "active",
            owner: row.get("owner"),
            current: row.joined(),
        }
    }
}
