//! The matrix as a table for people: what is the same for several is said once.

use std::{env, fmt::Write, fs, path::Path};

/// What one repository gives everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which repository: `public`, `private`, `missing`; empty where none is asked for.
    pub place: &'static str,
    /// In the order of the actors.
    pub cells: Vec<String>,
}

const BEGIN: &str = "<!-- The permission matrix: UPDATE=1 cargo test --test it matrix:: writes it. -->\n";
const END: &str = "<!-- The end of the permission matrix. -->\n";

/// The table. Actors with the same cells everywhere are one column; endpoints with the same cells are
/// one row.
pub fn table(labels: &[&str], rows: &[(String, Vec<Line>)]) -> String {
    let column = |at: usize| rows.iter().flat_map(move |(_, lines)| lines.iter().map(move |line| &line.cells[at]));
    let mut columns = Vec::<Vec<usize>>::new();
    for at in 0..labels.len() {
        match columns.iter_mut().find(|known| column(known[0]).eq(column(at))) {
            Some(known) => known.push(at),
            None => columns.push(vec![at]),
        }
    }
    let mut groups = Vec::<(Vec<&str>, &Vec<Line>)>::new();
    for (label, lines) in rows {
        match groups.iter_mut().find(|(_, known)| *known == lines) {
            Some((labels, _)) => labels.push(label),
            None => groups.push((vec![label], lines)),
        }
    }
    let head = columns.iter().map(|column| column.iter().map(|at| labels[*at]).collect::<Vec<_>>().join(", "));
    let head = head.collect::<Vec<_>>().join(" | ");
    let mut text = format!("| | repository | {head} |\n|---|---|{}\n", "---|".repeat(columns.len()));
    for (labels, lines) in groups {
        let mut said = Vec::<(Vec<&str>, &Vec<String>)>::new();
        for line in lines {
            match said.iter_mut().find(|(_, cells)| **cells == line.cells) {
                Some((places, _)) => places.push(line.place),
                None => said.push((vec![line.place], &line.cells)),
            }
        }
        for (at, (places, cells)) in said.iter().enumerate() {
            let endpoints = if at == 0 { labels.join("<br>") } else { String::new() };
            let place = if said.len() == 1 { String::new() } else { places.join(", ") };
            let cells = columns.iter().map(|column| cells[column[0]].as_str()).collect::<Vec<_>>().join(" | ");
            let _ = writeln!(text, "| {endpoints} | {place} | {cells} |");
        }
    }
    text
}

/// Compares the table of the manual with this one, or writes it there.
pub fn hold(table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/permissions.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("docs/permissions.md has no line {BEGIN}"));
    let (shown, behind) = rest.split_once(END).unwrap_or_else(|| panic!("docs/permissions.md has no line {END}"));
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, format!("{before}{BEGIN}\n{table}\n{END}{behind}")).unwrap();
        return;
    }
    for (shown, measured) in shown.trim().lines().zip(table.lines()) {
        assert_eq!(shown, measured, "docs/permissions.md differs; UPDATE=1 cargo test --test it matrix:: writes it");
    }
    assert_eq!(
        shown.trim(),
        table.trim(),
        "docs/permissions.md differs; UPDATE=1 cargo test --test it matrix:: writes it"
    );
}
