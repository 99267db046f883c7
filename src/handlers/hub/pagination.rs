//! Pages of lists, and the parameters of a query.

use serde_json::{Map, Value};

use crate::{
    auth,
    context::Context,
    error::{Fault, Result, not_found},
    wire::{Request, Response, request::encoded},
};

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagination {
    /// From 1.
    pub number: i64,
    /// The most items that are on it.
    pub size: i64,
}

impl Pagination {
    /// Reads `page` and `page_size`; nonsense is the first page of ten.
    #[must_use]
    pub fn read(request: &Request) -> Self {
        Self::with_default_size(request, 10)
    }

    /// The same, with this page size if the client does not set it.
    #[must_use]
    pub fn with_default_size(request: &Request, default_size: i64) -> Self {
        let number = |name: &str| query_parameter(request, name).and_then(|value| value.parse::<i64>().ok());
        Self {
            number: number("page").unwrap_or(1).clamp(1, 1_000_000),
            size: number("page_size").unwrap_or(default_size).clamp(1, 100),
        }
    }

    /// The number of items before it.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.number - 1) * self.size
    }

    /// The list with its counters, and perhaps one more member. The addresses of the pages beside it
    /// are absolute: the Hub's tools take them apart.
    pub fn reply(
        self,
        ctx: &Context,
        request: &Request,
        count: i64,
        results: Vec<Value>,
        more: Option<(&str, Value)>,
    ) -> Result<Response, Fault> {
        let origin = auth::registry_token::origin(ctx, request)?;
        let mut others = String::new();
        for (key, value) in request.parameters().iter().filter(|(key, _)| key != "page" && key != "page_size") {
            others = others + "&" + &encoded(key, "") + "=" + &encoded(value, "");
        }
        let at = |number: i64| format!("{origin}{}?page={number}&page_size={}{others}", request.path, self.size);
        let next = (self.number * self.size < count).then(|| at(self.number + 1));
        let previous = (self.number > 1).then(|| at(self.number - 1));
        let mut body = Map::new();
        body.insert("count".into(), count.into());
        body.insert("next".into(), next.into());
        body.insert("previous".into(), previous.into());
        body.insert("results".into(), results.into());
        body.extend(more.map(|(name, value)| (name.to_owned(), value)));
        Ok(Response::json(200, &Value::Object(body)).no_store())
    }
}

/// A page of a list as a reply; a page after the end is a 404, as on the Hub.
pub fn paged(ctx: &Context, request: &Request, page: Pagination, count: i64, results: Vec<Value>) -> Result<Response> {
    if page.number > 1 && page.offset() >= count {
        return not_found("page not found");
    }
    Ok(page.reply(ctx, request, count, results, None)?)
}

/// A parameter of the query.
#[must_use]
pub fn query_parameter(request: &Request, name: &str) -> Option<String> {
    request.parameters().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}
