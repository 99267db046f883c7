//! Descriptions in Markdown, made of everything that means something there.

use std::cell::Cell;

use arbtest::{arbitrary::Unstructured, arbtest};
use serde_json::Value;

use super::parsers;

const HOSTILE: &str = include_str!("../../hostile-texts.json");

/// Cases, at least, and the most pieces of one.
const TEXTS: u64 = 3_000;
const MAX_PIECES: usize = 120;

/// Milliseconds after which it is looked whether they are made.
const A_WHILE: u64 = 300;

/// What means something in Markdown, or in the HTML that comes of it.
const PIECES: &str = "* ** *** _ __ ~~ ~ ` `` ``` ~~~ [ ] ![ ]( ) ( < > > >> - + 1. 2) 7. # ## ###### = === --- *** | |-| |:-: \\ \\| \\\n \
    ! : :// & &amp; &lt; &copy; &#60; \" ' a b c word é 漢 🦀 http://a https://b/c?d=e&f=g mailto:x@y.z <x@y.z> <https://a> [a]: \
    [a] [a][b] javascript: javascript:alert(1) data:text/html,x <script> </script> <img/src=x/onerror=y> <!-- --> <a/href=\"x\"> \
    ](javascript:x) ](http://x\"y) ](<http://z>) ](http://a(b)c) \"title\" 'title' \0 \u{202e} \u{feff}";

/// What is between them.
const BLANKS: [&str; 10] = ["", "", "", " ", " ", "\n", "\n", "\n\n", "    ", "\t"];

fn hostile() -> Vec<String> {
    let Ok(Value::Object(kinds)) = serde_json::from_str(HOSTILE) else { panic!("where are the hostile texts?") };
    let texts = kinds.into_iter().flat_map(|(_, texts)| match texts {
        Value::Array(texts) => texts,
        texts => texts.as_object().into_iter().flat_map(|texts| texts.values().cloned()).collect(),
    });
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// The parser that the letter names holds what comes out to its lists.
fn feed(text: &str) {
    parsers::feed(format!("u{text}").as_bytes());
}

#[test]
fn descriptions_become_known_markup() {
    let hostile = hostile();
    assert!(hostile.len() > 30, "where are the hostile texts?");
    for text in &hostile {
        feed(text);
    }
    let pieces = PIECES.split(' ').chain(hostile.iter().map(String::as_str)).collect::<Vec<_>>();
    let cases = Cell::new(0_u64);
    let property = |u: &mut Unstructured<'_>| {
        let mut text = String::new();
        for _ in 0..u.int_in_range(1..=MAX_PIECES)? {
            text.push_str(u.choose(&pieces)?);
            text.push_str(u.choose(&BLANKS)?);
        }
        feed(&text);
        cases.set(cases.get() + 1);
        Ok(())
    };
    while cases.get() < TEXTS {
        arbtest(property).budget_ms(A_WHILE);
    }
    println!("cases: {} descriptions", cases.get());
}
