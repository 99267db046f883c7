//! No statement of the store does work in proportion to a table that grows: counted by `SQLite`
//! itself, at two sizes of which one is ten times the other.
//!
//! A plan does not tell: full text, `json_each` and an ordered walk over an index all print as SCAN.
//! What counts is the number of steps of the virtual machine, which is about the number of rows that
//! are looked at, whatever the depth of a tree is.

mod columns;
pub mod entry;
mod fill;
pub mod table;
mod values;

use std::{collections::BTreeSet, fs, path::Path};

use entry::Entry;
use hublet::store::{Query, Statement, users::User};
use rusqlite::{Connection, StatementStatus, params_from_iter};
use test_support::{sources::rust_files, sqlite::bound};

/// Repositories of the smaller truth, and documents of the smaller search: there are more of those
/// than one search looks at.
const REPOSITORIES: i64 = 300;
const DOCUMENTS: i64 = 3_000;

/// How much larger the larger one is.
const TIMES: i64 = 10;

/// What a statement did.
#[derive(Debug, Clone, Copy)]
struct Work {
    steps: i64,
    scanned: i64,
    /// Counts a whole tree, which is one step.
    counts: bool,
}

impl Work {
    /// Whether it is about as much as on a tenth of the rows. Trees split and lists differ by a few
    /// rows; a scan is ten times as much.
    fn about(self, smaller: Self) -> bool {
        let about = |more: i64, less: i64| more <= less * 3 / 2 + 150;
        about(self.steps, smaller.steps) && about(self.scanned, smaller.scanned) && !self.counts
    }
}

/// Runs statements as one batch, and undoes what they did.
fn measure(connection: &Connection, statements: &[Statement]) -> Vec<Work> {
    let transaction = connection.unchecked_transaction().unwrap();
    let works = statements.iter().map(|Statement { sql, values, .. }| {
        let mut prepared = connection.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        let mut rows = prepared.query(params_from_iter(values.iter().map(bound))).unwrap();
        while rows.next().unwrap_or_else(|error| panic!("{error}: {sql}")).is_some() {}
        drop(rows);
        let count = |status| i64::from(prepared.get_status(status));
        Work {
            steps: count(StatementStatus::VmStep),
            scanned: count(StatementStatus::FullscanStep),
            counts: counts(connection, sql),
        }
    });
    let works = works.collect();
    transaction.rollback().unwrap();
    works
}

fn counts(connection: &Connection, sql: &str) -> bool {
    let mut program = connection.prepare(&format!("explain {sql}")).unwrap();
    let operations = program.raw_query().mapped(|row| row.get::<_, String>("opcode"));
    operations.into_iter().any(|operation| operation.unwrap() == "Count")
}

/// The statements that do more where there is more, each with what it did.
fn scans(small: &Connection, large: &Connection, table: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    for Entry { name, statements, .. } in table {
        let pairs = measure(small, statements).into_iter().zip(measure(large, statements));
        for ((less, more), Statement { sql, values, .. }) in pairs.zip(statements) {
            if !more.about(less) {
                let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
                found.push(format!("{name}: {less:?}, then {more:?}\n  {sql:.300}\n  {values:.300?}"));
            }
        }
    }
    found
}

/// The functions of a source that build statements.
fn builders(module: &str, source: &str) -> Vec<String> {
    let signatures = source.split("\npub fn ").skip(1).filter_map(|rest| rest.split_once(" {")).map(|(head, _)| head);
    let builds = signatures.filter(|head| {
        head.rsplit("->")
            .next()
            .is_some_and(|gives| gives.contains("Statement") || gives.contains("Query<") || gives.contains("Step<"))
    });
    let name = |head: &str| head.split(['(', '<']).next().unwrap_or_default().to_owned();
    builds.map(|head| format!("{module}::{}", name(head))).collect()
}

#[test]
fn statements_do_constant_work() {
    let (small, large) = (fill::primary(REPOSITORIES), fill::primary(REPOSITORIES * TIMES));
    let mut found = scans(&small, &large, &table::primary());
    // With statistics the planner chooses anew, and must not choose a scan either.
    for connection in [&small, &large] {
        connection.execute_batch("analyze").unwrap();
    }
    found.extend(scans(&small, &large, &table::primary()));
    let (small, large) = (fill::search(DOCUMENTS), fill::search(DOCUMENTS * TIMES));
    found.extend(scans(&small, &large, &table::search()));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_function_of_the_store_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut there = BTreeSet::new();
    for file in rust_files(&folder) {
        // The files of a folder are one module, which has its name.
        let module = file.strip_prefix(&folder).unwrap().iter().next().unwrap().to_str().unwrap();
        there.extend(builders(module.trim_end_matches(".rs"), &fs::read_to_string(&file).unwrap()));
    }
    let tables = table::primary().into_iter().chain(table::search());
    let listed = tables.map(|entry| entry.name.to_owned()).collect::<BTreeSet<_>>();
    assert!(there.len() > 50, "where is the store?");
    assert_eq!(
        there.difference(&listed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "are not in tests/it/plans/table.rs"
    );
    assert_eq!(listed.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "are not in src/store");
}

#[test]
fn selected_columns_are_decoded() {
    let (truth, search) = (fill::primary(REPOSITORIES), fill::search(DOCUMENTS));
    let of = |connection: &Connection, table: Vec<Entry>| {
        table.iter().flat_map(|entry| columns::faults(connection, entry)).collect::<Vec<_>>()
    };
    let faults = [of(&truth, table::primary()), of(&search, table::search())].concat();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn planted_columns_are_found() {
    let truth = fill::primary(REPOSITORIES);
    let planted = |sql| entry::read("planted", Query::<Option<User>>::optional(Statement::new(sql)));
    let good =
        "select 1 user_id, 'a' user_name, 'person' kind, 'active' status, 0 administrator, null password, 1 epoch";
    assert_eq!(columns::faults(&truth, &planted(good)), Vec::<String>::new());
    for (sql, what) in [
        (
            "select 1 user_id, 'a' user_name, 'person' kind, 'active' status, 0 administrator, null password",
            "no column epoch",
        ),
        (
            "select 1 user_id, 'a' name, 'person' kind, 'active' status, 0 administrator, null password, 1 epoch",
            "no column user_name",
        ),
        (
            "select 1 user_id, 'a' user_name, 'person' kind, 'active' status, 0 administrator, null password, 1 epoch, 2 more",
            "nobody reads more",
        ),
        (
            "select 1 user_id, 'a' user_name, 'person' kind, '' kind, 'active' status, 0 administrator, null password, 1 epoch",
            "two columns of one name",
        ),
    ] {
        let faults = columns::faults(&truth, &planted(sql));
        assert!(faults.iter().any(|fault| fault.contains(what)), "{sql}: {faults:?}");
    }
}

#[test]
fn every_table_grows() {
    for (small, large) in [
        (fill::primary(REPOSITORIES), fill::primary(REPOSITORIES * TIMES)),
        (fill::search(DOCUMENTS), fill::search(DOCUMENTS * TIMES)),
    ] {
        for ((name, less), (_, more)) in fill::tables(&small).into_iter().zip(fill::tables(&large)) {
            // One row a task, one a migration, one a registry, and one notice; what the full text keeps of its own is its own affair.
            let own = ["progress", "d1_migrations", "reconcilers", "notices"].contains(&name.as_str())
                || ["terms_", "fragments_", "prefixes_", "trigrams_"].iter().any(|text| name.starts_with(text));
            assert!(own || less >= 30 && more >= less * (TIMES - 1), "{name}: {less} rows, then {more}");
        }
    }
}

#[test]
fn planted_scans_are_found() {
    let (small, large) = (fill::primary(REPOSITORIES), fill::primary(REPOSITORIES * TIMES));
    let found =
        |sql: &'static str| !scans(&small, &large, &[entry::write("planted", [Statement::new(sql)])]).is_empty();
    for scan in [
        "select id from users where password = 'hash5'",
        "select count(*) from images",
        "select name from repositories order by pull_count desc limit 1",
        "update repositories set star_count = 1 where star_count = 2",
        "delete from tags where digest = 'none'",
        "select 1 from json_each('[1]') j join users u on u.epoch + 1 = j.value limit 1",
    ] {
        assert!(found(scan), "{scan}");
    }
    for seek in [
        "select id from users where name = 'user5'",
        "select value from json_each('[1,2,3]')",
        "select full_name from repositories where full_name > 'user2' order by full_name limit 20",
    ] {
        assert!(!found(seek), "{seek}");
    }
    // A foreign key without an index: what is deleted is looked for in all that could belong to it.
    for connection in [&small, &large] {
        connection.execute_batch("drop index emails_by_user").unwrap();
    }
    assert!(found("delete from users where id = 5"));
}
