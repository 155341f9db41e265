//! A run as a terminal shows it: a picture of where it stands, drawn again and again.
//!
//! Above stand the wave, the whole fleet and the cells; then what is under way; failures stay at the
//! bottom until the end. A picture is never wider or higher than it may be: what has no room is
//! summed up. Pure: [`Board::draw`] makes rows, `screen` brings them to the terminal. To show more of
//! a stack, start at [`active_row`].

use std::time::Duration;

use jiff::Timestamp;

use super::course::{Active, CellCourse, Course, Failed, Phase, Tally, Wave};
use super::row::{Row, Tone, padded, width_of};
use super::steps::{State, Told};
use super::words::{between, countdown, elapsed, left};
use crate::console::count;
use crate::deploy::progress::Progress;
use crate::diagnostic::Colour;
use crate::paragraph::wrapped_to;

/// From so many rows on, blank rows part the picture. Our choice: two thirds of the smallest usual
/// terminal, 24 rows.
const ROOMY: usize = 16;

/// Least and most columns of a bar, and of a stack's name. Our choice: what the eye takes in at once.
const BAR_MIN: usize = 16;
const BAR_MAX: usize = 40;
const TITLE_MAX: usize = 28;

/// Most rows of one failure's cause. Our choice: the end tells it in full.
const CAUSE_ROWS_MAX: usize = 2;

/// The picture of a run.
#[derive(Debug)]
pub(super) struct Board {
    course: Course,
    colour: Colour,
}

impl Board {
    pub(super) fn new(colour: Colour) -> Self {
        Self { course: Course::default(), colour }
    }

    pub(super) fn course(&self) -> &Course {
        &self.course
    }

    /// Takes in a piece of news.
    pub(super) fn take(&mut self, progress: &Progress, now: Timestamp) {
        self.course.take(progress, now);
    }

    /// The picture at a moment: at most so many rows, none of them wider than that.
    pub(super) fn draw(&self, now: Timestamp, width: usize, height: usize) -> Vec<String> {
        if self.course.begun.is_none() {
            return Vec::new();
        }
        let gap = usize::from(height >= ROOMY);
        let mut blocks = vec![vec![self.header(width, now), self.bar(width), self.times(now)]];
        blocks.push(self.cells((height / 6).max(1), now));
        let failures = self.failures(width, (height / 3).max(3));
        let used: usize = blocks.iter().chain([&failures]).map(Vec::len).sum();
        let blanks = gap * if failures.is_empty() { 2 } else { 3 };
        let room = height.saturating_sub(used + blanks);
        blocks.extend([self.active(width, room, now), failures]);
        let mut rows = Vec::new();
        for block in blocks.into_iter().filter(|it| !it.is_empty()) {
            if !rows.is_empty() && gap > 0 {
                rows.push(Row::default());
            }
            rows.extend(block);
        }
        rows.iter().take(height).map(|row| row.render(width, self.colour)).collect()
    }

    /// Which wave it is, and at the right the run's name, by which it is resumed.
    fn header(&self, width: usize, now: Timestamp) -> Row {
        let course = &self.course;
        let row = match (&course.stopped, &course.wave) {
            (Some(reason), _) => Row::of(Tone::Bad, "stopped: ").then(Tone::Strong, reason),
            (None, Some(wave)) => self.wave(wave, now),
            (None, None) if course.cells.values().any(|it| it.listed.is_none()) => {
                let cells = count(course.cells.len(), "cell");
                Row::of(Tone::Strong, &format!("asking {cells} what is deployed"))
            }
            (None, None) => Row::of(Tone::Strong, "what the stores share comes first"),
        };
        let verb = if course.is_resumed { "run (resumed)" } else { "run" };
        let name = Row::of(Tone::Quiet, &format!("{verb} {}", course.run));
        match width.checked_sub(row.width() + name.width()) {
            Some(room @ 2..) => row
                .then(Tone::Plain, &" ".repeat(room))
                .then(Tone::Quiet, &format!("{verb} {}", course.run)),
            _ => row,
        }
    }

    fn wave(&self, wave: &Wave, now: Timestamp) -> Row {
        let waves = self.course.waves.len();
        let name = match wave.number {
            0 => format!("wave {}", wave.name),
            number => format!("wave {number} of {waves}: {}", wave.name),
        };
        let total = wave.stores.max(wave.done + wave.failed);
        let row = Row::of(Tone::Strong, &name);
        if let Some(left) = self.course.bake_left(now) {
            let stores = count(total, "store");
            return row
                .then(Tone::Plain, &format!(", {stores}, "))
                .then(Tone::Busy, &format!("baking {} left", countdown(left)));
        }
        let row =
            row.then(Tone::Plain, &format!(", {} of {} done", wave.done, count(total, "store")));
        let row = match wave.failed {
            0 => row,
            failed => row.then(Tone::Plain, ", ").then(Tone::Bad, &format!("{failed} failed")),
        };
        match self.course.stores_under_way() {
            _ if wave.is_over => row.then(Tone::Plain, "; over"),
            0 => row,
            under_way => row.then(Tone::Plain, &format!(", {under_way} under way")),
        }
    }

    /// The whole fleet as a bar with letters of its own for each kind, and the same in numbers.
    fn bar(&self, width: usize) -> Row {
        let tally = self.course.tally();
        let mut numbers = format!("{} of {} done", tally.done, tally.total());
        let parts =
            [(tally.failed, "failed"), (tally.under_way, "under way"), (tally.left, "left")];
        for (number, what) in parts.into_iter().filter(|it| it.0 > 0) {
            numbers = format!("{numbers}, {number} {what}");
        }
        // As wide whatever the numbers are: a bar that changes its width says nothing.
        let cells = (width * 3 / 10).min(BAR_MAX);
        if cells < BAR_MIN {
            return Row::of(Tone::Plain, &numbers);
        }
        let [done, failed, under_way, left] = shares(tally, cells);
        Row::of(Tone::Plain, "[")
            .then(Tone::Good, &"#".repeat(done))
            .then(Tone::Bad, &"x".repeat(failed))
            .then(Tone::Busy, &"=".repeat(under_way))
            .then(Tone::Quiet, &".".repeat(left))
            .then(Tone::Plain, &format!("]  {numbers}"))
    }

    /// How long it took, and will take as far as that is known.
    fn times(&self, now: Timestamp) -> Row {
        let so_far = self.course.begun.map_or(Duration::ZERO, |begun| between(begun, now));
        let so_far = format!("{} so far", elapsed(so_far));
        let row = match self.course.left(now) {
            Some(time) => {
                Row::of(Tone::Strong, &left(time)).then(Tone::Plain, &format!(", {so_far}"))
            }
            None => Row::of(Tone::Plain, &so_far),
        };
        match self.course.unchanged() {
            0 => row,
            unchanged => {
                row.then(Tone::Quiet, &format!("; {} unchanged", count(unchanged, "stack")))
            }
        }
    }

    /// A row for each cell, or one for all.
    fn cells(&self, room: usize, now: Timestamp) -> Vec<Row> {
        let cells = &self.course.cells;
        let at_once = |id: &str| self.course.active.values().filter(|it| it.cell == id).count();
        let wide = cells.keys().map(|id| width_of(id)).max().unwrap_or(0).min(TITLE_MAX);
        if cells.len() <= room {
            let row = |(id, cell): (&String, &CellCourse)| {
                cell_row(Row::of(Tone::Plain, &padded(id, wide)), cell, at_once(id), now)
            };
            return cells.iter().map(row).collect();
        }
        let tenths: u64 = cells.values().filter_map(|cell| cell.tenths_a_second).sum();
        let row = Row::of(Tone::Plain, &count(cells.len(), "cell"))
            .then(Tone::Quiet, &format!("  {}", a_second(tenths)));
        let throttled = self.course.throttled(now);
        if throttled.is_empty() {
            return vec![row];
        }
        vec![row.then(Tone::Warning, &format!(", AWS throttles {}", throttled.join(", ")))]
    }

    /// What is under way: what goes wrong first, then what takes longest.
    fn active(&self, width: usize, room: usize, now: Timestamp) -> Vec<Row> {
        let mut active: Vec<_> = self.course.active.values().collect();
        active.sort_by_key(|it| (!it.steps.is_undone, it.phase == Phase::Preparing, it.since));
        let fits = if active.len() <= room { active.len() } else { room.saturating_sub(1) };
        let (shown, rest) = active.split_at(fits);
        let wide = shown.iter().map(|it| width_of(&it.title)).max().unwrap_or(0).min(TITLE_MAX);
        let mut rows: Vec<_> =
            shown.iter().map(|active| active_row(active, wide, width, now)).collect();
        if !rest.is_empty() {
            let and = if shown.is_empty() { "" } else { "and " };
            let more = if shown.is_empty() { "" } else { " more" };
            rows.push(Row::of(Tone::Quiet, &format!("{and}{}{more} under way", rest.len())));
        }
        rows
    }

    /// The failures, the newest of them if there is no room for all.
    fn failures(&self, width: usize, room: usize) -> Vec<Row> {
        let failures = &self.course.failures;
        let mut blocks: Vec<Vec<Row>> = Vec::new();
        let mut used = 0;
        for (more, failed) in failures.iter().rev().enumerate() {
            let is_last = more + 1 == failures.len();
            let free = room.saturating_sub(used + usize::from(!is_last));
            let cause_rows = free.saturating_sub(1).min(CAUSE_ROWS_MAX);
            if cause_rows == 0 {
                break;
            }
            let block = failure_rows(failed, width, cause_rows);
            used += block.len();
            blocks.push(block);
        }
        let hidden = failures.len() - blocks.len();
        let mut rows: Vec<Row> = blocks.into_iter().rev().flatten().collect();
        if hidden > 0 {
            let text = format!("and {hidden} more failed; the end names all");
            rows.push(Row::of(Tone::Bad, &text));
        }
        rows
    }
}

/// Columns of a bar for each kind; what there is has at least one.
fn shares(tally: Tally, cells: usize) -> [usize; 4] {
    let Tally { done, failed, under_way, left } = tally;
    let total = tally.total();
    if total == 0 {
        return [0, 0, 0, cells];
    }
    let share = |number: usize| (number * cells / total).max(usize::from(number > 0));
    let mut shares = [done, failed, under_way, left].map(share);
    // What rounding lost or added is the widest kind's.
    let used: usize = shares.iter().sum();
    if let Some(widest) = shares.iter_mut().max() {
        *widest = (*widest + cells).saturating_sub(used);
    }
    shares
}

/// `3.4 calls/s`.
fn a_second(tenths: u64) -> String {
    format!("{}.{} calls/s", tenths / 10, tenths % 10)
}

fn cell_row(row: Row, cell: &CellCourse, at_once: usize, now: Timestamp) -> Row {
    let Some(pace) = cell.pace else {
        let state = match cell.listed {
            None => "is asked what is deployed".to_owned(),
            Some((_, changing)) => format!("{} to change", count(changing, "stack")),
        };
        return row.then(Tone::Quiet, &format!("  {state}"));
    };
    let mut text = format!("{at_once} of {} at once", pace.parallel.max(at_once));
    if let Some(tenths) = cell.tenths_a_second {
        text = format!("{text}, {}", a_second(tenths));
    }
    let row = row.then(Tone::Plain, "  ");
    if cell.is_throttled(now) {
        let calls = count(usize::try_from(pace.throttled).unwrap_or(usize::MAX), "call");
        let trouble = format!("AWS throttles ({calls}), reads <= {:.1}/s", pace.reads_per_second);
        return row.then(Tone::Warning, &trouble).then(Tone::Plain, &format!("; {text}"));
    }
    let row = row.then(Tone::Plain, &text);
    match pace.throttled {
        0 => row,
        throttled => row.then(Tone::Quiet, &format!(", {throttled} throttled so far")),
    }
}

/// A stack under way: its name, its time, its steps.
fn active_row(active: &Active, wide: usize, width: usize, now: Timestamp) -> Row {
    let time = elapsed(between(active.since, now));
    let row = Row::of(Tone::Strong, &padded(&active.title, wide))
        .then(Tone::Quiet, &format!("  {time:>6}  "));
    if active.steps.is_undone {
        let cause = active.steps.trouble.as_ref().map_or(String::new(), |it| format!(": {it}"));
        return row.then(Tone::Bad, "rolling back").then(Tone::Plain, &cause);
    }
    let steps = active.steps.told(now);
    let row = match &active.phase {
        Phase::Preparing => return row.then(Tone::Quiet, "change set being made"),
        Phase::Changing => row,
        Phase::Followed(status) if steps.is_empty() => {
            return row.then(Tone::Quiet, &format!("followed, it was {status} already"));
        }
        Phase::Followed(_) => row.then(Tone::Quiet, "followed: "),
    };
    steps_row(row, &steps, width)
}

/// The steps behind a name, as many as have room; those that are done give way first.
fn steps_row(row: Row, steps: &[Told], width: usize) -> Row {
    /// Columns of what says that some are hidden, such as ", +3 done".
    const MORE: usize = 9;
    let mut room = width.saturating_sub(row.width());
    let wide = |step: &Told| width_of(&step.text) + 2;
    if steps.iter().map(wide).sum::<usize>() > room + 2 {
        room = room.saturating_sub(MORE);
    }
    // By place, so that what is shown stays in its order.
    let mut shown: Vec<_> = (0..steps.len()).collect();
    shown.sort_by_key(|place| steps.get(*place).map(|it| it.state));
    let first = shown.first().copied();
    shown.retain(|place| {
        let needed = steps.get(*place).map_or(0, wide);
        let fits = needed <= room + 2 || first == Some(*place);
        room = room.saturating_sub(if fits { needed } else { 0 });
        fits
    });
    shown.sort_unstable();
    let mut row = row;
    let mut between = "";
    for step in shown.iter().filter_map(|place| steps.get(*place)) {
        let tone = if step.state == State::Done { Tone::Quiet } else { Tone::Plain };
        row = row.then(tone, &format!("{between}{}", step.text));
        between = ", ";
    }
    let hidden = || steps.iter().enumerate().filter(|(place, _)| !shown.contains(place));
    let what = if hidden().all(|(_, step)| step.state == State::Done) { "done" } else { "more" };
    match hidden().count() {
        0 => row,
        number => row.then(Tone::Quiet, &format!("{between}+{number} {what}")),
    }
}

/// A failure: its cause in so many rows, and the command to run next.
fn failure_rows(failed: &Failed, width: usize, cause_rows: usize) -> Vec<Row> {
    const MARK: &str = "FAILED ";
    let text = one_line(&format!("{}: {}", failed.title, failed.failure.cause));
    let text = wrapped_to(width, MARK, &text);
    let lines: Vec<_> = text.lines().collect();
    let mut rows = Vec::new();
    for (place, line) in lines.iter().take(cause_rows).enumerate() {
        let is_cut = place + 1 == cause_rows && lines.len() > cause_rows;
        // What is left out is clipped with the row, so that dots show it.
        let rest = lines.get(place + 1).filter(|_| is_cut).map_or("", |it| it.trim_start());
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest}") };
        rows.push(match line.strip_prefix(MARK) {
            Some(line) => Row::of(Tone::Bad, MARK).then(Tone::Plain, &format!("{line}{rest}")),
            None => Row::of(Tone::Plain, &format!("{line}{rest}")),
        });
    }
    let next = Row::of(Tone::Quiet, &padded("", MARK.len())).then(Tone::Quiet, "next: ");
    rows.push(next.then(Tone::Strong, &failed.failure.next));
    rows
}

/// A text without breaks of lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
