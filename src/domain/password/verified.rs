//! What an isolate remembers of passwords, and whose turn it is to have one hashed.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use crate::domain::keys::Key;

/// How long a verified password is remembered, in seconds.
const REMEMBERED: i64 = 5 * 60;

/// How many verified passwords an isolate remembers.
const MOST_REMEMBERED: usize = 1024;

/// One Argon2 may begin every so many milliseconds: it takes 45 to 75, and the other half of the time
/// serves everything else.
const TURN: u64 = 150;

/// How long a request waits for its turn: some 34 are then waiting.
const MAX_WAIT: u64 = 5_000;

/// What an isolate remembers of passwords: which it verified lately, and when the next Argon2 may
/// begin. Losing it costs time only.
pub struct Verified {
    key: Key,
    until: RefCell<HashMap<[u8; 32], i64>>,
    next_turn: Cell<u64>,
}

impl Verified {
    /// An empty memory under a random key, which never leaves the isolate.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Key::new(&key), until: RefCell::default(), next_turn: Cell::default() }
    }

    /// Binds the stored hash too, so that a changed password is not remembered.
    fn name(&self, user: &str, password: &str, stored: &str) -> [u8; 32] {
        self.key.mac("verified password", &[user.as_bytes(), password.as_bytes(), stored.as_bytes()])
    }

    /// Whether this was verified in the last five minutes.
    #[must_use]
    pub fn knows(&self, user: &str, password: &str, stored: &str, now: i64) -> bool {
        let until = self.until.borrow().get(&self.name(user, password, stored)).copied();
        until.is_some_and(|until| now < until && until <= now + REMEMBERED)
    }

    /// Remembers that this was verified.
    pub fn remember(&self, user: &str, password: &str, stored: &str, now: i64) {
        let mut until = self.until.borrow_mut();
        if until.len() >= MOST_REMEMBERED {
            until.retain(|_, until| now < *until);
        }
        if until.len() >= MOST_REMEMBERED {
            until.clear();
        }
        until.insert(self.name(user, password, stored), now + REMEMBERED);
    }

    /// Takes a turn: how many milliseconds to sleep before the hash, or nothing when too many wait.
    /// A turn is a point in time and nothing more, so that a request that dies holds up nobody.
    #[must_use]
    pub fn turn(&self, now_millis: u64) -> Option<u64> {
        let begin = self.next_turn.get().max(now_millis);
        let wait = begin - now_millis;
        if wait > MAX_WAIT {
            return None;
        }
        self.next_turn.set(begin + TURN);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verified_password_is_remembered_for_five_minutes_and_for_one_hash() {
        let memory = Verified::new([9; 32]);
        memory.remember("paul", "toto42", "hash", 1000);
        assert!(memory.knows("paul", "toto42", "hash", 1299));
        assert!(!memory.knows("paul", "toto42", "hash", 1300));
        assert!(!memory.knows("paul", "toto42", "hash", 999), "the clock went back: how long ago it was is unknown");
        assert!(!memory.knows("paul", "toto42", "other hash", 1000));
        assert!(!memory.knows("paul", "toto43", "hash", 1000));
    }

    #[test]
    fn memory_is_bounded_and_what_is_over_goes_first() {
        let memory = Verified::new([9; 32]);
        let remember = |users: std::ops::Range<usize>, now| {
            users.for_each(|user| memory.remember(&user.to_string(), "x", "y", now));
        };
        let known = |user: usize, now| memory.knows(&user.to_string(), "x", "y", now);
        remember(0..1, 1000);
        remember(1..2, 1001);
        remember(2..MOST_REMEMBERED, 1200);
        // There is room, so that nobody looks for what is over.
        assert_eq!(memory.until.borrow().len(), MOST_REMEMBERED);
        // There is none: the first is over at 1300, the second a second later.
        remember(5000..5001, 1300);
        assert_eq!(memory.until.borrow().len(), MOST_REMEMBERED);
        assert!(!known(0, 1300) && known(1, 1300) && known(2, 1300) && known(5000, 1300));
        // And when nothing is over, all is forgotten but the latest.
        remember(5001..5002, 1300);
        assert_eq!(memory.until.borrow().len(), 1);
        assert!(known(5001, 1300) && !known(5000, 1300));
    }

    #[test]
    fn turns_are_apart_and_few_wait() {
        let memory = Verified::new([9; 32]);
        let waits = std::iter::from_fn(|| memory.turn(1000)).collect::<Vec<_>>();
        assert_eq!(waits[..3], [0, 150, 300]);
        assert_eq!(waits.len(), 34);
        assert_eq!(memory.turn(1100), Some(5000), "as long as anybody waits");
        assert_eq!(memory.turn(60_000), Some(0));
    }
}
