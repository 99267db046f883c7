//! The operator's commands in this process: the SQL of `npm run admin`, with its parameters bound.

use std::fs;

use hublet::domain::secret::sha256_hex;
use rusqlite::{Connection, Row, Statement, types::Value};

use super::page::fresh_suffix;

/// Where the commands are: the first line of each is its usage, which names its parameters.
const COMMANDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/store/operator");

/// Where a file goes on with what is asked after a refusal.
const IN_THE_WAY: &str = "\n-- In the way:\n";

/// How far back `compromised` looks unless it is told, in seconds.
const SINCE: i64 = 7 * 24 * 60 * 60;

/// What a command says: the rows it prints, and its link, where it has one.
#[derive(Debug, Default)]
pub struct Said {
    /// A row a line, with two blanks between columns.
    pub rows: Vec<String>,
    /// To choose a password.
    pub link: String,
}

/// One of the commands.
#[derive(Debug)]
pub struct Command {
    /// As the help has it: `token UUID end`.
    pub usage: String,
    /// All of its file.
    pub text: String,
}

impl Command {
    /// Whether it can be refused.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.text.contains("\n-- Refused: ")
    }
}

/// All commands.
pub fn commands() -> Result<Vec<Command>, String> {
    let read = |entry: Result<fs::DirEntry, std::io::Error>| {
        let text = entry.and_then(|entry| fs::read_to_string(entry.path())).map_err(|error| error.to_string())?;
        let usage = text.lines().next().and_then(|line| line.strip_prefix("-- ")).unwrap_or_default().to_owned();
        Ok(Command { usage, text: text.split(IN_THE_WAY).next().unwrap_or_default().to_owned() })
    };
    fs::read_dir(COMMANDS).map_err(|error| error.to_string())?.map(read).collect()
}

/// Runs a command such as `grant paul`; one whose last statement has no row is refused, and changes nothing.
pub fn run(connection: &Connection, words: &str, now: i64) -> Result<Said, String> {
    let (mut values, mut since, mut flags) = (Vec::new(), now - SINCE, Vec::new());
    let mut words_left = words.split_whitespace();
    while let Some(word) = words_left.next() {
        match word {
            "--since" => since = now - ago(words_left.next().unwrap_or_default())?,
            word if word.starts_with("--") => flags.push(word.to_uppercase().replace('-', "_")),
            word => values.push(word),
        }
    }
    let (first, values) = values.split_first().ok_or("an operator says something")?;
    // What stands in brackets may be missing.
    let fits = |command: &Command| {
        let (name, parameters) = command.usage.split_once(' ').unwrap_or((&command.usage, ""));
        let parameters = parameters.split_whitespace().collect::<Vec<_>>();
        let least = parameters.iter().filter(|parameter| !parameter.starts_with('[')).count();
        name == *first && (least..=parameters.len()).contains(&values.len())
    };
    let command = commands()?.into_iter().find(fits).ok_or_else(|| format!("there is no command {words:?}"))?;
    let parameters = command.usage.split(' ').skip(1).map(|name| name.trim_matches(['[', ']'])).collect::<Vec<_>>();
    let given = |name: &str| parameters.iter().zip(values).find(|(known, _)| **known == name).map(|(_, value)| *value);
    let secret = fresh_suffix();
    let value = |parameter: &str| match parameter {
        ":NOW" => Value::Integer(now),
        ":MOST" => Value::Integer(1_000),
        ":SINCE" => Value::Integer(since),
        ":SECRET" | ":TOKEN" => Value::Text(sha256_hex(&secret)),
        ":UUID" => Value::Text(given("UUID").map_or_else(|| format!("uuid of {secret}"), str::to_owned)),
        ":LABEL" => Value::Text("made by the operator".to_owned()),
        ":SCOPES" => Value::Text(r#"["repo:read"]"#.to_owned()),
        ":KEY" => given("ADDRESS").map_or(Value::Null, |address| Value::Text(address.to_lowercase())),
        other if flags.iter().any(|flag| flag.strip_prefix("__") == other.strip_prefix(':')) => Value::Integer(1),
        other => given(other.trim_start_matches(':')).map_or(Value::Null, |value| Value::Text(value.to_owned())),
    };
    let rows = execute(connection, &command, value).map_err(|error| match error.to_string() {
        error if command.refuses() && error.contains("malformed JSON") => format!("{words} was refused"),
        error => format!("{words}: {error}"),
    })?;
    let links = command.text.contains(":SECRET");
    let link = if links { format!("http://127.0.0.1:8787/account/password#{secret}") } else { String::new() };
    Ok(Said { rows, link })
}

/// Reads `36h` or `7d`.
fn ago(text: &str) -> Result<i64, String> {
    let read = |number: &str, unit: i64| number.parse::<i64>().ok().map(|number| number * unit);
    let hours = text.strip_suffix('h').and_then(|number| read(number, 3_600));
    let days = text.strip_suffix('d').and_then(|number| read(number, 86_400));
    hours.or(days).ok_or_else(|| format!("{text:?} is neither hours nor days"))
}

/// Runs the statements of a command, all or nothing; gives the rows of the last `select`. Behind all stands the statement
/// that fails where there are none, as tools/lib/operator.mjs puts it there.
fn execute(connection: &Connection, command: &Command, value: impl Fn(&str) -> Value) -> rusqlite::Result<Vec<String>> {
    let statements = command.text.split_inclusive(";\n").collect::<Vec<_>>();
    let tells = |statement: &&&str| {
        let first = statement.lines().find(|line| !line.starts_with("--") && !line.is_empty()).unwrap_or_default();
        first.starts_with("select") || first.starts_with("with")
    };
    let last = statements.iter().rfind(tells).copied().unwrap_or_default();
    // Dropped without commit, it rolls back.
    let transaction = connection.unchecked_transaction()?;
    let mut rows = Vec::new();
    for sql in &statements {
        let answer = answered(connection, sql, &value)?;
        if *sql == last {
            rows = answer;
        }
    }
    if command.refuses() {
        let last = last.trim_end().trim_end_matches(';');
        answered(connection, &format!("select json(iif(exists ({last}\n), 'true', 'refused'))"), &value)?;
    }
    transaction.commit()?;
    Ok(rows)
}

fn answered(connection: &Connection, sql: &str, value: impl Fn(&str) -> Value) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    bind(&mut statement, value)?;
    let columns = statement.column_count();
    let printed = |row: &Row<'_>| {
        let cells = (0..columns).map(|at| {
            Ok(match row.get::<_, Value>(at)? {
                Value::Null => String::new(),
                Value::Integer(number) => number.to_string(),
                Value::Real(number) => number.to_string(),
                Value::Text(text) => text,
                Value::Blob(_) => "(bytes)".to_owned(),
            })
        });
        Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join("  "))
    };
    statement.raw_query().mapped(printed).collect()
}

fn bind(statement: &mut Statement<'_>, value: impl Fn(&str) -> Value) -> rusqlite::Result<()> {
    for at in 1..=statement.parameter_count() {
        let bound = statement.parameter_name(at).map(&value);
        statement.raw_bind_parameter(at, bound)?;
    }
    Ok(())
}
