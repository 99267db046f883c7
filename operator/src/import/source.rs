//! What an importer knows of another system: its accounts, and what each may do.

use serde::{Deserialize, Serialize};

use crate::import::actions::Actions;

/// A user of the other system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// As they log in there.
    pub name: String,
    /// What is stored of the password.
    pub hash: String,
}

/// What is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// A user, a repository, a line, a setting.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Refused {
    /// This, for this reason.
    #[must_use]
    pub fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { what: what.into(), reason: reason.into() }
    }
}

/// What there is, before any of it has a name here.
#[derive(Debug, Default)]
pub struct Accounts {
    /// Those with a password of their own.
    pub users: Vec<Account>,
    /// Whether a request without credentials may be granted something.
    pub anonymous: bool,
    /// Those that are not imported, and what is not read.
    pub refused: Vec<Refused>,
    /// What is not as the other system has it.
    pub notes: Vec<String>,
}

/// The rules of another system.
pub trait Rules {
    /// What an account may surely do in a repository; the account of a request without credentials has no name.
    fn allowed(&mut self, account: &str, repository: &str) -> Actions;
}

/// The rules of a file of passwords: every user may do everything.
pub struct Everything;

impl Rules for Everything {
    fn allowed(&mut self, account: &str, _: &str) -> Actions {
        if account.is_empty() { Actions::NONE } else { Actions::ALL }
    }
}
