//! Passwords that an isolate verified in the last minutes, so that each costs one Argon2.

use std::{cell::RefCell, collections::HashMap};

use crate::domain::keys::Key;

/// Seconds that a verified password is kept: a bound on the life of what memory holds. Revocation does not wait for it,
/// since the stored hash is read with every request.
const PASSWORD_CACHE_TTL: i64 = 5 * 60;

/// Milliseconds after which a verification that has not ended is taken for one that never will: its request may be gone.
const MAX_VERIFICATION_MS: u64 = 6_000;

/// Entries of a cache: each takes about 60 bytes.
const MAX_CACHED_PASSWORDS: usize = 1024;

/// The passwords that were verified in the last five minutes. Losing it costs time only.
pub struct PasswordCache {
    key: Key,
    until: RefCell<HashMap<[u8; 32], i64>>,
    /// What is being verified, with the milliseconds until which that is believed.
    underway: RefCell<HashMap<[u8; 32], u64>>,
}

impl PasswordCache {
    /// An empty cache under a random key, which never leaves the isolate.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Key::new(&key), until: RefCell::default(), underway: RefCell::default() }
    }

    /// Covers the stored hash too, so that a changed password is not in the cache.
    fn entry(&self, user: &str, password: &str, stored: &str) -> [u8; 32] {
        self.key.mac("verified password", &[user.as_bytes(), password.as_bytes(), stored.as_bytes()])
    }

    /// Whether this password was verified against this stored hash in the last five minutes.
    #[must_use]
    pub fn contains(&self, user: &str, password: &str, stored: &str, now: i64) -> bool {
        let until = self.until.borrow().get(&self.entry(user, password, stored)).copied();
        until.is_some_and(|until| now < until && until <= now + PASSWORD_CACHE_TTL)
    }

    /// Adds a password that was verified at `now`.
    pub fn insert(&self, user: &str, password: &str, stored: &str, now: i64) {
        let mut until = self.until.borrow_mut();
        if until.len() >= MAX_CACHED_PASSWORDS {
            until.retain(|_, until| now < *until);
        }
        if until.len() >= MAX_CACHED_PASSWORDS {
            until.clear();
        }
        until.insert(self.entry(user, password, stored), now + PASSWORD_CACHE_TTL);
    }

    /// Begins a verification, unless another request is verifying this password against this stored hash.
    #[must_use]
    pub fn begin(&self, user: &str, password: &str, stored: &str, now_ms: u64) -> bool {
        let entry = self.entry(user, password, stored);
        let mut underway = self.underway.borrow_mut();
        underway.retain(|_, until| now_ms < *until);
        if underway.contains_key(&entry) {
            return false;
        }
        underway.insert(entry, now_ms + MAX_VERIFICATION_MS);
        true
    }

    /// Ends a verification.
    pub fn end(&self, user: &str, password: &str, stored: &str) {
        self.underway.borrow_mut().remove(&self.entry(user, password, stored));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_expires_and_fits_one_login() {
        let cache = PasswordCache::new([9; 32]);
        cache.insert("paul", "toto42", "hash", 1000);
        assert!(cache.contains("paul", "toto42", "hash", 1299));
        assert!(!cache.contains("paul", "toto42", "hash", 1300));
        assert!(!cache.contains("paul", "toto42", "hash", 999), "the clock went back: the age is unknown");
        assert!(!cache.contains("paul", "toto42", "other hash", 1000));
        assert!(!cache.contains("paul", "toto43", "hash", 1000));
        assert!(!cache.contains("joan", "toto42", "hash", 1000));
    }

    #[test]
    fn one_verification_at_a_time() {
        let cache = PasswordCache::new([9; 32]);
        assert!(cache.begin("paul", "toto42", "hash", 1_000));
        assert!(!cache.begin("paul", "toto42", "hash", 1_001));
        assert!(cache.begin("paul", "toto43", "hash", 1_001), "another password");
        cache.end("paul", "toto42", "hash");
        assert!(cache.begin("paul", "toto42", "hash", 1_002));
        assert!(!cache.begin("paul", "toto42", "hash", 7_001));
        assert!(cache.begin("paul", "toto42", "hash", 7_002), "its request is gone");
        assert_eq!(cache.underway.borrow().len(), 1);
    }

    #[test]
    fn full_cache_drops_expired_entries_first() {
        let cache = PasswordCache::new([9; 32]);
        let insert = |users: std::ops::Range<usize>, now| {
            users.for_each(|user| cache.insert(&user.to_string(), "x", "y", now));
        };
        let contains = |user: usize, now| cache.contains(&user.to_string(), "x", "y", now);
        insert(0..1, 1000);
        insert(1..2, 1001);
        insert(2..MAX_CACHED_PASSWORDS, 1200);
        // There is room: no entry is dropped.
        assert_eq!(cache.until.borrow().len(), MAX_CACHED_PASSWORDS);
        // There is none: the first expires at 1300, the second one second later.
        insert(5000..5001, 1300);
        assert_eq!(cache.until.borrow().len(), MAX_CACHED_PASSWORDS);
        assert!(!contains(0, 1300) && contains(1, 1300) && contains(2, 1300) && contains(5000, 1300));
        // No entry has expired: all are dropped but the newest.
        insert(5001..5002, 1300);
        assert_eq!(cache.until.borrow().len(), 1);
        assert!(contains(5001, 1300) && !contains(5000, 1300));
    }
}
