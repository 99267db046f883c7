//! What Argon2id costs on this machine, for the benchmark to compare with.

use std::fs;

use argon2::{Algorithm, Argon2, Params, Version};

/// The kernel counts in hundredths of a second: over so many runs that is fine enough.
const RUNS: u32 = 20;

/// Milliseconds of processor that this process has used.
fn used() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = status.rsplit(") ").next()?.split(' ').skip(11);
    let mut next = || fields.next()?.parse::<u32>().ok();
    Some((next()? + next()?) * 10)
}

#[allow(clippy::unwrap_used, reason = "what fails here is no measurement")]
fn main() {
    let params = Params::new(19_456, 2, 1, Some(32)).unwrap();
    let argon2 = Argon2::new_with_secret(b"pepper", Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let before = used().unwrap();
    for _ in 0..RUNS {
        argon2.hash_password_into(b"correct horse", b"sixteen bytes of", &mut [0; 32]).unwrap();
    }
    println!("{:.1} ms", f64::from(used().unwrap() - before) / f64::from(RUNS));
}
