//! When an isolate computes its next password hash.

use std::cell::Cell;

/// Milliseconds from one Argon2 to the next: it takes 45 to 75, and the rest of the time serves other requests.
const HASH_INTERVAL_MS: u64 = 150;

/// Milliseconds that a request waits for its slot at most: 34 requests wait then.
pub const MAX_WAIT_MS: u64 = 5_000;

/// Spaces out password hashes. A slot is a point in time and no lock, so that a request that dies blocks no other.
#[derive(Debug, Default)]
pub struct HashPacer {
    next_slot_ms: Cell<u64>,
}

impl HashPacer {
    /// Reserves the next slot, longer by `extra_ms` than an Argon2 needs. Returns the milliseconds until it begins, or
    /// `None` if too many requests wait.
    #[must_use]
    pub fn reserve(&self, now_ms: u64, extra_ms: u64) -> Option<u64> {
        let begin = self.next_slot_ms.get().max(now_ms);
        let wait = begin - now_ms;
        if wait > MAX_WAIT_MS {
            return None;
        }
        self.next_slot_ms.set(begin + HASH_INTERVAL_MS + extra_ms);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_spaced_and_bounded() {
        let pacer = HashPacer::default();
        let waits = std::iter::from_fn(|| pacer.reserve(1000, 0)).collect::<Vec<_>>();
        assert_eq!(waits[..3], [0, 150, 300]);
        assert_eq!(waits.len(), 34);
        assert_eq!(pacer.reserve(1100, 0), Some(5000), "while requests wait");
        assert_eq!(pacer.reserve(60_000, 300), Some(0));
        assert_eq!(pacer.reserve(60_000, 0), Some(450));
    }
}
