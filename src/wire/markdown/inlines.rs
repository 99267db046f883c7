//! What is within a paragraph, a heading or a cell: code, emphasis, links. A text is read once, from its beginning to its
//! end; what could open something waits on a stack, and no part of the text is searched again.

use super::{
    emphasis::{self, Run},
    links::{self, Definitions},
    scan::{after, is_letter, run, slice, span, steps},
};

/// The most marks around code: a longer run of them is text.
const MAX_TICKS: usize = 32;

/// A part of a text.
pub enum Piece<'a> {
    Text(&'a str),
    /// What is text whatever it would be in HTML: a mark after a backslash.
    Escaped(&'a str),
    Code(&'a str),
    /// Marks of emphasis, by their number among the runs.
    Run(usize),
    /// The beginning of a link with its address, which is empty where the link leads nowhere.
    Link(String),
    LinkEnd,
    Break,
}

/// A bracket that may open a link.
struct Bracket {
    piece: usize,
    /// Where its text begins.
    text: usize,
    /// How many runs waited then.
    waiting: usize,
    is_image: bool,
    /// Whether there are other brackets in it, as in no label.
    is_nested: bool,
}

/// What a text was read into.
pub struct Inlines<'a> {
    text: &'a str,
    at: usize,
    /// Where the text begins that is in no piece yet.
    from: usize,
    pub pieces: Vec<Piece<'a>>,
    pub runs: Vec<Run>,
    /// The runs that may still be matched.
    waiting: Vec<usize>,
    brackets: Vec<Bracket>,
    /// How many of the brackets, from the first, are around a link and open no other.
    around: usize,
    /// Where the last run of each number of ticks is, once that is known.
    ticks: Option<[usize; MAX_TICKS]>,
    definitions: &'a Definitions,
}

/// Reads a text. What its definitions add to a page is taken from an allowance for the whole page, so that an address
/// that is written once is not repeated without end.
pub fn parse<'a>(text: &'a str, definitions: &'a Definitions, allowance: &mut usize) -> Inlines<'a> {
    let mut inlines = Inlines {
        text,
        at: 0,
        from: 0,
        pieces: Vec::new(),
        runs: Vec::new(),
        waiting: Vec::new(),
        brackets: Vec::new(),
        around: 0,
        ticks: None,
        definitions,
    };
    while let Some(byte) = text.as_bytes().get(inlines.at) {
        steps::add(1);
        match byte {
            b'\\' => inlines.backslash(),
            b'`' => inlines.code(),
            b'*' | b'_' | b'~' => inlines.run(*byte),
            b'[' => inlines.open(false),
            b'!' if inlines.rest().starts_with("![") => inlines.open(true),
            b']' => inlines.close(allowance),
            b'<' => inlines.autolink(links::bracketed(inlines.rest()), 1),
            b'h' => inlines.bare(),
            b'\n' => inlines.line_end(),
            _ => inlines.at += 1,
        }
    }
    inlines.piece(0, None);
    emphasis::pair(&mut inlines.runs, inlines.waiting);
    inlines.waiting = Vec::new();
    inlines
}

impl<'a> Inlines<'a> {
    fn rest(&self) -> &'a str {
        after(self.text, self.at)
    }

    /// Ends the text before this place, goes on by a number of bytes, and adds what they are.
    fn piece(&mut self, bytes: usize, piece: Option<Piece<'a>>) {
        let text = slice(self.text, self.from, self.at);
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
        self.pieces.extend(piece);
        self.at += bytes;
        self.from = self.at;
    }

    fn backslash(&mut self) {
        let next = after(self.rest(), 1);
        match next.bytes().next() {
            Some(b'\n') => self.piece(2, Some(Piece::Break)),
            Some(byte) if byte.is_ascii_punctuation() => {
                self.piece(2, Some(Piece::Escaped(slice(next, 0, 1))));
            }
            _ => self.at += 1,
        }
    }

    fn line_end(&mut self) {
        let text = slice(self.text, self.from, self.at);
        if text.ends_with("  ") {
            self.at = self.from + text.trim_end_matches(' ').len();
            let blanks = self.from + text.len() - self.at;
            self.piece(blanks + 1, Some(Piece::Break));
        } else {
            self.at += 1;
        }
    }

    fn code(&mut self) {
        let rest = self.rest();
        let length = run(rest, b'`');
        let text = self.text;
        let last = self.ticks.get_or_insert_with(|| last_ticks(text)).get(length).copied().unwrap_or(0);
        if last <= self.at {
            self.at += length;
            return;
        }
        let mut end = length;
        loop {
            let more = after(rest, end);
            let ticks = run(more, b'`');
            if ticks == length || more.is_empty() {
                break;
            }
            end += ticks;
            end += span(after(rest, end), |byte| byte != b'`');
        }
        let code = slice(rest, length, end);
        self.piece(end + length, Some(Piece::Code(code)));
    }

    fn run(&mut self, byte: u8) {
        let length = run(self.rest(), byte);
        let before = slice(self.text, 0, self.at).chars().next_back();
        let next = after(self.rest(), length).chars().next();
        let Some(run) = Run::of(byte, length, before, next) else {
            self.at += length;
            return;
        };
        self.piece(length, Some(Piece::Run(self.runs.len())));
        self.waiting.push(self.runs.len());
        self.runs.push(run);
    }

    fn open(&mut self, is_image: bool) {
        if let Some(outer) = self.brackets.last_mut() {
            outer.is_nested = true;
        }
        let mark = if is_image { "![" } else { "[" };
        self.piece(mark.len(), Some(Piece::Text(mark)));
        let (piece, waiting) = (self.pieces.len() - 1, self.waiting.len());
        self.brackets.push(Bracket { piece, text: self.at, waiting, is_image, is_nested: false });
    }

    fn close(&mut self, allowance: &mut usize) {
        let Some(bracket) = self.brackets.pop() else {
            self.at += 1;
            return;
        };
        let is_around = self.brackets.len() < self.around;
        self.around = self.around.min(self.brackets.len());
        let target = if is_around && !bracket.is_image { None } else { self.target(&bracket, allowance) };
        let Some((address, length)) = target else {
            self.at += 1;
            return;
        };
        self.piece(length + 1, Some(Piece::LinkEnd));
        if let Some(piece) = self.pieces.get_mut(bracket.piece) {
            *piece = Piece::Link(address);
        }
        emphasis::pair(&mut self.runs, self.waiting.split_off(bracket.waiting));
        if !bracket.is_image {
            self.around = self.brackets.len();
        }
    }

    /// Where the text in a bracket leads, and the bytes after it by which it does.
    fn target(&self, bracket: &Bracket, allowance: &mut usize) -> Option<(String, usize)> {
        let rest = after(self.rest(), 1);
        if let Some((address, length)) = links::inline(rest) {
            return Some((links::address(address), length));
        }
        let own = self.text.get(bracket.text..self.at).filter(|_| !bracket.is_nested);
        let (label, length) = match links::label(rest) {
            Some(("", length)) => (own?, length),
            Some(label) => label,
            None => (own?, 0),
        };
        let address = self.definitions.get(label)?;
        *allowance = allowance.checked_sub(address.len())?;
        Some((address.to_owned(), length))
    }

    /// A link whose text is its address, without the brackets around it.
    fn autolink(&mut self, found: Option<(String, usize)>, brackets: usize) {
        let Some((address, length)) = found else {
            self.at += 1;
            return;
        };
        self.piece(brackets, Some(Piece::Link(address)));
        self.at += length - 2 * brackets;
        self.piece(brackets, Some(Piece::LinkEnd));
    }

    fn bare(&mut self) {
        let before = self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
        let length = if before.is_some_and(|byte| is_letter(*byte)) { 0 } else { links::bare(self.rest()) };
        let address = self.rest().get(..length).filter(|address| !address.is_empty());
        self.autolink(address.map(|address| (address.to_owned(), length)), 0);
    }
}

/// Where the last run of each number of ticks is.
fn last_ticks(text: &str) -> [usize; MAX_TICKS] {
    let mut last = [0; MAX_TICKS];
    let mut at = 0;
    while at < text.len() {
        let length = run(after(text, at), b'`');
        if let Some(last) = last.get_mut(length) {
            *last = at;
        }
        at += length.max(1);
    }
    last
}
