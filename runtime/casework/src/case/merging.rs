//! Cases that turn out to be one incident: which goes on, and what it takes over. Pure.
//!
//! A case becomes part of another only while nobody has touched it, and one that people have decided
//! takes in neither a case nor a detection: no function undoes what a person decided, and nothing new
//! may vanish into a case that nobody will look at again. What becomes part of another keeps its audit trail and its clip, and
//! names where it went. To change which case goes on, start at [`parts`].

use contract::case::{CaseItem, CaseStatus};
use serde_json::json;

use super::{Change, clip, surer, telling};
use crate::evidence;

/// What becomes of the cases of one incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts<'a> {
    /// The case that goes on; `None`: what comes now opens one.
    pub survivor: Option<&'a CaseItem>,
    /// Those that become part of it, earliest first.
    pub absorbed: Vec<&'a CaseItem>,
    /// Those that stay as they are, because people work on them or have decided them.
    pub apart: Vec<&'a CaseItem>,
}

/// Decides about the cases of one incident.
///
/// The one that begins first goes on. One that somebody works on goes before it, as people hold its
/// id; one that was decided never does.
pub fn parts(cases: &[CaseItem]) -> Parts<'_> {
    let mut cases: Vec<_> = cases.iter().collect();
    cases.sort_by_key(|case| (precedence(case.status), &case.opened_at, &case.case_id));
    cases.dedup_by_key(|case| &case.case_id);
    let survivor = cases.first().copied().filter(|case| !is_closed(case));
    let others = cases.into_iter().skip(usize::from(survivor.is_some()));
    let (absorbed, apart) = others.partition(|case| case.status == CaseStatus::Open);
    Parts { survivor, absorbed, apart }
}

/// Whether people are done with a case, so that it takes in nothing new.
pub fn is_closed(case: &CaseItem) -> bool {
    precedence(case.status) == Precedence::Closed
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precedence {
    WorkedOn,
    Untouched,
    Closed,
}

fn precedence(status: CaseStatus) -> Precedence {
    match status {
        CaseStatus::Acknowledged | CaseStatus::InReview => Precedence::WorkedOn,
        CaseStatus::Open => Precedence::Untouched,
        CaseStatus::Confirmed
        | CaseStatus::Dismissed
        | CaseStatus::Merged
        | CaseStatus::Unknown => Precedence::Closed,
    }
}

impl Change {
    /// Makes another case part of this one.
    pub fn absorb(&mut self, other: &CaseItem, now_ms: i64) {
        let from = (self.case.priority, self.case.rule.clone());
        let case = &mut self.case;
        case.detections += other.detections;
        case.opened_at = case.opened_at.clone().min(other.opened_at.clone());
        case.last_seen_at = case.last_seen_at.clone().max(other.last_seen_at.clone());
        case.confidence = surer(case.confidence, other.confidence);
        case.shadow &= other.shadow;
        if other.priority > from.0 {
            case.priority = other.priority;
            case.priority_rank = other.priority_rank;
            case.rule.clone_from(&other.rule);
        }
        telling::take_over(case, other);
        let facts = json!({
            "case": other.case_id,
            "detections": other.detections,
            "opened_at": other.opened_at,
            "last_seen_at": other.last_seen_at,
            "priority": other.priority,
            "evidence": other.evidence.key,
            "wanted_rank": other.alert.wanted_rank,
            "sent_rank": other.alert.sent_rank,
            "owed": other.alert.owed,
        });
        self.note("respond", "absorbed", facts);
        if let Some(more) = evidence::incident_range(other).filter(|_| other.camera.is_some()) {
            clip::want_video(self, more, other.evidence.request.clone());
        }
        self.note_escalation(from, |facts| facts["case"] = json!(other.case_id));
        self.absorbed.push(merged(other, &self.case.case_id, now_ms));
    }
}

/// The case after it became part of another, which tells people in its stead.
fn merged(case: &CaseItem, into: &str, now_ms: i64) -> Change {
    let mut change = Change::of(case, now_ms);
    change.case.status = CaseStatus::Merged;
    change.case.status_pk = format!("MERGED#{}", case.store);
    change.case.merged_into = Some(into.to_owned());
    telling::hand_over(&mut change.case.alert);
    change.note("respond", "merged", json!({ "into": into }));
    change
}
