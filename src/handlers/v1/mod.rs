//! The Docker Hub API v1.

mod guard;
pub mod images;
mod ping;
pub mod repositories;
pub mod search;
pub mod users;

pub use ping::ping;

use crate::{
    context::Context,
    domain,
    domain::RepositoryId,
    error::{Result, invalid, not_found},
    store::images::Merged,
    wire::{Request, Response},
};

/// The id of the repository that a list was merged into. Refuses a list that would have made it too large, or that
/// found no repository any more.
fn require_merged(merged: Option<Merged>) -> Result<RepositoryId> {
    match merged {
        Some(Merged { repository_id, missing: 0 }) => Ok(repository_id),
        Some(_) => invalid(format!("A repository holds at most {} images", domain::images::MAX_IMAGES)),
        None => not_found("Repository not found"),
    }
}

/// Adds where the registry is: one bare host, the only form that every client reads.
fn with_endpoint(response: Response, ctx: &Context, request: &Request) -> Response {
    let registry = ctx.config.registry.as_deref().unwrap_or(&request.host);
    response.with("X-Docker-Endpoints", registry)
}
