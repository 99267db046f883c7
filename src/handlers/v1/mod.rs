//! The Docker Hub API v1.

mod guard;
pub mod images;
mod ping;
pub mod repositories;
pub mod search;
pub mod users;

pub use ping::ping;

use crate::{
    domain,
    domain::RepositoryId,
    index::Index,
    refusal::{Answer, invalid, not_found},
    store::images::Merged,
    wire::{Reply, Request},
};

/// The id of the repository that a list was merged into. Refuses a list that would have made it too large, or that
/// found no repository any more.
fn require_merged(merged: Option<Merged>) -> Answer<RepositoryId> {
    match merged {
        Some(Merged { repository_id, missing: 0 }) => Ok(repository_id),
        Some(_) => invalid(format!("A repository holds at most {} images", domain::images::MAX_IMAGES)),
        None => not_found("Repository not found"),
    }
}

/// Adds where the registry is: one bare host, the only form that every client reads.
fn with_endpoint(reply: Reply, index: &Index, request: &Request) -> Reply {
    let registry = index.settings.registry.as_deref().unwrap_or(&request.host);
    reply.with("X-Docker-Endpoints", registry)
}
