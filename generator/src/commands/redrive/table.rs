//! What a redrive found and did, for people: letters by reason first, what became of how many last.
//!
//! Of letters that are alike three are shown; of alerts all, because somebody must be told. To change
//! what is said of a kind, start in [`became_words`].

use std::collections::BTreeMap;

use casework::time::rfc3339;

use super::unfound;
use crate::console::count;
use crate::dead_letter::{DeadLetters, Useless, printable};
use crate::paragraph::wrapped_to;
use crate::redrive::{Became, Entry, LETTERS_MAX, Looked, Mode, NOT_UNDERSTOOD, Report, Request};

/// Most letters of one reason that people are shown. Our choice; programs get all.
const EXAMPLES_MAX: usize = 3;

/// Most cases that people are shown one by one. Our choice: two screens; programs get all.
const SHOWN_MAX: usize = 50;

pub(super) fn table(report: &Report, request: &Request<'_>, width: usize) -> String {
    let (cell, mode) = (request.cell, request.mode);
    let dry = if mode == Mode::Look { "; nothing was changed" } else { "" };
    let mut text = format!("cell {}, account {}, {}{dry}\n", cell.id, cell.account, cell.region);
    let mut say = |mark: &str, words: &str| text.push_str(&wrapped_to(width, mark, words));
    letters(report, &mut say);
    for entry in report.dropped.iter().filter(|it| it.alert.is_none()).take(SHOWN_MAX) {
        let done = if mode == Mode::Look { "would be deleted" } else { "deleted" };
        say("  - ", &format!("{} {} {done}, {}", entry.kind, entry.id, entry.reason));
    }
    for entry in report.left.iter().chain(&report.dropped).filter(|it| it.alert.is_some()) {
        say("  - ", &alert(entry));
    }
    for useless in &report.useless {
        let (noun, word) = (useless.noun().replace('-', " "), useless.as_str());
        say("  - ", &format!("{noun}: {}. `--drop {word}` deletes them", useless.meaning()));
    }
    clips(report, mode, &mut say);
    queues(report, &mut say);
    for id in unfound(report, request) {
        say("  ! ", &format!("no letter `{}` was among those that were read", printable(id)));
    }
    sums(report, mode, &mut text);
    text
}

/// Letters that are left, by their reasons.
fn letters(report: &Report, say: &mut impl FnMut(&str, &str)) {
    let mut groups: BTreeMap<(DeadLetters, &str), Vec<&Entry>> = BTreeMap::new();
    let useless = [Useless::StaleWindows, Useless::Ticks, Useless::Alerts].map(Useless::noun);
    for entry in report.left.iter().filter(|it| !useless.contains(&it.kind)) {
        groups.entry((entry.queue, &entry.reason)).or_default().push(entry);
    }
    for ((queue, reason), entries) in groups {
        let letters = count(entries.len(), "letter");
        say("  ! ", &format!("{} of {}: {}", letters, queue.as_str(), printable(reason)));
        for entry in entries.iter().take(EXAMPLES_MAX) {
            let aws = entry.from_aws.as_ref().map(|it| format!("; AWS: {it}")).unwrap_or_default();
            say("      ", &format!("{}{aws}  {}", printable(&entry.id), entry.excerpt));
        }
        let more = entries.len().saturating_sub(EXAMPLES_MAX);
        if more > 0 {
            say("      ", &format!("and {more} more; `--format json` names them all"));
        }
    }
    if report.left.iter().any(|it| it.kind == NOT_UNDERSTOOD) {
        say("  - ", "a letter that nothing can be made of is deleted by `--drop-letter ID`");
    }
}

fn alert(entry: &Entry) -> String {
    let Some(alert) = &entry.alert else { return String::new() };
    let aws = entry.from_aws.as_deref().unwrap_or("AWS says no reason");
    format!("alert of {}, {}: {} ({aws})", alert.topic, alert.at, alert.subject)
}

/// What is known of the queues themselves.
fn queues(report: &Report, say: &mut impl FnMut(&str, &str)) {
    for (queue, looked) in &report.queues {
        let name = queue.as_str();
        match looked {
            Looked::Whole => {}
            Looked::NotTried => say("  ! ", &format!("{name} was not looked at")),
            Looked::Stopped => {
                say("  ! ", &format!("{name} was not looked at to its end: stopped"));
            }
            Looked::Failed(error) => {
                say("  ! ", &format!("{name} was not looked at to its end: {error}"));
            }
        }
    }
    let hidden = "hidden by another run for up to 10 min: run it again then";
    for (queue, number) in &report.hidden {
        let (are, s) = if *number == 1 { ("is", "") } else { ("are", "s") };
        say("  ! ", &format!("{}: {number} letter{s} {are} {hidden}", queue.as_str()));
    }
    for (queue, number) in &report.still_hidden {
        let letters = count(*number, "letter");
        let name = queue.as_str();
        say(
            "  ! ",
            &format!("{name}: {letters} could not be made visible again; SQS does within 10 min"),
        );
    }
    for queue in &report.more {
        let name = queue.as_str();
        say(
            "  ! ",
            &format!(
                "{name} holds more than {LETTERS_MAX} letters that are left: deal with these first"
            ),
        );
    }
}

fn sums(report: &Report, mode: Mode, text: &mut String) {
    if report.sums.is_empty() {
        let looked = report.queues.iter().filter(|(_, it)| **it == Looked::Whole);
        let looked: Vec<_> = looked.map(|(queue, _)| queue.as_str()).collect();
        if looked.is_empty() {
            return;
        }
        if report.queues.len() == DeadLetters::ALL.len() && looked.len() == report.queues.len() {
            text.push_str(if report.hidden.is_empty() {
                "no dead letters\n"
            } else {
                "no other dead letters\n"
            });
        } else {
            let names = looked.join(", ");
            text.extend(["no letters in ", &names, "; the other queues were not looked at\n"]);
        }
        return;
    }
    row(text, ["queue", "letters", "what", "oldest", ""]);
    for ((queue, kind, became), sum) in &report.sums {
        let (number, oldest) = (sum.count.to_string(), seconds(sum.oldest_ms));
        let became = became_words(*became, (mode, kind), report.rows.len());
        row(text, [queue.as_str(), &number, &kind.replace('-', " "), &oldest, &became]);
    }
}

fn row(text: &mut String, [queue, count, what, oldest, became]: [&str; 5]) {
    let line = format!("  {queue:<12} {count:>7}  {what:<20}  {oldest:<20}  {became}");
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Whole seconds are enough for people.
fn seconds(at_ms: i64) -> String {
    rfc3339(at_ms).chars().take(19).chain(['Z']).collect()
}

fn became_words(became: Became, (mode, kind): (Mode, &str), rows: usize) -> String {
    let rows = count(rows, "case");
    let though = if kind == "settled-clip-request" { "; its clip is settled already" } else { "" };
    match (became, mode) {
        (Became::PutBack(to), Mode::CarryOut) => format!("put back into {}{though}", to.as_str()),
        (Became::PutBack(to), Mode::Look) => format!("would go into {}{though}", to.as_str()),
        (Became::Rows, Mode::CarryOut) => format!("{rows} of that time sent to the case log again"),
        (Became::Rows, Mode::Look) => format!("{rows} of that time would be sent to the case log"),
        (Became::Dropped, Mode::CarryOut) => "deleted".to_owned(),
        (Became::Dropped, Mode::Look) => "would be deleted".to_owned(),
        (Became::Left, _) => "left".to_owned(),
    }
}

fn clips(report: &Report, mode: Mode, say: &mut impl FnMut(&str, &str)) {
    let clips = &report.clips;
    let asked = match mode {
        Mode::CarryOut => "asked for again",
        Mode::Look => "would be asked for again",
    };
    if !clips.asked.is_empty() {
        say("  - ", &format!("{}: {asked}", count(clips.asked.len(), "overdue clip")));
    }
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, reason) in &clips.waiting {
        *waiting.entry(reason).or_default() += 1;
    }
    for (reason, number) in waiting {
        say("  - ", &format!("{}: left alone; {reason}", count(number, "overdue clip")));
    }
    if !clips.lost.is_empty() {
        let clips = count(clips.lost.len(), "overdue clip");
        say("  ! ", &format!("{clips}: cannot be saved; the function `sweep` ends them as failed"));
    }
    for (case, reason) in clips.lost.iter().take(SHOWN_MAX) {
        say("  ! ", &format!("{}: {}", printable(case), printable(reason)));
    }
}
