//! The operator's commands in this process: the SQL of `npm run admin`, with its parameters bound.

use std::fs;

use hublet::domain::secret::sha256_hex;
use rusqlite::{Connection, Statement, types::Value};

use super::page::fresh_suffix;

/// Where the commands are: the first line of each is its usage, which names its parameters.
const COMMANDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/operator");

/// Runs a command such as `grant paul`, and gives the link that it prints for a user. A command
/// whose last statement has no row was refused.
pub fn run(connection: &Connection, words: &str, now: i64) -> Result<String, String> {
    let mut words = words.split_whitespace();
    let name = words.next().ok_or("an operator says something")?;
    let text = fs::read_to_string(format!("{COMMANDS}/{name}.sql")).map_err(|error| format!("{name}: {error}"))?;
    let usage = text.lines().next().and_then(|line| line.strip_prefix("-- ")).unwrap_or_default();
    let parameters = usage.split(' ').skip(1).collect::<Vec<_>>();
    let (flags, values) = words.partition::<Vec<_>, _>(|word| word.starts_with("--"));
    let flag =
        |parameter: &str| flags.iter().any(|flag| flag.to_uppercase().replace('-', "_") == format!("__{parameter}"));
    if parameters.len() != values.len() {
        return Err(format!("usage: {usage}"));
    }
    let secret = fresh_suffix();
    let value = |parameter: &str| match parameter {
        ":NOW" => Value::Integer(now),
        ":SECRET" => Value::Text(sha256_hex(&secret)),
        other if other.strip_prefix(':').is_some_and(flag) => Value::Integer(1),
        other => {
            let given = parameters.iter().zip(&values).find(|(name, _)| other.strip_prefix(':') == Some(**name));
            given.map_or(Value::Null, |(_, value)| Value::Text((*value).to_owned()))
        }
    };
    let rows = execute(connection, &text, value).map_err(|error| format!("{name}: {error}"))?;
    if rows == 0 && text.contains("-- Refused:") {
        return Err(format!("{name} was refused"));
    }
    Ok(if text.contains(":SECRET") {
        format!("http://127.0.0.1:8787/account/password#{secret}")
    } else {
        String::new()
    })
}

/// Runs the statements of a command, all or nothing; gives the number of rows of the last.
fn execute(connection: &Connection, sql: &str, value: impl Fn(&str) -> Value) -> rusqlite::Result<usize> {
    let transaction = connection.unchecked_transaction()?;
    let mut rows = 0;
    for sql in sql.split_inclusive(";\n") {
        let mut statement = connection.prepare(sql)?;
        bind(&mut statement, &value)?;
        let mut found = statement.raw_query();
        rows = 0;
        while found.next()?.is_some() {
            rows += 1;
        }
    }
    transaction.commit()?;
    Ok(rows)
}

fn bind(statement: &mut Statement<'_>, value: impl Fn(&str) -> Value) -> rusqlite::Result<()> {
    for at in 1..=statement.parameter_count() {
        let bound = statement.parameter_name(at).map(&value);
        statement.raw_bind_parameter(at, bound)?;
    }
    Ok(())
}
