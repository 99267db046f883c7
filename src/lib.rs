//! hublet: a Docker Hub index that runs at the edge.
//!
//! The index is one function, [`serve::serve`], from plain values to plain values. A request walks
//! one way: `edge` reads it, `routes` says what its path is, `api` which handler
//! serves its method there, the handler takes its five beats (who,
//! what, may they, do it, say it) with the rules of `domain` and the memory of `store`, and `wire`
//! writes the reply. Everything a request needs of the world is lent to it in [`index::Index`].
//! Cloudflare appears in `edge` alone, and only there does it compile.

pub mod api;
pub mod auth;
pub mod domain;
#[cfg(target_arch = "wasm32")]
mod edge;
pub mod handlers;
pub mod index;
pub mod jobs;
pub mod mail;
pub mod refusal;
pub mod routes;
pub mod serve;
pub mod store;
pub mod wire;
