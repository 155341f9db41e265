//! For tests: calls that go wrong at any moment, and what a table in memory must hold.
//!
//! Everything that a step asks of the outside world goes through [`Calls`], so that a test can end
//! the process, or lose an answer, at each call in turn.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll};

use contract::case::CaseItem;

use super::memory::MemoryTable;
use crate::audit;
use crate::step::StepError;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
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
    pub const ALL: [Self; 4] = [Self::Refused, Self::Lost, Self::DiesBefore, Self::DiesAfter];
}

/// Notes every call, and lets some go wrong.
#[derive(Default)]
pub struct Calls {
    pub names: RefCell<Vec<&'static str>>,
    pub fault: Cell<Option<(usize, Fault)>>,
    /// Others that go wrong, by their number.
    pub faults: RefCell<BTreeMap<usize, Fault>>,
    /// True: every call lets others run first.
    pub takes_turns: Cell<bool>,
}

impl Calls {
    /// Makes a call that has an effect.
    pub async fn make<T>(
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
        let fault = fault.or_else(|| self.faults.borrow().get(&index).copied());
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

impl MemoryTable {
    /// The only case there is.
    pub fn only_case(&self) -> CaseItem {
        let cases: Vec<_> = self.cases.borrow().values().cloned().collect();
        let [case] = cases.try_into().expect("there is one case");
        case
    }

    /// What happened to a case, after checking that its audit trail is whole.
    pub fn actions(&self, case: &CaseItem) -> Vec<String> {
        let entries = self.entries.borrow();
        let trail: Vec<_> =
            entries.values().filter(|entry| entry.case_id == case.case_id).collect();
        let whole: Vec<_> = trail.iter().map(|entry| (*entry).clone()).collect();
        assert_eq!(audit::verify(case, &whole), []);
        trail.iter().map(|entry| entry.action.clone()).collect()
    }
}
