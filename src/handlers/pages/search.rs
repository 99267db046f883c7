//! The page of a search.

use maud::html;

use crate::{
    auth::Credentials,
    context::Context,
    domain::{names::LIBRARY, search::Search, texts},
    error::Result,
    handlers::pages,
    operations::search,
    wire::{
        Form, Request, Response,
        html::{self, encoded, pager, plural},
    },
};

/// Results on a page.
const RESULTS: i64 = 25;

/// `GET /search?q=&page=`
///
/// What is found is the same as by the API; what is the user's own is marked.
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let (query, number) = (Form::of_query(request), pages::page_number(request));
    let query = query.text("q");
    let wanted = Search::parse(
        &[("q".into(), query.to_owned()), ("n".into(), RESULTS.to_string()), ("page".into(), number.to_string())],
        &|text| ctx.nfd(text),
    );
    let found = search::find_for_page(ctx, request, credentials, &wanted).await?;
    let title = if query.is_empty() { "All repositories".to_owned() } else { format!("Search: {query}") };
    let frame = html::Page { query, ..pages::page(ctx, &found.principal, &title) };
    let Some(results) = &found.results else {
        return Ok(frame.response(200, &html! { p.error role="alert" { "Search is out of order at the moment. What you know by name works: open it by its address." } }));
    };
    let count = results.head.count;
    let path = format!("/search?q={}&", encoded(query));
    Ok(frame.response(
        200,
        &html! {
            p { (plural(count, "repository", "repositories")) }
            @if found.cut { p.hint { "There is more that you may read than a search looks into: this may not be all." } }
            ul.cards {
                @for item in &results.items {
                    @let full = if item.name.contains('/') { item.name.clone() } else { format!("{LIBRARY}/{}", item.name) };
                    li {
                        a href=(format!("/r/{full}")) { (item.name) }
                        @if found.is_own(&full) { " " span.badge { "yours" } }
                        @if found.is_private(&full) { " " span.badge { "private" } }
                        @if !item.description.is_empty() { p { (texts::line(&item.description)) } }
                    }
                }
            }
            @if results.items.is_empty() && !query.is_empty() {
                p.hint { "A repository is found by a part of its name or of its description, once something was pushed to it." }
            }
            (pager(&path, number, RESULTS, count))
        },
    ))
}
