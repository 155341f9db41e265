//! Ticks that are missed, doubled, late, out of order or end half way; and who is told of cameras.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use casework::case_table::doubles::{Calls, Fault};
use casework::case_table::memory::run;
use casework::time::{MINUTE_MS, rfc3339};
use contract::health::Ailment;
use contract::hours::{Hours, Period};
use contract::store::StoreRef;
use contract::watch::{WatchCamera, WatchWhen};
use proptest::prelude::*;

use super::*;

/// Noon in UTC on 2026-11-22, a whole minute.
const NOON_MS: i64 = 1_795_348_800_000;

/// A queue, a table and a topic. The queue refuses the first message of some calls.
#[derive(Default)]
struct Script {
    pauses: RefCell<Vec<Duration>>,
    calls: Calls,
    refusals: Cell<usize>,
    batches: RefCell<Vec<usize>>,
    /// Every window that the queue took, by its id.
    sent: RefCell<BTreeMap<String, Vec<WindowMessage>>>,
    watched: Cell<Option<i64>>,
    ailments: RefCell<Vec<AilmentItem>>,
    published: RefCell<Vec<Alert>>,
    counts: RefCell<Vec<(&'static str, usize)>>,
    passed_over: RefCell<Vec<String>>,
    /// True: the table answers nothing.
    has_no_table: Cell<bool>,
}

impl Script {
    fn table(&self) -> Result<(), StepError> {
        let error = || StepError::retryable("reach", "the table", "it is away");
        if self.has_no_table.get() { Err(error()) } else { Ok(()) }
    }

    /// How often each window was sent.
    fn times(&self) -> BTreeSet<usize> {
        self.sent.borrow().values().map(Vec::len).collect()
    }
}

impl Pause for Script {
    async fn pause(&self, length: Duration) {
        self.pauses.borrow_mut().push(length);
    }
}

impl DispatchServices for Script {
    async fn send_windows(&self, windows: &[Delayed]) -> Result<Vec<Delayed>, StepError> {
        let refused = usize::from(self.refusals.get() > 0);
        self.refusals.set(self.refusals.get() - refused);
        let (left, taken) = windows.split_at(refused);
        let send = || {
            self.batches.borrow_mut().push(windows.len());
            for it in taken {
                let mut sent = self.sent.borrow_mut();
                sent.entry(it.window.id.clone()).or_default().push(it.window.clone());
            }
            left.to_vec()
        };
        self.calls.make("send", send).await
    }

    async fn fetch_watched(&self, _: &str) -> Result<Option<i64>, StepError> {
        self.table()?;
        self.calls.make("read the note", || self.watched.get()).await
    }

    async fn put_watched(&self, _: &str, minute_ms: i64, now_ms: i64) -> Result<(), StepError> {
        self.table()?;
        let put = || {
            let known = self.watched.get().filter(|it| *it <= now_ms + tick::AHEAD_MS_MAX);
            self.watched.set(Some(known.unwrap_or(i64::MIN).max(minute_ms)));
        };
        self.calls.make("note", put).await
    }

    async fn fetch_ailments(&self, _: &str) -> Result<Vec<AilmentItem>, StepError> {
        self.table()?;
        self.calls.make("read health", || self.ailments.borrow().clone()).await
    }

    async fn put_told(&self, item: &AilmentItem, since_ms: Option<i64>) -> Result<(), StepError> {
        let put = || {
            for it in self.ailments.borrow_mut().iter_mut().filter(|it| it.sk == item.sk) {
                it.told_since_ms = since_ms;
            }
        };
        self.calls.make("note told", put).await
    }

    async fn remove_ailment(&self, item: &AilmentItem) -> Result<Removed, StepError> {
        let remove = || {
            let mut items = self.ailments.borrow_mut();
            let is_as_read = |it: &AilmentItem| it.sk == item.sk && it.seen_ms == item.seen_ms;
            let is_there = items.iter().any(|it| it.sk == item.sk);
            let before = items.len();
            items.retain(|it| !is_as_read(it));
            let is_done = !is_there || items.len() < before;
            if is_done { Removed::Done } else { Removed::SeenAgain }
        };
        self.calls.make("remove", remove).await
    }

    async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        let publish = || {
            self.published.borrow_mut().push(alert.clone());
            "1".to_owned()
        };
        self.calls.make("publish", publish).await
    }

    fn count(&self, count: Count) {
        self.counts.borrow_mut().push((count.metric.name(), count.value));
    }

    fn pass_over(&self, _: &str, error: &StepError) {
        self.passed_over.borrow_mut().push(error.chain());
    }
}

fn camera(id: &str, window_s: u32, when: WatchWhen) -> WatchCamera {
    WatchCamera { id: id.to_owned(), aisle: "a5".to_owned(), window_s, when, zones: Vec::new() }
}

fn input(minute_ms: i64, cameras: Vec<WatchCamera>) -> WatchInput {
    WatchInput {
        version: contract::VERSION,
        scheduled_time: rfc3339(minute_ms),
        store: StoreRef {
            id: "seattle-001".to_owned(),
            name: "Pike Place".to_owned(),
            cell: "us-west".to_owned(),
            timezone: "America/Los_Angeles".to_owned(),
        },
        bus: String::new(),
        stream_prefix: String::new(),
        hours: Hours::default(),
        aisles: Vec::new(),
        cameras,
        topic: "arn:topic".to_owned(),
    }
}

fn two_cameras(minute_ms: i64) -> WatchInput {
    input(minute_ms, ["a", "b"].map(|id| camera(id, 10, WatchWhen::Always)).into())
}

/// One tick at noon of two cameras, of which the queue refuses so many messages.
fn check(refusals: usize) -> (Result<usize, String>, Vec<usize>, usize) {
    let script = Script { refusals: Cell::new(refusals), ..Script::default() };
    let outcome = run(handle(&script, &two_cameras(NOON_MS), NOON_MS)).unwrap();
    let sent = script.sent.borrow().len();
    (outcome.map_err(|error| error.chain()), script.batches.take(), sent)
}

#[test]
fn every_window_is_sent_ten_a_call() {
    assert_eq!(check(0), (Ok(12), vec![10, 2], 12));
}

#[test]
fn only_refused_messages_are_sent_again() {
    assert_eq!(check(1), (Ok(12), vec![10, 1, 2], 12));
}

#[test]
fn a_queue_that_keeps_refusing_fails_the_tick() {
    let error = "cannot send windows of store seattle-001: the queue refused 1 messages";
    assert_eq!(check(9), (Err(error.to_owned()), vec![10, 1, 1], 9));
}

#[test]
fn a_missed_minute_is_made_up_for_after_the_tick_s_own_and_a_doubled_one_is_not_sent() {
    let script = Script { watched: Cell::new(Some(NOON_MS)), ..Script::default() };
    let minute_ms = NOON_MS + 2 * MINUTE_MS;
    let tick = |now_ms| run(handle(&script, &two_cameras(minute_ms), now_ms)).unwrap().unwrap();
    assert_eq!(tick(minute_ms), 24);
    assert_eq!(tick(minute_ms), 0);
    assert_eq!(script.times(), [1].into());
    let calls = script.calls.names.take();
    assert_eq!(
        calls[..7],
        ["read the note", "read health", "send", "send", "send", "send", "note"]
    );
    assert_eq!(calls[7..], ["read the note", "read health"]);
}

#[test]
fn a_minute_that_is_lost_is_counted_and_windows_that_are_stale_are_not_sent() {
    let script = Script { watched: Cell::new(Some(NOON_MS)), ..Script::default() };
    let minute_ms = NOON_MS + 8 * MINUTE_MS;
    assert_eq!(run(handle(&script, &two_cameras(minute_ms), minute_ms)).unwrap().unwrap(), 50);
    let counts = script.counts.take();
    assert_eq!(counts[..2], [("MinutesLost", 3), ("WindowsSkipped", 10)], "most of 12:04 is stale");
}

#[test]
fn a_table_that_is_away_stops_nothing_and_is_counted() {
    let script = Script { watched: Cell::new(Some(NOON_MS)), ..Script::default() };
    script.has_no_table.set(true);
    let at = |minute: i64| NOON_MS + minute * MINUTE_MS;
    let tick = |minute| run(handle(&script, &two_cameras(at(minute)), at(minute))).unwrap();
    assert_eq!(tick(2).unwrap(), 12);
    assert_eq!(script.counts.take(), [("WatchNoteErrors", 1), ("HealthErrors", 1)]);
    assert_eq!(script.passed_over.take()[0], "cannot reach the table: it is away");
    // What was missed before is still owed when the table is back.
    script.has_no_table.set(false);
    assert_eq!(tick(3).unwrap(), 36);
    assert_eq!(script.times(), [1, 2].into(), "12:02 twice, nothing lost");
}

/// How one minute's tick fares.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It comes so many seconds late.
    Comes(i64),
    /// The scheduler drops it.
    Missed,
    /// It comes on time, and again so many seconds late.
    Doubled(i64),
    /// Its call of this number goes wrong; Lambda brings it again after a minute, or not.
    Fails(usize, Fault, bool),
}

fn fate() -> impl Strategy<Value = Fate> {
    let fault = proptest::sample::select(Fault::ALL.to_vec());
    prop_oneof![
        4 => (0_i64..170).prop_map(Fate::Comes),
        2 => Just(Fate::Missed),
        1 => (0_i64..170).prop_map(Fate::Doubled),
        3 => (0_usize..9, fault, any::<bool>()).prop_map(|(at, fault, again)| Fate::Fails(at, fault, again)),
    ]
}

/// When a tick runs, the minute that it owns, and what goes wrong.
type Tick = (i64, i64, Option<(usize, Fault)>);

/// Ticks in the order in which they run.
fn ticks(fates: &[Fate], first_ms: i64) -> Vec<Tick> {
    let mut ticks = Vec::new();
    let minutes = (0_i64..).map(|minute| first_ms + minute * MINUTE_MS);
    for (minute_ms, fate) in minutes.zip(fates) {
        let mut comes =
            |late_s: i64, fault| ticks.push((minute_ms + late_s * 1_000, minute_ms, fault));
        match *fate {
            Fate::Comes(late_s) => comes(late_s, None),
            Fate::Missed => {}
            Fate::Doubled(late_s) => [0, late_s].into_iter().for_each(|it| comes(it, None)),
            Fate::Fails(at, fault, again) => {
                comes(0, Some((at, fault)));
                if again {
                    comes(60, None);
                }
            }
        }
    }
    ticks.sort_by_key(|(at_ms, minute_ms, _)| (*at_ms, *minute_ms));
    ticks
}

/// Cameras of different cadence and time, in a store with hours.
fn mixed_cameras() -> Vec<WatchCamera> {
    vec![
        camera("two", 2, WatchWhen::Always),
        camera("seven", 7, WatchWhen::Open),
        camera("ten", 10, WatchWhen::Closed),
        camera("forty-five", 45, WatchWhen::Open),
        camera("sixty", 60, WatchWhen::Always),
        camera("never", 10, WatchWhen::Never),
    ]
}

/// Open in the night on which the clocks change as well, closed on one holiday, and open for an hour of
/// another.
fn hours() -> Hours {
    let span = |text: &str| vec![text.parse().unwrap()];
    Hours {
        timezone: "America/Los_Angeles".to_owned(),
        week: vec![span("07:00-02:30"); 7],
        dates: [("2026-12-25".to_owned(), vec![]), ("2027-01-01".to_owned(), span("12:00-13:00"))]
            .into(),
    }
}

/// Every window that must be asked about, with its start and end: found one second after the other,
/// without `window`.
fn expected(input: &WatchInput, from_ms: i64, to_ms: i64) -> BTreeMap<String, (i64, i64)> {
    let mut windows = BTreeMap::new();
    for camera in &input.cameras {
        let length_ms = i64::from(camera.window_s) * 1_000;
        let starts = (from_ms..to_ms).step_by(1_000).filter(|start_ms| start_ms % length_ms == 0);
        let is_due = |start_ms: &i64| {
            let mut seconds = (*start_ms..start_ms + length_ms).step_by(1_000);
            match camera.when {
                WatchWhen::Always => true,
                WatchWhen::Never => false,
                WatchWhen::Open => seconds.any(|at| input.hours.period_at(at) == Period::Open),
                WatchWhen::Closed => seconds.any(|at| input.hours.period_at(at) == Period::Closed),
            }
        };
        for start_ms in starts.filter(is_due) {
            let id = casework::id::window_id(&input.store.id, &camera.id, start_ms);
            windows.insert(id, (start_ms, start_ms + length_ms));
        }
    }
    windows
}

/// Moments at which hours begin, end, change or are skipped: opening and closing, both clock changes
/// of the year, midnight of a holiday, and an hour of another.
const MOMENTS: [&str; 8] = [
    "2026-11-23T06:58:00-08:00",
    "2026-11-24T02:27:00-08:00",
    "2026-11-01T01:28:00-07:00",
    "2026-11-01T01:28:00-08:00",
    "2027-03-14T01:57:00-08:00",
    "2026-12-25T02:27:00-08:00",
    "2027-01-01T11:58:00-08:00",
    "2027-01-01T12:57:00-08:00",
];

/// Whether no window is lost, and whether none came twice; the minutes whose windows count.
fn run_ticks(fates: &[Fate], moment: &str) -> Result<Script, TestCaseError> {
    let first_ms = casework::time::parse_ms(moment).unwrap();
    let script = Script::default();
    let mut input = input(first_ms, mixed_cameras());
    input.hours = hours();
    // The watch is known to run until now.
    script.watched.set(Some(first_ms - MINUTE_MS));
    let last_ms = first_ms + i64::try_from(fates.len()).unwrap() * MINUTE_MS;
    let all = expected(&input, first_ms, last_ms);
    for (now_ms, minute_ms, fault) in ticks(fates, first_ms) {
        input.scheduled_time = rfc3339(minute_ms);
        script.calls.names.take();
        script.calls.fault.set(fault);
        let finished = run(handle(&script, &input, now_ms)).is_some_and(|it| it.is_ok());
        script.calls.fault.set(None);
        // Without the note a tick sends its own minute alone, and leaves the rest to the next one.
        let is_blind = script.passed_over.take().iter().any(|it| it.contains("read the note"));
        if !finished || is_blind {
            continue;
        }
        // A tick that has finished leaves no window behind that is still of use.
        for (id, (start_ms, end_ms)) in &all {
            let is_owed = *start_ms < minute_ms + MINUTE_MS && end_ms + 180_000 >= now_ms;
            let is_sent = script.sent.borrow().contains_key(id);
            prop_assert!(is_sent || !is_owed, "{id} is lost at {}", rfc3339(now_ms));
        }
    }
    let others: Vec<_> =
        script.sent.borrow().keys().filter(|id| !all.contains_key(*id)).cloned().collect();
    prop_assert_eq!(others, Vec::<String>::new(), "nobody asked for these");
    Ok(script)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_is_lost_whatever_becomes_of_ticks(
        fates in proptest::collection::vec(fate(), 1..9),
        moment in proptest::sample::select(MOMENTS.to_vec()),
    ) {
        run_ticks(&fates, moment)?;
    }

    #[test]
    fn no_window_comes_twice_where_no_call_fails(
        fates in proptest::collection::vec(fate(), 1..9),
        moment in proptest::sample::select(MOMENTS.to_vec()),
    ) {
        let whole = |fate: &Fate| match fate {
            Fate::Fails(..) => Fate::Missed,
            other => *other,
        };
        let fates: Vec<_> = fates.iter().map(whole).collect();
        let times = run_ticks(&fates, moment)?.times();
        prop_assert!(times.is_subset(&[1].into()), "{:?}", times);
    }
}

/// A trouble of a camera that has lasted.
fn offline(camera: &str) -> AilmentItem {
    AilmentItem {
        pk: contract::health::health_pk("seattle-001"),
        sk: contract::health::ailment_sk(camera, Ailment::Offline),
        camera: camera.to_owned(),
        ailment: Ailment::Offline,
        since_ms: NOON_MS - 3 * MINUTE_MS,
        seen_ms: NOON_MS - 20_000,
        well_ms: None,
        delay_ms: None,
        is_late: false,
        told_since_ms: None,
        expires_at: 0,
    }
}

/// One tick at noon.
fn tick(script: &Script) -> Option<Result<usize, StepError>> {
    script.watched.set(Some(NOON_MS - MINUTE_MS));
    run(handle(script, &two_cameras(NOON_MS), NOON_MS))
}

fn told(script: &Script) -> Vec<String> {
    script.published.borrow().iter().map(|it| it.texts.sms.clone()).collect()
}

const ONE: &str = "Camera a (a5) at Pike Place has sent no video since 03:57";

#[test]
fn windows_say_what_ails_their_camera_and_are_sent_before_anybody_is_told() {
    let script = Script::default();
    script.ailments.borrow_mut().push(offline("a"));
    assert_eq!(tick(&script).unwrap().unwrap(), 12);
    let known: BTreeSet<_> = script
        .sent
        .take()
        .into_values()
        .flatten()
        .map(|it| (it.camera, it.ailing.iter().map(|it| it.ailment.as_str()).collect::<String>()))
        .collect();
    assert_eq!(known, [("a".into(), "offline".into()), ("b".into(), String::new())].into());
    let calls = script.calls.names.take();
    assert_eq!(calls[2..], ["send", "send", "note", "publish", "note told"]);
    let counts = script.counts.take();
    let expected =
        [("CamerasAiling", 1), ("CamerasOffline", 1), ("CamerasSkewed", 0), ("CamerasFrozen", 0)];
    assert_eq!(counts, expected);
    let alert = script.published.borrow()[0].clone();
    assert_eq!(
        (alert.topic.as_str(), &alert.audiences[..]),
        ("arn:topic", &["ops".to_owned()][..])
    );
    let attributes = [
        ("priority", "high".to_owned()),
        ("event_type", "camera_offline".to_owned()),
        ("store", "seattle-001".to_owned()),
        ("aisle", "a5".to_owned()),
    ];
    assert_eq!(alert.attributes, attributes);
    assert_eq!(alert.texts.sms, ONE);
}

#[test]
fn a_store_without_trouble_is_counted_too() {
    let script = Script::default();
    tick(&script).unwrap().unwrap();
    let expected =
        [("CamerasAiling", 0), ("CamerasOffline", 0), ("CamerasSkewed", 0), ("CamerasFrozen", 0)];
    assert_eq!(script.counts.take(), expected);
}

#[test]
fn when_most_cameras_are_offline_one_message_says_so() {
    let script = Script::default();
    let ids: Vec<_> = (1..=42).map(|number| format!("c{number}")).collect();
    *script.ailments.borrow_mut() = ids.iter().skip(4).map(|id| offline(id)).collect();
    let input = input(NOON_MS, ids.iter().map(|id| camera(id, 10, WatchWhen::Always)).collect());
    for _ in 0..2 {
        script.watched.set(None);
        assert_eq!(run(handle(&script, &input, NOON_MS)).unwrap().unwrap(), 252);
        let expected = "38 of 42 cameras at Pike Place have sent no video since 03:57";
        assert_eq!(told(&script), [expected], "told once");
    }
}

#[test]
fn the_end_is_told_with_its_length_and_forgotten() {
    let script = Script::default();
    let over = AilmentItem {
        told_since_ms: Some(NOON_MS - 30 * MINUTE_MS),
        seen_ms: NOON_MS - 5 * MINUTE_MS,
        well_ms: Some(NOON_MS - MINUTE_MS),
        ..offline("a")
    };
    script.ailments.borrow_mut().push(over);
    tick(&script).unwrap().unwrap();
    assert_eq!(told(&script), ["Camera a (a5) at Pike Place sends video again, after 25 min"]);
    assert!(script.ailments.take().is_empty());
}

#[test]
fn a_trouble_that_is_back_when_its_end_is_told_will_be_told_again() {
    let script = Script::default();
    let over = AilmentItem {
        told_since_ms: Some(NOON_MS - 30 * MINUTE_MS),
        seen_ms: NOON_MS - 5 * MINUTE_MS,
        well_ms: Some(NOON_MS - MINUTE_MS),
        ..offline("a")
    };
    let read = vec![over.clone()];
    // What was read is no longer what is on record.
    script.ailments.borrow_mut().push(AilmentItem { seen_ms: NOON_MS, ..over });
    run(tell::tell(&script, &two_cameras(NOON_MS), &read, (NOON_MS, NOON_MS))).unwrap();
    assert_eq!(script.ailments.borrow()[0].told_since_ms, None);
}

#[test]
fn people_are_told_at_least_once_whatever_call_goes_wrong_and_windows_are_sent() {
    for fault in Fault::ALL {
        for index in 0..7 {
            let script = Script::default();
            script.ailments.borrow_mut().push(offline("a"));
            script.calls.fault.set(Some((index, fault)));
            let first = tick(&script);
            let is_health = index >= 5 && matches!(fault, Fault::Refused | Fault::Lost);
            assert!(!is_health || matches!(first, Some(Ok(12))), "{fault:?} at {index}");
            script.calls.fault.set(None);
            tick(&script).unwrap().unwrap();
            tick(&script).unwrap().unwrap();
            let told = told(&script);
            assert!((1..=2).contains(&told.len()), "{fault:?} at {index}: {told:?}");
            assert!(script.ailments.borrow()[0].told_since_ms.is_some());
            assert_eq!(script.sent.borrow().len(), 12);
        }
    }
}

/// What becomes of an item when a window of ten seconds that ends then shows trouble, or none: as the
/// table does it.
fn sign(script: &Script, item: &AilmentItem, is_well: bool, end_ms: i64) {
    let mut items = script.ailments.borrow_mut();
    let known = items.iter_mut().find(|it| it.sk == item.sk);
    match (known, is_well) {
        (Some(it), true) => it.well_ms = Some(it.well_ms.unwrap_or(i64::MIN).max(end_ms)),
        (Some(it), false) => it.seen_ms = it.seen_ms.max(end_ms),
        (None, true) => {}
        (None, false) => {
            let since_ms = end_ms - 10_000;
            items.push(AilmentItem { since_ms, seen_ms: end_ms, ..item.clone() });
        }
    }
}

/// One camera for some minutes: in each a trouble is there all the time, at times, or never; the tick
/// of each minute goes well or not. Returns how often people were told that it began, and that it was
/// over, in their order.
fn live(minutes: &[(u8, Option<(usize, Fault)>)]) -> Vec<bool> {
    let script = Script::default();
    let item = offline("a");
    for (minute, (trouble, fault)) in (0_i64..).zip(minutes) {
        let minute_ms = NOON_MS + minute * MINUTE_MS;
        script.calls.names.take();
        script.calls.fault.set(*fault);
        drop(run(handle(&script, &two_cameras(minute_ms), minute_ms)));
        script.calls.fault.set(None);
        for window in 1..=6 {
            let is_well = *trouble == 0 || *trouble == 1 && window % 2 == 0;
            sign(&script, &item, is_well, minute_ms + window * 10_000);
        }
    }
    let is_over = |alert: Alert| alert.texts.sms.contains("again");
    script.published.take().into_iter().map(is_over).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn begun_and_over_are_told_in_turn_where_no_call_fails(
        minutes in proptest::collection::vec((0_u8..3, Just(None)), 1..40),
    ) {
        let told = live(&minutes);
        let in_turn = told.iter().enumerate().all(|(index, is_over)| *is_over == (index % 2 == 1));
        prop_assert!(in_turn, "{:?}", told);
        let lasts = minutes.windows(4).any(|it| it.iter().all(|(trouble, _)| *trouble == 2));
        prop_assert!(!lasts || !told.is_empty(), "four minutes without a break, and nobody is told");
        let may_last = minutes.windows(2).any(|it| it.iter().all(|(trouble, _)| *trouble == 2));
        prop_assert!(may_last || told.is_empty(), "what comes and goes: {:?}", told);
    }

    #[test]
    fn what_has_begun_and_what_is_over_is_told_whatever_call_fails(
        fates in proptest::collection::vec((0_usize..9, proptest::sample::select(Fault::ALL.to_vec())), 12),
    ) {
        let lasting = fates.iter().map(|fate| (2, Some(*fate)));
        let begun: Vec<_> = lasting.chain([(2, None), (2, None)]).collect();
        let told = live(&begun);
        prop_assert!(told.first() == Some(&false) && !told.contains(&true), "{:?}", told);
        let gone = fates.iter().map(|fate| (0, Some(*fate)));
        let over: Vec<_> = begun.iter().copied().chain(gone).chain([(0, None), (0, None)]).collect();
        prop_assert_eq!(live(&over).last().copied(), Some(true));
    }
}
