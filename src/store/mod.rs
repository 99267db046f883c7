//! All that the index remembers, and the only room that speaks SQL. It decides nothing.
//!
//! A function here is one statement or one short list of them, whose name is its meaning. Statements
//! go through the one [`Door`], several at a time: a batch is one round trip and one transaction.

pub mod access_tokens;
pub mod audit;
pub mod clients;
pub mod collaborators;
pub mod counts;
pub mod documents;
pub mod door;
pub mod emails;
pub mod ends;
pub mod events;
pub mod failures;
pub mod images;
pub mod leaving;
pub mod links;
pub mod machines;
pub mod managed;
mod manifests;
pub mod members;
pub mod namespaces;
pub mod outbox;
pub mod refresh_tokens;
pub mod repositories;
pub mod rights;
pub mod roles;
pub mod stars;
pub mod tags;
mod tombstones;
pub mod users;

pub use door::{Database, Door, Row, Rows, Statement, Value};
pub use rights::{Over, Right};
