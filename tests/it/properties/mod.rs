//! Every parser of foreign bytes, fed with what the fuzzer has kept and with what is made of it anew; and the
//! whole index, fed with bodies that nobody should send.

mod descriptions;
#[path = "../../fuzz/parsers/mod.rs"]
mod parsers;

use std::{cell::Cell, fs};

use arbtest::{
    arbitrary::{Result, Unstructured},
    arbtest,
};
use serde_json::Value;
use test_support::client::TestClient;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus");
const DESCRIPTION: &str = include_str!("../../../src/openapi.json");

/// Cases that a test makes anew, at least.
const TEXTS: u64 = 2_000;
const BODIES: u64 = 1_000;

/// Milliseconds after which it is looked whether they are made.
const A_WHILE: u64 = 300;

/// What means something somewhere.
const WORDS: [&[u8]; 48] = [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b" ",
    b"  ",
    b"\t",
    b",",
    b", ",
    b":",
    b"=",
    b"\"",
    b"/",
    b"//",
    b"/..",
    b"%",
    b"%00",
    b"%2F",
    b"+",
    b"&",
    b"*",
    b"**",
    b"/**",
    b"-1",
    b"0",
    b"9223372036854775808",
    b"1e999",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"\\u0000",
    b"\\ud800",
    "é".as_bytes(),
    "\u{202e}".as_bytes(),
    b"Token ",
    b"Bearer ",
    b"access=write",
    b"signature=",
    b"repository=\"a/b\"",
    b"library/",
    b"2999-12-31T23:59:60Z",
    b"$argon2id$v=19$",
    b"hlp_",
    b".",
];

fn corpus() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(CORPUS).into_iter().flatten().filter_map(std::result::Result::ok);
    let mut files = entries
        .filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).ok()?)))
        .collect::<Vec<_>>();
    files.sort();
    files
}

/// Something that was kept, with a few pieces of it taken out, doubled, or put in.
fn altered(kept: &[u8], others: &[(String, Vec<u8>)], u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut bytes = kept.to_vec();
    for _ in 0..u.int_in_range(1..=6)? {
        let from = u.int_in_range(0..=bytes.len())?;
        let to = u.int_in_range(from..=bytes.len().min(from + 40))?;
        let piece = bytes[from..to].to_vec();
        let put = match u.int_in_range(0..=5)? {
            0 => Vec::new(),
            1 => [piece.as_slice(), &piece].concat(),
            2 => u.choose(&WORDS)?.to_vec(),
            3 => [*u.choose(&WORDS)?, piece.as_slice()].concat(),
            4 => piece.iter().map(|byte| byte ^ 1 << (from % 8)).collect(),
            _ => u.choose(others)?.1.clone(),
        };
        bytes.splice(from..to, put);
    }
    Ok(bytes)
}

#[test]
fn corpus_holds() {
    let corpus = corpus();
    assert!(corpus.len() > 40, "where is the corpus?");
    for (name, bytes) in &corpus {
        println!("{name}");
        parsers::feed(bytes);
    }
    println!("cases: {} texts of the corpus", corpus.len());
}

#[test]
fn parsers_hold_on_generated_texts() {
    let (corpus, cases) = (corpus(), Cell::new(0_u64));
    let property = |u: &mut Unstructured<'_>| {
        let letter = u.int_in_range(b'a'..=b'u')?;
        let kept = &u.choose(&corpus)?.1;
        let mut bytes = altered(kept, &corpus, u)?;
        // Mostly to the parser that it was kept for.
        if u.ratio(1, 4)? {
            bytes.insert(0, letter);
        }
        parsers::feed(&bytes);
        cases.set(cases.get() + 1);
        Ok(())
    };
    while cases.get() < TEXTS {
        arbtest(property).budget_ms(A_WHILE);
    }
    println!("cases: {} texts made of the corpus", cases.get());
}

/// The operations that take a body, each with one that is good.
fn operations() -> Vec<(String, String)> {
    let description = serde_json::from_str::<Value>(DESCRIPTION).unwrap_or_default();
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                let path =
                    path.replace("{namespace}", "paul").replace("{repository}", "app").replace("{username}", "jane");
                let body = if kind == "application/json" {
                    content["example"].to_string()
                } else {
                    "secret=x&password=y".into()
                };
                operations.push((format!("{} {path}", method.to_uppercase()), body));
            }
        }
    }
    operations
}

#[test]
fn generated_bodies_are_answered() {
    let mut client = TestClient::new().unwrap();
    let session = client.register("paul");
    client.register("jane");
    client.ask("PUT /v1/repositories/paul/app/", "paul:secret", "[]");
    let events = client.event_authorization("registry");
    let (operations, corpus, cases) = (operations(), corpus(), Cell::new(0_u64));
    assert!(operations.len() > 20, "where is the description?");
    let mut property = |u: &mut Unstructured<'_>| {
        let (request, good) = u.choose(&operations)?;
        let body = altered(good.as_bytes(), &corpus, u)?;
        let who = match request.as_str() {
            "POST /events" => &events,
            v1 if v1.contains("/v1/") => "paul:secret",
            _ => session.as_str(),
        };
        let response = client.ask(request, who, &String::from_utf8_lossy(&body));
        // Nothing here has mail.
        let known = response.status == 503 && request.ends_with(" /account/forgotten");
        assert!(response.status < 500 || known, "{request} {body:?}: {response:?}");
        cases.set(cases.get() + 1);
        Ok(())
    };
    while cases.get() < BODIES {
        arbtest(&mut property).budget_ms(A_WHILE);
    }
    println!("cases: {} bodies sent to the whole index", cases.get());
}
