//! Bodies that are JSON objects, member by member. A refusal names the member and never repeats what was sent: it
//! may be a password.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    refusal::{Answer, Refusal, invalid},
    wire::Request,
};

/// The members of a body.
pub struct Body(Map<String, Value>);

impl Body {
    /// Reads a JSON object, whatever its Content-Type says.
    pub fn read(request: &Request) -> Answer<Self> {
        match serde_json::from_slice(request.body.as_deref().ok_or(Refusal::TooLarge)?) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => invalid("A JSON object is expected"),
            Err(_) => invalid("Invalid JSON"),
        }
    }

    /// Reads a JSON object that is said to be JSON: no page of another origin sends one.
    pub fn read_json(request: &Request) -> Answer<Self> {
        request.body.as_ref().ok_or(Refusal::TooLarge)?;
        let kind = request.header("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::UnsupportedMediaType.into());
        }
        Self::read(request)
    }

    /// A text; nothing where there is none, or something else.
    #[must_use]
    pub fn get(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &'static str) -> Answer<String> {
        self.maybe_text(name)?.map_or_else(|| invalid(format!("{name} is missing")), Ok)
    }

    /// A text that may be missing.
    pub fn maybe_text(&mut self, name: &'static str) -> Answer<Option<String>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => invalid(format!("{name} is a string")),
        }
    }

    /// A flag that may be missing.
    pub fn maybe_flag(&mut self, name: &'static str) -> Answer<Option<bool>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => invalid(format!("{name} is true or false")),
        }
    }

    /// A whole number that may be missing.
    pub fn maybe_integer(&mut self, name: &'static str) -> Answer<Option<i64>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map_or_else(|| invalid(format!("{name} is a whole number")), |n| Ok(Some(n))),
        }
    }

    /// A list that may be missing and not null, of what `form` says.
    pub fn maybe_list_not_null<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        form: &str,
    ) -> Answer<Option<Vec<T>>> {
        if self.0.get(name).is_some_and(Value::is_null) {
            return invalid(format!("{name}: a list of {form}"));
        }
        self.maybe_list(name, form)
    }

    /// A list that may be missing, of what `form` says.
    pub fn maybe_list<T: DeserializeOwned>(&mut self, name: &'static str, form: &str) -> Answer<Option<Vec<T>>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(list) => serde_json::from_value(list).or_else(|_| invalid(format!("{name}: a list of {form}"))),
        }
    }
}
