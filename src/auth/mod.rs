//! Authentication: from the credentials of a request to the principal, and to what they may do.

mod access_review;
pub mod browser;
mod credentials;
pub mod grants;
mod guards;
pub mod login;
pub mod password;
mod principal;
pub mod reconciler;
pub mod registry_token;

pub use access_review::ReviewSubject;
pub use credentials::{
    Credentials, INVALID_CREDENTIALS, no_session, optional_session, password_credentials, registry_credentials,
    require_https, session, unauthorized, v1_credentials,
};
pub use guards::{NO_NAMESPACE, NOT_CREATABLE, NamespaceGuard, PasswordSession, RepositoryGuard};
pub use principal::Principal;
