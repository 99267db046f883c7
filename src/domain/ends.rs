//! When an access token expires, and when its user is warned.

use crate::error::{Result, invalid};

/// Seconds in a day.
pub const DAY: i64 = 24 * 60 * 60;

/// Seconds that a user's token is valid if the request sets no end. A service account's has none.
pub const PERSON: i64 = 365 * DAY;

/// How many days before the end there is a warning, the first one first.
pub const WARNINGS: [i64; 3] = [30, 7, 1];

/// How long the earlier secret of a renewed token may stay valid beside the new one.
pub const MAX_OVERLAP: i64 = 7 * DAY;

/// When a token ends that is made or renewed now: as asked, else after the usual time, and never after more than
/// the operator allows.
pub fn end(asked: Option<i64>, usual: Option<i64>, most: Option<i64>, now: i64) -> Result<Option<i64>> {
    match (asked, most) {
        (Some(end), Some(most)) if end - now > most => {
            invalid(format!("expires_at: at most {} days from now", most / DAY))
        }
        (Some(end), _) => Ok(Some(end)),
        (None, _) => Ok(usual.into_iter().chain(most).min().map(|time| now + time)),
    }
}

/// The warnings that a token of this end never needs, as the fewest of their days: a token for a week is not followed
/// by a mail that it expires in a week.
#[must_use]
pub fn warned(end: Option<i64>, now: i64) -> Option<i64> {
    let end = end?;
    WARNINGS.into_iter().filter(|days| end - now <= days * DAY).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_requested_or_default_within_bounds() {
        assert_eq!(end(Some(50), Some(PERSON), None, 10), Ok(Some(50)));
        assert_eq!(end(None, Some(PERSON), None, 10), Ok(Some(10 + PERSON)));
        assert_eq!(end(None, None, None, 10), Ok(None));
        assert_eq!(end(None, None, Some(DAY), 10), Ok(Some(10 + DAY)));
        assert_eq!(end(None, Some(PERSON), Some(DAY), 10), Ok(Some(10 + DAY)));
        assert_eq!(end(None, Some(PERSON), Some(2 * PERSON), 10), Ok(Some(10 + PERSON)));
        assert_eq!(end(Some(10 + DAY), None, Some(DAY), 10), Ok(Some(10 + DAY)));
        assert!(end(Some(11 + DAY), None, Some(DAY), 10).is_err());
    }

    #[test]
    fn short_expiry_is_not_announced() {
        let warned = |days: i64, more: i64| warned(Some(5 + days * DAY + more), 5);
        assert_eq!(super::warned(None, 5), None);
        assert_eq!(warned(30, 1), None);
        assert_eq!((warned(30, 0), warned(7, 1)), (Some(30), Some(30)));
        assert_eq!((warned(7, 0), warned(1, 1)), (Some(7), Some(7)));
        assert_eq!((warned(1, 0), warned(0, 1)), (Some(1), Some(1)));
    }
}
