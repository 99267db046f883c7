//! The operator's commands: what is refused changes nothing, what they end is all that an account can make, and what the
//! manual prints is a command.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what fails here is a failed test")]

mod compromised;
mod refused;
mod rights;
#[allow(dead_code, reason = "the pages need more of it")]
#[path = "../support/mod.rs"]
mod support;
