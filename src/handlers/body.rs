//! Bodies that are JSON objects, member by member, each read where it stands. A refusal names the member and never
//! repeats what was sent: it may be a password.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::{
    domain::json::{self, Json},
    error::{Refusal, Result, invalid},
    wire::Request,
};

/// The members of a body.
#[derive(Clone, Copy)]
pub struct JsonObject<'a>(&'a Json);

impl<'a> JsonObject<'a> {
    /// Parses a JSON object, whatever its Content-Type.
    pub fn parse(request: &'a Request) -> Result<Self> {
        match json::parse(request.body.as_deref().ok_or(Refusal::TooLarge)?) {
            Some(body) if json::is_object(body) => Ok(Self(body)),
            Some(_) => invalid("A JSON object is expected"),
            None => invalid("Invalid JSON"),
        }
    }

    /// Parses a JSON object whose Content-Type is JSON: no page of another origin sends one.
    pub fn parse_json(request: &'a Request) -> Result<Self> {
        let kind = request.header("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::UnsupportedMediaType.into());
        }
        Self::parse(request)
    }

    /// A text; nothing where there is none, or something else.
    #[must_use]
    pub fn get(self, name: &'static str) -> Option<String> {
        json::member(self.0, name).and_then(json::text).map(Cow::into_owned)
    }

    /// A text that must be there.
    pub fn text(self, name: &'static str) -> Result<String> {
        self.optional_string(name)?.map_or_else(|| invalid(format!("{name} is missing")), Ok)
    }

    /// A text that may be missing.
    pub fn optional_string(self, name: &'static str) -> Result<Option<String>> {
        self.maybe(name, "is a string", |value| json::text(value).map(Cow::into_owned))
    }

    /// A flag that may be missing.
    pub fn optional_bool(self, name: &'static str) -> Result<Option<bool>> {
        self.maybe(name, "is true or false", |value| value.get().parse().ok())
    }

    /// A whole number that may be missing.
    pub fn optional_integer(self, name: &'static str) -> Result<Option<i64>> {
        self.maybe(name, "is a whole number", |value| value.get().parse().ok())
    }

    /// An optional list that is not null, with at most `most` items of this form.
    pub fn optional_array_not_null<T: DeserializeOwned>(
        self,
        name: &'static str,
        form: &str,
        most: usize,
    ) -> Result<Option<Vec<T>>> {
        if json::member(self.0, name).is_some_and(json::is_null) {
            return invalid(format!("{name}: a list of {form}"));
        }
        self.optional_array(name, form, most)
    }

    /// An optional list with at most `most` items of this form.
    pub fn optional_array<T: DeserializeOwned>(
        self,
        name: &'static str,
        form: &str,
        most: usize,
    ) -> Result<Option<Vec<T>>> {
        let Some(list) = self.present(name) else { return Ok(None) };
        let odd = || invalid(format!("{name}: a list of {form}"));
        let Some(elements) = json::elements(list) else { return odd() };
        let Some(list) = elements.take(most + 1).map(json::value).collect::<Option<Vec<T>>>() else { return odd() };
        if list.len() > most {
            return invalid(format!("{name}: at most {most}"));
        }
        Ok(Some(list))
    }

    fn maybe<T>(self, name: &'static str, form: &str, read: impl FnOnce(&'a Json) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.present(name) else { return Ok(None) };
        read(value).map_or_else(|| invalid(format!("{name} {form}")), |value| Ok(Some(value)))
    }

    fn present(self, name: &'static str) -> Option<&'a Json> {
        json::member(self.0, name).filter(|value| !json::is_null(value))
    }
}
