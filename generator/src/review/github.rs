//! A review as workflow commands of GitHub Actions: notes at the lines of a pull request.
//!
//! GitHub shows ten notes of each level of one step and drops the rest in silence, so no more are
//! written, the weightiest first, and the last line counts what is left out. Source: GitHub
//! documentation, "Workflow commands for GitHub Actions"; the limit: "Annotations" of its runner.

use super::words::{self, Detail, count, done, file, headline, place, places, text_for, title};
use super::{Cause, Finding, Group, Review};
use crate::report::github::{message, property};

/// Notes of each level that GitHub shows of one step.
const SHOWN_MAX: usize = 10;

/// One command per finding, at the first line that caused it; then the headline.
pub fn github(review: &Review) -> String {
    let (mut text, mut left) = (String::new(), 0);
    for (weight, level) in [("error", "error"), ("warning", "warning"), ("note", "notice")] {
        // The last note of this level says what the change does.
        let most = if level == "notice" { SHOWN_MAX - 1 } else { SHOWN_MAX };
        let found = review.findings.iter().filter(|it| words::level(&it.what) == weight);
        let found: Vec<_> = found.collect();
        left += found.len().saturating_sub(most);
        text.extend(found.into_iter().take(most).map(|it| command(level, it)));
    }
    let mut sentence = headline(review);
    if left > 0 {
        sentence.extend([format!("; {} without a note here", count(left, "finding"))]);
    }
    for omission in &review.omissions {
        sentence.extend([format!("\nnot compared: {}", words::plain(&omission.text))]);
    }
    text + &format!("::notice title=arm diff::{}\n", message(&sentence))
}

fn command(level: &str, group: &Group<Finding>) -> String {
    let mut text = text_for(&group.what.text, &group.subjects);
    let places = places(&group.subjects, Detail::Summary);
    if !places.is_empty() {
        text.extend([format!("\n{places}")]);
    }
    // A line that is there now takes the note; one of the earlier side is only named.
    let first = group.causes.iter().find(|it| !it.is_before).or(group.causes.first());
    let at = first.map(at).unwrap_or_default();
    if let Some(cause) = first {
        text.extend([format!("\n{}  {}", place(cause), done(cause))]);
    }
    if group.causes.len() > 1 {
        text.extend([format!("\nand {}", count(group.causes.len() - 1, "more line"))]);
    }
    let title = property(&format!("arm diff: {}", title(group.what.class)));
    format!("::{level} {at}title={title}::{}\n", message(text.trim_end()))
}

fn at(cause: &Cause) -> String {
    let file = property(&file(cause));
    if cause.is_before {
        format!("file={file},")
    } else {
        format!("file={file},line={},", cause.line)
    }
}
