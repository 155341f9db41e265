//! The promise of `respond` against any world: any detections, in any order and any batches, however
//! often, handled by several instances at once, with calls that fail in any way.
//!
//! What must come out is computed without guards, cases or batches: every detection against every
//! other. To add to the promise, start at [`judge`].

use std::collections::BTreeSet;

use super::*;
use crate::audit;
use crate::case::{KeptClip, Outcome};
use crate::evidence::{EXTENDED_MS_MAX, Range};
use crate::incident::Camera;
use crate::time::rfc3339;

/// The rules of the store: priority, cooldown in seconds, whom they tell, shadow.
const RULES: [(Priority, i64, &[&str], bool); 5] = [
    (Priority::High, 60, &["floor"], false),
    (Priority::Low, 5, &["manager", "floor"], false),
    (Priority::Critical, 300, &["security"], false),
    (Priority::Critical, 20, &["nobody"], true),
    (Priority::Medium, 4_000, &[], false),
];

/// A detection under one rule, as it is drawn.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    start_s: i64,
    /// Which of up to four pairs of camera and event type.
    group: usize,
    rule: usize,
}

/// Detections of so many groups: some around the hour, some strewn over several.
fn drawn(groups: usize) -> impl Strategy<Value = Vec<Drawn>> {
    let start_s = prop_oneof![3_500..3_700_i64, 3_300..4_300_i64, 0..20_000_i64];
    let drawn = (start_s, 0..groups, 0..RULES.len());
    let drawn = drawn.prop_map(|(start_s, group, rule)| Drawn { start_s, group, rule });
    prop_oneof![prop::collection::vec(drawn.clone(), 1..6), prop::collection::vec(drawn, 1..40),]
}

impl Drawn {
    fn message(self) -> RoutedDetection {
        let (priority, cooldown_s, notify, shadow) = RULES[self.rule];
        let mut message = detection(self.start_s, priority);
        let id = format!("camera-{}", self.group % 2);
        message.camera = Some(Camera { stream: format!("arm-{id}"), id: id.clone() });
        message.event_type = format!("type-{}", self.group / 2);
        // One detection has one length, whatever rules match it.
        message.end_ms = message.start_ms + self.start_s % 7 * 1_000;
        message.id = crate::id::DetectionKey {
            store: &message.store.id,
            camera: &id,
            event_type: &message.event_type,
            start_ms: message.start_ms,
        }
        .detection_id();
        message.routing.rule = format!("rule-{}", self.rule);
        message.routing.cooldown_ms = cooldown_s * 1_000;
        message.routing.notify = notify.iter().map(|it| (*it).to_owned()).collect();
        message.routing.shadow = shadow;
        message
    }
}

/// A whole run.
#[derive(Clone, Debug)]
struct Run {
    drawn: Vec<Drawn>,
    /// Places of messages that come once more.
    again: Vec<prop::sample::Index>,
    batches: Vec<usize>,
    /// How many instances run at once.
    instances: usize,
    turns: Vec<u8>,
    faults: Vec<(usize, Fault)>,
    /// After so many rounds all clips that were asked for are kept.
    kept_every: usize,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(Fault::ALL.to_vec())
}

fn a_run() -> impl Strategy<Value = Run> {
    let parts = (
        (1..=4_usize).prop_flat_map(drawn),
        prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        prop::collection::vec(1..14_usize, 1..6),
        1..4_usize,
        prop::collection::vec(any::<u8>(), 64),
        prop::collection::vec((0..200_usize, fault()), 0..20),
        1..6_usize,
    );
    parts.prop_map(|(drawn, again, batches, instances, turns, faults, kept_every)| Run {
        drawn,
        again,
        batches,
        instances,
        turns,
        faults,
        kept_every,
    })
}

impl Run {
    fn messages(&self) -> Vec<RoutedDetection> {
        let mut messages: Vec<_> = self.drawn.iter().map(|drawn| drawn.message()).collect();
        let again: Vec<_> = self.again.iter().map(|at| at.get(&messages).clone()).collect();
        messages.extend(again);
        messages
    }

    /// Delivers everything until all of it was handled.
    fn happen(&self, world: &World) {
        world.calls.faults.replace(self.faults.iter().copied().collect());
        let mut queue = self.messages();
        let mut sizes = self.batches.iter().copied().cycle();
        let mut now_ms = 30_000_000;
        for round in 0..400 {
            let mut batches = Vec::new();
            for size in sizes.by_ref().take(self.instances) {
                let rest = queue.split_off(size.min(queue.len()));
                batches.push(std::mem::replace(&mut queue, rest));
            }
            queue.extend(at_once(world, &batches, &self.turns, now_ms));
            if round % self.kept_every == 0 {
                keep_clips(world, now_ms);
            }
            if queue.is_empty() {
                return;
            }
            // A message comes again when its claim has run out.
            now_ms += REDELIVERY_MS;
        }
        panic!("{queue:?} never succeeds");
    }
}

/// Lets instances handle their batches at once; returns what must be delivered again.
fn at_once(
    world: &World,
    batches: &[Vec<RoutedDetection>],
    turns: &[u8],
    now_ms: i64,
) -> Vec<RoutedDetection> {
    world.calls.takes_turns.set(true);
    let context = &mut Context::from_waker(Waker::noop());
    let mut instances: Vec<_> = Vec::new();
    for (number, batch) in (0..).zip(batches) {
        instances.push((batch, Some(Box::pin(handle(world, batch, now_ms + number))), 0));
    }
    let mut again = Vec::new();
    let mut turns = turns.iter().cycle();
    while instances.iter().any(|(_, instance, _)| instance.is_some()) {
        let turn = usize::from(*turns.next().unwrap());
        let running: Vec<_> =
            (0..instances.len()).filter(|at| instances[*at].1.is_some()).collect();
        let (batch, instance, idle) = &mut instances[running[turn % running.len()]];
        let calls = world.calls.names.borrow().len();
        let polled = instance.as_mut().unwrap().as_mut().poll(context);
        *idle = if world.calls.names.borrow().len() > calls { 0 } else { *idle + 1 };
        if let Poll::Ready(results) = polled {
            let failed = results.iter().zip(batch.iter()).filter(|(result, _)| result.is_err());
            again.extend(failed.map(|(_, message)| message.clone()));
            *instance = None;
        } else if *idle > 2 {
            // Its process ended.
            again.extend(batch.iter().cloned());
            *instance = None;
        }
    }
    world.calls.takes_turns.set(false);
    again
}

/// What `preserve` does, for every clip that was asked for.
fn keep_clips(world: &World, now_ms: i64) {
    let cases: Vec<_> = world.table.cases.borrow().values().cloned().collect();
    for case in cases.iter().filter(|case| case.evidence.requested_at.is_some()) {
        let Some(wanted) = evidence::range_of(case) else { continue };
        let clip = KeptClip::whole(evidence::clip_key(case), wanted);
        if let Some(change) = case::finish_evidence(case, &Outcome::Kept(Box::new(clip)), now_ms) {
            assert_eq!(world.table.put(&change), Written::Done);
        }
    }
}

/// One incident, found by holding every detection against every other.
#[derive(Debug, Default)]
struct Expected {
    /// Of each detection: start, end, cooldown.
    detections: BTreeMap<String, (i64, i64, i64)>,
    messages: Vec<RoutedDetection>,
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while parents[at] != at {
        at = parents[at];
    }
    at
}

fn expected(messages: &[RoutedDetection]) -> Vec<Expected> {
    // Several rules that match one detection: the longest of their cooldowns holds.
    let mut cooldowns: BTreeMap<&str, i64> = BTreeMap::new();
    for message in messages {
        let cooldown_ms = cooldowns.entry(&message.id).or_default();
        *cooldown_ms = (*cooldown_ms).max(message.routing.cooldown_ms);
    }
    let mut parents: Vec<usize> = (0..messages.len()).collect();
    for (one, a) in messages.iter().enumerate() {
        for (other, b) in messages.iter().enumerate() {
            let is_alike = (a.camera_id(), &a.event_type) == (b.camera_id(), &b.event_type);
            let is_later = b.start_ms >= a.start_ms;
            if is_alike && is_later && b.start_ms - a.end_ms <= cooldowns[b.id.as_str()] {
                let (one, other) = (root(&parents, one), root(&parents, other));
                parents[one] = other;
            }
        }
    }
    let mut incidents: BTreeMap<usize, Expected> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        let incident = incidents.entry(root(&parents, at)).or_default();
        let times = (message.start_ms, message.end_ms, cooldowns[message.id.as_str()]);
        incident.detections.insert(message.id.clone(), times);
        incident.messages.push(message.clone());
    }
    incidents.into_values().collect()
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

/// Where a case stands now.
fn standing(world: &World, case_id: &str) -> CaseItem {
    let mut case = world.table.case(case_id).unwrap();
    while let Some(into) = &case.merged_into {
        assert_eq!(case.status, CaseStatus::Merged);
        case = world.table.case(into).unwrap();
    }
    assert_ne!(case.status, CaseStatus::Merged);
    case
}

/// Whether the world keeps every promise.
fn judge(world: &World, messages: &[RoutedDetection]) -> Result<(), TestCaseError> {
    let incidents = expected(messages);
    let cases: Vec<_> = world.table.cases.borrow().values().cloned().collect();
    let stand = cases.iter().filter(|case| case.merged_into.is_none());
    let mut stand: BTreeMap<_, _> = stand.map(|case| (case.case_id.clone(), case)).collect();
    prop_assert_eq!(stand.len(), incidents.len(), "one case for each incident");
    for incident in &incidents {
        let ids = incident.detections.keys();
        let seen = world.table.seen.borrow();
        let of = ids.map(|id| standing(world, &seen[&guard::seen_pk(id)].case_id).case_id);
        let of: BTreeSet<_> = of.collect();
        prop_assert_eq!(of.len(), 1, "all detections of an incident are in one case");
        let case_id = of.first().unwrap();
        let case = stand.remove(case_id).expect("no two incidents share a case");
        let times = incident.detections.values();
        let first_ms = times.clone().map(|(start_ms, ..)| *start_ms).min().unwrap();
        let last_ms = times.map(|(_, end_ms, _)| *end_ms).max().unwrap();
        prop_assert_eq!(case.detections, count(incident.detections.len()));
        prop_assert_eq!(&case.opened_at, &rfc3339(first_ms));
        prop_assert_eq!(&case.last_seen_at, &rfc3339(last_ms));
        let priority = incident.messages.iter().map(|it| it.routing.priority).max().unwrap();
        prop_assert_eq!(case.priority, priority);
        judge_alerts(world, incident, case)?;
        judge_wanted(incident, case)?;
    }
    for case in &cases {
        judge_case(world, case)?;
    }
    Ok(())
}

/// Everybody is told of an incident at the highest priority at which a rule tells them, or a higher
/// one, by one of its cases, and nobody is owed anything.
fn judge_alerts(world: &World, incident: &Expected, case: &CaseItem) -> Result<(), TestCaseError> {
    let telling = incident.messages.iter().filter(|it| it.routing.tells_people());
    let top = telling.clone().map(|it| it.routing.priority).max();
    prop_assert!(!case::is_due(&case.alert), "{:?}", case.alert);
    prop_assert_eq!(case.alert.wanted_rank, top.map(Priority::rank));
    let published = world.published.borrow();
    let is_of = |alert: &&Alert| {
        let cases = world.table.cases.borrow();
        let mut ours = cases.keys().filter(|id| standing(world, id).case_id == case.case_id);
        ours.any(|id| alert.texts.webhook.contains(id.as_str()))
    };
    let said = |alert: &Alert| {
        let is = |it: &Priority| alert.attributes.contains(&(ATTRIBUTE_PRIORITY, it.to_string()));
        Priority::ALL.into_iter().find(is)
    };
    let published: Vec<_> = published.iter().filter(is_of).collect();
    for RoutedDetection { routing, .. } in telling {
        for audience in &routing.notify {
            let heard = published.iter().filter(|it| it.audiences.contains(audience));
            let most = heard.filter_map(|it| said(it)).max();
            prop_assert!(most >= Some(routing.priority), "{} heard of {:?}", audience, most);
        }
    }
    Ok(())
}

/// The case wants all the video of its incident, or as much as one clip may show and names the rest.
fn judge_wanted(incident: &Expected, case: &CaseItem) -> Result<(), TestCaseError> {
    let policy = &incident.messages[0].routing.evidence;
    let ranges = incident.detections.values();
    let ranges = ranges.map(|(start_ms, end_ms, _)| evidence::wanted(policy, *start_ms, *end_ms));
    let hull = ranges.reduce(Range::with);
    let (hull, wanted) = (hull.unwrap(), evidence::range_of(case).unwrap());
    let beyond = (wanted != hull).then(|| hull.text());
    prop_assert_eq!(&case.evidence.beyond, &beyond, "what is not wanted is remembered");
    // Once the clip is kept, whole, every moment of behaviour is in it or named as missing.
    let clip = KeptClip::whole(evidence::clip_key(case), wanted);
    let kept = case::finish_evidence(case, &Outcome::Kept(Box::new(clip)), 40_000_000);
    let kept = kept.map_or_else(|| case.evidence.clone(), |change| change.case.evidence);
    let is_whole = kept.gaps.is_empty();
    let status = if is_whole { EvidenceStatus::Stored } else { EvidenceStatus::Incomplete };
    prop_assert_eq!((kept.status, is_whole), (status, beyond.is_none()));
    prop_assert_eq!(kept.reason.is_some(), !is_whole, "an incomplete clip says why");
    let gaps = kept.gaps.iter().map(|gap| Range::parse(gap).unwrap());
    let mut shown_or_named: Vec<_> = gaps.chain([wanted]).collect();
    shown_or_named.sort_by_key(|range| range.start_ms);
    let is_seamless = shown_or_named.windows(2).all(|pair| pair[0].end_ms == pair[1].start_ms);
    prop_assert!(is_seamless, "{:?}", shown_or_named);
    for (start_ms, end_ms, _) in incident.detections.values() {
        let is_in =
            |it: &i64| shown_or_named.iter().any(|in_| in_.start_ms <= *it && *it <= in_.end_ms);
        prop_assert!(is_in(start_ms) && is_in(end_ms), "nothing says what became of {}", start_ms);
    }
    let is_full = wanted.end_ms - wanted.start_ms >= EXTENDED_MS_MAX;
    prop_assert!(wanted == hull || is_full, "{:?} of {:?}", wanted, hull);
    prop_assert!(wanted.end_ms - wanted.start_ms <= EXTENDED_MS_MAX);
    Ok(())
}

/// A case, also one that has become part of another, has a whole trail and its clip.
fn judge_case(world: &World, case: &CaseItem) -> Result<(), TestCaseError> {
    let entries = world.table.entries.borrow();
    let trail: Vec<_> = entries.values().filter(|it| it.case_id == case.case_id).cloned().collect();
    prop_assert_eq!(audit::verify(case, &trail), []);
    let actions: Vec<_> = trail.iter().map(|it| it.action.as_str()).collect();
    prop_assert_eq!(actions[0], "opened");
    prop_assert_eq!(actions.contains(&"merged"), case.merged_into.is_some());
    prop_assert!(!case::is_due(&case.alert));
    let is_pending = case.evidence.status == EvidenceStatus::Pending;
    prop_assert_eq!(case.pending_pk.is_some(), is_pending);
    prop_assert_eq!(case.evidence_due_at.is_some(), is_pending);
    prop_assert!(case.evidence.requested_at.is_some(), "nobody asked for the clip");
    let is_ours = |message: &&EvidenceMessage| message.case_id == case.case_id;
    let requests = world.requests.borrow();
    let mut requests = requests.iter().map(|(message, _)| message).filter(is_ours);
    let key = evidence::clip_key(case);
    prop_assert!(requests.any(|it| it.key == key || !is_pending), "nobody asked for {}", key);
    // Every clip that was ever kept is named: by the case, or by the entry that wanted a longer one.
    let kept = trail.iter().filter(|it| it.action == "evidence-stored");
    for entry in kept {
        let (key, sha256) = (&entry.facts["key"], &entry.facts["sha256"]);
        let is_here = case.evidence.sha256.as_deref() == sha256.as_str()
            && Some(case.evidence.key.as_str()) == key.as_str();
        let is_noted = trail
            .iter()
            .any(|it| it.action == "evidence-extended" && it.facts["kept"]["sha256"] == *sha256);
        prop_assert!(is_here || is_noted, "{} is lost", key);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn an_incident_is_one_case_and_is_told_and_kept_whatever_happens(run in a_run()) {
        let world = World::default();
        run.happen(&world);
        judge(&world, &run.messages())?;
    }

    /// The same under people who look at cases meanwhile: nothing undoes what they decide, and no
    /// detection is lost, counted twice, or counted in a case that was decided before it came.
    #[test]
    fn what_people_decide_stays(
        run in a_run(),
        decisions in prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize), 1..6),
    ) {
        let world = World::default();
        let messages = run.messages();
        let statuses = [
            CaseStatus::Acknowledged,
            CaseStatus::InReview,
            CaseStatus::Confirmed,
            CaseStatus::Dismissed,
        ];
        let mut decided = BTreeMap::new();
        let batches = messages.chunks(5).zip(decisions.iter().cycle());
        for (now_ms, (batch, (at, status))) in (30_000_000..).zip(batches) {
            prop_assert_eq!(world.deliver(batch, now_ms), []);
            for (case_id, (_, counted)) in &decided {
                let case = &world.table.cases.borrow()[case_id];
                let is_open = !case::is_closed(case);
                prop_assert!(is_open || case.detections == *counted, "it took something in");
            }
            let mut cases = world.table.cases.borrow_mut();
            let open: Vec<_> =
                cases.values_mut().filter(|case| case.status == CaseStatus::Open).collect();
            if let Some(case) = open.into_iter().nth(at.index(3)) {
                case.status = statuses[*status];
                case.version += 1;
                decided.insert(case.case_id.clone(), (case.status, case.detections));
            }
        }
        let cases = world.table.cases.borrow();
        for (case_id, (status, _)) in decided {
            prop_assert_eq!(cases[&case_id].status, status);
        }
        let stand = cases.values().filter(|case| case.merged_into.is_none());
        let distinct: BTreeSet<_> = messages.iter().map(|message| &message.id).collect();
        prop_assert_eq!(stand.map(|case| case.detections).sum::<u64>(), count(distinct.len()));
        for case in cases.values() {
            judge_case(&world, case)?;
            if let Some(into) = &case.merged_into {
                let said = |it: &contract::case::AuditEntry| it.action == "absorbed"
                    && it.facts["case"] == case.case_id.as_str();
                prop_assert!(world.table.entries.borrow().values().any(|it| said(it) && it.case_id == *into));
            }
        }
    }
}

#[test]
fn whatever_call_fails_while_two_cases_become_one_the_promise_holds() {
    let of = |(start_s, rule)| Drawn { start_s, group: 0, rule };
    // The two ends are too far apart for their cooldown; what comes last lies between, and is critical.
    let drawn: Vec<_> = [(3_610, 0), (3_500, 1), (3_555, 2)].map(of).to_vec();
    let run = |faults| Run {
        drawn: drawn.clone(),
        again: Vec::new(),
        batches: vec![1],
        instances: 1,
        turns: vec![0],
        faults,
        kept_every: 2,
    };
    let world = World::default();
    run(Vec::new()).happen(&world);
    let calls = world.calls.names.take();
    assert_eq!(world.table.cases.borrow().len(), 2, "one became part of the other");
    for (index, call) in calls.iter().enumerate() {
        for fault in Fault::ALL {
            let (world, run) = (World::default(), run(vec![(index, fault)]));
            run.happen(&world);
            let held = judge(&world, &run.messages());
            held.unwrap_or_else(|error| panic!("call {index}, {call}, {fault:?}: {error}"));
        }
    }
}

#[test]
fn a_storm_of_ten_thousand_detections_in_any_order_is_one_case_and_few_alerts() {
    let world = World::default();
    // One every two seconds for five and a half hours, strewn so that most batches link what is apart.
    let drawn = (0..10_000_i64).map(|number| Drawn {
        start_s: number * 7_919 % 10_000 * 2,
        group: 0,
        rule: 0,
    });
    let messages: Vec<_> = drawn.map(Drawn::message).collect();
    for batch in messages.chunks(10) {
        assert_eq!(world.deliver(batch, 30_000_000), []);
    }
    let stand: Vec<_> = world.table.cases.borrow().values().cloned().collect();
    let stand: Vec<_> = stand.iter().filter(|case| case.merged_into.is_none()).collect();
    assert_eq!((stand.len(), stand[0].detections), (1, 10_000));
    let writes = world.calls.names.borrow().iter().filter(|it| **it == "put change").count();
    assert!(writes < 3_000, "{writes} writes for 1,000 batches");
    assert!(world.published.borrow().len() < 300, "{}", world.published.borrow().len());
    // Five and a half hours are beyond any clip, and the case that goes on says so once.
    let entries = world.table.entries.borrow();
    let ours = entries.values().filter(|it| it.case_id == stand[0].case_id);
    assert_eq!(ours.filter(|it| it.action == "evidence-beyond").count(), 1);
}
