//! A run as a log tells it: one line for each turn of a stack, and one every half minute.
//!
//! Each line begins with the time, by universal time, and stands for itself: a log has no lines to
//! draw over. In GitHub Actions a wave is a group that can be folded, and a failure is an annotation
//! besides. Pure. To word a piece of news, start at [`Lines::news`].

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::course::{Active, Course, Phase};
use super::words::{between, countdown, elapsed, is_named, left, noun, rank, title, utc};
use crate::console::count;
use crate::dead_letter::printable;
use crate::deploy::progress::Progress;
use crate::report::github::{message, property};

/// Time between two signs of life. Our choice: CI servers kill what is silent for ten minutes, people
/// grow uneasy after one.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Who reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Anybody,
    GithubActions,
}

/// The log of a run so far.
#[derive(Debug)]
pub(super) struct Lines {
    course: Course,
    reader: Reader,
    last_heartbeat: Option<Timestamp>,
    has_group: bool,
}

impl Lines {
    pub(super) fn new(reader: Reader) -> Self {
        Self { course: Course::default(), reader, last_heartbeat: None, has_group: false }
    }

    pub(super) fn course(&self) -> &Course {
        &self.course
    }

    /// Takes in a piece of news; returns the lines that tell it, each with its end.
    pub(super) fn take(&mut self, progress: &Progress, now: Timestamp) -> String {
        let (undone, before) = match progress {
            Progress::Resource { stack, .. }
            | Progress::Done { stack, .. }
            | Progress::Unchanged { stack, .. }
            | Progress::Failed { stack, .. } => {
                let active = self.course.active.get(stack);
                (active.is_some_and(|it| it.steps.is_undone), active.map(|it| it.since))
            }
            _ => (false, None),
        };
        if matches!(progress, Progress::Begun { .. }) {
            self.last_heartbeat = Some(now);
        }
        self.course.take(progress, now);
        let mut text = self.group_end(progress);
        let took = before.map(|since| elapsed(between(since, now)));
        for line in self.news(progress, undone, took) {
            text += &dated(now, &line);
        }
        text + &self.group_begin(progress) + &self.annotation(progress)
    }

    /// To be called often; returns a line when it is time for a sign of life.
    pub(super) fn tick(&mut self, now: Timestamp) -> String {
        let is_over = self.course.ended.is_some();
        let due = self.last_heartbeat.is_some_and(|last| between(last, now) >= HEARTBEAT);
        if is_over || !due {
            return String::new();
        }
        self.last_heartbeat = Some(now);
        dated(now, &format!("still at it: {}", self.standing(now)))
    }

    /// The lines of a piece of news; resources are told only by what they do to their stack.
    fn news(&self, progress: &Progress, undone: bool, took: Option<String>) -> Vec<String> {
        let took = took.map_or(String::new(), |it| format!(" after {it}"));
        let line = match progress {
            Progress::Begun { stacks, .. } => self.begun(*stacks),
            Progress::Listed { cell, unchanged, changing } => {
                format!(
                    "{cell}: {}, {unchanged} unchanged",
                    count(*changing, "stack") + " to change"
                )
            }
            Progress::WaveBegun { wave } => {
                let stores = self.course.wave.as_ref().map_or(0, |it| it.stores);
                format!("wave {wave} begins: {}", count(stores, "store"))
            }
            Progress::Baking { wave, time } => {
                format!(
                    "wave {wave}: all stacks ended, its alarms are watched for {}",
                    elapsed(*time)
                )
            }
            Progress::WaveDone { wave } => format!("wave {wave} is over: {}", self.wave_counts()),
            Progress::Stopped { wave, reason } => {
                format!("STOPPED in wave {wave}, no further wave begins: {reason}")
            }
            Progress::Unchanged { cell, stack, store } if !took.is_empty() => {
                format!("{}: unchanged{took}", title(cell, stack, store.as_deref()))
            }
            Progress::Started { cell, stack, store, creates, resources } => {
                let verb = if *creates { "creating" } else { "updating" };
                format!("{}: {verb} {}", title(cell, stack, store.as_deref()), kinds(resources))
            }
            Progress::Attached { cell, stack, store, status } => {
                let title = title(cell, stack, store.as_deref());
                format!("{title}: followed, it is under way already ({status})")
            }
            Progress::Resource { stack, .. } => return self.undoing(stack, undone),
            Progress::Done { cell, stack, store } => {
                format!("{}: done{took}", title(cell, stack, store.as_deref()))
            }
            Progress::Failed { cell, stack, store, cause, next } => {
                let title = title(cell, stack, store.as_deref());
                let first = format!("FAILED {title}{took}: {cause}");
                return vec![first, format!("  next for {title}: {next}")];
            }
            Progress::Uploaded { cell, key, bytes, was_there: false } => {
                format!("{cell}: uploaded {key} ({bytes} bytes)")
            }
            Progress::Warning { cell, text } => format!("warning: {cell}: {text}"),
            Progress::Unchanged { .. }
            | Progress::Preparing { .. }
            | Progress::Uploaded { .. }
            | Progress::Pace { .. }
            | Progress::Ended { .. } => return Vec::new(),
        };
        vec![line]
    }

    fn begun(&self, stacks: usize) -> String {
        let Course { run, is_resumed, waves, cells, .. } = &self.course;
        let verb = if *is_resumed { "goes on" } else { "begins" };
        let waves: Vec<_> = waves.iter().map(|it| format!("{} ({})", it.name, it.stacks)).collect();
        let waves = if waves.is_empty() { "none".to_owned() } else { waves.join(", ") };
        let (stacks, cells) = (count(stacks, "stack"), count(cells.len(), "cell"));
        format!("run {run} {verb}: {stacks} in {cells}; waves and their stores: {waves}")
    }

    /// A stack that turns to undoing says so, once.
    fn undoing(&self, stack: &str, undone: bool) -> Vec<String> {
        let Some(active) = self.course.active.get(stack).filter(|it| it.steps.is_undone && !undone)
        else {
            return Vec::new();
        };
        let cause = active.steps.trouble.as_ref().map_or(String::new(), |it| format!(": {it}"));
        vec![format!("{}: rolling back{cause}", active.title)]
    }

    fn wave_counts(&self) -> String {
        let (done, failed) = self.course.wave.as_ref().map_or((0, 0), |it| (it.done, it.failed));
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        format!("{done} done{failed}")
    }

    /// Where the run stands, on one line.
    fn standing(&self, now: Timestamp) -> String {
        let mut parts = Vec::new();
        match (&self.course.wave, self.course.bake_left(now)) {
            (Some(wave), Some(left)) => {
                parts.push(format!("wave {} baking, {} left", wave.name, countdown(left)));
            }
            (Some(wave), None) => {
                let total = wave.stores.max(wave.done + wave.failed);
                parts.push(format!("wave {} {}/{total} done", wave.name, wave.done));
            }
            (None, _) => {
                let tally = self.course.tally();
                parts.push(format!("{}/{} stacks done", tally.done, tally.total()));
            }
        }
        if let failed @ 1.. = self.course.failures.len() {
            parts.push(format!("{failed} failed"));
        }
        if let Some(oldest) = self.oldest() {
            let time = elapsed(between(oldest.since, now));
            let under_way = self.course.active.len();
            parts.push(format!("{under_way} under way ({} {time})", oldest.title));
        }
        let throttled = self.course.throttled(now);
        if !throttled.is_empty() {
            parts.push(format!("AWS throttles {}", throttled.join(", ")));
        }
        parts.extend(self.course.left(now).map(left));
        parts.join(", ")
    }

    /// The stack that takes longest.
    fn oldest(&self) -> Option<&Active> {
        let is_begun = |it: &&Active| it.phase != Phase::Preparing;
        let active = || self.course.active.values();
        active().filter(is_begun).min_by_key(|it| it.since).or(active().min_by_key(|it| it.since))
    }

    fn group_begin(&mut self, progress: &Progress) -> String {
        match progress {
            Progress::WaveBegun { wave } if self.reader == Reader::GithubActions => {
                self.has_group = true;
                format!("::group::wave {}\n", message(&printable(wave)))
            }
            _ => String::new(),
        }
    }

    /// What ends a wave is told below its group, where it is seen without unfolding.
    fn group_end(&mut self, progress: &Progress) -> String {
        let ends = matches!(
            progress,
            Progress::WaveBegun { .. } | Progress::WaveDone { .. } | Progress::Ended { .. }
        );
        if !(ends && self.has_group) {
            return String::new();
        }
        self.has_group = false;
        "::endgroup::\n".to_owned()
    }

    /// A failure is seen on the page of the run too, where nobody unfolds a group.
    fn annotation(&self, progress: &Progress) -> String {
        match (progress, self.reader) {
            (Progress::Failed { cell, stack, store, cause, next }, Reader::GithubActions) => {
                let title = format!("{} failed", title(cell, stack, store.as_deref()));
                let text = format!("{}\nnext: {}", printable(cause), printable(next));
                format!("::error title={}::{}\n", property(&printable(&title)), message(&text))
            }
            _ => String::new(),
        }
    }
}

/// `40 camera streams, 5 alert rules, 3 others`.
fn kinds(resources: &BTreeMap<String, usize>) -> String {
    let mut named: Vec<_> = resources.iter().filter(|(kind, _)| is_named(kind)).collect();
    named.sort_by_key(|(kind, _)| rank(kind));
    let mut told: Vec<_> = named
        .into_iter()
        .map(|(kind, number)| format!("{number} {}", noun(kind, *number)))
        .collect();
    let unnamed = resources.iter().filter(|(kind, _)| !is_named(kind));
    match unnamed.map(|(_, number)| number).sum() {
        0_usize => {}
        rest if told.is_empty() => told.push(count(rest, "resource")),
        rest => told.push(count(rest, "other")),
    }
    if told.is_empty() { "no resources".to_owned() } else { told.join(", ") }
}

/// A line with its time; texts from AWS cannot begin another.
fn dated(now: Timestamp, line: &str) -> String {
    format!("{} {}\n", utc(now), printable(line))
}

#[cfg(test)]
mod tests;
