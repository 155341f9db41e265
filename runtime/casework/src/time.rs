//! Moments as the case log writes them: RFC 3339 in UTC with milliseconds, so that text sorts.
//!
//! Inside the functions a moment is milliseconds since the epoch. Pure.

use jiff::Timestamp;

/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60_000;

/// Writes a moment such as `2026-11-22T18:03:03.200Z`; one outside years -9999 to 9999 as the
/// nearest inside.
pub fn rfc3339(at_ms: i64) -> String {
    let nearest = if at_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::from_millisecond(at_ms).unwrap_or(nearest))
}

/// Reads RFC 3339 with any offset. Returns `None` for anything else.
pub fn parse_ms(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_milliseconds_and_read_back() {
        assert_eq!(rfc3339(1_795_370_583_200), "2026-11-22T18:03:03.200Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(parse_ms("2026-11-22T10:03:03.2-08:00"), Some(1_795_370_583_200));
        assert_eq!(parse_ms("<aws.scheduler.scheduled-time>"), None);
    }

    #[test]
    fn an_impossible_moment_becomes_the_nearest_possible_one() {
        assert_eq!(rfc3339(i64::MAX).get(..4), Some("9999"));
        assert_eq!(rfc3339(i64::MIN).get(..7), Some("-009999"));
    }
}
