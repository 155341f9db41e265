//! Needs that are near or over their limits, as problems of fleet.yaml.
//!
//! The place is the number that `quotas` states, else the cell's id. What an account's regions
//! share is told once. To change what is said, start in `message`; what to do about it is in
//! `demand/verdict.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::FleetConfig;
use crate::diagnostic::{At, Diagnostic, Place};
use crate::model::{Fleet, Id};
use crate::quota::{self, QuotaName, Scope, thousands};

use super::{Home, Line, Origin, Verdict, stated};

/// Everything that `check` must say about quotas.
pub fn problems(fleet: &Fleet, config: &FleetConfig, homes: &[Home]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut told: BTreeSet<(&str, &QuotaName)> = BTreeSet::new();
    for home in homes {
        for line in &home.lines {
            let is_shared = line.quota.scope == Scope::Account;
            if is_shared && !told.insert((&home.account, &line.name)) {
                continue;
            }
            problems.extend(problem(config, home, line));
        }
    }
    problems.extend(disagreements(fleet, config));
    problems
}

fn problem(config: &FleetConfig, home: &Home, line: &Line) -> Option<Diagnostic> {
    let remedy = line.remedy.as_ref()?;
    // `stack-too-large` and `rules-too-large` say it, with the store's place.
    if matches!(line.quota.scope, Scope::Each("stack" | "bus")) && line.used > line.quota.default {
        return None;
    }
    let mut cells = home.cells.iter().filter_map(|cell| place(config, &cell.id));
    let first = cells.next()?;
    let stated = match &line.origin {
        Origin::Stated(place) => Some(place),
        Origin::Default | Origin::Fixed => None,
    };
    let here = stated.unwrap_or(first);
    let message = message(home, line);
    let problem = if line.is_refused() {
        Diagnostic::error("quota-exceeded", here, message)
    } else {
        Diagnostic::warning("quota-near", here, message)
    };
    let mut problem = problem;
    line.name.key.clone_into(&mut problem.of);
    let label = if stated.is_some() { "stated here" } else { "" };
    let problem = problem.label(label).help(remedy);
    let problem = if stated.is_some() { problem.related(first, "needed here") } else { problem };
    let shares = "shares the account and region";
    Some(cells.fold(problem, |problem, place| problem.related(place, shares)))
}

fn place<'a>(config: &'a FleetConfig, cell: &Id) -> Option<&'a Place> {
    let config = config.cells.iter().find(|config| config.id.value == cell.as_str())?;
    Some(&config.id.place)
}

fn message(home: &Home, line: &Line) -> String {
    let ids: Vec<_> = home.cells.iter().map(|cell| format!("`{}`", cell.id)).collect();
    let cells = if ids.len() == 1 { "cell" } else { "cells" };
    let owner = match line.quota.scope {
        Scope::Account => format!("the account {}", home.account),
        _ => format!("the {cells} {}", ids.join(", ")),
    };
    let needs = match line.quota.scope {
        Scope::Account => "needs",
        _ if ids.len() == 1 => "needs",
        _ => "together need",
    };
    let what = match (line.quota.scope, &line.name.instance) {
        (Scope::Each(thing), _) => {
            format!("{} {} for one {thing}", thousands(line.used), line.quota.title)
        }
        (_, Some(instance)) => {
            format!("{} {instance} {}", thousands(line.used), line.quota.title)
        }
        _ => format!("{} {}", thousands(line.used), line.quota.title),
    };
    let about = if line.quota.estimate { "about " } else { "" };
    let limit = thousands(line.limit);
    let relation = match line.verdict {
        Verdict::Over => "over",
        Verdict::Near | Verdict::Ok => "near",
    };
    let limit = match line.origin {
        Origin::Default => format!("AWS's default of {limit}"),
        Origin::Fixed => format!("the {limit} that there can be"),
        Origin::Stated(_) => format!("the {limit} that `quotas` states"),
    };
    format!("{owner} {needs} {about}{what}, {relation} {limit}")
}

/// Cells that share a quota and state different numbers for it: one of them is wrong.
fn disagreements(fleet: &Fleet, config: &FleetConfig) -> Vec<Diagnostic> {
    let mut groups: BTreeMap<(&str, Option<&str>), Vec<&Id>> = BTreeMap::new();
    for cell in &fleet.cells {
        groups.entry((&cell.account, Some(&cell.region))).or_default().push(&cell.id);
        groups.entry((&cell.account, None)).or_default().push(&cell.id);
    }
    let mut problems = Vec::new();
    for ((account, region), cells) in &groups {
        let mut first: BTreeMap<&QuotaName, &At<u32>> = BTreeMap::new();
        for (name, value) in stated::own(config, cells) {
            let is_account = quota::find(name.key).is_some_and(|it| it.scope == Scope::Account);
            if is_account != region.is_none() {
                continue;
            }
            let before = *first.entry(name).or_insert(value);
            if before.value != value.value {
                let message = format!(
                    "two cells in account {account} state {} and {} for `{name}`",
                    thousands(u64::from(before.value)),
                    thousands(u64::from(value.value)),
                );
                let problem = Diagnostic::error("quotas-disagree", &value.place, message);
                let problem = problem.related(&before.place, "stated differently here");
                problems.push(problem.help("state it once: cells in one account share it"));
            }
        }
    }
    problems
}
