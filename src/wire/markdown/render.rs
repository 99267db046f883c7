//! The HTML of blocks and of what is in them: the only place where Markdown becomes markup.

use super::{
    blocks::{Block, Container, Document},
    inlines::{self, Piece},
    links::Definitions,
    scan::after,
    table::{self, Align, Table},
};

/// The most elements of emphasis in one another: what is deeper has none.
const MAX_EMPHASIS: usize = 8;

/// What Markdown takes from HTML: these stay what they are.
const ENTITIES: [&str; 5] = ["&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;"];

/// What ends one line and begins the next.
const BREAK: &str = "<br>\n";

/// A page that is being written.
struct Page<'a> {
    html: String,
    definitions: &'a Definitions,
    /// The bytes that addresses may still have that are defined once and used often.
    allowance: usize,
}

/// Writes a document, whose text has `length` bytes.
pub fn page(document: &Document, length: usize) -> String {
    let mut page = Page { html: String::new(), definitions: &document.definitions, allowance: length };
    // How each container ends, and whether paragraphs in it are lines of a tight list.
    let mut open = Vec::new();
    for block in &document.blocks {
        let tight = open.last().is_some_and(|(_, tight)| *tight);
        match block {
            Block::Open(container) => open.push(page.open(container, tight)),
            Block::Close => page.write(open.pop().map_or("", |(end, _)| end)),
            Block::Heading(level, text) => {
                let (start, end) = heading(*level);
                page.element(start, text, end);
            }
            Block::Paragraph(text) if tight => page.element("", text, "\n"),
            Block::Paragraph(text) => page.element("<p>", text, "</p>\n"),
            Block::Code(code) => {
                page.write("<pre><code>");
                page.escape(code, false);
                page.write("</code></pre>\n");
            }
            Block::Table(table) => page.table(table),
            Block::Rule => page.write("<hr>\n"),
        }
    }
    page.html
}

fn heading(level: usize) -> (&'static str, &'static str) {
    match level {
        1 => ("<h3>", "</h3>\n"),
        2 => ("<h4>", "</h4>\n"),
        3 => ("<h5>", "</h5>\n"),
        _ => ("<h6>", "</h6>\n"),
    }
}

impl Page<'_> {
    fn write(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn open(&mut self, container: &Container, tight: bool) -> (&'static str, bool) {
        let (start, end, tight) = match container {
            Container::Quote => ("<blockquote>\n", "</blockquote>\n", false),
            Container::Item => ("<li>", "</li>\n", tight),
            Container::List { start: None, loose } => ("<ul>\n", "</ul>\n", !loose),
            Container::List { start: Some(1), loose } => ("<ol>\n", "</ol>\n", !loose),
            Container::List { start: Some(number), loose } => {
                self.write("<ol start=\"");
                self.write(&number.to_string());
                ("\">\n", "</ol>\n", !loose)
            }
        };
        self.write(start);
        (end, tight)
    }

    fn element(&mut self, start: &str, text: &str, end: &str) {
        self.write(start);
        self.inlines(text);
        self.write(end);
    }

    fn table(&mut self, table: &Table) {
        self.write("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>\n");
        for (number, row) in table.rows.iter().enumerate() {
            if number == 1 {
                self.write("<tbody>\n");
            }
            let (name, end) = if number == 0 { ("<th", "</th>") } else { ("<td", "</td>") };
            self.write("<tr>");
            // A short row stays short: filled up, the page would be as large as the square of the text.
            for (align, cell) in table.columns.iter().zip(table::cells(row)) {
                self.write(name);
                self.write(match align {
                    Align::Start => ">",
                    Align::Center => " class=\"center\">",
                    Align::End => " class=\"end\">",
                });
                self.inlines(&cell.replace("\\|", "|"));
                self.write(end);
            }
            self.write(if number == 0 { "</tr>\n</thead>\n" } else { "</tr>\n" });
        }
        self.write(if table.rows.len() > 1 { "</tbody>\n</table></div>\n" } else { "</table></div>\n" });
    }

    fn inlines(&mut self, text: &str) {
        let inlines = inlines::parse(text, self.definitions, &mut self.allowance);
        let (mut depth, mut links) = (0, 0);
        // The link that is open: its number among those in one another, its address, and where its text begins.
        let mut link: Option<(usize, &str, usize)> = None;
        for piece in &inlines.pieces {
            match piece {
                Piece::Text(text) => self.escape(text, true),
                Piece::Escaped(text) => self.escape(text, false),
                Piece::Code(code) => self.code(code),
                Piece::Break => self.write(BREAK),
                Piece::Run(number) => {
                    let Some(run) = inlines.runs.get(*number) else { continue };
                    for marks in &run.closed {
                        self.emphasis(run.mark, *marks, false, &mut depth);
                    }
                    self.html.extend((0..run.left).map(|_| char::from(run.mark)));
                    for marks in run.opened.iter().rev() {
                        self.emphasis(run.mark, *marks, true, &mut depth);
                    }
                }
                Piece::Link(address) => {
                    links += 1;
                    // An image in a link is its text: links are in no others.
                    if link.is_none() && !address.is_empty() {
                        self.write("<a href=\"");
                        self.escape(address, false);
                        self.write("\" rel=\"nofollow ugc noopener noreferrer\">");
                        link = Some((links, address, self.html.len()));
                    }
                }
                Piece::LinkEnd => {
                    if let Some((_, address, start)) = link.take_if(|(number, ..)| *number == links) {
                        if self.html.len() == start {
                            self.escape(address, false);
                        }
                        self.write("</a>");
                    }
                    links -= 1;
                }
            }
        }
    }

    fn emphasis(&mut self, mark: u8, marks: u8, opens: bool, depth: &mut usize) {
        *depth += usize::from(opens);
        if *depth <= MAX_EMPHASIS {
            self.write(if opens { "<" } else { "</" });
            self.write(match (mark, marks) {
                (b'~', _) => "del>",
                (_, 2) => "strong>",
                _ => "em>",
            });
        }
        *depth -= usize::from(!opens);
    }

    /// Code in a line, without the blanks that keep its own ticks from those around it.
    fn code(&mut self, code: &str) {
        let code = code.replace('\n', " ");
        let inner = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
        let inner = inner.filter(|code| !code.trim().is_empty());
        self.write("<code>");
        self.escape(inner.unwrap_or(&code), false);
        self.write("</code>");
    }

    fn escape(&mut self, text: &str, entities: bool) {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"']) {
            let (plain, special) = rest.split_at(at);
            self.write(plain);
            let entity = ENTITIES.iter().find(|entity| entities && special.starts_with(**entity));
            let written = match (entity, special.as_bytes().first()) {
                (Some(entity), _) => *entity,
                (None, Some(b'&')) => "&amp;",
                (None, Some(b'<')) => "&lt;",
                (None, Some(b'>')) => "&gt;",
                _ => "&quot;",
            };
            self.write(written);
            rest = after(special, entity.map_or(1, |entity| entity.len()));
        }
        self.write(rest);
    }
}
