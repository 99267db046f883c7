//! Times as the APIs write them: RFC 3339, UTC, whole seconds.

use chrono::{DateTime, SecondsFormat};

/// Seconds since 1970 as text.
#[must_use]
pub fn print(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Seconds since 1970 of a text.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    parse_millis(text).map(|millis| millis.div_euclid(1000))
}

/// Milliseconds since 1970 of a text.
#[must_use]
pub fn parse_millis(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(print(1_432_400_378), "2015-05-23T16:59:38Z");
        assert_eq!(parse("2015-05-23T16:59:38Z"), Some(1_432_400_378));
        assert_eq!(parse("2015-05-23T18:59:38.9+02:00"), Some(1_432_400_378));
        assert_eq!(parse_millis("2015-05-23T16:59:38.123456789Z"), Some(1_432_400_378_123));
        for other in ["", "2015-05-23", "2015-05-23 16:59", "2015-13-01T00:00:00Z"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
