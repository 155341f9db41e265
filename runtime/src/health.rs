//! Health: what the video of one window says of its camera. Pure.
//!
//! A window without video is looked at again by the service's clock: where video arrives there, the
//! camera is not offline, but its clock is wrong or its video late. A wrong clock is off by the same
//! amount all the time; video that was stored and is sent afterwards catches up, or falls behind.
//! What a window does not show is left open: neither does it begin a trouble nor end it.
//!
//! To judge something else, add it to [`Ailment`] and to [`judge`].

use casework::fragment::{Fragment, LENGTH_MS_MAX};
use contract::health::Ailment;
use contract::window::WindowMessage;

use crate::window::SETTLE;

/// A fragment, with the time at which the service received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub fragment: Fragment,
    /// The service's clock, milliseconds since the epoch.
    pub server_ms: i64,
}

impl Arrival {
    /// How long after its recording a fragment arrived, by the two clocks; negative where the
    /// camera's clock is ahead.
    fn delay_ms(&self) -> i64 {
        self.server_ms.saturating_sub(self.fragment.start_ms)
    }

    /// Whether the delay is more than that of a camera that is well. The service does not say whether
    /// it notes the first or the last byte of a fragment, so its length is none of the delay.
    fn is_off(&self) -> bool {
        let behind_ms = self.delay_ms() - self.fragment.length_ms.max(0);
        behind_ms > DELAY_MS_MAX || self.delay_ms() < -DELAY_MS_MAX
    }
}

/// The clock by which fragments are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The camera's, which is in the video.
    Camera,
    /// That of Kinesis Video Streams.
    Server,
}

/// Longest delay of a camera that is well, either way, in milliseconds. Our choice: a clock that is
/// set by NTP is within a second and video arrives within the five of [`SETTLE`]; ten is beyond
/// both, and times in alerts and cases are off by no more.
pub const DELAY_MS_MAX: i64 = 10_000;

/// By how much the delay of a wrong clock varies at most, in milliseconds. Our choice: fragments of
/// two seconds wait for their turn on a network; a stored video that is sent half as fast again as it
/// was recorded is told from it within ten seconds.
pub const STEADY_MS: i64 = 5_000;

/// A camera of which nothing has begun to arrive for so long is offline, in milliseconds: the longest
/// fragment is under way, the one before it began its length earlier, and the longest delay with it.
pub const QUIET_MS: i64 = 2 * LENGTH_MS_MAX + DELAY_MS_MAX;

/// How much is listed before a window, in milliseconds: the last fragment of a camera that has just
/// become offline, and for windows of two seconds enough fragments to compare.
pub const LOOK_BACK_MS: i64 = QUIET_MS;

/// So many fragments in a row have the size of a frozen picture. See [`FROZEN_PER_MILLE`].
const FROZEN_FRAGMENTS: usize = 8;

/// Most parts in a thousand by which these differ in size. Measured with x264 (640x360, 15 frames a
/// second, fragments of two seconds): a scene without movement, with the noise of a sensor, differs by 5
/// at least over eight fragments, whatever the rate control, and hardly ever by less than 10; the same
/// picture again and again by 0, and with a running clock in it by 1 to 2. People are told after five
/// minutes without a break, which are 150 such fragments.
const FROZEN_PER_MILLE: u64 = 3;

/// What a window says about one thing that may ail a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    pub ailment: Ailment,
    pub state: State,
}

/// Whether it ails the camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Ails {
        /// Since when, as far as this window and what is before it tell.
        since_ms: i64,
        /// See [`contract::health::AilmentItem::delay_ms`].
        delay_ms: Option<i64>,
        is_late: bool,
    },
    Well,
}

/// Whether fragments show any of the window.
pub fn shows(window: &WindowMessage, arrivals: &[Arrival]) -> bool {
    arrivals
        .iter()
        .any(|it| it.fragment.start_ms < window.end_ms && it.fragment.end_ms() > window.start_ms)
}

/// The stretch of the service's clock that is listed when a window shows nothing.
pub fn server_stretch(window: &WindowMessage) -> (i64, i64) {
    let settle_ms = i64::try_from(SETTLE.as_millis()).unwrap_or_default();
    let due_ms = window.end_ms + settle_ms;
    (due_ms - QUIET_MS, due_ms)
}

/// What a window says of its camera: whatever ails it, and of what was known to ail it what does not.
///
/// `by_camera` are the fragments that begin from [`LOOK_BACK_MS`] before the window to its end, by the
/// camera's clock; `by_server` those of [`server_stretch`], listed only when the window shows nothing.
pub fn judge(window: &WindowMessage, by_camera: &[Arrival], by_server: &[Arrival]) -> Vec<Sign> {
    let mut signs = if shows(window, by_camera) {
        let recent = recent(window, by_camera);
        [vec![well(Ailment::Offline)], skewed(window, &recent, true), frozen(&recent)].concat()
    } else {
        unseen(window, by_camera, by_server)
    };
    signs.retain(|sign| {
        sign.state != State::Well || window.ailing.iter().any(|it| it.ailment == sign.ailment)
    });
    signs
}

fn well(ailment: Ailment) -> Sign {
    Sign { ailment, state: State::Well }
}

/// Fragments of the camera's present, by start: a clock that was set back leaves others of the same
/// time, recorded before.
fn recent(window: &WindowMessage, by_camera: &[Arrival]) -> Vec<Arrival> {
    let newest_ms = by_camera.iter().map(|it| it.server_ms).max().unwrap_or_default();
    let stretch_ms = window.end_ms - window.start_ms + LOOK_BACK_MS + QUIET_MS;
    let mut recent: Vec<_> = by_camera
        .iter()
        .filter(|it| newest_ms.saturating_sub(it.server_ms) <= stretch_ms)
        .cloned()
        .collect();
    recent.sort_by_key(|it| it.fragment.start_ms);
    recent
}

/// What the service's clock says of a window without video.
fn unseen(window: &WindowMessage, by_camera: &[Arrival], by_server: &[Arrival]) -> Vec<Sign> {
    if by_server.is_empty() {
        let ends = by_camera.iter().map(|it| it.fragment.end_ms());
        let last_ms = ends.filter(|end_ms| *end_ms <= window.start_ms).max();
        let since_ms = last_ms.unwrap_or(window.start_ms);
        let state = State::Ails { since_ms, delay_ms: None, is_late: false };
        return vec![Sign { ailment: Ailment::Offline, state }];
    }
    let foreign: Vec<_> = by_server.iter().filter(|it| it.is_off()).cloned().collect();
    // Video that arrives as it should, and not yet that of this window: it may have ended just now.
    if foreign.is_empty() {
        return vec![];
    }
    [vec![well(Ailment::Offline)], skewed(window, &foreign, false)].concat()
}

/// Whether the camera's clock is wrong, or its video late.
fn skewed(window: &WindowMessage, arrivals: &[Arrival], is_seen: bool) -> Vec<Sign> {
    let mut delays: Vec<_> = arrivals.iter().map(Arrival::delay_ms).collect();
    delays.sort_unstable();
    let (Some(least), Some(most)) = (delays.first(), delays.last()) else { return vec![] };
    let Some(median) = delays.get(delays.len() / 2) else { return vec![] };
    let off = arrivals.iter().filter(|it| it.is_off()).count();
    if off * 2 <= arrivals.len() {
        return vec![well(Ailment::Skewed)];
    }
    let known = window.ailing.iter().find(|it| it.ailment == Ailment::Skewed);
    let first = known.and_then(|it| it.delay_ms).unwrap_or(*median);
    let is_steady = most - least <= STEADY_MS && (median - first).abs() <= STEADY_MS;
    // Nothing arrives before it is recorded: a clock that is ahead is wrong in any case.
    let is_late = !is_steady && *median > 0;
    // Late video that was there in time to be watched is no trouble, and no sign of its end.
    if is_late && is_seen {
        return vec![];
    }
    let state = State::Ails { since_ms: window.start_ms, delay_ms: Some(*median), is_late };
    vec![Sign { ailment: Ailment::Skewed, state }]
}

/// Whether the last fragments have practically the same size.
fn frozen(arrivals: &[Arrival]) -> Vec<Sign> {
    let from = arrivals.len().saturating_sub(FROZEN_FRAGMENTS);
    let tail = arrivals.get(from..).unwrap_or_default();
    let Some(first) = tail.first() else { return vec![] };
    let sizes = || tail.iter().map(|it| it.fragment.bytes);
    let (least, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
    let is_same = (most - least).saturating_mul(1_000) <= most.saturating_mul(FROZEN_PER_MILLE);
    if !is_same {
        return vec![well(Ailment::Frozen)];
    }
    if tail.len() < FROZEN_FRAGMENTS {
        return vec![];
    }
    let state = State::Ails { since_ms: first.fragment.start_ms, delay_ms: None, is_late: false };
    vec![Sign { ailment: Ailment::Frozen, state }]
}

#[cfg(test)]
mod tests {
    use contract::hours::Hours;
    use contract::store::{AisleRef, StoreRef};
    use contract::window::Ailing;
    use proptest::prelude::*;

    use super::*;

    /// The first moment of the windows here.
    const START_MS: i64 = 1_795_348_800_000;

    fn window(length_s: i64, known: &[(Ailment, Option<i64>)]) -> WindowMessage {
        let ailing = |(ailment, delay_ms): &(Ailment, Option<i64>)| Ailing {
            ailment: *ailment,
            delay_ms: *delay_ms,
        };
        WindowMessage {
            version: contract::VERSION,
            id: "w-1".to_owned(),
            store: StoreRef::default(),
            camera: "a5-a".to_owned(),
            aisle: AisleRef::default(),
            stream: "stream".to_owned(),
            bus: "bus".to_owned(),
            start_ms: START_MS,
            end_ms: START_MS + length_s * 1_000,
            expires_ms: i64::MAX,
            hours: Hours::default(),
            zones: Vec::new(),
            ailing: known.iter().map(ailing).collect(),
        }
    }

    /// A camera's video: one fragment every `length_s`, from and to these seconds after the window's
    /// start by true time.
    #[derive(Clone, Copy)]
    struct Video {
        from_s: i64,
        to_s: i64,
        length_s: i64,
        /// How far the camera's clock is behind.
        behind_s: i64,
        /// How long a fragment that is whole takes to arrive.
        late_s: i64,
        /// How many seconds of video come in a second.
        speed: f64,
        is_frozen: bool,
    }

    const LIVE: Video = Video {
        from_s: -120,
        to_s: 120,
        length_s: 2,
        behind_s: 0,
        late_s: 1,
        speed: 1.0,
        is_frozen: false,
    };

    fn arrivals(video: Video) -> Vec<Arrival> {
        let count = (video.to_s - video.from_s) / video.length_s;
        let arrival = |index: i64| {
            let true_s = video.from_s + index * video.length_s;
            #[expect(clippy::as_conversions, reason = "small whole numbers")]
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "so")]
            let caught_up_ms = ((true_s - video.from_s) as f64 * (1_000.0 / video.speed)) as i64;
            let server_ms = START_MS + (video.from_s + video.late_s) * 1_000 + caught_up_ms;
            let size = if video.is_frozen { 11_529 } else { 100_000 + index.pow(2) % 7 * 2_500 };
            let fragment = Fragment {
                number: index.to_string(),
                bytes: size.unsigned_abs(),
                start_ms: START_MS + (true_s - video.behind_s) * 1_000,
                length_ms: video.length_s * 1_000,
            };
            Arrival { fragment, server_ms }
        };
        (0..count).map(arrival).collect()
    }

    /// What the service lists of a video when the window is analysed.
    fn judged(window: &WindowMessage, video: Video) -> Vec<Sign> {
        let (from_ms, read_ms) = server_stretch(window);
        let listed_ms = window.start_ms - LOOK_BACK_MS;
        let all = arrivals(video);
        // A fragment is listed once it is whole.
        let whole = |it: &&Arrival| it.server_ms + it.fragment.length_ms <= read_ms;
        let by_camera: Vec<_> = all
            .iter()
            .filter(whole)
            .filter(|it| (listed_ms..=window.end_ms).contains(&it.fragment.start_ms))
            .cloned()
            .collect();
        let by_server: Vec<_> =
            all.iter().filter(whole).filter(|it| it.server_ms >= from_ms).cloned().collect();
        let by_server = if shows(window, &by_camera) { Vec::new() } else { by_server };
        judge(window, &by_camera, &by_server)
    }

    /// The same in few words, for a camera of which nothing is known.
    fn check(length_s: i64, video: Video) -> Vec<String> {
        words(&judged(&window(length_s, &[]), video))
    }

    fn words(signs: &[Sign]) -> Vec<String> {
        let word = |sign: &Sign| match &sign.state {
            State::Well => format!("not {}", sign.ailment.as_str()),
            State::Ails { since_ms, delay_ms, is_late } => {
                let since_s = (since_ms - START_MS) / 1_000;
                let delay = delay_ms.map(|ms| format!(", {} s behind", ms / 1_000));
                let late = if *is_late { ", late" } else { "" };
                let delay = delay.unwrap_or_default();
                format!("{} since {since_s}{delay}{late}", sign.ailment.as_str())
            }
        };
        signs.iter().map(word).collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_camera_that_is_well_says_nothing() {
        for length_s in [2, 7, 10, 45, 60] {
            for fragment_s in [1, 2, 4, 10, 20] {
                for late_s in [0, 3, 7] {
                    let video = Video { length_s: fragment_s, late_s, ..LIVE };
                    let told = check(length_s, video);
                    assert_eq!(told, NOTHING, "{length_s} s, of {fragment_s} s, {late_s} s late");
                }
            }
        }
    }

    #[test]
    fn a_camera_that_sends_nothing_is_offline_once_nothing_can_be_under_way() {
        assert_eq!(check(10, Video { to_s: -120, ..LIVE }), ["offline since 0"]);
        assert_eq!(check(10, Video { to_s: -40, ..LIVE }), ["offline since -40"]);
        assert_eq!(check(10, Video { to_s: -4, ..LIVE }), NOTHING, "it may be under way");
        assert_eq!(check(60, Video { to_s: -4, ..LIVE }), ["offline since -4"]);
        assert_eq!(check(2, Video { to_s: -46, ..LIVE }), ["offline since -46"]);
    }

    #[test]
    fn a_wrong_clock_is_told_with_its_direction_and_is_not_offline() {
        let behind = |behind_s| check(10, Video { behind_s, late_s: 0, ..LIVE });
        assert_eq!(behind(12), NOTHING);
        assert_eq!(behind(45), ["skewed since 0, 45 s behind"]);
        assert_eq!(behind(3_600), ["skewed since 0, 3600 s behind"]);
        assert_eq!(behind(-45), ["skewed since 0, -45 s behind"]);
        assert_eq!(behind(-100), ["skewed since 0, -100 s behind"]);
        assert_eq!(behind(-86_400), ["skewed since 0, -86400 s behind"]);
    }

    #[test]
    fn video_that_was_stored_and_is_sent_afterwards_is_late_and_no_wrong_clock() {
        // An outage of ten minutes, and then everything at twice its speed.
        let stored = Video { from_s: -600, late_s: 580, speed: 2.0, ..LIVE };
        let told = check(10, stored);
        assert!(told[0].starts_with("skewed") && told[0].ends_with("late"), "{told:?}");
        // A link that is too slow falls behind.
        let slow = Video { from_s: -300, late_s: 1, speed: 0.8, ..LIVE };
        let told = check(10, slow);
        assert!(told[0].starts_with("skewed") && told[0].ends_with("late"), "{told:?}");
        // One that falls behind slowly has another delay than the one that was noticed first.
        let known = window(10, &[(Ailment::Skewed, Some(30_000))]);
        let told = words(&judged(&known, Video { behind_s: 0, late_s: 45, ..LIVE }));
        assert_eq!(told, ["skewed since 0, 45 s behind, late"]);
    }

    #[test]
    fn a_picture_that_stands_still_is_frozen_however_long_windows_are() {
        for (length_s, fragment_s) in [(2, 2), (7, 2), (10, 4), (45, 2), (60, 4)] {
            let video = Video { length_s: fragment_s, is_frozen: true, ..LIVE };
            let told = check(length_s, video);
            assert!(told[0].starts_with("frozen since"), "{length_s} s: {told:?}");
        }
        let skewed = Video { is_frozen: true, behind_s: -45, ..LIVE };
        let told = check(10, skewed);
        assert_eq!(told.len(), 2, "two troubles at once: {told:?}");
    }

    #[test]
    fn an_end_is_told_of_what_was_known_alone() {
        let known: Vec<_> = Ailment::ALL.into_iter().map(|it| (it, None)).collect();
        let told = words(&judged(&window(10, &known), LIVE));
        assert_eq!(told, ["not offline", "not skewed", "not frozen"]);
        let offline = window(10, &[(Ailment::Offline, None)]);
        assert_eq!(words(&judged(&offline, LIVE)), ["not offline"]);
        // It sends again, with a wrong clock.
        let told = words(&judged(&offline, Video { behind_s: 3_600, late_s: 0, ..LIVE }));
        assert_eq!(told, ["not offline", "skewed since 0, 3600 s behind"]);
    }

    #[test]
    fn a_clock_that_was_set_right_is_judged_by_what_arrives_now() {
        let window = window(10, &[(Ailment::Skewed, Some(-3_600_000))]);
        // The same hour twice: once an hour ahead of its time, and now.
        let before = Video { from_s: -3_720, to_s: -3_600, behind_s: -3_600, ..LIVE };
        let from_ms = window.start_ms - LOOK_BACK_MS;
        let in_range = |it: &Arrival| (from_ms..=window.end_ms).contains(&it.fragment.start_ms);
        let both: Vec<_> = [arrivals(before), arrivals(LIVE)].concat();
        let both: Vec<_> = both.into_iter().filter(in_range).collect();
        assert_eq!(words(&judge(&window, &both, &[])), ["not skewed"]);
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_judged_without_contradiction(
            length_s in 2_i64..=60,
            from_s in -700_i64..0,
            lasts_s in 0_i64..700,
            fragment_s in 1_i64..=20,
            behind_s in -4_000_i64..4_000,
            late_s in 0_i64..600,
            is_frozen: bool,
            known in proptest::sample::subsequence(Ailment::ALL.to_vec(), 0..=3),
        ) {
            let known: Vec<_> = known.into_iter().map(|it| (it, None)).collect();
            let video = Video {
                from_s, to_s: from_s + lasts_s, length_s: fragment_s, behind_s, late_s, speed: 1.0, is_frozen,
            };
            let signs = judged(&window(length_s, &known), video);
            let mut ailments: Vec<_> = signs.iter().map(|it| it.ailment).collect();
            ailments.sort();
            ailments.dedup();
            prop_assert_eq!(ailments.len(), signs.len(), "one word about each: {:?}", signs);
            let offline = signs.iter().any(|it| {
                it.ailment == Ailment::Offline && it.state != State::Well
            });
            prop_assert!(!offline || signs.len() == 1, "no video says nothing else: {:?}", signs);
        }
    }
}
