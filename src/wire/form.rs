//! The fields of a form, or of a query.

use crate::{
    error::{Refusal, Result, invalid},
    wire::{Request, request},
};

/// The most fields of a form: one of two bytes is forty on the page that sends it again with the password.
const MAX_FIELDS: usize = 1_000;

/// The fields of a form that was sent, in order.
#[derive(Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a request.
    pub fn read(request: &Request) -> Result<Self> {
        let body = request.body.as_deref().ok_or(Refusal::TooLarge)?;
        let fields = request::form(body).take(MAX_FIELDS + 1).collect::<Vec<_>>();
        if fields.len() > MAX_FIELDS { Err(Refusal::TooLarge.into()) } else { Ok(Self(fields)) }
    }

    /// Reads the query of a request.
    #[must_use]
    pub fn of_query(request: &Request) -> Self {
        Self(request.parameters())
    }

    /// The text of a field without blanks around it; empty if there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.exact(name).trim()
    }

    /// The text of a field as it was sent: a password may begin with a blank. Empty if there is none.
    #[must_use]
    pub fn exact(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The text of a field as it was sent, if it is not empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        Some(self.exact(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The text of a field that must not be empty; `what` names it on the page.
    pub fn required(&self, name: &str, what: &str) -> Result<String> {
        match self.text(name) {
            "" => invalid(format!("{what} is missing")),
            text => Ok(text.to_owned()),
        }
    }

    /// A text of several lines, which browsers send with carriage returns.
    #[must_use]
    pub fn lines(&self, name: &str) -> String {
        self.exact(name).replace("\r\n", "\n")
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn is_checked(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Every value of a field, of which several were chosen.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every field, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
