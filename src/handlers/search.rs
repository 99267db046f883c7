//! What a search finds for a client, in the v1 API as in the Hub's.

use serde_json::json;

use crate::{
    auth::{Credentials, Principal},
    context::Context,
    domain::{credential::CredentialId, names::LIBRARY, search::Search},
    error::Result,
    store::{
        Count, Page,
        documents::{self, Match, Visibility},
        repositories::{self, ReadablePrivate},
    },
    wire::Request,
};

/// The most private repositories of one user that a search looks into.
const MAX_PRIVATE: i64 = 10_000;

/// A page of what is found for these credentials, and whether there is more that they may read than was searched.
pub async fn find(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    search: &Search,
) -> Result<(Page<Match>, bool)> {
    if !is_anonymous(credentials) {
        let (visibility, cut) = visibility(ctx, credentials).await?;
        return Ok((ctx.search.fetch(documents::find(search, &visibility)).await?, cut));
    }
    if !ctx.config.anonymous_read {
        return Ok((Page { head: Count { count: 0 }, items: Vec::new() }, false));
    }
    credentials.require_anonymous_limit(ctx, request).await?;
    Ok((ctx.search.fetch(documents::find(search, &Visibility::Public)).await?, false))
}

/// Whether these are no credentials, or those of no user.
#[must_use]
pub fn is_anonymous(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Anonymous | Credentials::Bearer(CredentialId::Anonymous))
}

/// What a search with these credentials may find, and whether there is more that they may read.
async fn visibility(ctx: &Context, credentials: &Credentials) -> Result<(Visibility, bool)> {
    let own = repositories::readable_private(&credentials.subject(ctx), MAX_PRIVATE + 1);
    let (principal, own) = credentials.authenticate_with(ctx, own).await?;
    if principal.is_administrator() {
        return Ok((Visibility::All, false));
    }
    Ok((Visibility::PublicAnd(readable(&principal, &own)), own.iter().any(|part| part.cut)))
}

/// The ids of those that the access token allows too, if the client sent one, as JSON.
fn readable(principal: &Principal, own: &[ReadablePrivate]) -> String {
    let repositories = own.iter().flat_map(|part| &part.repositories);
    let ids =
        repositories.filter(|(_, name)| principal.token_reads(name, false)).map(|(id, _)| *id).collect::<Vec<_>>();
    json!(ids).to_string()
}

/// The namespace of a display name.
#[must_use]
pub fn owner(name: &str) -> &str {
    name.split_once('/').map_or(LIBRARY, |(namespace, _)| namespace)
}
