//! Search.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials, Principal},
    domain::{credential::CredentialId, names::LIBRARY, search::Search, texts},
    index::Index,
    refusal::Answer,
    store::{
        Count, Page,
        documents::{self, Match, Sight},
        repositories::{self, ReadablePrivate},
    },
    wire::{Reply, Request},
};

/// The most private repositories of one user that a search looks into.
const MOST_PRIVATE: i64 = 10_000;

/// `GET /v1/search?q=&n=&page=`
///
/// docker and podman take nothing but 200, so no parameter is an error.
pub async fn search(index: &Index, request: &Request) -> Answer<Reply> {
    let credentials = auth::registry_credentials(index, request, true).await?;
    let search = Search::read(&request.parameters());
    if is_anonymous(&credentials) {
        return anonymous(index, request, &credentials, &search).await;
    }
    credentials.require_no_token()?;
    let (sight, cut) = sight(index, &credentials).await?;
    Ok(Reply::raw_json(200, body(&search, &find(index, &search, &sight).await?, cut)).personal())
}

/// A page of what is found for these credentials, and whether there is more that they may read than was searched.
pub async fn page(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    search: &Search,
) -> Answer<(Page<Match>, bool)> {
    if !is_anonymous(credentials) {
        let (sight, cut) = sight(index, credentials).await?;
        return Ok((find(index, search, &sight).await?, cut));
    }
    if !index.settings.anonymous_read {
        return Ok((NOTHING, false));
    }
    credentials.require_within_limit(index, request).await?;
    Ok((find(index, search, &Sight::Public).await?, false))
}

/// What is found without credentials, if nothing may be read without.
const NOTHING: Page<Match> = Page { head: Count { count: 0 }, items: Vec::new() };

fn is_anonymous(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Anonymous | Credentials::Bearer(CredentialId::Anonymous))
}

/// What a search with these credentials may find, and whether there is more that they may read.
async fn sight(index: &Index, credentials: &Credentials) -> Answer<(Sight, bool)> {
    let own = repositories::readable_private(&credentials.subject(index), MOST_PRIVATE + 1);
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

/// The answer without credentials is the same for every client, so it may be a little old. If nothing may be read
/// without credentials, neither search nor the cache is asked.
async fn anonymous(index: &Index, request: &Request, credentials: &Credentials, search: &Search) -> Answer<Reply> {
    if !index.settings.anonymous_read {
        return Ok(Reply::raw_json(200, body(search, &NOTHING, false)).personal());
    }
    let searched = async || {
        credentials.require_within_limit(index, request).await?;
        Answer::Ok(body(search, &find(index, search, &Sight::Public).await?, false))
    };
    let seconds = index.settings.search_cache;
    if seconds == 0 {
        return Ok(Reply::raw_json(200, searched().await?));
    }
    let key =
        format!("search:{}:{}:{}", search.page_size, search.page, crate::domain::secret::sha256_hex(&search.query));
    if let Some(body) = index.world.cached(&key).await.and_then(|entry| fresh(&entry, index.world.now(), seconds)) {
        return Ok(Reply::raw_json(200, body));
    }
    let body = searched().await?;
    let entry = json!({ "at": index.world.now(), "body": body }).to_string();
    let lender = index.clone();
    index.world.later(Box::pin(async move { lender.world.cache(&key, &entry, seconds).await }));
    Ok(Reply::raw_json(200, body))
}

/// The body of a cached answer that is not too old; what is not one of ours counts as none.
fn fresh(entry: &str, now: i64, seconds: u64) -> Option<String> {
    let entry = serde_json::from_str::<Value>(entry).ok()?;
    let age = u64::try_from(now - entry.get("at")?.as_i64()?).ok()?;
    (age < seconds).then(|| entry.get("body")?.as_str().map(str::to_owned))?
}

async fn find(index: &Index, search: &Search, sight: &Sight) -> Answer<Page<Match>> {
    Ok(index.search.fetch(documents::find(search, sight)).await?)
}

/// What was found, as docker reads it; and whether there is more that the client may read than was searched (`cut`), as
/// GitHub says it.
fn body(search: &Search, found: &Page<Match>, cut: bool) -> String {
    let total = found.head.count;
    let results = found.items.iter().map(result).collect::<Vec<_>>();
    let mut body = json!({
        "query": search.query,
        "num_results": total,
        "num_pages": (total + search.page_size - 1) / search.page_size,
        "page": search.page,
        "page_size": search.page_size,
        "results": results,
    });
    if let (true, Some(body)) = (cut, body.as_object_mut()) {
        body.insert("incomplete_results".into(), true.into());
    }
    body.to_string()
}

/// The namespace of a name as search shows it.
#[must_use]
pub fn owner(name: &str) -> &str {
    name.split_once('/').map_or(LIBRARY, |(namespace, _)| namespace)
}

/// docker decodes integers and booleans strictly.
fn result(found: &Match) -> Value {
    json!({
        "name": found.name,
        "description": texts::line(&found.description),
        "star_count": found.star_count,
        "is_official": owner(&found.name) == LIBRARY,
        "is_trusted": false,
        "is_automated": false,
    })
}
