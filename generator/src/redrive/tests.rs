//! A redrive against queues and a table in memory: what is moved, and what is there however it ends.

use std::cell::{Cell as Slot, RefCell};

use casework::case;
use serde_json::json;

use super::*;
use crate::dead_letter::tests::fleet;

const NOW_MS: i64 = 1_795_370_593_000;

/// Queues and cases; the call of this number fails, or the person stops before it.
#[derive(Default)]
struct World {
    /// Letters that can be seen, and those that are hidden.
    dead: RefCell<BTreeMap<String, (DeadLetters, Letter, bool)>>,
    sent: RefCell<Vec<(DeadLetters, String)>>,
    cases: RefCell<BTreeMap<String, CaseItem>>,
    touched: RefCell<Vec<String>>,
    calls: Slot<usize>,
    fails_at: Option<usize>,
    stops_at: Option<usize>,
    /// A queue that is not there.
    missing: Option<DeadLetters>,
    /// Letters cannot be made visible again; how often that was tried.
    is_cut: bool,
    releases: Slot<usize>,
}

impl World {
    fn put(&self, queue: DeadLetters, id: &str, body: &str) {
        let letter = Letter { id: id.to_owned(), body: body.to_owned(), ..Letter::default() };
        self.dead.borrow_mut().insert(id.to_owned(), (queue, letter, true));
    }

    fn call(&self) -> Result<(), CloudError> {
        self.calls.set(self.calls.get() + 1);
        if self.fails_at == Some(self.calls.get()) {
            return Err(CloudError::other("make the call", "no"));
        }
        Ok(())
    }

    fn visible(&self) -> Vec<String> {
        let dead = self.dead.borrow();
        dead.iter().filter(|(_, (_, _, seen))| *seen).map(|(id, _)| id.clone()).collect()
    }
}

impl RedriveServices for World {
    async fn receive(&self, queue: DeadLetters) -> Result<Vec<Held>, CloudError> {
        self.call()?;
        let mut dead = self.dead.borrow_mut();
        let seen = dead.values_mut().filter(|(of, _, is_visible)| *of == queue && *is_visible);
        let held = seen.take(2).map(|(_, letter, is_visible)| {
            *is_visible = false;
            Held { letter: letter.clone(), receipt: letter.id.clone() }
        });
        Ok(held.collect())
    }

    async fn count_hidden(&self, queue: DeadLetters) -> Result<u64, CloudError> {
        self.call()?;
        if self.missing == Some(queue) {
            let what = "find the queue".to_owned();
            return Err(CloudError::other(what, NoQueue));
        }
        let dead = self.dead.borrow();
        let hidden = dead.values().filter(|(of, _, seen)| *of == queue && !seen).count();
        Ok(u64::try_from(hidden).unwrap())
    }

    async fn release(&self, _: DeadLetters, held: &Held) -> Result<(), CloudError> {
        self.releases.set(self.releases.get() + 1);
        if self.is_cut {
            return Err(CloudError::other("reach AWS", "no"));
        }
        self.dead.borrow_mut().get_mut(&held.receipt).unwrap().2 = true;
        Ok(())
    }

    async fn delete(&self, _: DeadLetters, held: &Held) -> Result<(), CloudError> {
        self.call()?;
        self.dead.borrow_mut().remove(&held.receipt).unwrap();
        Ok(())
    }

    async fn send(&self, queue: DeadLetters, body: &str) -> Result<(), CloudError> {
        self.call()?;
        self.sent.borrow_mut().push((queue, body.to_owned()));
        Ok(())
    }

    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, CloudError> {
        self.call()?;
        Ok(self.cases.borrow().get(case_id).cloned())
    }

    async fn fetch_due(
        &self,
        by: &str,
        _: Option<Place>,
    ) -> Result<(Vec<String>, Option<Place>), CloudError> {
        self.call()?;
        let cases = self.cases.borrow();
        let is_due = |case: &&CaseItem| case.evidence_due_at.as_deref().is_some_and(|due| due < by);
        Ok((cases.values().filter(is_due).map(|case| case.case_id.clone()).collect(), None))
    }

    async fn note_asked(&self, case: &CaseItem, now: &str) -> Result<bool, CloudError> {
        self.call()?;
        let mut cases = self.cases.borrow_mut();
        cases.get_mut(&case.case_id).unwrap().evidence.requested_at = Some(now.to_owned());
        Ok(true)
    }

    async fn fetch_written(
        &self,
        _: (&str, &str),
        _: Option<Place>,
    ) -> Result<(Vec<Written>, Option<Place>), CloudError> {
        self.call()?;
        let written = |case: &CaseItem| Written {
            case_id: case.case_id.clone(),
            at_ms: casework::time::parse_ms(&case.updated_at).unwrap(),
        };
        Ok((self.cases.borrow().values().map(written).collect(), None))
    }

    async fn touch(&self, case_id: &str, _: &str) -> Result<(), CloudError> {
        self.call()?;
        self.touched.borrow_mut().push(case_id.to_owned());
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.stops_at.is_some_and(|at| self.calls.get() >= at)
    }
}

/// A detection of `renton-007`, as the queue has it.
fn detection(number: usize) -> String {
    let fleet = fleet();
    let store = &fleet.fleet.stores[0];
    let mut message = crate::stack::incident_message(store, &fleet.rules_of(store).rules[0]);
    message.time = "2026-11-22T18:00:00Z".to_owned();
    message.detail = json!({ "event_type": "shelf_sweep", "camera": "aisle-5-a", "n": number });
    serde_json::to_string(&message).unwrap()
}

/// A case whose clip was due an hour ago, and was not asked for.
fn overdue_case() -> CaseItem {
    let fleet = fleet();
    let store = &fleet.fleet.stores[0];
    let mut message = crate::stack::incident_message(store, &fleet.rules_of(store).rules[0]);
    message.detail = json!({
        "event_type": "shelf_sweep", "camera": "aisle-5-a", "start_ms": NOW_MS - 4_000_000,
    });
    let detection = casework::incident::read(message, NOW_MS).unwrap();
    case::open(&detection, None, "evidence", NOW_MS - 4_000_000).case
}

/// Five letters of `incidents`, one of them poisoned, and a case whose clip is overdue.
fn world() -> World {
    let world = World::default();
    for number in 0..4 {
        world.put(DeadLetters::Incidents, &format!("m-{number}"), &detection(number));
    }
    world.put(DeadLetters::Incidents, "poison", "{");
    let case = overdue_case();
    world.cases.borrow_mut().insert(case.case_id.clone(), case);
    world
}

fn check(world: &World, mode: Mode, drop: &[Useless]) -> (Report, bool) {
    check_naming(world, mode, (drop, &[]))
}

fn check_naming(
    world: &World,
    mode: Mode,
    (drop, letters): (&[Useless], &[&str]),
) -> (Report, bool) {
    let fleet = fleet();
    let request = Request {
        fleet: &fleet,
        cell: &fleet.fleet.cells[0],
        queues: DeadLetters::ALL.into(),
        drop: drop.iter().copied().collect(),
        drop_letters: letters.iter().map(|it| (*it).to_owned()).collect(),
        mode,
        now_ms: NOW_MS,
    };
    let mut report = Report::default();
    let mut tell = |_: DeadLetters| ();
    let done = redrive(world, &request, &mut report, &mut tell);
    let done = casework::case_table::memory::run(done).unwrap();
    (report, done.is_ok())
}

#[test]
fn everything_that_is_understood_goes_back_and_the_rest_is_named() {
    let world = world();
    let (report, is_ok) = check(&world, Mode::CarryOut, &[]);
    assert!(is_ok);
    let to_incidents =
        world.sent.borrow().iter().filter(|it| it.0 == DeadLetters::Incidents).count();
    assert_eq!((to_incidents, world.visible()), (4, vec!["poison".to_owned()]));
    let [left] = report.left.as_slice() else { panic!("{report:?}") };
    assert_eq!((&*left.id, &*left.excerpt), ("poison", "{"));
    assert_eq!(report.clips.asked.len(), 1);
    let (again, _) = check(&world, Mode::CarryOut, &[]);
    assert_eq!((again.left.len(), again.clips.asked.len(), again.clips.waiting.len()), (1, 0, 1));
}

#[test]
fn a_dry_run_tells_the_same_and_changes_nothing() {
    let world = world();
    let before = (world.dead.borrow().clone(), world.cases.borrow().clone());
    let (looked, _) = check(&world, Mode::Look, <Useless as clap::ValueEnum>::value_variants());
    assert_eq!((world.dead.borrow().clone(), world.cases.borrow().clone()), before);
    assert!(world.sent.borrow().is_empty() && world.touched.borrow().is_empty());
    let (done, _) = check(&world, Mode::CarryOut, <Useless as clap::ValueEnum>::value_variants());
    assert_eq!((looked.sums, looked.clips), (done.sums, done.clips));
}

#[test]
fn whatever_call_fails_or_whenever_it_is_stopped_no_letter_is_lost_or_stays_hidden() {
    for at in 1..40 {
        for is_failure in [true, false] {
            let world = World {
                fails_at: is_failure.then_some(at),
                stops_at: (!is_failure).then_some(at),
                ..world()
            };
            check(&world, Mode::CarryOut, &[]);
            assert_eq!(world.visible().len(), world.dead.borrow().len(), "hidden after {at}");
            for number in 0..4 {
                let body = detection(number);
                let is_sent = world.sent.borrow().iter().any(|it| it.1 == body);
                let is_there = world.dead.borrow().contains_key(&format!("m-{number}"));
                assert!(is_sent || is_there, "letter {number} is lost after {at}");
            }
            assert!(world.dead.borrow().contains_key("poison"));
        }
    }
}

#[test]
fn what_is_of_no_use_is_deleted_only_when_told() {
    let alert = json!({ "Type": "Notification", "TopicArn": "t", "Message": "m" }).to_string();
    let world = World::default();
    world.put(DeadLetters::Undelivered, "alert", &alert);
    let (report, _) = check(&world, Mode::CarryOut, &[Useless::Ticks, Useless::StaleWindows]);
    assert_eq!((report.left.len(), world.visible().len()), (1, 1));
    assert!(report.useless.contains(&Useless::Alerts));
    let (report, _) = check(&world, Mode::CarryOut, &[Useless::Alerts]);
    assert_eq!((report.left.len(), world.dead.borrow().len()), (0, 0));
    assert_eq!(report.dropped[0].alert.as_ref().unwrap().topic, "t");
}

#[test]
fn lost_changes_give_a_row_again_to_the_cases_of_their_time_alone() {
    let world = World::default();
    let moment = |ms: i64| rfc3339(NOW_MS + ms);
    let body = json!({ "DDBStreamBatchInfo": {
        "approximateArrivalOfFirstRecord": moment(-4_000_000),
        "approximateArrivalOfLastRecord": moment(-4_000_000),
    }});
    world.put(DeadLetters::Changes, "batch", &body.to_string());
    for (id, written_ms) in [("A", -4_000_000), ("B", -1_000)] {
        let case = CaseItem { updated_at: moment(written_ms), ..overdue_case() };
        let case =
            CaseItem { case_id: id.to_owned(), pending_pk: None, evidence_due_at: None, ..case };
        world.cases.borrow_mut().insert(id.to_owned(), case);
    }
    let (report, _) = check(&world, Mode::CarryOut, &[]);
    assert_eq!(world.touched.take(), ["A"]);
    assert_eq!((report.rows.len(), world.dead.borrow().len()), (1, 0));
}

#[test]
fn a_request_whose_case_is_gone_stays_and_one_that_goes_back_is_not_sent_twice() {
    let world = World::default();
    let case = overdue_case();
    let request = casework::evidence::request(&case).unwrap();
    let gone =
        contract::evidence::EvidenceMessage { case_id: "GONE".to_owned(), ..request.clone() };
    world.put(DeadLetters::Evidence, "a", &serde_json::to_string(&request).unwrap());
    world.put(DeadLetters::Evidence, "b", &serde_json::to_string(&gone).unwrap());
    world.cases.borrow_mut().insert(case.case_id.clone(), case);
    let (report, _) = check(&world, Mode::CarryOut, &[]);
    assert_eq!((world.sent.borrow().len(), world.visible()), (1, vec!["b".to_owned()]));
    assert_eq!(report.left[0].reason, "its case `GONE` is not on record");
    assert_eq!((report.clips.asked.len(), report.clips.waiting.len()), (0, 1));
}

#[test]
fn a_queue_that_is_missing_does_not_keep_the_others_from_being_read() {
    let world = World { missing: Some(DeadLetters::Windows), ..world() };
    let (report, is_ok) = check(&world, Mode::CarryOut, &[]);
    assert!(!is_ok && matches!(report.queues[&DeadLetters::Windows], Looked::Failed(_)));
    assert_eq!(report.queues[&DeadLetters::Undelivered], Looked::Whole);
    assert_eq!(report.count(|it| it == Became::PutBack(DeadLetters::Incidents)), 4);
}

#[test]
fn when_aws_cannot_be_reached_nothing_counts_as_looked_at() {
    let world = World { fails_at: Some(1), ..world() };
    let (report, is_ok) = check(&world, Mode::CarryOut, &[]);
    assert!(!is_ok && !report.has_read());
    assert_eq!(report.queues[&DeadLetters::Incidents], Looked::NotTried);
    assert_eq!(world.calls.get(), 1);
}

#[test]
fn letters_that_another_run_hides_are_counted() {
    let world = world();
    world.dead.borrow_mut().get_mut("m-0").unwrap().2 = false;
    let (report, _) = check(&world, Mode::Look, &[]);
    assert_eq!(report.hidden, BTreeMap::from([(DeadLetters::Incidents, 1)]));
}

#[test]
fn the_first_letter_that_cannot_be_made_visible_ends_the_trying() {
    let world = World { is_cut: true, ..world() };
    let (report, is_ok) = check(&world, Mode::Look, &[]);
    assert!(!is_ok);
    assert_eq!((world.releases.get(), report.still_hidden[&DeadLetters::Incidents]), (1, 5));
    assert_eq!(report.queues[&DeadLetters::Evidence], Looked::NotTried);
}

#[test]
fn a_run_that_is_stopped_says_so_of_the_queue_that_it_read() {
    let world = World { stops_at: Some(4), ..world() };
    let (report, _) = check(&world, Mode::Look, &[]);
    assert!(report.is_stopped);
    assert_eq!(report.queues[&DeadLetters::Incidents], Looked::Stopped);
    assert_eq!(report.queues[&DeadLetters::Changes], Looked::NotTried);
}

#[test]
fn a_letter_that_is_named_is_deleted_whatever_it_is_and_alone() {
    let world = world();
    let (looked, _) = check_naming(&world, Mode::Look, (&[], &["poison"]));
    assert_eq!((looked.dropped.len(), world.dead.borrow().len()), (1, 5));
    let (report, _) = check_naming(&world, Mode::CarryOut, (&[], &["poison"]));
    let dropped: Vec<_> = report.dropped.iter().map(|it| &*it.id).collect();
    assert_eq!((dropped, report.left.len()), (vec!["poison"], 0));
    assert!(world.dead.borrow().is_empty());
}
