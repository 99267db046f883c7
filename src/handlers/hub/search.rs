//! Search as the Hub's newer programs ask for it.

use serde_json::{Value, json};

use crate::{
    auth::Credentials,
    context::Context,
    domain::{names::LIBRARY, search::Search, texts},
    error::Result,
    handlers::hub::{Pagination, query_parameter},
    operations::search::{find, owner},
    store::documents::Match,
    wire::{Request, Response},
};

/// Results of a page, if the client does not set it: as on the Hub.
const DEFAULT_PAGE_SIZE: i64 = 25;

/// `GET /v2/search/repositories?query=&page=&page_size=`
pub async fn repositories(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let page = Pagination::with_default_size(request, DEFAULT_PAGE_SIZE);
    let query = query_parameter(request, "query").unwrap_or_default();
    let search = Search::parse(
        &[("q".into(), query), ("n".into(), page.size.to_string()), ("page".into(), page.number.to_string())],
        &|text| ctx.nfd(text),
    );
    let (found, cut) = find(ctx, request, credentials, &search).await?;
    let cut = cut.then(|| ("incomplete_results", true.into()));
    Ok(page.reply(ctx, request, found.head.count, found.items.iter().map(to_json).collect(), cut)?)
}

/// A repository that was found. Search does not know how often it was pulled.
fn to_json(found: &Match) -> Value {
    let owner = owner(&found.name);
    json!({
        "repo_name": found.name,
        "short_description": texts::line(&found.description),
        "star_count": found.star_count,
        "pull_count": null,
        "repo_owner": owner,
        "is_automated": false,
        "is_official": owner == LIBRARY,
    })
}
