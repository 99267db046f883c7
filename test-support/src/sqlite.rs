//! A database over `SQLite` in memory: the engine that D1 runs, within the limits that D1 has.

use std::{cell::Cell, fs, path::Path};

use futures_util::future::LocalBoxFuture;

use hublet::{
    error::Fault,
    store::{Database, Row, Rows, Statement, Value},
};
use rusqlite::{Connection, StatementStatus, backup::Backup, limits::Limit, params_from_iter, types};

/// Where the migrations are, one folder for each database.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/store/migrations");

/// What D1 allows (its documentation, *Limits*), as far as the engine itself can hold us to it.
const LIMITS: [(Limit, i32); 5] = [
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
];

/// One database.
pub struct Sqlite {
    connection: Connection,
    steps: Cell<i64>,
    on_trial: Cell<bool>,
}

impl Sqlite {
    /// An empty database with the migrations of this folder.
    pub fn migrated(folder: &str) -> Result<Self, String> {
        let database = Self::open().map_err(|error| error.to_string())?;
        migrate(&database.connection, folder)?;
        database.limit().map_err(|error| error.to_string())?;
        Ok(database)
    }

    /// Another database with the same in it.
    pub fn copied(&self) -> rusqlite::Result<Self> {
        let mut copy = Self::open()?;
        Backup::new(&self.connection, &mut copy.connection)?.step(-1)?;
        copy.limit()?;
        Ok(copy)
    }

    fn open() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(512);
        Ok(Self { connection, steps: Cell::new(0), on_trial: Cell::new(false) })
    }

    /// From here on, all that is written can be undone by `end_trial`: cheaper than a copy, and one at a time.
    pub(crate) fn begin_trial(&self) -> rusqlite::Result<()> {
        assert!(!self.on_trial.replace(true), "the database is on trial already");
        self.savepoint("savepoint trial")
    }

    /// Undoes what was written since `begin_trial`.
    pub(crate) fn end_trial(&self) -> rusqlite::Result<()> {
        self.savepoint("rollback to trial")?;
        self.savepoint("release trial")?;
        self.on_trial.set(false);
        Ok(())
    }

    fn savepoint(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.raw_execute().map(|_| ())
    }

    /// How many steps of `SQLite`'s machine its statements took so far: about the rows that they looked at, and nothing of
    /// the clock.
    pub fn steps(&self) -> i64 {
        self.steps.get()
    }

    /// Only what the index says is limited: D1 runs migrations by another way.
    fn limit(&self) -> rusqlite::Result<()> {
        LIMITS.iter().try_for_each(|(limit, most)| self.connection.set_limit(*limit, *most).map(|_| ()))
    }

    /// The connection, for what is done beside the index.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    fn run(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Rows>> {
        // A transaction could not be within a trial; the outermost savepoint is one.
        self.savepoint("savepoint batch")?;
        let answers = statements.iter().map(|statement| self.answer(statement)).collect::<rusqlite::Result<_>>();
        if answers.is_err() {
            self.savepoint("rollback to batch")?;
        }
        self.savepoint("release batch")?;
        answers
    }

    fn answer(&self, Statement { sql, values, .. }: &Statement) -> rusqlite::Result<Rows> {
        let mut prepared = self.connection.prepare_cached(sql)?;
        let names = prepared.column_names().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let rows = prepared.query_map(params_from_iter(values.iter().map(bound)), |row| {
            let column = |(at, name): (usize, &String)| Ok((name.clone(), value(row.get_ref(at)?)));
            Ok(Row::new(names.iter().enumerate().map(column).collect::<rusqlite::Result<_>>()?))
        })?;
        let rows = rows.collect();
        self.steps.set(self.steps.get() + i64::from(prepared.reset_status(StatementStatus::VmStep)));
        rows
    }
}

/// The table in which wrangler records the migrations that it applied; the times of tests are all the same.
const APPLIED: &str = "create table d1_migrations (
    id integer primary key autoincrement, name text unique, applied_at timestamp default '2026-01-01' not null)";

/// Applies the migrations of this folder to an empty database, and records them, as wrangler does.
pub fn migrate(connection: &Connection, folder: &str) -> Result<(), String> {
    connection.execute_batch(APPLIED).map_err(|error| error.to_string())?;
    for file in migrations(folder)? {
        let failed = |error: String| format!("{}: {error}", file.display());
        let sql = fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        connection.execute_batch(&sql).map_err(|error| failed(error.to_string()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let record = "insert into d1_migrations (name) values (?1)";
        connection.execute(record, [&*name]).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

fn migrations(folder: &str) -> Result<Vec<std::path::PathBuf>, String> {
    let folder = Path::new(MIGRATIONS).join(folder);
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect::<Vec<_>>();
    files.sort();
    Ok(files)
}

/// D1 binds every number as a float; a column takes it for its integer, an expression does not.
#[allow(clippy::cast_precision_loss)]
#[must_use]
pub fn bound(value: &Value) -> types::Value {
    match value {
        Value::Null => types::Value::Null,
        Value::Integer(number) => types::Value::Real(*number as f64),
        Value::Text(text) => types::Value::Text(text.clone()),
        Value::Shared(text) => types::Value::Text(text.to_string()),
    }
}

/// Numbers come from D1 as floats as well, and only whole ones are ever stored.
#[allow(clippy::cast_possible_truncation)]
fn value(value: types::ValueRef<'_>) -> Value {
    match value {
        types::ValueRef::Null => Value::Null,
        types::ValueRef::Integer(number) => Value::Integer(number),
        types::ValueRef::Real(number) => Value::Integer(number as i64),
        types::ValueRef::Text(text) | types::ValueRef::Blob(text) => {
            Value::Text(String::from_utf8_lossy(text).into_owned())
        }
    }
}

impl Database for Sqlite {
    fn batch<'a>(&'a self, statements: &'a [Statement]) -> LocalBoxFuture<'a, Result<Vec<Rows>, Fault>> {
        Box::pin(async move {
            let two = statements.iter().find(|statement| statement.sql.trim_end().trim_end_matches(';').contains(';'));
            if let Some(two) = two {
                return Err(Fault::bug(format!("more than one statement: {}", two.sql)));
            }
            self.run(statements).map_err(|error| Fault::from_d1(&error.to_string()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_platform::block_on;

    fn count(database: &Sqlite) -> i64 {
        database.connection.query_row("select count(*) from namespaces", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn batch_is_all_or_nothing() {
        let database = Sqlite::migrated("db").unwrap();
        let insert = |name: &str| {
            Statement::new("insert into namespaces (name, created_at) values (?1, ?2) returning name, created_at")
                .bind(name)
                .bind(5)
        };
        let before = count(&database);
        assert!(block_on(database.batch(&[insert("acme"), insert("acme")])).is_err());
        assert_eq!(count(&database), before);
        let rows = block_on(database.batch(&[insert("acme"), insert("other")])).unwrap();
        assert_eq!((rows[1][0].get::<String>("name"), rows[1][0].get::<i64>("created_at")), ("other".into(), 5));
        assert_eq!(count(&database), before + 2);
    }

    #[test]
    fn limits_of_d1_are_enforced() {
        let database = Sqlite::migrated("db").unwrap();
        for sql in ["select 1; select 2", "select ?101", "select 1 where 'a' like printf('%51c', 'a')"] {
            assert!(block_on(database.batch(&[Statement::new(sql)])).is_err(), "{sql}");
        }
    }
}
