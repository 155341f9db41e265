//! Tests of the guards: what is linked, and that the guards know it from any order of arrival.

use std::collections::BTreeMap;

use contract::priority::Priority;
use proptest::prelude::*;

use super::*;
use crate::incident::example::detection;

/// Guards by their keys.
type Guards = BTreeMap<String, GuardItem>;

/// Lets a detection go to the cases that it is linked to, which become one, or to a new one of that
/// name.
fn put(guards: &mut Guards, detection: &RoutedDetection, name: &str) -> BTreeSet<String> {
    let stretch = Stretch::of(detection);
    let pks: Vec<_> = stretch.spans().map(|span| pk(detection, span)).collect();
    let read: Vec<_> = pks.iter().filter_map(|pk| guards.get(pk).cloned()).collect();
    let cases = linked(&[detection], &read).cases;
    let case_id = cases.first().cloned().unwrap_or_else(|| name.to_owned());
    for pk in pks {
        let guard = with(guards.get(&pk), &pk, stretch, &case_id, &cases);
        guards.insert(pk, guard);
    }
    cases
}

/// Cases of a detection that begins at this second, after others opened `a`, `b` ...
fn check(opened_s: &[i64], start_s: i64) -> Vec<String> {
    let mut guards = Guards::new();
    for (start_s, name) in opened_s.iter().zip('a'..='z') {
        put(&mut guards, &detection(*start_s, Priority::High), &name.to_string());
    }
    put(&mut guards, &detection(start_s, Priority::High), "new").into_iter().collect()
}

#[test]
fn a_detection_joins_within_the_cooldown_on_both_sides() {
    assert_eq!(check(&[1_000], 1_062), ["a"]);
    assert_eq!(check(&[1_000], 1_063), [""; 0]);
    assert_eq!(check(&[1_000], 938), ["a"]);
    assert_eq!(check(&[1_000], 937), [""; 0]);
}

#[test]
fn a_bridge_is_linked_to_both_sides() {
    assert_eq!(check(&[1_000, 2_000], 1_030), ["a"]);
    assert_eq!(check(&[1_110, 1_000], 1_055), ["a", "b"]);
}

#[test]
fn the_cooldown_of_the_later_one_counts_whichever_comes_first() {
    let earlier = detection(1_000, Priority::High);
    let mut later = detection(1_100, Priority::Low);
    later.routing.cooldown_ms = 98_000;
    for cooldown_ms in [98_000, 97_999] {
        later.routing.cooldown_ms = cooldown_ms;
        for (one, other) in [(&earlier, &later), (&later, &earlier)] {
            let mut guards = Guards::new();
            put(&mut guards, one, "a");
            assert_eq!(put(&mut guards, other, "b").len(), usize::from(cooldown_ms == 98_000));
        }
    }
}

#[test]
fn an_incident_across_the_hour_is_known_on_both_sides_of_it() {
    let mut guards = Guards::new();
    put(&mut guards, &detection(3_599, Priority::High), "a");
    let keys: Vec<_> = guards.keys().cloned().collect();
    let group = "GUARD#seattle-001#a5-a#shelf_sweep";
    assert_eq!(keys, [format!("{group}#0"), format!("{group}#1")]);
    assert_eq!(check(&[3_595], 3_605), ["a"], "the later one looks back");
    assert_eq!(check(&[3_605], 3_595), ["a"], "and so it is found");
}

#[test]
fn the_longest_detection_with_the_longest_cooldown_needs_26_guards() {
    let mut longest = detection(3_599, Priority::High);
    longest.end_ms = longest.start_ms + crate::incident::DETECTION_MS_MAX;
    longest.routing.cooldown_ms = crate::incident::COOLDOWN_MS_MAX;
    assert_eq!(Stretch::of(&longest).spans().count(), 26);
}

#[test]
fn a_guard_without_room_sends_the_next_incident_to_the_nearest() {
    let mut guards = Guards::new();
    let brief = |start_ms: i64| {
        let mut brief = detection(0, Priority::High);
        (brief.start_ms, brief.end_ms) = (start_ms, start_ms);
        brief.routing.cooldown_ms = 0;
        brief
    };
    for incident in 0..500 {
        assert!(put(&mut guards, &brief(1_000 + incident * 10), &incident.to_string()).is_empty());
    }
    assert_eq!(put(&mut guards, &brief(2_003), "new"), ["100".to_owned()].into());
    assert_eq!(put(&mut guards, &brief(2_000_000), "new"), ["499".to_owned()].into());
    let guard = guards.values().next().unwrap();
    assert_eq!((guards.len(), guard.incidents.len()), (1, INCIDENTS_MAX));
    let bytes = serde_json::to_string(guard).unwrap().len();
    assert!(bytes < 150 * INCIDENTS_MAX, "{bytes}");
}

#[test]
fn joining_stretches_an_incident_and_its_guard_s_life() {
    let key = pk(&detection(0, Priority::High), 0);
    let stretch = |start_s| Stretch::of(&detection(start_s, Priority::High));
    let opened = with(None, &key, stretch(1_000), "a", &BTreeSet::new());
    let joined = kept(with(Some(&opened), &key, stretch(1_040), "a", &BTreeSet::new()), 0);
    let stretch = |guard: &GuardItem| Stretch::of_incident(&guard.incidents[0]);
    let expected = Stretch { first_ms: 1_000_000, last_ms: 1_042_000, reach_ms: 940_000 };
    assert_eq!((stretch(&joined), joined.version, joined.expires_at), (expected, 2, 30 * 86_400));
}

/// The root of an element of a forest.
fn root(parents: &[usize], mut at: usize) -> usize {
    while parents[at] != at {
        at = parents[at];
    }
    at
}

proptest! {
    /// Against every pair by itself, over several hours: lengths up to the longest, and cooldowns
    /// from none to hours.
    #[test]
    fn guards_know_exactly_what_is_linked_in_any_order(
        drawn in proptest::collection::vec(
            (0..30_000_i64, 0..=300_i64, prop_oneof![0..100_i64, 0..10_000_i64]), 1..30,
        ),
    ) {
        let detections: Vec<_> = drawn.iter().map(|(start_s, length_s, cooldown_s)| {
            let mut drawn = detection(*start_s, Priority::High);
            drawn.end_ms = drawn.start_ms + length_s * 1_000;
            drawn.routing.cooldown_ms = cooldown_s * 1_000;
            drawn
        }).collect();
        let mut parents: Vec<usize> = (0..detections.len()).collect();
        for (one, a) in detections.iter().enumerate() {
            for (other, b) in detections.iter().enumerate().filter(|(_, b)| b.start_ms >= a.start_ms) {
                if b.start_ms - a.end_ms <= b.routing.cooldown_ms {
                    let (one, other) = (root(&parents, one), root(&parents, other));
                    parents[one] = other;
                }
            }
        }
        let mut guards = Guards::new();
        let mut names: Vec<(usize, String)> = Vec::new();
        for (index, detection) in detections.iter().enumerate() {
            // A guard may name a case that has become part of another since.
            let found: BTreeSet<String> = put(&mut guards, detection, &index.to_string());
            let mine = found.first().cloned().unwrap_or_else(|| index.to_string());
            for (_, name) in &mut names {
                if found.contains(name) {
                    name.clone_from(&mine);
                }
            }
            for guard in guards.values_mut() {
                for incident in &mut guard.incidents {
                    if found.contains(&incident.case_id) {
                        incident.case_id.clone_from(&mine);
                    }
                }
            }
            names.push((index, mine));
        }
        for (one, mine) in &names {
            for (other, theirs) in &names {
                let is_one = root(&parents, *one) == root(&parents, *other);
                prop_assert_eq!(mine == theirs, is_one, "{} and {}", one, other);
            }
        }
    }
}
