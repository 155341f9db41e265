//! What a run adds up to, as its last words: the answer on standard output.
//!
//! Every failure has one line of cause and one command; what was not begun says why. Pure. To word
//! the end otherwise, start at [`text`].

use super::course::Course;
use super::words::elapsed;
use crate::console::count;
use crate::dead_letter::printable;
use crate::deploy::progress::Summary;
use crate::error::CommandError;

/// Most names on one line. Our choice: what is read at a glance.
const NAMES_MAX: usize = 5;

/// The last words for people; `next` is the command that carries on with what is not done.
pub(super) fn text(summary: &Summary, course: &Course, next: Option<&str>) -> String {
    let Summary { changed, unchanged, failed, left, under_way } = summary;
    let mut counts = vec![
        format!("{} deployed", count(changed.len(), "stack")),
        format!("{} unchanged", unchanged.len()),
    ];
    let others =
        [(failed.len(), "failed"), (under_way.len(), "under way still"), (left.len(), "not begun")];
    let others = others.into_iter().filter(|(number, _)| *number > 0);
    counts.extend(others.map(|(number, what)| format!("{number} {what}")));
    counts.extend(course.took().map(|took| format!("in {}", elapsed(took))));
    let mut parts = vec![counts.join(", ") + "\n"];
    parts.extend(failed.iter().map(|failure| {
        let told = course.failures.iter().find(|it| it.failure.stack == failure.stack);
        let title = printable(told.map_or(&failure.stack, |it| &it.title));
        let (cause, next) = (printable(&failure.cause), printable(&failure.next));
        format!("FAILED {title}\n  cause: {cause}\n  next:  {next}\n")
    }));
    if !under_way.is_empty() {
        parts.push(format!("CloudFormation goes on with\n  {}\n", names(under_way)));
    }
    if !left.is_empty() {
        let why = course.stopped.as_deref().map_or(String::new(), |it| format!(": {it}"));
        parts.push(format!("not begun{}\n  {}\n", printable(&why), names(left)));
    }
    let is_whole = failed.is_empty() && left.is_empty() && under_way.is_empty();
    if let Some(next) = next.filter(|_| !is_whole) {
        parts.push(format!("to carry on: {next}\n"));
    }
    parts.join("\n")
}

/// A run that did not do everything is an error of its own kind.
pub(super) fn outcome(summary: &Summary) -> Result<(), CommandError> {
    let failed: Vec<_> = summary.failed.iter().map(|it| it.stack.clone()).collect();
    let left = &summary.left;
    match (failed.len(), left.len()) {
        (0, 0) => Ok(()),
        (0, number) => Err(CommandError::Partly(format!(
            "{} not begun: {}",
            count(number, "stack"),
            names(left)
        ))),
        (number, 0) => Err(CommandError::Partly(format!(
            "{} failed: {}",
            count(number, "stack"),
            names(&failed)
        ))),
        (number, more) => Err(CommandError::Partly(format!(
            "{} failed: {}; {more} not begun",
            count(number, "stack"),
            names(&failed)
        ))),
    }
}

/// The first names, and how many more there are.
fn names(all: &[String]) -> String {
    let shown: Vec<_> = all.iter().take(NAMES_MAX).map(|it| printable(it)).collect();
    match all.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
