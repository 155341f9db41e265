//! What a change costs: each stack that differs on both sides, and what everything comes to. Pure.

use std::collections::BTreeSet;

use super::side::{StackId, Written};
use super::{Class, Costs, Finding, Subject, Weight};
use crate::cost::{self, Estimate, differences, in_dollars};
use crate::model::Store;
use crate::price::Prices;

/// Most lines of a finding. Our choice: what is smaller is in the sum.
const LINES_MAX: usize = 5;
/// Least difference in cents of a month that is told. Our choice: less is rounding.
const CENTS_MIN: i64 = 50;

/// Prices and estimates of the stacks that differ.
#[derive(Debug)]
pub(super) struct Bills {
    pub costs: Costs,
    pub findings: Vec<(Subject, Finding)>,
}

/// Compares what these stacks cost.
pub(super) fn bills(before: Written<'_>, after: Written<'_>, ids: &[StackId]) -> Bills {
    let mut bills = Bills {
        costs: Costs {
            before_cents: 0,
            after_cents: 0,
            by_subject: Vec::new(),
            assumptions: Vec::new(),
        },
        findings: Vec::new(),
    };
    let mut all: Vec<StackId> = ids.to_vec();
    // What a cell's stores share costs more with each store.
    let cells: BTreeSet<&String> = ids.iter().map(|it| &it.cell).collect();
    all.extend(
        cells
            .into_iter()
            .map(|cell| StackId { cell: cell.clone(), subject: Subject::Platform(cell.clone()) }),
    );
    all.sort();
    all.dedup();
    for id in &all {
        let [old, new] = [before, after].map(|side| estimate(side, id));
        let (old_cents, new_cents) = (old.cents_per_month, new.cents_per_month);
        bills.costs.before_cents += old_cents;
        bills.costs.after_cents += new_cents;
        if old_cents != new_cents {
            bills.costs.by_subject.push((id.subject.clone(), old_cents, new_cents));
        }
        if (new_cents - old_cents).abs() >= CENTS_MIN {
            bills.findings.push((id.subject.clone(), finding(&old, &new)));
        }
    }
    let prices: Vec<Prices> = after
        .fleet
        .fleet
        .cells
        .iter()
        .filter(|cell| all.iter().any(|id| id.cell == cell.id.as_str()))
        .map(|cell| cost::prices(&after.text.input.fleet_config, cell))
        .collect();
    bills.costs.assumptions = cost::assumptions(&prices);
    bills
}

fn estimate(side: Written<'_>, id: &StackId) -> Estimate {
    let Some(cell) = side.cell(&id.cell) else { return Estimate::default() };
    let prices = || cost::prices(&side.text.input.fleet_config, cell);
    match &id.subject {
        Subject::Store(store) => match side.store(store) {
            Some((own, store)) if own.id == cell.id => cost::of_store(store, cell, &prices()),
            _ => Estimate::default(),
        },
        Subject::Platform(_) => {
            let stores: Vec<&Store> = side.fleet.fleet.stores_of(cell).collect();
            cost::of_platform(cell, &stores, &prices())
        }
        Subject::Artifacts(_) | Subject::Home(_) => Estimate::default(),
    }
}

fn finding(before: &Estimate, after: &Estimate) -> Finding {
    let cents = after.cents_per_month - before.cents_per_month;
    let text = format!(
        "{} a month {}: {} instead of {}",
        in_dollars(cents.abs()),
        if cents < 0 { "less" } else { "more" },
        in_dollars(after.cents_per_month),
        in_dollars(before.cents_per_month)
    );
    let mut details: Vec<String> = Vec::new();
    let lines = differences(before, after);
    details.extend(lines.iter().take(LINES_MAX).map(|it| it.text.clone()));
    if let Some(more @ 1..) = lines.len().checked_sub(LINES_MAX) {
        details.push(format!("and {more} smaller differences"));
    }
    details.extend(after.notes.iter().filter(|it| !before.notes.contains(it)).cloned());
    Finding { class: Class::Cost, weight: Weight::Quiet, text, details, about: vec![Vec::new()] }
}
