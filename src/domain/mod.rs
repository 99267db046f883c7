//! The words of the field and their rules. Nothing here waits, stores, sends, or reads a clock.

pub mod access;
pub mod access_review;
pub mod audit;
pub mod certificates;
pub mod credential;
pub mod ends;
pub mod health;
pub mod ids;
pub mod images;
pub mod json;
pub mod jwt;
pub mod keys;
pub mod logins;
pub mod manifests;
pub mod names;
pub mod notifications;
pub mod opaque_token;
pub mod outgoing;
pub mod password;
pub mod registry_token;
pub mod repository_token;
pub mod scope;
pub mod search;
pub mod secret;
pub mod session_token;
pub mod texts;
pub mod throttle;
pub mod time;
pub mod token_restrictions;
pub mod versions;

pub use access::{Access, Role};
pub use ids::{AccessTokenId, NamespaceId, RefreshTokenId, RepositoryId, UserId};
pub use names::{NamespaceName, RepositoryName, UserName};
pub use secret::Secret;
