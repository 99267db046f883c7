//! The management API, in the forms of Docker Hub's own: what its tools send and read.
//!
//! It takes session tokens, and what is said to be JSON, and nothing else, so that no page of another origin can make a
//! browser change anything. Logging in changes nothing and leaves no cookie.

pub mod access_tokens;
pub mod audit;
pub mod collaborators;
pub mod emails;
pub mod images;
pub mod leaving;
pub mod machines;
pub mod members;
pub mod namespace;
pub mod namespaces;
pub mod password;
pub mod repositories;
pub mod search;
pub mod sessions;
pub mod stars;
pub mod tags;

use serde_json::{Map, Value};

use crate::{
    auth,
    index::Index,
    refusal::Fault,
    wire::{Reply, Request},
};

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: i64,
    size: i64,
}

impl Page {
    /// Reads `page` and `page_size`; nonsense is the first page of ten.
    #[must_use]
    pub fn read(request: &Request) -> Self {
        Self::of(request, 10)
    }

    /// The same, of so many where the request does not say.
    #[must_use]
    pub fn of(request: &Request, usual: i64) -> Self {
        let parameters = request.parameters();
        let number = |name: &str| {
            parameters.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<i64>().ok())
        };
        Self {
            number: number("page").unwrap_or(1).clamp(1, 1_000_000),
            size: number("page_size").unwrap_or(usual).clamp(1, 100),
        }
    }

    /// How many stand before it.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.number - 1) * self.size
    }

    /// The list with its counters, and perhaps one more member. The addresses of the pages beside it
    /// are absolute: the Hub's tools take them apart.
    fn reply(
        self,
        index: &Index,
        request: &Request,
        count: i64,
        results: Vec<Value>,
        more: Option<(&str, Value)>,
    ) -> Result<Reply, Fault> {
        let origin = auth::registry_token::origin(index, request)?;
        let mut others = String::new();
        for (key, value) in request.parameters().iter().filter(|(key, _)| key != "page" && key != "page_size") {
            others = others + "&" + &escaped(key) + "=" + &escaped(value);
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
        Ok(Reply::json(200, &Value::Object(body)).personal())
    }
}

/// Percent-encoding of what a query may not hold.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
