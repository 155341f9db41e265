//! `sweep`: finds the clips that are overdue, asks for them again, and gives up what is gone.
//!
//! Whatever becomes of a request, its case stays in the index of those whose clip is still to come:
//! nothing else is needed to find it. A request is noted before it is sent, so that of two sweeps one
//! sends; one that dies between leaves the rest to a later run. What is done about one case stands in
//! `casework`; here is only how many are looked at.

use std::cell::RefCell;

use casework::case::overdue::{Asker, Overdue, asked_again, given_up, overdue};
use casework::case_table::{CaseTable, amend};
use casework::step::StepError;
use contract::case::CaseItem;
use contract::evidence::EvidenceMessage;

use crate::metric::{Count, Metric};

/// Most cases about which one run does something, or fails to. Our choice: at some ten milliseconds
/// each they fit the function's five minutes several times; those due first come first, and the next
/// run comes in ten minutes.
pub const CASES_MAX: usize = 5_000;

/// Most cases that one run looks at, those included that only wait. Our choice: they are read at some
/// milliseconds each, so that with [`CASES_MAX`] the five minutes suffice.
pub const LOOKED_MAX: usize = 20_000;

/// The name under which it stands in audit trails.
const ACTOR: &str = "sweep";

/// A case of the index, by which the next page is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub case_id: String,
    /// RFC 3339.
    pub due_at: String,
}

/// A page of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub due: Vec<Due>,
    /// The last one, if more come after it.
    pub more_after: Option<Due>,
}

/// What `sweep` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait SweepServices: CaseTable {
    /// The cases whose clip was due by a moment and is still to come, the one due first first.
    async fn fetch_due(&self, by_ms: i64, after: Option<&Due>) -> Result<Page, StepError>;
    async fn send_evidence(&self, message: &EvidenceMessage, delay_s: i32)
    -> Result<(), StepError>;
    /// Counts something.
    fn count(&self, count: Count);
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Swept {
    pub looked: usize,
    pub asked: usize,
    pub given_up: usize,
    /// Cases about which nothing could be done; the next run comes to them again.
    pub failed: Vec<StepError>,
    /// More cases are due than one run looks at.
    pub is_more: bool,
}

impl Swept {
    /// Whether the rest is left to the next run. Cases that only wait are the same at every run, and
    /// the oldest: they count for little, so that those behind them have their turn.
    fn is_enough(&self) -> bool {
        let acted = self.asked + self.given_up + self.failed.len();
        acted >= CASES_MAX || self.looked >= LOOKED_MAX
    }
}

/// Handles one tick. A case that fails keeps no other from being looked at.
pub async fn handle(services: &impl SweepServices, now_ms: i64) -> Result<Swept, StepError> {
    let (mut swept, mut after) = (Swept::default(), None);
    loop {
        let page = services.fetch_due(now_ms, after.as_ref()).await?;
        for due in page.due {
            if swept.is_enough() {
                swept.is_more = true;
                return Ok(swept);
            }
            swept.looked += 1;
            match look(services, &due.case_id, now_ms).await {
                Ok(Overdue::Ask(_)) => swept.asked += 1,
                Ok(Overdue::Lost(_)) => swept.given_up += 1,
                Ok(Overdue::Wait | Overdue::Ended) => {}
                Err(error) => swept.failed.push(error),
            }
        }
        after = page.more_after;
        if after.is_none() {
            return Ok(swept);
        }
    }
}

/// Does what is to be done about one case, and returns what it was.
async fn look(
    services: &impl SweepServices,
    case_id: &str,
    now_ms: i64,
) -> Result<Overdue, StepError> {
    let decided = RefCell::new(Overdue::Ended);
    let decide = |case: &CaseItem| {
        let decision = overdue(case, Asker::Sweep, now_ms);
        let change = match &decision {
            Overdue::Wait | Overdue::Ended => None,
            Overdue::Ask(_) => Some(asked_again(case, now_ms)),
            Overdue::Lost(reason) => Some(given_up(case, ACTOR, reason, now_ms)),
        };
        decided.replace(decision);
        change
    };
    let case = amend(services, case_id, decide).await?;
    let decision = decided.into_inner();
    match &decision {
        Overdue::Wait | Overdue::Ended => {}
        Overdue::Ask(message) => services.send_evidence(message, 0).await?,
        Overdue::Lost(_) => services.count(Count {
            metric: Metric::EvidenceFailed,
            value: 1,
            store: case.store,
            camera: case.camera.unwrap_or_default(),
        }),
    }
    Ok(decision)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use casework::case::{self, Change};
    use casework::case_table::Written;
    use casework::case_table::doubles::{Calls, Fault};
    use casework::case_table::memory::{MemoryTable, run};
    use casework::evidence::PATIENCE_MS;
    use casework::incident::example::detection;
    use casework::step::Pause;
    use casework::time::rfc3339;
    use contract::case::EvidenceStatus;
    use contract::priority::Priority;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// A case table with its index, and a queue.
    #[derive(Default)]
    struct World {
        /// Cases of a page.
        page: usize,
        calls: Calls,
        table: MemoryTable,
        sent: RefCell<Vec<String>>,
        counts: RefCell<Vec<(&'static str, String)>>,
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

    impl SweepServices for World {
        async fn fetch_due(&self, by_ms: i64, after: Option<&Due>) -> Result<Page, StepError> {
            let page = || {
                let cases = self.table.cases.borrow();
                let mut due: Vec<_> = cases
                    .values()
                    .filter_map(|case| {
                        let due_at = case.pending_pk.as_ref().and(case.evidence_due_at.clone())?;
                        Some(Due { case_id: case.case_id.clone(), due_at })
                    })
                    .filter(|due| due.due_at < rfc3339(by_ms))
                    .collect();
                let key = |due: &Due| (due.due_at.clone(), due.case_id.clone());
                due.sort_by_key(key);
                due.retain(|due| after.is_none_or(|after| key(due) > key(after)));
                let is_more = due.len() > self.page;
                due.truncate(self.page);
                Page { more_after: due.last().filter(|_| is_more).cloned(), due }
            };
            self.calls.make("fetch due", page).await
        }

        async fn send_evidence(&self, message: &EvidenceMessage, _: i32) -> Result<(), StepError> {
            let send = || self.sent.borrow_mut().push(message.case_id.clone());
            self.calls.make("send", send).await
        }

        fn count(&self, count: Count) {
            self.counts.borrow_mut().push((count.metric.name(), count.store));
        }
    }

    /// Cases that began at these hours after the epoch, none of which was asked for.
    fn world(hours: impl IntoIterator<Item = i64>) -> World {
        let world = World { page: 2, ..World::default() };
        for hour in hours {
            put(&world, hour * 3_600);
        }
        world
    }

    fn put(world: &World, start_s: i64) {
        let detection = detection(start_s, Priority::High);
        let opened = case::open(&detection, None, "evidence", start_s * 1_000);
        // Which case the next detection joins is of no interest here.
        assert_eq!(world.table.put(&Change { counted: None, ..opened }), Written::Done);
    }

    /// Looked, asked, given up, failed.
    fn check(world: &World, now_ms: i64) -> [usize; 4] {
        let swept = run(handle(world, now_ms)).unwrap().unwrap();
        assert!(!swept.is_more);
        [swept.looked, swept.asked, swept.given_up, swept.failed.len()]
    }

    #[test]
    fn every_overdue_clip_is_asked_for_again_and_what_is_gone_is_given_up() {
        let world = world([0, 1, 2, 20, 26, 27]);
        let now_ms = 27 * HOUR_MS;
        assert_eq!(check(&world, now_ms), [5, 2, 2, 0], "one may end by itself, one is not due");
        assert_eq!(world.sent.borrow().len(), 2);
        let lost = ("EvidenceFailed", "seattle-001".to_owned());
        assert_eq!(world.counts.take(), [lost.clone(), lost]);
        let failed = |case: &&CaseItem| case.evidence.status == EvidenceStatus::Failed;
        for case in world.table.cases.borrow().values().filter(failed) {
            assert_eq!(world.table.actions(case), ["opened", "evidence-failed"]);
        }
        assert_eq!(check(&world, now_ms + 600_000), [3, 0, 1, 0], "none is asked for twice");
    }

    #[test]
    fn two_sweeps_at_once_send_one_request() {
        let world = world([0]);
        world.calls.takes_turns.set(true);
        let context = &mut Context::from_waker(Waker::noop());
        let mut one = pin!(handle(&world, HOUR_MS));
        let mut other = pin!(handle(&world, HOUR_MS + 1));
        let (mut of_one, mut of_other) = (Poll::Pending, Poll::Pending);
        while of_one.is_pending() || of_other.is_pending() {
            of_one = if of_one.is_pending() { one.as_mut().poll(context) } else { of_one };
            of_other = if of_other.is_pending() { other.as_mut().poll(context) } else { of_other };
        }
        let (Poll::Ready(one), Poll::Ready(other)) = (of_one, of_other) else { unreachable!() };
        assert_eq!(one.unwrap().asked + other.unwrap().asked, 1);
        assert_eq!(world.sent.take().len(), 1);
    }

    #[test]
    fn a_sweep_that_stops_at_any_call_leaves_every_case_to_a_later_one() {
        for fault in Fault::ALL {
            for at in 0..8 {
                let world = world([0, 20]);
                world.calls.fault.set(Some((at, fault)));
                drop(run(handle(&world, 26 * HOUR_MS)));
                world.calls.fault.set(None);
                drop(run(handle(&world, 26 * HOUR_MS + 6 * HOUR_MS)));
                let cases = world.table.cases.borrow();
                let gone = cases.values().find(|case| case.opened_at < rfc3339(HOUR_MS)).unwrap();
                assert_eq!(gone.evidence.status, EvidenceStatus::Failed, "{fault:?} at {at}");
                assert_eq!(world.table.actions(gone), ["opened", "evidence-failed"]);
                let other = cases.values().find(|it| it.case_id != gone.case_id).unwrap();
                assert!(world.sent.borrow().contains(&other.case_id), "{fault:?} at {at}");
            }
        }
    }

    #[test]
    fn a_case_that_fails_keeps_no_other_from_being_looked_at() {
        let world = world([0, 1, 2]);
        world.calls.fault.set(Some((1, Fault::Refused)));
        let swept = run(handle(&world, 3 * HOUR_MS)).unwrap().unwrap();
        assert_eq!((swept.looked, swept.asked, swept.failed.len()), (3, 2, 1));
        assert!(swept.failed[0].retryable);
    }

    #[test]
    fn a_run_looks_at_so_many_cases_and_no_more() {
        let world = World { page: 1_000, ..World::default() };
        for index in 0..=i64::try_from(CASES_MAX).unwrap() {
            put(&world, index);
        }
        let now_ms = 3 * HOUR_MS + PATIENCE_MS;
        let swept = run(handle(&world, now_ms)).unwrap().unwrap();
        assert_eq!((swept.looked, swept.asked, swept.is_more), (CASES_MAX, CASES_MAX, true));
        let swept = run(handle(&world, now_ms)).unwrap().unwrap();
        let done = (swept.looked, swept.asked, swept.is_more);
        assert_eq!(done, (CASES_MAX + 1, 1, false), "those that wait keep none from its turn");
    }

    #[test]
    fn a_run_ends_however_many_cases_wait() {
        let [acted, waiting] = [CASES_MAX - 1, LOOKED_MAX - 1]
            .map(|looked| Swept { looked, ..Swept::default() }.is_enough());
        assert!(!acted && !waiting);
        assert!(Swept { looked: LOOKED_MAX, ..Swept::default() }.is_enough());
        let busy = Swept { asked: CASES_MAX - 2, given_up: 1, ..Swept::default() };
        assert!(!busy.is_enough());
        let failed = vec![StepError::retryable("read case", "c-1", "busy")];
        assert!(Swept { failed, ..busy }.is_enough(), "what fails takes its time too");
    }
}
