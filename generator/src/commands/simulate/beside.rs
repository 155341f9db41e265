//! Two rule sets side by side: what is different as sentences, then every number of both.
//!
//! The column of the commit comes first, that of the folder is `now`, and the third says the
//! distance. Rows of which both are zero are left out. To compare one more thing, add it to
//! `simulation/comparison.rs` first: a number without its sentence is overlooked.

use std::collections::BTreeMap;

use contract::priority::Priority;

use super::Then;
use super::table::{names_of, number_or_dot, row, table};
use crate::model::{Channel, Endpoint};
use crate::paragraph::{shortened, wrapped};
use crate::quota::thousands;
use crate::simulation::comparison::noun;
use crate::simulation::hours::{CHANNELS, Row};
use crate::simulation::{RuleCount, Summary};

/// Most sentences. Our choice: a page; the JSON has all.
const SENTENCES_MAX: usize = 20;
/// Widest title of the commit's columns, in characters.
const REFERENCE_WIDTH: usize = 12;
/// Widest name of a rule, in characters: the longest that an id may be is 32, and a row has five
/// columns.
const RULE_WIDTH: usize = 26;
/// Widest names of a row. Our choice: beside them stand three columns of numbers.
const NAMES_WIDTH: usize = 72;

/// The sentences and the tables.
pub(super) fn text(then: &Then<'_>, now: &Summary<'_>) -> String {
    let title = shortened(then.reference, REFERENCE_WIDTH);
    let mut text = sentences(then);
    for table in [
        sums(&title, &then.summary, now),
        rules(&then.summary, now),
        addresses(&title, &then.summary, now),
    ] {
        text.push('\n');
        text.push_str(&table);
    }
    text
}

/// The sentences alone; empty where nothing is different.
pub(super) fn sentences(then: &Then<'_>) -> String {
    if then.differences.is_empty() {
        return String::new();
    }
    let mut text = format!("  now, beside the rules of `{}`:\n", then.reference);
    for difference in then.differences.iter().take(SENTENCES_MAX) {
        text.push_str(&wrapped("  - ", &difference.text));
    }
    let more = then.differences.len().saturating_sub(SENTENCES_MAX);
    if more > 0 {
        text.push_str(&wrapped("  - ", &format!("{more} more, all in `--format json`")));
    }
    text
}

/// `12`, `15`, `+3`.
fn numbers(then: u64, now: u64) -> [String; 3] {
    let sign = if now > then { "+" } else { "-" };
    let change = match then.abs_diff(now) {
        0 => String::new(),
        distance => format!("{sign}{}", thousands(distance)),
    };
    [number_or_dot(then), number_or_dot(now), change]
}

fn sums(title: &str, then: &Summary<'_>, now: &Summary<'_>) -> String {
    let silent = |it: &Summary<'_>| it.silent.values().map(|(cases, _)| cases).sum::<u64>();
    let unrouted = |it: &Summary<'_>| it.unrouted.values().sum::<u64>();
    let mut lines = vec![
        ("detections".to_owned(), then.detections, now.detections),
        ("joined by cooldowns".to_owned(), then.joined(), now.joined()),
        ("unrouted".to_owned(), unrouted(then), unrouted(now)),
        ("cases".to_owned(), then.case_count(), now.case_count()),
    ];
    for ((priority, then), (_, now)) in then.cases.iter().zip(&now.cases).rev() {
        lines.push((format!("  {priority}"), *then, *now));
    }
    lines.push(("  that told nobody".to_owned(), silent(then), silent(now)));
    lines.push(("alerts".to_owned(), then.alerts, now.alerts));
    let (before, after) = (then.hearing.by_channel(), now.hearing.by_channel());
    for channel in CHANNELS {
        let number = |it: &BTreeMap<Channel, u64>| it.get(&channel).copied().unwrap_or_default();
        let (noun, ending) = noun(channel);
        lines.push((format!("  {noun}{ending}"), number(&before), number(&after)));
    }
    let mut rows = vec![row(&["", title, "now", "change"])];
    for (name, then, now) in lines.into_iter().filter(|(_, then, now)| *then + *now > 0) {
        rows.push([vec![name], numbers(then, now).to_vec()].concat());
    }
    table(&rows, 1, "  ")
}

fn rules(then: &Summary<'_>, now: &Summary<'_>) -> String {
    let names = |of: &Summary<'_>| of.rules.iter().map(|it| it.name.to_owned()).collect::<Vec<_>>();
    // What is gone stands before `unrouted`, which both have as their last.
    let mut all = names(now);
    let last = all.pop();
    let gone: Vec<_> = names(then).into_iter().filter(|name| !all.contains(name)).collect();
    all.extend(gone.into_iter().filter(|name| Some(name) != last.as_ref()));
    all.extend(last);
    let mut rows = vec![row(&["rule", "priority", "detections", "cases", "alerts"])];
    for name in all {
        let (before, after) = (rule(then, &name), rule(now, &name));
        let number = |of: fn(&RuleCount<'_>) -> u64| {
            let [before, after] = [before, after].map(|it| it.map_or(0, of));
            let shown = number_or_dot(after);
            if before == after { shown } else { format!("{} -> {shown}", number_or_dot(before)) }
        };
        let priority = |it: Option<&RuleCount<'_>>| it.map(|rule| rule.priority);
        rows.push(vec![
            shortened(&name, RULE_WIDTH),
            priorities(priority(before), priority(after)),
            number(|rule| rule.detections),
            number(|rule| rule.cases),
            number(|rule| rule.alerts),
        ]);
    }
    table(&rows, 2, "  ")
}

fn rule<'s>(summary: &'s Summary<'_>, name: &str) -> Option<&'s RuleCount<'s>> {
    summary.rules.iter().find(|rule| rule.name == name)
}

/// `high`, `medium -> high`, `high (new)`.
fn priorities(then: Option<Priority>, now: Option<Priority>) -> String {
    match (then, now) {
        (Some(then), Some(now)) if then != now => format!("{then} -> {now}"),
        (None, Some(now)) => format!("{now} (new)"),
        (Some(then), None) => format!("{then} (gone)"),
        (_, now) => now.map_or(String::new(), |now| now.to_string()),
    }
}

fn addresses(title: &str, then: &Summary<'_>, now: &Summary<'_>) -> String {
    let is = |row: &Row<'_>, channel: Channel, endpoint: &Endpoint| {
        (row.channel, row.endpoint) == (channel, endpoint)
    };
    let find = |of: &Summary<'_>, row: &Row<'_>| {
        let rows = &of.hearing.rows;
        rows.iter().find(|it| is(it, row.channel, row.endpoint)).map_or(0, Row::total)
    };
    let mut all: Vec<Row<'_>> = now.hearing.rows.clone();
    let gone = then.hearing.rows.iter();
    let known = all.clone();
    all.extend(
        gone.filter(|row| known.iter().all(|it| !is(it, row.channel, row.endpoint))).cloned(),
    );
    let mut rows = vec![row(&["messages to", title, "now", "change"])];
    for (name, row) in names_of(&all, NAMES_WIDTH).into_iter().zip(&all) {
        rows.push([vec![name], numbers(find(then, row), find(now, row)).to_vec()].concat());
    }
    table(&rows, 1, "  ")
}
