//! The words of the field and their rules. Nothing here waits, stores, sends, or reads a clock.

pub mod access;
pub mod images;
pub mod keys;
pub mod names;
pub mod password;
pub mod repository_token;
pub mod search;
pub mod secret;
pub mod throttle;

pub use access::{Access, Role};
pub use names::{RepositoryName, UserName};
pub use secret::Secret;
