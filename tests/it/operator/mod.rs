//! The operator's commands: what is refused changes nothing, what they end is all that an account can make, and what the
//! manual prints is a command.

mod answers;
mod compromised;
mod import;
mod import_rules;
mod log;
pub mod refused;
mod rights;
