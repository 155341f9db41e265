//! What a month costs, as rows of a table: each stack, or stores alike, before and after.
//!
//! Every cent of the review is in a row: what is beyond the rows that a page has is one more row.

use std::collections::BTreeMap;

use super::words::{count, subject, thousands_of};
use super::{Costs, Subject};

/// What a month costs before and after, in cents, of stacks by a name.
pub(super) type CostRow = (String, i64, i64);

/// A row for each that costs otherwise, what differs most first; stores that cost the same are one
/// row with their sum, and what is beyond so many rows is one, too. The last row is all of it.
pub(super) fn cost_rows(costs: &Costs, most: usize) -> Vec<CostRow> {
    let mut alike: BTreeMap<(bool, i64, i64), Vec<&Subject>> = BTreeMap::new();
    for (it, before, after) in &costs.by_subject {
        alike.entry((matches!(it, Subject::Store(_)), *before, *after)).or_default().push(it);
    }
    let times =
        |cents: i64, number: usize| cents.saturating_mul(i64::try_from(number).unwrap_or(i64::MAX));
    let rows = alike.into_iter().map(|((is_store, before, after), all)| {
        let name = match all.as_slice() {
            [one] => subject(one),
            all => format!("{} alike", count(all.len(), if is_store { "store" } else { "stack" })),
        };
        (all.len(), (name, times(before, all.len()), times(after, all.len())))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(_, (_, before, after))| u64::MAX - before.abs_diff(*after));
    let (shown, rest) = rows.split_at(rows.len().min(most));
    let mut all: Vec<CostRow> = shown.iter().map(|(_, row)| row.clone()).collect();
    if !rest.is_empty() {
        let number: usize = rest.iter().map(|(number, _)| number).sum();
        let (before, after) = rest.iter().fold((0_i64, 0_i64), |sum, (_, row)| {
            (sum.0.saturating_add(row.1), sum.1.saturating_add(row.2))
        });
        all.push((format!("{} more", thousands_of(number)), before, after));
    }
    if rows.len() > 1 {
        all.push(("together".to_owned(), costs.before_cents, costs.after_cents));
    }
    all
}
