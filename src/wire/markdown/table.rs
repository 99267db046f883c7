//! Tables as GFM has them: rows of cells between bars.

use super::scan::steps;

/// Where the text of a column stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    Start,
    Center,
    End,
}

/// A table: its columns, and the lines of its rows, of which the first is the head.
pub struct Table {
    pub columns: Vec<Align>,
    pub rows: Vec<String>,
}

/// The cells of a line. A bar after a backslash is none of the table, also in code.
pub fn cells(row: &str) -> impl Iterator<Item = &str> {
    let row = row.trim();
    let mut rest = Some(row.strip_prefix('|').unwrap_or(row));
    std::iter::from_fn(move || {
        let row = rest?;
        let mut escaped = false;
        let bar = row.bytes().position(|byte| {
            steps::add(1);
            let is_bar = byte == b'|' && !escaped;
            escaped = byte == b'\\';
            is_bar
        });
        let (cell, after) = bar.map_or((row, None), |bar| {
            let (cell, after) = row.split_at(bar);
            (cell, after.strip_prefix('|').filter(|after| !after.is_empty()))
        });
        rest = after;
        Some(cell.trim())
    })
}

/// The columns that a line below the head of a table gives it; none where it is another line.
pub fn columns(line: &str) -> Vec<Align> {
    if !line.contains('|') || !line.starts_with(['|', ':', '-']) {
        return Vec::new();
    }
    let align = |cell: &str| {
        let dashes = cell.strip_prefix(':').unwrap_or(cell);
        let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
        let is_delimiter = !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-');
        is_delimiter.then_some(match (cell.starts_with(':'), cell.ends_with(':')) {
            (true, true) => Align::Center,
            (false, true) => Align::End,
            _ => Align::Start,
        })
    };
    cells(line).map(align).collect::<Option<Vec<_>>>().unwrap_or_default()
}
