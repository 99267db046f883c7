//! One line of Markdown, from which the markers of quotes and lists are taken one after the other.

use super::scan::{after, is_blank, span, steps};

/// Columns between the stops of a tab.
const TAB: usize = 4;

/// What is left of a line, and in which column it begins.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    rest: &'a str,
    column: usize,
    /// Columns of a tab of which only a part was taken.
    blanks: usize,
}

impl<'a> Line<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { rest: text, column: 0, blanks: 0 }
    }

    /// The columns of blanks at its beginning.
    pub fn indent(&self) -> usize {
        let start = self.column + self.blanks;
        let mut column = start;
        for byte in self.rest.bytes() {
            steps::add(1);
            match byte {
                b' ' => column += 1,
                b'\t' => column += TAB - column % TAB,
                _ => break,
            }
        }
        column - self.column
    }

    /// The text after these blanks.
    pub fn text(&self) -> &'a str {
        after(self.rest, span(self.rest, is_blank))
    }

    /// Whether there is no text.
    pub fn is_blank(&self) -> bool {
        self.text().is_empty()
    }

    /// Takes blanks, of a number of columns at most.
    pub fn skip(&mut self, mut columns: usize) {
        while columns > 0 {
            steps::add(1);
            if self.blanks == 0 {
                self.blanks = match self.rest.bytes().next() {
                    Some(b' ') => 1,
                    Some(b'\t') => TAB - self.column % TAB,
                    _ => return,
                };
                self.rest = after(self.rest, 1);
            }
            let taken = columns.min(self.blanks);
            self.blanks -= taken;
            self.column += taken;
            columns -= taken;
        }
    }

    /// Takes the blanks and a number of bytes after them.
    pub fn take(&mut self, bytes: usize) {
        self.column += self.indent() + bytes;
        self.blanks = 0;
        self.rest = after(self.text(), bytes);
    }

    /// Writes all that is left, as a line of code.
    pub fn write(&self, code: &mut String) {
        code.extend((0..self.blanks).map(|_| ' '));
        code.push_str(self.rest);
        code.push('\n');
    }
}
