//! The case table in memory, with the conditions of the real one, and faults at any call.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::pending;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use contract::case::{AuditEntry, CaseItem, GuardItem, SeenItem};

use super::Written;
use crate::audit;
use crate::case::Change;
use crate::step::StepError;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails without effect.
    Refused,
    /// It takes effect, and its answer is lost.
    Lost,
    /// The process ends before it.
    DiesBefore,
    /// The process ends after it.
    DiesAfter,
}

impl Fault {
    pub(crate) const ALL: [Self; 4] =
        [Self::Refused, Self::Lost, Self::DiesBefore, Self::DiesAfter];
}

/// Notes every call, and lets one go wrong.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) names: RefCell<Vec<&'static str>>,
    pub(crate) fault: Cell<Option<(usize, Fault)>>,
    /// True: every call lets others run first.
    pub(crate) takes_turns: Cell<bool>,
}

impl Calls {
    /// Makes a call that has an effect.
    pub(crate) async fn make<T>(
        &self,
        name: &'static str,
        effect: impl FnOnce() -> T,
    ) -> Result<T, StepError> {
        if self.takes_turns.get() {
            Turn(false).await;
        }
        let index = self.names.borrow().len();
        self.names.borrow_mut().push(name);
        let fault = self.fault.get().filter(|(at, _)| *at == index).map(|(_, fault)| fault);
        let error = || StepError::retryable("make the call", name, "it was told to fail");
        match fault {
            None => Ok(effect()),
            Some(Fault::Refused) => Err(error()),
            Some(Fault::Lost) => {
                effect();
                Err(error())
            }
            Some(Fault::DiesBefore) => pending().await,
            Some(Fault::DiesAfter) => {
                effect();
                pending().await
            }
        }
    }
}

/// Is ready the second time that it is asked.
struct Turn(bool);

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Runs a step whose calls never wait; `None` when its process ended.
pub(crate) fn run<T>(step: impl Future<Output = T>) -> Option<T> {
    match pin!(step).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The case table.
#[derive(Default)]
pub(crate) struct MemoryTable {
    pub(crate) cases: RefCell<BTreeMap<String, CaseItem>>,
    pub(crate) entries: RefCell<Vec<AuditEntry>>,
    pub(crate) guards: RefCell<BTreeMap<String, GuardItem>>,
    pub(crate) seen: RefCell<BTreeMap<String, SeenItem>>,
}

impl MemoryTable {
    pub(crate) fn put(&self, change: &Change) -> Written {
        let (mut cases, mut guards) = (self.cases.borrow_mut(), self.guards.borrow_mut());
        let (mut entries, mut seen) = (self.entries.borrow_mut(), self.seen.borrow_mut());
        let version = |case: &CaseItem| case.version;
        let known = cases.get(&change.case.case_id).map(version);
        let is_new_entry =
            |new: &AuditEntry| !entries.iter().any(|old| (&old.pk, &old.sk) == (&new.pk, &new.sk));
        let counts = change.counted.as_ref().is_none_or(|counted| {
            let before = counted.guard_before.as_ref().map(|guard| guard.version);
            guards.get(&counted.guard.pk).map(|guard| guard.version) == before
                && !seen.contains_key(&counted.seen.pk)
        });
        let holds = known == change.before.as_ref().map(version)
            && change.entries.iter().all(is_new_entry)
            && counts;
        if !holds {
            return Written::MovedOn;
        }
        cases.insert(change.case.case_id.clone(), change.case.clone());
        entries.extend(change.entries.iter().cloned());
        if let Some(counted) = &change.counted {
            guards.insert(counted.guard.pk.clone(), counted.guard.clone());
            seen.insert(counted.seen.pk.clone(), counted.seen.clone());
        }
        Written::Done
    }

    pub(crate) fn case(&self, case_id: &str) -> Option<CaseItem> {
        self.cases.borrow().get(case_id).cloned()
    }

    /// The only case there is.
    pub(crate) fn only_case(&self) -> CaseItem {
        let cases: Vec<_> = self.cases.borrow().values().cloned().collect();
        let [case] = cases.try_into().expect("there is one case");
        case
    }

    /// What happened to a case, after checking that its audit trail is whole.
    pub(crate) fn actions(&self, case: &CaseItem) -> Vec<String> {
        let entries = self.entries.borrow();
        let trail: Vec<_> = entries.iter().filter(|entry| entry.case_id == case.case_id).collect();
        let mut previous_hash = audit::FIRST_HASH.to_owned();
        for (index, entry) in trail.iter().enumerate() {
            assert_eq!(entry.sk, format!("EVENT#{:06}", index + 1));
            assert_eq!(entry.previous_hash, previous_hash);
            assert_eq!(entry.hash, audit::hash(entry));
            previous_hash.clone_from(&entry.hash);
        }
        assert_eq!(case.audit_hash, previous_hash);
        assert_eq!(case.audit_count, u64::try_from(trail.len()).unwrap());
        trail.iter().map(|entry| entry.action.clone()).collect()
    }
}
