//! What a principal is granted of a scope of the registry protocol.

use crate::{
    auth::Principal,
    domain::{
        RepositoryName, Role,
        access_review::Facts,
        scope::{Grant, Scope},
    },
    store::repositories::RepositoryLookup,
};

/// The role by which actions on a repository are granted, which was looked up for this principal: what the user may do, and
/// the access token allows. What waits for its deletion is left out of the lookup before.
#[must_use]
pub fn role(principal: &Principal, lookup: &RepositoryLookup, name: &RepositoryName) -> Option<Role> {
    // A push there would be lost: no repository is created in a namespace that does not exist.
    lookup.namespace_id?;
    principal.effective_role(lookup, name)
}

/// What is granted of a scope for the repository of this name: what is asked for, as far as [`role`] allows it. Too little is
/// not an error.
#[must_use]
pub fn of_repository(
    principal: &Principal,
    lookup: &RepositoryLookup,
    name: &RepositoryName,
    scope: &Scope,
) -> Option<Grant> {
    scope.for_role(role(principal, lookup, name))
}

/// What stands against each action of a principal, of a repository that was looked up for them.
#[must_use]
pub fn facts<'a>(principal: &'a Principal, lookup: &RepositoryLookup, name: &'a RepositoryName) -> Facts<'a> {
    Facts {
        name,
        relations: lookup.relations(principal.is_administrator()),
        restrictions: principal.restrictions.as_ref(),
        has_namespace: lookup.namespace_id.is_some(),
        anonymous: principal.user.is_none(),
        active: true,
        token_valid: true,
        visible: true,
    }
}

/// What is granted of a scope for the registry as a whole.
#[must_use]
pub fn of_registry(principal: &Principal, scope: &Scope) -> Option<Grant> {
    scope.for_registry(principal.is_administrator())
}
