//! hublet: a Docker Hub index that runs at the edge.
//!
//! The service is one function, [`serve::serve`], from a plain request to a plain response. A request walks one way:
//! `edge` converts it, `routes` resolves its path, `api` calls the handler of its method, and the handler runs five
//! steps in a fixed order: authenticate (`auth`), parse, authorize, execute, respond. What the management API and the
//! pages of the site both do is in `operations`, which returns plain values. The rules are in `domain`, SQL is in
//! `store`, and `wire` writes the response. Everything else that a request needs is injected through
//! [`context::Context`]. Cloudflare appears in `edge` alone, and only there does it compile.

pub mod api;
pub mod auth;
pub mod config;
pub mod context;
pub mod domain;
#[cfg(all(target_arch = "wasm32", feature = "edge"))]
mod edge;
pub mod error;
pub mod handlers;
pub mod jobs;
pub mod mail;
pub mod operations;
pub mod platform;
pub mod routes;
pub mod serve;
pub mod store;
pub mod wire;
