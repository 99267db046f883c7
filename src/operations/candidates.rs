//! Users who may be given a role.

use crate::{
    error::{Result, invalid, not_found},
    store::candidates::Candidate,
};

/// Refuses a user who cannot be given a role: one who is not active, and the owner, who has every right.
pub fn require_candidate<T>(candidate: Option<Candidate<T>>) -> Result<Candidate<T>> {
    match candidate.filter(|candidate| candidate.active) {
        None => not_found("user not found"),
        Some(candidate) if candidate.owner => invalid("The owner of the namespace has every right already"),
        Some(candidate) => Ok(candidate),
    }
}
