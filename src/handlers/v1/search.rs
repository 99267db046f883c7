//! Search.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials},
    context::Context,
    domain::{names::LIBRARY, search::Search, texts},
    error::{Error, Result},
    operations::search::{find, is_anonymous, owner},
    store::{Page, documents::Match},
    wire::{Request, Response},
};

/// `GET /v1/search?q=&n=&page=`
///
/// docker and podman take nothing but 200, so no parameter is an error.
pub async fn search(ctx: &Context, request: &Request) -> Result<Response> {
    let credentials = auth::registry_credentials(ctx, request, true).await?;
    let search = Search::parse(&request.parameters(), &|text| ctx.nfd(text));
    if ctx.config.anonymous_read && is_anonymous(&credentials) {
        return anonymous(ctx, request, &credentials, &search).await;
    }
    credentials.require_no_token()?;
    let (found, cut) = find(ctx, request, &credentials, &search).await?;
    Ok(Response::raw_json(200, body(&search, &found, cut)).no_store())
}

/// The answer without credentials, which is the same for every client and so may be a little old.
async fn anonymous(ctx: &Context, request: &Request, credentials: &Credentials, search: &Search) -> Result<Response> {
    let searched = async || {
        let (found, cut) = find(ctx, request, credentials, search).await?;
        Ok::<_, Error>(body(search, &found, cut))
    };
    let seconds = ctx.config.search_cache;
    if seconds == 0 {
        return Ok(Response::raw_json(200, searched().await?));
    }
    let key =
        format!("search:{}:{}:{}", search.page_size, search.page, crate::domain::secret::sha256_hex(&search.query));
    if let Some(body) = ctx.platform.cache_get(&key).await.and_then(|entry| fresh(&entry, ctx.platform.now(), seconds))
    {
        return Ok(Response::raw_json(200, body));
    }
    let body = searched().await?;
    let entry = json!({ "at": ctx.platform.now(), "body": body }).to_string();
    ctx.run_after_response(|ctx| async move { ctx.platform.cache_put(&key, &entry, seconds).await });
    Ok(Response::raw_json(200, body))
}

/// The body of a cached answer that is not too old; what is not one of ours counts as none.
fn fresh(entry: &str, now: i64, seconds: u64) -> Option<String> {
    let entry = serde_json::from_str::<Value>(entry).ok()?;
    let age = u64::try_from(now - entry.get("at")?.as_i64()?).ok()?;
    (age < seconds).then(|| entry.get("body")?.as_str().map(str::to_owned))?
}

/// The results in the form that docker parses; `incomplete_results`, as GitHub calls it, if more repositories can be
/// read than were searched (`cut`).
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
