//! The clip of a case: how its objects stand in the case, and how late video replaces it. Pure.
//!
//! A clip that one object cannot hold has several parts; the case names each with its hash. A clip
//! that lacks video is kept and named, and one that shows more is named beside it, never instead of
//! it: the audit trail keeps what the case said before.

use contract::case::{CaseItem, Evidence, EvidenceStatus};
use contract::evidence::EvidencePart;
use serde_json::json;

use super::Change;
use super::clip::{name_beyond, set_range};
use crate::evidence::{self, Range};
#[cfg(test)]
use crate::time::rfc3339;

/// A clip in the evidence bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptClip {
    pub wanted: Range,
    pub first: EvidencePart,
    /// The parts after the first, in order.
    pub others: Vec<EvidencePart>,
    /// What is missing after the last part.
    pub tail: Option<Range>,
    /// Why there is no more.
    pub reason: Option<String>,
}

impl KeptClip {
    fn parts(&self) -> impl Iterator<Item = &EvidencePart> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// The case after video came that its clip lacks, and a better clip was kept beside it; `None`: the
/// case wants another one by now.
pub fn complete_evidence(case: &CaseItem, clip: &KeptClip, now_ms: i64) -> Option<Change> {
    let is_short =
        matches!(case.evidence.status, EvidenceStatus::Incomplete | EvidenceStatus::Failed);
    let key = evidence::later_key(case);
    if !is_short || ![evidence::raw_key(&key), key].contains(&clip.first.key) {
        return None;
    }
    let before = case.evidence.clone();
    let mut change = Change::of(case, now_ms);
    let evidence = &mut change.case.evidence;
    if before.sha256.is_some() {
        evidence.extensions = Some(before.extensions.unwrap_or_default() + 1);
    }
    keep(evidence, clip);
    name_beyond(evidence);
    let facts = json!({ "evidence": evidence, "kept": before });
    change.note("preserve", "evidence-completed", facts);
    Some(change)
}

/// Names a clip in its case.
pub(super) fn keep(evidence: &mut Evidence, clip: &KeptClip) {
    let last = clip.others.last().unwrap_or(&clip.first);
    let gaps = clip.parts().flat_map(|part| part.gaps.iter().cloned());
    evidence.gaps = gaps.chain(clip.tail.as_ref().map(Range::text)).collect();
    let is_whole = evidence.gaps.is_empty();
    evidence.status = if is_whole { EvidenceStatus::Stored } else { EvidenceStatus::Incomplete };
    set_range(evidence, clip.wanted);
    let first = clip.first.clone();
    evidence.key = first.key;
    evidence.sha256 = Some(first.sha256);
    evidence.bytes = Some(first.bytes);
    evidence.version_id = first.version_id;
    evidence.media_type = Some(first.media_type);
    // The first part was locked first.
    evidence.retain_until = Some(first.retain_until);
    evidence.clip_start = Some(first.start);
    evidence.clip_end = Some(last.end.clone());
    let has_parts = !clip.others.is_empty();
    evidence.parts = if has_parts { clip.parts().cloned().collect() } else { Vec::new() };
    let mut reasons: Vec<_> = clip.parts().filter_map(|part| part.reason.clone()).collect();
    reasons.extend(clip.reason.clone());
    reasons.dedup();
    evidence.reason = (!reasons.is_empty()).then(|| reasons.join("; "));
}

#[cfg(test)]
impl KeptClip {
    /// A clip of one object that shows a stretch from end to end.
    pub(crate) fn whole(key: String, wanted: Range) -> Self {
        let first = EvidencePart {
            key,
            media_type: "video/mp4".to_owned(),
            sha256: format!("digest of {}", wanted.text()),
            bytes: 1,
            version_id: Some("version-1".to_owned()),
            start: rfc3339(wanted.start_ms),
            end: rfc3339(wanted.end_ms),
            gaps: Vec::new(),
            retain_until: rfc3339(0),
            reason: None,
        };
        Self { wanted, first, others: Vec::new(), tail: None, reason: None }
    }
}
