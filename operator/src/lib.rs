//! The operator's commands, as `npm run admin` runs them: one function each, which validates its words with the types of
//! `domain`, reads and writes through `store`, and gives what is printed.
//!
//! A command knows nothing of where the database is: [`run`] is given something that takes statements with bound values
//! and gives rows. In the tools that is `node:sqlite` or D1's REST API (`tools/lib/database.mjs`), in the tests `SQLite`.
//!
//! `CONTRIBUTING.md` has how a command is added.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what fails here is a failed test")
)]

mod access;
mod accounts;
mod after_restore;
pub mod command;
mod compromised;
mod emails;
pub mod export;
pub mod formats;
pub mod import;
mod log;
mod names;
#[cfg(target_arch = "wasm32")]
mod node;
mod operator;
mod passwords;
mod reconcilers;
mod removal;
mod repositories;
mod roles;
mod tokens;
mod words;

use std::rc::Rc;

use hublet::{
    error::{Error, ErrorKind, Fault, Refusal},
    store::{Database, Row, Value},
};

pub use operator::{Flags, Operator, Request};
pub use words::Words;

/// What a command gives.
pub type Result<T> = std::result::Result<T, Failure>;

/// What a command says when it has done what it was asked to do.
#[derive(Debug, Default)]
pub struct Output {
    /// Printed apart from the answer: a name that people could take for another one.
    pub warnings: Vec<String>,
    /// One line before the table, or nothing.
    pub headline: String,
    /// A table. Its column `command` has commands that can be typed.
    pub rows: Vec<Row>,
    /// Paragraphs after the table.
    pub notes: Vec<String>,
    /// Whether there may be more rows than these.
    pub is_full: bool,
    /// Whether the answer is a no, which is the exit code.
    pub denied: bool,
}

impl From<Vec<Row>> for Output {
    fn from(rows: Vec<Row>) -> Self {
        Self { rows, ..Self::default() }
    }
}

/// Why a command did nothing.
#[derive(Debug)]
pub enum Failure {
    /// What was typed is no command, or one of its words or settings is wrong.
    Invalid(String),
    /// The command is refused in this state of the database, which is as it was.
    Refused {
        /// Why.
        message: String,
        /// What must go first, with the commands that remove it.
        in_the_way: Vec<Row>,
    },
    /// The database failed.
    Fault(Fault),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Fault(fault) => Self::Fault(fault.clone()),
            ErrorKind::Refusal(Refusal::Invalid(reason)) => Self::Invalid(reason.to_string()),
            ErrorKind::Refusal(refusal) => Self::Invalid(format!("{refusal:?}")),
        }
    }
}

/// A limit of what is read that is never reached.
const ALL: i64 = u32::MAX as i64;

/// A refusal; [`run`] adds why, by the sentence of the command.
fn refused<T>() -> Result<T> {
    refuse("")
}

/// A refusal for this reason.
fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(Failure::Refused { message: message.into(), in_the_way: Vec::new() })
}

/// What is there, or a refusal.
fn require<T>(found: Option<T>) -> Result<T> {
    found.map_or_else(refused, Ok)
}

/// A failure with these words.
fn invalid<T>(message: impl Into<String>) -> Result<T> {
    Err(Failure::Invalid(message.into()))
}

/// A row of the table that is printed.
fn row<const N: usize>(columns: [(&str, Value); N]) -> Row {
    Row::new(columns.map(|(name, value)| (name.to_owned(), value)).into())
}

/// Runs the command that a request names.
pub async fn run(request: Request, database: Rc<dyn Database>) -> Result<Output> {
    let (command, mut words) = command::find(&request.words, request.flags.machine)?;
    let Flags { password_stdin, bcrypt_stdin, .. } = request.flags;
    if (password_stdin || bcrypt_stdin) && !command.takes_password {
        return invalid(format!("{} takes no password", command.name()));
    }
    if password_stdin && bcrypt_stdin {
        return invalid("standard input is a password or a bcrypt hash, not both");
    }
    let database_flag = request.database_flag.clone();
    let operator = Operator::new(request, database);
    let is_namespace = match words.host() {
        Some(name) => names::is_namespace(&operator, name.as_str()).await?,
        None => false,
    };
    let notice = words.resolve(is_namespace);
    match (command.run)(&operator, &words).await {
        Ok(output) => {
            let warnings = notice.into_iter().chain(output.warnings).collect();
            Ok(Output { warnings, rows: typed(output.rows, &database_flag), ..output })
        }
        Err(Failure::Refused { message, in_the_way }) => {
            let message = if message.is_empty() { words.named(command.refusal) } else { message };
            let message = match notice {
                Some(notice) => format!("{message} ({notice})"),
                None => message,
            };
            Err(Failure::Refused { message, in_the_way: typed(in_the_way, &database_flag) })
        }
        Err(failure) => Err(failure),
    }
}

/// Rows whose commands are as they are typed for the same database.
fn typed(rows: Vec<Row>, database_flag: &str) -> Vec<Row> {
    let column = |(name, value): (String, Value)| match value {
        Value::Text(text) if name == "command" && !text.is_empty() => (name, Value::Text(text + database_flag)),
        value => (name, value),
    };
    rows.into_iter().map(|row| Row::new(row.into_columns().into_iter().map(column).collect())).collect()
}
