//! The registry protocol, as far as an index serves it: its token service, and what it knows of repositories.

pub mod base;
pub mod refusals;
pub mod token;
