//! What is known of what a tag names, as JSON that the database made.

use serde_json::Value;

use crate::{error::Fault, store::tags::Tag};

/// An image that a tag names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Of its manifest.
    pub digest: String,
    /// `linux`; empty if it is not known, as the next two.
    pub os: String,
    /// `arm64`
    pub architecture: String,
    /// `v8`
    pub variant: String,
    /// Bytes.
    pub size: Option<i64>,
    /// Milliseconds since 1970.
    pub pulled_at: Option<i64>,
}

/// A deletion that a reconciler has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// Milliseconds since 1970.
    pub requested_at: i64,
    /// The name of the user who requested it.
    pub requested_by: String,
    /// Why the reconciler did not do it; empty if it did not try.
    pub refusal: String,
}

/// With what a tag was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushCredential {
    /// `password`, `access-token`, `refresh-token`; empty if it is not known.
    pub kind: String,
    /// What people call the access token; `None` if there is none any more.
    pub label: Option<String>,
    /// Whether a service account pushed it.
    pub machine: bool,
}

impl Image {
    fn new(image: &Value) -> Self {
        let text = |name: &str| text(image, name);
        Self {
            digest: text("digest"),
            os: text("os"),
            architecture: text("architecture"),
            variant: text("variant"),
            size: integer(image, "size"),
            pulled_at: integer(image, "pulled_at"),
        }
    }

    /// `linux/arm64/v8`; empty if it is not known.
    #[must_use]
    pub fn platform(&self) -> String {
        let parts = [&self.os, &self.architecture, &self.variant].into_iter();
        parts.filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

impl Tag {
    /// The images of a tag: those that an index names, or the one that it is, for which an index may have named the
    /// platform.
    pub fn images(&self) -> Result<Vec<Image>, Fault> {
        if let Value::Array(named) = parse(Some(&self.images))?
            && !named.is_empty()
        {
            return Ok(named.iter().map(Image::new).collect());
        }
        let platform = Image::new(&parse(self.platform.as_deref())?);
        let (digest, size, pulled_at) = (self.digest.clone(), self.content_size, self.content_pulled_at);
        Ok(vec![Image { digest, size, pulled_at, ..platform }])
    }

    /// The labels of its image as a JSON object, as far as a reconciler read them; else null.
    pub fn labels(&self) -> Result<Value, Fault> {
        parse(self.labels.as_deref())
    }

    /// With what it was pushed, as far as that was asked for and is known.
    pub fn push_credential(&self) -> Result<Option<PushCredential>, Fault> {
        let known = parse(self.pushed_with.as_deref())?;
        let credential = text(&known, "credential");
        Ok((!known.is_null()).then(|| PushCredential {
            kind: credential.split(' ').next().unwrap_or_default().to_owned(),
            label: known.get("label").and_then(Value::as_str).map(str::to_owned),
            machine: integer(&known, "machine") == Some(1),
        }))
    }

    /// The deletion that is requested of the registry.
    pub fn deletion(&self) -> Result<Option<Deletion>, Fault> {
        let deletion = parse(self.deletion.as_deref())?;
        Ok(integer(&deletion, "requested_at").map(|requested_at| Deletion {
            requested_at,
            requested_by: text(&deletion, "requested_by"),
            refusal: text(&deletion, "refusal"),
        }))
    }
}

/// A text of a JSON object; empty where it has none.
fn text(object: &Value, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A whole number of a JSON object.
fn integer(object: &Value, name: &str) -> Option<i64> {
    object.get(name).and_then(Value::as_i64)
}

/// JSON that the database made.
fn parse(text: Option<&str>) -> Result<Value, Fault> {
    let damaged = |error| Fault::bug(format!("what is known of a tag is damaged: {error}"));
    text.map_or(Ok(Value::Null), |text| serde_json::from_str(text).map_err(damaged))
}
