//! Evidence: which stretch of video a case keeps, and how to cut it. Pure.
//!
//! Nothing is cut short silently: what the stream lacks is named as gaps, and what a clip cannot
//! hold is left out with a reason. Either makes the evidence incomplete, never absent.

use contract::case::{CaseItem, Evidence, EvidenceRequest, EvidenceStatus, PENDING_PK};
use contract::evidence::{EvidenceMessage, EvidencePolicy, LockMode};

use crate::fragment::{self, Fragment};
use crate::incident::RoutedDetection;
use crate::time::{parse_ms, rfc3339};

/// Longest stretch that later detections may extend a clip to, in milliseconds. Our choice: at
/// 4 Mbit/s it is 90 MB, and with fragments of two seconds 90 of them; see the limits below.
pub const EXTENDED_MS_MAX: i64 = 180_000;

/// From the end of what is wanted until it can be read, in milliseconds: two fragments of two
/// seconds, and three for a healthy way to the stream. Our choice, because a request that comes too
/// early is only put back, and one that comes later keeps people waiting.
pub const SETTLE_MS: i64 = 7_000;

/// How long missing video is waited for after its end, in milliseconds. Our choice: a gateway
/// buffers two minutes by default, so ten have room for a bad line and are short for a reviewer.
pub const PATIENCE_MS: i64 = 600_000;

/// Most bytes and fragments of one clip; `GetClip` leaves out the rest without saying so. Source:
/// API reference of the archived media API, `GetClip`,
/// <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_reader_GetClip.html>.
pub const CLIP_BYTES_MAX: u64 = 100_000_000;
/// See [`CLIP_BYTES_MAX`].
pub const CLIP_FRAGMENTS_MAX: usize = 200;

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

/// The key under which raw fragments are kept where no MP4 can be made.
pub fn raw_key(key: &str) -> String {
    format!("{}.mkv", key.strip_suffix(".mp4").unwrap_or(key))
}

/// The stretch that a case wants; `None` when its texts are no moments.
pub fn range_of(case: &CaseItem) -> Option<Range> {
    let (start_ms, end_ms) = (parse_ms(&case.evidence.start)?, parse_ms(&case.evidence.end)?);
    Some(Range { start_ms, end_ms })
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
        progress: None,
    })
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

/// What to do about a request, given what the stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The end has not arrived; look again after so many seconds.
    Wait { delay_s: i32 },
    /// Cut this clip.
    Cut(Cut),
    /// There is nothing to cut, and nothing will come.
    Nothing,
}

/// A clip to cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What to ask for: from the first fragment's start, because a fragment that starts before the
    /// asked start is left out whole, to the last one's start, so that no further one is in.
    pub ask: Range,
    /// What the clip shows.
    pub shows: Range,
    pub fragments: Vec<Fragment>,
    /// Stretches of what was wanted that the clip does not show.
    pub gaps: Vec<Range>,
    /// Why the clip is shorter than what the stream holds.
    pub reason: Option<String>,
}

/// Decides about a request: `fragments` are those around `range`, in order.
pub fn plan(range: Range, fragments: Vec<Fragment>, patience: Patience) -> Plan {
    let overlaps = |it: &Fragment| it.start_ms < range.end_ms && it.end_ms() > range.start_ms;
    let mut fragments: Vec<_> = fragments.into_iter().filter(overlaps).collect();
    let covered_ms = fragments.iter().map(Fragment::end_ms).max().unwrap_or(i64::MIN);
    let is_late = covered_ms < range.end_ms.saturating_sub(fragment::GAP_MS_MIN - 1);
    if is_late && patience.now_ms < patience.deadline_ms {
        return Plan::Wait { delay_s: patience.delay_s() };
    }
    let found = fragments.len();
    fragments.truncate(fitting(&fragments));
    if fragments.is_empty() { Plan::Nothing } else { Plan::Cut(cut(range, fragments, found)) }
}

/// How long a request may still wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub now_ms: i64,
    pub deadline_ms: i64,
    /// How often the request was put back.
    pub attempt: u32,
}

impl Patience {
    /// Seconds until the next look: 5, 10, 20, 40, then every minute.
    pub fn delay_s(self) -> i32 {
        [5, 10, 20, 40].get(usize::try_from(self.attempt).unwrap_or(4)).copied().unwrap_or(60)
    }

    /// Seconds until a call that failed is tried again: 15, 30, 60 and so on up to a quarter of an
    /// hour, the longest that a queue delays a message.
    pub fn retry_delay_s(self) -> i32 {
        (15 << self.attempt.min(6)).min(900)
    }
}

/// How many of the fragments, from the first, one clip can hold.
fn fitting(fragments: &[Fragment]) -> usize {
    let mut clip_bytes = 0;
    let fits = |fragment: &&Fragment| {
        clip_bytes += fragment.bytes;
        clip_bytes <= CLIP_BYTES_MAX
    };
    fragments.iter().take(CLIP_FRAGMENTS_MAX).take_while(fits).count()
}

fn cut(range: Range, fragments: Vec<Fragment>, found: usize) -> Cut {
    let shows = Range {
        start_ms: fragments.first().map_or(range.start_ms, |it| it.start_ms),
        end_ms: fragments.last().map_or(range.end_ms, Fragment::end_ms),
    };
    let last_ms = fragments.last().map_or(shows.start_ms, |it| it.start_ms);
    let gaps = fragment::gaps(&fragments, range.start_ms, range.end_ms);
    let kept = fragments.len();
    let left_out = || format!("one clip holds the first {kept} of {found} fragments");
    Cut {
        ask: Range { start_ms: shows.start_ms, end_ms: last_ms.max(shows.start_ms + 1) },
        shows,
        gaps: gaps.into_iter().map(|(start_ms, end_ms)| Range { start_ms, end_ms }).collect(),
        reason: (kept < found).then(left_out),
        fragments,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fragments of two seconds, by their start in seconds.
    fn fragments(starts_s: &[i64], bytes: u64) -> Vec<Fragment> {
        let fragment = |start_s: &i64| Fragment {
            number: start_s.to_string(),
            bytes,
            start_ms: start_s * 1_000,
            length_ms: 2_000,
        };
        starts_s.iter().map(fragment).collect()
    }

    fn check(fragments: Vec<Fragment>, now_ms: i64) -> Plan {
        let range = Range { start_ms: 11_000, end_ms: 19_000 };
        plan(range, fragments, Patience { now_ms, deadline_ms: 100_000, attempt: 1 })
    }

    #[test]
    fn a_covered_range_is_cut_from_the_fragment_before_it() {
        let Plan::Cut(cut) = check(fragments(&[8, 10, 12, 14, 16, 18, 20], 1), 0) else {
            panic!("all is there")
        };
        assert_eq!(cut.shows, Range { start_ms: 10_000, end_ms: 20_000 });
        assert_eq!(cut.ask, Range { start_ms: 10_000, end_ms: 18_000 });
        assert_eq!((cut.fragments.len(), cut.gaps, cut.reason), (5, Vec::new(), None));
    }

    #[test]
    fn a_fragment_that_begins_before_the_last_one_ends_is_not_taken_in() {
        let mut late = fragments(&[10, 12, 14, 16, 18, 20], 1);
        late[4].length_ms = 2_100;
        let Plan::Cut(cut) = check(late, 0) else { panic!("all is there") };
        assert_eq!((cut.shows.end_ms, cut.ask.end_ms), (20_100, 18_000));
        let Plan::Cut(cut) = check(fragments(&[18], 1), 0) else { panic!("the end is there") };
        assert_eq!(cut.ask, Range { start_ms: 18_000, end_ms: 18_001 });
    }

    #[test]
    fn a_missing_end_is_waited_for_until_the_deadline() {
        let some = || fragments(&[10, 12, 14], 1);
        assert_eq!(check(some(), 99_999), Plan::Wait { delay_s: 10 });
        let Plan::Cut(cut) = check(some(), 100_000) else { panic!("the deadline is over") };
        assert_eq!(cut.gaps, [Range { start_ms: 16_000, end_ms: 19_000 }]);
        assert_eq!(check(Vec::new(), 0), Plan::Wait { delay_s: 10 });
        assert_eq!(check(Vec::new(), 100_000), Plan::Nothing);
    }

    #[test]
    fn a_hole_before_the_end_is_a_gap_and_not_waited_for() {
        let Plan::Cut(cut) = check(fragments(&[12, 16, 18], 1), 0) else {
            panic!("the end is there")
        };
        let gap = |start_ms, end_ms| Range { start_ms, end_ms };
        assert_eq!(cut.gaps, [gap(11_000, 12_000), gap(14_000, 16_000)]);
    }

    #[test]
    fn what_one_clip_cannot_hold_is_left_out_with_a_reason() {
        let large = fragments(&[10, 12, 14, 16, 18], CLIP_BYTES_MAX / 3);
        let Plan::Cut(cut) = check(large, 0) else { panic!("all is there") };
        assert_eq!(cut.shows.end_ms, 16_000);
        assert_eq!(cut.ask.end_ms, 14_000);
        assert_eq!(cut.gaps, [Range { start_ms: 16_000, end_ms: 19_000 }]);
        assert_eq!(cut.reason.unwrap(), "one clip holds the first 3 of 5 fragments");
        assert_eq!(check(fragments(&[10, 12, 14, 16, 18], CLIP_BYTES_MAX + 1), 0), Plan::Nothing);
    }

    #[test]
    fn later_detections_extend_a_clip_up_to_the_limit() {
        let range =
            |start_s: i64, end_s: i64| Range { start_ms: start_s * 1_000, end_ms: end_s * 1_000 };
        let kept = range(100, 130);
        assert_eq!(extended(kept, range(120, 150)), range(100, 150));
        assert_eq!(extended(kept, range(90, 125)), range(90, 130));
        assert_eq!(extended(kept, range(500, 530)), range(100, 280));
        assert_eq!(extended(kept, range(-500, -400)), range(-50, 130));
        assert_eq!(extended(range(0, 600), range(-10, 700)), range(0, 600), "never shrunk");
    }

    #[test]
    fn the_key_tells_store_day_and_case() {
        let key = key("seattle-001", "K7Q2", 1_795_370_583_200);
        assert_eq!(key, "evidence/seattle-001/2026/11/22/K7Q2.mp4");
        assert_eq!(raw_key(&key), "evidence/seattle-001/2026/11/22/K7Q2.mkv");
    }

    #[test]
    fn a_request_waits_for_the_video_and_no_longer_than_a_queue_can() {
        assert_eq!(delay_s(20_000, 10_001), 17);
        assert_eq!(delay_s(20_000, 90_000), 0);
        assert_eq!(delay_s(i64::MAX / 2, 0), 900);
    }
}
