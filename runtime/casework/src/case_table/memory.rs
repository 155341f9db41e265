//! The case table in memory, with the conditions of the real one: for tests, and for `arm`, which
//! shows what becomes of detections before a store is open.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use contract::case::{AuditEntry, CaseItem, GuardItem, SeenItem};

use super::Written;
use crate::case::Change;

/// Runs a step whose calls never wait; `None` when its process ended.
pub fn run<T>(step: impl Future<Output = T>) -> Option<T> {
    match pin!(step).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The case table.
#[derive(Default)]
pub struct MemoryTable {
    pub cases: RefCell<BTreeMap<String, CaseItem>>,
    /// By partition key and sort key.
    pub entries: RefCell<BTreeMap<(String, String), AuditEntry>>,
    pub guards: RefCell<BTreeMap<String, GuardItem>>,
    pub seen: RefCell<BTreeMap<String, SeenItem>>,
}

impl MemoryTable {
    pub fn put(&self, change: &Change) -> Written {
        let (mut cases, mut guards) = (self.cases.borrow_mut(), self.guards.borrow_mut());
        let (mut entries, mut seen) = (self.entries.borrow_mut(), self.seen.borrow_mut());
        let version = |case: &CaseItem| case.version;
        let known = cases.get(&change.case.case_id).map(version);
        let key = |entry: &AuditEntry| (entry.pk.clone(), entry.sk.clone());
        let is_new_entry = |new: &AuditEntry| !entries.contains_key(&key(new));
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
        entries.extend(change.entries.iter().map(|entry| (key(entry), entry.clone())));
        if let Some(counted) = &change.counted {
            guards.insert(counted.guard.pk.clone(), counted.guard.clone());
            seen.insert(counted.seen.pk.clone(), counted.seen.clone());
        }
        Written::Done
    }

    /// Forgets the guards and marks whose time has come, and every audit trail.
    pub fn forget(&self, now_ms: i64) {
        let now = now_ms / 1_000;
        self.guards.borrow_mut().retain(|_, guard| guard.expires_at > now);
        self.seen.borrow_mut().retain(|_, seen| seen.expires_at > now);
        self.entries.borrow_mut().clear();
    }

    pub fn case(&self, case_id: &str) -> Option<CaseItem> {
        self.cases.borrow().get(case_id).cloned()
    }
}
