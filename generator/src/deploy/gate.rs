//! The health of a cell: alarms that stop the next wave, and alarms that roll a stack back.
//!
//! A wave is judged by the alarms of its stores and of what they share, and only by those that did not ring
//! when it began. A store that is new has none yet: its cameras may not send for days.

use std::collections::BTreeSet;

use super::cell::CellRun;
use super::cloud::{Alarm, AlarmState, Cloud, CloudError, StackState};
use crate::model::Id;
use crate::name::StoreNames;
use crate::release::{STORE_TAG, StackPlan};

/// Most alarms that roll a stack back. Source: CloudFormation API reference, `RollbackConfiguration`.
const ROLLBACK_ALARMS_MAX: usize = 5;
/// Most pages of alarms that are read. Our choice: 200 stores and the platform have some 250 alarms, a
/// page 50.
const PAGES_MAX: usize = 100;
/// How the names of the functions' alarms end that tell of errors.
const ERRORS: &str = "-errors";
/// How the names of stores' alarms end.
const OFFLINE: &str = "-cameras-offline";

impl<C: Cloud> CellRun<'_, '_, C> {
    /// Reads the cell's alarms; the names of those that ring.
    pub(super) async fn note_alarms(&self) -> Result<Vec<String>, CloudError> {
        let prefix = format!("arm-{}-", self.release.cell);
        let (mut alarms, mut next) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = self.cloud.alarms(&prefix, next).await?;
            alarms.extend(page.items);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let ringing = alarms.iter().filter(|it| it.state == AlarmState::Ringing);
        let ringing = ringing.map(|it| it.name.clone()).collect();
        self.alarms.replace(alarms);
        Ok(ringing)
    }

    /// The alarms of these stores, and of what they share, that ring and did not `before`.
    pub(super) async fn ringing(
        &self,
        stores: &BTreeSet<&str>,
        before: &BTreeSet<String>,
    ) -> Result<Vec<String>, CloudError> {
        let own: BTreeSet<String> = stores.iter().filter_map(|it| self.offline_alarm(it)).collect();
        let counts = |name: &String| !name.ends_with(OFFLINE) || own.contains(name);
        let now = self.note_alarms().await?;
        Ok(now.into_iter().filter(|it| counts(it) && !before.contains(it)).collect())
    }

    /// The alarm of a store that was there before this run.
    fn offline_alarm(&self, store: &str) -> Option<String> {
        let (cell, store) = (Id::new(&self.release.cell)?, Id::new(store)?);
        let names = StoreNames::new(&cell, &store);
        let was_there = self.known(names.stack()).is_some_and(|it| it.digest.is_some());
        was_there.then(|| names.offline_alarm())
    }

    /// ARNs of the alarms that roll a store's stack back when they ring while it is changed: errors of
    /// the functions. One that rings already, or that is not there, would roll back everything.
    pub(super) fn rollback_alarms(
        &self,
        plan: &StackPlan,
        state: Option<&StackState>,
    ) -> Vec<String> {
        if !plan.tags.contains_key(STORE_TAG) || state.is_none() {
            return Vec::new();
        }
        let alarms = self.alarms.borrow();
        let is_fit = |it: &&Alarm| it.name.ends_with(ERRORS) && it.state == AlarmState::Ok;
        alarms.iter().filter(is_fit).take(ROLLBACK_ALARMS_MAX).map(|it| it.arn.clone()).collect()
    }
}
