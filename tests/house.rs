//! The map as a test: who may lean on whom, and what must not be said in which room.

#[path = "support/sources.rs"]
mod sources;

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use sources::rust_files;

/// The rooms, and what each may use: a room, or one thing in it.
const ROOMS: [(&str, &[&str]); 13] = [
    ("refusal", &[]),
    ("domain", &["refusal"]),
    ("wire", &["domain", "refusal"]),
    // A database's answer is not there yet when it is asked.
    ("store", &["domain", "refusal", "index::Pending"]),
    (
        "index",
        &[
            "domain",
            "refusal",
            "store::Db",
            "store::Outcome",
            "store::Right",
            "store::Rows",
            "store::Statement",
            "store::Transaction",
            "store::rights",
        ],
    ),
    ("mail", &["domain", "store", "refusal", "index"]),
    ("auth", &["domain", "wire", "store", "refusal", "index", "mail"]),
    ("jobs", &["domain", "store", "refusal", "index", "mail"]),
    ("routes", &["domain", "refusal", "wire::Dialect"]),
    ("handlers", &["domain", "wire", "store", "refusal", "index", "auth", "mail", "jobs"]),
    ("api", &["handlers", "routes", "index", "wire", "refusal"]),
    ("serve", &["api", "routes", "handlers", "jobs", "index", "wire", "refusal"]),
    (
        "edge",
        &[
            "serve",
            "index",
            "wire",
            "refusal",
            "domain::logins::Logins",
            "domain::password::Verified",
            "domain::secret::hex",
            "store::Database",
            "store::Db",
            "store::Row",
            "store::Rows",
            "store::Statement",
            "store::Value",
            "store::db::Sleep",
        ],
    ),
];

/// Words that must not be in the code of a room, with the reason. An empty list means every room;
/// `!` before a room means every other.
const WORDS: [(&str, &[&str], &str); 6] = [
    ("worker", &["!edge"], "only edge stands on Cloudflare"),
    ("async", &["domain", "routes", "wire", "refusal"], "nothing waits here"),
    ("await", &["domain", "routes", "wire", "refusal"], "nothing waits here"),
    ("SystemTime::now", &[], "panics on wasm32: ask World::now"),
    ("Instant::now", &[], "panics on wasm32: ask World::millis"),
    ("unsafe", &[], "there is no need"),
];

/// Text is SQL when it begins with the first and has the second in it.
const SQL: [(&str, &str); 7] = [
    ("select ", " from "),
    ("insert into ", " "),
    ("update ", " set "),
    ("delete from ", " "),
    ("with ", " as ("),
    ("create ", "table "),
    ("pragma ", ""),
];

/// How an expression ends that `domain::secret::same` alone compares: `==` tells where two texts differ.
const SECRETS: [&str; 5] = ["reveal()", "mac", "signature", "password", "hash"];

/// Names that say nothing of what is in a file.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "manager", "service"];

/// Lines that a file may have: beyond that, it is two.
const MOST_LINES: usize = 400;

/// A source file, told apart into what is code and what is text.
struct Source {
    path: String,
    text: String,
    /// The text with blanks in place of comments, strings and characters.
    code: String,
    /// Strings, with the offset at which they begin.
    strings: Vec<(usize, String)>,
}

impl Source {
    fn read(path: &str, text: &str) -> Self {
        let mut source =
            Self { path: path.to_owned(), text: text.to_owned(), code: String::new(), strings: Vec::new() };
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let (length, string) = opaque(rest, source.code.chars().next_back());
            if let Some((from, to)) = string {
                source.strings.push((at, rest[from..to].to_owned()));
            }
            if length == 0 {
                let letter = rest.chars().next().map_or(1, char::len_utf8);
                source.code.push_str(&rest[..letter]);
                rest = &rest[letter..];
            } else {
                let blank = |letter: char| if letter == '\n' { "\n".to_owned() } else { " ".repeat(letter.len_utf8()) };
                source.code.extend(rest[..length].chars().map(blank));
                rest = &rest[length..];
            }
        }
        source
    }

    fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn place(&self, at: usize) -> String {
        let line = self.text[..at].matches('\n').count() + 1;
        format!("{}:{line}", self.path)
    }
}

/// The length of the comment, string or character at the beginning of `rest`, 0 if there is none, and
/// where its content is if it is a string. `before` is the letter before it.
fn opaque(rest: &str, before: Option<char>) -> (usize, Option<(usize, usize)>) {
    let in_word = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let until = |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (until(2, "*/"), None);
    }
    let hashes = rest.strip_prefix('r').map(|raw| raw.len() - raw.trim_start_matches('#').len());
    if let Some(hashes) = hashes.filter(|hashes| !in_word && rest[1 + hashes..].starts_with('"')) {
        let end = until(2 + hashes, &format!("\"{}", "#".repeat(hashes)));
        return (end, Some((2 + hashes, end - 1 - hashes)));
    }
    if rest.starts_with('"') {
        let end = closing(rest, '"');
        return (end, Some((1, end - 1)));
    }
    // A lifetime has no second quote behind its first letter.
    let character =
        rest.starts_with('\'') && (rest.starts_with("'\\") || rest.chars().nth(2).is_some_and(|letter| letter == '\''));
    (if character { closing(rest, '\'') } else { 0 }, None)
}

/// The length of a literal that begins with this quote and has escapes.
fn closing(rest: &str, quote: char) -> usize {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return at + 1;
        }
        if letter == '\\' {
            letters.next();
        }
    }
    rest.len()
}

/// Every path of the crate that the code names, without `crate::`, with its offset. A path from
/// `super` counts when it leads to a room.
fn paths(source: &Source) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for (start, root) in [("crate::", false), ("super::", true)] {
        for (at, _) in source.code.match_indices(start) {
            let before = source.code[..at].chars().next_back();
            let rest = &source.code[at + start.len()..];
            if before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_') {
                let mut found = Vec::new();
                tree(rest, "", &mut found);
                let of_a_room = |path: &String| ROOMS.iter().any(|(room, _)| within(path, room));
                paths.extend(found.into_iter().filter(|path| !root || of_a_room(path)).map(|path| (at, path)));
            }
        }
    }
    paths
}

/// The paths at the beginning of `rest` (`a::b`, or `{a, b::{c, d}}`), each behind `prefix`; gives what
/// follows them.
fn tree<'a>(rest: &'a str, prefix: &str, found: &mut Vec<String>) -> &'a str {
    let rest = rest.trim_start();
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            inside = inside.trim_start().trim_start_matches(',').trim_start();
            if inside.is_empty() {
                return inside;
            }
            if let Some(behind) = inside.strip_prefix('}') {
                return behind;
            }
            let left = tree(inside, prefix, found);
            // Nothing that a list of paths can hold: end here, and not never.
            inside = if left.len() == inside.len() { "" } else { left };
        }
    }
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '*');
    let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    if let Some(deeper) = behind.strip_prefix("::") {
        return tree(deeper, &path, found);
    }
    found.push(path);
    let alias = behind.trim_start().strip_prefix("as ");
    alias.map_or(behind, |alias| alias.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_'))
}

fn within(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What is wrong with a file, each with its place.
fn faults(source: &Source) -> Vec<String> {
    let mut faults = shape(source);
    // The list of the rooms itself leans on all of them.
    if source.path != "src/lib.rs" {
        faults.extend(leanings(source));
    }
    faults.extend(words(source));
    faults.extend(comparisons(source));
    faults.extend(sql(source));
    faults
}

fn shape(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = source.text.lines().count();
    if lines > MOST_LINES {
        faults.push(format!("{}: {lines} lines are more than {MOST_LINES}", source.path));
    }
    if !source.text.starts_with("//! ") {
        faults.push(format!("{}:1: does not say what is in the room (//!)", source.path));
    }
    let mut names = source.path.trim_end_matches(".rs").split('/');
    if let Some(name) = names.find(|name| EMPTY_NAMES.contains(name)) {
        faults.push(format!("{}: {name} is no name", source.path));
    }
    faults
}

fn leanings(source: &Source) -> Vec<String> {
    let room = source.room();
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{}: {room} is no room on the map", source.path)];
    };
    let wrong = |path: &str| !within(path, room) && !allowed.iter().any(|allowed| within(path, allowed));
    let found = paths(source).into_iter().filter(|(_, path)| wrong(path));
    found.map(|(at, path)| format!("{}: {room} leans on {path}", source.place(at))).collect()
}

fn words(source: &Source) -> Vec<String> {
    let room = source.room();
    let applies = |rooms: &[&str]| {
        let except = rooms.iter().any(|name| name.strip_prefix('!') == Some(room));
        rooms.is_empty() || rooms.contains(&room) || rooms.iter().any(|name| name.starts_with('!')) && !except
    };
    let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let mut faults = Vec::new();
    for (word, _, why) in WORDS.iter().filter(|(_, rooms, _)| applies(rooms)) {
        for (at, _) in source.code.match_indices(word) {
            let (before, behind) = (&source.code[..at], &source.code[at + word.len()..]);
            if !is_part(before.chars().next_back()) && !is_part(behind.chars().next()) {
                faults.push(format!("{}: {word}: {why}", source.place(at)));
            }
        }
    }
    faults
}

fn comparisons(source: &Source) -> Vec<String> {
    let code = source.code.split("#[cfg(test)]").next().unwrap_or_default();
    let part = |letter: char| letter.is_alphanumeric() || "_.()&*".contains(letter);
    let secret = |side: &str| SECRETS.iter().any(|secret| side.ends_with(secret));
    let compared =
        [" == ", " != "].iter().flat_map(|operator| code.match_indices(operator)).filter(|(at, operator)| {
            let right = &code[at + operator.len()..];
            secret(&code[..*at]) || secret(&right[..right.find(|letter| !part(letter)).unwrap_or(right.len())])
        });
    let derived = code.match_indices("PartialEq, Eq)]\npub struct Secret");
    compared.chain(derived).map(|(at, _)| format!("{}: a secret is compared with ==", source.place(at))).collect()
}

fn sql(source: &Source) -> Vec<String> {
    if source.room() == "store" {
        return Vec::new();
    }
    let is_sql = |text: &str| {
        let text = text.trim_start().to_lowercase();
        SQL.iter().any(|(start, has)| text.strip_prefix(start).is_some_and(|rest| format!(" {rest}").contains(has)))
    };
    let spoken = source.strings.iter().filter(|(_, text)| is_sql(text));
    spoken.map(|(at, _)| format!("{}: {} speaks SQL", source.place(*at), source.room())).collect()
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        Source::read(&name, &fs::read_to_string(&path).unwrap_or_default())
    };
    rust_files(&root.join(folder)).into_iter().map(read).collect()
}

fn list(faults: &[String]) -> String {
    faults.iter().fold(String::new(), |mut list, fault| {
        let _ = writeln!(list, "{fault}");
        list
    })
}

#[test]
fn every_room_keeps_to_itself() {
    let sources = sources("src");
    assert!(sources.len() > 20, "where is the house?");
    let faults = sources.iter().flat_map(faults).collect::<Vec<_>>();
    assert!(faults.is_empty(), "\n{}", list(&faults));
}

#[test]
fn tests_have_the_same_shape() {
    let faults = sources("tests").iter().flat_map(shape).collect::<Vec<_>>();
    assert!(faults.is_empty(), "\n{}", list(&faults));
}

#[test]
fn planted_breaches_are_found() {
    for (path, text, expected) in [
        ("src/domain/names.rs", "use crate::wire::Reply;", "src/domain/names.rs:2: domain leans on wire::Reply"),
        (
            "src/domain/names.rs",
            "use crate::{\n    domain::Role,\n    store::{Db, users},\n};",
            "leans on store::users",
        ),
        ("src/domain/mod.rs", "use super::wire::Reply;", "domain leans on wire::Reply"),
        ("src/domain/a.rs", "fn a() { crate::index::now() }", "domain leans on index::now"),
        ("src/domain/a.rs", "use crate::*;", "domain leans on *"),
        ("src/index.rs", "use crate::store::users;", "index leans on store::users"),
        ("src/store/users.rs", "use crate::index::{Pending, World};", "store leans on index::World"),
        ("src/serve.rs", "use crate::{refusal as r, store as s};", "serve leans on store"),
        ("src/edge/d1.rs", "use crate::store::users;", "edge leans on store::users"),
        ("src/api.rs", "use crate::store::users;", "api leans on store::users"),
        ("src/edge/d1.rs", "use crate::store::Dbs;", "edge leans on store::Dbs"),
        ("src/pantry.rs", "", "src/pantry.rs: pantry is no room on the map"),
        ("src/handlers/a.rs", "\nuse worker::Env;", "src/handlers/a.rs:3: worker: only edge"),
        ("src/domain/a.rs", "async fn a() {}", "domain/a.rs:2: async"),
        ("src/wire/a.rs", "fn a() { b().await }", "await: nothing waits"),
        ("src/edge/a.rs", "let t = std::time::SystemTime::now();", "SystemTime::now"),
        ("src/handlers/a.rs", "let q = \"select id from users\";", "handlers/a.rs:2: handlers speaks SQL"),
        ("src/handlers/a.rs", "let q = r#\"  DELETE FROM users\"#;", "speaks SQL"),
        ("src/handlers/a.rs", "let q = \"with a as (select 1) select 2\";", "speaks SQL"),
        ("src/domain/a.rs", "fn a() { if secret.reveal() == other {} }", "a.rs:2: a secret is compared"),
        ("src/domain/a.rs", "let bad = key.id != id && expected != parts.signature;", "a secret is compared"),
        ("src/domain/a.rs", "#[derive(Clone, PartialEq, Eq)]\npub struct Secret(String);", "a secret is compared"),
        ("src/handlers/helpers.rs", "", "helpers is no name"),
        ("src/wire/a.rs", &"\n".repeat(400), "401 lines are more than 400"),
    ] {
        let found = faults(&Source::read(path, &format!("//! A room.\n{text}")));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{text}: {found:?}");
    }
    let silent = faults(&Source::read("src/wire/a.rs", "use crate::domain::Role;"));
    assert_eq!(silent, ["src/wire/a.rs:1: does not say what is in the room (//!)"]);
}

#[test]
fn what_is_allowed_is_not_found() {
    for (path, text) in [
        ("src/domain/a.rs", "use crate::{domain::{Role, names::LIBRARY}, refusal::{Answer, invalid}};"),
        (
            "src/domain/a.rs",
            "// use crate::wire::Reply;\n/// See [`crate::wire`], and select id from users.\nfn a() {}",
        ),
        ("src/domain/a.rs", "pub(crate) mod a { use super::*; fn b<'a>(c: &'a str) -> char { '\"' } }"),
        ("src/domain/a.rs", "const WORDS: &str = \"async fn, crate::wire::Reply, SystemTime::now()\";"),
        ("src/store/a.rs", "use crate::index::Pending;\nconst Q: &str = \"select 1\";"),
        ("src/handlers/a.rs", "let s = \"select a user\\\"s name\".replace(\"a\", \"with care\"); asynchronous(); "),
        ("src/edge/a.rs", "use worker::Env;"),
    ] {
        let found = faults(&Source::read(path, &format!("//! A room.\n{text}")));
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}
