//! Where the databases have texts that a page shows, and how a test puts its own there.

use std::collections::BTreeSet;

use test_support::{TestApp, sqlite::Sqlite};

/// A column, the condition of the rows that get the text, and what it becomes of the text `?1`.
type Place = (&'static str, &'static str, &'static str, &'static str);

/// A text of its own for each row, where no two may be the same.
const UNIQUE: &str = "?1 || ' ' || id";

/// The row of a push stays as the registry reported it: by it a tag has its credential.
const NOT_A_PUSH: &str = "action <> 'repo.tag.push'";

/// What pages show.
const SHOWN: [Place; 39] = [
    ("access_tokens", "label", "true", "?1"),
    ("access_tokens", "scopes", "true", "json_array(?1)"),
    ("access_tokens", "resources", "true", "json_array(json_object('path', ?1))"),
    ("audit", "actor", NOT_A_PUSH, "?1"),
    ("audit", "address", NOT_A_PUSH, "?1"),
    ("audit", "credential", NOT_A_PUSH, "?1"),
    ("audit", "name", NOT_A_PUSH, "?1"),
    ("audit", "data", NOT_A_PUSH, "json_object('tag', ?1, 'role', ?1, 'user', ?1, 'reason', ?1)"),
    ("deletions", "repository", "tag = '1.1'", "'olga/' || ?1"),
    ("deletions", "requested_by", "true", "?1"),
    ("deletions", "refusal", "true", "?1"),
    ("deletions", "service", "true", "?1"),
    ("deletions", "tag", "true", UNIQUE),
    ("emails", "address", "true", "?1"),
    ("index_images", "os", "true", "?1"),
    ("index_images", "architecture", "true", "?1"),
    ("index_images", "variant", "true", "?1"),
    ("manifests", "digest", "id in (select image_id from index_images)", UNIQUE),
    ("manifests", "platform", "id not in (select image_id from index_images)", "json_object('os', ?1)"),
    ("namespaces", "name", "name = 'acme'", "?1"),
    ("notices", "text", "true", "?1"),
    ("refresh_tokens", "address", "true", "?1"),
    ("refresh_tokens", "client", "true", "?1"),
    ("refresh_tokens", "label", "true", "?1"),
    ("refusals", "actions", "true", "?1"),
    ("refusals", "address", "true", "?1"),
    ("refusals", "reason", "true", "?1"),
    ("refusals", "repository", "true", "?1"),
    ("refusals", "username", "true", "?1"),
    ("repositories", "description", "true", "?1"),
    ("repositories", "full_description", "true", "?1"),
    ("repositories", "full_name", "name = 'other'", "'olga/' || ?1"),
    ("repositories", "name", "name = 'other'", "?1"),
    ("tags", "digest", "name = '1.2'", "?1"),
    ("tags", "media_type", "true", "?1"),
    ("tags", "pushed_by", "name = '1.2'", "?1"),
    ("tags", "name", "name = '1.2'", "?1"),
    ("users", "name", "name in ('mira', 'olga-two')", "'zz' || ?1 || id"),
    ("documents", "description", "true", "?1"),
];

/// What no page shows: secrets by their hashes, words of a fixed list, what finds a row.
const NOT_SHOWN: [&str; 41] = [
    "access_tokens.created_by",
    "access_tokens.creator_ip",
    "access_tokens.creator_ua",
    "access_tokens.expires_text",
    "access_tokens.hash",
    "access_tokens.previous_hash",
    "access_tokens.uuid",
    "audit.action",
    "clients.kind",
    "collaborators.role",
    "deletions.digest",
    "documents.folded",
    "documents.last",
    "documents.name",
    "documents.visibility",
    "documents.words",
    "emails.key",
    "events.id",
    "events.service",
    "failures.address",
    "failures.name",
    "images.checksum",
    "images.id",
    "links.hash",
    "manifests.labels",
    "manifests.service",
    "members.role",
    "notices.written_by",
    "progress.task",
    "reconcilers.hash",
    "reconcilers.service",
    "refresh_tokens.hash",
    "refresh_tokens.kind",
    "refresh_tokens.uuid",
    "retired_names.name",
    "tags.service",
    "tombstones.name",
    "users.kind",
    "users.password",
    "users.status",
    "d1_migrations.name",
];

fn database(app: &TestApp, table: &str) -> std::rc::Rc<Sqlite> {
    if table == "documents" { app.search.clone() } else { app.db.clone() }
}

/// The mark by which a column's text is found on a page.
pub fn mark(table: &str, column: &str) -> String {
    format!("in {table}-{}", column.replace('_', "-"))
}

/// The marks of all columns that pages show.
pub fn marks() -> impl Iterator<Item = String> {
    SHOWN.iter().map(|(table, column, ..)| mark(table, column))
}

/// Puts a text into every column that a page shows, each with its mark.
pub fn put(app: &TestApp, text: &str) {
    app.db.connection().execute_batch("drop trigger if exists audit_is_append_only").unwrap();
    for (table, column, of, value) in SHOWN {
        let update = format!("update {table} set {column} = {value} where {of}");
        let put = database(app, table).connection().execute(&update, [format!("{text} {}", mark(table, column))]);
        assert!(put.as_ref().is_ok_and(|rows| *rows > 0), "{table}.{column}: {put:?}");
    }
    // A deletion waits for the tool of its registry.
    let same = "update reconcilers set service = (select service from deletions limit 1)";
    app.db.connection().execute_batch(same).unwrap();
}

#[test]
fn every_text_of_the_databases_is_listed() {
    let app = TestApp::new().unwrap();
    let sql = "select m.name || '.' || c.name from sqlite_schema m join pragma_table_info(m.name) c
       where m.type = 'table' and m.sql not like 'create virtual%' and m.name not like 'sqlite_%' and c.type = 'TEXT'
         and m.name not like 'terms_%' and m.name not like 'trigrams_%' and m.name not like 'fragments_%' and m.name not like 'prefixes_%'";
    let mut there = BTreeSet::new();
    for database in [&app.db, &app.search] {
        let mut columns = database.connection().prepare(sql).unwrap();
        there.extend(columns.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    let shown = SHOWN.iter().map(|(table, column, ..)| format!("{table}.{column}"));
    let listed = shown.chain(NOT_SHOWN.map(str::to_owned)).collect::<BTreeSet<_>>();
    assert_eq!(there.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "is a page to show it?");
    assert_eq!(listed.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "is in no table");
}
