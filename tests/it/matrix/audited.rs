//! What must be in the audit when it changes: who may do what, with which credential, and what was pushed.

use std::collections::BTreeMap;

use test_support::TestApp;

/// The columns that count of each table. Others tell how often and when something was used, and what people say of it.
const COUNTS: [(&str, &str); 11] = [
    ("users", "id, name, kind, status, administrator, password, epoch, machine_of"),
    ("emails", "id, user_id, key, confirmed_at, proved_at, chosen_at"),
    ("namespaces", "id, name, owner_id"),
    ("members", "namespace_id, user_id, role"),
    ("repositories", "id, full_name, private, deleted_at, pushed_at"),
    ("collaborators", "repository_id, user_id, role"),
    ("images", "repository_id, id, checksum"),
    ("tags", "repository_id, service, name, digest, deleted"),
    ("access_tokens", "id, uuid, user_id, hash, label, scopes, resources, is_active, expires_at"),
    ("refresh_tokens", "id, uuid, user_id"),
    ("notices", "id, text"),
];

/// What counts, and how many rows of the audit tell of a change.
#[derive(PartialEq, Eq)]
pub struct State {
    pub rows: BTreeMap<&'static str, String>,
    pub recorded: i64,
}

/// The state of an app. A login is recorded, refused or not, and changes nothing.
pub fn state(app: &TestApp) -> State {
    let ask = |sql: &str| -> String {
        app.db.connection().prepare_cached(sql).unwrap().query_row([], |row| row.get(0)).unwrap()
    };
    let rows = COUNTS.map(|(table, columns)| {
        (
            table,
            ask(&format!("select json_group_array(json_array({columns})) from (select * from {table} order by 1, 2)")),
        )
    });
    let recorded =
        ask("select cast(count(*) as text) from audit where action not in ('user.login', 'user.login.refuse')");
    State { rows: rows.into(), recorded: recorded.parse().unwrap() }
}

/// The tables in which two states differ.
pub fn difference(one: &State, other: &State) -> String {
    let changed = one.rows.iter().filter(|(table, rows)| other.rows.get(*table) != Some(rows));
    changed.map(|(table, _)| *table).collect::<Vec<_>>().join(", ")
}
