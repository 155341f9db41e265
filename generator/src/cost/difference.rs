//! What costs otherwise: two estimates compared line by line.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::price::{PRICES, PriceName, dollars};
use crate::quota::plural;

use super::assumption::signed;
use super::{Estimate, Line, shown};

/// One line of an estimate that is not the same in another.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChange {
    pub name: PriceName,
    pub before_cents: i64,
    pub after_cents: i64,
    /// What it is more, rounded once; it may differ by one from that of both sides rounded.
    pub cents: i64,
    /// Such as `video sent to streams +$27.92: 3,285 GB more (10 cameras more)`.
    pub text: String,
}

/// The lines that differ by a cent or more, the largest difference first.
pub fn differences(before: &Estimate, after: &Estimate) -> Vec<LineChange> {
    let mut both: BTreeMap<&PriceName, (Option<&Line>, Option<&Line>)> = BTreeMap::new();
    for line in &before.lines {
        both.entry(&line.name).or_default().0 = Some(line);
    }
    for line in &after.lines {
        both.entry(&line.name).or_default().1 = Some(line);
    }
    let changes = both.into_iter().filter_map(|(name, (before, after))| {
        let [old, new] = [before, after].map(|it| it.map_or(0, Line::micros));
        let more = super::cents(old.abs_diff(new));
        let cents = if new < old { -more } else { more };
        (cents != 0).then(|| LineChange {
            name: name.clone(),
            before_cents: super::cents(old),
            after_cents: super::cents(new),
            cents,
            text: text(before, after, cents),
        })
    });
    let mut changes: Vec<_> = changes.collect();
    let place = |name: &PriceName| PRICES.iter().position(|it| it.key == name.key);
    changes.sort_by_key(|it| (Reverse(it.cents.abs()), place(&it.name)));
    changes
}

fn text(before: Option<&Line>, after: Option<&Line>, cents: i64) -> String {
    let Some(line) = after.or(before) else { return String::new() };
    let mut reasons = Vec::new();
    let amount = |line: Option<&Line>| line.map_or(0, |it| it.amount);
    let (old, new) = (amount(before), amount(after));
    if old != new {
        let more = if new > old { "more" } else { "less" };
        let mut reason = format!("{} {more}", shown(old.abs_diff(new), line.price));
        let things = |line: Option<&Line>| line.and_then(|it| it.things).map_or(0, |it| it.0);
        let (old, new) = (things(before), things(after));
        if let (Some((_, noun)), true) = (line.things, old != new) {
            let more = if new > old { "more" } else { "fewer" };
            reason = format!("{reason} ({} {more})", plural(old.abs_diff(new), noun));
        }
        reasons.push(reason);
    }
    let prices = before.zip(after).map(|(old, new)| (old.unit_micros, new.unit_micros));
    if let Some((old, new)) = prices.filter(|(old, new)| old != new) {
        reasons.push(format!("{} -> {} for a {}", dollars(old), dollars(new), line.price.unit));
    }
    format!("{} {}: {}", line.what(), signed(cents), reasons.join("; "))
}
