//! What a change costs: each stack that differs on both sides, and what everything comes to.
//!
//! The amounts of stores differ, so what they have in common is told with its sum: of stores that are
//! new, that are gone, that cost more and that cost less. What the stores of a cell share is told for
//! itself. Pure. To name a setting as the cause of costs, add it to [`SETTINGS`].

use std::collections::{BTreeMap, BTreeSet};

use super::side::{Pairs, StackId, Written};
use super::{Cause, Class, Costs, Finding, Group, Subject, Weight, path};
use crate::cost::{self, Estimate, differences, in_dollars};
use crate::model::Store;
use crate::price::{self, PriceName, Prices};
use crate::quota::plural;

/// Most lines of a finding. Our choice: what is smaller is in the sum.
const LINES_MAX: usize = 5;
/// Least difference in cents of a month that is told. Our choice: less is rounding.
const CENTS_MIN: i64 = 50;
/// The settings of a store that cost.
const SETTINGS: [&str; 7] =
    ["cameras", "hours", "timezone", "evidence", "rules", "subscribers", "alerts"];

/// Prices and estimates of the stacks that differ.
#[derive(Debug)]
pub(super) struct Bills {
    pub costs: Costs,
    pub told: Vec<Group<Finding>>,
}

/// What one stack costs on both sides.
struct Bill {
    id: StackId,
    before: Estimate,
    after: Estimate,
    causes: Vec<Cause>,
}

/// What stores have in common that cost otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    New,
    Gone,
    More,
    Less,
}

impl Bill {
    fn cents(&self) -> i64 {
        self.after.cents_per_month - self.before.cents_per_month
    }
}

/// Compares what these stacks cost.
pub(super) fn bills(before: Written<'_>, after: Written<'_>, pairs: &Pairs<'_>) -> Bills {
    let mut costs =
        Costs { before_cents: 0, after_cents: 0, by_subject: Vec::new(), assumptions: Vec::new() };
    let ids = priced(before, after, pairs);
    let mut told = Vec::new();
    let mut stores: BTreeMap<Kind, Vec<Bill>> = BTreeMap::new();
    let mut of_cells = BTreeMap::new();
    for id in &ids {
        let [old, mut new] = [before, after].map(|side| estimate(side, id));
        if pairs.is_gone(id) {
            // Its stack stays, and costs, until somebody deletes it.
            new.clone_from(&old);
        }
        let (old_cents, new_cents) = (old.cents_per_month, new.cents_per_month);
        costs.before_cents += old_cents;
        costs.after_cents += new_cents;
        if old_cents != new_cents {
            costs.by_subject.push((id.subject.clone(), old_cents, new_cents));
        }
        if (new_cents - old_cents).abs() < CENTS_MIN {
            continue;
        }
        let causes = causes(pairs, id, &mut of_cells);
        let bill = Bill { id: id.clone(), before: old, after: new, causes };
        if id.store().is_none() {
            told.push(alone(bill));
            continue;
        }
        let kind = match (pairs.is_whole(id), new_cents > old_cents) {
            (true, true) => Kind::New,
            (true, false) => Kind::Gone,
            (false, true) => Kind::More,
            (false, false) => Kind::Less,
        };
        stores.entry(kind).or_default().push(bill);
    }
    told.extend(stores.into_iter().map(|(kind, bills)| together(kind, bills)));
    let cells = &after.fleet.fleet.cells;
    let cells = cells.iter().filter(|cell| ids.iter().any(|id| id.cell == cell.id.as_str()));
    let prices: Vec<Prices> =
        cells.map(|cell| cost::prices(&after.text.input.fleet_config, cell)).collect();
    costs.assumptions = cost::assumptions(&prices);
    Bills { costs, told }
}

/// The stacks that may cost otherwise: those that differ, what the stores of their cells share, and
/// whatever is in a cell with other prices.
fn priced(before: Written<'_>, after: Written<'_>, pairs: &Pairs<'_>) -> BTreeSet<StackId> {
    let mut ids: BTreeSet<StackId> = pairs.ids().iter().cloned().collect();
    let mut cells: BTreeSet<String> = ids.iter().map(|it| it.cell.clone()).collect();
    for cell in &after.fleet.fleet.cells {
        let name = cell.id.as_str();
        let Some(earlier) = before.cell(name) else { continue };
        let old = cost::prices(&before.text.input.fleet_config, earlier);
        if old != cost::prices(&after.text.input.fleet_config, cell) {
            ids.extend(pairs.kept_stores(name).cloned());
            cells.insert(name.to_owned());
        }
    }
    let platform = |cell: String| StackId { subject: Subject::Platform(cell.clone()), cell };
    ids.extend(cells.into_iter().map(platform));
    ids
}

/// The lines that make a stack cost otherwise; `of_cells` keeps those that all stores of a cell share.
fn causes(
    pairs: &Pairs<'_>,
    id: &StackId,
    of_cells: &mut BTreeMap<String, Vec<Cause>>,
) -> Vec<Cause> {
    if id.store().is_none() {
        let keys: &[&str] =
            if pairs.is_whole(id) { &["id"] } else { &["model", "architecture", "region"] };
        return causes_of_cell(pairs, &id.cell, keys);
    }
    let settings = pairs.settings(id);
    if pairs.is_whole(id) {
        // A store that moves has its name as before.
        let causes = settings.causes(&[vec!["store".to_owned()]]);
        let is_moved = causes.is_empty();
        return if is_moved { settings.causes(&[vec!["cell".to_owned()]]) } else { causes };
    }
    let mut causes = settings.causes(&SETTINGS.map(|it| vec![it.to_owned()]));
    let shared = of_cells
        .entry(id.cell.clone())
        .or_insert_with(|| causes_of_cell(pairs, &id.cell, &["architecture", "region"]));
    causes.extend(shared.iter().cloned());
    causes
}

/// The lines of fleet.yaml that make a cell cost otherwise, of those by these keys.
fn causes_of_cell(pairs: &Pairs<'_>, cell: &str, keys: &[&str]) -> Vec<Cause> {
    let subject = Subject::Platform(cell.to_owned());
    let settings = pairs.settings(&StackId { cell: cell.to_owned(), subject });
    let paths = keys.iter().map(|key| path(&["cells", cell, key]));
    settings.causes(&paths.chain([path(&["prices"])]).collect::<Vec<_>>())
}

/// What is told of one stack.
fn alone(bill: Bill) -> Group<Finding> {
    let what = finding(&bill.before, &bill.after);
    Group { what, subjects: vec![bill.id.subject], causes: bill.causes }
}

/// What is told of stores that have the same in common.
fn together(kind: Kind, mut bills: Vec<Bill>) -> Group<Finding> {
    if bills.len() == 1
        && let Some(bill) = bills.pop()
    {
        return alone(bill);
    }
    let sum = |of: fn(&Estimate) -> i64, side: fn(&Bill) -> &Estimate| -> i64 {
        bills.iter().map(|it| of(side(it))).sum()
    };
    let cents = |it: &Estimate| it.cents_per_month;
    let (old, new) = (sum(cents, |it| &it.before), sum(cents, |it| &it.after));
    let number = plural(u64::try_from(bills.len()).unwrap_or(u64::MAX), "store");
    let largest = bills.iter().max_by_key(|it| it.cents().abs());
    let largest = largest.map_or_else(String::new, |it| {
        let store = it.id.store().unwrap_or_default();
        format!("; the most is {} in {store}", in_dollars(it.cents().abs()))
    });
    let amount = in_dollars((new - old).abs());
    let text = match kind {
        Kind::New => format!("{amount} a month for {number} that are new{largest}"),
        Kind::Gone => format!("{amount} a month less for {number} that are gone{largest}"),
        Kind::More => format!(
            "{amount} a month more in {number}, {} instead of {}{largest}",
            in_dollars(new),
            in_dollars(old)
        ),
        Kind::Less => format!(
            "{amount} a month less in {number}, {} instead of {}{largest}",
            in_dollars(new),
            in_dollars(old)
        ),
    };
    let details = sums(&bills);
    let subjects: BTreeSet<Subject> = bills.iter().map(|it| it.id.subject.clone()).collect();
    let causes: BTreeSet<Cause> = bills.into_iter().flat_map(|it| it.causes).collect();
    Group {
        what: Finding { details, ..told(text) },
        subjects: subjects.into_iter().collect(),
        causes: causes.into_iter().collect(),
    }
}

/// What the difference of many stores is the sum of, the largest first.
fn sums(bills: &[Bill]) -> Vec<String> {
    let mut sums: BTreeMap<PriceName, (i64, u64)> = BTreeMap::new();
    for line in bills.iter().flat_map(|it| differences(&it.before, &it.after)) {
        let sum = sums.entry(line.name).or_default();
        *sum = (sum.0 + line.cents, sum.1 + 1);
    }
    let mut sums: Vec<_> = sums.into_iter().filter(|(_, (cents, _))| *cents != 0).collect();
    sums.sort_by_key(|(_, (cents, _))| std::cmp::Reverse(cents.abs()));
    let line = |(name, (cents, stores)): &(PriceName, (i64, u64))| {
        let title = price::find(name.key).map_or(name.key, |it| it.title);
        let sign = if *cents < 0 { "-" } else { "+" };
        format!("{title} {sign}{} in {}", in_dollars(cents.abs()), plural(*stores, "store"))
    };
    sums.iter().take(LINES_MAX).map(line).collect()
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
    Finding { details, ..told(text) }
}

fn told(text: String) -> Finding {
    let (details, about) = (Vec::new(), vec![Vec::new()]);
    Finding { class: Class::Cost, weight: Weight::Quiet, text, details, about }
}
