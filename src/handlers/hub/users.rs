//! Users in the forms of the management API.

use crate::{
    error::{Result, invalid, not_found},
    store::candidates::Candidate,
};

/// The kind of a user, in the Hub's words.
#[must_use]
pub fn kind(machine: bool) -> &'static str {
    if machine { "Machine" } else { "User" }
}

/// Refuses a user who cannot be given a role: one who is not active, and the owner, who has every right.
pub fn require_candidate<T>(candidate: Option<Candidate<T>>) -> Result<Candidate<T>> {
    match candidate.filter(|candidate| candidate.active) {
        None => not_found("user not found"),
        Some(candidate) if candidate.owner => invalid("The owner of the namespace has every right already"),
        Some(candidate) => Ok(candidate),
    }
}
