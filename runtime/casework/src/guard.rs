//! The guards: which case a detection joins, for one store, camera and event type. Pure.
//!
//! Two detections are linked when the later begins within its rule's cooldown of the earlier one's
//! end, and an incident is what such links connect, in whatever order it arrives. There is one guard
//! for each hour of event time, and a detection reads and writes the guards of every hour from its
//! start less cooldown to its end. Of two that are linked, the earlier one's end (or a moment that
//! both show) lies in both of these stretches, so both write the guard of that hour: the one that
//! comes second finds the first, however late, and the condition on the guard lets only one come
//! first. To change what belongs together, start at [`Stretch::touches`].

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use contract::case::{GuardItem, GuardedIncident, SK_GUARD, SK_SEEN, SeenItem};

use crate::incident::RoutedDetection;

/// Event time that one guard covers, in milliseconds. Our choice: an hour, so that nearly every
/// detection needs one guard, and one with the longest cooldown, a day, 26.
pub const SPAN_MS: i64 = 3_600_000;

/// Most incidents that a guard holds. Our choice: at less than 150 bytes each 75 kB, where an item
/// may have 400 kB and each detection reads and writes it whole. A detection that would be one more goes to the nearest: a camera with so many
/// incidents in an hour sees the same thing all the time.
pub const INCIDENTS_MAX: usize = 500;

/// How long guards and seen detections are kept, in seconds. Our choice: longer than a message can
/// live (a day of EventBridge retries, 14 days in the queue, 14 days in its dead-letter queue).
pub const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A stretch of event time that one or more linked detections cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub first_ms: i64,
    pub last_ms: i64,
    /// What ends at this moment or later is linked, unless it begins too late.
    pub reach_ms: i64,
}

impl Stretch {
    pub fn of(detection: &RoutedDetection) -> Self {
        let (first_ms, last_ms) = (detection.start_ms, detection.end_ms);
        let reach_ms = first_ms.saturating_sub(detection.routing.cooldown_ms.max(0));
        Self { first_ms, last_ms, reach_ms }
    }

    fn of_incident(incident: &GuardedIncident) -> Self {
        let GuardedIncident { first_ms, last_ms, reach_ms, .. } = *incident;
        Self { first_ms, last_ms, reach_ms }
    }

    /// Whether a detection of one is linked to one of the other. It holds for linked detections as a
    /// whole: whatever lies in a hole of theirs is within the cooldown of the one behind the hole.
    pub fn touches(self, other: Self) -> bool {
        self.reach_ms <= other.last_ms && other.reach_ms <= self.last_ms
    }

    /// Both as one.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            first_ms: self.first_ms.min(other.first_ms),
            last_ms: self.last_ms.max(other.last_ms),
            reach_ms: self.reach_ms.min(other.reach_ms),
        }
    }

    /// The hours, counted from the epoch, whose guards a detection reads and writes.
    pub fn spans(self) -> RangeInclusive<i64> {
        self.reach_ms.div_euclid(SPAN_MS)..=self.last_ms.div_euclid(SPAN_MS)
    }

    fn distance_ms(self, other: Self) -> i64 {
        (self.first_ms - other.last_ms).max(other.first_ms - self.last_ms).max(0)
    }
}

/// What guards of one store, camera and event type are named by.
pub fn group(detection: &RoutedDetection) -> String {
    let (store, event_type) = (&detection.store.id, &detection.event_type);
    format!("GUARD#{store}#{}#{event_type}", detection.camera_id())
}

/// Partition key of the guard of an hour.
pub fn pk(detection: &RoutedDetection, span: i64) -> String {
    format!("{}#{span}", group(detection))
}

/// Partition key of the mark that a detection was counted.
pub fn seen_pk(detection_id: &str) -> String {
    format!("SEEN#{detection_id}")
}

/// What belongs to one incident: detections by their index, and what guards call their cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    pub detections: BTreeSet<usize>,
    pub cases: BTreeSet<String>,
}

/// Everything that is linked to the first of some detections, by way of others or of the guards.
pub fn linked(detections: &[&RoutedDetection], guards: &[GuardItem]) -> Linked {
    let mut linked = Linked::default();
    let Some(first) = detections.first() else { return linked };
    linked.detections.insert(0);
    let mut stretch = Stretch::of(first);
    loop {
        let before = linked.clone();
        for (index, detection) in detections.iter().enumerate() {
            if stretch.touches(Stretch::of(detection)) && linked.detections.insert(index) {
                stretch = stretch.with(Stretch::of(detection));
            }
        }
        for incident in guards.iter().flat_map(|guard| &guard.incidents) {
            let is_known = linked.cases.contains(&incident.case_id);
            if is_known || stretch.touches(Stretch::of_incident(incident)) {
                stretch = stretch.with(Stretch::of_incident(incident));
                linked.cases.insert(incident.case_id.clone());
            }
        }
        if linked == before {
            let Some(nearest) = crowded(detections, guards, &linked) else { return linked };
            linked.cases.insert(nearest);
        }
    }
}

/// Of a guard that has no room for one more incident, the nearest; `None` when all have.
fn crowded(
    detections: &[&RoutedDetection],
    guards: &[GuardItem],
    linked: &Linked,
) -> Option<String> {
    for detection in linked.detections.iter().filter_map(|index| detections.get(*index)) {
        let stretch = Stretch::of(detection);
        let touched: Vec<_> = stretch.spans().map(|span| pk(detection, span)).collect();
        let is_crowded = |guard: &&GuardItem| {
            touched.contains(&guard.pk)
                && guard.incidents.len() >= INCIDENTS_MAX
                && !guard.incidents.iter().any(|it| linked.cases.contains(&it.case_id))
        };
        if let Some(guard) = guards.iter().find(is_crowded) {
            let distance = |it: &&GuardedIncident| stretch.distance_ms(Stretch::of_incident(it));
            return guard.incidents.iter().min_by_key(distance).map(|it| it.case_id.clone());
        }
    }
    None
}

/// The guard after detections went to a case, which takes in all that the guard knows by `names`.
pub fn with(
    guard: Option<&GuardItem>,
    pk: &str,
    stretch: Stretch,
    case_id: &str,
    names: &BTreeSet<String>,
) -> GuardItem {
    let incidents = guard.map(|guard| guard.incidents.clone()).unwrap_or_default();
    let is_ours = |it: &GuardedIncident| it.case_id == case_id || names.contains(&it.case_id);
    let (ours, mut incidents): (Vec<_>, Vec<_>) = incidents.into_iter().partition(is_ours);
    let stretches = ours.iter().map(Stretch::of_incident);
    let Stretch { first_ms, last_ms, reach_ms } = stretches.fold(stretch, Stretch::with);
    incidents.push(GuardedIncident { case_id: case_id.to_owned(), first_ms, last_ms, reach_ms });
    incidents.sort_by(|a, b| (a.first_ms, &a.case_id).cmp(&(b.first_ms, &b.case_id)));
    GuardItem {
        pk: pk.to_owned(),
        sk: SK_GUARD.to_owned(),
        version: guard.map_or(1, |guard| guard.version + 1),
        incidents,
        expires_at: 0,
    }
}

/// The guard, to be kept from now on.
pub fn kept(guard: GuardItem, now_ms: i64) -> GuardItem {
    GuardItem { expires_at: expires_at(now_ms), ..guard }
}

/// The mark that a detection was counted in a case.
pub fn seen(detection: &RoutedDetection, case_id: &str, now_ms: i64) -> SeenItem {
    SeenItem {
        pk: seen_pk(&detection.id),
        sk: SK_SEEN.to_owned(),
        case_id: case_id.to_owned(),
        expires_at: expires_at(now_ms),
    }
}

/// When what is written now may be forgotten, in seconds since the epoch.
fn expires_at(now_ms: i64) -> i64 {
    now_ms / 1_000 + KEPT_SECONDS
}

#[cfg(test)]
mod tests;
