//! Back-off of password guesses: how long a name must wait after a number of failures.

/// From this refused password on, a name from one address waits.
pub const FREE_ATTEMPTS_PER_ADDRESS: i64 = 5;

/// Failed attempts on one user name, from any address, before back-off applies to all addresses. High on purpose:
/// anyone can trigger it to lock a user out.
pub const FREE_ATTEMPTS: i64 = 50;

/// The longest wait: 15 minutes.
pub const MAX_WAIT: i64 = 15 * 60;

/// How many times the wait is doubled.
pub const DOUBLINGS: i64 = 10;

/// Seconds after which failures no longer count: longer than any wait.
pub const FAILURE_TTL: i64 = 60 * 60;

/// Refused passwords so far, and when the last one was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: i64,
    /// Seconds since 1970.
    pub last_at: i64,
}

impl Failures {
    /// Seconds that are still to wait, when `free` failures cost nothing.
    fn retry_after(self, free: i64, now: i64) -> i64 {
        if self.count < free {
            return 0;
        }
        let doublings = (self.count - free).min(DOUBLINGS);
        let wait = (1 << doublings).min(MAX_WAIT);
        (self.last_at + wait - now).max(0)
    }
}

/// Seconds that this name must wait from this address: 0 when it may try.
#[must_use]
pub fn retry_after(from_address: Failures, from_anywhere: Failures, now: i64) -> i64 {
    from_address.retry_after(FREE_ATTEMPTS_PER_ADDRESS, now).max(from_anywhere.retry_after(FREE_ATTEMPTS, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_fifteen_minutes() {
        let after = |count| retry_after(Failures { count, last_at: 1000 }, Failures::default(), 1000);
        assert_eq!([4, 5, 6, 7, 14, 15, 1000].map(after), [0, 1, 2, 4, 512, 900, 900]);
        let anywhere = |count| retry_after(Failures::default(), Failures { count, last_at: 1000 }, 1000);
        assert_eq!([49, 50, 51].map(anywhere), [0, 1, 2]);
    }

    #[test]
    fn backoff_ends_and_failures_expire() {
        let ten = Failures { count: 10, last_at: 1000 };
        assert_eq!([1000, 1031, 1032].map(|now| retry_after(ten, Failures::default(), now)), [32, 1, 0]);
        let many = Failures { count: 99, last_at: 1000 };
        assert_eq!(retry_after(many, many, 1000 + FAILURE_TTL), 0);
    }
}
