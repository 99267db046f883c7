//! The Docker Hub API v1.

pub mod images;
pub mod repositories;
pub mod search;
pub mod users;

use serde_json::json;

use crate::{
    auth::{Credentials, Principal, unauthorized},
    domain::{
        Access, RepositoryName, Role,
        repository_token::{Claim, DELETE_LIFETIME, LIFETIME},
    },
    index::Index,
    refusal::{Answer, Fault, forbidden, not_found},
    store::{
        Query, Right, Row, Statement,
        repositories::{Repository, RepositoryLookup},
    },
    wire::{Reply, Request},
};

/// 403 for somebody who can see a repository and may not do this.
const DENIED: &str = "Access denied, you don't have access to this repo";

/// 404 for what is not there, or not for this user.
const ABSENT: &str = "Repository not found";

/// `GET /v1/_ping`
///
/// Without the second header, clients take this host for a registry that needs no index, and never
/// use tokens; without the first, docker before 0.11 goes no further.
#[must_use]
pub fn ping() -> Reply {
    Reply::json(200, &json!(true))
        .with("X-Docker-Registry-Version", "0.6.0")
        .with("X-Docker-Registry-Standalone", "false")
}

/// Who asks, and the row that tells of the place they ask about, in one round trip.
async fn reached(index: &Index, credentials: &Credentials, lookup: impl Into<Statement>) -> Answer<(Principal, Row)> {
    let (principal, mut lookup) = credentials.authenticate_with(index, Query::raw(lookup.into())).await?;
    Ok((principal, lookup.pop().ok_or_else(|| Fault::broken("no row for a place"))?))
}

/// The repository of a place, for somebody who wants this much of it. A repository token must be for
/// this very repository, and its user may still do what the token names.
fn opened(
    credentials: &Credentials,
    principal: &Principal,
    name: &RepositoryName,
    lookup: &RepositoryLookup,
    wanted: Role,
) -> Answer<Repository> {
    let role = principal.effective_role(lookup, name);
    // Also for a token from when they could read it: it does not tell whether there still is one.
    let repository = lookup.repository.clone().filter(|_| role.is_some());
    let Some(repository) = repository else { return not_found(ABSENT) };
    if let Credentials::Token(claim) = credentials {
        if claim.repository_id != repository.id || role < Some(claim.access.role()) {
            return Err(unauthorized("The token is no longer valid"));
        }
        // The registry asks about a repository that is being deleted.
        return if repository.pending_deletion && claim.access != Access::Delete {
            not_found(ABSENT)
        } else {
            Ok(repository)
        };
    }
    if repository.pending_deletion {
        return not_found(ABSENT);
    }
    if role < Some(wanted) { forbidden(DENIED) } else { Ok(repository) }
}

/// The same, with the right by which it is written: for a repository token what that names.
fn writable(
    credentials: &Credentials,
    principal: &Principal,
    name: &RepositoryName,
    lookup: &RepositoryLookup,
    wanted: Role,
) -> Answer<(Repository, Right)> {
    let repository = opened(credentials, principal, name, lookup, wanted)?;
    let role = if let Credentials::Token(claim) = credentials { claim.access.role() } else { wanted };
    let right = principal.right_to(lookup, repository.id, name, role);
    Ok((repository, right))
}

/// Adds a repository token, in the two headers where clients look for it.
fn with_token(
    reply: Reply,
    index: &Index,
    principal: &Principal,
    name: &RepositoryName,
    repository: i64,
    access: Access,
) -> Result<Reply, Fault> {
    let lifetime = if access == Access::Delete { DELETE_LIFETIME } else { LIFETIME };
    let claim = Claim {
        repository: name.clone(),
        repository_id: repository,
        access,
        credential: principal.credential,
        expires_at: index.world.now() + lifetime,
    };
    let token = claim.sign(index.settings.keys()?, index.random());
    Ok(reply.with("WWW-Authenticate", format!("Token {token}")).with("X-Docker-Token", token))
}

/// Adds where the registry is: one bare host, the only form that every client reads.
fn with_endpoint(reply: Reply, index: &Index, request: &Request) -> Reply {
    let registry = index.settings.registry.as_deref().unwrap_or(&request.host);
    reply.with("X-Docker-Endpoints", registry)
}
