//! One function per heading of the documents, each in five beats: who, what, may they, do it, say it.

pub mod account;
pub mod body;
pub mod emails;
pub mod events;
pub mod hub;
pub mod openapi;
pub mod registry;
pub mod revocation;
pub mod search;
pub mod v1;
