//! Tests of `respond`: whatever call fails in whatever way, in any order, once or at once.

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use contract::case::{AlertStatus, CaseStatus, EvidenceStatus};
use contract::priority::Priority;
use contract::wording::{Wording, WordingKey};
use proptest::prelude::*;

use super::*;
use crate::case::Change;
use crate::case_table::doubles::{Calls, Fault};
use crate::case_table::memory::{MemoryTable, run};
use crate::incident::example::detection;
use crate::step::Pause;

mod merging;
mod storms;

/// Milliseconds between two deliveries of a message: longer than a claim.
const REDELIVERY_MS: i64 = 70_000;

#[derive(Default)]
struct World {
    calls: Calls,
    table: MemoryTable,
    published: RefCell<Vec<Alert>>,
    requests: RefCell<Vec<(EvidenceMessage, i32)>>,
    /// A detection that the table will never take.
    refused: RefCell<Option<String>>,
    /// A camera whose guards the table never answers about.
    stuck: RefCell<Option<String>>,
    /// What another instance handles while the next alert is being published.
    meanwhile: RefCell<Vec<RoutedDetection>>,
}

impl Pause for World {
    async fn pause(&self, _: Duration) {}
}

impl CaseTable for World {
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
        self.calls.make("fetch case", || self.table.case(case_id)).await
    }

    async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
        assert!(items(change) <= 100, "{} items", items(change));
        if let Some(id) = self.refused.borrow().as_ref()
            && change.counted.iter().flat_map(|it| &it.seen).any(|it| it.pk == guard::seen_pk(id))
        {
            return Err(StepError::permanent("write case", &change.case.case_id, "too large"));
        }
        self.calls.make("put change", || self.table.put(change)).await
    }
}

/// How many items a change writes; a transaction has at most 100.
fn items(change: &Change) -> usize {
    let counted = change.counted.iter().map(|it| it.guards.len() + it.seen.len());
    let absorbed = change.absorbed.iter().map(items);
    1 + change.entries.len() + counted.sum::<usize>() + absorbed.sum::<usize>()
}

impl RespondServices for World {
    fn evidence_bucket(&self) -> &'static str {
        "evidence"
    }

    async fn fetch_seen(&self, detection_id: &str) -> Result<Option<String>, StepError> {
        let pk = guard::seen_pk(detection_id);
        let seen = || self.table.seen.borrow().get(&pk).map(|seen| seen.case_id.clone());
        self.calls.make("fetch seen", seen).await
    }

    async fn fetch_guard(&self, pk: &str) -> Result<Option<GuardItem>, StepError> {
        let is_stuck = self.stuck.borrow().as_ref().is_some_and(|camera| pk.contains(camera));
        if is_stuck {
            return std::future::pending().await;
        }
        self.calls.make("fetch guard", || self.table.guards.borrow().get(pk).cloned()).await
    }

    async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        let others = self.meanwhile.take();
        if !others.is_empty() {
            assert_eq!(self.deliver(&others, 150_000), []);
        }
        let publish = || {
            self.published.borrow_mut().push(alert.clone());
            format!("message-{}", self.published.borrow().len())
        };
        self.calls.make("publish", publish).await
    }

    async fn send_evidence(
        &self,
        message: &EvidenceMessage,
        delay_s: i32,
    ) -> Result<(), StepError> {
        let send = || self.requests.borrow_mut().push((message.clone(), delay_s));
        self.calls.make("send evidence", send).await
    }

    async fn wait_for_others(&self) {
        drop(self.calls.make("wait", || ()).await);
    }
}

impl World {
    /// Delivers a batch once; returns what must be delivered again.
    fn deliver(&self, batch: &[RoutedDetection], now_ms: i64) -> Vec<RoutedDetection> {
        let Some(results) = run(handle(self, batch, now_ms)) else { return batch.to_vec() };
        let failed = results.iter().zip(batch).filter(|(result, _)| result.is_err());
        failed.map(|(_, detection)| detection.clone()).collect()
    }

    /// Delivers a batch until all of it was handled.
    fn settle(&self, batch: &[RoutedDetection]) {
        let mut left = batch.to_vec();
        for delivery in 0..5 {
            left = self.deliver(&left, 100_000 + delivery * REDELIVERY_MS);
            if left.is_empty() {
                return;
            }
        }
        panic!("{left:?} never succeeds");
    }

    fn headlines(&self) -> Vec<String> {
        self.published.borrow().iter().map(|alert| alert.texts.default.clone()).collect()
    }
}

#[test]
fn the_case_comes_first_then_the_alert_then_the_request() {
    let world = World::default();
    world.settle(&[detection(100, Priority::High)]);
    let open = ["fetch seen", "fetch guard", "fetch case", "put change"];
    let alert = ["fetch case", "put change", "publish", "put change"];
    let request = ["fetch case", "send evidence", "fetch case", "put change"];
    assert_eq!(world.calls.names.take(), [&open[..], &alert, &request].concat());

    let case = world.table.only_case();
    assert_eq!(world.table.actions(&case), ["opened", "alerted"]);
    assert_eq!(case.alert.status, AlertStatus::Sent);
    assert_eq!(case.alert.message_id.as_deref(), Some("message-1"));
    assert_eq!(world.headlines(), ["High-Priority Alert: Shelf Sweep at Aisle 5"]);
    let [alert] = world.published.take().try_into().unwrap();
    assert_eq!(alert.audiences, ["floor"]);
    let expected = [
        ("priority", "high".to_owned()),
        ("event_type", "shelf_sweep".to_owned()),
        ("store", "seattle-001".to_owned()),
        ("aisle", "aisle-5".to_owned()),
    ];
    assert_eq!(alert.attributes, expected);
    let [(request, delay_s)] = world.requests.take().try_into().unwrap();
    assert_eq!((request.start_ms, request.end_ms, delay_s), (85_000, 117_000, 24));
    assert_eq!(request.key, format!("evidence/seattle-001/1970/01/01/{}.mp4", case.case_id));
    assert_eq!(request.retained_until_ms, 85_000 + 24 * 3_600_000);
}

#[test]
fn people_are_told_in_the_words_of_their_store_and_the_trail_keeps_them() {
    let world = World::default();
    let mut worded = detection(100, Priority::High);
    worded.routing.wording =
        Wording::default().with(WordingKey::Headline, "{behaviour} bei {place}");
    world.settle(&[worded]);
    let published = world.published.take();
    assert_eq!(published[0].texts.default, "Shelf Sweep bei Aisle 5");
    assert!(published[0].texts.sms.starts_with("Shelf Sweep bei Aisle 5. "));
    let entries = world.table.entries.borrow();
    let alerted = entries.values().find(|it| it.action == "alerted").unwrap();
    assert_eq!(alerted.facts["default"], "Shelf Sweep bei Aisle 5");
}

#[test]
fn a_repeated_message_changes_nothing() {
    let world = World::default();
    world.settle(&[detection(100, Priority::High)]);
    let case = world.table.only_case();
    world.settle(&[detection(100, Priority::High), detection(100, Priority::High)]);
    assert_eq!(world.table.only_case(), case);
    assert_eq!((world.published.borrow().len(), world.requests.borrow().len()), (1, 1));
}

#[test]
fn whatever_call_fails_in_whatever_way_there_is_one_case_and_an_alert_and_a_request() {
    let batch = [detection(100, Priority::Medium), detection(110, Priority::High)];
    let calls = {
        let world = World::default();
        world.settle(&batch);
        world.calls.names.take()
    };
    for (index, call) in calls.iter().enumerate() {
        for fault in Fault::ALL {
            let world = World::default();
            world.calls.fault.set(Some((index, fault)));
            world.settle(&batch);
            let at = format!("call {index}, {call}, {fault:?}");
            let case = world.table.only_case();
            assert_eq!((case.detections, case.priority), (2, Priority::High), "{at}");
            assert_eq!(case.alert.status, AlertStatus::Sent, "{at}");
            assert_eq!(case.evidence.status, EvidenceStatus::Pending, "{at}");
            world.table.actions(&case);
            assert!(!world.requests.borrow().is_empty(), "{at}");
            // The case is noted as alerted two calls after publishing, right after reading it.
            let published = calls.iter().position(|call| *call == "publish").unwrap();
            let is_between = (published..=published + 2).contains(&index);
            let most = if is_between { 2 } else { 1 };
            let alerts = world.headlines();
            let (high, medium): (Vec<_>, Vec<_>) =
                alerts.iter().partition(|headline| headline.starts_with("High"));
            assert!((1..=most).contains(&high.len()), "{at}: {alerts:?}");
            // When the high one could not be recorded at first, it escalates later.
            assert!(medium.len() <= usize::from(index < 8), "{at}: {alerts:?}");
        }
    }
}

/// One event that two rules match: each tells its own.
fn matched_by_two() -> [RoutedDetection; 2] {
    [(Priority::High, "security"), (Priority::Low, "floor")].map(|(priority, notify)| {
        let mut detection = detection(100, priority);
        detection.matches_several = true;
        detection.routing.notify = vec![notify.to_owned()];
        detection
    })
}

/// Who was told of the high priority; nobody was told of another.
fn told(world: &World, at: &str) -> Vec<String> {
    let published = world.published.borrow();
    let mut told: Vec<_> = published.iter().flat_map(|it| it.audiences.clone()).collect();
    assert!(published.iter().all(|it| it.texts.default.starts_with("High")), "{at}");
    told.sort();
    told.dedup();
    told
}

#[test]
fn whatever_call_fails_everybody_whom_a_rule_tells_of_an_event_is_told() {
    let batch = matched_by_two();
    let calls = {
        let world = World::default();
        world.settle(&batch);
        world.calls.names.take()
    };
    for (index, call) in calls.iter().enumerate() {
        for fault in Fault::ALL {
            let world = World::default();
            world.calls.fault.set(Some((index, fault)));
            world.settle(&batch);
            let at = format!("call {index}, {call}, {fault:?}");
            let case = world.table.only_case();
            assert_eq!(case.alert.status, AlertStatus::Sent, "{at}");
            assert_eq!(case.alert.owed, [""; 0], "{at}");
            world.table.actions(&case);
            // Where the higher rule could not be recorded at first, the lower one is heard first.
            let published = world.published.borrow().clone();
            let lower = published.iter().filter(|it| it.texts.default.starts_with("Low"));
            assert!(lower.count() <= usize::from(index < 4), "{at}");
            let told: Vec<_> = published.iter().flat_map(|it| it.audiences.clone()).collect();
            for audience in ["security", "floor"] {
                assert!(told.contains(&audience.to_owned()), "{at}: {told:?}");
            }
        }
    }
}

#[test]
fn whom_a_rule_tells_after_the_others_were_told_gets_a_message_of_their_own() {
    let world = World::default();
    let [security, floor] = matched_by_two();
    world.settle(std::slice::from_ref(&security));
    world.settle(std::slice::from_ref(&floor));
    world.settle(&[security, floor]);
    let audiences: Vec<_> =
        world.published.borrow().iter().map(|it| it.audiences.clone()).collect();
    assert_eq!(audiences, [["security"], ["floor"]]);
    assert_eq!(told(&world, ""), ["floor", "security"]);
    let case = world.table.only_case();
    assert_eq!(case.notify, ["security", "floor"]);
    assert_eq!(world.table.actions(&case), ["opened", "alerted", "alerted"]);
}

/// Who was told in each message of these detections, delivered one after another.
fn messages(world: &World, detections: &[(i64, Priority, &str)]) -> Vec<Vec<String>> {
    for (start_s, priority, audience) in detections {
        let mut detection = detection(*start_s, *priority);
        detection.routing.rule = format!("{priority}-{audience}");
        detection.routing.notify = vec![(*audience).to_owned()];
        world.settle(&[detection.clone()]);
        world.settle(&[detection]);
    }
    world.published.take().into_iter().map(|it| it.audiences).collect()
}

#[test]
fn whom_a_rule_tells_of_a_later_detection_is_told_once_whatever_its_priority() {
    use Priority::{Critical, High, Low, Medium};
    let check = |detections: &[_]| messages(&World::default(), detections);
    let equal = [(100, High, "floor"), (110, High, "security"), (120, High, "floor")];
    assert_eq!(check(&equal), [["floor"], ["security"]]);
    let lower = [(100, High, "floor"), (110, Low, "manager"), (120, Medium, "manager")];
    assert_eq!(check(&lower), [["floor"], ["manager"]], "its message said high already");
    let between = [(100, Low, "floor"), (110, Critical, "security"), (120, Low, "floor")];
    assert_eq!(check(&between), [["floor"], ["security"]]);
    let higher = [(100, Low, "floor"), (110, Critical, "security"), (120, Medium, "floor")];
    assert_eq!(check(&higher), [["floor"], ["security"], ["floor"]], "of more than they know");
}

#[test]
fn a_case_without_the_list_of_who_was_told_names_them_in_its_alert() {
    let world = World::default();
    world.settle(&[detection(100, Priority::High)]);
    let mut case = world.table.only_case();
    case.alert.told.clear();
    let mut item = serde_json::to_value(&case).unwrap();
    item["alert"]["detections"] = serde_json::json!(["d-1"]);
    let case: CaseItem = serde_json::from_value(item).unwrap();
    world.table.cases.borrow_mut().insert(case.case_id.clone(), case);
    world.published.take();
    let later = [(110, Priority::High, "floor"), (120, Priority::High, "security")];
    assert_eq!(messages(&world, &later), [["security"]]);
}

#[test]
fn detections_of_one_incident_are_one_case_in_any_order() {
    let starts = [100, 120, 140, 160];
    for first in 0..4 {
        for second in 0..4 {
            let mut order = starts.to_vec();
            order.swap(0, first);
            order.swap(1, second);
            let world = World::default();
            for start_s in &order {
                world.settle(&[detection(*start_s, Priority::High)]);
            }
            let case = world.table.only_case();
            assert_eq!(case.detections, 4, "{order:?}");
            assert_eq!(case.opened_at, "1970-01-01T00:01:40.000Z", "{order:?}");
            assert_eq!(case.last_seen_at, "1970-01-01T00:02:42.000Z", "{order:?}");
            assert_eq!(world.headlines().len(), 1, "{order:?}");
            assert_eq!(case.evidence.start, "1970-01-01T00:01:25.000Z", "{order:?}");
            assert_eq!(case.evidence.end, "1970-01-01T00:02:57.000Z", "{order:?}");
        }
    }
}

#[test]
fn a_detection_after_the_clip_was_kept_asks_for_a_longer_one_once() {
    let world = World::default();
    world.settle(&[detection(100, Priority::High)]);
    let mut case = world.table.only_case();
    case.evidence.status = EvidenceStatus::Stored;
    world.table.cases.borrow_mut().insert(case.case_id.clone(), case);
    world.settle(&[detection(140, Priority::High)]);
    world.settle(&[detection(140, Priority::High)]);
    let [(first, _), (longer, _)] = world.requests.take().try_into().unwrap();
    assert_eq!(longer.key, first.key.replace(".mp4", "-2.mp4"));
    assert_eq!((longer.start_ms, longer.end_ms), (85_000, 157_000));
}

#[test]
fn a_batch_is_recorded_in_the_order_in_which_things_happened() {
    let chain = [(220, Priority::High), (100, Priority::High), (160, Priority::Low)];
    let world = World::default();
    world.settle(&chain.map(|(start_s, priority)| detection(start_s, priority)));
    assert_eq!(world.table.only_case().detections, 3);
}

#[test]
fn a_detection_after_the_cooldown_opens_another_case() {
    let world = World::default();
    world.settle(&[detection(100, Priority::High)]);
    world.settle(&[detection(162, Priority::High)]);
    assert_eq!(world.table.only_case().detections, 2, "a minute after the end is within");
    world.settle(&[detection(300, Priority::High)]);
    world.settle(&[detection(110, Priority::High)]);
    let counts: Vec<_> = world.table.cases.borrow().values().map(|it| it.detections).collect();
    assert_eq!(counts.iter().sum::<u64>(), 4);
    assert_eq!(counts.len(), 2, "a late detection finds the older case");
    assert_eq!(world.headlines().len(), 2);
}

#[test]
fn a_higher_priority_escalates_and_alerts_again_a_lower_one_does_neither() {
    let world = World::default();
    for priority in [Priority::Medium, Priority::Critical, Priority::High] {
        let rank = i64::from(priority.rank());
        world.settle(&[detection(100 + rank, priority)]);
    }
    let case = world.table.only_case();
    assert_eq!((case.priority, case.rule.as_str()), (Priority::Critical, "critical-rule"));
    assert_eq!(case.alert.sent_rank, Some(3));
    assert_eq!(
        world.headlines(),
        [
            "Medium-Priority Alert: Shelf Sweep at Aisle 5",
            "Critical-Priority Alert: Shelf Sweep at Aisle 5"
        ]
    );
    let expected = ["opened", "alerted", "joined", "escalated", "alerted", "joined"];
    assert_eq!(world.table.actions(&case), expected);
    assert_eq!(world.requests.borrow().len(), 1, "one clip");
}

#[test]
fn several_rules_that_match_one_event_give_one_case_and_one_alert_at_the_highest() {
    let matched = |priority| {
        let detection = detection(100, priority);
        RoutedDetection { matches_several: true, ..detection }
    };
    for batch in [[Priority::High, Priority::Low], [Priority::Low, Priority::High]] {
        let world = World::default();
        world.settle(&batch.map(matched));
        let case = world.table.only_case();
        assert_eq!((case.detections, case.priority), (1, Priority::High));
        assert_eq!(world.headlines(), ["High-Priority Alert: Shelf Sweep at Aisle 5"]);
    }
    let world = World::default();
    world.settle(&[matched(Priority::High)]);
    world.settle(&[matched(Priority::Low)]);
    assert_eq!(world.headlines().len(), 1, "a lower rule that comes later changes nothing");
}

#[test]
fn the_one_alert_for_several_rules_goes_to_the_audiences_of_all_of_them() {
    let matched = |priority, notify: &str| {
        let mut detection = RoutedDetection { matches_several: true, ..detection(100, priority) };
        detection.routing.notify = vec![notify.to_owned()];
        detection
    };
    for swap in [false, true] {
        let mut batch = [matched(Priority::High, "security"), matched(Priority::Low, "floor")];
        if swap {
            batch.reverse();
        }
        let world = World::default();
        world.settle(&batch);
        let [alert] = world.published.take().try_into().unwrap();
        assert_eq!(alert.audiences, ["security", "floor"]);
    }
}

#[test]
fn nobody_is_told_of_a_shadow_or_without_audiences_but_the_case_and_its_clip_are_kept() {
    let mut shadow = detection(100, Priority::High);
    shadow.routing.shadow = true;
    let mut silent = detection(100, Priority::High);
    silent.routing.notify.clear();
    for quiet in [shadow, silent] {
        let world = World::default();
        world.settle(&[quiet]);
        let case = world.table.only_case();
        assert_eq!(case.alert.status, AlertStatus::None);
        assert_eq!((world.published.borrow().len(), world.requests.borrow().len()), (0, 1));
        // A rule that tells people is heard even though the case has that priority already.
        world.settle(&[detection(110, Priority::Medium)]);
        assert_eq!(world.headlines(), ["Medium-Priority Alert: Shelf Sweep at Aisle 5"]);
        assert!(!world.table.only_case().shadow);
        assert_eq!(world.table.only_case().priority, Priority::High);
    }
}

#[test]
fn without_a_camera_there_is_an_alert_and_no_clip_for_a_reason() {
    let world = World::default();
    let blind =
        RoutedDetection { camera: None, aisle_name: None, ..detection(100, Priority::High) };
    world.settle(&[blind]);
    let case = world.table.only_case();
    assert_eq!(world.headlines(), ["High-Priority Alert: Shelf Sweep at Pike Place"]);
    assert_eq!(case.evidence.status, EvidenceStatus::Failed);
    assert_eq!(case.evidence.reason.as_deref(), Some("the event names no camera of the store"));
    assert_eq!(world.requests.borrow().len(), 0);
    assert_eq!(world.table.actions(&case), ["opened", "evidence-failed", "alerted"]);
}

#[test]
fn a_failing_alert_costs_neither_the_case_nor_the_clip() {
    let world = World::default();
    world.calls.fault.set(Some((6, Fault::Refused)));
    let again = world.deliver(&[detection(100, Priority::High)], 100_000);
    assert_eq!(again.len(), 1);
    assert_eq!(world.table.only_case().alert.status, AlertStatus::Pending);
    assert_eq!((world.published.borrow().len(), world.requests.borrow().len()), (0, 1));
    // The claim was given back, so the next delivery need not wait for it.
    assert_eq!(world.deliver(&again, 100_001), []);
    assert_eq!((world.published.borrow().len(), world.requests.borrow().len()), (1, 1));
}

/// Two batches handled at once by two instances, then what failed of them.
fn meet(world: &World, one: &[RoutedDetection], two: &[RoutedDetection], turns: Vec<bool>) {
    world.calls.takes_turns.set(true);
    let (mut first, mut second) =
        (pin!(handle(world, one, 100_000)), pin!(handle(world, two, 100_007)));
    let context = &mut Context::from_waker(Waker::noop());
    let (mut first_done, mut second_done) = (None, None);
    for turn in turns.into_iter().cycle().take(2_000).chain([true, false].repeat(100)) {
        if turn && first_done.is_none() {
            if let Poll::Ready(results) = first.as_mut().poll(context) {
                first_done = Some(results);
            }
        } else if !turn
            && second_done.is_none()
            && let Poll::Ready(results) = second.as_mut().poll(context)
        {
            second_done = Some(results);
        }
    }
    world.calls.takes_turns.set(false);
    for (results, batch) in [(first_done, one), (second_done, two)] {
        if results.unwrap().iter().any(Result::is_err) {
            world.settle(batch);
        }
    }
}

proptest! {
    /// Two rules' messages about one event, handled at once, their calls in any order.
    #[test]
    fn of_two_rules_at_once_everybody_is_told(
        turns in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let world = World::default();
        let [one, two] = matched_by_two();
        meet(&world, &[one], &[two], turns);
        let published = world.published.borrow();
        let told: Vec<_> = published.iter().flat_map(|it| it.audiences.clone()).collect();
        prop_assert!(["security", "floor"].iter().all(|it| told.contains(&(*it).to_owned())));
        prop_assert_eq!(world.table.only_case().alert.status, AlertStatus::Sent);
    }

    /// Two messages handled at once by two instances, their calls in any order.
    #[test]
    fn two_at_once_make_one_case_and_one_alert(
        turns in proptest::collection::vec(any::<bool>(), 60),
        same in any::<bool>(),
    ) {
        let world = World::default();
        let one = [detection(100, Priority::High)];
        let two = [detection(if same { 100 } else { 110 }, Priority::High)];
        meet(&world, &one, &two, turns);
        let case = world.table.only_case();
        prop_assert_eq!(case.detections, if same { 1 } else { 2 });
        prop_assert_eq!(world.headlines().len(), 1);
        prop_assert_eq!(case.alert.status, AlertStatus::Sent);
        world.table.actions(&case);
    }
}

#[test]
fn a_detection_between_two_cases_makes_them_one_and_tells_nobody_again() {
    let world = World::default();
    let [one, two] = [detection(220, Priority::High), detection(100, Priority::High)];
    for start_s in [220, 100] {
        world.settle(&[detection(start_s, Priority::High)]);
    }
    let bridge = detection(160, Priority::High);
    let results = run(handle(&world, &[bridge], 200_000)).unwrap();
    let expected =
        Responded { case_id: two.case_id(), action: Action::Joined, absorbed: vec![one.case_id()] };
    assert_eq!(results[0].as_ref().unwrap(), &expected);
    let case = world.table.case(&two.case_id()).unwrap();
    let merged = world.table.case(&one.case_id()).unwrap();
    assert_eq!((case.detections, world.published.borrow().len()), (3, 2));
    assert_eq!(world.table.actions(&case), ["opened", "alerted", "absorbed", "joined"]);
    assert_eq!(world.table.actions(&merged), ["opened", "alerted", "merged"]);
    let guards = world.table.guards.borrow().clone();
    assert!(guards.values().all(|guard| guard.incidents.len() == 1), "{guards:?}");
    // What is delivered again follows, and so does what belongs to the part that is no case any more.
    let results = run(handle(&world, &[one], 300_000)).unwrap();
    let again = results[0].as_ref().unwrap();
    assert_eq!((&again.case_id, again.action), (&two.case_id(), Action::Repeated));
    world.settle(&[detection(270, Priority::High)]);
    let case = world.table.case(&two.case_id()).unwrap();
    assert_eq!((case.detections, world.published.borrow().len()), (4, 2));
}

#[test]
fn more_cases_than_one_transaction_holds_become_one_in_several() {
    let world = World::default();
    let brief = |start_s| {
        let mut brief = detection(start_s, Priority::Low);
        brief.routing.cooldown_ms = 1_000;
        brief
    };
    for incident in 0..30 {
        world.settle(&[brief(100 + incident * 10)]);
    }
    let mut long = detection(400, Priority::High);
    long.routing.cooldown_ms = 3_000_000;
    world.settle(&[long]);
    let cases: Vec<_> = world.table.cases.borrow().values().cloned().collect();
    let stand: Vec<_> = cases.iter().filter(|case| case.merged_into.is_none()).collect();
    assert_eq!((cases.len(), stand.len(), stand[0].detections), (30, 1, 31));
    assert_eq!(stand[0].case_id, brief(100).case_id());
    for case in &cases {
        assert_eq!(world.table.actions(case)[0], "opened");
    }
    assert_eq!(world.headlines().last().unwrap(), "High-Priority Alert: Shelf Sweep at Aisle 5");
}

#[test]
fn a_detection_that_the_table_will_never_take_fails_alone() {
    let world = World::default();
    let batch: Vec<_> = (0..8).map(|at| detection(100 + at, Priority::High)).collect();
    world.refused.replace(Some(batch[3].id.clone()));
    let results = run(handle(&world, &batch, 200_000)).unwrap();
    let failed: Vec<_> =
        results.iter().map(|it| it.as_ref().is_err_and(|it| !it.retryable)).collect();
    assert_eq!(failed, [false, false, false, true, false, false, false, false]);
    assert_eq!((world.table.only_case().detections, world.published.borrow().len()), (7, 1));
}

#[test]
fn a_case_that_uses_up_the_time_keeps_no_other_camera_of_its_batch_waiting() {
    let world = World::default();
    let mut stuck = detection(100, Priority::High);
    stuck.camera = Some(crate::incident::Camera { id: "a".to_owned(), stream: "arm-a".to_owned() });
    world.stuck.replace(Some("#a#".to_owned()));
    let mut other = detection(100, Priority::High);
    other.event_type = "other".to_owned();
    assert_eq!(world.deliver(&[stuck, other], 200_000).len(), 2, "the function ran out of time");
    assert_eq!(world.table.only_case().alert.status, AlertStatus::Sent);
    assert_eq!((world.published.borrow().len(), world.requests.borrow().len()), (1, 1));
}

#[test]
fn the_detections_of_one_batch_are_written_at_once() {
    let world = World::default();
    let batch: Vec<_> = (0..10).map(|at| detection(100 + at * 50, Priority::High)).collect();
    world.settle(&batch);
    let calls = world.calls.names.take();
    let first = calls.iter().position(|call| *call == "publish").unwrap();
    let writes = calls[..first].iter().filter(|call| **call == "put change").count();
    assert_eq!(writes, 2, "the case with all ten, and the claim: {calls:?}");
    let case = world.table.only_case();
    assert_eq!(case.detections, 10);
    let joined = std::iter::repeat_n("joined", 9);
    let expected: Vec<_> = ["opened"].into_iter().chain(joined).chain(["alerted"]).collect();
    assert_eq!(world.table.actions(&case), expected);
}

#[test]
fn a_case_that_somebody_deleted_does_not_keep_its_next_detection_from_a_case() {
    let world = World::default();
    world.settle(&[detection(100, Priority::High)]);
    world.table.cases.borrow_mut().clear();
    world.settle(&[detection(110, Priority::High)]);
    assert_eq!((world.table.only_case().detections, world.published.borrow().len()), (1, 2));
    // What the deleted one had counted is done with, whichever rule it matches.
    let again = [detection(100, Priority::High), detection(100, Priority::Critical)];
    let results = run(handle(&world, &again, 300_000)).unwrap();
    let actions: Vec<_> = results.iter().map(|it| it.as_ref().unwrap().action).collect();
    assert_eq!(actions, [Action::Repeated, Action::Repeated]);
    assert_eq!((world.table.only_case().detections, world.published.borrow().len()), (1, 2));
}

#[test]
fn a_case_that_was_merged_into_a_deleted_one_does_not_keep_a_detection_from_a_case() {
    let world = World::default();
    for start_s in [220, 100, 160] {
        world.settle(&[detection(start_s, Priority::High)]);
    }
    let stands = detection(100, Priority::High).case_id();
    assert_eq!(world.table.cases.borrow_mut().remove(&stands).unwrap().detections, 3);
    // A guard that still names the merged one, as of another hour.
    for guard in world.table.guards.borrow_mut().values_mut() {
        guard.incidents[0].case_id = detection(220, Priority::High).case_id();
    }
    world.settle(&[detection(220, Priority::High), detection(240, Priority::High)]);
    let case = world.table.case(&detection(240, Priority::High).case_id()).unwrap();
    assert_eq!((case.detections, case.alert.status), (1, AlertStatus::Sent));
    let guards = world.table.guards.borrow();
    let named = guards.values().flat_map(|guard| &guard.incidents).map(|it| &it.case_id);
    assert_eq!(named.collect::<Vec<_>>(), [&case.case_id], "nobody looks for it again");
}

/// Sets the status of a case as a person would.
fn decide(world: &World, case_id: &str, status: CaseStatus) -> CaseItem {
    let mut cases = world.table.cases.borrow_mut();
    let case = cases.get_mut(case_id).unwrap();
    case.status = status;
    case.version += 1;
    case.clone()
}

#[test]
fn what_follows_a_decision_is_a_case_of_its_own_and_people_are_told() {
    for status in [CaseStatus::Dismissed, CaseStatus::Confirmed, CaseStatus::Unknown] {
        let world = World::default();
        let first = detection(100, Priority::High);
        world.settle(std::slice::from_ref(&first));
        let decided = decide(&world, &first.case_id(), status);
        let later = [first.clone(), detection(120, Priority::High), detection(140, Priority::Low)];
        let results = run(handle(&world, &later, 200_000)).unwrap();
        let new = later[1].case_id();
        let expected =
            [(&decided.case_id, Action::Repeated), (&new, Action::Opened), (&new, Action::Joined)];
        let results: Vec<_> = results.iter().map(|it| it.as_ref().unwrap()).collect();
        assert_eq!(results.iter().map(|it| (&it.case_id, it.action)).collect::<Vec<_>>(), expected);
        world.settle(&[detection(160, Priority::High), first.clone()]);
        assert_eq!(world.table.case(&decided.case_id).unwrap(), decided, "as it was left");
        let case = world.table.case(&new).unwrap();
        assert_eq!((case.detections, world.published.borrow().len()), (3, 2));
        assert_eq!(world.table.actions(&case)[0], "opened");
        let entries = world.table.entries.borrow();
        let apart = |it: &&contract::case::AuditEntry| it.facts.get("apart").is_some();
        let apart: Vec<_> = entries.values().filter(apart).collect();
        let actions: Vec<_> = apart.iter().map(|it| it.action.as_str()).collect();
        assert_eq!(actions, ["opened", "joined"], "of the batch that came first");
        assert_eq!(apart[0].facts["apart"][0], decided.case_id.as_str());
    }
}

#[test]
fn what_another_rule_says_of_a_detection_that_was_decided_on_is_told_by_that_case() {
    let world = World::default();
    let [security, floor] = matched_by_two();
    world.settle(std::slice::from_ref(&security));
    decide(&world, &security.case_id(), CaseStatus::Confirmed);
    world.settle(&[floor, detection(110, Priority::High)]);
    assert_eq!(world.table.cases.borrow().len(), 2);
    let audiences: Vec<_> =
        world.published.borrow().iter().map(|it| it.audiences.clone()).collect();
    assert_eq!(audiences, [["security"], ["floor"], ["floor"]]);
    let case = world.table.case(&security.case_id()).unwrap();
    assert_eq!((case.status, case.detections), (CaseStatus::Confirmed, 1));
}

#[test]
fn an_alert_that_is_published_while_its_case_becomes_part_of_another_is_noted_there() {
    let world = World::default();
    world.settle(&[detection(100, Priority::High)]);
    let mut other = detection(220, Priority::High);
    other.routing.notify = vec!["security".to_owned()];
    world.meanwhile.replace(vec![detection(160, Priority::High)]);
    assert_eq!(world.deliver(&[other], 140_000), []);
    let case = world.table.case(&detection(100, Priority::High).case_id()).unwrap();
    let expected = ["opened", "alerted", "absorbed", "joined", "alerted"];
    assert_eq!(world.table.actions(&case), expected);
    assert!(!case::is_due(&case.alert), "{:?}", case.alert);
    let published = world.published.borrow();
    let audiences: Vec<_> = published.iter().map(|it| it.audiences.clone()).collect();
    assert_eq!(audiences, [["floor"], ["security"]], "each once");
}
