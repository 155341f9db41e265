//! What a trail and a bucket betray.

use casework::case::{self, KeptClip, Outcome};
use serde_json::json;

use super::*;
use crate::dead_letter::tests::fleet;

const DAY_MS: i64 = 86_400_000;

/// A case that keeps its clip for ninety days, with its trail.
fn kept() -> (CaseItem, Vec<AuditEntry>) {
    kept_with(Vec::new())
}

/// The same with further parts.
fn kept_with(others: Vec<EvidencePart>) -> (CaseItem, Vec<AuditEntry>) {
    let fleet = fleet();
    let store = &fleet.fleet.stores[0];
    let mut message = crate::stack::incident_message(store, &fleet.rules_of(store).rules[0]);
    message.detail =
        json!({ "event_type": "shelf_sweep", "camera": "aisle-5-a", "start_ms": 1_000 });
    let detection = casework::incident::read(message, 1_000).unwrap();
    let opened = case::open(&detection, None, "bucket", 1_000);
    let first = EvidencePart {
        key: opened.case.evidence.key.clone(),
        media_type: "video/mp4".to_owned(),
        sha256: "aa".to_owned(),
        bytes: 5,
        version_id: Some("v1".to_owned()),
        start: casework::time::rfc3339(0),
        end: casework::time::rfc3339(1),
        gaps: Vec::new(),
        retain_until: casework::time::rfc3339(90 * DAY_MS + 500),
        reason: None,
    };
    let wanted = casework::evidence::range_of(&opened.case).unwrap();
    let clip = Box::new(KeptClip { wanted, first, others, tail: None, reason: None });
    let stored = case::finish_evidence(&opened.case, &Outcome::Kept(clip), 2_000).unwrap();
    (stored.case, [opened.entries, stored.entries].concat())
}

fn object(case: &CaseItem) -> Object {
    Object {
        bytes: 5,
        sha256: "aa".to_owned(),
        own_sha256: Some("aa".to_owned()),
        lock: Some(LockMode::Governance),
        locked_until_ms: Some(90 * DAY_MS),
        case_id: Some(case.case_id.clone()),
    }
}

/// The codes of what does not hold in a case that was changed so.
fn check_case(change: impl Fn(&mut CaseItem, &mut Vec<AuditEntry>)) -> Vec<&'static str> {
    let (mut case, mut entries) = kept();
    change(&mut case, &mut entries);
    of_case(&case, &entries, "bucket").iter().map(Finding::code).collect()
}

/// The same for an object.
fn check_clip(now_ms: i64, change: impl Fn(Object) -> Option<Object>) -> Vec<&'static str> {
    let (case, entries) = kept();
    let [clip] = clips(&case, &entries).try_into().unwrap();
    let object = change(object(&case));
    of_clip(&clip, object.as_ref(), now_ms).iter().map(Finding::code).collect()
}

#[test]
fn what_nobody_touched_holds() {
    assert_eq!(check_case(|_, _| ()), [""; 0]);
    assert_eq!(check_clip(0, Some), [""; 0], "S3 keeps whole seconds");
}

#[test]
fn a_case_that_names_another_clip_than_its_trail_is_found() {
    let other = || Some("bb".to_owned());
    assert_eq!(check_case(|case, _| case.evidence.sha256 = other()), ["other-clip"]);
    assert_eq!(check_case(|case, _| case.evidence.version_id = other()), ["other-clip"]);
    assert_eq!(check_case(|case, _| case.evidence.sha256 = None), ["other-clip"]);
    assert_eq!(check_case(|case, _| case.evidence.bucket = "mine".to_owned()), ["other-bucket"]);
    let untold = check_case(|case, entries| {
        entries.pop();
        case.audit_count = 1;
        case.audit_hash.clone_from(&entries[0].hash);
    });
    assert_eq!(untold, ["untold-clip"]);
    assert_eq!(check_case(|_, entries| entries[0].actor = "me".to_owned()), ["trail"]);
}

#[test]
fn both_clips_are_read_where_the_case_and_its_trail_disagree() {
    let (mut case, entries) = kept();
    case.evidence.version_id = Some("v2".to_owned());
    let versions: Vec<_> =
        clips(&case, &entries).into_iter().filter_map(|it| it.version_id).collect();
    assert_eq!(versions, ["v1", "v2"]);
}

#[test]
fn a_clip_that_is_another_or_gone_or_less_locked_is_found() {
    assert_eq!(check_clip(0, |_| None), ["clip-gone"]);
    let other = |it: Object| Some(Object { sha256: "bb".to_owned(), bytes: 6, ..it });
    assert_eq!(check_clip(0, other), ["other-video", "other-size", "other-checksum"]);
    assert_eq!(check_clip(0, |it| Some(Object { own_sha256: None, ..it })), ["no-checksum"]);
    assert_eq!(check_clip(0, |it| Some(Object { lock: None, ..it })), ["unlocked"]);
    let shorter = |it| Some(Object { locked_until_ms: Some(90 * DAY_MS - 1), ..it });
    assert_eq!(check_clip(0, shorter), ["locked-shorter"]);
    assert_eq!(
        check_clip(0, |it| Some(Object { case_id: Some("X".into()), ..it })),
        ["other-case"]
    );
}

#[test]
fn after_its_time_a_clip_may_be_gone_and_must_still_be_itself() {
    let later_ms = 91 * DAY_MS;
    assert_eq!(check_clip(later_ms, |_| None), [""; 0]);
    assert_eq!(check_clip(later_ms, |it| Some(Object { lock: None, ..it })), [""; 0]);
    assert_eq!(check_clip(later_ms, |it| Some(Object { bytes: 1, ..it })), ["other-size"]);
}

#[test]
fn a_lock_that_anybody_may_lift_is_no_compliance() {
    let (case, entries) = kept();
    let [clip] = clips(&case, &entries).try_into().unwrap();
    let clip = Clip { lock: Some(LockMode::Compliance), ..clip };
    let found = of_clip(&clip, Some(&object(&case)), 0);
    assert_eq!(found.iter().map(Finding::code).collect::<Vec<_>>(), ["locked-weaker"]);
}

#[test]
fn every_part_of_a_clip_is_held_against_its_object() {
    let second = EvidencePart {
        key: "part-2".to_owned(),
        media_type: "video/mp4".to_owned(),
        sha256: "bb".to_owned(),
        bytes: 7,
        version_id: Some("v2".to_owned()),
        start: casework::time::rfc3339(1),
        end: casework::time::rfc3339(2),
        gaps: Vec::new(),
        retain_until: casework::time::rfc3339(91 * DAY_MS),
        reason: None,
    };
    let (mut case, entries) = kept_with(vec![second]);
    let found: Vec<_> = clips(&case, &entries)
        .into_iter()
        .map(|clip| (clip.key == case.evidence.key, clip.sha256, clip.bytes))
        .collect();
    let expected = [(true, "aa".to_owned(), Some(5)), (false, "bb".to_owned(), Some(7))];
    assert_eq!(found, expected);
    case.evidence.parts.pop();
    let codes: Vec<_> = of_case(&case, &entries, "bucket").iter().map(Finding::code).collect();
    assert_eq!(codes, ["other-clip"]);
}
