//! What a principal is granted of a scope of the registry protocol.

use crate::{
    auth::Principal,
    domain::{
        RepositoryName,
        scope::{Grant, Scope},
    },
    store::repositories::RepositoryLookup,
};

/// What is granted of a scope for the repository of this name, which was looked up for this principal: what is asked
/// for, the user may do, and the access token allows, all three. Too little is not an error.
#[must_use]
pub fn of_repository(
    principal: &Principal,
    lookup: RepositoryLookup,
    name: &RepositoryName,
    scope: &Scope,
) -> Option<Grant> {
    let lookup = lookup.ignoring_pending_deletion();
    // A push there would be lost: no repository is created in a namespace that does not exist.
    lookup.namespace_id?;
    scope.for_role(principal.effective_role(&lookup, name))
}

/// What is granted of a scope for the registry as a whole.
#[must_use]
pub fn of_registry(principal: &Principal, scope: &Scope) -> Option<Grant> {
    scope.for_registry(principal.is_administrator())
}
