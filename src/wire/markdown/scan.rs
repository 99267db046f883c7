//! Runs of bytes at the beginning of a text: what every look ahead in Markdown is made of.

/// The bytes at the beginning of a text that are of a kind.
pub fn span(text: &str, of: fn(u8) -> bool) -> usize {
    let length = text.bytes().position(|byte| !of(byte)).unwrap_or(text.len());
    steps::add(length + 1);
    length
}

/// How often a byte is repeated at the beginning of a text.
pub fn run(text: &str, byte: u8) -> usize {
    let length = text.bytes().position(|other| other != byte).unwrap_or(text.len());
    steps::add(length + 1);
    length
}

/// What a text is after a number of its bytes: nothing where that is no boundary of it.
pub fn after(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

/// A part of a text, as `after`.
pub fn slice(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

/// What is a blank within a line.
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// What is of a word: letters and digits, and all that is not ASCII.
pub fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// The bytes to the first of two, of which neither is at a place where a backslash takes its meaning; `None` where the
/// second is met, or neither is.
pub fn closed(text: &str, end: u8, never: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        steps::add(1);
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == end => return Some(at),
            _ if byte == never => return None,
            _ => {}
        }
    }
    None
}

/// Counts the bytes that were looked at, for the test that holds them to the length of the text.
#[cfg(test)]
pub mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    /// Adds to them.
    pub fn add(number: usize) {
        STEPS.set(STEPS.get() + number);
    }

    /// Gives and forgets them.
    pub fn take() -> usize {
        STEPS.take()
    }
}

/// What is counted in tests alone.
#[cfg(not(test))]
pub mod steps {
    /// Counts nothing.
    pub const fn add(_: usize) {}
}
