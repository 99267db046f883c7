//! A repository for a client who may read it.

use crate::{
    auth::{Principal, RepositoryGuard},
    domain::{RepositoryName, Role, access::Relations},
    error::{Fault, Result},
    store::repositories::{Details, RepositoryDetails},
};

/// A repository that the client may read.
pub struct ReadableRepository {
    /// The client.
    pub principal: Principal,
    /// Its full name.
    pub name: RepositoryName,
    /// Only for users with a role in it.
    pub private: bool,
    /// The most that the client may do with it.
    pub role: Role,
    /// The relations of the user to it, other than that of an administrator.
    pub relations: Relations,
    /// Its texts and numbers.
    pub details: Details,
}

impl ReadableRepository {
    /// What was found of this name, if the principal may read it.
    pub(super) fn new(principal: Principal, name: RepositoryName, found: RepositoryDetails) -> Result<Self> {
        let RepositoryDetails { lookup, details } = found;
        let relations = lookup.relations(false);
        let guard = RepositoryGuard::new(principal, &name, lookup);
        let private = guard.require(Role::Read)?.private;
        let (Some(role), Some(details)) = (guard.role(), details) else {
            return Err(Fault::bug("no details of a repository that may be read").into());
        };
        Ok(Self { principal: guard.principal, name, private, role, relations, details })
    }
}
