//! `respond`: a routed detection becomes a case, people are told, and the clip is asked for.
//!
//! A queue delivers a message at least once, in any order, and the function may stop between any
//! two calls. So each detection is counted in one transaction with its case, its guard and its mark;
//! the alert is claimed before and noted after; the clip's request is harmless twice. The case comes
//! first: neither a failing alert nor a failing request undoes it, and each is tried without the
//! other. A message that fails comes again and does only what is left.

use std::cmp::Reverse;

use contract::alert::{
    ATTRIBUTE_AISLE, ATTRIBUTE_AUDIENCE, ATTRIBUTE_EVENT_TYPE, ATTRIBUTE_PRIORITY, ATTRIBUTE_STORE,
    AlertTexts,
};
use contract::case::{CaseItem, GuardItem};
use contract::evidence::EvidenceMessage;

use crate::case::{self, Change, Told};
use crate::case_table::{ATTEMPTS_MAX, CaseError, CaseTable, Written, amend, fetch};
use crate::claim::{self, Claim};
use crate::evidence;
use crate::guard;
use crate::incident::{RoutedDetection, Routing};
use crate::step::{StepError, backoff};

/// Most messages that one attempt publishes about a case. Our choice: one at each priority, and as
/// many for audiences that were added meanwhile; the rest is left to the next delivery.
const MESSAGES_MAX: u32 = 8;

/// A message to publish on a store's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub topic: String,
    pub texts: AlertTexts,
    pub audiences: Vec<String>,
    /// Attributes that subscriptions filter by, beside the audiences.
    pub attributes: Vec<(&'static str, String)>,
}

impl Alert {
    /// Name of the attribute that holds the audiences, as a JSON list.
    pub const AUDIENCES: &'static str = ATTRIBUTE_AUDIENCE;
}

/// What `respond` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait RespondServices: CaseTable {
    /// Name of the evidence bucket.
    fn evidence_bucket(&self) -> &str;
    /// The case that holds a detection, once it has been counted.
    async fn fetch_seen(&self, detection_id: &str) -> Result<Option<String>, StepError>;
    async fn fetch_guard(&self, pk: &str) -> Result<Option<GuardItem>, StepError>;
    /// Publishes an alert and returns the message's id.
    async fn publish(&self, alert: &Alert) -> Result<String, StepError>;
    async fn send_evidence(&self, message: &EvidenceMessage, delay_s: i32)
    -> Result<(), StepError>;
    /// Waits a second for other messages about the same event.
    async fn wait_for_others(&self);
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responded {
    pub case_id: String,
    pub action: Action,
}

/// What a message did to its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Opened,
    Joined,
    /// Another rule matched a detection that was counted already.
    Rerouted,
    /// It was counted already.
    Repeated,
}

/// Handles a batch and returns one result for each message, in the batch's order.
///
/// All cases are written, oldest detection first, before anybody is told: where several rules match
/// one event, its messages meet here, and one alert goes out at the highest priority.
pub async fn handle(
    services: &impl RespondServices,
    detections: &[RoutedDetection],
    now_ms: i64,
) -> Vec<Result<Responded, StepError>> {
    let mut order: Vec<(usize, &RoutedDetection)> = detections.iter().enumerate().collect();
    order.sort_by_key(|(_, it)| (it.start_ms, Reverse(it.routing.priority)));
    let mut results = Vec::new();
    for (index, detection) in order {
        results.push((index, detection, record(services, detection, now_ms).await));
    }
    // The other rules' messages may be with another instance of this function.
    if detections.iter().any(|it| it.matches_several && it.routing.tells_people()) {
        services.wait_for_others().await;
    }
    let mut handled = Vec::new();
    for (index, detection, recorded) in results {
        let result = match recorded {
            Ok(responded) => {
                follow_up(services, detection, &responded.case_id, now_ms).await.map(|()| responded)
            }
            Err(error) => Err(error),
        };
        handled.push((index, result));
    }
    handled.sort_by_key(|(index, _)| *index);
    handled.into_iter().map(|(_, result)| result).collect()
}

/// Counts the detection in a case, once.
async fn record(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    now_ms: i64,
) -> Result<Responded, StepError> {
    for attempt in 1..=ATTEMPTS_MAX {
        let (action, case_id, change) = decide(services, detection, now_ms).await?;
        let written = match &change {
            Some(change) => services.put_change(change).await?,
            None => Written::Done,
        };
        if written == Written::Done {
            return Ok(Responded { case_id, action });
        }
        services.pause(backoff(attempt)).await;
    }
    Err(StepError::retryable("record detection", &detection.id, CaseError::Busy))
}

async fn decide(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    now_ms: i64,
) -> Result<(Action, String, Option<Change>), StepError> {
    if let Some(case_id) = services.fetch_seen(&detection.id).await? {
        let case = fetch(services, &case_id).await?;
        return Ok(repeated(&case, detection, now_ms));
    }
    let guard = services.fetch_guard(&guard::pk(detection)).await?;
    let joined = guard.as_ref().and_then(|guard| guard::case_to_join(guard, detection));
    if let Some(case_id) = joined.map(str::to_owned) {
        let case = fetch(services, &case_id).await?;
        let change = case::join(&case, detection, guard, now_ms);
        return Ok((Action::Joined, case_id, Some(change)));
    }
    let case_id = detection.case_id();
    // The mark is gone but the case is there: a message from before the marks were forgotten.
    if let Some(case) = services.fetch_case(&case_id).await? {
        return Ok(repeated(&case, detection, now_ms));
    }
    let change = case::open(detection, guard, services.evidence_bucket(), now_ms);
    Ok((Action::Opened, case_id, Some(change)))
}

fn repeated(
    case: &CaseItem,
    detection: &RoutedDetection,
    now_ms: i64,
) -> (Action, String, Option<Change>) {
    let change = case::reroute(case, detection, now_ms);
    let action = if change.is_some() { Action::Rerouted } else { Action::Repeated };
    (action, case.case_id.clone(), change)
}

/// Tells people and asks for the clip, each whether or not the other fails.
async fn follow_up(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    case_id: &str,
    now_ms: i64,
) -> Result<(), StepError> {
    let told = tell_people(services, detection, case_id, now_ms).await;
    let asked = ask_for_clip(services, detection, case_id, now_ms).await;
    told.and(asked)
}

async fn tell_people(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    case_id: &str,
    now_ms: i64,
) -> Result<(), StepError> {
    let by = format!("{}/{}", detection.id, detection.routing.rule);
    // Again for whom another rule added meanwhile: its message left the publishing to this one.
    for _ in 0..MESSAGES_MAX {
        let Some(case) = claim_alert(services, case_id, &by, now_ms).await? else { return Ok(()) };
        let case = publish(services, &case, &detection.routing, (&by, now_ms)).await?;
        if !case::is_due(&case.alert) {
            return Ok(());
        }
    }
    Err(StepError::retryable("publish every alert of case", case_id, CaseError::Busy))
}

/// Publishes what is claimed, and returns the case once that is noted.
async fn publish(
    services: &impl RespondServices,
    case: &CaseItem,
    routing: &Routing,
    (by, now_ms): (&str, i64),
) -> Result<CaseItem, StepError> {
    let case_id = &case.case_id;
    let alert = alert(case, routing);
    let message_id = match services.publish(&alert).await {
        Ok(message_id) => message_id,
        Err(error) => {
            // The claim runs out by itself when it cannot be given back.
            let release = |case: &CaseItem| claim::release(case, by, now_ms);
            return amend(services, case_id, release).await.and(Err(error));
        }
    };
    let told = Told {
        rank: case.alert.wanted_rank.unwrap_or_default(),
        audiences: alert.audiences,
        texts: alert.texts,
        message_id,
    };
    let note = |case: &CaseItem| Some(case::alerted(case, &told, now_ms));
    amend(services, case_id, note).await
}

/// Returns the case with its alert claimed by us; `None` when there is nothing for us to publish.
async fn claim_alert(
    services: &impl RespondServices,
    case_id: &str,
    by: &str,
    now_ms: i64,
) -> Result<Option<CaseItem>, StepError> {
    for attempt in 1..=ATTEMPTS_MAX {
        let case = fetch(services, case_id).await?;
        match claim::claim(&case, by, now_ms) {
            Claim::NotDue | Claim::Others => return Ok(None),
            Claim::Held => return Ok(Some(case)),
            Claim::Earlier => break,
            Claim::Ours(change) => {
                if services.put_change(&change).await? == Written::Done {
                    return Ok(Some(change.case));
                }
                services.pause(backoff(attempt)).await;
            }
        }
    }
    Err(StepError::retryable("claim the alert of case", case_id, CaseError::Busy))
}

fn alert(case: &CaseItem, routing: &Routing) -> Alert {
    let facts = claim::facts(case);
    let mut attributes = vec![
        (ATTRIBUTE_PRIORITY, facts.priority.to_string()),
        (ATTRIBUTE_EVENT_TYPE, case.event_type.clone()),
        (ATTRIBUTE_STORE, case.store.clone()),
    ];
    attributes.extend(case.aisle.clone().map(|aisle| (ATTRIBUTE_AISLE, aisle)));
    Alert {
        topic: routing.topic.clone(),
        texts: contract::alert::texts(&facts, &routing.wording),
        audiences: case::audiences(case).to_vec(),
        attributes,
    }
}

async fn ask_for_clip(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    case_id: &str,
    now_ms: i64,
) -> Result<(), StepError> {
    let mut case = fetch(services, case_id).await?;
    if case.evidence.requested_at.is_some() {
        return Ok(());
    }
    // A case that an older release opened knows no more than the stretch.
    let request = case.evidence.request.take();
    case.evidence.request = request.or_else(|| evidence::request_for(detection));
    let Some(request) = evidence::request(&case) else { return Ok(()) };
    let delay_s = evidence::delay_s(request.end_ms, now_ms);
    services.send_evidence(&request, delay_s).await?;
    amend(services, case_id, |case| case::evidence_requested(case, now_ms)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use contract::case::{AlertStatus, EvidenceStatus};
    use contract::priority::Priority;
    use contract::wording::{Wording, WordingKey};
    use proptest::prelude::*;

    use super::*;
    use crate::case_table::doubles::{Calls, Fault};
    use crate::case_table::memory::{MemoryTable, run};
    use crate::incident::example::detection;
    use crate::step::Pause;

    /// Milliseconds between two deliveries of a message: longer than a claim.
    const REDELIVERY_MS: i64 = 180_000;

    #[derive(Default)]
    struct World {
        calls: Calls,
        table: MemoryTable,
        published: RefCell<Vec<Alert>>,
        requests: RefCell<Vec<(EvidenceMessage, i32)>>,
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
            self.calls.make("fetch guard", || self.table.guards.borrow().get(pk).cloned()).await
        }

        async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
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
        let alert = ["fetch case", "put change", "publish", "fetch case", "put change"];
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

    #[test]
    fn a_lower_detection_that_joins_does_not_widen_who_gets_the_higher_alert() {
        let world = World::default();
        let mut lower = detection(110, Priority::Low);
        lower.routing.notify = vec!["manager".to_owned()];
        let mut other_rule = lower.clone();
        other_rule.routing.rule = "another".to_owned();
        other_rule.routing.notify = vec!["owner".to_owned()];
        let [higher, _] = matched_by_two();
        world.settle(&[higher, lower.clone(), other_rule.clone()]);
        world.settle(&[lower, other_rule]);
        assert_eq!(told(&world, ""), ["security"]);
        assert_eq!(world.table.only_case().notify, ["security"]);
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
            let mut detection =
                RoutedDetection { matches_several: true, ..detection(100, priority) };
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
}
