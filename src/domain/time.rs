//! Times as the APIs write them: RFC 3339, UTC.

use chrono::{DateTime, SecondsFormat};

/// Seconds since 1970 as the Hub's API writes them: six digits of fraction, never all zero. Its clients take a
/// time without a fraction for none.
#[must_use]
pub fn format_rfc3339(seconds: i64) -> String {
    format_rfc3339_ms(seconds.saturating_mul(1000))
}

/// The same of milliseconds since 1970. A whole second is written a millionth later.
#[must_use]
pub fn format_rfc3339_ms(millis: i64) -> String {
    let millionths = millis.saturating_mul(1000);
    let shown = if millis.rem_euclid(1000) == 0 { millionths.saturating_add(1) } else { millionths };
    DateTime::from_timestamp_micros(shown).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Seconds since 1970 for people, and for the token service: whole seconds.
#[must_use]
pub fn format_seconds(seconds: i64) -> String {
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

/// A time as it was sent, where that is RFC 3339 in UTC with a `Z`, which clients compare; in that form where it was sent
/// in another, which strict clients cannot read.
#[must_use]
pub fn normal(text: &str) -> Option<String> {
    const FRACTIONS: [SecondsFormat; 4] =
        [SecondsFormat::Secs, SecondsFormat::Millis, SecondsFormat::Micros, SecondsFormat::Nanos];
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    // Second 60 is what RFC 3339 knows and most clients do not: it is the next second.
    let leap = i64::from(time.timestamp_subsec_nanos() / 1_000_000_000);
    let time = DateTime::from_timestamp(time.timestamp() + leap, time.timestamp_subsec_nanos() % 1_000_000_000)?;
    let is_normal = FRACTIONS.into_iter().any(|fraction| time.to_rfc3339_opts(fraction, true) == text);
    Some(if is_normal { text.to_owned() } else { time.to_rfc3339_opts(SecondsFormat::AutoSi, true) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip() {
        assert_eq!(format_seconds(1_432_400_378), "2015-05-23T16:59:38Z");
        assert_eq!(format_rfc3339(1_432_400_378), "2015-05-23T16:59:38.000001Z");
        assert_eq!(format_rfc3339_ms(1_432_400_378_000), "2015-05-23T16:59:38.000001Z");
        assert_eq!(format_rfc3339_ms(1_432_400_378_050), "2015-05-23T16:59:38.050000Z");
        assert_eq!(format_rfc3339_ms(-1), "1969-12-31T23:59:59.999000Z");
        for seconds in [0, 1_432_400_378, i64::MAX, i64::MIN] {
            assert_eq!(format_rfc3339(seconds).len(), "2015-05-23T16:59:38.000001Z".len(), "{seconds}");
        }
        assert_eq!(parse(&format_rfc3339(1_432_400_378)), Some(1_432_400_378));
        assert_eq!(parse("2015-05-23T16:59:38Z"), Some(1_432_400_378));
        assert_eq!(parse("2015-05-23T18:59:38.9+02:00"), Some(1_432_400_378));
        assert_eq!(parse_millis("2015-05-23T16:59:38.123456789Z"), Some(1_432_400_378_123));
        for other in ["", "2015-05-23", "2015-05-23 16:59", "2015-13-01T00:00:00Z"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn requested_time_is_echoed() {
        for text in ["2030-01-02T03:04:05Z", "2030-01-02T03:04:05.678Z", "2030-01-02T03:04:05.678901Z"] {
            assert_eq!(normal(text).as_deref(), Some(text));
        }
        let long = format!("2030-01-02T03:04:05.{}Z", "0".repeat(1_000));
        for text in [
            "2030-01-02 03:04:05Z",
            "2030-01-02t03:04:05z",
            "2030-01-02T03:04:05+00:00",
            "2030-01-02T03:04:05.0Z",
            &long,
        ] {
            assert_eq!(normal(text).as_deref(), Some("2030-01-02T03:04:05Z"), "{text}");
        }
        for (leap, next) in
            [("2030-06-15T12:34:60Z", "2030-06-15T12:35:00Z"), ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z")]
        {
            assert_eq!(normal(leap).as_deref(), Some(next));
        }
        assert_eq!(normal("2030-01-02T05:04:05.5+02:00").as_deref(), Some("2030-01-02T03:04:05.500Z"));
        for other in ["", "2030-01-02", "2030-01-02T03:04:05", "tomorrow"] {
            assert_eq!(normal(other), None, "{other}");
        }
    }
}
