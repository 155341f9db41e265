//! The guard: which case a detection joins, for one store, camera and event type. Pure.
//!
//! An incident is a chain of detections, each within `cooldown` of the stretch before it. As they
//! arrive in any order, the guard keeps the latest incidents, not just the last. A detection that
//! would bridge two of them joins the earlier: cases are never merged, as people may work on both.

use contract::case::{GuardItem, GuardedIncident, SK_GUARD, SK_SEEN, SeenItem};

use crate::incident::RoutedDetection;

/// Most incidents that a guard keeps. Our choice: with one new incident a minute a detection may
/// come a quarter of an hour late and still find its case.
pub const INCIDENTS_MAX: usize = 16;

/// How long guards and seen detections are kept, in seconds. Our choice: longer than a message can
/// live (a day of EventBridge retries, 14 days in the queue, 14 days in its dead-letter queue).
pub const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Partition key of the guard that decides about a detection.
pub fn pk(detection: &RoutedDetection) -> String {
    let (store, event_type) = (&detection.store.id, &detection.event_type);
    format!("GUARD#{store}#{}#{event_type}", detection.camera_id())
}

/// Partition key of the mark that a detection was counted.
pub fn seen_pk(detection_id: &str) -> String {
    format!("SEEN#{detection_id}")
}

/// The case that the detection joins; `None`: it opens one.
pub fn case_to_join<'a>(guard: &'a GuardItem, detection: &RoutedDetection) -> Option<&'a str> {
    let cooldown_ms = detection.routing.cooldown_ms;
    let is_near = |incident: &&GuardedIncident| {
        detection.start_ms <= incident.last_ms + cooldown_ms
            && detection.end_ms >= incident.first_ms - cooldown_ms
    };
    let near = guard.incidents.iter().filter(is_near);
    near.min_by_key(|incident| incident.first_ms).map(|incident| incident.case_id.as_str())
}

/// The guard after the detection went to a case.
pub fn with(
    guard: Option<&GuardItem>,
    detection: &RoutedDetection,
    case_id: &str,
    now_ms: i64,
) -> GuardItem {
    let mut incidents = guard.map(|guard| guard.incidents.clone()).unwrap_or_default();
    let (first_ms, last_ms) = (detection.start_ms, detection.end_ms);
    let known = incidents.iter().position(|incident| incident.case_id == case_id);
    let mut incident = match known {
        Some(index) => incidents.remove(index),
        None => GuardedIncident { case_id: case_id.to_owned(), first_ms, last_ms },
    };
    incident.first_ms = incident.first_ms.min(first_ms);
    incident.last_ms = incident.last_ms.max(last_ms);
    // Others go first: the case of a late detection must be found by the next late one.
    incidents.sort_by_key(|incident| incident.first_ms);
    let surplus = (incidents.len() + 1).saturating_sub(INCIDENTS_MAX);
    incidents.drain(..surplus);
    incidents.push(incident);
    incidents.sort_by_key(|incident| incident.first_ms);
    GuardItem {
        pk: pk(detection),
        sk: SK_GUARD.to_owned(),
        version: guard.map_or(1, |guard| guard.version + 1),
        incidents,
        expires_at: expires_at(now_ms),
    }
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
mod tests {
    use contract::priority::Priority;

    use super::*;
    use crate::incident::example::detection;

    /// A guard with cases `a`, `b` ... that begin at these seconds and last two.
    fn guard(starts_s: &[i64]) -> GuardItem {
        let names = ('a'..='z').map(String::from);
        let opened = starts_s.iter().zip(names).fold(None, |guard, (start_s, name)| {
            Some(with(guard.as_ref(), &detection(*start_s, Priority::High), &name, 0))
        });
        opened.unwrap()
    }

    fn check(opened_s: &[i64], start_s: i64) -> Option<String> {
        let guard = guard(opened_s);
        case_to_join(&guard, &detection(start_s, Priority::High)).map(str::to_owned)
    }

    #[test]
    fn a_detection_joins_within_the_cooldown_on_both_sides() {
        assert_eq!(check(&[1_000], 1_062).as_deref(), Some("a"));
        assert_eq!(check(&[1_000], 1_063), None);
        assert_eq!(check(&[1_000], 938).as_deref(), Some("a"));
        assert_eq!(check(&[1_000], 937), None);
    }

    #[test]
    fn a_late_detection_finds_the_older_case_and_a_bridge_joins_the_earlier() {
        assert_eq!(check(&[1_000, 2_000], 1_030).as_deref(), Some("a"));
        assert_eq!(check(&[1_000, 2_000], 2_030).as_deref(), Some("b"));
        assert_eq!(check(&[1_110, 1_000], 1_055).as_deref(), Some("b"));
    }

    #[test]
    fn the_latest_incidents_are_kept() {
        let starts: Vec<i64> = (0..20).map(|incident| incident * 1_000).collect();
        let guard = guard(&starts);
        assert_eq!(guard.incidents.len(), INCIDENTS_MAX);
        assert_eq!(guard.incidents[0].first_ms, 4_000_000);
        assert_eq!((guard.version, guard.expires_at), (20, 30 * 86_400));
        assert_eq!(guard.pk, "GUARD#seattle-001#a5-a#shelf_sweep");
    }

    #[test]
    fn an_incident_older_than_all_that_are_kept_is_found_by_its_next_detection() {
        let starts: Vec<i64> = (1..=16).map(|incident| incident * 1_000).collect();
        let late = with(Some(&guard(&starts)), &detection(100, Priority::High), "late", 0);
        assert_eq!(late.incidents.len(), INCIDENTS_MAX);
        let next = detection(110, Priority::High);
        assert_eq!(case_to_join(&late, &next), Some("late"));
    }

    #[test]
    fn joining_stretches_an_incident() {
        let opened = guard(&[1_000]);
        let joined = with(Some(&opened), &detection(1_040, Priority::High), "a", 0);
        let stretch = |guard: &GuardItem| (guard.incidents[0].first_ms, guard.incidents[0].last_ms);
        assert_eq!(stretch(&opened), (1_000_000, 1_002_000));
        assert_eq!(stretch(&joined), (1_000_000, 1_042_000));
    }
}
