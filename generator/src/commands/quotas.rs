//! `arm quotas`: what the fleet needs of each quota, without asking AWS.
//!
//! A table per account and region for people, `arm.quotas/1` for programs. What is needed is
//! counted in `demand`; nothing is decided here but how it is shown and how the command ends.

use serde_json::{Value, json};

use crate::commands::{AnswerFormat, StoresArgs, summary};
use crate::console::Console;
use crate::demand::{Home, Line, Origin, Time};
use crate::diagnostic::{self, suggest};
use crate::error::CommandError;
use crate::paragraph::wrapped;
use crate::quota::{Scope, plural, thousands};

/// Show what each account and region needs of its AWS quotas, and what to raise
#[derive(Debug, clap::Args)]
pub struct QuotasArgs {
    #[command(flatten)]
    stores: StoresArgs,
    /// Only the accounts and regions of these cells
    #[arg(long, value_name = "ID")]
    cell: Vec<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &QuotasArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let loaded = args.stores.load()?;
    let Some(fleet) = loaded.fleet.as_ref().or(loaded.over_quota.as_ref()) else {
        let shown = diagnostic::render(&loaded.sources, &loaded.problems, console.colour);
        // A reader that is gone changes nothing about the answer.
        drop(write!(console.err, "{shown}"));
        return Err(CommandError::Configuration(summary(&loaded)));
    };
    let homes = chosen(&fleet.homes, &args.cell)?;
    let written = match args.format {
        AnswerFormat::Human => write!(console.out, "{}", tables(&homes)),
        AnswerFormat::Json => writeln!(console.out, "{}", to_json(&homes)),
    };
    // A "no" stays a "no", whether or not anybody reads on.
    let refused: Vec<_> = homes.iter().flat_map(|home| home.lines.iter()).collect();
    let refused = refused.iter().filter(|line| line.is_refused());
    let mut names: Vec<_> = refused.map(|line| format!("`{}`", line.name)).collect();
    names.sort();
    names.dedup();
    if !names.is_empty() {
        let text = format!("the fleet needs more than there is of {}", names.join(", "));
        return Err(CommandError::Configuration(text));
    }
    let problems = loaded.problems.iter().filter(|it| it.is_error() && it.code == DISAGREE);
    if problems.count() > 0 {
        let shown = diagnostic::render(&loaded.sources, &loaded.problems, console.colour);
        drop(write!(console.err, "{shown}"));
        return Err(CommandError::Configuration(summary(&loaded)));
    }
    Ok(written?)
}

/// The code of cells that state different numbers for what they share.
const DISAGREE: &str = "quotas-disagree";

/// The homes of the cells that were named; all of them when none was.
fn chosen<'a>(homes: &'a [Home], cells: &[String]) -> Result<Vec<&'a Home>, CommandError> {
    let known: Vec<_> =
        homes.iter().flat_map(|home| &home.cells).map(|it| it.id.as_str()).collect();
    if let Some(unknown) = cells.iter().find(|cell| !known.contains(&cell.as_str())) {
        let help = suggest(unknown, known);
        let text = format!("there is no cell `{unknown}`\n  help: {help}");
        return Err(CommandError::Configuration(text));
    }
    let is_named = |home: &&Home| {
        home.cells.iter().any(|cell| cells.iter().any(|named| named == cell.id.as_str()))
    };
    Ok(homes.iter().filter(|home| cells.is_empty() || is_named(home)).collect())
}

/// The table of each home, with a blank line between.
fn tables(homes: &[&Home]) -> String {
    homes.iter().map(|home| table(home)).collect::<Vec<_>>().join("\n")
}

fn table(home: &Home) -> String {
    let cells: Vec<_> = home
        .cells
        .iter()
        .map(|cell| format!("{} ({})", cell.id, plural(cell.stores, "store")))
        .collect();
    let cells = wrapped("  cells: ", &cells.join(", "));
    let mut text = format!("account {}, {}\n{cells}\n", home.account, home.region);
    row(&mut text, "quota", ["used", "limit", "", "%", "", ""]);
    for line in &home.lines {
        let (used, limit) = (thousands(line.used), thousands(line.limit));
        let used = if line.quota.estimate { format!("~{used}") } else { used };
        let percent = line.percent().map(|it| it.to_string()).unwrap_or_default();
        let cells =
            [&used, &limit, origin_word(line), &percent, bar_of(line), line.verdict.as_str()];
        row(&mut text, &title(line), cells);
    }
    text.push('\n');
    for note in notes(home) {
        text.push_str(&wrapped("  - ", &note));
    }
    for line in &home.lines {
        if let Some(remedy) = &line.remedy {
            let verdict = line.verdict.as_str();
            text.push_str(&wrapped("  ! ", &format!("{} is {verdict}: {remedy}", line.name)));
        }
    }
    text
}

fn row(text: &mut String, title: &str, cells: [&str; 6]) {
    let [used, limit, origin, percent, bar, verdict] = cells;
    let line = format!(
        "  {title:<44} {used:>9} {limit:>9}  {origin:<7} {percent:>5}  {bar:<10}  {verdict}"
    );
    text.push_str(line.trim_end());
    text.push('\n');
}

/// The key, with whose it is where that is not the account and region.
fn title(line: &Line) -> String {
    match line.quota.scope {
        Scope::Region | Scope::InstanceType => line.name.to_string(),
        Scope::Account => format!("{} (all regions)", line.name),
        Scope::Each(_) => format!("{} (largest)", line.name),
    }
}

fn origin_word(line: &Line) -> &'static str {
    match line.origin {
        Origin::Default => "default",
        Origin::Fixed => "fixed",
        Origin::Stated(_) => "yours",
    }
}

/// One mark for each tenth that is used, rounded.
fn bar_of(line: &Line) -> &'static str {
    const FULL: &str = "##########";
    let tenths = line.percent().map_or(10, |it| (it.saturating_add(5) / 10).min(10));
    usize::try_from(tenths).ok().and_then(|tenths| FULL.get(..tenths)).unwrap_or(FULL)
}

/// What the estimates assume, how long calls take, and what shows in no count.
fn notes(home: &Home) -> Vec<String> {
    let mut notes = Vec::new();
    if home.watch.cameras > 0 {
        let tenths = home.watch.windows_in_ten_s;
        notes.push(format!(
            "~ is an estimate: {} on watch at {}.{} windows a second, 2 s of `analyze` for each, and 2 executions a store for its tick and an incident",
            plural(home.watch.cameras, "camera"),
            thousands(tenths / 10),
            tenths % 10,
        ));
    }
    notes.extend(home.times.iter().map(time_note));
    if home.lines.iter().any(|line| line.name.instance.is_some()) {
        notes.push(
            "a new model is deployed beside the old one: for that time as many instances again are needed as run"
                .to_owned(),
        );
    }
    notes
}

fn time_note(time: &Time) -> String {
    let rate = time.rate;
    format!(
        "{} {} take at least {} s {}, at {} {} calls a second",
        thousands(time.calls),
        rate.of,
        thousands(time.seconds),
        rate.when,
        thousands(rate.per_second),
        rate.call,
    )
}

/// What is needed, for machines: schema `arm.quotas/1`.
fn to_json(homes: &[&Home]) -> Value {
    let homes: Vec<_> = homes.iter().map(|home| home_json(home)).collect();
    json!({ "schema": "arm.quotas/1", "homes": homes })
}

fn home_json(home: &Home) -> Value {
    let cells: Vec<_> = home
        .cells
        .iter()
        .map(|cell| json!({ "id": cell.id.as_str(), "stores": cell.stores }))
        .collect();
    let times: Vec<_> = home
        .times
        .iter()
        .map(|time| {
            let rate = time.rate;
            json!({
                "call": rate.call, "calls": time.calls, "per_second": rate.per_second,
                "seconds_at_least": time.seconds, "when": rate.when, "source": rate.source,
            })
        })
        .collect();
    json!({
        "account": home.account, "region": home.region, "cells": cells,
        "quotas": home.lines.iter().map(line_json).collect::<Vec<_>>(),
        "times": times, "notes": notes(home),
    })
}

fn line_json(line: &Line) -> Value {
    let scope = match line.quota.scope {
        Scope::Region => "region",
        Scope::InstanceType => "instance-type",
        Scope::Account => "account",
        Scope::Each(thing) => thing,
    };
    let origin = match line.origin {
        Origin::Default => "default",
        Origin::Fixed => "fixed",
        Origin::Stated(_) => "stated",
    };
    json!({
        "key": line.quota.key, "instance": line.name.instance, "title": line.quota.title,
        "scope": scope, "used": line.used, "estimate": line.quota.estimate,
        "limit": line.limit, "limit_from": origin, "percent": line.percent(),
        "verdict": line.verdict.as_str(), "refused": line.is_refused(),
        "remedy": line.remedy,
        "service": line.quota.service,
        "aws_name": line.quota.aws_name(line.name.instance.as_deref()),
        "source": line.quota.source,
    })
}
