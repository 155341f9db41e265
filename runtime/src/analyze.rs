//! `analyze`: one window's video goes to the model, and what the model sees goes on the store's bus.
//!
//! A window that is read too late is dropped and counted, never alerted late; one that failed before
//! fails again. Video larger than one call is asked about in parts. An answer outside the model
//! contract fails the window, so that the queue hands it to its dead-letter queue; detections have
//! deterministic ids, so asking again is harmless. What the video says of its camera is noted last,
//! whatever became of the window; a failure there is counted and logged, and fails nothing.

use casework::fragment::{self, Fragment};
use casework::step::{Pause, StepError, backoff};
use contract::detection::Detection;
use contract::window::WindowMessage;

use crate::detection::{self, AnswerError};
use crate::health::{self, Arrival, Clock, LOOK_BACK_MS, Sign};
use crate::metric::{Count, Metric};

/// Most bytes of video in one call. Source: SageMaker Runtime API reference, `InvokeEndpoint`, `Body`,
/// <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html>.
pub const REQUEST_BYTES_MAX: u64 = 6_291_456;

/// Bytes of the limit that are left for what the stream adds to each fragment: headers and tags.
const MARGIN_BYTES: u64 = 131_072;

/// Most events of one call. Source: EventBridge API reference, `PutEvents`,
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
pub const EVENTS_PER_CALL: usize = 10;

/// How often events that the bus refused are put again. Our choice, as in `dispatch`.
const ROUNDS_MAX: u32 = 3;

/// One call of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The `InferenceId`: the window's id, with the part's number when there are several.
    pub inference_id: String,
    /// The `CustomAttributes` of model contract v1.
    pub attributes: String,
    pub video: Vec<u8>,
}

/// What `analyze` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait AnalyzeServices: Pause {
    /// Lists the fragments that start, or by the service's clock arrive, in `start_ms..end_ms`; none
    /// when there is no such stream.
    async fn list_arrivals(
        &self,
        stream: &str,
        clock: Clock,
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<Arrival>, StepError>;
    /// Reads the video of some fragments, at most `bytes_max`.
    async fn fetch_fragments(
        &self,
        stream: &str,
        fragments: &[Fragment],
        bytes_max: u64,
    ) -> Result<Vec<u8>, StepError>;
    /// The name of the model's endpoint.
    fn endpoint(&self) -> &str;
    /// Asks the model and returns its answer as it came.
    async fn ask_model(&self, question: Question) -> Result<Vec<u8>, StepError>;
    /// Puts at most [`EVENTS_PER_CALL`] events and returns those that the bus refused.
    async fn put_events(
        &self,
        bus: &str,
        detections: &[Detection],
    ) -> Result<Vec<Detection>, StepError>;
    /// Notes what a window says of its camera. A later window's word stays.
    async fn put_sign(&self, window: &WindowMessage, sign: &Sign) -> Result<(), StepError>;
    /// Counts something.
    fn count(&self, count: Count);
    /// Logs a failure that stops nothing.
    fn pass_over(&self, window: &WindowMessage, error: &StepError);
}

/// What became of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Analyzed {
    /// It was read too late.
    Skipped,
    /// The stream held none of it.
    WithoutVideo,
    /// The model saw so many behaviours.
    Seen(usize),
}

/// Video that cannot be given to the model.
#[derive(Debug, thiserror::Error)]
#[error("fragment {number} has {bytes} bytes, more than one call can carry")]
pub struct TooLarge {
    number: String,
    bytes: u64,
}

/// The bus kept refusing some events.
#[derive(Debug, thiserror::Error)]
#[error("the bus refused {0} events")]
pub struct Refused(usize);

/// A window that failed before and is stale by now.
#[derive(Debug, thiserror::Error)]
#[error("the window failed before, and it is too late to show it to the model again")]
pub struct Stale;

/// Handles one window, received from its queue for the `receive_count`th time.
pub async fn handle(
    services: &impl AnalyzeServices,
    window: &WindowMessage,
    receive_count: u32,
    now_ms: i64,
) -> Result<Analyzed, StepError> {
    if now_ms > window.expires_ms && receive_count > 1 {
        // The failure that brought it back must reach the dead-letter queue.
        return Err(StepError::permanent("analyse window", &window.id, Stale));
    }
    if now_ms > window.expires_ms {
        count(services, window, Metric::WindowsSkipped, 1);
        return Ok(Analyzed::Skipped);
    }
    let from_ms = window.start_ms - LOOK_BACK_MS;
    let arrivals =
        services.list_arrivals(&window.stream, Clock::Camera, from_ms, window.end_ms).await?;
    let analyzed = analyze(services, window, &arrivals).await;
    if let Err(error) = observe(services, window, &arrivals).await {
        count(services, window, Metric::HealthErrors, 1);
        services.pass_over(window, &error);
    }
    analyzed
}

/// Notes what a window says of its camera.
async fn observe(
    services: &impl AnalyzeServices,
    window: &WindowMessage,
    by_camera: &[Arrival],
) -> Result<(), StepError> {
    let by_server = if health::shows(window, by_camera) {
        Vec::new()
    } else {
        let (start_ms, end_ms) = health::server_stretch(window);
        services.list_arrivals(&window.stream, Clock::Server, start_ms, end_ms).await?
    };
    for sign in health::judge(window, by_camera, &by_server) {
        services.put_sign(window, &sign).await?;
    }
    Ok(())
}

/// Shows the model what there is of a window, and puts what it sees on the bus.
async fn analyze(
    services: &impl AnalyzeServices,
    window: &WindowMessage,
    arrivals: &[Arrival],
) -> Result<Analyzed, StepError> {
    let listed = arrivals.iter().map(|it| it.fragment.clone()).collect();
    let mut fragments = fragment::in_order(listed);
    fragments.retain(|it| (window.start_ms..window.end_ms).contains(&it.start_ms));
    if fragments.is_empty() {
        count(services, window, Metric::WindowsWithoutVideo, 1);
        return Ok(Analyzed::WithoutVideo);
    }
    if is_incomplete(window, &fragments) {
        count(services, window, Metric::WindowsIncomplete, 1);
    }
    let parts = fragment::groups(fragments, REQUEST_BYTES_MAX - MARGIN_BYTES).map_err(|it| {
        count(services, window, Metric::ModelContractErrors, 1);
        let Fragment { number, bytes, .. } = it;
        StepError::permanent("ask the model about", &window.id, TooLarge { number, bytes })
    })?;
    let mut seen = 0;
    for (index, part) in parts.iter().enumerate() {
        let suffix = if parts.len() == 1 { String::new() } else { format!("-{}", index + 1) };
        let detections = ask(services, window, part, &suffix).await?;
        for batch in detections.chunks(EVENTS_PER_CALL) {
            put(services, window, batch).await?;
        }
        seen += detections.len();
    }
    if seen > 0 {
        count(services, window, Metric::Detections, seen);
    }
    Ok(Analyzed::Seen(seen))
}

/// Whether the window has a stretch without video that does not belong to the fragment before.
fn is_incomplete(window: &WindowMessage, fragments: &[Fragment]) -> bool {
    // What comes ahead of the first fragment may stand in one that began in the window before;
    // that one is taken to be as long as ours.
    let Some(first) = fragments.first() else { return true };
    let start_ms = window.start_ms.max(first.start_ms - first.length_ms);
    !fragment::gaps(fragments, first.start_ms, window.end_ms).is_empty()
        || start_ms - window.start_ms >= fragment::GAP_MS_MIN
}

async fn ask(
    services: &impl AnalyzeServices,
    window: &WindowMessage,
    part: &[Fragment],
    suffix: &str,
) -> Result<Vec<Detection>, StepError> {
    let video = services.fetch_fragments(&window.stream, part, REQUEST_BYTES_MAX).await?;
    let is_whole = suffix.is_empty();
    let first_ms = part.first().map_or(window.start_ms, |it| it.start_ms);
    let last_ms = part.last().map_or(window.end_ms, Fragment::end_ms);
    let start_ms = if is_whole { window.start_ms } else { first_ms };
    let end_ms = if is_whole { window.end_ms } else { last_ms };
    let (store, camera) = (&window.store.id, &window.camera);
    let question = Question {
        inference_id: format!("{}{suffix}", window.id),
        attributes: format!("v=1;store={store};camera={camera};start={start_ms};end={end_ms}"),
        video,
    };
    let body = services.ask_model(question).await?;
    let detections = detection::parse(&body)
        .and_then(|answer| detection::detections(window, part, answer, services.endpoint()));
    let detections = detections.map_err(|error: AnswerError| {
        count(services, window, Metric::ModelContractErrors, 1);
        StepError::permanent("understand the model's answer about", &window.id, error)
    })?;
    Ok(detections)
}

async fn put(
    services: &impl AnalyzeServices,
    window: &WindowMessage,
    batch: &[Detection],
) -> Result<(), StepError> {
    let mut left = batch.to_vec();
    for round in 1..=ROUNDS_MAX {
        left = services.put_events(&window.bus, &left).await?;
        if left.is_empty() {
            return Ok(());
        }
        services.pause(backoff(round)).await;
    }
    Err(StepError::retryable("put events on", &window.bus, Refused(left.len())))
}

fn count(services: &impl AnalyzeServices, window: &WindowMessage, metric: Metric, value: usize) {
    let (store, camera) = (window.store.id.clone(), window.camera.clone());
    services.count(Count { metric, value, store, camera });
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use casework::case_table::doubles::{Calls, Fault};
    use casework::case_table::memory::run;
    use contract::hours::Hours;
    use contract::store::{AisleRef, StoreRef};

    use super::*;

    /// A stream, a model that gives one answer, and a bus that refuses some events at first.
    struct Script {
        pauses: RefCell<Vec<Duration>>,
        calls: Calls,
        fragments: Vec<Fragment>,
        answer: &'static str,
        refusals: RefCell<Vec<usize>>,
        questions: RefCell<Vec<(String, String, usize)>>,
        events: RefCell<Vec<Detection>>,
        counts: RefCell<Vec<(&'static str, usize)>>,
        /// What arrives by the service's clock when the camera's shows nothing.
        by_server: Vec<Arrival>,
        signs: RefCell<Vec<Sign>>,
        /// True: notes about cameras cannot be written.
        refuses_signs: bool,
        passed_over: RefCell<Vec<String>>,
    }

    impl Pause for Script {
        async fn pause(&self, length: Duration) {
            self.pauses.borrow_mut().push(length);
        }
    }

    impl AnalyzeServices for Script {
        async fn list_arrivals(
            &self,
            _: &str,
            clock: Clock,
            start_ms: i64,
            end_ms: i64,
        ) -> Result<Vec<Arrival>, StepError> {
            let arrival = |fragment: &Fragment| Arrival {
                fragment: fragment.clone(),
                server_ms: fragment.start_ms + 2_500,
            };
            match clock {
                Clock::Camera => {
                    let is_in = |it: &&Fragment| (start_ms..=end_ms).contains(&it.start_ms);
                    let listed = || self.fragments.iter().filter(is_in).map(arrival).collect();
                    self.calls.make("list", listed).await
                }
                Clock::Server => self.calls.make("list again", || self.by_server.clone()).await,
            }
        }

        async fn fetch_fragments(
            &self,
            _: &str,
            fragments: &[Fragment],
            _: u64,
        ) -> Result<Vec<u8>, StepError> {
            self.calls.make("fetch", || vec![0; fragments.len()]).await
        }

        fn endpoint(&self) -> &'static str {
            "endpoint"
        }

        async fn ask_model(&self, question: Question) -> Result<Vec<u8>, StepError> {
            let Question { inference_id, attributes, video } = question;
            self.questions.borrow_mut().push((inference_id, attributes, video.len()));
            self.calls.make("ask", || self.answer.as_bytes().to_vec()).await
        }

        async fn put_events(
            &self,
            _: &str,
            detections: &[Detection],
        ) -> Result<Vec<Detection>, StepError> {
            let refused = self.refusals.borrow_mut().pop().unwrap_or_default();
            let (refused, taken) = detections.split_at(refused.min(detections.len()));
            let put = || {
                self.events.borrow_mut().extend(taken.iter().cloned());
                refused.to_vec()
            };
            self.calls.make("put", put).await
        }

        async fn put_sign(&self, _: &WindowMessage, sign: &Sign) -> Result<(), StepError> {
            if self.refuses_signs {
                return Err(StepError::retryable("note", "the camera", "it was told to fail"));
            }
            self.calls.make("note", || self.signs.borrow_mut().push(sign.clone())).await
        }

        fn count(&self, count: Count) {
            self.counts.borrow_mut().push((count.metric.name(), count.value));
        }

        fn pass_over(&self, _: &WindowMessage, error: &StepError) {
            self.passed_over.borrow_mut().push(error.chain());
        }
    }

    fn window() -> WindowMessage {
        WindowMessage {
            version: contract::VERSION,
            id: "w-1".to_owned(),
            store: StoreRef { id: "seattle-001".to_owned(), ..StoreRef::default() },
            camera: "a5-a".to_owned(),
            aisle: AisleRef::default(),
            stream: "stream".to_owned(),
            bus: "bus".to_owned(),
            start_ms: 10_000,
            end_ms: 16_000,
            expires_ms: 100_000,
            hours: Hours::default(),
            zones: Vec::new(),
            ailing: Vec::new(),
        }
    }

    const SWEEP: &str = r#"{"event_type":"shelf_sweep"}"#;

    /// A stream with fragments of two seconds.
    fn script(starts_ms: &[i64], bytes: u64, answer: &'static str) -> Script {
        let fragment = |start_ms: &i64| Fragment {
            number: start_ms.to_string(),
            bytes,
            start_ms: *start_ms,
            length_ms: 2_000,
        };
        Script {
            pauses: RefCell::default(),
            calls: Calls::default(),
            fragments: starts_ms.iter().map(fragment).collect(),
            answer,
            refusals: RefCell::default(),
            questions: RefCell::default(),
            events: RefCell::default(),
            counts: RefCell::default(),
            by_server: Vec::new(),
            signs: RefCell::default(),
            refuses_signs: false,
            passed_over: RefCell::default(),
        }
    }

    fn check(script: &Script, now_ms: i64) -> Result<Analyzed, String> {
        run(handle(script, &window(), 1, now_ms)).unwrap().map_err(|error| error.chain())
    }

    #[test]
    fn a_window_is_listed_read_asked_about_and_its_detections_put() {
        let script = script(&[14_000, 10_000, 12_000, 16_000, 9_000], 100, SWEEP);
        assert_eq!(check(&script, 0), Ok(Analyzed::Seen(1)));
        assert_eq!(script.calls.names.take(), ["list", "fetch", "ask", "put"]);
        let attributes = "v=1;store=seattle-001;camera=a5-a;start=10000;end=16000";
        assert_eq!(script.questions.take(), [("w-1".to_owned(), attributes.to_owned(), 3)]);
        assert_eq!(script.counts.take(), [("Detections", 1)]);
    }

    #[test]
    fn a_window_read_too_late_is_dropped_and_counted() {
        let script = script(&[10_000], 100, SWEEP);
        assert_eq!(check(&script, 100_001), Ok(Analyzed::Skipped));
        assert_eq!(script.counts.take(), [("WindowsSkipped", 1)]);
        assert!(script.calls.names.take().is_empty());
    }

    #[test]
    fn a_window_that_failed_reaches_the_dead_letter_queue_though_it_is_stale_by_then() {
        let script = script(&[10_000], 100, "<html>");
        assert!(check(&script, 100_000).is_err());
        let again = run(handle(&script, &window(), 2, 100_001)).unwrap().unwrap_err();
        let error = "cannot analyse window w-1: the window failed before, and it is too late to \
                     show it to the model again";
        assert_eq!((again.chain(), again.retryable), (error.to_owned(), false));
        assert_eq!(script.counts.take().len(), 2, "neither skipped: {:?}", script.counts);
    }

    #[test]
    fn a_window_without_video_or_with_holes_is_counted() {
        let none = script(&[], 100, SWEEP);
        assert_eq!(check(&none, 0), Ok(Analyzed::WithoutVideo));
        assert_eq!(none.counts.take(), [("WindowsWithoutVideo", 1)]);
        for (starts, is_whole) in [
            (&[11_900, 13_900, 15_900][..], true),
            (&[12_500, 14_500][..], false),
            (&[10_000, 14_000][..], false),
            (&[10_000, 12_000][..], false),
        ] {
            let script = script(starts, 100, r#"{"detections":[]}"#);
            assert_eq!(check(&script, 0), Ok(Analyzed::Seen(0)));
            let counts = script.counts.take();
            assert_eq!(counts.is_empty(), is_whole, "{starts:?}: {counts:?}");
        }
    }

    #[test]
    fn video_over_the_limit_is_asked_about_in_parts() {
        let script = script(&[10_000, 12_000, 14_000], 2_500_000, SWEEP);
        assert_eq!(check(&script, 0), Ok(Analyzed::Seen(2)));
        let attributes =
            |start, end| format!("v=1;store=seattle-001;camera=a5-a;start={start};end={end}");
        let expected = [
            ("w-1-1".to_owned(), attributes(10_000, 14_000), 2),
            ("w-1-2".to_owned(), attributes(14_000, 16_000), 1),
        ];
        assert_eq!(script.questions.take(), expected);
    }

    #[test]
    fn what_breaks_the_contract_fails_the_window_and_is_counted() {
        let html = script(&[10_000], 100, "<html>");
        let error = "cannot understand the model's answer about w-1: the answer is not JSON: \
                     expected value at line 1 column 1";
        assert_eq!(check(&html, 0), Err(error.to_owned()));
        assert!(html.counts.take().contains(&("ModelContractErrors", 1)));
        let large = script(&[10_000], 6_200_000, SWEEP);
        let error = "cannot ask the model about w-1: fragment 10000 has 6200000 bytes, more than \
                     one call can carry";
        assert_eq!(check(&large, 0), Err(error.to_owned()));
        assert!(large.counts.take().contains(&("ModelContractErrors", 1)));
    }

    #[test]
    fn only_refused_events_are_put_again() {
        const THREE: &str =
            r#"{"detections":[{"event_type":"a"},{"event_type":"b"},{"event_type":"c"}]}"#;
        let some = script(&[10_000], 100, THREE);
        some.refusals.replace(vec![1, 2]);
        assert_eq!(check(&some, 0), Ok(Analyzed::Seen(3)));
        let events: Vec<_> = some.events.take().into_iter().map(|it| it.event_type).collect();
        assert_eq!(events, ["c", "b", "a"]);
        assert_eq!(some.pauses.take(), [20, 40].map(Duration::from_millis), "growing pauses");
        let all = script(&[10_000], 100, THREE);
        all.refusals.replace(vec![3, 3, 3]);
        let error = "cannot put events on bus: the bus refused 3 events";
        assert_eq!(check(&all, 0), Err(error.to_owned()));
    }

    #[test]
    fn whatever_call_fails_the_window_fails_and_its_repetition_gives_the_same_ids() {
        let whole = script(&[10_000], 100, SWEEP);
        assert_eq!(check(&whole, 0), Ok(Analyzed::Seen(1)));
        let ids = |script: &Script| {
            let mut ids: Vec<_> = script.events.borrow().iter().map(|it| it.id.clone()).collect();
            ids.dedup();
            ids
        };
        for index in 0..4 {
            for fault in [Fault::Refused, Fault::Lost] {
                let script = script(&[10_000], 100, SWEEP);
                script.calls.fault.set(Some((index, fault)));
                assert!(check(&script, 0).is_err());
                assert_eq!(check(&script, 0), Ok(Analyzed::Seen(1)));
                assert_eq!(ids(&script), ids(&whole));
            }
        }
    }

    #[test]
    fn a_window_without_video_is_looked_at_by_the_service_s_clock_and_noted() {
        let none = script(&[], 100, SWEEP);
        assert_eq!(check(&none, 0), Ok(Analyzed::WithoutVideo));
        assert_eq!(none.calls.names.take(), ["list", "list again", "note"]);
        let ailments = |script: &Script| -> Vec<_> {
            script.signs.take().into_iter().map(|it| it.ailment.as_str()).collect()
        };
        assert_eq!(ailments(&none), ["offline"]);
        let mut behind = script(&[], 100, SWEEP);
        let arrival = |index: i64| Arrival {
            fragment: Fragment {
                number: index.to_string(),
                bytes: 100,
                start_ms: index * 2_000 - 3_600_000,
                length_ms: 2_000,
            },
            server_ms: index * 2_000,
        };
        behind.by_server = (0..8).map(arrival).collect();
        assert_eq!(check(&behind, 0), Ok(Analyzed::WithoutVideo));
        assert_eq!(ailments(&behind), ["skewed"]);
    }

    #[test]
    fn a_camera_that_is_well_costs_no_call() {
        let well = script(&[8_000, 10_000, 12_000, 14_000], 100, r#"{"detections":[]}"#);
        assert_eq!(check(&well, 0), Ok(Analyzed::Seen(0)));
        assert_eq!(well.calls.names.take(), ["list", "fetch", "ask"]);
    }

    #[test]
    fn health_is_noted_last_whatever_became_of_the_window_and_fails_nothing() {
        let frozen: Vec<i64> = (0..8).map(|index| index * 2_000).collect();
        let noted = script(&frozen, 100, SWEEP);
        assert_eq!(check(&noted, 0), Ok(Analyzed::Seen(1)));
        assert_eq!(noted.calls.names.take(), ["list", "fetch", "ask", "put", "note"]);
        let refused = Script { refuses_signs: true, ..script(&frozen, 100, SWEEP) };
        assert_eq!(check(&refused, 0), Ok(Analyzed::Seen(1)));
        assert_eq!(refused.counts.take(), [("Detections", 1), ("HealthErrors", 1)]);
        assert_eq!(refused.passed_over.take(), ["cannot note the camera: it was told to fail"]);
        let html = script(&frozen, 100, "<html>");
        assert!(check(&html, 0).is_err());
        assert_eq!(html.signs.take().len(), 1);
    }
}
