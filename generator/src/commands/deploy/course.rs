//! How a run stands, as far as it was told: the one place where news is added up.
//!
//! The board and the log both tell from here, so that they never disagree. Pure: the time comes in
//! with each piece of news. To take in a new kind of news, start at [`Course::take`].

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::steps::Steps;
use super::words::{between, title};
use crate::deploy::progress::{Failure, Pace, Progress, WaveSize};

/// So long after a throttled call AWS is said to throttle. Our choice: a few looks of the poller.
const THROTTLED: Duration = Duration::from_secs(30);

/// How a run stands.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) run: String,
    pub(super) is_resumed: bool,
    pub(super) begun: Option<Timestamp>,
    pub(super) waves: Vec<WaveSize>,
    pub(super) wave: Option<Wave>,
    /// Why no further wave begins.
    pub(super) stopped: Option<String>,
    /// By id.
    pub(super) cells: BTreeMap<String, CellCourse>,
    /// Stacks under way, by name.
    pub(super) active: BTreeMap<String, Active>,
    /// In the order in which they were told.
    pub(super) failures: Vec<Failed>,
    pub(super) ended: Option<Timestamp>,
    announced: usize,
    done: usize,
}

/// The wave that is being carried out.
#[derive(Debug)]
pub(super) struct Wave {
    /// From 1; 0 for one that was not announced.
    pub(super) number: usize,
    pub(super) name: String,
    /// Stores in it that are to be changed.
    pub(super) stores: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
    /// Since when its alarms are watched, and for how long.
    pub(super) bakes: Option<(Timestamp, Duration)>,
    pub(super) is_over: bool,
}

/// How one cell stands.
#[derive(Debug, Default)]
pub(super) struct CellCourse {
    /// Unchanged stacks and those to be changed, once the cell was listed.
    pub(super) listed: Option<(usize, usize)>,
    pub(super) pace: Option<Pace>,
    /// Tenths of calls a second between the last two times it was told.
    pub(super) tenths_a_second: Option<u64>,
    told: Option<Timestamp>,
    throttled: Option<Timestamp>,
}

/// A stack under way.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) cell: String,
    pub(super) title: String,
    pub(super) is_store: bool,
    pub(super) since: Timestamp,
    pub(super) phase: Phase,
    pub(super) steps: Steps,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its change set is made.
    Preparing,
    Changing,
    /// Somebody else's operation is followed, which was in this status.
    Followed(String),
}

/// A stack that is not as it shall be.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) title: String,
    pub(super) failure: Failure,
}

/// How many stacks of those to be changed stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) done: usize,
    pub(super) failed: usize,
    pub(super) under_way: usize,
    pub(super) left: usize,
}

impl Tally {
    pub(super) fn total(self) -> usize {
        self.done + self.failed + self.under_way + self.left
    }
}

impl Course {
    /// Takes in a piece of news.
    pub(super) fn take(&mut self, progress: &Progress, now: Timestamp) {
        match progress {
            Progress::Begun { run, is_resumed, cells, waves, stacks } => {
                *self = Self { run: run.clone(), is_resumed: *is_resumed, ..Self::default() };
                (self.begun, self.waves, self.announced) = (Some(now), waves.clone(), *stacks);
                self.cells = cells.iter().map(|id| (id.clone(), CellCourse::default())).collect();
            }
            Progress::Listed { cell, unchanged, changing } => {
                self.cell(cell).listed = Some((*unchanged, *changing));
            }
            Progress::WaveBegun { wave } => self.begin_wave(wave),
            Progress::Baking { wave, time } => {
                self.wave_of(wave).bakes = Some((now, *time));
            }
            Progress::WaveDone { wave } => {
                let wave = self.wave_of(wave);
                (wave.bakes, wave.is_over) = (None, true);
            }
            Progress::Stopped { reason, .. } => self.stopped = Some(reason.clone()),
            Progress::Unchanged { stack, .. } => {
                // One that only its change set showed to be unchanged had counted as one to change.
                if self.active.contains_key(stack) {
                    self.finish(stack);
                }
            }
            Progress::Preparing { cell, stack, store } => {
                self.begin((cell, stack, store), Phase::Preparing, now);
            }
            Progress::Started { cell, stack, store, resources, .. } => {
                self.begin((cell, stack, store), Phase::Changing, now).steps.announce(resources);
            }
            Progress::Attached { cell, stack, store, status } => {
                self.begin((cell, stack, store), Phase::Followed(status.clone()), now);
            }
            Progress::Resource { stack, event, .. } => {
                if let Some(active) = self.active.get_mut(stack) {
                    active.steps.take(stack, event, now);
                }
            }
            Progress::Done { stack, .. } => self.finish(stack),
            Progress::Failed { cell, stack, store, cause, next } => {
                let title = title(cell, stack, store.as_deref());
                let (stack, cause, next) = (stack.clone(), cause.clone(), next.clone());
                self.fail(title, store.is_some(), Failure { stack, cause, next });
            }
            Progress::Uploaded { .. } | Progress::Warning { .. } => {}
            Progress::Pace { cell, pace } => self.cell(cell).take(*pace, now),
            Progress::Ended { .. } => self.ended = Some(now),
        }
    }

    /// How long the run took, once it is over.
    pub(super) fn took(&self) -> Option<Duration> {
        Some(between(self.begun?, self.ended?))
    }

    /// How the stacks stand that are to be changed.
    pub(super) fn tally(&self) -> Tally {
        let listed: Option<usize> =
            self.cells.values().map(|cell| cell.listed.map(|(_, changing)| changing)).sum();
        // Until all cells were listed, any stack may turn out to need a change.
        let total = listed.unwrap_or(self.announced);
        let (done, failed, under_way) = (self.done, self.failures.len(), self.active.len());
        let left = total.saturating_sub(done + failed + under_way);
        Tally { done, failed, under_way, left }
    }

    /// Stacks that need no change, in the cells that were listed.
    pub(super) fn unchanged(&self) -> usize {
        self.cells.values().filter_map(|cell| cell.listed).map(|(unchanged, _)| unchanged).sum()
    }

    /// Stores under way; what cells share is in no wave.
    pub(super) fn stores_under_way(&self) -> usize {
        self.active.values().filter(|it| it.is_store).count()
    }

    /// Time until the last stack is done; `None` while a cell that has work cannot tell.
    pub(super) fn left(&self, now: Timestamp) -> Option<Duration> {
        let tally = self.tally();
        if tally.under_way + tally.left == 0 {
            return None;
        }
        let works = |(id, cell): &(&String, &CellCourse)| {
            self.active.values().any(|it| it.cell == **id)
                || cell.listed.is_none_or(|(_, changing)| changing > 0)
        };
        let times = self.cells.iter().filter(works).map(|(_, cell)| cell.left(now));
        times.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Time until the wave's alarms were watched for long enough.
    pub(super) fn bake_left(&self, now: Timestamp) -> Option<Duration> {
        let (since, time) = self.wave.as_ref()?.bakes?;
        Some(time.saturating_sub(between(since, now)))
    }

    /// Ids of the cells whose calls AWS throttles now.
    pub(super) fn throttled(&self, now: Timestamp) -> Vec<&str> {
        let cells = self.cells.iter().filter(|(_, cell)| cell.is_throttled(now));
        cells.map(|(id, _)| id.as_str()).collect()
    }

    fn cell(&mut self, id: &str) -> &mut CellCourse {
        self.cells.entry(id.to_owned()).or_default()
    }

    fn begin_wave(&mut self, name: &str) {
        let place = self.waves.iter().position(|it| it.name == name);
        let stores = self.waves.iter().find(|it| it.name == name).map_or(0, |it| it.stacks);
        let (number, name) = (place.map_or(0, |it| it + 1), name.to_owned());
        let (done, failed, bakes, is_over) = (0, 0, None, false);
        self.wave = Some(Wave { number, name, stores, done, failed, bakes, is_over });
    }

    /// The wave under way; one that was not told to begin begins.
    fn wave_of(&mut self, name: &str) -> &mut Wave {
        if self.wave.as_ref().is_none_or(|it| it.name != name) {
            self.begin_wave(name);
        }
        self.wave.as_mut().expect("it was just begun")
    }

    fn begin(
        &mut self,
        (cell, stack, store): (&str, &str, &Option<String>),
        phase: Phase,
        now: Timestamp,
    ) -> &mut Active {
        self.failures.retain(|it| it.failure.stack != stack);
        let active = self.active.entry(stack.to_owned()).or_insert_with(|| Active {
            cell: cell.to_owned(),
            title: title(cell, stack, store.as_deref()),
            is_store: store.is_some(),
            since: now,
            phase: Phase::Preparing,
            steps: Steps::default(),
        });
        active.phase = phase;
        active
    }

    fn finish(&mut self, stack: &str) {
        let active = self.active.remove(stack);
        self.done += 1;
        if let Some(wave) = self.wave.as_mut().filter(|_| active.is_some_and(|it| it.is_store)) {
            wave.done += 1;
        }
    }

    fn fail(&mut self, title: String, is_store: bool, failure: Failure) {
        self.active.remove(&failure.stack);
        self.failures.retain(|it| it.failure.stack != failure.stack);
        self.failures.push(Failed { title, failure });
        if let Some(wave) = self.wave.as_mut().filter(|_| is_store) {
            wave.failed += 1;
        }
    }
}

impl CellCourse {
    fn take(&mut self, pace: Pace, now: Timestamp) {
        let calls = |pace: Pace| pace.reads + pace.writes;
        let earlier = self.pace.unwrap_or_default();
        if let Some(time) = self.told.map(|told| between(told, now)).filter(|it| !it.is_zero()) {
            let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let made = calls(pace).saturating_sub(calls(earlier));
            self.tenths_a_second = Some(made.saturating_mul(10_000) / millis.max(1));
        }
        if pace.throttled > earlier.throttled {
            self.throttled = Some(now);
        }
        (self.pace, self.told) = (Some(pace), Some(now));
    }

    /// Whether AWS throttled a call a short while ago.
    pub(super) fn is_throttled(&self, now: Timestamp) -> bool {
        self.throttled.is_some_and(|told| between(told, now) < THROTTLED)
    }

    /// What was told is less by the time since.
    fn left(&self, now: Timestamp) -> Option<Duration> {
        let left = self.pace?.left?;
        Some(left.saturating_sub(between(self.told?, now)))
    }
}
