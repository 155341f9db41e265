//! The case table in memory, with the conditions of the real one: for tests, and for `arm`, which
//! shows what becomes of detections before a store is open.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use contract::case::{AuditEntry, CaseItem, GuardItem, SeenItem};

use super::Written;
use crate::case::{Change, GuardChange};

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
    /// Writes a change if everything that it builds on is as it was.
    pub fn put(&self, change: &Change) -> Written {
        if !self.holds(change) || !change.absorbed.iter().all(|it| self.holds(it)) {
            return Written::Refused;
        }
        for change in std::iter::once(change).chain(&change.absorbed) {
            let case = change.case.clone();
            self.cases.borrow_mut().insert(case.case_id.clone(), case);
            let entries = change.entries.iter().map(|entry| (key(entry), entry.clone()));
            self.entries.borrow_mut().extend(entries);
            if let Some(counted) = &change.counted {
                let guards =
                    counted.guards.iter().map(|it| (it.guard.pk.clone(), it.guard.clone()));
                self.guards.borrow_mut().extend(guards);
                let seen = counted.seen.iter().map(|it| (it.pk.clone(), it.clone()));
                self.seen.borrow_mut().extend(seen);
            }
        }
        Written::Done
    }

    fn holds(&self, change: &Change) -> bool {
        let version = |case: &CaseItem| case.version;
        let known = self.cases.borrow().get(&change.case.case_id).map(version);
        let is_new = |entry: &AuditEntry| !self.entries.borrow().contains_key(&key(entry));
        let is_unseen = |seen: &SeenItem| !self.seen.borrow().contains_key(&seen.pk);
        let is_as_before = |it: &GuardChange| {
            let version = |guard: &GuardItem| guard.version;
            self.guards.borrow().get(&it.guard.pk).map(version) == it.before.as_ref().map(version)
        };
        known == change.before.as_ref().map(version)
            && change.entries.iter().all(is_new)
            && change.counted.iter().all(|counted| {
                counted.guards.iter().all(is_as_before) && counted.seen.iter().all(is_unseen)
            })
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

fn key(entry: &AuditEntry) -> (String, String) {
    (entry.pk.clone(), entry.sk.clone())
}
