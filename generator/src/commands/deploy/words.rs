//! How the news of a run is worded: names of stacks, kinds of resources, times.
//!
//! The same thing has the same name on the board and in the log. Pure. A resource type that people
//! call otherwise while a store is set up than in a review has its own line in [`KINDS`]; all others
//! are called as in a review.

use std::time::Duration;

use jiff::Timestamp;

use crate::change::resource_type;

/// Type of a stack's own events.
pub(super) const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// Type, one, many; in the order in which they are told. Our choice: what a store's people wait for.
const KINDS: [(&str, &str, &str); 6] = [
    ("AWS::KinesisVideo::Stream", "camera stream", "camera streams"),
    ("AWS::Events::Rule", "alert rule", "alert rules"),
    ("AWS::SNS::Subscription", "subscription", "subscriptions"),
    ("AWS::Scheduler::Schedule", "schedule", "schedules"),
    ("AWS::Lambda::Function", "function", "functions"),
    ("AWS::SageMaker::Endpoint", "inference endpoint", "inference endpoints"),
];

/// Where a type stands among the steps of a stack; those that nobody waits for come last.
pub(super) fn rank(resource_type: &str) -> usize {
    KINDS.iter().position(|it| it.0 == resource_type).unwrap_or(KINDS.len())
}

/// Whether people wait for resources of this type.
pub(super) fn is_named(resource_type: &str) -> bool {
    rank(resource_type) < KINDS.len()
}

/// What people call so many of a type: "camera streams".
pub(super) fn noun(resource_type: &str, number: usize) -> String {
    let own = KINDS.iter().find(|it| it.0 == resource_type).map(|it| (it.1, it.2));
    let known = || resource_type::words(resource_type).map(|it| (it.one, it.many));
    match own.or_else(known) {
        Some((one, _)) if number == 1 => one.to_owned(),
        Some((_, many)) => many.to_owned(),
        None => resource_type.to_owned(),
    }
}

/// A stack as people call it: its store, or what it is to its cell.
pub(super) fn title(cell: &str, stack: &str, store: Option<&str>) -> String {
    let part = stack.strip_prefix("arm-").and_then(|it| it.strip_prefix(cell)?.strip_prefix('-'));
    match (store, part) {
        (Some(store), _) => store.to_owned(),
        (None, Some(part)) => format!("{part} of {cell}"),
        (None, None) => stack.to_owned(),
    }
}

/// Time from one moment to a later one; nothing if a clock was set back.
pub(super) fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

/// `42s`, `4m10s`, `1h02m`.
pub(super) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest:02}s"),
        _ => format!("{hours}h{minutes:02}m"),
    }
}

/// `12:30`, `1:02:30`.
pub(super) fn countdown(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{rest:02}"),
        _ => format!("{hours}:{minutes:02}:{rest:02}"),
    }
}

/// `about 14 min left`: no more exact than it is known.
pub(super) fn left(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, 0 | 1) => "about 1 min left".to_owned(),
        (0, minutes) => format!("about {minutes} min left"),
        (hours, 0) => format!("about {hours} h left"),
        (hours, minutes) => format!("about {hours} h {minutes} min left"),
    }
}

/// `2026-11-23T01:25:00Z`.
pub(super) fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_no_more_exactly_than_people_need() {
        let told = |seconds| elapsed(Duration::from_secs(seconds));
        assert_eq!([0, 42, 250, 3725].map(told), ["0s", "42s", "4m10s", "1h02m"]);
        let told = |seconds| left(Duration::from_secs(seconds));
        assert_eq!(
            [0, 61, 840, 3600, 8000].map(told),
            [
                "about 1 min left",
                "about 2 min left",
                "about 14 min left",
                "about 1 h left",
                "about 2 h 14 min left"
            ]
        );
        assert_eq!(
            [5, 750, 3750].map(|it| countdown(Duration::from_secs(it))),
            ["0:05", "12:30", "1:02:30"]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_time_negative() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(between(now, now - jiff::SignedDuration::from_secs(5)), Duration::ZERO);
    }

    #[test]
    fn a_stack_is_called_by_its_store_or_by_what_it_is_to_its_cell() {
        assert_eq!(title("west", "arm-west-0042", Some("0042")), "0042");
        assert_eq!(title("us-west", "arm-us-west-platform", None), "platform of us-west");
        assert_eq!(title("us-west", "elsewhere", None), "elsewhere");
    }

    #[test]
    fn what_no_word_is_known_for_is_called_by_its_type() {
        assert_eq!(noun("AWS::KinesisVideo::Stream", 40), "camera streams");
        assert_eq!(noun("AWS::CloudWatch::Alarm", 1), "alarm");
        assert_eq!(noun("Custom::Thing", 2), "Custom::Thing");
    }
}
