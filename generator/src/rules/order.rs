//! Where a rule must stand so that it gets what it asks for, and no other rule loses by that.
//!
//! A warning about the order of rules is worth no more than its remedy. So each order that is advised
//! was tried first: with it the rule gets all that it should, no rule that could match no longer can,
//! and nothing is taken from a rule that was not before. Where no order does that, none is advised.
//! To advise another change, add it in [`remedy`].

use std::collections::BTreeSet;

use crate::model::Store;

use super::cut::{self, Found, STEPS_MAX, Steps};
use super::overlap;
use super::sight::Sight;
use super::space::{Region, RuleBits};
use super::{Compiler, Unreachable};

/// What silences a warning about the order of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// These rules, in this order, directly above another.
    Up { rules: Vec<String>, above: String },
    /// These rules, in this order, directly below another.
    Down { rules: Vec<String>, below: String },
    /// No order was found that serves all rules.
    None,
}

/// A rule that loses something, and the earlier one to which; `None`: it can never match.
type Loss = (String, Option<String>);

/// The order that gives a rule what these earlier rules take from it. Each rule stands in a layer:
/// upwards a rule can go from one to a nearer one, by standing there under its name; downwards not.
pub(super) fn remedy(
    store: &Store,
    compiler: &Compiler<'_>,
    layers: &[usize],
    later: usize,
    takers: &[usize],
) -> Remedy {
    let Some((top, name)) = takers.first().and_then(|top| Some((*top, compiler.name(*top)?)))
    else {
        return Remedy::None;
    };
    let number = compiler.rules.len();
    let before: BTreeSet<_> = losses(store, compiler).into_iter().collect();
    let rule = compiler.name(later).unwrap_or_default();
    let serves = |order: Vec<usize>| {
        let rules = order.iter().filter_map(|at| compiler.rules.get(*at).copied()).collect();
        let Some(reordered) = Compiler::new(rules) else { return false };
        let after = losses(store, &reordered);
        after.iter().all(|loss| before.contains(loss) && loss.0 != rule)
    };
    let names = |rules: &[usize]| rules.iter().filter_map(|at| compiler.name(*at)).collect();
    let up = group(compiler, later, top, takers);
    let rest = (top..number).filter(|at| !up.contains(at));
    if serves((0..top).chain(up.iter().copied()).chain(rest).collect()) {
        return Remedy::Up { rules: names(&up), above: name };
    }
    let first = (0..=later).filter(|at| !takers.contains(at));
    let order = first.chain(takers.iter().copied()).chain(later + 1..number).collect();
    let own = layers.get(later);
    if takers.iter().all(|taker| layers.get(*taker) == own) && serves(order) {
        return Remedy::Down { rules: names(takers), below: rule };
    }
    Remedy::None
}

/// A rule, and those between it and another further up that must stay above it: its exceptions, and
/// what is more urgent.
fn group(compiler: &Compiler<'_>, later: usize, top: usize, takers: &[usize]) -> Vec<usize> {
    let mut group = vec![later];
    for between in (top + 1..later).rev().filter(|at| !takers.contains(at)) {
        let is_exception = |of: usize| {
            let regions = (compiler.regions.get(between), compiler.regions.get(of));
            matches!(regions, (Some(narrow), Some(wide)) if narrow.is_within(wide))
        };
        let stays = |of: &usize| is_exception(*of) || overlap::holds_back(compiler, *of, between);
        if group.iter().any(stays) {
            group.push(between);
        }
    }
    group.reverse();
    group
}

/// All that rules lose to earlier ones, in this store.
fn losses(store: &Store, compiler: &Compiler<'_>) -> Vec<Loss> {
    let sight = Sight::new(store, &compiler.space);
    let losses = (0..compiler.rules.len()).flat_map(|later| {
        let takers = overlap::taken(compiler, &sight, later).into_iter();
        let takers = takers.map(|(earlier, _)| compiler.name(earlier));
        let never = is_never(compiler, &sight, later).then_some(None);
        let rule = compiler.name(later).unwrap_or_default();
        takers.chain(never).map(move |taker| (rule.clone(), taker)).collect::<Vec<_>>()
    });
    losses.collect()
}

/// Whether earlier rules take all that any camera can make of a rule; true where it is too long to
/// tell.
fn is_never(compiler: &Compiler<'_>, sight: &Sight<'_>, at: usize) -> bool {
    let Some(region) = compiler.regions.get(at) else { return false };
    let before = RuleBits::first(at);
    let mut steps = Steps(STEPS_MAX);
    // Of what no camera sees, other warnings tell.
    let is_seen = sight.sees(region);
    let wanted = |left: &Region| !is_seen || sight.sees(left);
    let left = cut::find_left(&compiler.space, region, before, &mut steps, wanted);
    !matches!(left, Found::Left(_))
}

/// The order in which a rule that can never match matches again; see [`remedy`].
pub fn remedy_of(store: &Store, layers: &[usize], never: &Unreachable) -> Remedy {
    let Some(compiler) = Compiler::new(store.rules.iter().collect()) else { return Remedy::None };
    let place = |name: &str| store.rules.iter().position(|it| it.name.as_str() == name);
    let Some(later) = place(&never.rule) else { return Remedy::None };
    let takers: Vec<_> = never.shadowed_by.iter().filter_map(|it| place(it)).collect();
    remedy(store, &compiler, layers, later, &takers)
}
