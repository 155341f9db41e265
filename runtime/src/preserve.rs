//! `preserve`: a case's clip is cut from the stream and locked in the evidence bucket.
//!
//! Video that has not arrived is waited for until the deadline. Then what exists is kept and the
//! case says what is missing, and the stream is looked at again every quarter of an hour for as long
//! as it may hold the rest. A call that fails is tried again as long. One invocation keeps one part
//! (`part`), so that memory and time have a bound, and the request carries what is kept; the case is
//! told once, at the end. A run that stops after putting a part puts it again as a new version,
//! because reading it back would need a right that this function shall not have, and two cuts need
//! not be the same bytes. The case names the version whose hash it holds.

use casework::case::{self, KeptClip, Outcome};
use casework::case_table::{CaseTable, amend, fetch};
use casework::cut::{self, Patience, Plan, Reached};
use casework::evidence::{self, PATIENCE_MS, Range};
use casework::fragment::{self, Fragment};
use casework::step::StepError;
use contract::case::{CaseItem, EvidenceStatus};
use contract::evidence::{EvidenceMessage, EvidencePart, EvidenceProgress, LockMode};

use crate::metric::{Count, Metric};

mod part;

/// How often a request is put back. Our choice: at a quarter of an hour each, five days; a request
/// that waits longer will not end by itself.
const ATTEMPTS_MAX: u32 = 500;

/// Seconds between two looks for video that came after the deadline: the longest that a queue delays
/// a message.
const LATE_DELAY_S: i32 = 900;

/// A clip on its way to the evidence bucket, or a part of one.
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
    /// There is nothing more to do.
    Already,
    /// It waits for video.
    Waiting,
    /// A part is kept; the request goes on with the next one.
    Partly,
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
    match attend(services, message, now_ms).await {
        Err(error) if error.retryable && message.attempt < ATTEMPTS_MAX => {
            let failures = message.failures.saturating_add(1);
            let again = EvidenceMessage { failures, ..message.clone() };
            put_back(services, &again, cut::retry_delay_s(message.failures)).await?;
            Ok(Preserved::Retrying(error.chain()))
        }
        outcome => outcome,
    }
}

async fn attend(
    services: &impl PreserveServices,
    message: &EvidenceMessage,
    now_ms: i64,
) -> Result<Preserved, StepError> {
    let case = fetch(services, &message.case_id).await?;
    if evidence::is_superseded(&case, &message.key) {
        return Ok(Preserved::Already);
    }
    match case.evidence.status {
        EvidenceStatus::Stored => Ok(Preserved::Already),
        EvidenceStatus::Pending => {
            let wish = Wish::new(message, &case, evidence::clip_key(&case), Accepts::WhatIsRead);
            answer(services, &wish, now_ms).await
        }
        EvidenceStatus::Incomplete | EvidenceStatus::Failed => {
            let wish = Wish::new(message, &case, evidence::later_key(&case), Accepts::WhatIsListed);
            look_again(services, &wish, &case, now_ms).await
        }
    }
}

/// A request as the case stands by now.
struct Wish {
    /// Names the clip that the case wants.
    message: EvidenceMessage,
    /// The clip that was asked for: by it a request is known as long as it waits.
    asked_key: String,
    range: Range,
    /// From then on the stream has lost the last of the range.
    lost_at_ms: i64,
    accepts: Accepts,
}

/// What a clip must hold to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepts {
    /// All that the stream lists: what lacks some of it would be kept anew with every look.
    WhatIsListed,
    /// What can be read of it.
    WhatIsRead,
}

impl Wish {
    fn new(message: &EvidenceMessage, case: &CaseItem, key: String, accepts: Accepts) -> Self {
        let asked = Range { start_ms: message.start_ms, end_ms: message.end_ms };
        let retention_ms = message.retained_until_ms.saturating_sub(message.start_ms);
        // The parts of a clip belong to one stretch; a detection that joined is seen at its end.
        let progress = message.progress.clone().filter(|_| message.key == key);
        // Detections that joined since have extended what the case wants.
        let wanted = evidence::range_of(case).filter(|_| progress.is_none());
        let range = wanted.unwrap_or(asked);
        let asked_key = message.key.clone();
        let message = EvidenceMessage {
            key,
            progress,
            start_ms: range.start_ms,
            end_ms: range.end_ms,
            retained_until_ms: range.start_ms.saturating_add(retention_ms),
            ..message.clone()
        };
        let lost_at_ms = range.end_ms.saturating_add(retention_ms);
        Self { message, asked_key, range, lost_at_ms, accepts }
    }

    /// The request as it goes back into the queue.
    fn again(&self) -> EvidenceMessage {
        EvidenceMessage { key: self.asked_key.clone(), ..self.message.clone() }
    }

    /// Whether the request may come again: the stream may still have the video.
    fn may_come_again(&self, now_ms: i64) -> bool {
        now_ms < self.lost_at_ms && self.message.attempt < ATTEMPTS_MAX
    }

    fn patience(&self, now_ms: i64) -> Patience {
        let deadline_ms = self.message.deadline_ms.max(self.range.end_ms + PATIENCE_MS);
        let deadline_ms = deadline_ms.min(self.message.retained_until_ms);
        let is_last = self.message.attempt >= ATTEMPTS_MAX;
        let deadline_ms = if is_last { deadline_ms.min(now_ms) } else { deadline_ms };
        Patience { now_ms, deadline_ms, attempt: self.message.attempt }
    }

    async fn list(&self, services: &impl PreserveServices) -> Result<Vec<Fragment>, StepError> {
        let from_ms = self.range.start_ms - fragment::LENGTH_MS_MAX;
        let stream = &self.message.stream;
        let listed = services.list_fragments(stream, from_ms, self.range.end_ms).await?;
        Ok(fragment::without_repeats(listed))
    }

    /// What is kept of the clip already.
    fn parts(&self) -> &[EvidencePart] {
        self.message.progress.as_ref().map_or(&[], |progress| &progress.parts)
    }

    /// How the request ends where no more can be kept.
    fn end(&self, reason: String) -> Outcome {
        let reached = Reached::of(self.message.progress.as_ref());
        let (Some(clip), Some(reached)) = (clip(self.range, self.parts()), reached) else {
            return Outcome::Failed(reason);
        };
        let tail = Range { start_ms: reached.end_ms, end_ms: self.range.end_ms };
        let tail = (tail.end_ms - tail.start_ms >= fragment::GAP_MS_MIN).then_some(tail);
        Outcome::Kept(Box::new(KeptClip { tail, reason: Some(reason), ..clip }))
    }
}

/// What to do next about a request.
enum Step {
    Wait {
        delay_s: i32,
    },
    /// Go on with the next part.
    Next(EvidenceProgress),
    End(Outcome),
}

/// Answers a request whose clip is still to come.
async fn answer(
    services: &impl PreserveServices,
    wish: &Wish,
    now_ms: i64,
) -> Result<Preserved, StepError> {
    let patience = wish.patience(now_ms);
    let step = match wish.list(services).await {
        Ok(fragments) => preserve(services, wish, fragments, patience).await,
        Err(error) => Err(error),
    };
    match step {
        Ok(Step::Wait { delay_s }) => put_back(services, &wish.again(), delay_s).await,
        Ok(Step::Next(progress)) => go_on(services, wish, progress).await,
        Ok(Step::End(outcome)) => finish(services, wish, outcome, now_ms).await,
        Err(error) if error.retryable && wish.may_come_again(now_ms) => Err(error),
        Err(error) => finish(services, wish, wish.end(error.chain()), now_ms).await,
    }
}

/// Whether late video could complete a case's clip: what is beyond the longest clip never does.
fn may_grow(case: &CaseItem) -> bool {
    evidence::missing_ms(case) >= fragment::GAP_MS_MIN
}

/// Looks for video that came after the clip was kept without it, or not at all.
async fn look_again(
    services: &impl PreserveServices,
    wish: &Wish,
    case: &CaseItem,
    now_ms: i64,
) -> Result<Preserved, StepError> {
    if !wish.may_come_again(now_ms) || !may_grow(case) {
        return Ok(Preserved::Already);
    }
    let fragments = wish.list(services).await?;
    let missing_ms = cut::missing_ms(wish.range, &fragments);
    let is_more = missing_ms <= evidence::missing_ms(case).saturating_sub(fragment::GAP_MS_MIN);
    if fragments.is_empty() || !is_more {
        return put_back(services, &wish.again(), LATE_DELAY_S).await;
    }
    let patience = Patience { deadline_ms: now_ms, ..wish.patience(now_ms) };
    match preserve(services, wish, fragments, patience).await {
        Ok(Step::Next(progress)) => go_on(services, wish, progress).await,
        Ok(Step::End(Outcome::Kept(clip))) => {
            let note = |case: &_| case::complete_evidence(case, &clip, now_ms);
            let case = amend(services, &wish.message.case_id, note).await?;
            conclude(services, wish, &case, now_ms).await
        }
        Err(error) if error.retryable => Err(error),
        Ok(_) | Err(_) => put_back(services, &wish.again(), LATE_DELAY_S).await,
    }
}

/// Puts the clip into the bucket, or its next part, if the video is there.
async fn preserve(
    services: &impl PreserveServices,
    wish: &Wish,
    fragments: Vec<Fragment>,
    patience: Patience,
) -> Result<Step, StepError> {
    let reached = Reached::of(wish.message.progress.as_ref());
    let cut = match cut::plan(wish.range, fragments, reached, patience) {
        Plan::Wait { delay_s } => return Ok(Step::Wait { delay_s }),
        Plan::Nothing => {
            let reason = "the stream holds no video of this time";
            return Ok(Step::End(wish.end(reason.to_owned())));
        }
        Plan::Cut(cut) => cut,
    };
    let Some((part, cut)) = part::keep(services, wish, cut, patience).await? else {
        return Ok(Step::Wait { delay_s: patience.delay_s() });
    };
    let mut parts = wish.parts().to_vec();
    parts.push(part);
    if cut.is_last {
        let clip = clip(wish.range, &parts).expect("a part was just added");
        return Ok(Step::End(Outcome::Kept(Box::new(clip))));
    }
    Ok(Step::Next(EvidenceProgress { parts, until_ms: cut.until_ms }))
}

/// The clip that these parts make; `None` without any.
fn clip(wanted: Range, parts: &[EvidencePart]) -> Option<KeptClip> {
    let (first, others) = parts.split_first()?;
    let (first, others) = (first.clone(), others.to_vec());
    Some(KeptClip { wanted, first, others, tail: None, reason: None })
}

/// Puts a request back as it is, to come again after so many seconds.
async fn put_back(
    services: &impl PreserveServices,
    message: &EvidenceMessage,
    delay_s: i32,
) -> Result<Preserved, StepError> {
    let again = EvidenceMessage { attempt: message.attempt.saturating_add(1), ..message.clone() };
    services.send_evidence(&again, delay_s).await?;
    Ok(Preserved::Waiting)
}

/// Sends the request on its way to the next part, at once. It cannot circulate: each part begins
/// after the one before.
async fn go_on(
    services: &impl PreserveServices,
    wish: &Wish,
    progress: EvidenceProgress,
) -> Result<Preserved, StepError> {
    let progress = Some(progress);
    let next = EvidenceMessage { progress, failures: 0, ..wish.message.clone() };
    services.send_evidence(&next, 0).await?;
    Ok(Preserved::Partly)
}

/// Notes how the request ended, unless another run has noted it.
async fn finish(
    services: &impl PreserveServices,
    wish: &Wish,
    outcome: Outcome,
    now_ms: i64,
) -> Result<Preserved, StepError> {
    let message = &wish.message;
    let note = |case: &_| case::finish_evidence(case, &outcome, now_ms);
    let case = amend(services, &message.case_id, note).await?;
    let metric = match case.evidence.status {
        EvidenceStatus::Incomplete => Some(Metric::EvidenceIncomplete),
        EvidenceStatus::Failed => Some(Metric::EvidenceFailed),
        EvidenceStatus::Stored | EvidenceStatus::Pending => None,
    };
    if let Some(metric) = metric {
        let (store, camera) = (message.store.clone(), message.camera.clone());
        services.count(Count { metric, value: 1, store, camera });
    }
    conclude(services, wish, &case, now_ms).await
}

/// Lets the request come again for what its case still lacks.
async fn conclude(
    services: &impl PreserveServices,
    wish: &Wish,
    case: &CaseItem,
    now_ms: i64,
) -> Result<Preserved, StepError> {
    let message = EvidenceMessage { progress: None, failures: 0, ..wish.again() };
    let preserved = match case.evidence.status {
        EvidenceStatus::Stored => return Ok(Preserved::Stored),
        // A detection joined while the clip was cut, so that the case wants a longer one.
        EvidenceStatus::Pending => {
            let end_ms = evidence::range_of(case).map_or(message.end_ms, |range| range.end_ms);
            return put_back(services, &message, evidence::delay_s(end_ms, now_ms)).await;
        }
        EvidenceStatus::Incomplete => Preserved::Incomplete,
        EvidenceStatus::Failed => Preserved::Failed,
    };
    if wish.may_come_again(now_ms) && may_grow(case) {
        put_back(services, &message, LATE_DELAY_S).await?;
    }
    Ok(preserved)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use std::time::Duration;

    use casework::case::Change;
    use casework::case_table::Written;
    use casework::case_table::doubles::{Calls, Fault};
    use casework::case_table::memory::{MemoryTable, run};
    use casework::incident::example::detection;
    use casework::step::Pause;
    use contract::priority::Priority;
    use proptest::prelude::*;

    use casework::id;

    use super::*;
    use crate::mp4::example;

    /// What the stream makes of a call for a clip.
    #[derive(Clone)]
    enum Answer {
        /// Of the fragments that start in the range, the first so many.
        First(usize),
        This(CutClip),
        Fails {
            retryable: bool,
        },
    }

    /// A case that wants 85 s to 117 s, a stream, and a bucket.
    struct World {
        calls: Calls,
        table: MemoryTable,
        fragments: RefCell<Vec<Fragment>>,
        answer: Answer,
        /// The fragment that starts at this second cannot be read.
        lacks: Cell<Option<i64>>,
        /// Listing fails, and whether that is retryable.
        refusal: Cell<Option<bool>>,
        asked: RefCell<Vec<Range>>,
        clips: RefCell<Vec<Clip>>,
        put_back: RefCell<Vec<(u32, i32)>>,
        sent: RefCell<Option<EvidenceMessage>>,
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
            self.calls.make("list", || self.fragments.borrow().clone()).await
        }

        async fn cut_clip(&self, _: &str, range: Range, _: u64) -> Result<CutClip, StepError> {
            self.asked.borrow_mut().push(range);
            if let Answer::Fails { retryable } = self.answer {
                let error = StepError::permanent("cut a clip of", "stream", "refused");
                return Err(StepError { retryable, ..error });
            }
            let cut = || match &self.answer {
                Answer::This(clip) => clip.clone(),
                Answer::First(count) => {
                    let fragments = self.fragments.borrow();
                    let starts =
                        |it: &&Fragment| (range.start_ms..=range.end_ms).contains(&it.start_ms);
                    let clip = fragments.iter().filter(starts).take(*count);
                    let length_ms: i64 = clip.map(|it| it.length_ms).sum();
                    CutClip::Mp4(example::clip(u32::try_from(length_ms / 1_000).unwrap()))
                }
                Answer::Fails { .. } => unreachable!(),
            };
            self.calls.make("cut", cut).await
        }

        async fn fetch_fragments(
            &self,
            _: &str,
            fragments: &[Fragment],
            _: u64,
        ) -> Result<Vec<u8>, StepError> {
            let lacks_ms = self.lacks.get().map(|second| second * 1_000);
            let count = fragments.iter().filter(|it| Some(it.start_ms) != lacks_ms).count();
            self.calls.make("fetch", || part::FRAGMENT_TAG.repeat(count)).await
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
            let send = || {
                self.put_back.borrow_mut().push((message.attempt, delay_s));
                self.sent.replace(Some(message.clone()));
            };
            self.calls.make("send", send).await
        }

        fn count(&self, count: Count) {
            self.counts.borrow_mut().push(count.metric.name());
        }
    }

    const DEADLINE_MS: i64 = 117_000 + PATIENCE_MS;

    /// A fragment of two seconds that starts at this second.
    fn fragment(start_s: i64) -> Fragment {
        Fragment {
            number: start_s.to_string(),
            bytes: 100,
            start_ms: start_s * 1_000,
            length_ms: 2_000,
        }
    }

    /// Fragments of two seconds whose starts are in the range, in seconds.
    fn world(starts_s: impl Iterator<Item = i64>, answer: Answer) -> World {
        let table = MemoryTable::default();
        table.put(&case::open(&detection(100, Priority::High), None, "evidence", 100_000));
        World {
            calls: Calls::default(),
            table,
            fragments: RefCell::new(starts_s.map(fragment).collect()),
            answer,
            lacks: Cell::default(),
            refusal: Cell::default(),
            asked: RefCell::default(),
            clips: RefCell::default(),
            put_back: RefCell::default(),
            sent: RefCell::default(),
            counts: RefCell::default(),
            joins_on_put: RefCell::default(),
        }
    }

    fn whole() -> World {
        world((80..120).step_by(2), ALL)
    }

    const ALL: Answer = Answer::First(200);

    /// Until when the stream has the last of what the case wants.
    const LOST_MS: i64 = 117_000 + 24 * 3_600_000;

    /// Handles a request and what it sends, until it ends or waits longer than a minute.
    fn follow(world: &World, message: EvidenceMessage, now_ms: i64) -> Preserved {
        let mut message = message;
        loop {
            let outcome = run(handle(world, &message, now_ms)).unwrap().unwrap();
            match (&outcome, world.sent.take()) {
                (Preserved::Partly, Some(next)) => message = next,
                _ => return outcome,
            }
        }
    }

    fn guard(world: &World) -> Option<contract::case::GuardItem> {
        world.table.guards.borrow().values().next().cloned()
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
        assert_eq!(world.asked.take(), [Range { start_ms: 83_999, end_ms: 116_001 }]);
        let [clip] = world.clips.take().try_into().unwrap();
        assert_eq!((&clip.key, clip.media_type), (&key, "video/mp4"));
        assert_eq!(clip.retain_until_ms, 130_000 + 90 * 24 * 3_600_000);
        assert_eq!(clip.sha256, id::sha256(&example::clip(34)));
        let case = world.table.only_case();
        let evidence = &case.evidence;
        assert_eq!(evidence.status, EvidenceStatus::Stored);
        assert_eq!(evidence.sha256.as_deref(), Some(&*id::hex(&clip.sha256)));
        assert_eq!(evidence.version_id.as_deref(), Some("version-1"));
        assert_eq!(evidence.bytes, u64::try_from(example::clip(34).len()).ok());
        assert!(evidence.parts.is_empty());
        assert_eq!(evidence.clip_start.as_deref(), Some("1970-01-01T00:01:24.000Z"));
        assert_eq!(world.table.actions(&case), ["opened", "evidence-stored"]);
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Already)), "a repeated request");
    }

    #[test]
    fn a_missing_end_is_waited_for_and_then_kept_incomplete() {
        let world = world((80..110).step_by(2), ALL);
        assert_eq!(check(&world, DEADLINE_MS - 1), Some(Ok(Preserved::Waiting)));
        assert_eq!(world.put_back.take(), [(1, 5)]);
        assert_eq!(world.table.only_case().evidence.status, EvidenceStatus::Pending);
        assert_eq!(check(&world, DEADLINE_MS), Some(Ok(Preserved::Incomplete)));
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.gaps, ["1970-01-01T00:01:50.000Z/1970-01-01T00:01:57.000Z"]);
        assert_eq!(world.counts.take(), ["EvidenceIncomplete"]);
        assert_eq!(world.put_back.take(), [(1, 900)], "the rest may come yet");
    }

    #[test]
    fn without_video_the_case_says_why() {
        let world = world(0..0, ALL);
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Waiting)));
        assert_eq!(check(&world, DEADLINE_MS), Some(Ok(Preserved::Failed)));
        let case = world.table.only_case();
        let reason = "the stream holds no video of this time";
        assert_eq!(case.evidence.reason.as_deref(), Some(reason));
        assert_eq!(world.table.actions(&case), ["opened", "evidence-failed"]);
        assert_eq!(world.counts.take(), ["EvidenceFailed"]);
    }

    #[test]
    fn a_stream_that_goes_while_cutting_is_waited_for_and_then_read_raw() {
        let gone = CutClip::Gone("ResourceNotFoundException".to_owned());
        let world = world((80..120).step_by(2), Answer::This(gone));
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Waiting)));
        assert_eq!(check(&world, DEADLINE_MS), Some(Ok(Preserved::Stored)));
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.media_type.as_deref(), Some("video/x-matroska"));
        assert_eq!(evidence.reason.as_deref(), Some("ResourceNotFoundException"));
    }

    #[test]
    fn where_no_mp4_can_be_made_the_raw_fragments_are_kept() {
        let answer = CutClip::NotMp4("InvalidMediaFrameException".to_owned());
        let refused = "cannot cut a clip of stream: refused";
        for (answer, reason) in [
            (Answer::This(answer), "InvalidMediaFrameException"),
            (Answer::Fails { retryable: false }, refused),
            (Answer::First(16), "GetClip leaves out video without saying so"),
        ] {
            let world = world((84..118).step_by(2), answer);
            assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Stored)), "{reason}");
            let evidence = world.table.only_case().evidence;
            assert_eq!(evidence.media_type.as_deref(), Some("video/x-matroska"));
            assert_eq!(evidence.key, evidence::raw_key(&request_of_opening(&world).key));
            assert_eq!(evidence.reason.as_deref(), Some(reason));
            assert_eq!(evidence.bytes, u64::try_from(17 * part::FRAGMENT_TAG.len()).ok());
        }
    }

    #[test]
    fn a_clip_that_breaks_off_or_fails_is_asked_for_again_and_in_the_end_read_raw() {
        let torn = example::clip(34);
        let torn = torn[..torn.len() - 1].to_vec();
        for answer in [
            Answer::This(CutClip::Mp4(torn)),
            Answer::This(CutClip::Mp4(b"not an MP4".to_vec())),
            Answer::Fails { retryable: true },
        ] {
            let world = world((84..118).step_by(2), answer);
            let opening = request(&world);
            let retried = run(handle(&world, &opening, 130_000)).unwrap().unwrap();
            assert!(matches!(retried, Preserved::Retrying(_)), "{retried:?}");
            assert!(world.clips.borrow().is_empty());
            // Hours of waiting for video are no failures, and one failure is no reason to give up.
            let patient = EvidenceMessage { attempt: 400, ..opening.clone() };
            let retried = run(handle(&world, &patient, 130_000)).unwrap().unwrap();
            assert!(matches!(retried, Preserved::Retrying(_)), "{retried:?}");
            let again = world.sent.take().unwrap();
            assert_eq!((again.attempt, again.failures), (401, 1));
            let last = EvidenceMessage { failures: 20, ..opening };
            assert_eq!(run(handle(&world, &last, 130_000)).unwrap().unwrap(), Preserved::Stored);
            let evidence = world.table.only_case().evidence;
            assert_eq!(evidence.media_type.as_deref(), Some("video/x-matroska"));
        }
    }

    #[test]
    fn a_fragment_that_cannot_be_read_costs_no_other_and_is_named_as_a_gap() {
        let answer = CutClip::NotMp4("InvalidMediaFrameException".to_owned());
        let world = world((84..118).step_by(2), Answer::This(answer));
        world.lacks.set(Some(100));
        let opening = request(&world);
        let retried = run(handle(&world, &opening, 130_000)).unwrap().unwrap();
        let reason = "cannot read fragments of arm-us-west-seattle-001-a5-a: \
                      the answer has 16 of 17 fragments";
        assert_eq!(retried, Preserved::Retrying(reason.to_owned()));
        assert!(world.clips.borrow().is_empty());
        let last = EvidenceMessage { failures: 20, ..opening };
        assert_eq!(run(handle(&world, &last, 130_000)).unwrap().unwrap(), Preserved::Incomplete);
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.gaps, ["1970-01-01T00:01:40.000Z/1970-01-01T00:01:42.000Z"]);
        let reason = format!("InvalidMediaFrameException; {reason}");
        assert_eq!(evidence.reason, Some(reason));
        assert_eq!(evidence.bytes, u64::try_from(16 * part::FRAGMENT_TAG.len()).ok());
        // A later look keeps nothing of the same anew, and all of it once it can be read.
        let look = world.sent.take().unwrap();
        let looked = run(handle(&world, &look, 2_000_000)).unwrap().unwrap();
        assert!(matches!(looked, Preserved::Retrying(_)));
        assert_eq!(world.clips.borrow().len(), 1);
        world.lacks.set(None);
        assert_eq!(run(handle(&world, &look, 2_000_000)).unwrap().unwrap(), Preserved::Stored);
    }

    #[test]
    fn what_one_object_cannot_hold_goes_into_further_ones_and_the_case_is_told_once() {
        let world = whole();
        world.fragments.borrow_mut().iter_mut().for_each(|it| it.bytes = 10_000_000);
        assert_eq!(follow(&world, request(&world), 130_000), Preserved::Stored);
        let case = world.table.only_case();
        assert_eq!(world.table.actions(&case), ["opened", "evidence-stored"]);
        let key = request_of_opening(&world).key;
        let clips = world.clips.take();
        let keys: Vec<_> = clips.iter().map(|it| it.key.clone()).collect();
        assert_eq!(keys, [key.clone(), key.replace(".mp4", "-part-2.mp4")]);
        let parts = case.evidence.parts;
        let named: Vec<_> = parts.iter().map(|it| (&it.key, it.sha256.clone())).collect();
        let put: Vec<_> = clips.iter().map(|it| (&it.key, id::hex(&it.sha256))).collect();
        assert_eq!(named, put);
        assert_eq!(parts[0].end, parts[1].start);
        assert_eq!((case.evidence.key, case.evidence.clip_end), (key, Some(parts[1].end.clone())));
    }

    #[test]
    fn a_crash_between_two_parts_repeats_one_part_and_loses_none() {
        // fetch, list, cut, put, send, twice; then the case is told.
        for index in 0..12 {
            for fault in Fault::ALL {
                let world = whole();
                world.fragments.borrow_mut().iter_mut().for_each(|it| it.bytes = 10_000_000);
                let mut message = request(&world);
                world.calls.fault.set(Some((index, fault)));
                // A delivery that ends in an error, or not at all, is made again.
                for _ in 0..6 {
                    let outcome = run(handle(&world, &message, 130_000));
                    match (outcome, world.sent.take()) {
                        (Some(Ok(Preserved::Stored | Preserved::Already)), _) => break,
                        (Some(Ok(_)), Some(next)) => message = next,
                        _ => {}
                    }
                }
                let case = world.table.only_case();
                let actions = world.table.actions(&case);
                assert_eq!(actions, ["opened", "evidence-stored"], "call {index}, {fault:?}");
                let named: Vec<_> =
                    case.evidence.parts.iter().map(|it| it.sha256.clone()).collect();
                let put = world.clips.take();
                assert_eq!(named.len(), 2, "call {index}, {fault:?}");
                assert!(put.len() <= 3, "call {index}, {fault:?}");
                assert!(named.iter().all(|it| put.iter().any(|clip| id::hex(&clip.sha256) == *it)));
            }
        }
    }

    #[test]
    fn a_clip_cut_short_in_silence_is_asked_for_in_halves() {
        let world = World { answer: Answer::First(9), ..whole() };
        world.fragments.borrow_mut().iter_mut().for_each(|it| it.bytes = 5_500_000);
        assert_eq!(follow(&world, request(&world), 130_000), Preserved::Stored);
        let parts = world.table.only_case().evidence.parts;
        let types: Vec<_> = parts.iter().map(|it| &*it.media_type).collect();
        assert_eq!(types, ["video/mp4", "video/mp4"]);
        assert!(parts.iter().all(|it| it.gaps.is_empty()));
    }

    #[test]
    fn a_part_that_cannot_be_kept_leaves_the_ones_before_it_with_a_gap() {
        let world = whole();
        world.fragments.borrow_mut().iter_mut().for_each(|it| it.bytes = 10_000_000);
        assert_eq!(check(&world, 130_000), Some(Ok(Preserved::Partly)));
        let next = world.sent.take().unwrap();
        world.refusal.set(Some(false));
        assert_eq!(run(handle(&world, &next, 130_000)).unwrap().unwrap(), Preserved::Incomplete);
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.gaps, ["1970-01-01T00:01:44.000Z/1970-01-01T00:01:57.000Z"]);
        let reason = "cannot list fragments of arm-us-west-seattle-001-a5-a: refused";
        assert_eq!(evidence.reason.as_deref(), Some(reason));
        assert_eq!(evidence.sha256, Some(id::hex(&world.clips.take()[0].sha256)));
    }

    #[test]
    fn video_that_comes_after_the_deadline_completes_the_clip() {
        for before_s in [80, 110] {
            let world = world((80..before_s).step_by(2), ALL);
            let first = check(&world, DEADLINE_MS).unwrap().unwrap();
            assert!(matches!(first, Preserved::Incomplete | Preserved::Failed));
            let late = world.sent.take().unwrap();
            let look = |now_ms| run(handle(&world, &late, now_ms)).unwrap().unwrap();
            assert_eq!(look(DEADLINE_MS + 900_000), Preserved::Waiting, "nothing new");
            world.fragments.borrow_mut().extend((before_s..120).step_by(2).map(fragment));
            assert_eq!(look(DEADLINE_MS + 1_800_000), Preserved::Stored);
            let case = world.table.only_case();
            assert_eq!(case.evidence.status, EvidenceStatus::Stored);
            assert!(case.evidence.gaps.is_empty() && case.evidence.reason.is_none());
            let actions = world.table.actions(&case);
            assert_eq!(actions.last().unwrap(), "evidence-completed");
            let keys: Vec<_> = world.clips.take().into_iter().map(|it| it.key).collect();
            assert_eq!(keys.last(), Some(&case.evidence.key));
            assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), keys.len());
            assert_eq!(look(DEADLINE_MS + 2_700_000), Preserved::Already);
        }
    }

    #[test]
    fn the_stream_is_looked_at_for_late_video_only_while_it_may_hold_any() {
        let world = world((80..110).step_by(2), ALL);
        assert_eq!(check(&world, DEADLINE_MS), Some(Ok(Preserved::Incomplete)));
        let late = world.sent.take().unwrap();
        let look = |now_ms| run(handle(&world, &late, now_ms)).unwrap().unwrap();
        assert_eq!(look(LOST_MS - 1), Preserved::Waiting);
        assert_eq!(look(LOST_MS), Preserved::Already);
        assert_eq!(world.table.only_case().evidence.status, EvidenceStatus::Incomplete);
    }

    #[test]
    fn a_case_that_was_extended_gets_the_longer_clip() {
        let world = world((80..140).step_by(2), ALL);
        let opening = request(&world);
        let case = world.table.only_case();
        let guard = world.table.guards.borrow().values().next().cloned();
        world.table.put(&case::join(&case, &detection(120, Priority::High), guard, 121_000));
        let outcome = run(handle(&world, &opening, 150_000)).unwrap();
        assert_eq!(outcome.unwrap(), Preserved::Stored);
        assert_eq!(world.asked.take(), [Range { start_ms: 83_999, end_ms: 136_001 }]);
    }

    #[test]
    fn a_detection_that_joins_while_the_clip_is_cut_gets_a_longer_clip_beside_the_first() {
        let world = world((80..140).step_by(2), ALL);
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
    fn what_is_beyond_the_longest_clip_is_named_and_not_looked_for() {
        let world = world((80..1_600).step_by(2), ALL);
        let opening = request(&world);
        let case = world.table.only_case();
        let longer = case::join(&case, &detection(1_500, Priority::High), guard(&world), 1_510_000);
        assert_eq!(world.table.put(&longer), Written::Done);
        assert_eq!(follow(&world, opening.clone(), 1_530_000), Preserved::Incomplete);
        let evidence = world.table.only_case().evidence;
        assert_eq!(evidence.gaps, ["1970-01-01T00:16:25.000Z/1970-01-01T00:25:17.000Z"]);
        assert_eq!(evidence.parts.len(), 3, "451 fragments, 200 in each part");
        assert_eq!(world.sent.take(), None, "nothing more can come");
        let looked = run(handle(&world, &opening, 2_500_000)).unwrap().unwrap();
        assert_eq!((looked, world.clips.take().len()), (Preserved::Already, 3));
    }

    /// A detection of the same incident joins the case.
    fn go_on_until(world: &World, second: i64) {
        let mut change = Change::of(&world.table.only_case(), second * 1_000);
        change.add(&detection(second, Priority::High), &[]);
        assert_eq!(world.table.put(&change), Written::Done);
    }

    /// What `respond` does: it sends a request for the clip, and then notes that.
    fn ask(world: &World, notes: bool) -> Option<EvidenceMessage> {
        let case = world.table.only_case();
        let message = evidence::request(&case).filter(|_| case.evidence.requested_at.is_none())?;
        if notes {
            world.table.put(&case::evidence_requested(&case, &message.key, 0).unwrap());
        }
        Some(message)
    }

    #[test]
    fn an_incident_that_is_extended_ten_times_has_one_request_that_looks() {
        // Of every clip the last seconds are missing, so that each request looks on.
        let world = world((80..110).step_by(2), ALL);
        let mut queue = vec![ask(&world, true).unwrap()];
        // The first one joins before any clip is kept.
        for round in 1..=11 {
            go_on_until(&world, 100 + round * 30);
            queue.extend(ask(&world, true));
            for message in std::mem::take(&mut queue) {
                assert!(run(handle(&world, &message, 1_200_000)).unwrap().is_ok());
                queue.extend(world.sent.take());
            }
            assert_eq!(queue.len(), 1, "after {round} extensions: {queue:?}");
        }
        assert_eq!(world.table.only_case().evidence.extensions, Some(10));
    }

    #[derive(Clone, Debug)]
    enum Event {
        Goes {
            seconds: i64,
        },
        /// `respond` asks; it may end before it notes that.
        Asks {
            notes: bool,
        },
        /// A request is handled, with a fault at one of its calls; it stays where it fails.
        Comes {
            which: prop::sample::Index,
            fault: Option<(usize, Fault)>,
        },
        /// Video comes, so much.
        Arrives {
            seconds: i64,
        },
    }

    fn event() -> impl Strategy<Value = Event> {
        let fault = prop::option::of((0..9_usize, prop::sample::select(Fault::ALL.to_vec())));
        let comes = (any::<prop::sample::Index>(), fault);
        prop_oneof![
            (1..60_i64).prop_map(|seconds| Event::Goes { seconds }),
            any::<bool>().prop_map(|notes| Event::Asks { notes }),
            comes.clone().prop_map(|(which, fault)| Event::Comes { which, fault }),
            comes.prop_map(|(which, fault)| Event::Comes { which, fault }),
            (1..60_i64).prop_map(|seconds| Event::Arrives { seconds }),
        ]
    }

    proptest! {
        #[test]
        fn the_last_request_of_a_clip_never_ends_before_the_clip_is_whole(
            events in prop::collection::vec(event(), 1..40),
        ) {
            let world = world((80..120).step_by(2), ALL);
            let mut queue: Vec<EvidenceMessage> = Vec::new();
            let (mut last_s, mut video_s) = (100, 120);
            for event in events {
                match event {
                    Event::Goes { seconds } => {
                        last_s += seconds;
                        go_on_until(&world, last_s);
                    }
                    Event::Asks { notes } => queue.extend(ask(&world, notes)),
                    Event::Arrives { seconds } => {
                        let more = (video_s..video_s + seconds * 2).step_by(2);
                        world.fragments.borrow_mut().extend(more.map(fragment));
                        video_s += seconds * 2;
                    }
                    Event::Comes { which, fault } if !queue.is_empty() => {
                        let at = which.index(queue.len());
                        let call = world.calls.names.borrow().len();
                        world.calls.fault.set(fault.map(|(index, fault)| (call + index, fault)));
                        let outcome = run(handle(&world, &queue[at], 2_000_000));
                        world.calls.fault.set(None);
                        if matches!(outcome, Some(Ok(_))) {
                            queue.remove(at);
                        }
                        queue.extend(world.sent.take());
                    }
                    Event::Comes { .. } => {}
                }
                let case = world.table.only_case();
                let is_whole = case.evidence.status == EvidenceStatus::Stored || !may_grow(&case);
                // What nobody has asked for yet, `respond` asks for.
                let is_owed = case.evidence.requested_at.is_none();
                prop_assert!(is_whole || is_owed || !queue.is_empty(), "{:?}", case.evidence);
            }
        }
    }

    #[test]
    fn a_stream_that_cannot_be_reached_for_hours_costs_no_clip() {
        let world = whole();
        world.refusal.set(Some(true));
        let opening = request(&world);
        let mut delays = Vec::new();
        for failures in 0..8 {
            let message = EvidenceMessage { failures, ..opening.clone() };
            let outcome = run(handle(&world, &message, 7_200_000)).unwrap().unwrap();
            let reason =
                "cannot list fragments of arm-us-west-seattle-001-a5-a: refused".to_owned();
            assert_eq!(outcome, Preserved::Retrying(reason));
            delays.extend(world.put_back.take().into_iter().map(|(_, delay_s)| delay_s));
        }
        assert_eq!(delays, [15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(check(&world, LOST_MS), Some(Ok(Preserved::Failed)));
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
    fn a_stream_that_keeps_less_than_the_store_s_longest_ends_the_request_when_it_is_empty() {
        // The case counts on 24 hours; this stream is empty after two, of trouble all the time.
        let world = world(0..0, ALL);
        let request = EvidenceMessage { failures: 12, ..request(&world) };
        let ended = run(handle(&world, &request, 117_000 + 2 * 3_600_000)).unwrap().unwrap();
        assert_eq!(ended, Preserved::Failed);
        let reason = "the stream holds no video of this time";
        assert_eq!(world.table.only_case().evidence.reason.as_deref(), Some(reason));
    }

    #[test]
    fn a_request_does_not_circulate_forever() {
        let partly = world((80..110).step_by(2), ALL);
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
