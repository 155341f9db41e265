//! What two sets of event patterns tell apart, and sets of events in those terms.
//!
//! Of each field, values that no list of either set tells apart are one atom; a [`Region`] is a box:
//! some atoms of each field. Which values a list holds for says the engine (`pattern`) alone, asked
//! with one value of every kind that our lists can tell apart. So the rule to keep: a list that holds
//! anything else than the compiler of rules writes (`rules/space.rs`) is refused, as nothing exact could
//! be said of it. To let a list hold more, start in [`Samples::take`]. Pure.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::pattern::Pattern;

/// The fields of a detection that rules know, in the order in which people are told of them.
pub(super) const FIELDS: [&str; 7] =
    ["event_type", "period", "aisle_kind", "aisle", "camera", "zone", "confidence"];
pub(super) const EVENT_TYPE: usize = 0;
pub(super) const PERIOD: usize = 1;
pub(super) const AISLE_KIND: usize = 2;
pub(super) const AISLE: usize = 3;
pub(super) const CAMERA: usize = 4;
pub(super) const ZONE: usize = 5;
pub(super) const CONFIDENCE: usize = 6;

/// A text that no rule names: ids and event types hold no space.
const OTHER: &str = "no rule names it";
/// Bits of a word of a [`Region`].
const WORD: usize = 64;

/// What a pattern asks of each field; `None`: nothing.
pub(super) type Branch<'p> = [Option<&'p Value>; FIELDS.len()];

/// The boxes of a pattern; `None` where it is none that the compiler of rules writes.
pub(super) fn branches(pattern: &Value) -> Option<Vec<Branch<'_>>> {
    let every = json!({ "source": [{ "prefix": "" }] });
    if *pattern == every {
        return Some(vec![Branch::default()]);
    }
    let detail = only(pattern.as_object()?, "detail")?.as_object()?;
    let common = limits(Branch::default(), detail)?;
    let Some(forks) = detail.get("$or") else { return Some(vec![common]) };
    forks.as_array()?.iter().map(|fork| limits(common, fork.as_object()?)).collect()
}

fn only<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.get(name).filter(|_| object.len() == 1)
}

fn limits<'p>(mut branch: Branch<'p>, fields: &'p Map<String, Value>) -> Option<Branch<'p>> {
    for (name, list) in fields.iter().filter(|(name, _)| *name != "$or") {
        let at = FIELDS.iter().position(|it| it == name)?;
        let limit = branch.get_mut(at).filter(|it| it.is_none())?;
        *limit = Some(list);
    }
    Some(branch)
}

/// A box of events: a bit for each atom of each field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Region(Vec<u64>);

impl Region {
    pub(super) fn intersect(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    pub(super) fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }
}

/// A value of a field; `None`: the field is missing.
pub(super) type Sample = Option<Value>;

/// One field.
#[derive(Debug)]
struct Field<'p> {
    words: Range<usize>,
    /// A sample of every kind, and its atom.
    samples: Vec<(Sample, usize)>,
    /// Every list, and the atoms that it holds for.
    lists: Vec<(&'p Value, Vec<usize>)>,
    atoms: usize,
    /// Where lists cut the numbers, sorted.
    bounds: Vec<f64>,
    /// The texts that lists name, sorted.
    names: Vec<String>,
}

/// The fields with their atoms.
#[derive(Debug)]
pub(super) struct Space<'p> {
    fields: Vec<Field<'p>>,
    words: usize,
}

impl<'p> Space<'p> {
    /// `None` where a list holds what the compiler of rules does not write.
    pub(super) fn new<'b>(branches: impl Iterator<Item = &'b Branch<'p>>) -> Option<Self>
    where
        'p: 'b,
    {
        let mut lists = [const { Vec::<&Value>::new() }; FIELDS.len()];
        for branch in branches {
            for (known, list) in lists.iter_mut().zip(branch) {
                known.extend(list.filter(|list| !known.contains(list)));
            }
        }
        let mut space = Self { fields: Vec::new(), words: 0 };
        for lists in lists {
            let mut field = Field::new(lists)?;
            let end = space.words + field.atoms.div_ceil(WORD);
            field.words = space.words..end;
            space.words = end;
            space.fields.push(field);
        }
        Some(space)
    }

    /// The box of a branch that this space was made of.
    pub(super) fn region(&self, branch: &Branch<'_>) -> Region {
        let mut region = Region(vec![0; self.words]);
        for (at, (field, list)) in self.fields.iter().zip(branch).enumerate() {
            let known = list.and_then(|list| field.lists.iter().find(|(it, _)| *it == list));
            match known {
                Some((_, atoms)) => self.put(&mut region, at, atoms.iter().copied()),
                None => self.put(&mut region, at, 0..field.atoms),
            }
        }
        region
    }

    /// The box without a limit to these fields.
    pub(super) fn without(&self, region: &Region, fields: impl Iterator<Item = usize>) -> Region {
        let mut wider = region.clone();
        for at in fields {
            let atoms = self.fields.get(at).map_or(0, |field| field.atoms);
            self.put(&mut wider, at, 0..atoms);
        }
        wider
    }

    /// Takes atoms of a field in.
    pub(super) fn put(
        &self,
        region: &mut Region,
        field: usize,
        atoms: impl IntoIterator<Item = usize>,
    ) {
        let words = self.fields.get(field).map_or(0..0, |field| field.words.clone());
        let Some(words) = region.0.get_mut(words) else { return };
        for atom in atoms {
            if let Some(word) = words.get_mut(atom / WORD) {
                *word |= 1 << (atom % WORD);
            }
        }
    }

    /// A box that holds nothing, to be filled.
    pub(super) fn nothing(&self) -> Region {
        Region(vec![0; self.words])
    }

    fn words<'r>(&self, region: &'r Region, field: usize) -> &'r [u64] {
        let words = self.fields.get(field).map_or(0..0, |field| field.words.clone());
        region.0.get(words).unwrap_or_default()
    }

    /// Whether a box has something of a field.
    fn has_any(&self, region: &Region, field: usize) -> bool {
        self.words(region, field).iter().any(|word| *word != 0)
    }

    /// Whether a box holds an event at all.
    pub(super) fn holds_something(&self, region: &Region) -> bool {
        (0..FIELDS.len()).all(|field| self.has_any(region, field))
    }

    /// Whether two boxes have values of a field in common.
    pub(super) fn meet_in(&self, a: &Region, b: &Region, field: usize) -> bool {
        let pairs = self.words(a, field).iter().zip(self.words(b, field));
        pairs.into_iter().any(|(a, b)| a & b != 0)
    }

    /// Whether two boxes are the same but for this field.
    pub(super) fn differ_only_in(&self, a: &Region, b: &Region, field: usize) -> bool {
        (0..FIELDS.len()).filter(|it| *it != field).all(|it| self.words(a, it) == self.words(b, it))
    }

    /// Whether a box says nothing of a field.
    pub(super) fn is_any(&self, region: &Region, field: usize) -> bool {
        let atoms = self.fields.get(field).map_or(0, |field| field.atoms);
        (0..atoms).all(|atom| self.has(region, field, atom))
    }

    pub(super) fn has(&self, region: &Region, field: usize, atom: usize) -> bool {
        let word = self.words(region, field).get(atom / WORD);
        word.is_some_and(|word| word >> (atom % WORD) & 1 == 1)
    }

    /// The atom of a text, or of a missing field.
    pub(super) fn atom_of(&self, field: usize, text: Option<&str>) -> usize {
        let sample = |text: Option<&str>| {
            let samples = self.fields.get(field).map_or(&[][..], |field| &field.samples);
            samples.iter().find(|(it, _)| it.as_ref().map(Value::as_str) == text.map(Some))
        };
        let found = sample(text).or_else(|| sample(Some(OTHER)));
        found.map_or(0, |(_, atom)| *atom)
    }

    /// The atom of a confidence.
    pub(super) fn atom_of_number(&self, number: f64) -> usize {
        let Some(field) = self.fields.get(CONFIDENCE) else { return 0 };
        let numbers =
            field.samples.iter().filter_map(|(it, atom)| Some((it.as_ref()?.as_f64()?, *atom)));
        // The sample of a stretch is where it begins; that of the first lies below all.
        let below = numbers.clone().filter(|(it, _)| *it <= number);
        let nearest = below.max_by(|(a, _), (b, _)| a.total_cmp(b));
        let least = numbers.min_by(|(a, _), (b, _)| a.total_cmp(b));
        nearest.or(least).map_or(0, |(_, atom)| atom)
    }

    /// Where lists cut the numbers.
    pub(super) fn bounds(&self) -> &[f64] {
        self.fields.get(CONFIDENCE).map_or(&[], |field| &field.bounds)
    }

    /// The texts that lists name in a field, sorted.
    pub(super) fn names(&self, field: usize) -> &[String] {
        self.fields.get(field).map_or(&[], |field| &field.names)
    }

    /// A value of a field that a box has; the plainest first.
    pub(super) fn sample(&self, region: &Region, field: usize) -> Option<&Sample> {
        let samples = self.fields.get(field).map_or(&[][..], |field| &field.samples);
        samples.iter().find(|(_, atom)| self.has(region, field, *atom)).map(|(it, _)| it)
    }
}

impl<'p> Field<'p> {
    fn new(lists: Vec<&'p Value>) -> Option<Self> {
        let mut samples = Samples::default();
        for entry in lists.iter().copied().map(Value::as_array) {
            entry?.iter().try_for_each(|entry| samples.take(entry))?;
        }
        let patterns: Result<Vec<_>, _> =
            lists.iter().map(|list| Pattern::parse(&json!({ "v": list }))).collect();
        let patterns = patterns.ok()?;
        let mut kinds: Vec<Vec<bool>> = Vec::new();
        let sorted = samples.all().into_iter().map(|sample| {
            let event = sample.as_ref().map_or_else(|| json!({}), |value| json!({ "v": value }));
            let kind: Vec<_> = patterns.iter().map(|pattern| pattern.matches(&event)).collect();
            let atom = kinds.iter().position(|it| *it == kind).unwrap_or_else(|| {
                kinds.push(kind);
                kinds.len() - 1
            });
            (sample, atom)
        });
        let sorted: Vec<_> = sorted.collect();
        let atoms_of = |list: usize| {
            let held = kinds.iter().enumerate();
            held.filter(|(_, kind)| kind.get(list) == Some(&true)).map(|(atom, _)| atom).collect()
        };
        let lists = lists.into_iter().enumerate().map(|(at, list)| (list, atoms_of(at)));
        Some(Self {
            words: 0..0,
            samples: sorted,
            lists: lists.collect(),
            atoms: kinds.len(),
            bounds: samples.bounds,
            names: samples.texts.into_iter().collect(),
        })
    }
}

/// What lists of one field tell apart.
#[derive(Debug, Default)]
struct Samples {
    texts: BTreeSet<String>,
    /// Sorted; each begins a stretch of numbers.
    bounds: Vec<f64>,
}

impl Samples {
    /// Takes an entry of a list in; `None` where it is another than the compiler writes.
    fn take(&mut self, entry: &Value) -> Option<()> {
        let operator = match entry {
            Value::String(text) => {
                self.texts.insert(text.clone());
                return Some(());
            }
            Value::Null | Value::Bool(_) => return Some(()),
            Value::Object(operator) => operator,
            _ => return None,
        };
        if let Some(texts) = only(operator, "anything-but") {
            for text in texts.as_array()? {
                self.texts.insert(text.as_str()?.to_owned());
            }
            return Some(());
        }
        if let Some(range) = only(operator, "numeric") {
            for pair in range.as_array()?.chunks(2) {
                let [Value::String(sign), bound] = pair else { return None };
                let bound = bound.as_f64().filter(|_| [">=", "<"].contains(&sign.as_str()))?;
                self.bounds.push(bound + 0.0);
            }
            self.bounds.sort_by(f64::total_cmp);
            self.bounds.dedup();
            return Some(());
        }
        let exists = only(operator, "exists") == Some(&Value::Bool(false));
        let any_text = only(operator, "prefix").and_then(Value::as_str) == Some("");
        (exists || any_text).then_some(())
    }

    /// A value of every kind, the plainest first.
    fn all(&self) -> Vec<Sample> {
        let texts = self.texts.iter().map(|it| Some(json!(it))).chain([None, Some(json!(OTHER))]);
        // Half of a confidence is one as well.
        let lowest =
            self.bounds.first().map_or(0.0, |it| if *it > 0.0 { it / 2.0 } else { it - 1.0 });
        let numbers = self.bounds.iter().copied().chain([lowest]).map(|it| Some(json!(it)));
        let odd = [Some(Value::Null), Some(json!(true)), Some(json!(false))];
        let mut all: Vec<_> = texts.chain(numbers).chain(odd).collect();
        // Where numbers are asked for, a number is the plainest.
        all.sort_by_key(|it| !self.bounds.is_empty() && !it.as_ref().is_some_and(Value::is_number));
        all
    }
}
