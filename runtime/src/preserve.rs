//! `preserve`: a case's clip is cut from the stream and locked in the evidence bucket.
//!
//! Video that has not arrived is waited for until the deadline, then what exists is kept and named
//! incomplete. A call that fails is tried again for as long as the stream has the video, and what
//! time cannot cure ends the request with its reason. The clip has one key; a run that stops after putting it puts it again as a new
//! version, because reading it back would need a right that this function shall not have, and two
//! cuts need not be the same bytes. The case names the version whose hash it holds.

use std::time::Duration;

use casework::case::{self, KeptClip, Outcome};
use casework::case_table::{CaseTable, amend, fetch};
use casework::evidence::{self, CLIP_BYTES_MAX, Cut, PATIENCE_MS, Patience, Plan, Range};
use casework::fragment::{self, Fragment};
use casework::id;
use casework::step::StepError;
use contract::case::EvidenceStatus;
use contract::evidence::{EvidenceMessage, LockMode};

use crate::metric::{Count, Metric};

/// What an MP4 may weigh more than the fragments it is made of, in bytes. Our choice: an index
/// entry for each frame of the longest clip, several times over.
const CONTAINER_BYTES: u64 = 4_000_000;

/// How often a request is put back. Our choice: at a quarter of an hour each, five days; a request
/// that waits longer will not end by itself.
const ATTEMPTS_MAX: u32 = 500;

/// A day.
const DAY: Duration = Duration::from_hours(24);

/// A clip on its way to the evidence bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    pub key: String,
    pub media_type: &'static str,
    pub video: Vec<u8>,
    pub sha256: [u8; 32],
    pub lock: LockMode,
    pub retain_until_ms: i64,
    /// What the object says about itself, as pairs of ASCII texts.
    pub metadata: Vec<(&'static str, String)>,
}

/// What the stream answers when a clip is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutClip {
    Mp4(Vec<u8>),
    /// No MP4 can ever be made of these fragments, for this reason.
    NotMp4(String),
    /// The stream, or what it held of the range, does not exist.
    Gone(String),
}

/// What `preserve` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait PreserveServices: CaseTable {
    /// Lists the fragments that start in `start_ms..end_ms`; none when there is no such stream.
    async fn list_fragments(
        &self,
        stream: &str,
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<Fragment>, StepError>;
    /// Cuts a clip of at most `bytes_max`.
    async fn cut_clip(
        &self,
        stream: &str,
        range: Range,
        bytes_max: u64,
    ) -> Result<CutClip, StepError>;
    /// Reads the video of some fragments, at most `bytes_max`.
    async fn fetch_fragments(
        &self,
        stream: &str,
        fragments: &[Fragment],
        bytes_max: u64,
    ) -> Result<Vec<u8>, StepError>;
    /// Puts a clip and returns the object's version.
    async fn put_clip(&self, clip: Clip) -> Result<Option<String>, StepError>;
    /// Puts a request back into its queue.
    async fn send_evidence(&self, message: &EvidenceMessage, delay_s: i32)
    -> Result<(), StepError>;
    /// Counts something.
    fn count(&self, count: Count);
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preserved {
    /// It had ended before.
    Already,
    /// It waits for video.
    Waiting,
    /// A call failed for this reason; the request comes again.
    Retrying(String),
    Stored,
    Incomplete,
    Failed,
}

/// Handles one request.
pub async fn handle(
    services: &impl PreserveServices,
    message: &EvidenceMessage,
    now_ms: i64,
) -> Result<Preserved, StepError> {
    let case = fetch(services, &message.case_id).await?;
    if case.evidence.status != EvidenceStatus::Pending {
        return Ok(Preserved::Already);
    }
    let asked = Range { start_ms: message.start_ms, end_ms: message.end_ms };
    // Detections that joined since have extended what the case wants.
    let range = evidence::range_of(&case).unwrap_or(asked);
    let message = EvidenceMessage { key: evidence::clip_key(&case), ..message.clone() };
    let patience = patience(&message, range, now_ms);
    match preserve(services, &message, range, patience).await {
        Ok(Step::Wait { delay_s }) => put_back(services, &message, delay_s).await,
        Ok(Step::End(outcome)) => finish(services, &message, outcome, now_ms).await,
        Err(error) if error.retryable && may_retry(&message, now_ms) => {
            put_back(services, &message, patience.retry_delay_s()).await?;
            Ok(Preserved::Retrying(error.chain()))
        }
        Err(error) => finish(services, &message, Outcome::Failed(error.chain()), now_ms).await,
    }
}

fn patience(message: &EvidenceMessage, range: Range, now_ms: i64) -> Patience {
    let deadline_ms = message.deadline_ms.max(range.end_ms + PATIENCE_MS);
    let deadline_ms = deadline_ms.min(message.retained_until_ms);
    let is_last = message.attempt >= ATTEMPTS_MAX;
    let deadline_ms = if is_last { deadline_ms.min(now_ms) } else { deadline_ms };
    Patience { now_ms, deadline_ms, attempt: message.attempt }
}

/// Whether a call that failed is to be tried again: the stream still has the video.
fn may_retry(message: &EvidenceMessage, now_ms: i64) -> bool {
    now_ms < message.retained_until_ms && message.attempt < ATTEMPTS_MAX
}

/// What to do next about a request.
enum Step {
    Wait { delay_s: i32 },
    End(Outcome),
}

/// Puts the clip into the bucket, if the video is there.
async fn preserve(
    services: &impl PreserveServices,
    message: &EvidenceMessage,
    range: Range,
    patience: Patience,
) -> Result<Step, StepError> {
    let from_ms = range.start_ms - fragment::LENGTH_MS_MAX;
    let listed = services.list_fragments(&message.stream, from_ms, range.end_ms).await?;
    match evidence::plan(range, fragment::in_order(listed), patience) {
        Plan::Wait { delay_s } => Ok(Step::Wait { delay_s }),
        Plan::Nothing => {
            let reason = "the stream holds no video of this time".to_owned();
            Ok(Step::End(Outcome::Failed(reason)))
        }
        Plan::Cut(cut) => keep(services, message, (range, cut), patience).await,
    }
}

async fn put_back(
    services: &impl PreserveServices,
    message: &EvidenceMessage,
    delay_s: i32,
) -> Result<Preserved, StepError> {
    let again = EvidenceMessage { attempt: message.attempt.saturating_add(1), ..message.clone() };
    services.send_evidence(&again, delay_s).await?;
    Ok(Preserved::Waiting)
}

/// Cuts the clip and puts it into the bucket.
async fn keep(
    services: &impl PreserveServices,
    message: &EvidenceMessage,
    (wanted, cut): (Range, Cut),
    patience: Patience,
) -> Result<Step, StepError> {
    let bytes_max = CLIP_BYTES_MAX + CONTAINER_BYTES;
    let answer = services.cut_clip(&message.stream, cut.ask, bytes_max).await?;
    let (key, media_type, video, reason) = match answer {
        CutClip::Mp4(video) => (message.key.clone(), "video/mp4", video, cut.reason),
        CutClip::NotMp4(reason) => {
            let fragments = &cut.fragments;
            let video = services.fetch_fragments(&message.stream, fragments, bytes_max).await?;
            (evidence::raw_key(&message.key), "video/x-matroska", video, Some(reason))
        }
        CutClip::Gone(_) if patience.now_ms < patience.deadline_ms => {
            return Ok(Step::Wait { delay_s: patience.delay_s() });
        }
        CutClip::Gone(reason) => return Ok(Step::End(Outcome::Failed(reason))),
    };
    let keep_ms = i64::try_from((DAY * message.keep_days).as_millis()).unwrap_or(i64::MAX);
    let retain_until_ms = patience.now_ms.saturating_add(keep_ms);
    let sha256 = id::sha256(&video);
    let bytes = u64::try_from(video.len()).unwrap_or(u64::MAX);
    let metadata = vec![
        ("case-id", message.case_id.clone()),
        ("store", message.store.clone()),
        ("camera", message.camera.clone()),
        ("sha256", id::hex(&sha256)),
        ("clip", cut.shows.text()),
    ];
    let lock = message.lock;
    let clip =
        Clip { key: key.clone(), media_type, video, sha256, lock, retain_until_ms, metadata };
    let version_id = services.put_clip(clip).await?;
    let kept = KeptClip {
        key,
        media_type: media_type.to_owned(),
        sha256: id::hex(&sha256),
        bytes,
        version_id,
        wanted,
        shows: cut.shows,
        gaps: cut.gaps,
        retain_until_ms,
        reason,
    };
    Ok(Step::End(Outcome::Kept(kept)))
}

/// Notes how the request ended, unless another run has noted it.
async fn finish(
    services: &impl PreserveServices,
    message: &EvidenceMessage,
    outcome: Outcome,
    now_ms: i64,
) -> Result<Preserved, StepError> {
    let note = |case: &_| case::finish_evidence(case, &outcome, now_ms);
    let case = amend(services, &message.case_id, note).await?;
    let count = |metric| {
        let (store, camera) = (message.store.clone(), message.camera.clone());
        services.count(Count { metric, value: 1, store, camera });
    };
    match case.evidence.status {
        EvidenceStatus::Incomplete => {
            count(Metric::EvidenceIncomplete);
            Ok(Preserved::Incomplete)
        }
        EvidenceStatus::Failed => {
            count(Metric::EvidenceFailed);
            Ok(Preserved::Failed)
        }
        EvidenceStatus::Stored => Ok(Preserved::Stored),
        // A detection joined while the clip was cut, so that the case wants a longer one.
        EvidenceStatus::Pending => {
            let end_ms = evidence::range_of(&case).map_or(message.end_ms, |range| range.end_ms);
            put_back(services, message, evidence::delay_s(end_ms, now_ms)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use casework::case::Change;
    use casework::case_table::Written;
    use casework::case_table::doubles::{Calls, Fault};
    use casework::case_table::memory::{MemoryTable, run};
    use casework::incident::example::detection;
    use casework::step::Pause;
    use contract::case::CaseItem;
    use contract::priority::Priority;

    use super::*;

    /// A case that wants 85 s to 117 s, a stream, and a bucket.
    struct World {
        calls: Calls,
        table: MemoryTable,
        fragments: Vec<Fragment>,
        answer: CutClip,
        /// Listing fails, and whether that is retryable.
        refusal: Cell<Option<bool>>,
        asked: RefCell<Vec<Range>>,
        clips: RefCell<Vec<Clip>>,
        put_back: RefCell<Vec<(u32, i32)>>,
        counts: RefCell<Vec<&'static str>>,
        /// What is on record by the time that the clip is put.
        joins_on_put: RefCell<Option<Change>>,
    }

    impl Pause for World {
        async fn pause(&self, _: Duration) {}
    }

    impl CaseTable for World {
        async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
            self.calls.make("fetch case", || self.table.case(case_id)).await
        }

        async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
            self.calls.make("put change", || self.table.put(change)).await
        }
    }

    impl PreserveServices for World {
        async fn list_fragments(
            &self,
            stream: &str,
            _: i64,
            _: i64,
        ) -> Result<Vec<Fragment>, StepError> {
            if let Some(retryable) = self.refusal.get() {
                let error = StepError::permanent("list fragments of", stream, "refused");
                return Err(StepError { retryable, ..error });
            }
            self.calls.make("list", || self.fragments.clone()).await
        }

        async fn cut_clip(&self, _: &str, range: Range, _: u64) -> Result<CutClip, StepError> {
            self.asked.borrow_mut().push(range);
            self.calls.make("cut", || self.answer.clone()).await
        }

        async fn fetch_fragments(
            &self,
            _: &str,
            fragments: &[Fragment],
            _: u64,
        ) -> Result<Vec<u8>, StepError> {
            self.calls.make("fetch", || vec![1; fragments.len()]).await
        }

        async fn put_clip(&self, clip: Clip) -> Result<Option<String>, StepError> {
            if let Some(change) = self.joins_on_put.take() {
                self.table.put(&change);
            }
            let put = || {
                self.clips.borrow_mut().push(clip);
                Some(format!("version-{}", self.clips.borrow().len()))
            };
            self.calls.make("put clip", put).await
        }

        async fn send_evidence(
            &self,
            message: &EvidenceMessage,
            delay_s: i32,
        ) -> Result<(), StepError> {
            let send = || self.put_back.borrow_mut().push((message.attempt, delay_s));
            self.calls.make("send", send).await
        }

        fn count(&self, count: Count) {
            self.counts.borrow_mut().push(count.metric.name());
        }
    }

    const DEADLINE_MS: i64 = 117_000 + PATIENCE_MS;

    /// Fragments of two seconds whose starts are in the range, in seconds.
    fn world(starts_s: impl Iterator<Item = i64>, answer: CutClip) -> World {
        let fragment = |start_s: i64| Fragment {
            number: start_s.to_string(),
            bytes: 100,
            start_ms: start_s * 1_000,
            length_ms: 2_000,
        };
        let table = MemoryTable::default();
        table.put(&case::open(&detection(100, Priority::High), None, "evidence", 100_000));
        World {
            calls: Calls::default(),
            table,
            fragments: starts_s.map(fragment).collect(),
            answer,
            refusal: Cell::default(),
            asked: RefCell::default(),
            clips: RefCell::default(),
            put_back: RefCell::default(),
            counts: RefCell::default(),
            joins_on_put: RefCell::default(),
        }
    }

    fn whole() -> World {
        world((80..120).step_by(2), CutClip::Mp4(vec![7; 5]))
    }

    fn request(world: &World) -> EvidenceMessage {
        evidence::request(&world.table.only_case()).unwrap()
    }

    fn check(world: &World, now_ms: i64) -> Option<Result<Preserved, String>> {
        let outcome = run(handle(world, &request_of_opening(world), now_ms));
        outcome.map(|outcome| outcome.map_err(|error| error.chain()))
    }

    /// The request as it was when the case was opened, whatever became of the case since.
    fn request_of_opening(world: &World) -> EvidenceMessage {
        let mut case = world.table.only_case();
        case.evidence.status = EvidenceStatus::Pending;
        case.evidence.key = format!("evidence/seattle-001/1970/01/01/{}.mp4", case.case_id);
        evidence::request(&case).unwrap()
    }

    #[test]
    fn a_whole_clip_is_cut_from_the_fragment_before_and_locked_with_its_hash() {
        let world = whole();
        let key = request(&world).key;
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Stored)));
        let calls = ["fetch case", "list", "cut", "put clip", "fetch case", "put change"];
        assert_eq!(world.calls.names.take(), calls);
        assert_eq!(world.asked.take(), [Range { start_ms: 84_000, end_ms: 116_000 }]);
        let [clip] = world.clips.take().try_into().unwrap();
        assert_eq!((&clip.key, clip.media_type), (&key, "video/mp4"));
        assert_eq!(clip.retain_until_ms, 130_000 + 90 * 24 * 3_600_000);
        assert_eq!(clip.sha256, id::sha256(&[7; 5]));
        let case = world.table.only_case();
        let evidence = &case.evidence;
        assert_eq!(evidence.status, EvidenceStatus::Stored);
        assert_eq!(evidence.sha256.as_deref(), Some(&*id::hex(&clip.sha256)));
        assert_eq!((evidence.bytes, evidence.version_id.as_deref()), (Some(5), Some("version-1")));
        assert_eq!(evidence.clip_start.as_deref(), Some("1970-01-01T00:01:24.000Z"));
        assert_eq!(world.table.actions(&case), ["opened", "evidence-stored"]);
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Already)), "a repeated request");
    }

    #[test]
    fn a_missing_end_is_waited_for_and_then_kept_incomplete() {
        let world = world((80..110).step_by(2), CutClip::Mp4(vec![7]));
        assert_eq!(check(&world, DEADLINE_MS - 1), Some(Ok(Preserved::Waiting)));
        assert_eq!(world.put_back.take(), [(1, 5)]);
        assert_eq!(world.table.only_case().evidence.status, EvidenceStatus::Pending);
        assert_eq!(check(&world, DEADLINE_MS), Some(Ok(Preserved::Incomplete)));
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.gaps, ["1970-01-01T00:01:50.000Z/1970-01-01T00:01:57.000Z"]);
        assert_eq!(world.counts.take(), ["EvidenceIncomplete"]);
    }

    #[test]
    fn without_video_the_case_says_why() {
        let world = world(0..0, CutClip::Mp4(vec![7]));
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Waiting)));
        assert_eq!(check(&world, DEADLINE_MS), Some(Ok(Preserved::Failed)));
        let case = world.table.only_case();
        let reason = "the stream holds no video of this time";
        assert_eq!(case.evidence.reason.as_deref(), Some(reason));
        assert_eq!(world.table.actions(&case), ["opened", "evidence-failed"]);
        assert_eq!(world.counts.take(), ["EvidenceFailed"]);
    }

    #[test]
    fn a_stream_that_goes_while_cutting_is_waited_for_like_missing_video() {
        let gone = CutClip::Gone("ResourceNotFoundException".to_owned());
        let world = world((80..120).step_by(2), gone);
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Waiting)));
        assert_eq!(check(&world, DEADLINE_MS), Some(Ok(Preserved::Failed)));
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.reason.as_deref(), Some("ResourceNotFoundException"));
    }

    #[test]
    fn where_no_mp4_can_be_made_the_raw_fragments_are_kept() {
        let answer = CutClip::NotMp4("InvalidMediaFrameException".to_owned());
        let world = world((84..118).step_by(2), answer);
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Stored)));
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.media_type.as_deref(), Some("video/x-matroska"));
        assert_eq!(evidence.key, evidence::raw_key(&request_of_opening(&world).key));
        assert_eq!(evidence.reason.as_deref(), Some("InvalidMediaFrameException"));
        assert_eq!(evidence.bytes, Some(17));
    }

    #[test]
    fn a_case_that_was_extended_gets_the_longer_clip() {
        let world = world((80..140).step_by(2), CutClip::Mp4(vec![7]));
        let opening = request(&world);
        let case = world.table.only_case();
        let guard = world.table.guards.borrow().values().next().cloned();
        world.table.put(&case::join(&case, &detection(120, Priority::High), guard, 121_000));
        let outcome = run(handle(&world, &opening, 150_000)).unwrap();
        assert_eq!(outcome.unwrap(), Preserved::Stored);
        assert_eq!(world.asked.take(), [Range { start_ms: 84_000, end_ms: 136_000 }]);
    }

    #[test]
    fn a_detection_that_joins_while_the_clip_is_cut_gets_a_longer_clip_beside_the_first() {
        let world = world((80..140).step_by(2), CutClip::Mp4(vec![7]));
        let opening = request(&world);
        let case = world.table.only_case();
        let guard = world.table.guards.borrow().values().next().cloned();
        let longer = case::join(&case, &detection(120, Priority::High), guard, 121_000);
        // The join lands between the reading of the case and the noting of its clip.
        world.joins_on_put.replace(Some(longer));
        assert_eq!(run(handle(&world, &opening, 150_000)).unwrap().unwrap(), Preserved::Waiting);
        assert_eq!(world.put_back.take(), [(1, 0)]);
        let again = EvidenceMessage { attempt: 1, ..opening };
        assert_eq!(run(handle(&world, &again, 151_000)).unwrap().unwrap(), Preserved::Stored);
        let case = world.table.only_case();
        let keys: Vec<_> = world.clips.take().into_iter().map(|clip| clip.key).collect();
        assert_eq!(keys, [again.key.clone(), again.key.replace(".mp4", "-2.mp4")]);
        assert_eq!(case.evidence.key, keys[1]);
        let stored = ["opened", "joined", "evidence-stored", "evidence-extended"];
        let stored = [&stored[..], &["evidence-stored"]].concat();
        assert_eq!(world.table.actions(&case), stored);
    }

    #[test]
    fn a_stream_that_cannot_be_reached_for_hours_costs_no_clip() {
        let world = whole();
        world.refusal.set(Some(true));
        let opening = request(&world);
        let mut delays = Vec::new();
        for attempt in 0..8 {
            let message = EvidenceMessage { attempt, ..opening.clone() };
            let outcome = run(handle(&world, &message, 7_200_000)).unwrap().unwrap();
            let reason =
                "cannot list fragments of arm-us-west-seattle-001-a5-a: refused".to_owned();
            assert_eq!(outcome, Preserved::Retrying(reason));
            delays.extend(world.put_back.take().into_iter().map(|(_, delay_s)| delay_s));
        }
        assert_eq!(delays, [15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(check(&world, opening.retained_until_ms), Some(Ok(Preserved::Failed)));
    }

    #[test]
    fn a_failure_that_time_cannot_cure_ends_the_request_with_its_reason() {
        let world = whole();
        world.refusal.set(Some(false));
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Failed)));
        let reason = "cannot list fragments of arm-us-west-seattle-001-a5-a: refused";
        assert_eq!(world.table.only_case().evidence.reason.as_deref(), Some(reason));
        assert_eq!(world.counts.take(), ["EvidenceFailed"]);
    }

    #[test]
    fn a_request_does_not_circulate_forever() {
        let partly = world((80..110).step_by(2), CutClip::Mp4(vec![7]));
        let last = EvidenceMessage { attempt: ATTEMPTS_MAX, ..request(&partly) };
        let outcome = run(handle(&partly, &last, 0)).unwrap().unwrap();
        assert_eq!(outcome, Preserved::Incomplete);
        let unreachable = whole();
        unreachable.refusal.set(Some(true));
        assert_eq!(run(handle(&unreachable, &last, 0)).unwrap().unwrap(), Preserved::Failed);
        assert!(partly.put_back.take().is_empty() && unreachable.put_back.take().is_empty());
    }

    #[test]
    fn whatever_call_fails_in_whatever_way_the_clip_is_kept_and_named_once() {
        for index in 0..6 {
            for fault in Fault::ALL {
                let world = whole();
                world.calls.fault.set(Some((index, fault)));
                let first = check(&world, 130_000);
                assert!(
                    matches!(first, None | Some(Err(_) | Ok(Preserved::Retrying(_)))),
                    "call {index}, {fault:?}: {first:?}"
                );
                assert!(matches!(check(&world, 400_000), Some(Ok(_))), "call {index}, {fault:?}");
                let case = world.table.only_case();
                assert_eq!(world.table.actions(&case), ["opened", "evidence-stored"]);
                // The version that the case names is one that was put, with the hash it names.
                let clips = world.clips.take();
                assert!((1..=2).contains(&clips.len()), "call {index}, {fault:?}");
                assert!(clips.iter().all(|clip| clip.key == case.evidence.key));
            }
        }
    }
}
