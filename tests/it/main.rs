//! All tests that use the index from outside, in one binary: `cargo test --test it forgery::` runs those of one module.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what fails here is a failed test")]

mod access_tokens;
mod api;
mod architecture;
mod audit;
mod configuration;
mod docs;
mod emails;
mod expiry;
mod forgery;
mod grants;
mod guessing;
mod health;
mod late;
mod leaks;
mod manifests;
mod matrix;
mod migrations;
mod openapi;
mod operator;
mod pages;
mod plans;
mod properties;
mod prose;
mod reading;
mod refusals;
mod rights;
mod roles;
mod round_trips;
mod search;
mod search_growth;
mod texts;
mod token;
mod unconfigured;
mod wire;
