//! The operator's commands in this process: the crate that `npm run admin` runs.

use std::rc::Rc;

use hublet::store::Value;
use hublet_operator::{Failure, Operator, Request, command::COMMANDS};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};

use crate::{
    app::{PASSWORD_COST, PEPPER},
    fake_platform::block_on,
    page::fresh_suffix,
    sqlite::Sqlite,
};

/// What a command says: the rows it prints, and its link, where it has one.
#[derive(Debug, Default)]
pub struct Said {
    /// The line before the rows.
    pub headline: String,
    /// A row a line, with two spaces between columns.
    pub rows: Vec<String>,
    /// What is printed apart from the answer.
    pub warnings: Vec<String>,
    /// Paragraphs after the rows.
    pub notes: Vec<String>,
    /// To choose a password; or the line with the token of a reconciler.
    pub link: String,
    /// Whether the answer is a no.
    pub denied: bool,
}

/// Runs a command such as `grant paul`; one that is refused changes nothing.
pub fn run(database: &Rc<Sqlite>, words: &str, now: i64) -> Result<Said, String> {
    run_with(database, words, now, "on")
}

/// The same where `ANONYMOUS_READ` is set.
pub fn run_with(database: &Rc<Sqlite>, words: &str, now: i64, anonymous_read: &str) -> Result<Said, String> {
    let request = request(words, now, anonymous_read).map_err(|error| error.to_string())?;
    let output =
        block_on(hublet_operator::run(request, Rc::clone(database) as Rc<_>)).map_err(|failure| match failure {
            Failure::Refused { message, .. } => format!("{words} was refused: {message}"),
            Failure::Invalid(message) => format!("{words}: {message}"),
            Failure::Fault(fault) => format!("{words}: {}", fault.what),
        })?;
    let printed = |(_, value): &(String, Value)| match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Shared(text) => text.to_string(),
    };
    let row = |row: &hublet::store::Row| row.columns().iter().map(printed).collect::<Vec<_>>().join("  ");
    let line = |word: &str| output.notes.iter().find_map(|note| note.lines().find(|line| line.contains(word)));
    let link = line("/account/password#").or_else(|| line("HUBLET_RECONCILER_TOKEN="));
    Ok(Said {
        headline: output.headline,
        rows: output.rows.iter().map(row).collect(),
        link: link.unwrap_or_default().to_owned(),
        warnings: output.warnings,
        notes: output.notes.clone(),
        denied: output.denied,
    })
}

/// What a step of an import is given, with random bytes for its users.
pub fn operator(database: &Rc<Sqlite>, now: i64, anonymous_read: &str) -> Result<Operator, String> {
    let request = request("", now, anonymous_read).map_err(|error| error.to_string())?;
    let random = (0..100).flat_map(|_| Sha256::digest(fresh_suffix())).collect();
    Ok(Operator::new(Request { random, ..request }, Rc::clone(database) as Rc<_>))
}

/// What was typed, with standard input after ` < `. A flag has a value unless it is one that is there or not, and one that may be repeated all of them.
fn request(line: &str, now: i64, anonymous_read: &str) -> serde_json::Result<Request> {
    const VALUED: [&str; 5] = ["since", "days", "name", "actor", "token"];
    const LISTED: [&str; 2] = ["scope", "resource"];
    let (line, input) = line.split_once(" < ").map_or((line, None), |(line, input)| (line, Some(input)));
    let (mut words, mut flags) = (Vec::new(), Map::new());
    let mut left = line.split_whitespace();
    while let Some(word) = left.next() {
        match word.strip_prefix("--") {
            Some(flag) if LISTED.contains(&flag) => {
                let list = flags.entry(flag).or_insert_with(|| json!([]));
                let value = left.next().unwrap_or_default().trim_matches('\'');
                list.as_array_mut().into_iter().for_each(|list| list.push(value.into()));
            }
            Some(flag) if VALUED.contains(&flag) => drop(flags.insert(flag.into(), left.next().into())),
            Some(flag) => drop(flags.insert(flag.into(), true.into())),
            None => words.push(word),
        }
    }
    let random = (0..4).flat_map(|_| Sha256::digest(fresh_suffix()));
    let settings = json!({ "PASSWORD_PEPPER": PEPPER, "PASSWORD_COST": PASSWORD_COST, "ANONYMOUS_READ": anonymous_read,
            "SERVICES": "registry" });
    serde_json::from_value(json!({
        "words": words, "flags": flags, "now": now, "random": random.collect::<Vec<_>>(), "password": input,
        "origin": "http://127.0.0.1:8787", "settings": settings,
    }))
}

/// Every command: its usage, and whether it can be refused.
pub fn commands() -> impl Iterator<Item = (&'static str, bool)> {
    COMMANDS.iter().map(|command| (command.usage, !command.refusal.is_empty()))
}
