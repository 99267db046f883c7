//! What a client wants of an access token, and the limits of it.

use crate::{
    context::Context,
    domain::{
        ends,
        texts::{self, Form},
        time,
        token_restrictions::{self, Resource, TokenScope},
    },
    error::{Result, invalid},
};

/// The longest label, in characters.
const MAX_LABEL_LENGTH: usize = 100;

/// For a time that is none, or has passed.
const NO_END: &str = "expires_at: a time to come, as 2030-01-02T03:04:05Z";

/// A token that is to be.
pub struct CreateAccessToken {
    /// What people call it.
    pub label: String,
    /// What it opens; without them, what `repo:read` does.
    pub scopes: Option<Vec<TokenScope>>,
    /// When it ends, as text.
    pub expires_at: Option<String>,
    /// The repositories that it is for; without them, every repository of its user.
    pub resources: Option<Vec<Resource>>,
}

/// A secret that is to be.
#[derive(Default)]
pub struct RenewAccessToken {
    /// Seconds that the earlier secret stays valid.
    pub overlap_seconds: i64,
    /// When the token ends, as text.
    pub expires_at: Option<String>,
}

/// What is to be changed of a token; what is absent stays.
#[derive(Default)]
pub struct UpdateAccessToken {
    /// What people call it.
    pub label: Option<String>,
    /// An inactive one opens nothing.
    pub active: Option<bool>,
}

impl CreateAccessToken {
    /// Refuses one that is not of the form.
    pub(in crate::operations) fn acceptable(self, ctx: &Context) -> Result<Self> {
        acceptable_label(&self.label)?;
        self.scopes.as_deref().map(token_restrictions::acceptable_scopes).transpose()?;
        token_restrictions::acceptable(self.resources.as_deref().unwrap_or_default())?;
        acceptable_end(ctx, self.expires_at.as_deref())?;
        Ok(self)
    }
}

impl RenewAccessToken {
    /// Refuses one that is not of the form.
    pub(in crate::operations) fn acceptable(self, ctx: &Context) -> Result<Self> {
        if !(0..=ends::MAX_OVERLAP).contains(&self.overlap_seconds) {
            return invalid(format!("overlap_seconds: 0 to {}, which is 7 days", ends::MAX_OVERLAP));
        }
        acceptable_end(ctx, self.expires_at.as_deref())?;
        Ok(self)
    }
}

impl UpdateAccessToken {
    /// Refuses one that is not of the form.
    pub(in crate::operations) fn acceptable(self) -> Result<Self> {
        self.label.as_deref().map(acceptable_label).transpose()?;
        Ok(self)
    }
}

fn acceptable_label(label: &str) -> Result<()> {
    if !(1..=MAX_LABEL_LENGTH).contains(&label.chars().count()) {
        return invalid(format!("token_label: 1 to {MAX_LABEL_LENGTH} characters"));
    }
    texts::acceptable("token_label", label, Form::Line)
}

fn acceptable_end(ctx: &Context, text: Option<&str>) -> Result<()> {
    match text.map(time::parse) {
        Some(end) if end.is_none_or(|end| end <= ctx.platform.now()) => invalid(NO_END),
        _ => Ok(()),
    }
}
