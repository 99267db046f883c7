//! Feeds what libFuzzer makes up to the parsers; `npm run fuzz` builds and runs it.

#![no_main]

#[path = "../parsers/mod.rs"]
mod parsers;
#[path = "../../it/reading.rs"]
#[allow(dead_code, reason = "forgeries need more of it")]
mod reading;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::feed(bytes));
