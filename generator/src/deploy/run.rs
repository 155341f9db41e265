//! A run: wave after wave over all cells, and what it adds up to.
//!
//! A store that fails does so alone; a wave with more failures than it may have is the last. So is one
//! in which the person asks to stop: what is under way is brought to its end.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep};

use super::cell::CellRun;
use super::cloud::{Cloud, CloudError, StackState};
use super::journal::{Entry, Journal, JournalError, Line, Past, SCHEMA, StackPast};
use super::lock::{BEAT, Holder};
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
    /// The alarms that rang when each wave began.
    ringing: RefCell<BTreeMap<String, Vec<String>>>,
    /// Stacks whose change sets may have been executed, and of whose end nothing is known yet.
    executed: RefCell<BTreeSet<String>>,
    summary: RefCell<Summary>,
    counted: RefCell<BTreeSet<String>>,
    /// Why nothing more begins.
    halted: RefCell<Option<JournalError>>,
    is_told: Cell<bool>,
    /// How long waves still to come will be watched.
    bakes: Cell<Duration>,
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
        waves_done: past.waves_done.into_iter().collect(),
        ringing: RefCell::new(past.ringing),
        executed: RefCell::new(
            past.stacks
                .iter()
                .filter(|(_, it)| matches!(it, StackPast::Executing { .. }))
                .map(|(name, _)| name.clone())
                .collect(),
        ),
        past: RefCell::new(past.stacks),
        summary: RefCell::default(),
        counted: RefCell::default(),
        halted: RefCell::default(),
        is_told: Cell::new(false),
        bakes: Cell::default(),
    };
    let to_bake = waves.split_last().map_or(&[][..], |(_, others)| others).iter();
    let to_bake = to_bake.filter(|it| !run.waves_done.contains(&it.name));
    run.bakes.set(to_bake.map(|it| it.bake).sum());
    let of = &run;
    let cells = clouds.iter().zip(releases).zip(states);
    let cells: Vec<_> = cells
        .map(|((cloud, release), states)| CellRun::new(release, cloud, of, states.clone()))
        .collect();
    run.begin(&cells, waves, is_resumed);
    if cells.iter().all(|it| !it.has_work()) && !is_resumed {
        return Ok(run.end(&cells));
    }
    let outcome = run.held(&cells, waves, begin_line(is_resumed, wanted, scope, &run)).await;
    run.conclude(&cells, outcome).await
}

/// The line with which a run, or its next part, begins.
fn begin_line(is_resumed: bool, wanted: String, scope: Vec<String>, run: &Run<'_>) -> Entry {
    if is_resumed {
        return Entry::Resume;
    }
    let (schema, run) = (SCHEMA.to_owned(), run.holder.run.clone());
    Entry::Begin { schema, run, wanted, tool: env!("CARGO_PKG_VERSION").to_owned(), scope }
}

impl Run<'_> {
    fn begin<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>], waves: &[Wave], is_resumed: bool) {
        let sizes = waves.iter().map(|wave| {
            let stores = stores_of(wave);
            let stacks = cells.iter().map(|it| it.count_open_stores(&stores)).sum();
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

    /// Takes the cells first: a run that is kept out leaves no journal.
    async fn held<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        waves: &[Wave],
        line: Entry,
    ) -> Result<(), DeployError> {
        for cell in cells {
            cell.hold().await?;
        }
        self.must_note(line)?;
        tokio::select! {
            biased;
            done = self.waves(cells, waves) => done,
            never = self.tell_pace(cells) => match never {},
            never = beat(cells) => match never {},
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
                break;
            }
        }
        match cells.iter().find(|it| it.is_lost()) {
            Some(cell) => Err(DeployError::Lost { cell: cell.id() }),
            None => Ok(()),
        }
    }

    /// One wave; whether the next may begin. An error in one cell ends the run when the others have
    /// brought this wave to its end.
    async fn wave<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        wave: &Wave,
        is_last: bool,
    ) -> Result<bool, DeployError> {
        let stores = stores_of(wave);
        let open: usize = cells.iter().map(|it| it.count_open(&stores)).sum();
        let was_begun = cells.iter().any(|it| it.was_begun(&stores));
        let is_judged =
            (open > 0 || was_begun) && !is_last && !self.waves_done.contains(&wave.name);
        if open > 0 {
            self.tell(Progress::WaveBegun { wave: wave.name.clone() });
        }
        let mut before = BTreeSet::new();
        if is_judged {
            before = self.alarms_before(cells, wave, &stores).await?;
        }
        let waves = cells.iter().map(|it| it.attended(it.wave(&stores, is_last)));
        let mut failed = 0;
        for outcome in join_all(waves).await {
            failed += outcome?;
        }
        if self.is_stopping() {
            return Ok(self.stop(wave, "it was asked to stop".to_owned()));
        }
        if !is_judged {
            return Ok(true);
        }
        if failed > wave.failures_max {
            let may = wave.failures_max;
            let reason = format!("{failed} of its stores failed, of which {may} may");
            return Ok(self.stop(wave, reason));
        }
        let ringing = self.bake(cells, wave, &before).await?;
        if self.is_stopping() {
            return Ok(self.stop(wave, "it was asked to stop".to_owned()));
        }
        if !ringing.is_empty() {
            return Ok(self.stop(wave, format!("alarms ring: {}", ringing.join(", "))));
        }
        self.bakes.set(self.bakes.get().saturating_sub(wave.bake));
        self.note(Entry::WaveDone { wave: wave.name.clone() });
        self.tell(Progress::WaveDone { wave: wave.name.clone() });
        Ok(true)
    }

    /// The alarms that rang when a wave began, in an earlier part of the run, too.
    async fn alarms_before<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        wave: &Wave,
        stores: &BTreeSet<&str>,
    ) -> Result<BTreeSet<String>, DeployError> {
        let concerned = cells.iter().filter(|it| it.is_concerned(stores));
        let now = try_join_all(concerned.map(CellRun::note_alarms)).await?;
        let known = self.ringing.borrow().get(&wave.name).cloned();
        if let Some(known) = known {
            return Ok(known.into_iter().collect());
        }
        let ringing: Vec<_> = now.into_iter().flatten().collect();
        self.note(Entry::WaveBegun { wave: wave.name.clone(), ringing: ringing.clone() });
        Ok(ringing.into_iter().collect())
    }

    /// Watches the alarms of a wave's stores for its time; those that began to ring.
    async fn bake<C: Cloud>(
        &self,
        cells: &[CellRun<'_, '_, C>],
        wave: &Wave,
        before: &BTreeSet<String>,
    ) -> Result<Vec<String>, CloudError> {
        let stores = stores_of(wave);
        if wave.bake.is_zero() {
            return Ok(Vec::new());
        }
        self.note(Entry::Baking { wave: wave.name.clone() });
        self.tell(Progress::Baking { wave: wave.name.clone(), time: wave.bake });
        let end = Instant::now() + wave.bake;
        loop {
            let concerned = cells.iter().filter(|it| it.is_concerned(&stores));
            let ringing = try_join_all(concerned.map(|it| it.ringing(&stores, before))).await?;
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

    /// Counts what was not begun, or whose end is not known.
    fn leave<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>]) {
        for cell in cells {
            for (stack, is_open) in cell.uncounted() {
                let outcome = match is_open {
                    _ if self.is_executed(&stack) => Outcome::UnderWay,
                    true => Outcome::Left,
                    false => Outcome::Unchanged,
                };
                self.count(&stack, outcome);
            }
        }
    }

    async fn tell_pace<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>]) -> Infallible {
        loop {
            sleep(PACE_LOOK).await;
            for cell in cells {
                let (stacks, streams) = cell.left();
                cell.tell_pace(stacks, streams, self.bakes.get());
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
        self.leave(cells);
        let is_whole = {
            let summary = self.summary.borrow();
            summary.left.is_empty() && summary.under_way.is_empty()
        };
        if outcome.is_ok() && is_whole {
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
        let summary = self.end(cells);
        outcome.map(|()| summary)
    }

    fn end<C: Cloud>(&self, cells: &[CellRun<'_, '_, C>]) -> Summary {
        self.leave(cells);
        for cell in cells {
            let (stacks, streams) = cell.left();
            cell.tell_pace(stacks, streams, self.bakes.get());
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
            Outcome::UnderWay => summary.under_way.push(stack.to_owned()),
        }
    }

    pub(super) fn is_counted(&self, stack: &str) -> bool {
        self.counted.borrow().contains(stack)
    }

    /// Whether a change set of a stack may have been executed, without its end being known.
    pub(super) fn is_executed(&self, stack: &str) -> bool {
        self.executed.borrow().contains(stack)
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
        let text = serde_json::to_string(&line).expect("a line is texts");
        let added = surroundings.journal.add(&text);
        match line.entry {
            Entry::Execute { stack, .. } if added.is_ok() => {
                self.executed.borrow_mut().insert(stack);
            }
            Entry::Done { stack, .. } | Entry::Failed { stack, .. } => {
                self.executed.borrow_mut().remove(&stack);
            }
            _ => {}
        }
        added
    }

    pub(super) fn journal_text(&self) -> String {
        self.surroundings.borrow().journal.text()
    }
}

/// Says of all cells that this run is still at work.
async fn beat<C: Cloud>(cells: &[CellRun<'_, '_, C>]) -> Infallible {
    loop {
        sleep(BEAT).await;
        join_all(cells.iter().map(CellRun::beat)).await;
    }
}

fn stores_of(wave: &Wave) -> BTreeSet<&str> {
    wave.stores.iter().map(Id::as_str).collect()
}
