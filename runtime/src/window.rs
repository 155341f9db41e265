//! Windows: which stretches of video the model is asked about, and when. Pure.
//!
//! A window starts at a whole multiple of its length since the epoch, and a tick owns the windows
//! that start in its minute. So neighbouring ticks neither share nor miss one, whatever the length.

use std::time::Duration;

use casework::id;
use casework::time::{MINUTE_MS, parse_ms};
use contract::hours::Period;
use contract::store::AisleRef;
use contract::watch::{TICK_SECONDS, WatchCamera, WatchInput, WatchWhen};
use contract::window::WindowMessage;

/// From a window's end until its last fragment can be read: two fragments of two seconds, and a
/// second for the way to the stream. Our choice; see "Availability" of the archived media API.
pub const SETTLE: Duration = Duration::from_secs(5);

/// From a window's end until its analysis is of no use. Our choice: a tick may come a minute late
/// (EventBridge Scheduler is precise to the minute), and the queue may be two minutes behind.
pub const EXPIRY: Duration = Duration::from_mins(3);

/// Cameras of one store are spread over so many seconds, so that they do not all ask at once.
const SPREAD_SECONDS: i64 = 3;

/// Longest delay of one message in a queue, in seconds. Source: SQS API reference, `SendMessage`,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
pub const DELAY_SECONDS_MAX: i64 = 900;

/// Longest window, in seconds: `arm check` lets no longer one through.
pub const LENGTH_SECONDS_MAX: u32 = 60;

/// A camera whose windows cannot be cut; `arm check` lets none through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("camera `{camera}` has windows of {window_s} s, which is not 2 to 60")]
pub struct BadWindow {
    pub camera: String,
    pub window_s: u32,
}

/// The minute that a tick owns, in milliseconds since the epoch.
///
/// A tick inside a minute owns the next one, so that no window is over before it is asked for.
/// Where the scheduler left no time, the minute of the invocation counts.
pub fn tick_minute_ms(scheduled_time: &str, now_ms: i64) -> i64 {
    match parse_ms(scheduled_time) {
        Some(planned_ms) => next_multiple(planned_ms, MINUTE_MS),
        None => now_ms - now_ms.rem_euclid(MINUTE_MS),
    }
}

/// Every window of a store that starts in the minute and touches its camera's time on watch.
pub fn windows(input: &WatchInput, minute_ms: i64) -> Result<Vec<WindowMessage>, BadWindow> {
    let mut windows = Vec::new();
    for camera in &input.cameras {
        if !(2..=LENGTH_SECONDS_MAX).contains(&camera.window_s) {
            return Err(BadWindow { camera: camera.id.clone(), window_s: camera.window_s });
        }
        let length_ms = i64::from(camera.window_s) * 1_000;
        let minute_end_ms = minute_ms + i64::from(TICK_SECONDS) * 1_000;
        let mut start_ms = next_multiple(minute_ms, length_ms);
        while start_ms < minute_end_ms {
            if is_on_watch(input, camera, start_ms, start_ms + length_ms) {
                windows.push(window(input, camera, start_ms));
            }
            start_ms += length_ms;
        }
    }
    Ok(windows)
}

/// Seconds that a window's message waits in the queue, so that its video is there when it is read.
pub fn delay_s(window: &WindowMessage, now_ms: i64) -> i32 {
    let settle_ms = i64::try_from(SETTLE.as_millis()).unwrap_or_default();
    let wait_ms = (window.end_ms + settle_ms - now_ms).max(0);
    // A window that is late already is not delayed further.
    if wait_ms == 0 {
        return 0;
    }
    let delay_s = next_multiple(wait_ms, 1_000) / 1_000 + spread_s(&window.camera);
    i32::try_from(delay_s.min(DELAY_SECONDS_MAX)).unwrap_or_default()
}

/// Whether the model watches a camera at any moment of `start_ms..end_ms`.
pub fn is_on_watch(input: &WatchInput, camera: &WatchCamera, start_ms: i64, end_ms: i64) -> bool {
    let touches = |period| input.hours.touches(period, start_ms, end_ms);
    match camera.when {
        WatchWhen::Always => true,
        WatchWhen::Open => touches(Period::Open),
        WatchWhen::Closed => touches(Period::Closed),
        WatchWhen::Never => false,
    }
}

fn window(input: &WatchInput, camera: &WatchCamera, start_ms: i64) -> WindowMessage {
    let end_ms = start_ms + i64::from(camera.window_s) * 1_000;
    let aisle = input.aisles.iter().find(|aisle| aisle.id == camera.aisle).cloned();
    let unnamed = || AisleRef { id: camera.aisle.clone(), name: camera.aisle.clone(), kind: None };
    WindowMessage {
        version: contract::VERSION,
        id: id::window_id(&input.store.id, &camera.id, start_ms),
        store: input.store.clone(),
        camera: camera.id.clone(),
        aisle: aisle.unwrap_or_else(unnamed),
        stream: format!("{}{}", input.stream_prefix, camera.id),
        bus: input.bus.clone(),
        start_ms,
        end_ms,
        expires_ms: end_ms + i64::try_from(EXPIRY.as_millis()).unwrap_or_default(),
        hours: input.hours.clone(),
        zones: camera.zones.clone(),
        ailing: Vec::new(),
    }
}

/// The same number of seconds for the same camera, always.
fn spread_s(camera: &str) -> i64 {
    let [first, ..] = id::sha256(camera.as_bytes());
    i64::from(first) % SPREAD_SECONDS
}

/// The smallest multiple of `step` that is not below `value`.
fn next_multiple(value: i64, step: i64) -> i64 {
    value + (-value).rem_euclid(step)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use contract::hours::Hours;
    use contract::store::StoreRef;
    use proptest::prelude::*;

    use super::*;

    /// Noon in UTC on 2026-11-22, a whole minute.
    const NOON_MS: i64 = 1_795_348_800_000;

    fn input(window_s: u32, when: WatchWhen) -> WatchInput {
        let store = StoreRef { id: "seattle-001".to_owned(), ..StoreRef::default() };
        WatchInput {
            version: contract::VERSION,
            scheduled_time: String::new(),
            store,
            bus: "bus".to_owned(),
            stream_prefix: "arm-west-seattle-001-".to_owned(),
            hours: Hours {
                timezone: "UTC".to_owned(),
                week: vec![vec!["07:00-12:01".parse().unwrap()]; 7],
                ..Hours::default()
            },
            aisles: vec![AisleRef { id: "a5".to_owned(), name: "Aisle 5".to_owned(), kind: None }],
            cameras: vec![WatchCamera {
                id: "a5-a".to_owned(),
                aisle: "a5".to_owned(),
                window_s,
                when,
                zones: Vec::new(),
            }],
            topic: String::new(),
        }
    }

    /// Starts, in seconds after noon, of the windows of the minute that begins then.
    fn check(window_s: u32, when: WatchWhen, minute_ms: i64) -> Vec<i64> {
        let cut = windows(&input(window_s, when), minute_ms).unwrap();
        cut.iter().map(|window| (window.start_ms - NOON_MS) / 1_000).collect()
    }

    #[test]
    fn a_minute_has_the_windows_that_start_in_it() {
        assert_eq!(check(10, WatchWhen::Always, NOON_MS), [0, 10, 20, 30, 40, 50]);
        assert_eq!(check(60, WatchWhen::Always, NOON_MS), [0]);
        assert_eq!(check(10, WatchWhen::Never, NOON_MS), [0; 0]);
    }

    #[test]
    fn a_camera_is_watched_in_its_period_and_across_its_edges() {
        let minute = NOON_MS + MINUTE_MS;
        assert_eq!(check(25, WatchWhen::Open, NOON_MS), [0, 25, 50]);
        assert_eq!(check(25, WatchWhen::Closed, NOON_MS), [50]);
        assert_eq!(check(20, WatchWhen::Open, minute), [0; 0]);
        assert_eq!(check(20, WatchWhen::Closed, minute), [60, 80, 100]);
    }

    #[test]
    fn a_window_carries_all_that_its_analysis_needs() {
        let window = windows(&input(10, WatchWhen::Always), NOON_MS).unwrap().remove(0);
        assert_eq!(window.stream, "arm-west-seattle-001-a5-a");
        assert_eq!(window.aisle.name, "Aisle 5");
        assert_eq!(window.end_ms - window.start_ms, 10_000);
        assert_eq!(window.expires_ms - window.end_ms, 180_000);
    }

    #[test]
    fn a_tick_inside_a_minute_owns_the_next_and_a_tick_without_time_the_one_it_runs_in() {
        assert_eq!(tick_minute_ms("2026-11-22T12:00:00Z", 0), NOON_MS);
        assert_eq!(tick_minute_ms("2026-11-22T11:59:37Z", 0), NOON_MS);
        let left = contract::watch::SCHEDULED_TIME;
        assert_eq!(tick_minute_ms(left, NOON_MS + 59_999), NOON_MS);
    }

    #[test]
    fn a_message_waits_until_its_video_is_there() {
        let window = windows(&input(10, WatchWhen::Always), NOON_MS).unwrap().remove(0);
        let spread_s = i32::try_from(spread_s("a5-a")).unwrap();
        assert_eq!(delay_s(&window, NOON_MS), 15 + spread_s);
        assert_eq!(delay_s(&window, NOON_MS + 14_999), 1 + spread_s);
        assert_eq!(delay_s(&window, NOON_MS + 15_000), 0);
        assert_eq!(delay_s(&window, NOON_MS - 7_200_000), 900);
    }

    #[test]
    fn windows_of_no_length_are_refused() {
        let refused = windows(&input(0, WatchWhen::Always), NOON_MS).unwrap_err();
        assert_eq!(refused.to_string(), "camera `a5-a` has windows of 0 s, which is not 2 to 60");
    }

    proptest! {
        #[test]
        fn ticks_in_a_row_neither_miss_nor_repeat_a_window(window_s in 2_u32..=60, first in 0_i64..10_000) {
            let minutes = (first..first + 5).map(|minute| NOON_MS + minute * MINUTE_MS);
            let starts: Vec<_> = minutes
                .flat_map(|minute| check(window_s, WatchWhen::Always, minute))
                .collect();
            let steps: BTreeSet<_> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
            prop_assert_eq!(steps, BTreeSet::from([i64::from(window_s)]));
        }
    }
}
