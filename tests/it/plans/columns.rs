//! What a statement gives and what is read of it are the same columns: each statement is prepared, and rows of its column
//! names are decoded. A column that is read and not there is found, whatever the rows of a database would have been, and
//! so is one that is there and read by nobody.

#![allow(clippy::indexing_slicing, reason = "what is out of bounds here is a failed test")]

use std::collections::BTreeSet;

use hublet::store::{Row, Value};
use rusqlite::Connection;

use super::entry::Entry;

/// What a column may hold, in the order in which it is tried: first what is there, so that everything optional is read.
fn candidates() -> [Value; 7] {
    [
        Value::Integer(1),
        Value::Text("read".into()),
        Value::Text("[]".into()),
        Value::Text("{}".into()),
        Value::Text("password".into()),
        Value::Text(String::new()),
        Value::Null,
    ]
}

/// What is wrong with the columns of an entry.
pub fn faults(connection: &Connection, entry: &Entry) -> Vec<String> {
    let mut faults = Vec::new();
    for (position, decode) in &entry.decoders {
        let sql = entry.statements[*position].sql;
        let prepared = connection.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        let columns = prepared.column_names().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let named = columns.iter().collect::<BTreeSet<_>>();
        if named.len() < columns.len() {
            faults.push(format!("{}: two columns of one name: {columns:?}", entry.name));
        }
        let fault = |row: &[(String, Value)]| decode(vec![Row::new(row.to_vec())]).err().map(|fault| fault.what);
        let mut tried = vec![0; columns.len()];
        let candidates = candidates();
        let row = loop {
            let values = tried.iter().map(|tried| candidates[*tried].clone());
            let row = columns.iter().cloned().zip(values).collect::<Vec<_>>();
            let Some(what) = fault(&row) else { break Some(row) };
            // `column name is not a text`: another value, while there is one.
            let mistyped = what.strip_prefix("column ").and_then(|rest| rest.split(' ').next());
            let at = mistyped.and_then(|name| columns.iter().position(|column| column == name));
            match at {
                Some(at) if tried[at] + 1 < candidates.len() => tried[at] += 1,
                _ => {
                    faults.push(format!("{}: {what}; it gives {columns:?}", entry.name));
                    break None;
                }
            }
        };
        // A row of one value, or one that is only counted, has no names.
        let Some(row) = row.filter(|row| row.len() > 1) else { continue };
        for (at, column) in columns.iter().enumerate() {
            let mut without = row.clone();
            without.remove(at);
            if fault(&without).is_none() {
                faults.push(format!("{}: nobody reads {column}", entry.name));
            }
        }
    }
    faults
}
