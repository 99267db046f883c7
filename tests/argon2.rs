//! What Argon2id costs on this machine, for the benchmark to compare with.

use argon2::{Algorithm, Argon2, Params, Version};

/// Runs to take the best of.
const RUNS: usize = 10;

#[test]
#[ignore = "it measures: `npm run bench` runs it"]
#[allow(clippy::disallowed_methods)]
fn a_hash_at_the_default_parameters() {
    let params = Params::new(19_456, 2, 1, Some(32)).unwrap();
    let argon2 = Argon2::new_with_secret(b"pepper", Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let hash = |_| {
        let begun = std::time::Instant::now();
        argon2.hash_password_into(b"correct horse", b"sixteen bytes of", &mut [0; 32]).unwrap();
        begun.elapsed().as_secs_f64() * 1000.0
    };
    let mut times = (0..RUNS).map(hash).collect::<Vec<_>>();
    times.sort_by(f64::total_cmp);
    println!("{:.1} ms", times[RUNS / 2]);
}
