//! What a search finds for a client, in the v1 API as in the Hub's.

use serde_json::json;

use crate::{
    auth::{Credentials, Principal},
    domain::{credential::CredentialId, names::LIBRARY, search::Search},
    index::Index,
    refusal::Answer,
    store::{
        Count, Page,
        documents::{self, Match, Sight},
        repositories::{self, ReadablePrivate},
    },
    wire::Request,
};

/// The most private repositories of one user that a search looks into.
const MAX_PRIVATE: i64 = 10_000;

/// A page of what is found for these credentials, and whether there is more that they may read than was searched.
pub async fn find(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    search: &Search,
) -> Answer<(Page<Match>, bool)> {
    if !is_anonymous(credentials) {
        let (sight, cut) = sight(index, credentials).await?;
        return Ok((index.search.fetch(documents::find(search, &sight)).await?, cut));
    }
    if !index.settings.anonymous_read {
        return Ok((Page { head: Count { count: 0 }, items: Vec::new() }, false));
    }
    credentials.require_within_limit(index, request).await?;
    Ok((index.search.fetch(documents::find(search, &Sight::Public)).await?, false))
}

/// Whether these are no credentials, or those of no user.
#[must_use]
pub fn is_anonymous(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Anonymous | Credentials::Bearer(CredentialId::Anonymous))
}

/// What a search with these credentials may find, and whether there is more that they may read.
async fn sight(index: &Index, credentials: &Credentials) -> Answer<(Sight, bool)> {
    let own = repositories::readable_private(&credentials.subject(index), MAX_PRIVATE + 1);
    let (principal, own) = credentials.authenticate_with(index, own).await?;
    if principal.is_administrator() {
        return Ok((Sight::All, false));
    }
    Ok((Sight::Also(readable(&principal, &own)), own.iter().any(|part| part.cut)))
}

/// The ids of those that the access token allows too, if the client sent one, as JSON.
fn readable(principal: &Principal, own: &[ReadablePrivate]) -> String {
    let repositories = own.iter().flat_map(|part| &part.repositories);
    let ids =
        repositories.filter(|(_, name)| principal.token_reads(name, false)).map(|(id, _)| *id).collect::<Vec<_>>();
    json!(ids).to_string()
}

/// The namespace of a name as search shows it.
#[must_use]
pub fn owner(name: &str) -> &str {
    name.split_once('/').map_or(LIBRARY, |(namespace, _)| namespace)
}
