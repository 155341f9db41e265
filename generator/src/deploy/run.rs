//! A run: wave after wave over all cells, and what it adds up to.
//!
//! A store that fails does so alone; a wave with more failures than it may have is the last. So is one
//! in which the person asks to stop: what is under way is brought to its end.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use futures_util::future::{join_all, select_all, try_join_all};
use tokio::time::{Instant, sleep};

use super::cell::CellRun;
use super::cloud::{Cloud, CloudError, StackState};
use super::journal::{Entry, Journal, JournalError, Line, Past, SCHEMA, StackPast};
use super::lock::Holder;
use super::progress::{Progress, Summary, WaveSize};
use super::stack::Outcome;
use super::{DeployError, Trouble};
use crate::model::Id;
use crate::release::Release;
use crate::rollout::Wave;

/// Time between two looks at the alarms of a wave that bakes. Our choice: an alarm's period is a minute.
const ALARM_LOOK: Duration = Duration::from_secs(30);
/// Time between two news of how calls go. Our choice.
const PACE_LOOK: Duration = Duration::from_secs(2);
/// Time between two looks whether the person asks to stop. Our choice.
const STOP_LOOK: Duration = Duration::from_millis(200);

/// What is to be carried out.
#[derive(Debug)]
pub struct Rollout<'a> {
    /// In the order of the cells' ids.
    pub releases: &'a [Release],
    /// The stacks of each release's account and region, as they were just listed.
    pub states: &'a [BTreeMap<String, StackState>],
    pub waves: &'a [Wave],
    /// Who begins it; its run is the id of this run.
    pub holder: Holder,
    /// Digest of what is wanted.
    pub wanted: String,
    /// How the run was asked for.
    pub scope: Vec<String>,
    /// What an earlier part of the same run did.
    pub past: Option<Past>,
}

/// What a run has from outside.
pub struct Surroundings<'a> {
    pub journal: &'a mut dyn Journal,
    pub watch: &'a mut dyn FnMut(Progress),
    /// Whether the person asks to stop.
    pub is_stopped: &'a dyn Fn() -> bool,
    /// The time, as RFC 3339.
    pub now: &'a dyn Fn() -> String,
}

/// What all cells of a run share.
pub(super) struct Run<'a> {
    pub(super) holder: Holder,
    surroundings: RefCell<Surroundings<'a>>,
    is_stopped: &'a dyn Fn() -> bool,
    past: RefCell<BTreeMap<String, StackPast>>,
    waves_done: BTreeSet<String>,
    summary: RefCell<Summary>,
    counted: RefCell<BTreeSet<String>>,
    /// Why nothing more begins.
    halted: RefCell<Option<JournalError>>,
    is_told: Cell<bool>,
}

/// Carries out a rollout; `clouds` are those of the releases, in their order.
///
/// A store that fails is in the summary; an error means that the run could not go on. Everything that
/// it began is in the journal.
pub async fn run<'a, C: Cloud>(
    clouds: &[C],
    rollout: Rollout<'_>,
    surroundings: Surroundings<'a>,
) -> Result<Summary, DeployError> {
    let Rollout { releases, states, waves, holder, wanted, scope, past } = rollout;
    let is_resumed = past.is_some();
    let past = past.unwrap_or_default();
    let is_stopped = surroundings.is_stopped;
    let run: Run<'a> = Run {
        holder,
        is_stopped,
        surroundings: RefCell::new(surroundings),
        past: RefCell::new(past.stacks),
        waves_done: past.waves_done.into_iter().collect(),
        summary: RefCell::default(),
        counted: RefCell::default(),
        halted: RefCell::default(),
        is_told: Cell::new(false),
    };
    let of = &run;
    let cells = clouds.iter().zip(releases).zip(states);
    let cells: Vec<_> = cells
        .map(|((cloud, release), states)| CellRun::new(release, cloud, of, states.clone()))
        .collect();
    run.begin(&cells, waves, is_resumed);
    if cells.iter().all(|it| !it.has_work()) && !is_resumed {
        return Ok(run.end(&cells));
    }
    let entry = if is_resumed {
        Entry::Resume
    } else {
        let (schema, run) = (SCHEMA.to_owned(), run.holder.run.clone());
        Entry::Begin { schema, run, wanted, tool: env!("CARGO_PKG_VERSION").to_owned(), scope }
    };
    run.must_note(entry)?;
    let outcome = run.carry_out(&cells, waves).await;
    run.conclude(&cells, outcome).await
}

impl Run<'_> {
    fn begin<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>], waves: &[Wave], is_resumed: bool) {
        let sizes = waves.iter().map(|wave| {
            let stores = stores_of(wave);
            let stacks = cells.iter().map(|it| it.count_open(&stores)).sum();
            WaveSize { name: wave.name.clone(), stacks }
        });
        let waves = sizes.collect();
        self.tell(Progress::Begun {
            run: self.holder.run.clone(),
            is_resumed,
            cells: cells.iter().map(CellRun::id).collect(),
            waves,
            stacks: cells.iter().map(|it| it.left().0).sum(),
        });
    }

    async fn carry_out<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        waves: &[Wave],
    ) -> Result<(), DeployError> {
        for cell in cells {
            cell.hold().await?;
        }
        let attended = cells.iter().map(|it| Box::pin(it.attend()));
        tokio::select! {
            biased;
            done = self.waves(cells, waves) => done,
            (lost, _, _) = select_all(attended) => lost.map(|never| match never {}),
            never = self.tell_pace(cells) => match never {},
        }
    }

    async fn waves<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        waves: &[Wave],
    ) -> Result<(), DeployError> {
        for (index, wave) in waves.iter().enumerate() {
            let is_last = index + 1 == waves.len();
            if !self.wave(cells, wave, is_last).await? {
                self.leave(cells);
                return Ok(());
            }
        }
        Ok(())
    }

    /// One wave; whether the next may begin.
    async fn wave<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        wave: &Wave,
        is_last: bool,
    ) -> Result<bool, DeployError> {
        let stores = stores_of(wave);
        let open: usize = cells.iter().map(|it| it.count_open(&stores)).sum();
        if open > 0 {
            self.tell(Progress::WaveBegun { wave: wave.name.clone() });
            try_join_all(cells.iter().map(CellRun::note_alarms)).await?;
        }
        let failed = try_join_all(cells.iter().map(|it| it.wave(&stores, is_last))).await?;
        let failed: usize = failed.into_iter().sum();
        if self.is_stopping() {
            return Ok(self.stop(wave, "it was asked to stop".to_owned()));
        }
        if is_last {
            return Ok(true);
        }
        if failed > wave.failures_max {
            let may = wave.failures_max;
            let reason = format!("{failed} of its stores failed, of which {may} may");
            return Ok(self.stop(wave, reason));
        }
        let was_begun = cells.iter().any(|it| it.was_begun(&stores));
        if (open == 0 && !was_begun) || self.waves_done.contains(&wave.name) {
            return Ok(true);
        }
        let ringing = self.bake(cells, wave, &stores).await?;
        if self.is_stopping() {
            return Ok(self.stop(wave, "it was asked to stop".to_owned()));
        }
        if !ringing.is_empty() {
            return Ok(self.stop(wave, format!("alarms ring: {}", ringing.join(", "))));
        }
        self.note(Entry::WaveDone { wave: wave.name.clone() });
        self.tell(Progress::WaveDone { wave: wave.name.clone() });
        Ok(true)
    }

    /// Watches the alarms of a wave's stores for its time; those that began to ring.
    async fn bake<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        wave: &Wave,
        stores: &BTreeSet<&str>,
    ) -> Result<Vec<String>, CloudError> {
        if wave.bake.is_zero() {
            return Ok(Vec::new());
        }
        self.note(Entry::Baking { wave: wave.name.clone() });
        self.tell(Progress::Baking { wave: wave.name.clone(), time: wave.bake });
        let end = Instant::now() + wave.bake;
        loop {
            let ringing = try_join_all(cells.iter().map(|it| it.ringing(stores))).await?;
            let ringing: Vec<_> = ringing.into_iter().flatten().collect();
            let left = end.saturating_duration_since(Instant::now());
            if !ringing.is_empty() || left.is_zero() || self.is_stopping() {
                return Ok(ringing);
            }
            let look = Instant::now() + left.min(ALARM_LOOK);
            while Instant::now() < look && !self.is_stopping() {
                sleep(STOP_LOOK.min(look.saturating_duration_since(Instant::now()))).await;
            }
        }
    }

    /// No further wave begins.
    fn stop(&self, wave: &Wave, reason: String) -> bool {
        self.note(Entry::Stopped { reason: reason.clone() });
        self.tell(Progress::Stopped { wave: wave.name.clone(), reason });
        false
    }

    /// Counts what was not begun.
    fn leave<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>]) {
        for plan in cells.iter().flat_map(CellRun::uncounted) {
            self.count(&plan, Outcome::Left);
        }
    }

    async fn tell_pace<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>]) -> Infallible {
        loop {
            sleep(PACE_LOOK).await;
            for cell in cells {
                let (stacks, streams) = cell.left();
                cell.tell_pace(stacks, streams);
            }
        }
    }

    /// Ends in order, however the run went: the journal's last line, its copies, the locks.
    async fn conclude<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        outcome: Result<(), DeployError>,
    ) -> Result<Summary, DeployError> {
        let halted = self.halted.borrow_mut().take();
        let outcome = match (outcome, halted) {
            (Ok(()), Some(error)) => Err(DeployError::Journal(error)),
            (outcome, _) => outcome,
        };
        if outcome.is_ok() && self.summary.borrow().left.is_empty() {
            self.note(Entry::End);
        }
        let can_call = !matches!(&outcome, Err(DeployError::Cloud(error)) if error.trouble == Trouble::Credentials);
        if can_call {
            // What cannot be given back now counts as left behind in some minutes.
            for (cell, given) in
                cells.iter().zip(join_all(cells.iter().map(CellRun::give_back)).await)
            {
                if let Err(error) = given {
                    cell.warn(format!(
                        "the lock of {} stays for some minutes: {}",
                        cell.id(),
                        error.line()
                    ));
                }
            }
        }
        outcome.map(|()| self.end(cells))
    }

    fn end<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>]) -> Summary {
        for plan in cells.iter().flat_map(CellRun::uncounted) {
            self.count(&plan, Outcome::Unchanged);
        }
        for cell in cells {
            let (stacks, streams) = cell.left();
            cell.tell_pace(stacks, streams);
        }
        let summary = self.summary.borrow().clone();
        self.tell(Progress::Ended { summary: summary.clone() });
        summary
    }

    /// Counts how a stack went, once.
    pub(super) fn count(&self, stack: &str, outcome: Outcome) {
        if !self.counted.borrow_mut().insert(stack.to_owned()) {
            return;
        }
        let mut summary = self.summary.borrow_mut();
        match outcome {
            Outcome::Changed => summary.changed.push(stack.to_owned()),
            Outcome::Unchanged => summary.unchanged.push(stack.to_owned()),
            Outcome::Failed(failure) => summary.failed.push(failure),
            Outcome::Left => summary.left.push(stack.to_owned()),
        }
    }

    pub(super) fn is_counted(&self, stack: &str) -> bool {
        self.counted.borrow().contains(stack)
    }

    pub(super) fn past(&self, stack: &str) -> Option<StackPast> {
        self.past.borrow().get(stack).cloned()
    }

    pub(super) fn forget(&self, stack: &str) {
        self.past.borrow_mut().remove(stack);
    }

    pub(super) fn is_stopping(&self) -> bool {
        (self.is_stopped)() || self.halted.borrow().is_some()
    }

    pub(super) fn tell(&self, progress: Progress) {
        (self.surroundings.borrow_mut().watch)(progress);
    }

    /// Writes a line; false, from now on for all, when that cannot be done.
    pub(super) fn note(&self, entry: Entry) -> bool {
        if self.halted.borrow().is_some() {
            return false;
        }
        match self.must_note(entry) {
            Ok(()) => true,
            Err(error) => {
                self.halted.replace(Some(error));
                if !self.is_told.replace(true) {
                    let reason = "the journal cannot be written".to_owned();
                    self.tell(Progress::Stopped { wave: String::new(), reason });
                }
                false
            }
        }
    }

    fn must_note(&self, entry: Entry) -> Result<(), JournalError> {
        let mut surroundings = self.surroundings.borrow_mut();
        let line = Line { at: (surroundings.now)(), entry };
        let line = serde_json::to_string(&line).expect("a line is texts");
        surroundings.journal.add(&line)
    }

    pub(super) fn journal_text(&self) -> String {
        self.surroundings.borrow().journal.text()
    }
}

fn stores_of(wave: &Wave) -> BTreeSet<&str> {
    wave.stores.iter().map(Id::as_str).collect()
}
