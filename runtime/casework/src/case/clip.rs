//! The clip of a case: what it wants, that it was asked for, and how that ended. Pure.
//!
//! A clip that is kept stays named whatever becomes of a longer one, and what is beyond the longest
//! clip is named as a gap. Whenever what is wanted or its state changes, the case goes into the index
//! of pending clips or leaves it. To change what another detection adds, start at [`want_video`].

use contract::case::{CaseItem, Evidence, EvidenceRequest, EvidenceStatus};
use serde_json::json;

use super::Change;
use super::kept::{self, KeptClip};
use crate::evidence::{self, EXTENDED_MS_MAX, Range};
use crate::incident::RoutedDetection;
use crate::time::rfc3339;

/// The case after a request for the clip of this key was sent.
pub fn evidence_requested(case: &CaseItem, key: &str, now_ms: i64) -> Option<Change> {
    let is_due =
        case.evidence.status == EvidenceStatus::Pending && case.evidence.requested_at.is_none();
    let is_due = is_due && evidence::clip_key(case) == key;
    let mut change = Change::of(case, now_ms);
    change.case.evidence.requested_at = Some(change.case.updated_at.clone());
    change.case.evidence.requested_key = Some(key.to_owned());
    is_due.then_some(change)
}

/// How a request for a clip ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Kept(Box<KeptClip>),
    /// There is no clip, for this reason.
    Failed(String),
}

/// The case after its request ended; `None`: it had ended before.
pub fn finish_evidence(case: &CaseItem, outcome: &Outcome, now_ms: i64) -> Option<Change> {
    if case.evidence.status != EvidenceStatus::Pending {
        return None;
    }
    let mut change = Change::of(case, now_ms);
    let evidence = &mut change.case.evidence;
    let mut longer = None;
    let action = match outcome {
        Outcome::Kept(clip) => {
            let wanted = evidence::range_of(case).unwrap_or(clip.wanted);
            let wanted = evidence::extended(clip.wanted, wanted);
            longer = (wanted != clip.wanted).then_some(wanted);
            kept::keep(evidence, clip);
            if longer.is_none() {
                name_beyond(evidence);
            }
            "evidence-stored"
        }
        Outcome::Failed(reason) => {
            fail(evidence, reason);
            "evidence-failed"
        }
    };
    let facts = json!(change.case.evidence);
    change.note("preserve", action, facts);
    if let Some(longer) = longer {
        // A detection joined while the clip was being cut, and the cutter's request goes on.
        extend(&mut change, "preserve", longer);
        change.case.evidence.requested_at = Some(change.case.updated_at.clone());
    }
    evidence::set_pending(&mut change.case);
    Some(change)
}

pub(super) fn new_evidence(detection: &RoutedDetection, case_id: &str, bucket: &str) -> Evidence {
    let range = evidence::wanted(&detection.routing.evidence, detection.start_ms, detection.end_ms);
    let has_camera = detection.camera.is_some();
    let mut evidence = Evidence {
        status: if has_camera { EvidenceStatus::Pending } else { EvidenceStatus::Failed },
        bucket: bucket.to_owned(),
        key: evidence::key(&detection.store.id, case_id, detection.start_ms),
        start: String::new(),
        end: String::new(),
        beyond: None,
        sha256: None,
        bytes: None,
        version_id: None,
        clip_start: None,
        clip_end: None,
        gaps: Vec::new(),
        parts: Vec::new(),
        media_type: None,
        retain_until: None,
        reason: (!has_camera).then(|| "the event names no camera of the store".to_owned()),
        requested_at: None,
        requested_key: None,
        extensions: None,
        request: evidence::request_for(detection),
    };
    set_range(&mut evidence, range);
    evidence
}

pub(super) fn set_range(evidence: &mut Evidence, range: Range) {
    evidence.start = rfc3339(range.start_ms);
    evidence.end = rfc3339(range.end_ms);
}

/// Stretches what the case wants; a clip that is kept is asked for again.
pub(super) fn want_video(change: &mut Change, more: Range, request: Option<EvidenceRequest>) {
    let Some(wanted) = evidence::range_of(&change.case) else { return };
    let all = evidence::incident_range(&change.case).map_or(more, |all| all.with(more));
    let range = evidence::extended(wanted, more);
    let known = change.case.evidence.request.take();
    change.case.evidence.request = match (known, request) {
        (Some(known), Some(more)) => Some(evidence::stricter(known, &more)),
        (known, more) => known.or(more),
    };
    if change.case.evidence.status == EvidenceStatus::Pending {
        set_range(&mut change.case.evidence, range);
    } else if range != wanted {
        extend(change, "respond", range);
    }
    if all != range {
        go_beyond(change, all);
    }
    evidence::set_pending(&mut change.case);
}

/// Remembers that an incident would want more than one clip may show.
fn go_beyond(change: &mut Change, all: Range) {
    let evidence = &mut change.case.evidence;
    // An incident may go on for hours: the trail says once that it did.
    let is_first = evidence.beyond.replace(all.text()).is_none();
    name_beyond(evidence);
    if is_first {
        let facts = json!({
            "incident": all.text(),
            "start": evidence.start,
            "end": evidence.end,
            "status": evidence.status,
            "reason": beyond_reason(),
        });
        change.note("respond", "evidence-beyond", facts);
    }
}

/// Names what an incident would want beyond its clip among what the clip lacks.
pub(super) fn name_beyond(evidence: &mut Evidence) {
    let is_kept = matches!(evidence.status, EvidenceStatus::Stored | EvidenceStatus::Incomplete);
    let all = evidence.beyond.as_deref().filter(|_| is_kept).and_then(Range::parse);
    let (Some(all), Some(wanted)) = (all, evidence::range_between(evidence)) else { return };
    let within = |gap: &String| Range::parse(gap).is_none_or(|gap| gap.meets(wanted));
    evidence.gaps.retain(within);
    if all.start_ms < wanted.start_ms {
        let before = Range { start_ms: all.start_ms, end_ms: wanted.start_ms };
        evidence.gaps.insert(0, before.text());
    }
    if all.end_ms > wanted.end_ms {
        evidence.gaps.push(Range { start_ms: wanted.end_ms, end_ms: all.end_ms }.text());
    }
    evidence.status = EvidenceStatus::Incomplete;
    let (known, beyond) = (evidence.reason.take(), beyond_reason());
    evidence.reason = Some(match known {
        Some(known) if known.contains(&beyond) => known,
        Some(known) => format!("{known}; {beyond}"),
        None => beyond,
    });
}

fn beyond_reason() -> String {
    let minutes = EXTENDED_MS_MAX / 60_000;
    format!("the incident went on for longer than {minutes} minutes, the most that one clip shows")
}

/// Wants a longer clip, under a key of its own. What was kept stays named, also in the audit trail.
fn extend(change: &mut Change, actor: &str, range: Range) {
    let kept = change.case.evidence.clone();
    let evidence = &mut change.case.evidence;
    evidence.status = EvidenceStatus::Pending;
    (evidence.requested_at, evidence.requested_key) = (None, None);
    evidence.extensions = Some(kept.extensions.unwrap_or_default() + 1);
    set_range(evidence, range);
    let (start, end) = (evidence.start.clone(), evidence.end.clone());
    let key = evidence::clip_key(&change.case);
    let facts = json!({ "kept": kept, "start": start, "end": end, "key": key });
    change.note(actor, "evidence-extended", facts);
}

/// Notes that there will be no clip; one that was kept before stays, without the rest.
pub(super) fn fail(evidence: &mut Evidence, reason: &str) {
    evidence.reason = Some(reason.to_owned());
    let (Some(_), Some(start), Some(end)) =
        (&evidence.sha256, &evidence.clip_start, &evidence.clip_end)
    else {
        evidence.status = EvidenceStatus::Failed;
        return;
    };
    evidence.status = EvidenceStatus::Incomplete;
    evidence.reason = Some(format!("the longer clip could not be kept: {reason}"));
    if evidence.start < *start {
        evidence.gaps.insert(0, format!("{}/{start}", evidence.start));
    }
    if evidence.end > *end {
        evidence.gaps.push(format!("{end}/{}", evidence.end));
    }
    name_beyond(evidence);
}
