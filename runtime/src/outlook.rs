//! The outlook of a store: what people are told of cameras that ail, and what is forgotten. Pure.
//!
//! A trouble is told once it has lasted without a break, and its end once the camera was well for a
//! while, so that one that comes and goes tells nobody: the metric counts it. Cameras with the same
//! trouble at the same time are one message. Nothing here changes an item; what `dispatch` does is
//! harmless twice.

use contract::health::{Ailment, AilmentItem};
use contract::watch::{TICK_SECONDS, WatchInput, WatchWhen};

use crate::window::is_on_watch;

const MINUTE_MS: i64 = 60_000;

/// How long a camera is well before people are told that its trouble is over, in milliseconds. Our
/// choice: a network that comes and goes is not back.
pub const CALM_MS: i64 = MINUTE_MS;

/// How long a message waits for other cameras that begin to have the same trouble, in milliseconds.
/// Our choice: when a switch fails all its cameras go within half a minute, and a minute later is
/// soon enough.
pub const GATHER_MS: i64 = MINUTE_MS;

/// How old the last sign of a trouble may be when it is told, in milliseconds. Our choice: windows
/// are analysed within the three minutes of their expiry, or not at all.
const FRESH_MS: i64 = 5 * MINUTE_MS;

/// When a trouble that nobody was told of is forgotten without any further sign, in milliseconds. Our
/// choice: no window can still be on its way.
const FORGOTTEN_MS: i64 = 10 * MINUTE_MS;

/// How long a trouble lasts before people are told, in milliseconds. Our choice: a camera or a switch
/// that restarts is back within two minutes; a clock that is set again, or a scene without any
/// movement in it, takes longer.
pub fn patience_ms(ailment: Ailment) -> i64 {
    match ailment {
        Ailment::Offline => 2 * MINUTE_MS,
        Ailment::Skewed | Ailment::Frozen => 5 * MINUTE_MS,
    }
}

/// What a message says: that a trouble has begun, or that it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    Begun,
    Over,
}

/// One message to people, about every camera that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub ailment: Ailment,
    pub turn: Turn,
    /// In the order of the store's cameras.
    pub items: Vec<AilmentItem>,
}

/// What a tick does about the health of a store's cameras, and what it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    pub notices: Vec<Notice>,
    /// Items that nobody needs any more, and nobody was told of.
    pub forgotten: Vec<AilmentItem>,
    /// How many cameras are on watch in this minute.
    pub watched: usize,
    /// How many of these have a trouble that has lasted.
    pub ailing: usize,
    /// The same by trouble, in the order of [`Ailment::ALL`].
    pub by_ailment: Vec<(Ailment, usize)>,
}

/// Since when a trouble lasts without a break.
pub fn since_ms(item: &AilmentItem) -> i64 {
    item.well_ms.filter(|well_ms| *well_ms <= item.seen_ms).unwrap_or(i64::MIN).max(item.since_ms)
}

/// Looks at all that ails a store's cameras, in the minute that a tick owns.
pub fn outlook(input: &WatchInput, items: &[AilmentItem], minute_ms: i64, now_ms: i64) -> Outlook {
    let minute_end_ms = minute_ms + i64::from(TICK_SECONDS) * 1_000;
    let watched: Vec<&str> = input
        .cameras
        .iter()
        .filter(|camera| is_on_watch(input, camera, minute_ms, minute_end_ms))
        .map(|camera| camera.id.as_str())
        .collect();
    let judged: Vec<&str> = input
        .cameras
        .iter()
        .filter(|camera| camera.when != WatchWhen::Never)
        .map(|camera| camera.id.as_str())
        .collect();
    let mut outlook = Outlook { watched: watched.len(), ..Outlook::default() };
    let place = |item: &AilmentItem| judged.iter().position(|id| *id == item.camera);
    let mut known: Vec<_> = items.iter().filter(|item| place(item).is_some()).collect();
    known.sort_by_key(|item| place(item));
    let is_forgotten = |item: &&AilmentItem| place(item).is_none() || is_forgotten(item, now_ms);
    outlook.forgotten = items.iter().filter(is_forgotten).cloned().collect();
    for ailment in Ailment::ALL {
        let of_kind: Vec<_> = known.iter().copied().filter(|it| it.ailment == ailment).collect();
        let here: Vec<_> =
            of_kind.iter().copied().filter(|it| watched.contains(&it.camera.as_str())).collect();
        let lasting = here.iter().filter(|it| has_lasted(it, now_ms)).count();
        outlook.by_ailment.push((ailment, lasting));
        outlook.notices.extend(begun(ailment, &here, now_ms));
        outlook.notices.extend(over(ailment, &of_kind));
    }
    let ails = |id: &&&str| known.iter().any(|it| it.camera == **id && has_lasted(it, now_ms));
    outlook.ailing = watched.iter().filter(ails).count();
    outlook
}

/// Whether the last sign was that the camera is well.
fn is_well(item: &AilmentItem) -> bool {
    item.well_ms.is_some_and(|well_ms| well_ms > item.seen_ms)
}

/// How long a trouble has been seen without a break.
fn length_ms(item: &AilmentItem) -> i64 {
    item.seen_ms - since_ms(item)
}

/// How long the camera has been well since.
fn calm_ms(item: &AilmentItem) -> i64 {
    item.well_ms.unwrap_or(i64::MIN).saturating_sub(item.seen_ms)
}

fn is_fresh(item: &AilmentItem, now_ms: i64) -> bool {
    now_ms - item.seen_ms <= FRESH_MS
}

fn has_lasted(item: &AilmentItem, now_ms: i64) -> bool {
    match item.told_since_ms {
        Some(_) => calm_ms(item) < CALM_MS,
        None => is_due(item, now_ms),
    }
}

/// Whether people are to be told that it has begun.
fn is_due(item: &AilmentItem, now_ms: i64) -> bool {
    item.told_since_ms.is_none()
        && !is_well(item)
        && is_fresh(item, now_ms)
        && length_ms(item) >= patience_ms(item.ailment)
}

fn is_forgotten(item: &AilmentItem, now_ms: i64) -> bool {
    item.told_since_ms.is_none() && (is_well(item) || now_ms - item.seen_ms > FORGOTTEN_MS)
}

/// The message that a trouble has begun; it waits for others that begin to have it.
fn begun(ailment: Ailment, items: &[&AilmentItem], now_ms: i64) -> Option<Notice> {
    let due: Vec<_> = items.iter().filter(|it| is_due(it, now_ms)).copied().cloned().collect();
    let begins = |item: &&&AilmentItem| {
        item.told_since_ms.is_none()
            && !is_well(item)
            && is_fresh(item, now_ms)
            && !is_due(item, now_ms)
    };
    let longest_ms = due.iter().map(length_ms).max()?;
    let gathers = longest_ms < patience_ms(ailment) + GATHER_MS;
    if gathers && items.iter().any(|item| begins(&item)) {
        return None;
    }
    Some(Notice { ailment, turn: Turn::Begun, items: due })
}

/// The message that a trouble is over; it waits for others that begin to be well.
fn over(ailment: Ailment, items: &[&AilmentItem]) -> Option<Notice> {
    let told = || items.iter().copied().filter(|it| it.told_since_ms.is_some());
    let over: Vec<_> = told().filter(|it| calm_ms(it) >= CALM_MS).cloned().collect();
    let longest_ms = over.iter().map(calm_ms).max()?;
    let begins = |item: &AilmentItem| is_well(item) && calm_ms(item) < CALM_MS;
    if longest_ms < CALM_MS + GATHER_MS && told().any(begins) {
        return None;
    }
    Some(Notice { ailment, turn: Turn::Over, items: over })
}

#[cfg(test)]
mod tests {
    use contract::hours::Hours;
    use contract::store::StoreRef;
    use contract::watch::WatchCamera;

    use super::*;

    const NOON_MS: i64 = 1_795_348_800_000;

    /// A store of cameras `c0`, `c1` ...; the last one is watched when it is closed, which is never.
    fn input(cameras: usize) -> WatchInput {
        let camera = |index: usize| WatchCamera {
            id: format!("c{index}"),
            aisle: "a5".to_owned(),
            window_s: 10,
            when: if index + 1 == cameras { WatchWhen::Closed } else { WatchWhen::Always },
            zones: Vec::new(),
        };
        WatchInput {
            version: contract::VERSION,
            scheduled_time: String::new(),
            store: StoreRef::default(),
            bus: String::new(),
            stream_prefix: String::new(),
            hours: Hours::default(),
            aisles: Vec::new(),
            cameras: (0..cameras).map(camera).collect(),
            topic: "arn".to_owned(),
        }
    }

    /// A trouble of a camera: since when, last seen, last well and since when told, in seconds
    /// before noon.
    fn item(
        camera: usize,
        ailment: Ailment,
        (since, seen): (i64, i64),
        well: Option<i64>,
        told: Option<i64>,
    ) -> AilmentItem {
        let at = |before_s: i64| NOON_MS - before_s * 1_000;
        AilmentItem {
            pk: String::new(),
            sk: String::new(),
            camera: format!("c{camera}"),
            ailment,
            since_ms: at(since),
            seen_ms: at(seen),
            well_ms: well.map(at),
            delay_ms: None,
            is_late: false,
            told_since_ms: told.map(at),
            expires_at: 0,
        }
    }

    /// What is told at noon, what is forgotten, and how many of how many cameras ail.
    fn check(cameras: usize, items: &[AilmentItem]) -> (Vec<String>, usize, (usize, usize)) {
        let outlook = outlook(&input(cameras), items, NOON_MS, NOON_MS);
        let word = |notice: &Notice| {
            let ids: Vec<_> = notice.items.iter().map(|it| it.camera.as_str()).collect();
            let turn = if notice.turn == Turn::Begun { "" } else { "not " };
            format!("{turn}{}: {}", notice.ailment.as_str(), ids.join(" "))
        };
        let told = outlook.notices.iter().map(word).collect();
        (told, outlook.forgotten.len(), (outlook.ailing, outlook.watched))
    }

    use Ailment::{Frozen, Offline, Skewed};

    const NOBODY: [&str; 0] = [];

    #[test]
    fn a_trouble_is_told_once_it_has_lasted() {
        let offline = |since| check(5, &[item(0, Offline, (since, 20), None, None)]).0;
        assert_eq!(offline(139), NOBODY);
        assert_eq!(offline(140), ["offline: c0"]);
        let frozen = |since| check(5, &[item(0, Frozen, (since, 20), None, None)]).0;
        assert_eq!(frozen(319), NOBODY);
        assert_eq!(frozen(320), ["frozen: c0"]);
        let told = item(0, Offline, (500, 20), None, Some(500));
        assert_eq!(check(5, &[told]), (vec![], 0, (1, 4)), "told, and counted");
    }

    #[test]
    fn what_comes_and_goes_is_told_to_nobody_and_forgotten_when_it_is_gone() {
        let seen_well_between = item(0, Offline, (300, 20), Some(100), None);
        assert_eq!(check(5, &[seen_well_between]), (vec![], 0, (0, 4)));
        let well_now = item(0, Offline, (300, 100), Some(20), None);
        assert_eq!(check(5, &[well_now]), (vec![], 1, (0, 4)));
        let seen_long_ago = item(0, Offline, (900, 700), None, None);
        assert_eq!(check(5, &[seen_long_ago]), (vec![], 1, (0, 4)));
    }

    #[test]
    fn its_end_is_told_once_the_camera_was_well_for_a_while() {
        let told = |seen, well| item(0, Offline, (900, seen), Some(well), Some(900));
        assert_eq!(check(5, &[told(79, 20)]).0, NOBODY);
        assert_eq!(check(5, &[told(80, 20)]), (vec!["not offline: c0".to_owned()], 0, (0, 4)));
        let back_again = item(0, Offline, (900, 20), Some(80), Some(900));
        assert_eq!(check(5, &[back_again]), (vec![], 0, (1, 4)), "still the same trouble");
    }

    #[test]
    fn cameras_with_the_same_trouble_are_one_message_that_waits_for_those_that_begin() {
        let of = |camera, since| item(camera, Offline, (since, 20), None, None);
        assert_eq!(check(9, &[of(0, 150), of(1, 149), of(2, 145)]).0, ["offline: c0 c1 c2"]);
        assert_eq!(check(9, &[of(0, 150), of(1, 100)]).0, NOBODY, "soon both");
        assert_eq!(check(9, &[of(0, 200), of(1, 100)]).0, ["offline: c0"], "a minute at most");
        let both = [of(0, 400), item(0, Skewed, (400, 20), None, None)];
        assert_eq!(check(9, &both), (vec!["offline: c0".into(), "skewed: c0".into()], 0, (1, 8)));
        let over = |camera, seen| item(camera, Offline, (900, seen), Some(20), Some(900));
        assert_eq!(check(9, &[over(1, 90), over(0, 90)]).0, ["not offline: c0 c1"]);
        assert_eq!(check(9, &[over(1, 90), over(0, 70)]).0, NOBODY, "soon both");
        assert_eq!(check(9, &[over(1, 150), over(0, 70)]).0, ["not offline: c1"]);
    }

    #[test]
    fn a_camera_that_is_not_watched_is_not_judged() {
        let not_now = item(4, Offline, (400, 20), None, None);
        assert_eq!(check(5, &[not_now]), (vec![], 0, (0, 4)));
        let told = item(4, Offline, (900, 80), None, Some(900));
        assert_eq!(check(5, &[told]), (vec![], 0, (0, 4)), "kept for when it is watched");
        let unknown = item(7, Offline, (400, 20), None, Some(400));
        assert_eq!(check(5, &[unknown]), (vec![], 1, (0, 4)), "no such camera any more");
    }
}
