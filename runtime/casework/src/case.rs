//! The case: what each event makes of it. Pure.
//!
//! Every function takes the case as it is on record and returns a [`Change`]: the case as it will
//! be, the new entries of its audit trail, and what must be written with it in one transaction.
//! The table refuses a change whose `before` is no longer on record; the caller then reads the case
//! again and asks again. Nothing here removes or rewrites an entry of the audit trail.

use contract::case::{
    AlertState, AuditEntry, CaseItem, CaseStatus, EvidenceStatus, GuardItem, SK_CASE, SeenItem,
};
use serde_json::{Value, json};

use crate::audit;
use crate::evidence;
use crate::guard;
use crate::incident::RoutedDetection;
use crate::time::{parse_ms, rfc3339};

mod clip;
mod kept;
mod merging;
pub mod overdue;
mod telling;
#[cfg(test)]
mod trail;

pub use clip::{Outcome, evidence_requested, finish_evidence};
pub use kept::{KeptClip, complete_evidence};
pub use merging::{Parts, is_closed, parts};
pub use telling::{Told, alerted, audiences, is_due, with_alert};

/// What is written about a case, all or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The case on record; `None`: there must be none.
    pub before: Option<CaseItem>,
    pub case: CaseItem,
    pub entries: Vec<AuditEntry>,
    /// Present when the change counts detections, or moves an incident to another case.
    pub counted: Option<Counted>,
    /// The cases that become part of this one, in the same transaction.
    pub absorbed: Vec<Change>,
}

/// What makes a detection count once, and the next one find its case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    pub guards: Vec<GuardChange>,
    /// There must be none of these on record.
    pub seen: Vec<SeenItem>,
}

/// A guard as it was and as it will be.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardChange {
    /// The guard on record; `None`: there must be none.
    pub before: Option<GuardItem>,
    pub guard: GuardItem,
}

impl Change {
    /// A change of a case that is on record.
    pub fn of(before: &CaseItem, now_ms: i64) -> Self {
        let mut case = before.clone();
        case.version += 1;
        case.updated_at = rfc3339(now_ms);
        let before = Some(before.clone());
        Self { before, case, entries: Vec::new(), counted: None, absorbed: Vec::new() }
    }

    /// The case that a detection opens. `apart` are the cases that it touches and that people have
    /// decided, so that they stay as they are.
    pub fn opening(
        detection: &RoutedDetection,
        apart: &[String],
        bucket: &str,
        now_ms: i64,
    ) -> Self {
        let case = new_case(detection, &detection.case_id(), bucket, &rfc3339(now_ms));
        let (entries, absorbed) = (Vec::new(), Vec::new());
        let mut change = Self { before: None, case, entries, counted: None, absorbed };
        change.note("respond", "opened", facts_apart(detection, apart));
        if change.case.evidence.status == EvidenceStatus::Failed {
            let facts = json!({ "reason": change.case.evidence.reason });
            change.note("respond", "evidence-failed", facts);
        }
        change
    }

    /// Counts another detection of the incident. `apart` are the cases that it touches as well and
    /// that people work on or have decided, so that they stay as they are.
    pub fn add(&mut self, detection: &RoutedDetection, apart: &[String]) {
        let joined = &mut self.case;
        joined.detections += 1;
        joined.opened_at = joined.opened_at.clone().min(rfc3339(detection.start_ms));
        joined.last_seen_at = joined.last_seen_at.clone().max(rfc3339(detection.end_ms));
        joined.confidence = surer(joined.confidence, detection.confidence);
        self.note("respond", "joined", facts_apart(detection, apart));
        if detection.camera.is_some() {
            let policy = &detection.routing.evidence;
            let more = evidence::wanted(policy, detection.start_ms, detection.end_ms);
            clip::want_video(self, more, evidence::request_for(detection));
        }
        self.raise(detection);
    }

    /// Takes over what a rule says where it says more than the rules before.
    pub fn raise(&mut self, detection: &RoutedDetection) {
        let routing = &detection.routing;
        let from = (self.case.priority, self.case.rule.clone());
        self.case.shadow &= routing.shadow;
        if routing.priority > from.0 {
            self.case.priority = routing.priority;
            self.case.priority_rank = routing.priority.rank();
            self.case.rule.clone_from(&routing.rule);
        }
        telling::want(&mut self.case, detection);
        self.note_escalation(from, |facts| {
            facts["detection"] = json!(detection.id);
            facts["event"] = json!(detection.event_id);
        });
    }

    /// Whether nothing would be written but a new version.
    pub fn is_idle(&self) -> bool {
        let is_same = |before: &CaseItem| {
            let case = &self.case;
            case.shadow == before.shadow
                && case.notify == before.notify
                && case.alert == before.alert
        };
        self.before.as_ref().is_some_and(is_same)
            && self.entries.is_empty()
            && self.absorbed.is_empty()
            && self.counted.is_none()
    }

    /// Notes that the priority rose, if it did; `by` adds what made it rise.
    fn note_escalation(
        &mut self,
        (from, from_rule): (contract::priority::Priority, String),
        by: impl FnOnce(&mut Value),
    ) {
        if self.case.priority > from {
            let (to, to_rule) = (self.case.priority, &self.case.rule);
            let mut facts =
                json!({ "from": from, "from_rule": from_rule, "to": to, "to_rule": to_rule });
            by(&mut facts);
            self.note("respond", "escalated", facts);
        }
    }

    /// Appends an entry to the audit trail.
    fn note(&mut self, actor: &str, action: &str, facts: Value) {
        self.case.audit_count += 1;
        let entry = audit::entry(&self.case, actor, action, facts);
        self.case.audit_hash.clone_from(&entry.hash);
        self.entries.push(entry);
    }
}

/// The case that a detection opens, with its guards and its mark.
pub fn open(
    detection: &RoutedDetection,
    guards: impl IntoIterator<Item = GuardItem>,
    bucket: &str,
    now_ms: i64,
) -> Change {
    let change = Change::opening(detection, &[], bucket, now_ms);
    counting(change, detection, guards, now_ms)
}

/// The case after another detection joined it, with its guards and its mark.
pub fn join(
    case: &CaseItem,
    detection: &RoutedDetection,
    guards: impl IntoIterator<Item = GuardItem>,
    now_ms: i64,
) -> Change {
    let mut change = Change::of(case, now_ms);
    change.add(detection, &[]);
    counting(change, detection, guards, now_ms)
}

/// The case after another rule matched a detection that it holds already; `None`: all as it was.
pub fn reroute(case: &CaseItem, detection: &RoutedDetection, now_ms: i64) -> Option<Change> {
    let mut change = Change::of(case, now_ms);
    change.raise(detection);
    (!change.is_idle()).then_some(change)
}

/// Adds what makes one detection count once.
fn counting(
    mut change: Change,
    detection: &RoutedDetection,
    guards: impl IntoIterator<Item = GuardItem>,
    now_ms: i64,
) -> Change {
    let case_id = change.case.case_id.clone();
    let on_record: Vec<_> = guards.into_iter().collect();
    let stretch = guard::Stretch::of(detection);
    let guards = stretch.spans().map(|span| {
        let pk = guard::pk(detection, span);
        let before = on_record.iter().find(|it| it.pk == pk).cloned();
        let names = [case_id.clone()].into();
        let guard = guard::with(before.as_ref(), &pk, stretch, &case_id, &names);
        GuardChange { guard: guard::kept(guard, now_ms), before }
    });
    let guards = guards.collect();
    change.counted = Some(Counted { guards, seen: vec![guard::seen(detection, &case_id, now_ms)] });
    change
}

/// The higher of two confidences, as far as they are known.
fn surer(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

fn new_case(detection: &RoutedDetection, case_id: &str, bucket: &str, now: &str) -> CaseItem {
    let RoutedDetection { store, routing, camera, .. } = detection;
    let mut case = CaseItem {
        pk: format!("CASE#{case_id}"),
        sk: SK_CASE.to_owned(),
        case_id: case_id.to_owned(),
        schema_version: contract::VERSION,
        version: 1,
        status: CaseStatus::Open,
        priority: routing.priority,
        priority_rank: routing.priority.rank(),
        store: store.id.clone(),
        store_name: store.name.clone(),
        cell: store.cell.clone(),
        timezone: store.timezone.clone(),
        camera: camera.as_ref().map(|camera| camera.id.clone()),
        aisle: detection.aisle.clone(),
        aisle_name: detection.aisle_name.clone(),
        aisle_kind: detection.aisle_kind.clone(),
        zone: detection.zone.clone(),
        period: detection.period.clone(),
        event_type: detection.event_type.clone(),
        confidence: detection.confidence,
        rule: routing.rule.clone(),
        notify: routing.notify.clone(),
        shadow: routing.shadow,
        opened_at: rfc3339(detection.start_ms),
        last_seen_at: rfc3339(detection.end_ms),
        created_at: now.to_owned(),
        updated_at: now.to_owned(),
        detections: 1,
        evidence: clip::new_evidence(detection, case_id, bucket),
        alert: AlertState::default(),
        model: detection.model.clone(),
        audit_hash: audit::FIRST_HASH.to_owned(),
        audit_count: 0,
        store_pk: format!("STORE#{}", store.id),
        status_pk: format!("OPEN#{}", store.id),
        pending_pk: None,
        evidence_due_at: None,
        merged_into: None,
    };
    telling::want(&mut case, detection);
    evidence::set_pending(&mut case);
    case
}

/// What the audit trail keeps of a detection.
fn facts(detection: &RoutedDetection) -> Value {
    json!({
        "detection": detection.id,
        "event": detection.event_id,
        "event_type": detection.event_type,
        "start": rfc3339(detection.start_ms),
        "end": rfc3339(detection.end_ms),
        "confidence": detection.confidence.map(|it| it.to_string()),
        "rule": detection.routing.rule,
        "priority": detection.routing.priority,
    })
}

/// The same, with the cases that it touches and that stay as they are.
fn facts_apart(detection: &RoutedDetection, apart: &[String]) -> Value {
    let mut facts = facts(detection);
    if let Value::Object(facts) = &mut facts
        && !apart.is_empty()
    {
        facts.insert("apart".to_owned(), json!(apart));
    }
    facts
}

/// When the behaviour of a case began, in milliseconds since the epoch.
pub fn opened_ms(case: &CaseItem) -> i64 {
    parse_ms(&case.opened_at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use contract::evidence::{EvidencePart, LockMode};
    use contract::priority::Priority;

    use super::*;
    use crate::evidence::Range;
    use crate::incident::example::detection;

    /// A case of medium priority that began at 100 s, and what joined it.
    fn check(joined: &[RoutedDetection]) -> CaseItem {
        let opened = open(&detection(100, Priority::Medium), None, "evidence", 0).case;
        joined.iter().fold(opened, |case, detection| join(&case, detection, None, 0).case)
    }

    #[test]
    fn a_case_begins_with_its_keys_its_clip_s_key_and_its_first_entry() {
        let change = open(&detection(100, Priority::Medium), None, "evidence", 120_000);
        let case = change.case;
        assert_eq!(case.pk, format!("CASE#{}", case.case_id));
        assert_eq!((&*case.store_pk, &*case.status_pk), ("STORE#seattle-001", "OPEN#seattle-001"));
        assert_eq!(case.opened_at, "1970-01-01T00:01:40.000Z");
        assert_eq!(case.created_at, "1970-01-01T00:02:00.000Z");
        assert_eq!(
            (&*case.evidence.start, &*case.evidence.end),
            ("1970-01-01T00:01:25.000Z", "1970-01-01T00:01:57.000Z")
        );
        let [entry] = change.entries.try_into().unwrap();
        assert_eq!((&*entry.sk, &entry.hash), ("EVENT#000001", &case.audit_hash));
        assert_eq!(change.counted.unwrap().seen[0].case_id, case.case_id);
    }

    #[test]
    fn a_case_keeps_the_highest_confidence_and_priority_of_its_detections() {
        let mut sure = detection(110, Priority::High);
        sure.confidence = Some(0.9);
        let mut unsure = detection(120, Priority::Low);
        unsure.confidence = None;
        let case = check(&[sure, unsure]);
        assert_eq!((case.confidence, case.priority), (Some(0.9), Priority::High));
        assert_eq!((case.version, case.detections, case.rule.as_str()), (3, 3, "high-rule"));
    }

    /// A clip of this stretch, in seconds.
    fn clip(key: String, start_s: i64, end_s: i64) -> KeptClip {
        let wanted = Range { start_ms: start_s * 1_000, end_ms: end_s * 1_000 };
        KeptClip::whole(key, wanted)
    }

    fn keep_clip(case: &CaseItem, start_s: i64, end_s: i64) -> Change {
        let clip = clip(evidence::clip_key(case), start_s, end_s);
        finish_evidence(case, &Outcome::Kept(Box::new(clip)), 0).unwrap()
    }

    #[test]
    fn an_incident_that_goes_on_after_its_clip_was_kept_gets_a_longer_one() {
        let kept = keep_clip(&check(&[]), 85, 117).case;
        assert_eq!(kept.evidence.status, EvidenceStatus::Stored);
        let within = join(&kept, &detection(100, Priority::Low), None, 0).case;
        assert_eq!(within.evidence, kept.evidence, "nothing is missing");

        let joined = join(&kept, &detection(130, Priority::Low), None, 0);
        let actions: Vec<_> = joined.entries.iter().map(|entry| &*entry.action).collect();
        assert_eq!(actions, ["joined", "evidence-extended"]);
        assert_eq!(joined.entries[1].facts["kept"], json!(kept.evidence));
        let longer = joined.case;
        assert_eq!(longer.evidence.status, EvidenceStatus::Pending);
        assert_eq!(longer.evidence.end, "1970-01-01T00:02:27.000Z");
        assert_eq!(longer.evidence.sha256, kept.evidence.sha256, "the kept one stays named");
        let key = kept.evidence.key.replace(".mp4", "-2.mp4");
        assert_eq!(evidence::clip_key(&longer), key);
        assert!(evidence_requested(&longer, &key, 1).is_some());
        let case = keep_clip(&longer, 85, 147).case;
        assert_eq!((case.evidence.status, case.evidence.key), (EvidenceStatus::Stored, key));
    }

    const BEYOND: &str =
        "the incident went on for longer than 15 minutes, the most that one clip shows";

    #[test]
    fn a_clip_follows_its_incident_for_15_minutes() {
        let far = check(&[detection(300, Priority::Low), detection(650, Priority::Low)]);
        assert_eq!(evidence::range_of(&far).unwrap().end_ms, 667_000);
        assert_eq!(far.evidence.beyond, None);
        assert_eq!(keep_clip(&far, 85, 667).case.evidence.status, EvidenceStatus::Stored);
    }

    #[test]
    fn what_an_incident_goes_on_for_beyond_its_clip_is_a_gap_and_the_trail_says_so_once() {
        let whole = keep_clip(&check(&[detection(900, Priority::Low)]), 85, 917).case;
        // It goes on, beyond what one clip may show, while that is kept and after.
        let beyond = join(&whole, &detection(1_500, Priority::Low), None, 0);
        let actions = |change: &Change| {
            let actions = change.entries.iter().map(|entry| entry.action.clone());
            actions.collect::<Vec<_>>()
        };
        assert_eq!(actions(&beyond), ["joined", "evidence-extended", "evidence-beyond"]);
        let facts = &beyond.entries[2].facts;
        assert_eq!(facts["incident"], "1970-01-01T00:01:25.000Z/1970-01-01T00:25:17.000Z");
        assert_eq!(beyond.case.evidence.status, EvidenceStatus::Pending);
        let kept = keep_clip(&beyond.case, 85, 985).case;
        let tail = "1970-01-01T00:16:25.000Z/1970-01-01T00:25:17.000Z";
        assert_eq!(kept.evidence.status, EvidenceStatus::Incomplete);
        assert_eq!(
            (&*kept.evidence.gaps.join(" "), kept.evidence.reason.as_deref()),
            (tail, Some(BEYOND))
        );
        assert_eq!(evidence::missing_ms(&kept), 0, "nobody looks for it");
        let later = join(&kept, &detection(2_000, Priority::Low), None, 0);
        assert_eq!(actions(&later), ["joined"]);
        let later = later.case.evidence;
        let tail = "1970-01-01T00:16:25.000Z/1970-01-01T00:33:37.000Z";
        assert_eq!((&*later.gaps.join(" "), later.reason.as_deref()), (tail, Some(BEYOND)));
        assert_eq!((later.sha256, later.parts), (kept.evidence.sha256, kept.evidence.parts));
    }

    #[test]
    fn a_whole_clip_becomes_incomplete_by_what_is_beyond_on_either_side() {
        let full = keep_clip(&check(&[detection(960, Priority::Low)]), 85, 977).case;
        let full = keep_clip(&join(&full, &detection(968, Priority::Low), None, 0).case, 85, 985);
        assert_eq!(full.case.evidence.status, EvidenceStatus::Stored);
        let early = join(&full.case, &detection(-500, Priority::Low), None, 0).case;
        assert_eq!(early.evidence.status, EvidenceStatus::Incomplete);
        assert_eq!(early.evidence.gaps, ["1969-12-31T23:51:25.000Z/1970-01-01T00:01:25.000Z"]);
        let other = open(&detection(3_000, Priority::Low), None, "evidence", 0).case;
        let other = join(&other, &detection(5_000, Priority::Low), None, 0).case;
        let mut merged = Change::of(&early, 0);
        merged.absorb(&other, 0);
        let evidence = merged.case.evidence;
        let after = "1970-01-01T00:16:25.000Z/1970-01-01T01:23:37.000Z";
        assert_eq!(evidence.gaps, [&*early.evidence.gaps[0], after], "also what that one named");
        assert_eq!(evidence.reason.as_deref(), Some(BEYOND));
    }

    #[test]
    fn a_clip_that_fails_keeps_its_own_reason_and_late_video_does_not_hide_what_is_beyond() {
        let beyond = check(&[detection(1_500, Priority::Low)]);
        let outcome = Outcome::Failed("no video".to_owned());
        let failed = finish_evidence(&beyond, &outcome, 0).unwrap().case;
        assert_eq!(failed.evidence.status, EvidenceStatus::Failed);
        assert_eq!(failed.evidence.reason.as_deref(), Some("no video"));
        let clip = clip(evidence::later_key(&failed), 85, 985);
        let late = complete_evidence(&failed, &clip, 9).unwrap().case.evidence;
        assert_eq!((late.status, late.gaps.len()), (EvidenceStatus::Incomplete, 1));
    }

    #[test]
    fn a_longer_clip_that_cannot_be_kept_leaves_the_kept_one_incomplete() {
        let kept = keep_clip(&check(&[]), 85, 117).case;
        let longer = join(&kept, &detection(130, Priority::Low), None, 0).case;
        let outcome = Outcome::Failed("no video".to_owned());
        let failed = finish_evidence(&longer, &outcome, 0).unwrap().case.evidence;
        assert_eq!(failed.status, EvidenceStatus::Incomplete);
        assert_eq!(failed.gaps, ["1970-01-01T00:01:57.000Z/1970-01-01T00:02:27.000Z"]);
        assert_eq!((failed.key, failed.sha256), (kept.evidence.key, kept.evidence.sha256));
        let reason = "the longer clip could not be kept: no video";
        assert_eq!(failed.reason.as_deref(), Some(reason));
    }

    #[test]
    fn a_clip_in_parts_names_every_object_and_every_gap() {
        let case = check(&[]);
        let mut clip = clip(evidence::clip_key(&case), 85, 117);
        clip.first.end = rfc3339(100_000);
        clip.first.gaps = vec!["a/b".to_owned()];
        let second = EvidencePart {
            key: evidence::part_key(&clip.first.key, 2),
            start: rfc3339(100_000),
            end: rfc3339(110_000),
            gaps: vec!["c/d".to_owned()],
            reason: Some("InvalidMediaFrameException".to_owned()),
            ..clip.first.clone()
        };
        clip.others = vec![second.clone()];
        clip.tail = Some(Range { start_ms: 110_000, end_ms: 117_000 });
        clip.reason = Some("the rest is gone".to_owned());
        let first = clip.first.clone();
        let kept = finish_evidence(&case, &Outcome::Kept(Box::new(clip)), 0).unwrap().case.evidence;
        assert_eq!((&kept.key, kept.parts), (&first.key, vec![first.clone(), second]));
        assert_eq!((kept.clip_start, kept.clip_end), (Some(first.start), Some(rfc3339(110_000))));
        let tail = "1970-01-01T00:01:50.000Z/1970-01-01T00:01:57.000Z";
        assert_eq!(
            (kept.status, &*kept.gaps.join(" ")),
            (EvidenceStatus::Incomplete, &*format!("a/b c/d {tail}"))
        );
        assert_eq!(kept.reason.as_deref(), Some("InvalidMediaFrameException; the rest is gone"));
    }

    #[test]
    fn video_that_comes_late_completes_a_clip_under_a_key_of_its_own_and_once() {
        let case = check(&[]);
        let mut short = clip(evidence::clip_key(&case), 85, 117);
        short.tail = Some(Range { start_ms: 110_000, end_ms: 117_000 });
        let short = finish_evidence(&case, &Outcome::Kept(Box::new(short)), 0).unwrap().case;
        assert_eq!(evidence::missing_ms(&short), 7_000);
        let key = case.evidence.key.replace(".mp4", "-2.mp4");
        assert_eq!(evidence::later_key(&short), key);
        let whole = clip(key.clone(), 85, 117);
        let completed = complete_evidence(&short, &whole, 9).unwrap();
        assert_eq!(completed.entries[0].action, "evidence-completed");
        assert_eq!(completed.entries[0].facts["kept"], json!(short.evidence));
        let completed = completed.case;
        assert_eq!(
            (completed.evidence.status, &completed.evidence.key),
            (EvidenceStatus::Stored, &key)
        );
        assert_eq!(complete_evidence(&completed, &whole, 9), None);
        let stale = clip(evidence::clip_key(&case), 85, 117);
        assert_eq!(complete_evidence(&short, &stale, 9), None, "another one was kept meanwhile");
    }

    #[test]
    fn video_that_comes_after_all_gives_a_failed_case_its_clip_under_the_key_it_named() {
        let case = check(&[]);
        let outcome = Outcome::Failed("no video".to_owned());
        let failed = finish_evidence(&case, &outcome, 0).unwrap().case;
        assert_eq!(evidence::missing_ms(&failed), i64::MAX);
        let clip = clip(evidence::later_key(&failed), 85, 117);
        let kept = complete_evidence(&failed, &clip, 9).unwrap().case.evidence;
        assert_eq!((kept.status, kept.key), (EvidenceStatus::Stored, case.evidence.key));
        assert_eq!((kept.reason, kept.extensions), (None, None));
    }

    #[test]
    fn a_detection_that_joins_while_the_clip_is_cut_is_not_left_out() {
        let joined = check(&[detection(130, Priority::Low)]);
        let kept = keep_clip(&joined, 85, 117);
        let actions: Vec<_> = kept.entries.iter().map(|entry| &*entry.action).collect();
        assert_eq!(actions, ["evidence-stored", "evidence-extended"]);
        assert_eq!(kept.case.evidence.status, EvidenceStatus::Pending);
        assert_eq!(kept.case.evidence.end, "1970-01-01T00:02:27.000Z");
        let key = evidence::clip_key(&kept.case);
        assert_eq!(evidence_requested(&kept.case, &key, 1), None, "its cutter asks again");
    }

    #[test]
    fn a_case_is_in_the_index_of_pending_clips_exactly_while_its_clip_is_to_come() {
        let check = |case: &CaseItem| {
            assert_eq!(evidence::request(case).is_some(), case.pending_pk.is_some());
            (case.pending_pk.clone(), case.evidence_due_at.clone())
        };
        let due = |at: &str| (Some("PENDING".to_owned()), Some(at.to_owned()));
        let opened = opened_by(None);
        assert_eq!(check(&opened), due("1970-01-01T00:11:57.000Z"));
        let joined = join(&opened, &detection(130, Priority::Low), None, 0).case;
        assert_eq!(check(&joined), due("1970-01-01T00:12:27.000Z"));
        let kept = keep_clip(&opened, 85, 117).case;
        assert_eq!(check(&kept), (None, None));
        let longer = join(&kept, &detection(130, Priority::Low), None, 0).case;
        assert_eq!(check(&longer), due("1970-01-01T00:12:27.000Z"));
        let failed = finish_evidence(&longer, &Outcome::Failed("no".to_owned()), 0).unwrap().case;
        assert_eq!(check(&failed), (None, None));
        let behind = keep_clip(&joined, 85, 117).case;
        assert_eq!(check(&behind), due("1970-01-01T00:12:27.000Z"), "its cutter goes on");
        let blind = RoutedDetection { camera: None, ..detection(100, Priority::Low) };
        assert_eq!(check(&open(&blind, None, "evidence", 0).case), (None, None));
    }

    #[test]
    fn a_case_without_what_this_release_added_is_read_and_completed_by_the_next_detection() {
        let mut item = json!(opened_by(None));
        for name in ["pending_pk", "evidence_due_at"] {
            assert!(item.as_object_mut().unwrap().remove(name).is_some(), "{name}");
        }
        assert!(item["evidence"].as_object_mut().unwrap().remove("request").is_some());
        let old: CaseItem = serde_json::from_value(item).unwrap();
        assert_eq!(evidence::request(&old), None);
        let joined = join(&old, &detection(100, Priority::Low), None, 0).case;
        assert_eq!(joined.evidence, opened_by(None).evidence);
        assert_eq!(joined.pending_pk, opened_by(None).pending_pk);
    }

    #[test]
    fn a_clip_is_kept_as_the_stricter_of_two_requests_says_in_either_order() {
        let mut long = detection(100, Priority::Low);
        long.routing.evidence.keep_days = 365;
        let mut locked = detection(110, Priority::Low);
        locked.routing.evidence.lock = LockMode::Compliance;
        for (one, other) in [(&long, &locked), (&locked, &long)] {
            let case = join(&opened_by(Some(one)), other, None, 0).case;
            let request = evidence::request(&case).unwrap();
            assert_eq!((request.keep_days, request.lock), (365, LockMode::Compliance));
        }
    }

    fn opened_by(by: Option<&RoutedDetection>) -> CaseItem {
        let by = by.cloned().unwrap_or_else(|| detection(100, Priority::Medium));
        open(&by, None, "evidence", 0).case
    }

    #[test]
    fn a_clip_is_asked_for_once_and_ends_once() {
        let case = check(&[]);
        let key = evidence::clip_key(&case);
        let other = key.replace(".mp4", "-2.mp4");
        assert_eq!(evidence_requested(&case, &other, 5), None, "that is not the clip it wants");
        let requested = evidence_requested(&case, &key, 5).unwrap().case;
        assert_eq!(evidence_requested(&requested, &key, 6), None);
        let outcome = Outcome::Failed("no video".to_owned());
        let failed = finish_evidence(&requested, &outcome, 7).unwrap().case;
        assert_eq!(failed.evidence.reason.as_deref(), Some("no video"));
        assert_eq!(finish_evidence(&failed, &outcome, 8), None);
    }

    #[test]
    fn a_rule_that_says_no_more_than_the_case_changes_nothing() {
        assert_eq!(reroute(&check(&[]), &detection(100, Priority::Medium), 1), None);
        assert_eq!(reroute(&check(&[]), &detection(100, Priority::Low), 1), None);
        let raised = reroute(&check(&[]), &detection(100, Priority::High), 1).unwrap();
        assert_eq!((raised.case.detections, raised.case.priority), (1, Priority::High));
        assert_eq!(raised.counted, None);
    }
}
