//! Which earlier rules take what a later one asks for, and which rules they leave nothing in one store.
//!
//! The rule to keep: a rule is said to take something, or all, only where the search for it came to
//! its end; what is too long to tell is not told. To change what a store can make of a rule, start in
//! `rules/sight.rs`.

use crate::model::Store;

use super::cut::{self, Found, STEPS_MAX, Steps};
use super::sight::Sight;
use super::space::{Region, RuleBits};
use super::{Compiler, RuleSet, Unreachable};

/// Of the first rules of a store, its own, those that no camera of this store can reach: earlier rules
/// take all that any can make of them. Those that can match nowhere are in the rule set.
pub fn unreachable_here(store: &Store, own: usize, set: &RuleSet) -> Vec<Unreachable> {
    let rules: Vec<_> = store.rules.iter().take(own).collect();
    if rules.len() < 2 {
        return Vec::new();
    }
    let Some(compiler) = Compiler::new(rules) else { return Vec::new() };
    let overlaps = |at: &usize| {
        let region = compiler.regions.get(*at);
        let mut earlier = compiler.regions.iter().take(*at);
        region.is_some_and(|region| earlier.any(|it| compiler.space.meet(it, region)))
    };
    let overlapping: Vec<_> = (1..own).filter(overlaps).collect();
    if overlapping.is_empty() {
        return Vec::new();
    }
    let sight = Sight::new(store, &compiler.space);
    let never = |at: usize| {
        let (rule, region) = (compiler.name(at)?, compiler.regions.get(at)?);
        let is_told = set.unreachable.iter().any(|it| it.rule == rule);
        // What no camera sees at all is told as such.
        if is_told || !sight.sees(region) {
            return None;
        }
        let before = RuleBits::first(at);
        let mut steps = Steps(STEPS_MAX);
        let seen = |left: &Region| sight.sees(left);
        let left = cut::find_left(&compiler.space, region, before, &mut steps, seen);
        let shadowed_by = || needed(&compiler, at, seen);
        (left == Found::Nothing).then(|| Unreachable { rule, shadowed_by: shadowed_by() })
    };
    overlapping.into_iter().filter_map(never).collect()
}

/// The earlier rules that take something `wanted` of what a rule asks for.
pub(super) fn takers(
    compiler: &Compiler<'_>,
    at: usize,
    wanted: impl Fn(&Region) -> bool,
) -> Vec<String> {
    let taking = taking(compiler, at, &wanted);
    taking.into_iter().filter_map(|at| compiler.name(at)).collect()
}

/// Of the earlier rules that take all that is `wanted` of one, those without each of which something
/// would be left.
pub(super) fn needed(
    compiler: &Compiler<'_>,
    at: usize,
    wanted: impl Fn(&Region) -> bool,
) -> Vec<String> {
    let Some(region) = compiler.regions.get(at) else { return Vec::new() };
    let taking = taking(compiler, at, &wanted);
    let mut needed = RuleBits::default();
    for taker in &taking {
        needed.insert(*taker);
    }
    let mut steps = Steps(STEPS_MAX);
    // The first that matches wins, so the last is the first to go.
    for taker in taking.iter().rev() {
        let without = needed.without(*taker);
        let left = cut::find_left(&compiler.space, region, without, &mut steps, &wanted);
        if left == Found::Nothing {
            needed = without;
        }
    }
    let needed = taking.into_iter().filter(|taker| needed.contains(*taker));
    needed.filter_map(|at| compiler.name(at)).collect()
}

fn taking(compiler: &Compiler<'_>, at: usize, wanted: &impl Fn(&Region) -> bool) -> Vec<usize> {
    let Some(region) = compiler.regions.get(at) else { return Vec::new() };
    let takes = |(earlier, other): &(usize, &Region)| {
        if !compiler.space.meet(region, other) {
            return false;
        }
        let both = region.intersect(other);
        let before = RuleBits::first(*earlier);
        let mut steps = Steps(STEPS_MAX);
        let taken = cut::find_left(&compiler.space, &both, before, &mut steps, wanted);
        matches!(taken, Found::Left(_))
    };
    let taking = compiler.regions.iter().take(at).enumerate().filter(takes);
    taking.map(|(at, _)| at).collect()
}
