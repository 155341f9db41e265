//! Ticks: which minutes a tick sends, so that none is lost and none comes twice. Pure.
//!
//! The scheduler may drop a tick, double it, or bring it late and out of order. A note says which
//! minute was sent last: a tick sends what was missed since, as far as it is still of use, and
//! nothing for a minute that was sent. The note is written after the windows are sent, so a tick that
//! dies between leaves its windows to the next one, which sends them again with the same ids.

use casework::time::MINUTE_MS;

use crate::window::{EXPIRY, LENGTH_SECONDS_MAX};

/// How far a tick's minute may be ahead of the clock, in milliseconds. Our choice: a tick inside a
/// minute owns the next one, and clocks differ by seconds. A minute further ahead, from a tick that
/// somebody made up, is sent and never noted: it would silence all ticks until then.
pub const AHEAD_MS_MAX: i64 = 2 * MINUTE_MS;

/// What a tick is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// First milliseconds of the minutes to send: the tick's own first, then the missed ones from
    /// the last to the first, because a tick that runs out of time should lose the oldest.
    pub minutes: Vec<i64>,
    /// How many minutes were missed of which every window is too old to be sent.
    pub lost: usize,
}

/// The minutes that a tick owes, given the last one that was sent (`None`: not known).
pub fn owed(watched_ms: Option<i64>, minute_ms: i64, now_ms: i64) -> Owed {
    let own = Owed { minutes: vec![minute_ms], lost: 0 };
    let latest_ms = now_ms.saturating_add(AHEAD_MS_MAX);
    let Some(watched_ms) = watched_ms.filter(|watched_ms| *watched_ms <= latest_ms) else {
        return own;
    };
    if minute_ms > latest_ms {
        return own;
    }
    if minute_ms <= watched_ms {
        return Owed { minutes: vec![], lost: 0 };
    }
    // The last window of a minute begins at its end, and is of use until its expiry.
    let expiry_ms = i64::try_from(EXPIRY.as_millis()).unwrap_or_default();
    let useful_ms = MINUTE_MS + i64::from(LENGTH_SECONDS_MAX) * 1_000 + expiry_ms;
    let missed = (watched_ms / MINUTE_MS + 1)..(minute_ms / MINUTE_MS);
    let first = missed.start.max((now_ms - useful_ms).div_euclid(MINUTE_MS) + 1);
    let sent = (first..missed.end).rev().map(|minute| minute * MINUTE_MS);
    let minutes: Vec<_> = std::iter::once(minute_ms).chain(sent).collect();
    let lost = (first.min(missed.end) - missed.start).max(0);
    Owed { minutes, lost: usize::try_from(lost).unwrap_or(usize::MAX) }
}

/// Whether a minute that was sent is to be noted.
pub fn is_noted(minute_ms: i64, now_ms: i64) -> bool {
    minute_ms <= now_ms.saturating_add(AHEAD_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon in UTC on 2026-11-22, a whole minute.
    const NOON_MS: i64 = 1_795_348_800_000;

    /// The minutes after noon that the tick of `minute` owes at `now_s` after noon, and how many
    /// are lost.
    fn check(watched: Option<i64>, minute: i64, now_s: i64) -> (Vec<i64>, usize) {
        let at = |minute: i64| NOON_MS + minute * MINUTE_MS;
        let owed = owed(watched.map(at), at(minute), NOON_MS + now_s * 1_000);
        (owed.minutes.iter().map(|it| (it - NOON_MS) / MINUTE_MS).collect(), owed.lost)
    }

    #[test]
    fn a_tick_sends_its_own_minute_and_those_that_were_missed() {
        assert_eq!(check(None, 10, 601), (vec![10], 0), "the first tick ever");
        assert_eq!(check(Some(9), 10, 601), (vec![10], 0));
        assert_eq!(check(Some(7), 10, 601), (vec![10, 9, 8], 0));
        assert_eq!(check(Some(1), 10, 601), (vec![10, 9, 8, 7, 6], 4));
        assert_eq!(check(Some(1), 10, 600), (vec![10, 9, 8, 7, 6], 4));
    }

    #[test]
    fn a_minute_that_was_sent_is_not_sent_again() {
        assert_eq!(check(Some(10), 10, 601), (vec![], 0), "doubled");
        assert_eq!(check(Some(11), 10, 661), (vec![], 0), "out of order");
        assert_eq!(check(Some(9), 10, 6_000), (vec![10], 0), "late, and stale");
    }

    #[test]
    fn a_note_from_the_future_silences_nobody() {
        assert_eq!(check(Some(500_000), 10, 601), (vec![10], 0));
        assert_eq!(check(Some(9), 500_000, 601), (vec![500_000], 0), "a tick that was made up");
        assert!(!is_noted(NOON_MS + 500_000 * MINUTE_MS, NOON_MS));
        assert!(is_noted(NOON_MS + MINUTE_MS, NOON_MS));
    }
}
