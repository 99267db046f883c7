//! Every earlier version of the databases, filled and brought to today's: nothing of it is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use hublet::store::health;
use rusqlite::{Connection, params_from_iter, types::Value};

/// Where the migrations are, one folder for each database.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/migrations");

/// Rows that are put into each table.
const ROWS: usize = 5;

fn migrations(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("{MIGRATIONS}/{folder}")).unwrap();
    let mut files = entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    files
}

/// A column, as far as it says what may be in it.
struct Column {
    name: String,
    text: bool,
    optional: bool,
    generated: bool,
    /// The table and the column that it names a row of.
    parent: Option<(String, String)>,
    /// The only values that it may have.
    choice: Vec<String>,
}

struct Version {
    database: Connection,
}

impl Version {
    /// A database with these migrations.
    fn of(files: &[PathBuf]) -> Self {
        let database = Connection::open_in_memory().unwrap();
        database.pragma_update(None, "foreign_keys", true).unwrap();
        let version = Self { database };
        version.migrate(files);
        version
    }

    fn migrate(&self, files: &[PathBuf]) {
        for file in files {
            let sql = fs::read_to_string(file).unwrap();
            self.database.execute_batch(&sql).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let mut statement = self.database.prepare(sql).unwrap();
        let found = statement.query_map([], |row| row.get(0)).unwrap();
        found.map(Result::unwrap).collect()
    }

    /// The tables that hold what somebody put there; an index of words makes its own.
    fn tables(&self) -> Vec<String> {
        self.texts(
            "select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'",
        )
    }

    /// The tables, each after those of which it names rows, as far as that is possible.
    fn in_order(&self) -> Vec<String> {
        let mut left = self.tables().into_iter().collect::<BTreeSet<_>>();
        let mut order = Vec::new();
        while !left.is_empty() {
            let waits = |table: &String| {
                let needed = |column: &Column| !column.optional;
                let parents = self.columns(table).into_iter().filter(needed).filter_map(|column| column.parent);
                parents.into_iter().any(|(parent, _)| parent != *table && left.contains(&parent))
            };
            let next = left.iter().find(|table| !waits(table)).unwrap().clone();
            left.remove(&next);
            order.push(next);
        }
        order
    }

    fn columns(&self, table: &str) -> Vec<Column> {
        let definition = self.texts(&format!("select sql from sqlite_schema where name = '{table}'")).remove(0);
        let sql = format!(
            "select c.name, c.type = 'TEXT', c.\"notnull\" = 0 and c.pk = 0, c.type = 'INTEGER' and c.pk = 1
               and (select count(*) from pragma_table_info('{table}') where pk > 0) = 1, f.\"table\", f.\"to\"
             from pragma_table_info('{table}') c left join pragma_foreign_key_list('{table}') f on f.\"from\" = c.name
             order by c.cid"
        );
        let mut statement = self.database.prepare(&sql).unwrap();
        let columns = statement.query_map([], |row| {
            let name = row.get::<_, String>(0)?;
            let choice = choice(&definition, &name);
            let parent = row.get::<_, Option<String>>(4)?.zip(row.get::<_, Option<String>>(5)?);
            Ok(Column { name, text: row.get(1)?, optional: row.get(2)?, generated: row.get(3)?, parent, choice })
        });
        columns.unwrap().map(Result::unwrap).collect()
    }

    /// Rows in every table, with something in every column; those that name a table which is filled later
    /// get that in the end.
    fn fill(&self) {
        let order = self.in_order();
        for (at, table) in order.iter().enumerate() {
            let columns = self.columns(table);
            let later = |column: &Column| {
                column.parent.as_ref().is_some_and(|(parent, _)| !order.iter().take(at).any(|table| table == parent))
            };
            for row in 0..ROWS {
                let filled = |error| panic!("{table}: {error}");
                let now = columns.iter().filter(|column| !column.generated && !later(column)).collect::<Vec<_>>();
                let names = now.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
                let places = vec!["?"; now.len()].join(", ");
                let values = now.iter().map(|column| self.value(table, column, row));
                let sql = format!("insert into {table} ({names}) values ({places})");
                self.database.execute(&sql, params_from_iter(values)).unwrap_or_else(filled);
            }
        }
        for table in &order {
            for column in self.columns(table).iter().filter(|column| column.optional && column.parent.is_some()) {
                let named = &column.name;
                let sql = format!("update {table} set {named} = ?1 where rowid = ?2");
                for row in 0..ROWS {
                    let Ok(key) = self.nth(table, "rowid", row) else { break }; // it has no rowid, and was filled
                    self.database.execute(&sql, [self.value(table, column, row), key]).unwrap();
                }
            }
        }
    }

    fn value(&self, table: &str, column: &Column, row: usize) -> Value {
        match (&column.parent, column.choice.as_slice()) {
            (Some((parent, key)), _) => self.nth(parent, key, row).unwrap(),
            (None, []) if column.text => Value::Text(format!("{table} {} {row}", column.name)),
            (None, []) => Value::Integer(1_000 + i64::try_from(row).unwrap()),
            (None, choice) => {
                let chosen = choice.iter().cycle().nth(row).unwrap();
                chosen.parse().map_or_else(|_| Value::Text(chosen.clone()), Value::Integer)
            }
        }
    }

    /// One value of a table, counted from the newest row: the rows that migrations made are not ours.
    fn nth(&self, table: &str, column: &str, row: usize) -> rusqlite::Result<Value> {
        let sql = format!("select {column} from {table} order by {column} desc limit 1 offset {row}");
        self.database.query_row(&sql, [], |row| row.get(0))
    }

    /// Every row of a table, as far as these columns go.
    fn rows(&self, table: &str, columns: &[String]) -> Vec<Vec<Value>> {
        let shown = columns.join(", ");
        let mut statement = self.database.prepare(&format!("select {shown} from {table} order by {shown}")).unwrap();
        let rows = statement.query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect());
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn schema(&self) -> Vec<String> {
        self.texts("select sql from sqlite_schema where sql is not null order by sql")
    }
}

/// What `check (column in (…))` allows.
fn choice(definition: &str, column: &str) -> Vec<String> {
    let after = definition.split_once(&format!("check ({column} in (")).map(|(_, rest)| rest);
    let list = after.and_then(|rest| rest.split(')').next()).unwrap_or_default();
    list.split(',').map(|word| word.trim().trim_matches('\'').to_owned()).filter(|word| !word.is_empty()).collect()
}

/// Fills each earlier version and brings it to today's; gives how many rows were found again.
fn upgraded(folder: &str, holds: impl Fn(&Connection)) -> usize {
    let files = migrations(folder);
    let newest = Version::of(&files).schema();
    let mut found = 0;
    for count in 1..=files.len() {
        let (earlier, later) = files.split_at(count);
        let version = Version::of(earlier);
        version.fill();
        let columns = |table: &String| version.columns(table).into_iter().map(|column| column.name).collect::<Vec<_>>();
        let tables = version.tables().into_iter().map(|table| (table.clone(), columns(&table)));
        let tables = tables.collect::<BTreeMap<_, _>>();
        let rows = |table: &String, columns| version.rows(table, columns);
        let before = tables.iter().map(|(table, columns)| rows(table, columns)).collect::<Vec<_>>();
        version.migrate(later);
        for ((table, columns), before) in tables.iter().zip(before) {
            assert!(before.len() >= ROWS, "{table} at {count}");
            assert_eq!(rows(table, columns), before, "{table}, from version {count}");
            found += before.len();
        }
        assert_eq!(version.schema(), newest, "from version {count}");
        assert_eq!(version.texts("select \"table\" from pragma_foreign_key_check"), Vec::<String>::new());
        assert_eq!(version.texts("pragma integrity_check"), ["ok"]);
        holds(&version.database);
    }
    found
}

#[test]
fn upgrade_keeps_the_primary_database() {
    let found = upgraded("db", |database| {
        // What `fill` made of the column, where it was there, is not looked at.
        let nameless = "select count(*) from repositories r join namespaces n on n.id = r.namespace_id
                        where r.full_name <> n.name || '/' || r.name and r.full_name not like 'repositories full_name%'";
        assert_eq!(database.query_row(nameless, [], |row| row.get(0)), Ok(0), "catalogs go by full names");
    });
    println!("cases: {found} rows after upgrades of DB");
}

#[test]
fn upgrade_keeps_search_results() {
    let found = upgraded("search", |database| {
        for (index, word) in [("terms", "documents"), ("trigrams", "doc")] {
            database
                .execute(&format!("insert into {index} ({index}, rank) values ('integrity-check', 1)"), [])
                .unwrap();
            let matches = format!("select count(*) from {index} where {index} match '{word}'");
            assert_eq!(database.query_row(&matches, [], |row| row.get::<_, i64>(0)), Ok(5));
        }
    });
    println!("cases: {found} rows after upgrades of SEARCH");
}

#[test]
fn newest_migrations_are_those_of_the_folders() {
    for (folder, named) in [("db", health::NEWEST_MIGRATION), ("search", health::NEWEST_SEARCH_MIGRATION)] {
        let newest = migrations(folder).pop().unwrap();
        assert_eq!(newest.file_name().unwrap(), named, "src/store/health.rs names the newest migration");
    }
}

#[test]
fn previous_version_finds_todays_rows() {
    let search = Version::of(&migrations("search"));
    // It takes what stands below zero for private.
    let found = |range: &str| -> i64 {
        let sql = format!(
            "select count(*) from (select rowid from terms where terms match ?1 and rowid {range} order by rowid desc) t
             cross join documents d on d.standing = t.rowid"
        );
        search.database.query_row(&sql, ["named : (\"abb\")"], |row| row.get(0)).unwrap()
    };
    let written = "insert into documents (id, revision, name, last, words, description, visibility, star_count, pushed_at, folded)
                   values (1, 1, 'alice/rabbit', 'rabbit', ' alice rabbit ', 'White', 'pub', 0, 1, 'white')";
    search.database.execute_batch(written).unwrap();
    assert_eq!((found(">= 0"), found("< 0")), (1, 0));
    search.database.execute_batch("update documents set visibility = 'prv', revision = 2 where id = 1").unwrap();
    assert_eq!((found(">= 0"), found("< 0")), (0, 1));
}
