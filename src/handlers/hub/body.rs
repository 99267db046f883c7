//! Bodies of the management API, member by member. A refusal names the member and never repeats what was sent:
//! it may be a password.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    refusal::{Answer, Refusal, invalid},
    wire::Request,
};

/// The members of a body.
pub struct Body(Map<String, Value>);

impl Body {
    /// Reads a JSON object, said to be JSON by its Content-Type.
    pub fn read(request: &Request) -> Answer<Self> {
        let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
        let kind = request.header("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::UnsupportedMediaType.into());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => invalid("A JSON object is expected"),
            Err(_) => invalid("Invalid JSON"),
        }
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

    /// A list that may be missing, of what `form` says.
    pub fn maybe_list<T: DeserializeOwned>(&mut self, name: &'static str, form: &str) -> Answer<Option<Vec<T>>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(list) => serde_json::from_value(list).or_else(|_| invalid(format!("{name}: a list of {form}"))),
        }
    }
}
