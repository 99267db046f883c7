//! Search.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials, Principal},
    domain::{RepositoryName, credential::CredentialId, names::LIBRARY, search::Search, texts},
    index::Index,
    refusal::Answer,
    store::{
        Row, Rows,
        documents::{self, Sight},
        repositories::{self, ReadablePrivate},
    },
    wire::{Reply, Request},
};

/// The most private repositories of one user that a search looks into.
const MOST_PRIVATE: i64 = 10_000;

/// `GET /v1/search?q=&n=&page=`
///
/// docker and podman take nothing but 200, so nothing that is asked is an error.
pub async fn search(index: &Index, request: &Request) -> Answer<Reply> {
    let credentials = auth::registry_credentials(index, request, true).await?;
    let search = Search::read(&request.parameters());
    if is_anybody(&credentials) {
        return anybody(index, request, &credentials, &search).await;
    }
    credentials.require_no_token()?;
    let (sight, cut) = sight(index, &credentials).await?;
    Ok(Reply::raw_json(200, told(&search, &found(index, &search, &sight).await?, cut)).personal())
}

/// The rows of what is found for whoever presents this, with `total` in each, and a `name`, or one without; and whether
/// there is more that they may read than was looked into.
pub async fn rows(
    index: &Index,
    request: &Request,
    credentials: &Credentials,
    search: &Search,
) -> Answer<(Rows, bool)> {
    if !is_anybody(credentials) {
        let (sight, cut) = sight(index, credentials).await?;
        return Ok((found(index, search, &sight).await?, cut));
    }
    if !index.settings.anonymous_read {
        return Ok((Rows::new(), false));
    }
    credentials.require_within_limit(index, request).await?;
    Ok((found(index, search, &Sight::Public).await?, false))
}

fn is_anybody(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Anonymous | Credentials::Bearer(CredentialId::Anonymous))
}

/// What somebody may find, and whether there is more that they may read.
async fn sight(index: &Index, credentials: &Credentials) -> Answer<(Sight, bool)> {
    let own = repositories::readable_private(&credentials.subject(index), MOST_PRIVATE + 1);
    let (principal, own) = credentials.authenticate_with(index, own).await?;
    if principal.is_administrator() {
        return Ok((Sight::All, false));
    }
    Ok((Sight::Also(readable(&principal, &own)), own.iter().any(|part| part.cut)))
}

/// The ids of those that the caller's access token allows too, as JSON.
fn readable(principal: &Principal, own: &[ReadablePrivate]) -> String {
    let allowed = |name: &str| match (&principal.restrictions, name.split_once('/')) {
        (None, _) => true,
        (Some(restrictions), Some((namespace, name))) => {
            RepositoryName::parse(namespace, name).is_ok_and(|name| restrictions.role(&name, false).is_some())
        }
        _ => false,
    };
    let repositories = own.iter().flat_map(|part| &part.repositories);
    let ids = repositories.filter(|(_, name)| allowed(name)).map(|(id, _)| *id).collect::<Vec<_>>();
    json!(ids).to_string()
}

/// The answer to nobody is the same for everybody, so it may be a little old. Where they read nothing, neither search nor
/// what was kept of it is asked.
async fn anybody(index: &Index, request: &Request, credentials: &Credentials, search: &Search) -> Answer<Reply> {
    if !index.settings.anonymous_read {
        return Ok(Reply::raw_json(200, told(search, &[], false)).personal());
    }
    let asked = async || {
        credentials.require_within_limit(index, request).await?;
        Answer::Ok(told(search, &found(index, search, &Sight::Public).await?, false))
    };
    let seconds = index.settings.search_cache;
    if seconds == 0 {
        return Ok(Reply::raw_json(200, asked().await?));
    }
    let key =
        format!("search:{}:{}:{}", search.page_size, search.page, crate::domain::secret::sha256_hex(&search.query));
    if let Some(body) = index.world.cached(&key).await.and_then(|entry| fresh(&entry, index.world.now(), seconds)) {
        return Ok(Reply::raw_json(200, body));
    }
    let body = asked().await?;
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

async fn found(index: &Index, search: &Search, sight: &Sight) -> Answer<Rows> {
    Ok(index.search.last(vec![documents::find(search, sight)]).await?)
}

/// What was found, as docker reads it; and whether there is more that the caller may read than was looked into (`cut`), as
/// GitHub says it.
fn told(search: &Search, rows: &[Row], cut: bool) -> String {
    let total = rows.first().map_or(0, |row| row.integer("total"));
    let results = rows.iter().filter_map(result).collect::<Vec<_>>();
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
fn result(row: &Row) -> Option<Value> {
    let name = row.maybe_text("name")?;
    Some(json!({
        "name": name,
        "description": texts::line(row.text("description")),
        "star_count": row.integer("star_count"),
        "is_official": owner(name) == LIBRARY,
        "is_trusted": false,
        "is_automated": false,
    }))
}
