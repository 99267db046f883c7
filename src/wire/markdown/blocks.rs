//! The blocks of a text in Markdown, line by line: a list of what begins and ends, which is never deeper than a maximum.

use std::mem;

use super::{
    line::Line,
    links::{self, Definitions},
    scan::{after, run, steps},
    starts::{self, Item, Start},
    table::{self, Table},
};

/// The most quotes, lists and items that are open at once; a marker below them is text.
const MAX_DEPTH: usize = 24;

/// A part of a page.
pub enum Block {
    /// What other blocks are in, to the end of it.
    Open(Container),
    /// The end of the innermost container.
    Close,
    /// A heading with its level, from 1.
    Heading(usize, String),
    Paragraph(String),
    Code(String),
    Table(Table),
    Rule,
}

/// What has blocks in it.
pub enum Container {
    Quote,
    List {
        /// The first number, where it has numbers.
        start: Option<u32>,
        /// Whether there are blank lines between its items, or in them.
        loose: bool,
    },
    Item,
}

/// A container that is not ended yet.
enum Open {
    Quote,
    /// Where it is among the blocks, and the mark after or before its items.
    List {
        at: usize,
        mark: u8,
    },
    /// The columns of its marker, and where its first block is.
    Item {
        width: usize,
        at: usize,
    },
}

/// A block of lines that is not ended yet.
#[derive(Default)]
enum Leaf {
    #[default]
    None,
    Paragraph(String),
    /// Code between fences: the fence, the columns before it, the lines.
    Fence {
        mark: u8,
        length: usize,
        indent: usize,
        code: String,
    },
    /// Indented code, and the blank lines after it, which count only if more follows.
    Indented {
        code: String,
        blank: String,
    },
    /// A comment of HTML, which is not for readers.
    Comment,
    Table(Table),
}

/// The blocks of a text, and the addresses that it defines.
#[derive(Default)]
pub struct Document {
    pub blocks: Vec<Block>,
    pub definitions: Definitions,
    open: Vec<Open>,
    leaf: Leaf,
    /// After a blank line: the first of the open containers to which it belongs.
    blank: Option<usize>,
}

/// Reads a text.
pub fn parse(text: &str) -> Document {
    let mut document = Document::default();
    for line in text.lines() {
        document.line(Line::new(line));
    }
    document.close_to(0);
    document.end_leaf();
    document
}

impl Document {
    fn line(&mut self, mut line: Line<'_>) {
        let mut matched = self.matching(&mut line);
        if line.is_blank() {
            return self.blank_line(line, matched);
        }
        if matched == self.open.len() && (self.continues(&mut line) || self.begins_table(&line)) {
            return;
        }
        while let Some(start) = self.start(&line, matched) {
            match start {
                Start::Quote => {
                    self.begin(matched, None);
                    self.push(Container::Quote, Open::Quote);
                    line.take(1);
                    line.skip(1);
                }
                Start::Item(item) => {
                    self.begin(matched, Some(item.mark));
                    self.item(&item, &mut line);
                }
                leaf => return self.leaf(&leaf, line, matched),
            }
            matched = self.open.len();
            if line.is_blank() {
                return;
            }
        }
        self.text(line.text(), matched);
    }

    /// How many of the open containers a line continues; their markers are taken from it.
    fn matching(&self, line: &mut Line<'_>) -> usize {
        for (number, open) in self.open.iter().enumerate() {
            steps::add(1);
            let continues = match open {
                Open::Quote if line.indent() < 4 && line.text().starts_with('>') => {
                    line.take(1);
                    line.skip(1);
                    true
                }
                Open::Quote => false,
                Open::List { .. } => true,
                // An item that begins with a blank line ends at the second one.
                Open::Item { at, .. } if line.is_blank() => *at < self.blocks.len() || !matches!(self.leaf, Leaf::None),
                Open::Item { width, .. } => {
                    let continues = line.indent() >= *width;
                    if continues {
                        line.skip(*width);
                    }
                    continues
                }
            };
            if !continues {
                return number;
            }
        }
        self.open.len()
    }

    fn blank_line(&mut self, mut line: Line<'_>, matched: usize) {
        self.close_to(matched);
        match &mut self.leaf {
            Leaf::Fence { indent, code, .. } => {
                line.skip(*indent);
                return line.write(code);
            }
            Leaf::Indented { blank, .. } => {
                line.skip(4);
                line.write(blank);
            }
            Leaf::Comment => return,
            _ => self.end_leaf(),
        }
        let quote = self.open.iter().rposition(|open| matches!(open, Open::Quote));
        self.blank = Some(quote.map_or(0, |at| at + 1));
    }

    /// Whether a line belongs to the open block whatever is in it.
    fn continues(&mut self, line: &mut Line<'_>) -> bool {
        let text = line.text();
        match &mut self.leaf {
            Leaf::Fence { mark, length, indent, code } => {
                let closing = run(text, *mark);
                if line.indent() < 4 && closing >= *length && after(text, closing).trim().is_empty() {
                    self.end_leaf();
                } else {
                    line.skip(*indent);
                    line.write(code);
                }
                true
            }
            Leaf::Indented { code, blank } if line.indent() >= 4 => {
                code.push_str(&mem::take(blank));
                line.skip(4);
                line.write(code);
                self.blank = None;
                true
            }
            Leaf::Comment => {
                self.comment(text);
                true
            }
            _ => false,
        }
    }

    /// Whether a line makes the line before it the head of a table.
    fn begins_table(&mut self, line: &Line<'_>) -> bool {
        let Leaf::Paragraph(text) = &mut self.leaf else { return false };
        let columns = if line.indent() < 4 { table::columns(line.text()) } else { Vec::new() };
        let start = text.rfind('\n').map_or(0, |end| end + 1);
        if columns.is_empty() || table::cells(after(text, start)).len() != columns.len() {
            return false;
        }
        let rows = vec![text.split_off(start)];
        self.end_leaf();
        self.leaf = Leaf::Table(Table { columns, rows });
        true
    }

    /// What begins at a line, as far as that may be here.
    fn start<'a>(&self, line: &Line<'a>, matched: usize) -> Option<Start<'a>> {
        let in_paragraph = matches!(self.leaf, Leaf::Paragraph(_));
        let continued = in_paragraph && matched == self.open.len();
        let start = starts::of(line, in_paragraph, continued)?;
        match start {
            Start::Quote | Start::Item(_) if matched + 2 > MAX_DEPTH => None,
            // Lines that only look like the beginning of a list are often lines of a paragraph.
            Start::Item(Item { start, is_empty, .. }) if continued && (is_empty || start.unwrap_or(1) != 1) => None,
            start => Some(start),
        }
    }

    /// Begins, or is, a block without others in it.
    fn leaf(&mut self, start: &Start<'_>, mut line: Line<'_>, matched: usize) {
        if let Start::Underline(level) = *start {
            let Leaf::Paragraph(text) = mem::take(&mut self.leaf) else { return };
            let text = links::definitions(&text, &mut self.definitions);
            if text.is_empty() {
                self.text(line.text(), matched);
            } else {
                self.heading(level, text);
            }
            return;
        }
        self.begin(matched, None);
        match *start {
            Start::Heading(level, text) => self.heading(level, text),
            Start::Rule => self.blocks.push(Block::Rule),
            Start::Fence { mark, length } => {
                self.leaf = Leaf::Fence { mark, length, indent: line.indent(), code: String::new() };
            }
            Start::Comment => self.comment(after(line.text(), "<!--".len())),
            _ => {
                let mut code = String::new();
                line.skip(4);
                line.write(&mut code);
                self.leaf = Leaf::Indented { code, blank: String::new() };
            }
        }
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.blank = None;
        self.blocks.push(Block::Heading(level, text.trim().to_owned()));
    }

    /// A line of a comment, to its end; what is after that is text.
    fn comment(&mut self, text: &str) {
        steps::add(text.len());
        self.blank = None;
        self.leaf = match text.split_once("-->").map(|(_, rest)| rest.trim()) {
            None => Leaf::Comment,
            Some("") => Leaf::None,
            Some(rest) => Leaf::Paragraph(rest.to_owned()),
        };
    }

    /// A line of a paragraph or of a table.
    fn text(&mut self, text: &str, matched: usize) {
        let continued = matched == self.open.len();
        match &mut self.leaf {
            Leaf::Table(table) if continued => return table.rows.push(text.to_owned()),
            Leaf::Paragraph(paragraph) => {
                paragraph.push('\n');
                paragraph.push_str(text);
            }
            _ => {
                self.begin(matched, None);
                self.leaf = Leaf::Paragraph(text.to_owned());
            }
        }
        self.blank = None;
    }

    /// Ends what a new block ends, and makes the list loose in which it comes after a blank line.
    fn begin(&mut self, matched: usize, mark: Option<u8>) {
        self.close_to(matched);
        self.end_leaf();
        if matches!(self.open.last(), Some(Open::List { mark: other, .. }) if Some(*other) != mark) {
            self.close_to(self.open.len() - 1);
        }
        let Some(first) = self.blank.take() else { return };
        let inner = match self.open.last() {
            Some(Open::Item { at, .. }) if *at < self.blocks.len() => 2,
            Some(Open::List { .. }) => 1,
            _ => return,
        };
        let list = self.open.len() - inner;
        if let Some(Open::List { at, .. }) = self.open.get(list)
            && let Some(Block::Open(Container::List { loose, .. })) = self.blocks.get_mut(*at)
        {
            *loose |= list >= first;
        }
    }

    fn push(&mut self, container: Container, open: Open) {
        self.blocks.push(Block::Open(container));
        self.open.push(open);
    }

    fn item(&mut self, item: &Item, line: &mut Line<'_>) {
        if !matches!(self.open.last(), Some(Open::List { .. })) {
            let at = self.blocks.len();
            self.push(Container::List { start: item.start, loose: false }, Open::List { at, mark: item.mark });
        }
        let mut width = line.indent() + item.length;
        line.take(item.length);
        // Five columns of blanks are one, and indented code.
        let blanks = if line.is_blank() || line.indent() > 4 { 1 } else { line.indent() };
        line.skip(blanks);
        width += blanks;
        self.push(Container::Item, Open::Item { width, at: self.blocks.len() + 1 });
    }

    fn close_to(&mut self, number: usize) {
        while self.open.len() > number {
            self.end_leaf();
            self.open.pop();
            self.blocks.push(Block::Close);
        }
    }

    fn end_leaf(&mut self) {
        let block = match mem::take(&mut self.leaf) {
            Leaf::None | Leaf::Comment => return,
            Leaf::Fence { code, .. } | Leaf::Indented { code, .. } => Block::Code(code),
            Leaf::Table(table) => Block::Table(table),
            Leaf::Paragraph(text) => match links::definitions(&text, &mut self.definitions).trim() {
                "" => return,
                text => Block::Paragraph(text.to_owned()),
            },
        };
        self.blocks.push(block);
    }
}
