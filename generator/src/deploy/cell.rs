//! One cell of a run: its lock, what its stores share, and the stores of each wave.
//!
//! What is shared comes when the first wave that changes something in the cell does. A cell in which
//! nothing changes gets no call but the list of its stacks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};

use super::DeployError;
use super::cloud::{Alarm, AlarmState, Cloud, CloudError, Condition, StackState};
use super::journal::{Entry, StackPast};
use super::lock::{self, BEAT, Lock, Taken};
use super::pace::{Paced, streams_time};
use super::poller::Poller;
use super::progress::{Pace, Progress};
use super::run::Run;
use super::stack::{Outcome, Way};
use crate::cause::StackEvent;
use crate::model::Id;
use crate::name::StoreNames;
use crate::release::{Release, STORE_TAG, StackPlan};

/// Stacks under way at once: first, fewest and most. Our choice: CloudFormation has no published limit of
/// operations at once; the budget of calls bounds what more of them would bring.
const PARALLEL: usize = 10;
const PARALLEL_MIN: usize = 4;
const PARALLEL_MAX: usize = 60;
/// Most alarms that roll a stack back. Source: CloudFormation API reference, `RollbackConfiguration`.
const ROLLBACK_ALARMS_MAX: usize = 5;
/// Most pages of alarms that are read. Our choice: 200 stores and the platform have some 250 alarms, a
/// page 50.
const ALARM_PAGES_MAX: usize = 100;

/// A cell at work.
pub(super) struct CellRun<'a, 'r, C> {
    pub(super) release: &'a Release,
    pub(super) cloud: Paced<'a, C>,
    pub(super) poller: Poller,
    run: &'a Run<'r>,
    /// The stacks as they were listed when the run began.
    stacks: BTreeMap<String, StackState>,
    lock: RefCell<Option<Lock>>,
    /// The cell's alarms when the wave began.
    alarms: RefCell<Vec<Alarm>>,
    is_begun: Cell<bool>,
    /// Why no store of the cell can be brought on.
    broken: RefCell<Option<String>>,
    parallel: Cell<usize>,
    /// Stacks that have ended, and how long they took together.
    ended: Cell<(u32, Duration)>,
    /// Bytes of the journal that the bucket has.
    mirrored: Cell<usize>,
}

impl<'a, 'r, C: Cloud> CellRun<'a, 'r, C> {
    /// A cell with its stacks as they were listed.
    pub(super) fn new(
        release: &'a Release,
        cloud: &'a C,
        run: &'a Run<'r>,
        stacks: BTreeMap<String, StackState>,
    ) -> Self {
        let cloud = Paced::new(cloud);
        let cell = Self {
            release,
            cloud,
            poller: Poller::default(),
            run,
            stacks,
            lock: RefCell::default(),
            alarms: RefCell::default(),
            is_begun: Cell::new(false),
            broken: RefCell::default(),
            parallel: Cell::new(PARALLEL),
            ended: Cell::default(),
            mirrored: Cell::new(0),
        };
        let (all, changing) =
            (cell.plans().count(), cell.plans().filter(|it| cell.is_open(it)).count());
        let id = cell.id();
        cell.tell(Progress::Listed { cell: id, unchanged: all - changing, changing });
        cell
    }

    pub(super) fn id(&self) -> String {
        self.release.cell.clone()
    }

    /// Every stack of the cell that the run is about.
    fn plans(&self) -> impl Iterator<Item = &'a StackPlan> {
        let release = self.release;
        [&release.artifacts_stack, &release.platform_stack].into_iter().chain(&release.store_stacks)
    }

    /// Whether something is still to be done for a stack.
    fn is_open(&self, plan: &StackPlan) -> bool {
        match self.past(&plan.name) {
            Some(StackPast::Done | StackPast::Failed { .. }) => false,
            Some(StackPast::Executing { .. }) => true,
            None => !Way::new(self, plan).is_in_step(self.stacks.get(&plan.name)),
        }
    }

    pub(super) fn has_work(&self) -> bool {
        self.plans().any(|it| self.is_open(it))
    }

    /// How many store stacks among these are still to be changed.
    pub(super) fn count_open(&self, stores: &BTreeSet<&str>) -> usize {
        self.of(stores).filter(|it| self.is_open(it)).count()
    }

    /// Whether an earlier part of the run began any of these.
    pub(super) fn was_begun(&self, stores: &BTreeSet<&str>) -> bool {
        self.of(stores).any(|it| self.past(&it.name).is_some())
    }

    fn of<'s>(
        &self,
        stores: &'s BTreeSet<&str>,
    ) -> impl Iterator<Item = &'a StackPlan> + use<'a, 'r, 's, C> {
        let is_of = |plan: &&StackPlan| {
            plan.tags.get(STORE_TAG).is_some_and(|it| stores.contains(it.as_str()))
        };
        self.release.store_stacks.iter().filter(is_of)
    }

    /// Takes the cell's lock where its bucket is there already: before anything of any cell is touched.
    pub(super) async fn hold(&self) -> Result<(), DeployError> {
        let has_bucket = self.stacks.contains_key(&self.release.artifacts_stack.name)
            && super::stack::kind(self.stacks.get(&self.release.artifacts_stack.name))
                .is_ok_and(|it| it == super::ChangeSetKind::Update);
        if !has_bucket || !self.has_work() || self.lock.borrow().is_some() {
            return Ok(());
        }
        self.take_lock().await
    }

    async fn take_lock(&self) -> Result<(), DeployError> {
        let taken =
            lock::take(&self.cloud, &self.release.artifacts_bucket, &self.run.holder).await?;
        match taken {
            Taken::Held(lock) => drop(self.lock.replace(Some(lock))),
            Taken::Refused(holder) => {
                return Err(DeployError::Held {
                    cell: self.id(),
                    by: holder.by,
                    since: holder.since,
                });
            }
            Taken::NoBucket => {
                let what = format!("hold the cell {}", self.id());
                return Err(CloudError::other(what, "its artifacts bucket is gone").into());
            }
        }
        Ok(())
    }

    /// Brings what the stores share.
    async fn begin(&self) -> Result<(), DeployError> {
        if self.is_begun.replace(true) {
            return Ok(());
        }
        if !self.shared(&self.release.artifacts_stack).await? {
            return Ok(());
        }
        if self.lock.borrow().is_none() {
            self.take_lock().await?;
        }
        let needed: BTreeSet<String> = self
            .plans()
            .filter(|it| self.is_open(it))
            .flat_map(|it| it.template_key().into_iter().chain(it.parameters.values().cloned()))
            .collect();
        let bucket = &self.release.artifacts_bucket;
        for artifact in self.release.artifacts.iter().filter(|it| needed.contains(&it.key)) {
            let was_there = self.cloud.has_object(bucket, &artifact.key).await?;
            if !was_there {
                self.cloud.put_object(bucket, artifact).await?;
            }
            let (key, bytes) = (artifact.key.clone(), artifact.bytes.len());
            self.tell(Progress::Uploaded { cell: self.id(), key, bytes, was_there });
        }
        self.shared(&self.release.platform_stack).await?;
        Ok(())
    }

    /// Brings a stack without which no store of the cell can work; false when it failed.
    async fn shared(&self, plan: &StackPlan) -> Result<bool, DeployError> {
        let outcome = self.bring(plan).await?;
        let why = match &outcome {
            Outcome::Failed(failure) => Some(format!("the stack {} failed", failure.stack)),
            Outcome::Left => Some("the run was stopped".to_owned()),
            Outcome::Changed | Outcome::Unchanged => None,
        };
        self.run.count(&plan.name, outcome);
        let is_right = why.is_none();
        self.broken.replace(why);
        Ok(is_right)
    }

    async fn bring(&self, plan: &StackPlan) -> Result<Outcome, CloudError> {
        let begun = Instant::now();
        let outcome = match Way::new(self, plan).bring().await {
            Ok(outcome) => outcome,
            // Nobody can go on: the run ends, and what is under way is followed when it goes on.
            Err(error) if error.trouble == super::Trouble::Credentials => return Err(error),
            Err(error) => Way::new(self, plan).lost(&error),
        };
        if outcome == Outcome::Changed {
            let (count, time) = self.ended.get();
            self.ended.set((count + 1, time + begun.elapsed()));
        }
        Ok(outcome)
    }

    /// Brings the stores of a wave that are of this cell; how many of them failed.
    pub(super) async fn wave(
        &self,
        stores: &BTreeSet<&str>,
        is_last: bool,
    ) -> Result<usize, DeployError> {
        if !self.run.is_stopping() && (self.count_open(stores) > 0 || (is_last && self.has_work()))
        {
            self.begin().await?;
        }
        let broken = self.broken.borrow().clone();
        let mut waiting: Vec<_> = self.of(stores).collect();
        waiting.reverse();
        let (mut under_way, mut failed) = (FuturesUnordered::new(), 0);
        loop {
            while under_way.len() < self.parallel.get()
                && let Some(plan) = waiting.pop()
            {
                if broken.is_some() && self.is_open(plan) {
                    self.run.count(&plan.name, Outcome::Left);
                    continue;
                }
                under_way.push(async move { (plan, self.bring(plan).await) });
            }
            let Some((plan, outcome)) = under_way.next().await else { return Ok(failed) };
            let outcome = outcome?;
            failed += usize::from(matches!(outcome, Outcome::Failed(_)));
            self.adapt(&outcome);
            self.run.count(&plan.name, outcome);
        }
    }

    /// More stacks at once while AWS keeps up, fewer while it throttles.
    fn adapt(&self, outcome: &Outcome) {
        let parallel = self.parallel.get();
        let next = match outcome {
            _ if !self.cloud.is_calm() => parallel - parallel / 4,
            Outcome::Changed => parallel + 1,
            _ => parallel,
        };
        self.parallel.set(next.clamp(PARALLEL_MIN, PARALLEL_MAX));
    }

    /// Reads the cell's alarms, as they are before a wave.
    pub(super) async fn note_alarms(&self) -> Result<(), CloudError> {
        let alarms = self.read_alarms().await?;
        self.alarms.replace(alarms);
        Ok(())
    }

    async fn read_alarms(&self) -> Result<Vec<Alarm>, CloudError> {
        let prefix = format!("arm-{}-", self.release.cell);
        let (mut alarms, mut next) = (Vec::new(), None);
        for _ in 0..ALARM_PAGES_MAX {
            let page = self.cloud.alarms(&prefix, next).await?;
            alarms.extend(page.items);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(alarms)
    }

    /// The alarms of these stores, and of what they share, that ring and did not before the wave.
    pub(super) async fn ringing(&self, stores: &BTreeSet<&str>) -> Result<Vec<String>, CloudError> {
        let is_ringing = |it: &&Alarm| it.state == AlarmState::Ringing;
        let before: BTreeSet<String> =
            self.alarms.borrow().iter().filter(is_ringing).map(|it| it.name.clone()).collect();
        let now = self.read_alarms().await?;
        let others: BTreeSet<String> = self
            .release
            .store_stacks
            .iter()
            .filter_map(|it| it.tags.get(STORE_TAG))
            .filter(|it| !stores.contains(it.as_str()))
            .filter_map(|it| self.offline_alarm(it))
            .collect();
        let news = now.iter().filter(is_ringing).map(|it| it.name.clone());
        Ok(news.filter(|it| !before.contains(it) && !others.contains(it)).collect())
    }

    fn offline_alarm(&self, store: &str) -> Option<String> {
        let (cell, store) = (Id::new(&self.release.cell)?, Id::new(store)?);
        Some(StoreNames::new(&cell, &store).offline_alarm())
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
        let fit =
            alarms.iter().filter(|it| it.name.ends_with("-errors") && it.state == AlarmState::Ok);
        fit.take(ROLLBACK_ALARMS_MAX).map(|it| it.arn.clone()).collect()
    }

    /// What goes on beside the work: the one poller, and the signs of life.
    pub(super) async fn attend(&self) -> Result<Infallible, DeployError> {
        let tell = |stack: &str, event: StackEvent| {
            self.tell(Progress::Resource { cell: self.id(), stack: stack.to_owned(), event });
        };
        tokio::select! {
            polled = self.poller.run(&self.cloud, &tell) => Ok(polled?),
            beaten = self.beat() => beaten,
        }
    }

    /// Renews the lock, and keeps a copy of the journal in the bucket.
    async fn beat(&self) -> Result<Infallible, DeployError> {
        loop {
            sleep(BEAT).await;
            let Some(mut lock) = self.lock.take() else { continue };
            let is_held = lock.renew(&self.cloud).await?;
            self.lock.replace(Some(lock));
            if !is_held {
                self.lock.take();
                return Err(DeployError::Lost { cell: self.id() });
            }
            self.mirror().await?;
        }
    }

    /// Puts the journal into the bucket, from where another machine can go on.
    async fn mirror(&self) -> Result<(), CloudError> {
        let text = self.run.journal_text();
        if text.len() == self.mirrored.get() || self.lock.borrow().is_none() {
            return Ok(());
        }
        let key = journal_key(&self.run.holder.run);
        let length = text.len();
        let object = (self.release.artifacts_bucket.as_str(), key.as_str());
        self.cloud.put_if(object, text.into_bytes(), &Condition::Any).await?;
        self.mirrored.set(length);
        Ok(())
    }

    /// Ends in order: the journal's last state, then the lock.
    pub(super) async fn give_back(&self) -> Result<(), CloudError> {
        self.mirror().await?;
        let lock = self.lock.take();
        match lock {
            Some(lock) => lock.give_back(&self.cloud).await,
            None => Ok(()),
        }
    }

    /// How the calls go, with what is left of these many stacks.
    pub(super) fn tell_pace(&self, left: usize, streams: usize) {
        let seen = self.cloud.seen();
        let (ended, time) = self.ended.get();
        let parallel = self.parallel.get();
        let rounds = u32::try_from(left.div_ceil(parallel.max(1))).unwrap_or(u32::MAX);
        let by_stacks =
            (ended > 0).then(|| time / ended.max(1)).map(|it| it.saturating_mul(rounds));
        let pace = Pace {
            reads: seen.reads,
            writes: seen.writes,
            throttled: seen.throttled,
            reads_per_second: seen.reads_per_second,
            parallel,
            left: by_stacks.map(|it| it.max(streams_time(streams))),
        };
        self.tell(Progress::Pace { cell: self.id(), pace });
    }

    /// How many stacks are still to be changed, and about how many streams they make anew.
    pub(super) fn left(&self) -> (usize, usize) {
        let open = || self.plans().filter(|it| self.is_open(it) && !self.run.is_counted(&it.name));
        let new = open().filter(|it| !self.stacks.contains_key(&it.name));
        let streams = new.map(|it| it.body.matches("\"AWS::KinesisVideo::Stream\"").count()).sum();
        (open().count(), streams)
    }

    /// Names of the stacks that were not counted.
    pub(super) fn uncounted(&self) -> Vec<String> {
        let names = self.plans().map(|it| it.name.clone());
        names.filter(|it| !self.run.is_counted(it)).collect()
    }

    pub(super) fn known(&self, stack: &str) -> Option<StackState> {
        self.stacks.get(stack).cloned()
    }

    pub(super) fn past(&self, stack: &str) -> Option<StackPast> {
        self.run.past(stack)
    }

    pub(super) fn forget(&self, stack: &str) {
        self.run.forget(stack);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.run.is_stopping()
    }

    pub(super) fn tell(&self, progress: Progress) {
        self.run.tell(progress);
    }

    pub(super) fn warn(&self, text: String) {
        self.run.tell(Progress::Warning { cell: self.id(), text });
    }

    /// Marks the events of this run's operation on a stack.
    pub(super) fn token(&self, change_set: &str) -> String {
        format!("{}-{change_set}", self.run.holder.run)
    }

    /// Writes what is about to begin; false when it cannot be written, and must not begin.
    pub(super) fn note(&self, entry: Entry) -> bool {
        self.run.note(entry)
    }

    /// Writes what has ended; where that cannot be written, a run that goes on finds it out.
    pub(super) fn note_end(&self, entry: Entry) {
        self.run.note(entry);
    }

    /// The one command to run next for a stack that failed.
    pub(super) fn next(&self, plan: &StackPlan, is_stuck: bool) -> String {
        let cell = &self.release.cell;
        match (plan.tags.get(STORE_TAG), is_stuck) {
            (Some(store), true) => format!("arm recover {store}"),
            (Some(store), false) => format!("arm deploy {store}"),
            (None, true) if plan.name == self.release.artifacts_stack.name => {
                format!("arm recover --artifacts {cell}")
            }
            (None, true) => format!("arm recover --platform {cell}"),
            (None, false) => format!("arm deploy --cell {cell}"),
        }
    }
}

/// Where the copy of a run's journal lies in the artifacts bucket.
pub fn journal_key(run: &str) -> String {
    format!("deploy/runs/{run}.ndjson")
}
