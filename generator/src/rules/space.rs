//! What the rules of a store can tell apart, and sets of detections in those terms.
//!
//! Of each field, values that no rule tells apart are one atom; atom 0 is all that no rule names: a
//! missing field, other texts, lower numbers, values of unexpected types. A [`Region`] is a box: some atoms of
//! each field, all of which must hold. So every set of detections that rules can make, and its
//! complement, is exactly a few disjoint boxes, whatever an event looks like.
//!
//! To add a field to what rules know, start at [`FIELDS`] and [`Space::new`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Value, json};

use crate::model::{Condition, Id};

/// The fields of a detection that rules know, by their names in the event's `detail`.
pub(super) const FIELDS: [&str; 7] =
    ["event_type", "camera", "aisle", "aisle_kind", "zone", "period", "confidence"];

/// The places of the fields in [`FIELDS`].
pub(super) const EVENT_TYPE: usize = 0;
pub(super) const CAMERA: usize = 1;
pub(super) const AISLE: usize = 2;
pub(super) const AISLE_KIND: usize = 3;
pub(super) const ZONE: usize = 4;
pub(super) const PERIOD: usize = 5;
pub(super) const CONFIDENCE: usize = 6;

/// Bits of a word of a [`Region`].
const WORD: usize = 64;

/// A box of detections: a bit for each atom of each field, in the words that its space gives them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Region(Box<[u64]>);

impl Region {
    /// What both hold; empty in some field where they do not meet.
    pub(super) fn intersect(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// Whether the other holds all that this one does.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    /// Takes the other's atoms in.
    pub(super) fn unite(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }
}

/// Some of the rules of a store, by their number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RuleBits([u64; Self::MAX / WORD]);

impl RuleBits {
    /// Most rules. Our choice: more than [`super::BUS_RULES_MAX`], each of which needs a pattern.
    pub(super) const MAX: usize = 5 * WORD;

    /// So many of the first.
    pub(super) fn first(number: usize) -> Self {
        let mut first = Self::default();
        (0..number).for_each(|rule| first.insert(rule));
        first
    }

    pub(super) fn insert(&mut self, rule: usize) {
        if let Some(word) = self.0.get_mut(rule / WORD) {
            *word |= 1 << (rule % WORD);
        }
    }

    pub(super) fn contains(&self, rule: usize) -> bool {
        self.0.get(rule / WORD).is_some_and(|word| word >> (rule % WORD) & 1 == 1)
    }

    pub(super) fn and(self, other: Self) -> Self {
        let mut both = self;
        both.0.iter_mut().zip(other.0).for_each(|(own, other)| *own &= other);
        both
    }

    pub(super) fn or(self, other: Self) -> Self {
        let mut either = self;
        either.0.iter_mut().zip(other.0).for_each(|(own, other)| *own |= other);
        either
    }

    /// All of these but one.
    pub(super) fn without(self, rule: usize) -> Self {
        let mut without = self;
        if let Some(word) = without.0.get_mut(rule / WORD) {
            *word &= !(1 << (rule % WORD));
        }
        without
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(super) fn count(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

/// Word by word, without a call: what the splitting does most.
impl PartialEq for RuleBits {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }
}

impl Eq for RuleBits {}

/// One field: its words in a [`Region`], what its atoms are, and which rules want each of them.
#[derive(Debug)]
struct Field {
    words: Range<usize>,
    atoms: Atoms,
    wanted_by: Vec<RuleBits>,
}

#[derive(Debug)]
enum Atoms {
    /// The names of each atom from 1 on, sorted.
    Texts(Vec<Vec<String>>),
    /// Where each atom from 1 on begins. Atom 0 is every lower number and all that is no number.
    Numbers(Vec<f64>),
}

/// The fields with their atoms.
#[derive(Debug)]
pub(super) struct Space {
    fields: Vec<Field>,
    all: Region,
}

impl Space {
    /// The space that conditions make, and each condition as a region of it.
    pub(super) fn new(conditions: &[&Condition]) -> (Self, Vec<Region>) {
        let mut space = Self { fields: Vec::new(), all: Region(Box::default()) };
        for field in 0..FIELDS.len() - 1 {
            let lists: Vec<_> = conditions.iter().map(|it| texts(it, field)).collect();
            space.add(text_atoms(&lists));
        }
        // A negative zero would be written as such.
        let threshold = |it: &&Condition| it.min_confidence.map(|least| least.value() + 0.0);
        let thresholds: Vec<_> = conditions.iter().map(threshold).collect();
        space.add(number_atoms(&thresholds));
        let words = space.fields.last().map_or(0, |field| field.words.end);
        let nothing = Region(vec![0; words].into());
        let region = |wants: &dyn Fn(&RuleBits) -> bool| {
            let fields = space.fields.iter().enumerate();
            fields.fold(nothing.clone(), |region, (at, field)| {
                let atoms = field.wanted_by.iter().enumerate().filter(|(_, by)| wants(by));
                space.with(&region, at, atoms.map(|(atom, _)| atom))
            })
        };
        let regions = (0..conditions.len()).map(|rule| region(&|by| by.contains(rule))).collect();
        let all = region(&|_| true);
        space.all = all;
        (space, regions)
    }

    fn add(&mut self, (atoms, wanted_by): (Atoms, Vec<RuleBits>)) {
        let start = self.fields.last().map_or(0, |field| field.words.end);
        let words = start..start + wanted_by.len().div_ceil(WORD);
        self.fields.push(Field { words, atoms, wanted_by });
    }

    /// The rules that want an atom of a field.
    pub(super) fn wanted_by(&self, field: usize, atom: usize) -> RuleBits {
        let field = self.fields.get(field);
        field.and_then(|field| field.wanted_by.get(atom)).copied().unwrap_or_default()
    }

    /// The words of a field.
    pub(super) fn words<'r>(&self, region: &'r Region, field: usize) -> &'r [u64] {
        let words = self.fields.get(field).map_or(0..0, |field| field.words.clone());
        region.0.get(words).unwrap_or_default()
    }

    /// The same region with these atoms of a field instead of its own.
    pub(super) fn with(
        &self,
        region: &Region,
        field: usize,
        atoms: impl IntoIterator<Item = usize>,
    ) -> Region {
        let mut with = region.clone();
        let words = self.fields.get(field).map_or(0..0, |field| field.words.clone());
        if let Some(words) = with.0.get_mut(words) {
            words.fill(0);
            for atom in atoms {
                if let Some(word) = words.get_mut(atom / WORD) {
                    *word |= 1 << (atom % WORD);
                }
            }
        }
        with
    }

    /// The atoms of a field that a region has.
    pub(super) fn atoms(&self, region: &Region, field: usize) -> impl Iterator<Item = usize> {
        let words = self.words(region, field).iter().enumerate();
        words.flat_map(|(at, word)| {
            let word = *word;
            (0..WORD).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * WORD + bit)
        })
    }

    /// Whether a region has an atom of a field.
    pub(super) fn has(&self, region: &Region, field: usize, atom: usize) -> bool {
        self.words(region, field)
            .get(atom / WORD)
            .is_some_and(|word| word >> (atom % WORD) & 1 == 1)
    }

    /// Whether two regions have a detection in common.
    pub(super) fn meet(&self, a: &Region, b: &Region) -> bool {
        (0..FIELDS.len()).all(|field| {
            let pairs = self.words(a, field).iter().zip(self.words(b, field));
            pairs.into_iter().any(|(a, b)| a & b != 0)
        })
    }

    /// Whether the second has all the atoms of a field that the first has.
    pub(super) fn is_within_in(&self, a: &Region, b: &Region, field: usize) -> bool {
        self.words(a, field).iter().zip(self.words(b, field)).all(|(a, b)| a & !b == 0)
    }

    /// Every event.
    pub(super) fn all(&self) -> &Region {
        &self.all
    }

    /// Whether a region says nothing of a field.
    pub(super) fn is_any(&self, region: &Region, field: usize) -> bool {
        self.is_within_in(&self.all, region, field)
    }

    /// The atom of a name, or of a missing field.
    pub(super) fn atom_of(&self, field: usize, name: Option<&str>) -> usize {
        let names = match self.fields.get(field).map(|field| &field.atoms) {
            Some(Atoms::Texts(names)) => names.as_slice(),
            _ => &[],
        };
        let at = names.iter().position(|names| names.iter().any(|it| Some(it.as_str()) == name));
        at.map_or(0, |at| at + 1)
    }

    /// The names of a text field that rules use and a region has, sorted.
    pub(super) fn names(&self, region: &Region, field: usize) -> Vec<&str> {
        let Some(Atoms::Texts(names)) = self.fields.get(field).map(|field| &field.atoms) else {
            return Vec::new();
        };
        let atoms = self.atoms(region, field).filter_map(|atom| names.get(atom.checked_sub(1)?));
        atoms.flatten().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The stretches of numbers that a region has, each from a number and up to, not with, another;
    /// none for an end that is open.
    pub(super) fn stretches(&self, region: &Region) -> Vec<(Option<f64>, Option<f64>)> {
        match self.fields.last().map(|field| &field.atoms) {
            Some(Atoms::Numbers(bounds)) => stretches(self.atoms(region, CONFIDENCE), bounds),
            _ => Vec::new(),
        }
    }

    /// The list of an event pattern that matches exactly a region's values of a field; `None` where
    /// it has all.
    pub(super) fn pattern(&self, region: &Region, field: usize) -> Option<Value> {
        if self.is_any(region, field) {
            return None;
        }
        let list = match &self.fields.get(field)?.atoms {
            Atoms::Texts(names) if self.has(region, field, 0) => {
                let missing = |atom: &usize| !self.has(region, field, *atom);
                let listed = (1..=names.len()).filter(missing);
                let listed: BTreeSet<_> =
                    listed.filter_map(|atom| names.get(atom - 1)).flatten().collect();
                vec![json!({ "anything-but": listed }), json!({ "exists": false })]
            }
            Atoms::Texts(names) => {
                let listed = self.atoms(region, field).filter_map(|atom| names.get(atom - 1));
                listed.flatten().collect::<BTreeSet<_>>().into_iter().map(|it| json!(it)).collect()
            }
            Atoms::Numbers(_) => {
                let mut list: Vec<_> = self.stretches(region).into_iter().map(numeric).collect();
                if self.has(region, field, 0) {
                    list.extend(no_number());
                }
                list
            }
        };
        Some(Value::Array(list))
    }
}

/// The texts that a condition wants of a text field, by its place in [`FIELDS`].
fn texts(condition: &Condition, field: usize) -> Option<Vec<&str>> {
    match field {
        EVENT_TYPE => {
            condition.event_types.as_deref().map(|it| it.iter().map(String::as_str).collect())
        }
        CAMERA => condition.cameras.as_deref().map(names),
        AISLE => condition.aisles.as_deref().map(names),
        AISLE_KIND => condition.aisle_kinds.as_deref().map(names),
        ZONE => condition.zones.as_deref().map(|it| it.iter().map(String::as_str).collect()),
        PERIOD => condition.period.map(|period| vec![period.as_str()]),
        _ => None,
    }
}

fn names(ids: &[Id]) -> Vec<&str> {
    ids.iter().map(Id::as_str).collect()
}

/// The atoms of a text field, and the rules that want each; a list that is absent wants all.
fn text_atoms(lists: &[Option<Vec<&str>>]) -> (Atoms, Vec<RuleBits>) {
    let mut all = RuleBits::default();
    let mut by_name: BTreeMap<&str, RuleBits> = BTreeMap::new();
    for (rule, list) in lists.iter().enumerate() {
        if list.is_none() {
            all.insert(rule);
        }
        for name in list.iter().flatten() {
            by_name.entry(name).or_default().insert(rule);
        }
    }
    let mut wanted_by = vec![all];
    let mut names: Vec<Vec<String>> = Vec::new();
    for (name, rules) in by_name {
        let wanting = rules.or(all);
        let known = wanted_by.iter().skip(1).position(|it| *it == wanting);
        let at = known.unwrap_or(names.len());
        if at == names.len() {
            names.push(Vec::new());
            wanted_by.push(wanting);
        }
        names.get_mut(at).into_iter().for_each(|names| names.push(name.to_owned()));
    }
    (Atoms::Texts(names), wanted_by)
}

/// The same for confidence.
fn number_atoms(thresholds: &[Option<f64>]) -> (Atoms, Vec<RuleBits>) {
    let mut bounds: Vec<f64> = thresholds.iter().flatten().copied().collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let wanting = |bound: Option<&f64>| {
        let mut wanting = RuleBits::default();
        for (rule, least) in thresholds.iter().enumerate() {
            if least.is_none_or(|least| bound.is_some_and(|bound| *bound >= least)) {
                wanting.insert(rule);
            }
        }
        wanting
    };
    let wanted_by = [None].into_iter().chain(bounds.iter().map(Some)).map(wanting).collect();
    (Atoms::Numbers(bounds), wanted_by)
}

/// The numbers of these atoms, as the fewest stretches.
fn stretches(
    atoms: impl Iterator<Item = usize>,
    bounds: &[f64],
) -> Vec<(Option<f64>, Option<f64>)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for atom in atoms {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == atom => *last = atom,
            _ => runs.push((atom, atom)),
        }
    }
    let bound = |atom: usize| atom.checked_sub(1).and_then(|at| bounds.get(at)).copied();
    runs.into_iter().map(|(first, last)| (bound(first), bound(last + 1))).collect()
}

fn numeric((low, high): (Option<f64>, Option<f64>)) -> Value {
    let low = low.map(|low| [json!(">="), json!(low)]);
    let high = high.map(|high| [json!("<"), json!(high)]);
    json!({ "numeric": low.into_iter().chain(high).flatten().collect::<Vec<_>>() })
}

/// What is no number: missing, text, null, true, false. `prefix` of nothing matches every text, and
/// only texts.
fn no_number() -> [Value; 5] {
    [json!({ "exists": false }), json!({ "prefix": "" }), json!(null), json!(true), json!(false)]
}
