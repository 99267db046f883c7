//! Users in the forms of the management API.

/// The kind of a user, in the Hub's words.
#[must_use]
pub fn kind(machine: bool) -> &'static str {
    if machine { "Machine" } else { "User" }
}
