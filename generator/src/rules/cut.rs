//! What earlier rules leave of a condition, as few disjoint boxes.
//!
//! A box is split along one field into groups of atoms that the same rules want, and each group
//! further, until a rule takes all of it or none wants any. The field is the one after which the
//! groups have the fewest rules to look at in all: usually the event type. The rule to keep: the
//! boxes that come out are disjoint, and together exactly the box without the rules.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::space::{FIELDS, Region, RuleBits, Space};

/// Most boxes that are looked at for one store. Our choice: rules that people keep in their heads
/// need hundreds, and so many take milliseconds.
pub(super) const STEPS_MAX: usize = 40_000;

/// How many boxes may still be looked at.
#[derive(Debug)]
pub(super) struct Steps(pub(super) usize);

/// What so many of the first rules leave of a region; `None` when finding out takes too many steps.
pub(super) fn left(
    space: &Space,
    region: &Region,
    first: usize,
    steps: &mut Steps,
) -> Option<Vec<Region>> {
    let mut left = Vec::new();
    let mut keep = |region: &Region| {
        left.push(region.clone());
        ControlFlow::Continue(())
    };
    let mut cut = Cut { space, keep: &mut keep, steps };
    match cut.start(region, RuleBits::first(first)) {
        ControlFlow::Break(Stopped::OutOfSteps) => None,
        _ => Some(merge(space, left)),
    }
}

/// What a search for something that rules leave came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Left(Region),
    Nothing,
    /// It took too many steps to tell.
    Unknown,
}

/// A box of what these rules leave of a region that is `wanted`.
pub(super) fn find_left(
    space: &Space,
    region: &Region,
    rules: RuleBits,
    steps: &mut Steps,
    wanted: impl Fn(&Region) -> bool,
) -> Found {
    let mut found = None;
    let mut keep = |region: &Region| {
        if !wanted(region) {
            return ControlFlow::Continue(());
        }
        found = Some(region.clone());
        ControlFlow::Break(Stopped::Found)
    };
    let mut cut = Cut { space, keep: &mut keep, steps };
    let end = cut.start(region, rules);
    match (found, end) {
        (Some(region), _) => Found::Left(region),
        (None, ControlFlow::Break(Stopped::OutOfSteps)) => Found::Unknown,
        (None, _) => Found::Nothing,
    }
}

/// Why the splitting ended before its end.
#[derive(Debug)]
enum Stopped {
    Found,
    OutOfSteps,
}

struct Cut<'c> {
    space: &'c Space,
    /// Takes a box that no rule wants.
    keep: &'c mut dyn FnMut(&Region) -> ControlFlow<Stopped>,
    steps: &'c mut Steps,
}

impl Cut<'_> {
    fn start(&mut self, region: &Region, rules: RuleBits) -> ControlFlow<Stopped> {
        // The rules that want something of each field.
        let meeting = (0..FIELDS.len()).fold(rules, |meeting, field| {
            let wanting =
                self.space.atoms(region, field).map(|atom| self.space.wanted_by(field, atom));
            meeting.and(wanting.fold(RuleBits::default(), RuleBits::or))
        });
        let all: Vec<_> = (0..FIELDS.len()).collect();
        self.split(region, meeting, &all)
    }

    /// Keeps what is left of a region after these rules, each of which wants something of it, and
    /// all of what it has in the fields that are not `open`.
    fn split(&mut self, region: &Region, rules: RuleBits, open: &[usize]) -> ControlFlow<Stopped> {
        if self.steps.0 == 0 {
            return ControlFlow::Break(Stopped::OutOfSteps);
        }
        self.steps.0 -= 1;
        if rules.is_empty() {
            return (self.keep)(region);
        }
        let ways: Vec<_> =
            open.iter().map(|field| Way::new(self.space, region, rules, *field)).collect();
        let taking_all = ways.iter().fold(rules, |all, way| all.and(way.unsplit));
        let splitting = || ways.iter().filter(|way| way.groups.len() > 1);
        let Some(way) = splitting().min_by_key(|way| way.cost()).filter(|_| taking_all.is_empty())
        else {
            return ControlFlow::Continue(());
        };
        let open: Vec<_> = splitting().map(|it| it.field).filter(|it| *it != way.field).collect();
        for wanting in &way.groups {
            let wanted =
                |atom: &usize| self.space.wanted_by(way.field, *atom).and(rules) == *wanting;
            let atoms = self.space.atoms(region, way.field).filter(wanted);
            self.split(&self.space.with(region, way.field, atoms), *wanting, &open)?;
        }
        ControlFlow::Continue(())
    }
}

/// A region split along one field.
struct Way {
    field: usize,
    /// The rules that want each group of atoms.
    groups: Vec<RuleBits>,
    /// The rules that want all atoms.
    unsplit: RuleBits,
}

impl Way {
    fn new(space: &Space, region: &Region, rules: RuleBits, field: usize) -> Self {
        let mut groups = Vec::new();
        let mut unsplit = rules;
        for atom in space.atoms(region, field) {
            let wanting = space.wanted_by(field, atom).and(rules);
            if groups.last() != Some(&wanting) && !groups.contains(&wanting) {
                groups.push(wanting);
                unsplit = unsplit.and(wanting);
            }
        }
        Self { field, groups, unsplit }
    }

    /// How many rules the groups have to look at in all.
    fn cost(&self) -> u32 {
        self.groups.iter().map(|rules| rules.count() + 1).sum()
    }
}

/// Joins disjoint boxes that differ in one field, until no two do, and sorts them by their fields.
fn merge(space: &Space, mut regions: Vec<Region>) -> Vec<Region> {
    loop {
        let before = regions.len();
        for field in (0..FIELDS.len()).rev() {
            let mut joined: Vec<Region> = Vec::with_capacity(regions.len());
            let mut by_others: HashMap<Region, usize> = HashMap::new();
            for region in regions {
                let others = space.with(&region, field, []);
                let at = *by_others.entry(others).or_insert(joined.len());
                match joined.get_mut(at) {
                    Some(same) => same.unite(&region),
                    None => joined.push(region),
                }
            }
            regions = joined;
        }
        if regions.len() == before {
            regions.sort();
            return regions;
        }
    }
}
