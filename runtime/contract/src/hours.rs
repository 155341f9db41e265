//! When a store is open, in its own time zone.
//!
//! A day's spans belong to the day on which they begin; a span that ends at or before its start
//! ends on the next day. Local times that a clock change skips or repeats are read as RFC 5545
//! says: a skipped time moves forward, a repeated one is the first. Both programs use this one
//! reading: `dispatch` and `analyze` at run time, `arm` before.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// One stretch of opening time, such as `07:00-23:00` or `18:00-02:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    from: u16,
    to: u16,
}

impl Span {
    /// Takes minutes after midnight. Returns `None` unless `from < 1440` and `to <= 1440`.
    pub fn new(from: u16, to: u16) -> Option<Self> {
        (from < DAY_MINUTES && to <= DAY_MINUTES && from != to).then_some(Self { from, to })
    }

    /// True when it ends on the day after it begins.
    pub fn is_past_midnight(self) -> bool {
        self.to <= self.from
    }

    /// Start and end in minutes since the midnight before the start; the end may be over 1440.
    pub fn minutes(self) -> (u16, u16) {
        (self.from, if self.is_past_midnight() { self.to + DAY_MINUTES } else { self.to })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Why a text is no [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASpan;

impl fmt::Display for NotASpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a span of time such as `07:00-23:00`")
    }
}

impl std::error::Error for NotASpan {}

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let (from, to) = text.split_once('-').ok_or(NotASpan)?;
        let span = minutes(from.trim()).zip(minutes(to.trim()));
        span.and_then(|(from, to)| Self::new(from, to)).ok_or(NotASpan)
    }
}

/// Minutes after midnight of `HH:MM`, with `24:00` for the end of the day.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY_MINUTES).then_some(hour * 60 + minute)
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// When a store is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// IANA name of the time zone.
    pub timezone: String,
    /// Spans for Monday to Sunday; an empty list of days: open at all times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub week: Vec<Vec<Span>>,
    /// Single dates (`2026-12-25`) that differ from their weekday; an empty list: closed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<String, Vec<Span>>,
}

/// Whether a store is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Customers may be in the store.
    Open,
    /// Nobody should be.
    Closed,
}

impl Period {
    /// The word as rules and events have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl Hours {
    /// Whether the store is open at a time in milliseconds since the epoch.
    ///
    /// A time zone that the bundled database lacks counts as UTC (`arm check` refuses it), a time
    /// outside years -9999 to 9999 as closed.
    pub fn period_at(&self, at_ms: i64) -> Period {
        let open = self.open_spans(at_ms, at_ms).any(|(from, to)| from <= at_ms && at_ms < to);
        if self.is_always_open() || open { Period::Open } else { Period::Closed }
    }

    /// Whether the store is in `period` at any moment of `start_ms..end_ms`.
    pub fn touches(&self, period: Period, start_ms: i64, end_ms: i64) -> bool {
        if self.is_always_open() {
            return period == Period::Open;
        }
        let mut spans: Vec<_> = self
            .open_spans(start_ms, end_ms)
            .map(|(from, to)| (from.max(start_ms), to.min(end_ms)))
            .filter(|(from, to)| from < to)
            .collect();
        if period == Period::Open {
            return !spans.is_empty();
        }
        spans.sort_unstable();
        let covered =
            spans.iter().fold(
                start_ms,
                |covered, &(from, to)| {
                    if from <= covered { covered.max(to) } else { covered }
                },
            );
        covered < end_ms
    }

    /// True when the store has no hours, which means: open at all times.
    pub fn is_always_open(&self) -> bool {
        self.week.is_empty() && self.dates.is_empty()
    }

    /// Opening times, in milliseconds since the epoch, of the days around `start_ms..=end_ms`.
    fn open_spans(&self, start_ms: i64, end_ms: i64) -> impl Iterator<Item = (i64, i64)> {
        let zone = TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC);
        let date =
            |ms| Timestamp::from_millisecond(ms).ok().map(|at| at.to_zoned(zone.clone()).date());
        let (first, last) = (date(start_ms), date(end_ms));
        let days = first.zip(last).and_then(|(first, last)| {
            let days = first.yesterday().ok()?.series(1.day());
            Some(days.take_while(move |day| *day <= last))
        });
        let spans = days.into_iter().flatten().flat_map(|day| {
            self.spans_on(day).iter().map(move |span| (day, *span)).collect::<Vec<_>>()
        });
        spans.filter_map(move |(day, span)| {
            let (from, to) = span.minutes();
            Some((instant_ms(day, from, &zone)?, instant_ms(day, to, &zone)?))
        })
    }

    fn spans_on(&self, day: Date) -> &[Span] {
        if let Some(spans) = self.dates.get(&day.to_string()) {
            return spans;
        }
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        self.week.get(weekday).map_or(&[], Vec::as_slice)
    }
}

/// The instant of a local time, given in minutes since the day's midnight (up to two days).
fn instant_ms(day: Date, minutes: u16, zone: &TimeZone) -> Option<i64> {
    let day = day.checked_add(i64::from(minutes / DAY_MINUTES).days()).ok()?;
    let minutes = minutes % DAY_MINUTES;
    let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
    let local = day.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
    Some(local.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(week: [&[&str]; 7], dates: &[(&str, &[&str])]) -> Hours {
        let spans = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Hours {
            timezone: "America/Los_Angeles".to_owned(),
            week: week.iter().map(|day| spans(day)).collect(),
            dates: dates.iter().map(|(date, day)| ((*date).to_owned(), spans(day))).collect(),
        }
    }

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    /// The periods of a store that is open 07:00-23:00, Fridays until 02:00, at some local times.
    fn check(at: &str) -> Period {
        const DAY: &[&str] = &["07:00-23:00"];
        let week = [DAY, DAY, DAY, DAY, &["07:00-02:00"], DAY, &["09:00-21:00"]];
        hours(week, &[("2026-12-25", &[])]).period_at(ms(at))
    }

    #[test]
    fn opens_on_the_minute_and_closes_on_the_minute() {
        assert_eq!(check("2026-11-23T06:59:59.999-08:00"), Period::Closed);
        assert_eq!(check("2026-11-23T07:00:00-08:00"), Period::Open);
        assert_eq!(check("2026-11-23T22:59:59.999-08:00"), Period::Open);
        assert_eq!(check("2026-11-23T23:00:00-08:00"), Period::Closed);
    }

    #[test]
    fn a_span_past_midnight_belongs_to_the_day_it_began_on() {
        assert_eq!(check("2026-11-28T01:59:00-08:00"), Period::Open);
        assert_eq!(check("2026-11-28T02:00:00-08:00"), Period::Closed);
        // The Friday before Christmas 2026 is Christmas itself: closed, so nothing runs on.
        assert_eq!(check("2026-12-26T01:00:00-08:00"), Period::Closed);
        assert_eq!(check("2026-12-25T12:00:00-08:00"), Period::Closed);
    }

    #[test]
    fn opening_hours_are_local_on_both_sides_of_a_clock_change() {
        // Clocks go back on 2026-11-01 and forward on 2026-03-08.
        assert_eq!(check("2026-10-31T14:00:00Z"), Period::Open);
        assert_eq!(check("2026-11-02T14:59:00Z"), Period::Closed);
        assert_eq!(check("2026-11-02T15:00:00Z"), Period::Open);
        assert_eq!(check("2026-03-09T14:00:00Z"), Period::Open);
    }

    #[test]
    fn a_store_without_hours_is_always_open() {
        assert_eq!(Hours::default().period_at(0), Period::Open);
        assert!(!Hours::default().touches(Period::Closed, 0, 60_000));
    }

    #[test]
    fn a_window_across_closing_time_touches_both_periods() {
        const DAY: &[&str] = &["07:00-23:00"];
        let hours = hours([DAY; 7], &[]);
        let closing = ms("2026-11-23T23:00:00-08:00");
        assert!(hours.touches(Period::Open, closing - 5_000, closing + 5_000));
        assert!(hours.touches(Period::Closed, closing - 5_000, closing + 5_000));
        assert!(!hours.touches(Period::Closed, closing - 10_000, closing));
        assert!(!hours.touches(Period::Open, closing, closing + 10_000));
    }

    #[test]
    fn spans_are_read_strictly() {
        let read = |text: &str| text.parse::<Span>().map(|span| span.to_string()).ok();
        assert_eq!(read("00:00-24:00").as_deref(), Some("00:00-24:00"));
        assert_eq!(read("18:00 - 02:00").as_deref(), Some("18:00-02:00"));
        for wrong in
            ["7:00-23:00", "07:00-24:01", "24:00-25:00", "07:60-08:00", "07:00", "08:00-08:00"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
