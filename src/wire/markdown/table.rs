//! Tables as GFM has them: rows of cells between bars.

use super::scan::{run, slice, steps};

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
pub fn cells(row: &str) -> Vec<&str> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let (mut cells, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, byte) in row.bytes().enumerate() {
        steps::add(1);
        if byte == b'|' && !escaped {
            cells.push(slice(row, start, at).trim());
            start = at + 1;
        }
        escaped = byte == b'\\';
    }
    // A bar may end the line.
    if start < row.len() || cells.is_empty() {
        cells.push(slice(row, start, row.len()).trim());
    }
    cells
}

/// The columns that a line below the head of a table gives it; none where it is another line.
pub fn columns(line: &str) -> Vec<Align> {
    if !line.contains('|') || !line.starts_with(['|', ':', '-']) {
        return Vec::new();
    }
    let mut columns = Vec::new();
    for cell in cells(line) {
        let dashes = cell.strip_prefix(':').unwrap_or(cell);
        let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
        if dashes.is_empty() || run(dashes, b'-') < dashes.len() {
            return Vec::new();
        }
        columns.push(match (cell.starts_with(':'), cell.ends_with(':')) {
            (true, true) => Align::Center,
            (false, true) => Align::End,
            _ => Align::Start,
        });
    }
    columns
}
