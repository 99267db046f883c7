//! The management API, in the forms of Docker Hub's own: what its tools send and read.
//!
//! It takes session tokens, and bodies whose Content-Type is JSON, and nothing else, so that no page of another origin
//! can make a browser change anything. A login changes nothing and sets no cookie.

pub mod access_reviews;
pub mod access_tokens;
pub mod audit;
pub mod collaborators;
mod deletion;
pub mod emails;
pub mod images;
pub mod leaving;
pub mod machines;
pub mod members;
pub mod namespaces;
mod pagination;
pub mod password;
pub mod repositories;
pub mod search;
pub mod sessions;
pub mod stars;
pub mod tags;
mod token_body;
mod users;

pub use deletion::deleted;
pub use pagination::{Pagination, paged, query_parameter};
