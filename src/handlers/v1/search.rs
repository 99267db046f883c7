//! Search.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials},
    domain::{names::LIBRARY, search::Search, texts},
    handlers::search::{find, is_anonymous, owner},
    index::Index,
    refusal::Answer,
    store::{Page, documents::Match},
    wire::{Reply, Request},
};

/// `GET /v1/search?q=&n=&page=`
///
/// docker and podman take nothing but 200, so no parameter is an error.
pub async fn search(index: &Index, request: &Request) -> Answer<Reply> {
    let credentials = auth::registry_credentials(index, request, true).await?;
    let search = Search::read(&request.parameters());
    if index.settings.anonymous_read && is_anonymous(&credentials) {
        return anonymous(index, request, &credentials, &search).await;
    }
    credentials.require_no_token()?;
    let (found, cut) = find(index, request, &credentials, &search).await?;
    Ok(Reply::raw_json(200, body(&search, &found, cut)).personal())
}

/// The answer without credentials, which is the same for every client and so may be a little old.
async fn anonymous(index: &Index, request: &Request, credentials: &Credentials, search: &Search) -> Answer<Reply> {
    let searched = async || {
        let (found, cut) = find(index, request, credentials, search).await?;
        Answer::Ok(body(search, &found, cut))
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
