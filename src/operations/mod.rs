//! What the management API and the pages of the site both do. A function here authenticates, checks and executes, and
//! returns plain values, which its handler writes as JSON or as a page.
//!
//! What a client asks for is a `Result`: wrong credentials are refused before a wrong body. A read returns the guard or
//! the principal too, since a page names its user and links to what they may do.

pub mod access_reviews;
pub mod access_tokens;
pub mod administration;
pub mod audit;
mod candidates;
pub mod collaborators;
pub mod emails;
pub mod health;
pub mod leaving;
pub mod login;
pub mod machines;
pub mod members;
pub mod namespaces;
pub mod password;
pub mod refresh_tokens;
pub mod registration;
pub mod repositories;
pub mod search;
pub mod stars;
pub mod tags;
