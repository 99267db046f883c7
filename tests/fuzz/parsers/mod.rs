//! Every parser of foreign bytes, with what must hold whatever they are fed: nothing panics, what is printed is read
//! as it was, and what is refused is not repeated where it could be a secret.

mod markdown;
mod tokens;
mod words;

type Parser = fn(&[u8]);

/// The parsers, from `a` on: the letter with which what is fed to them begins.
const PARSERS: [Parser; 21] = [
    tokens::authorization,
    tokens::repository,
    tokens::signed_repository,
    tokens::session,
    tokens::registry,
    tokens::opaque,
    tokens::stored_password,
    tokens::keys,
    tokens::certificates,
    words::path,
    words::query,
    words::scopes,
    words::images,
    words::events,
    words::cloud_event,
    words::names,
    words::limits,
    words::times,
    words::address,
    words::search,
    markdown::description,
];

/// Feeds bytes to the parser that their first letter names.
pub fn feed(bytes: &[u8]) {
    let Some((letter, rest)) = bytes.split_first() else { return };
    let at = usize::from(letter.wrapping_sub(b'a')) % PARSERS.len();
    if let Some(parser) = PARSERS.get(at) {
        parser(rest);
    }
}

/// The text that a header or a path is to those who read it: what is not UTF-8 does not reach them.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is fed, in two parts at the first line's end.
fn two(bytes: &[u8]) -> (String, String) {
    let all = text(bytes);
    let (first, second) = all.split_once('\n').unwrap_or((&all, ""));
    (first.to_owned(), second.to_owned())
}

/// What a secret holds that must not be seen: a message of ours has such a word by no chance.
const MARK: &str = "4dbeef7seen";

/// That a message does not repeat a secret.
fn keeps(message: &str) {
    assert!(!message.contains(MARK), "{message:?} tells");
}
