//! All data of hublet, and the only module of the worker with SQL. It decides nothing.
//!
//! A function here is one statement or one short list of them, named after its meaning. Statements go through the one
//! [`Db`], several at a time: a batch is one round trip and one transaction.

pub mod access;
pub mod access_tokens;
pub mod administration;
pub mod audit;
pub mod candidates;
pub mod clients;
pub mod collaborators;
pub mod db;
pub mod deletions;
pub mod documents;
pub mod emails;
pub mod ends;
pub mod events;
pub mod health;
pub mod home;
pub mod images;
pub mod leaving;
pub mod links;
pub mod login_failures;
pub mod machines;
mod manifests;
pub mod members;
pub mod namespaces;
pub mod outbox;
pub mod query;
pub mod rate_counters;
pub mod reconcilers;
pub mod refresh_tokens;
pub mod refusals;
pub mod repositories;
pub mod rights;
pub mod roles;
mod row;
pub mod stars;
pub mod tag_digests;
pub mod tags;
pub mod token_details;
mod tombstones;
pub mod transaction;
pub mod users;

pub use db::{Database, Db, Row, Rows, Statement, Value};
pub use query::{Batch, Count, Page, Query};
pub use rights::{Over, Right};
pub use row::{FromRow, FromValue, Keyed};
pub use transaction::{Outcome, Step, Transaction};
