//! Evidence: which stretch of video a case keeps, under which key, and the request for it. Pure.
//!
//! What a case wants only grows, up to a limit, and what was kept once stays under its key: a longer
//! clip has a key of its own. What an incident would want beyond the limit is named: the field
//! `beyond` of a case's evidence. How a clip is cut stands in `cut`.

use contract::case::{CaseItem, Evidence, EvidenceRequest, EvidenceStatus, PENDING_PK};
use contract::evidence::{EvidenceMessage, EvidencePolicy, LockMode};

use crate::incident::RoutedDetection;
use crate::time::{parse_ms, rfc3339};

/// Longest stretch that later detections may extend a clip to, in milliseconds. Our choice, 15
/// minutes: people can watch that much, and an incident that goes on for longer is a condition of the
/// place. At 4 Mbit/s it is 450 MB, five parts, and with fragments of two seconds 450 of them.
pub const EXTENDED_MS_MAX: i64 = 900_000;

/// From the end of what is wanted until it can be read, in milliseconds: two fragments of two
/// seconds, and three for a healthy way to the stream. Our choice, because a request that comes too
/// early is only put back, and one that comes later keeps people waiting.
pub const SETTLE_MS: i64 = 7_000;

/// How long missing video is waited for after its end, in milliseconds. Our choice: a gateway
/// buffers two minutes by default, so ten have room for a bad line and are short for a reviewer.
pub const PATIENCE_MS: i64 = 600_000;

/// A stretch of video, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub start_ms: i64,
    /// First millisecond after it.
    pub end_ms: i64,
}

impl Range {
    /// The range as the case log writes it.
    pub fn text(&self) -> String {
        format!("{}/{}", rfc3339(self.start_ms), rfc3339(self.end_ms))
    }

    /// Reads what [`Range::text`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('/')?;
        Some(Self { start_ms: parse_ms(start)?, end_ms: parse_ms(end)? })
    }

    /// The shortest range that holds both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let start_ms = self.start_ms.min(other.start_ms);
        Self { start_ms, end_ms: self.end_ms.max(other.end_ms) }
    }

    /// Whether the two share a moment.
    pub fn meets(self, other: Self) -> bool {
        self.start_ms < other.end_ms && self.end_ms > other.start_ms
    }
}

/// The stretch to keep for a detection.
pub fn wanted(policy: &EvidencePolicy, start_ms: i64, end_ms: i64) -> Range {
    let before_ms = i64::from(policy.before_s) * 1_000;
    let after_ms = i64::from(policy.after_s) * 1_000;
    Range { start_ms: start_ms - before_ms, end_ms: end_ms + after_ms }
}

/// The stretch to keep once another detection joined: both, as far as [`EXTENDED_MS_MAX`] allows.
pub fn extended(kept: Range, more: Range) -> Range {
    let end_limit_ms = kept.end_ms.max(kept.start_ms + EXTENDED_MS_MAX);
    let end_ms = kept.end_ms.max(more.end_ms.min(end_limit_ms));
    let start_limit_ms = kept.start_ms.min(end_ms - EXTENDED_MS_MAX);
    Range { start_ms: kept.start_ms.min(more.start_ms.max(start_limit_ms)), end_ms }
}

/// The key of a case's clip: by store and day (UTC), so that people find it without the case log.
pub fn key(store: &str, case_id: &str, opened_ms: i64) -> String {
    let day: String = rfc3339(opened_ms).chars().take(10).collect();
    format!("evidence/{store}/{}/{case_id}.mp4", day.replace('-', "/"))
}

/// The key of the clip that a case wants next: each longer one has a number, from 2.
pub fn clip_key(case: &CaseItem) -> String {
    let Evidence { key, extensions, .. } = &case.evidence;
    let (Some(extensions), Some((folder, _))) = (extensions, key.rsplit_once('/')) else {
        return key.clone();
    };
    format!("{folder}/{}-{}.mp4", case.case_id, extensions + 1)
}

/// The key of a clip of a case that has ended and of which more video came: the next one, or that of
/// the clip that could not be kept.
pub fn later_key(case: &CaseItem) -> String {
    let Evidence { sha256, extensions, .. } = &case.evidence;
    if sha256.is_none() {
        return clip_key(case);
    }
    let mut case = case.clone();
    case.evidence.extensions = Some(extensions.unwrap_or_default() + 1);
    clip_key(&case)
}

/// Whether the request with this key is for an older clip than one that was sent for sure, which looks
/// for the video in its stead.
pub fn is_superseded(case: &CaseItem, key: &str) -> bool {
    let number = |key: &str| {
        let (_, name) = key.rsplit_once('/')?;
        let number = name.strip_prefix(&case.case_id)?.strip_suffix(".mp4")?;
        if number.is_empty() { Some(1) } else { number.strip_prefix('-')?.parse::<u32>().ok() }
    };
    let sent = case.evidence.requested_key.as_deref().and_then(number);
    number(key).zip(sent).is_some_and(|(own, sent)| own < sent)
}

/// The key of a clip's part, counted from 1, which has the clip's own.
pub fn part_key(key: &str, number: usize) -> String {
    if number < 2 {
        return key.to_owned();
    }
    format!("{}-part-{number}.mp4", key.strip_suffix(".mp4").unwrap_or(key))
}

/// The key under which raw fragments are kept where no MP4 can be made.
pub fn raw_key(key: &str) -> String {
    format!("{}.mkv", key.strip_suffix(".mp4").unwrap_or(key))
}

/// The stretch that a case wants; `None` when its texts are no moments.
pub fn range_of(case: &CaseItem) -> Option<Range> {
    range_between(&case.evidence)
}

/// The same of a case's evidence alone.
pub fn range_between(evidence: &Evidence) -> Option<Range> {
    Some(Range { start_ms: parse_ms(&evidence.start)?, end_ms: parse_ms(&evidence.end)? })
}

/// All that the incident of a case would want, also what is beyond its clip; `None` when its texts are
/// no moments.
pub fn incident_range(case: &CaseItem) -> Option<Range> {
    let all = case.evidence.beyond.as_deref().and_then(Range::parse);
    range_of(case).map(|wanted| all.map_or(wanted, |all| all.with(wanted)))
}

/// What a case must remember of a detection and its rule to ask for its clip; `None` without a camera.
pub fn request_for(detection: &RoutedDetection) -> Option<EvidenceRequest> {
    let policy = &detection.routing.evidence;
    Some(EvidenceRequest {
        stream: detection.camera.as_ref()?.stream.clone(),
        keep_days: policy.keep_days,
        lock: policy.lock,
        retention_hours: policy.retention_hours,
    })
}

/// The request that suits two detections of one camera: of keeping and locking the stricter holds,
/// whichever came first.
pub fn stricter(one: EvidenceRequest, other: &EvidenceRequest) -> EvidenceRequest {
    let is_compliance = [one.lock, other.lock].contains(&LockMode::Compliance);
    EvidenceRequest {
        keep_days: one.keep_days.max(other.keep_days),
        lock: if is_compliance { LockMode::Compliance } else { LockMode::Governance },
        retention_hours: one.retention_hours.max(other.retention_hours),
        ..one
    }
}

/// The request for a case's clip, as often as it is asked for; `None` when no clip is to come, or
/// when an older release opened the case and no detection joined it since.
pub fn request(case: &CaseItem) -> Option<EvidenceMessage> {
    let EvidenceRequest { stream, keep_days, lock, retention_hours } =
        case.evidence.request.clone()?;
    let Range { start_ms, end_ms } = range_of(case)?;
    (case.evidence.status == EvidenceStatus::Pending).then(|| EvidenceMessage {
        version: contract::VERSION,
        case_id: case.case_id.clone(),
        store: case.store.clone(),
        camera: case.camera.clone().unwrap_or_default(),
        stream,
        start_ms,
        end_ms,
        key: clip_key(case),
        keep_days,
        lock,
        deadline_ms: deadline_ms(end_ms),
        retained_until_ms: start_ms + i64::from(retention_hours) * 3_600_000,
        attempt: 0,
        failures: 0,
        progress: None,
    })
}

/// Milliseconds of what the case wants that its clip does not show: nobody looks for what is beyond.
pub fn missing_ms(case: &CaseItem) -> i64 {
    let Some(wanted) = range_of(case).filter(|_| case.evidence.sha256.is_some()) else {
        return i64::MAX;
    };
    let gaps = case.evidence.gaps.iter().filter_map(|gap| Range::parse(gap));
    gaps.filter(|gap| gap.meets(wanted)).map(|gap| gap.end_ms - gap.start_ms).sum()
}

/// Until when missing video is waited for.
fn deadline_ms(end_ms: i64) -> i64 {
    end_ms.saturating_add(PATIENCE_MS)
}

/// Puts a case into the index of those whose clip is still to come, or takes it out.
pub fn set_pending(case: &mut CaseItem) {
    let is_pending = case.evidence.status == EvidenceStatus::Pending && case.camera.is_some();
    let due = range_of(case).filter(|_| is_pending).map(|range| deadline_ms(range.end_ms));
    case.pending_pk = due.map(|_| PENDING_PK.to_owned());
    case.evidence_due_at = due.map(rfc3339);
}

/// Seconds that a request waits until the video can be there.
pub fn delay_s(end_ms: i64, now_ms: i64) -> i32 {
    let wait_ms = (end_ms + SETTLE_MS - now_ms).max(0);
    i32::try_from((wait_ms + 999) / 1_000).unwrap_or(i32::MAX).min(900)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_detections_extend_a_clip_up_to_the_limit() {
        let range =
            |start_s: i64, end_s: i64| Range { start_ms: start_s * 1_000, end_ms: end_s * 1_000 };
        let kept = range(100, 130);
        assert_eq!(extended(kept, range(120, 150)), range(100, 150));
        assert_eq!(extended(kept, range(90, 125)), range(90, 130));
        assert_eq!(extended(kept, range(500, 530)), range(100, 530));
        assert_eq!(extended(kept, range(5_000, 5_030)), range(100, 1_000));
        assert_eq!(extended(kept, range(-5_000, -4_000)), range(-770, 130));
        assert_eq!(extended(range(0, 960), range(-10, 970)), range(0, 960), "never shrunk");
    }

    #[test]
    fn the_key_tells_store_day_and_case() {
        let key = key("seattle-001", "K7Q2", 1_795_370_583_200);
        assert_eq!(key, "evidence/seattle-001/2026/11/22/K7Q2.mp4");
        assert_eq!(raw_key(&key), "evidence/seattle-001/2026/11/22/K7Q2.mkv");
        assert_eq!(part_key(&key, 1), key);
        assert_eq!(part_key(&key, 2), "evidence/seattle-001/2026/11/22/K7Q2-part-2.mp4");
    }

    #[test]
    fn a_request_waits_for_the_video_and_no_longer_than_a_queue_can() {
        assert_eq!(delay_s(20_000, 10_001), 17);
        assert_eq!(delay_s(20_000, 90_000), 0);
        assert_eq!(delay_s(i64::MAX / 2, 0), 900);
    }
}
