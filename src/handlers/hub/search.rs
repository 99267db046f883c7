//! Search as the Hub's newer programs ask for it.

use serde_json::{Value, json};

use crate::{
    auth,
    domain::{names::LIBRARY, search::Search, texts},
    handlers::{
        hub::{Page, parameter},
        v1::search::{owner, rows},
    },
    index::Index,
    refusal::Answer,
    store::Row,
    wire::{Reply, Request},
};

/// Results on a page, when the caller does not say: as on the Hub.
const PAGE: i64 = 25;

/// `GET /v2/search/repositories?query=&page=&page_size=`
pub async fn repositories(index: &Index, request: &Request) -> Answer<Reply> {
    let credentials = auth::optional_session(index, request)?;
    let page = Page::of(request, PAGE);
    let query = parameter(request, "query").unwrap_or_default();
    let search = Search::read(&[
        ("q".into(), query),
        ("n".into(), page.size.to_string()),
        ("page".into(), page.number.to_string()),
    ]);
    let (rows, cut) = rows(index, request, &credentials, &search).await?;
    let count = rows.first().map_or(0, |row| row.integer("total"));
    let cut = cut.then(|| ("incomplete_results", true.into()));
    Ok(page.reply(index, request, count, rows.iter().filter_map(object).collect(), cut)?)
}

/// A repository that was found. Search does not know how often it was pulled.
fn object(row: &Row) -> Option<Value> {
    let name = row.maybe_text("name")?;
    Some(json!({
        "repo_name": name,
        "short_description": texts::line(row.text("description")),
        "star_count": row.integer("star_count"),
        "pull_count": null,
        "repo_owner": owner(name),
        "is_automated": false,
        "is_official": owner(name) == LIBRARY,
    }))
}
