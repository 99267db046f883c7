//! What the tests run the index with: an app over `SQLite` in this process, and the runner of the contract pages.

pub mod app;
pub mod client;
pub mod fake_platform;
pub mod hooks;
pub mod operator;
pub mod page;
pub mod pattern;
pub mod remote;
pub mod runner;
pub mod sources;
pub mod sqlite;
pub mod times;

pub use app::{TestApp, Trial};
