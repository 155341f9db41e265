//! One cell of a run: its lock, what its stores share, and the stores of each wave.
//!
//! What is shared comes when the first wave that changes something in the cell does. A cell in which
//! nothing changes gets no call but the list of its stacks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::DeployError;
use super::cloud::{Alarm, Cloud, CloudError, Condition, StackState, Trouble};
use super::journal::{Entry, StackPast};
use super::lock::{self, Lock, Taken};
use super::pace::{Paced, streams_time};
use super::poller::Poller;
use super::progress::{Pace, Progress};
use super::run::Run;
use super::stack::{Outcome, Way};
use crate::cause::StackEvent;
use crate::release::{Release, STORE_TAG, StackPlan};

/// Stacks under way at once: first and fewest, and most. Our choice: CloudFormation has no published limit of
/// operations at once; the budget of calls bounds what more of them would bring.
const PARALLEL_MIN: usize = 10;
const PARALLEL_MAX: usize = 60;
/// Age at which what the list said of a stack is looked at again before the stack is changed. Our choice:
/// longer than a person needs to answer.
const LIST_TIME: Duration = Duration::from_mins(10);

/// A cell at work.
pub(super) struct CellRun<'a, 'r, C> {
    pub(super) release: &'a Release,
    pub(super) cloud: Paced<'a, C>,
    pub(super) poller: Poller,
    run: &'a Run<'r>,
    /// The stacks as they were listed when the run began, and when that was.
    stacks: BTreeMap<String, StackState>,
    listed: Instant,
    /// Digests of what the stacks shall be made from, by their names.
    digests: BTreeMap<String, String>,
    lock: RefCell<Option<Lock>>,
    /// The cell's alarms, as they were read last.
    pub(super) alarms: RefCell<Vec<Alarm>>,
    is_begun: Cell<bool>,
    /// Another run has taken the cell over.
    is_lost: Cell<bool>,
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
        let plans = plans(release);
        let cell = Self {
            digests: plans.map(|it| (it.name.clone(), it.digest())).collect(),
            listed: Instant::now(),
            release,
            cloud,
            poller: Poller::default(),
            run,
            stacks,
            lock: RefCell::default(),
            alarms: RefCell::default(),
            is_begun: Cell::new(false),
            is_lost: Cell::new(false),
            broken: RefCell::default(),
            parallel: Cell::new(PARALLEL_MIN),
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

    /// Digest of what a stack shall be made from.
    pub(super) fn digest(&self, plan: &StackPlan) -> String {
        self.digests.get(&plan.name).cloned().unwrap_or_else(|| plan.digest())
    }

    /// Whether the list of stacks is from long ago: what it says of a stack is looked at again.
    pub(super) fn is_list_old(&self) -> bool {
        self.listed.elapsed() > LIST_TIME
    }

    /// Every stack of the cell that the run is about.
    fn plans(&self) -> impl Iterator<Item = &'a StackPlan> {
        plans(self.release)
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

    /// How many stacks are still to be changed when these stores' turn comes: theirs, and what they share.
    pub(super) fn count_open(&self, stores: &BTreeSet<&str>) -> usize {
        let shared = [&self.release.artifacts_stack, &self.release.platform_stack];
        let shared = shared.into_iter().filter(|_| self.is_concerned(stores));
        let open = self.of(stores).chain(shared).filter(|it| self.is_open(it));
        open.filter(|it| !self.run.is_counted(&it.name)).count()
    }

    /// How many of these stores are still to be changed.
    pub(super) fn count_open_stores(&self, stores: &BTreeSet<&str>) -> usize {
        self.of(stores).filter(|it| self.is_open(it)).count()
    }

    /// Whether any of these stores is of this cell.
    pub(super) fn is_concerned(&self, stores: &BTreeSet<&str>) -> bool {
        self.of(stores).next().is_some()
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
        if self.shared(&self.release.platform_stack).await? {
            // The platform may have other alarms now: one that is gone would roll every stack back.
            self.note_alarms().await?;
        }
        Ok(())
    }

    /// Brings a stack without which no store of the cell can work; false when it failed.
    async fn shared(&self, plan: &StackPlan) -> Result<bool, DeployError> {
        let outcome = self.bring(plan).await?;
        let why = match &outcome {
            Outcome::Failed(failure) => Some(format!("the stack {} failed", failure.stack)),
            Outcome::Left | Outcome::UnderWay => Some("the run was stopped".to_owned()),
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
            // What a call says no to before anything began is this stack's failure alone. Otherwise nobody
            // knows how the stack goes: the cell's run ends, and finds it out when it goes on.
            Err(error) if self.is_final(&error, plan) => Way::new(self, plan).lost(&error),
            Err(error) => return Err(error),
        };
        if outcome == Outcome::Changed {
            let (count, time) = self.ended.get();
            self.ended.set((count + 1, time + begun.elapsed()));
        }
        Ok(outcome)
    }

    fn is_final(&self, error: &CloudError, plan: &StackPlan) -> bool {
        let is_no = matches!(error.trouble, Trouble::Denied | Trouble::Absent | Trouble::Other);
        is_no && !self.run.is_executed(&plan.name)
    }

    /// Brings the stores of a wave that are of this cell; how many of them failed, or could not begin.
    pub(super) async fn wave(
        &self,
        stores: &BTreeSet<&str>,
        is_last: bool,
    ) -> Result<usize, DeployError> {
        let is_turn = self.count_open(stores) > 0 || (is_last && self.has_work());
        if is_turn && !self.is_stopping() {
            self.begin().await?;
        }
        let broken = self.broken.borrow().is_some();
        let mut waiting: Vec<_> = self.of(stores).collect();
        waiting.reverse();
        let (mut under_way, mut failed) = (FuturesUnordered::new(), 0);
        loop {
            while under_way.len() < self.parallel.get()
                && let Some(plan) = waiting.pop()
            {
                if broken && self.is_open(plan) {
                    failed += 1;
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

    /// Does something while the poller asks how the stacks under way stand.
    pub(super) async fn attended<T>(
        &self,
        work: impl Future<Output = Result<T, DeployError>>,
    ) -> Result<T, DeployError> {
        let tell = |stack: &str, event: StackEvent| {
            self.tell(Progress::Resource { cell: self.id(), stack: stack.to_owned(), event });
        };
        tokio::select! {
            biased;
            done = work => done,
            lost = self.poller.run(&self.cloud, &tell) => match lost? {},
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

    /// Renews the lock, and keeps a copy of the journal in the bucket.
    pub(super) async fn beat(&self) {
        let held = self.lock.borrow().clone();
        let Some(mut lock) = held else { return };
        match lock.renew(&self.cloud).await {
            Ok(true) => drop(self.lock.replace(Some(lock))),
            Ok(false) => {
                self.is_lost.set(true);
                self.lock.take();
            }
            // The next time may do better; the lock is ours for some minutes more.
            Err(error) => self.warn(format!("the cell cannot be held on to: {}", error.line())),
        }
        if let Err(error) = self.mirror().await {
            self.warn(format!("the journal cannot be copied: {}", error.line()));
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

    /// Ends in order: the journal's last state, then the lock. A cell in which something is under way stays
    /// held, until this run goes on or the lock is old.
    pub(super) async fn give_back(&self) -> Result<(), CloudError> {
        self.mirror().await?;
        if self.plans().any(|it| self.run.is_executed(&it.name)) {
            return Ok(());
        }
        let lock = self.lock.take();
        match lock {
            Some(lock) => lock.give_back(&self.cloud).await,
            None => Ok(()),
        }
    }

    /// How the calls go, with what is left of these many stacks.
    pub(super) fn tell_pace(&self, left: usize, streams: usize, bakes: Duration) {
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
            left: by_stacks.map(|it| it.max(streams_time(streams)) + bakes),
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

    /// Names of the stacks that were not counted, and whether something is still to be done for them.
    pub(super) fn uncounted(&self) -> Vec<(String, bool)> {
        let plans = self.plans().filter(|it| !self.run.is_counted(&it.name));
        plans.map(|it| (it.name.clone(), self.is_open(it))).collect()
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
        self.is_lost.get() || self.run.is_stopping()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.get()
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

/// Every stack of a release: what is shared first.
fn plans(release: &Release) -> impl Iterator<Item = &StackPlan> {
    [&release.artifacts_stack, &release.platform_stack].into_iter().chain(&release.store_stacks)
}

/// Where the copy of a run's journal lies in the artifacts bucket.
pub fn journal_key(run: &str) -> String {
    format!("deploy/runs/{run}.ndjson")
}
