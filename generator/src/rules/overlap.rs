//! Rules that take from a later one what should be looked at sooner, or told to somebody.
//!
//! An earlier rule that is narrower than the later one is an exception, and meant; one that is wider
//! leaves nothing, which is told as unreachable. What is told here is two rules that cross: somebody
//! who reads the later one alone expects more of it than it gets; and a shadow, which is a trial and no
//! exception, above a rule that tells people. The rule to keep: told only with an example that a
//! camera of the store can really make, in the words of the YAML. To change what counts, start at
//! [`is_held_back`].

use contract::priority::Priority;

use crate::model::{Rule, Store};

use super::cut::{self, Found, STEPS_MAX, Steps};
use super::order::{self, Remedy};
use super::sight::Sight;
use super::space::{Region, RuleBits};
use super::{Compiler, is_told};

/// Most earlier rules that are named for one rule. Our choice: to mend it, one is looked at first.
const TAKERS_MAX: usize = 3;

/// A rule from which earlier rules take what they should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartlyShadowed {
    pub rule: String,
    pub priority: Priority,
    /// The first few, in the order of the YAML; one or more.
    pub takers: Vec<Taker>,
    /// What silences the warning, and brings no other.
    pub remedy: Remedy,
}

/// An earlier rule that takes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    pub rule: String,
    pub priority: Priority,
    /// Whether it tells anybody.
    pub tells: bool,
    pub shadow: bool,
    /// A detection that it takes, such as `a concealment with confidence 0.9 in Pharmacy`.
    pub example: String,
}

/// The rules of a store from which others take what they should not. `layers` says of each rule in
/// which file or part of a file it stands, the nearest first.
pub fn partly_shadowed(store: &Store, layers: &[usize]) -> Vec<PartlyShadowed> {
    let rules: Vec<_> = store.rules.iter().collect();
    let candidate = |later: usize| {
        let rule = rules.get(later)?;
        rules.iter().take(later).any(|it| is_held_back(rule, it)).then_some(later)
    };
    let candidates: Vec<_> = (0..rules.len()).filter_map(candidate).collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let Some(compiler) = Compiler::new(rules) else { return Vec::new() };
    let crosses = |later: &usize| (0..*later).any(|it| holds_back(&compiler, it, *later));
    let candidates: Vec<_> = candidates.into_iter().filter(crosses).collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let sight = Sight::new(store, &compiler.space);
    let shadowed = candidates.into_iter().filter_map(|later| {
        let taken = taken(&compiler, &sight, later);
        let rule = compiler.rules.get(later).filter(|_| !taken.is_empty())?;
        let takers: Vec<_> = taken.iter().map(|(earlier, _)| *earlier).collect();
        let told = taken.iter().take(TAKERS_MAX).filter_map(|(earlier, region)| {
            let rule = compiler.rules.get(*earlier)?;
            let (name, priority) = (rule.name.to_string(), rule.priority);
            let example = sight.example(region)?;
            let (tells, shadow) = (is_told(rule), rule.shadow);
            Some(Taker { rule: name, priority, tells, shadow, example })
        });
        Some(PartlyShadowed {
            rule: rule.name.to_string(),
            priority: rule.priority,
            takers: told.collect(),
            remedy: order::remedy(store, &compiler, layers, later, &takers),
        })
    });
    shadowed.collect()
}

/// The earlier rules that take from one what they should not, each with something that it takes.
pub(super) fn taken(
    compiler: &Compiler<'_>,
    sight: &Sight<'_>,
    later: usize,
) -> Vec<(usize, Region)> {
    let seen = |region: &Region| sight.example(region).is_some();
    let taken = (0..later).filter(|earlier| holds_back(compiler, *earlier, later));
    let taken = taken.filter_map(|earlier| {
        let both = compiler.regions.get(earlier)?.intersect(compiler.regions.get(later)?);
        let before = RuleBits::first(earlier);
        let mut steps = Steps(STEPS_MAX);
        // What takes too long to tell is not told.
        match cut::find_left(&compiler.space, &both, before, &mut steps, seen) {
            Found::Left(region) => Some((earlier, region)),
            Found::Nothing | Found::Unknown => None,
        }
    });
    taken.collect()
}

/// Whether the first of two rules may take from the second what it should not.
pub(super) fn holds_back(compiler: &Compiler<'_>, earlier: usize, later: usize) -> bool {
    let rules = (compiler.rules.get(earlier), compiler.rules.get(later));
    let regions = (compiler.regions.get(earlier), compiler.regions.get(later));
    let ((Some(first), Some(rule)), (Some(taking), Some(asking))) = (rules, regions) else {
        return false;
    };
    is_held_back(rule, first)
        && compiler.space.meet(taking, asking)
        && !asking.is_within(taking)
        && ((first.shadow && is_told(rule)) || !taking.is_within(asking))
}

/// Whether a rule loses by what an earlier one takes: what it says is more urgent, or only it tells
/// anybody. A rule that tells nobody takes no detection from one that does.
fn is_held_back(rule: &Rule, earlier: &Rule) -> bool {
    match (is_told(earlier), is_told(rule)) {
        (true, false) => false,
        (false, true) => true,
        _ => earlier.priority < rule.priority,
    }
}
