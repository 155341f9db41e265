//! Boxes of one rule as few event patterns: several become the branches of one `$or`, with what is
//! common to all of them written once.
//!
//! Which boxes share a pattern depends on their order alone, so boxes that say the same of the first
//! fields stand together. The rule to keep: a pattern has at most [`CHARACTERS_MAX`]
//! characters as compact JSON, and matches what one of its boxes does.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::pattern::{CHARACTERS_MAX, COMBINATIONS_MAX};

use super::space::{FIELDS, Region, Space};

/// The least that one more branch adds to a pattern: `{"zone":["a"]},`.
const BRANCH_CHARACTERS_MIN: usize = 15;
// We write one `$or`, whose branches are its combinations: the length ends it long before.
const _: () = assert!(CHARACTERS_MAX / BRANCH_CHARACTERS_MIN < COMBINATIONS_MAX);

/// `{"detail":{}}`
const FRAME_CHARACTERS: usize = 13;
/// `"$or":[]`
const OR_CHARACTERS: usize = 8;

/// Writes boxes as patterns; remembers what it wrote of each field, as many boxes say the same.
pub(super) struct Packer<'s> {
    space: &'s Space,
    limits: HashMap<(usize, &'s [u64]), Option<Rc<Limit>>>,
}

impl<'s> Packer<'s> {
    pub(super) fn new(space: &'s Space) -> Self {
        Self { space, limits: HashMap::new() }
    }

    /// The event patterns that match what some boxes of one rule do, each event at most one of them;
    /// the length of a pattern that is too long and cannot be cut.
    pub(super) fn patterns(&mut self, regions: &'s [Region]) -> Result<Vec<Value>, usize> {
        let mut packs = vec![Pack::new()];
        for region in regions {
            let mut waiting = vec![self.branch(region)];
            while let Some(branch) = waiting.pop() {
                let taken = packs.last_mut().map(|last| last.take(branch));
                let Some(Err(branch)) = taken else { continue };
                let mut pack = Pack::new();
                match pack.take(branch) {
                    Ok(()) => packs.push(pack),
                    Err(branch) => {
                        let [first, second] = branch.halves().ok_or_else(|| branch.characters())?;
                        waiting.extend([second, first]);
                    }
                }
            }
        }
        packs.retain(|pack| !pack.branches.is_empty());
        Ok(packs.iter().map(Pack::pattern).collect())
    }

    /// The length of the one pattern of a box.
    pub(super) fn characters(&mut self, region: &'s Region) -> usize {
        self.branch(region).characters()
    }

    fn branch(&mut self, region: &'s Region) -> Branch {
        let limit = |field| {
            let limit = || Some(Rc::new(Limit::new(field, self.space.pattern(region, field)?)));
            self.limits
                .entry((field, self.space.words(region, field)))
                .or_insert_with(limit)
                .clone()
        };
        Branch { limits: (0..FIELDS.len()).map(limit).collect() }
    }
}

/// What a box says of one field.
#[derive(Debug, PartialEq, Eq)]
struct Limit {
    field: usize,
    list: Value,
    /// Of the field with its name and a comma, as compact JSON.
    characters: usize,
}

impl Limit {
    fn new(field: usize, list: Value) -> Self {
        /// `"":,`
        const AROUND: usize = 4;
        let name = FIELDS.get(field).map_or(0, |name| name.len());
        let characters = name + AROUND + list.to_string().chars().count();
        Self { field, list, characters }
    }
}

/// A box in the words of EventBridge.
#[derive(Clone, Debug)]
struct Branch {
    /// In the order of [`FIELDS`].
    limits: Vec<Option<Rc<Limit>>>,
}

impl Branch {
    /// The length of a pattern of this branch alone.
    fn characters(&self) -> usize {
        let fields: usize = self.limits.iter().flatten().map(|limit| limit.characters).sum();
        // The last one has no comma.
        FRAME_CHARACTERS + fields.saturating_sub(1)
    }

    /// This branch as two, cut through its longest list of names; `None` when there is none to cut.
    fn halves(&self) -> Option<[Self; 2]> {
        let names = |limit: &Rc<Limit>| {
            let names = limit.list.as_array()?.clone();
            let cuttable = names.len() > 1 && names.iter().all(Value::is_string);
            cuttable.then_some((limit.characters, limit.field, names))
        };
        let lists = self.limits.iter().flatten().filter_map(names);
        let (_, field, names) = lists.max_by_key(|(characters, ..)| *characters)?;
        let (first, second) = names.split_at(names.len() / 2);
        let half = |part: &[Value]| {
            let mut limits = self.limits.clone();
            *limits.get_mut(field)? = Some(Rc::new(Limit::new(field, part.into())));
            Some(Self { limits })
        };
        Some([half(first)?, half(second)?])
    }
}

/// Branches that share a pattern; one or more.
#[derive(Debug)]
struct Pack {
    branches: Vec<Branch>,
    /// Whether all branches say the same of a field.
    common: [bool; FIELDS.len()],
    /// Characters of a field in all branches together.
    lengths: [usize; FIELDS.len()],
}

impl Pack {
    fn new() -> Self {
        Self { branches: Vec::new(), common: [true; FIELDS.len()], lengths: [0; FIELDS.len()] }
    }

    /// Takes a branch in, unless the pattern would be too long; then returns it.
    fn take(&mut self, branch: Branch) -> Result<(), Branch> {
        let (common, lengths) = (self.common, self.lengths);
        if let Some(first) = self.branches.first() {
            let pairs = first.limits.iter().zip(&branch.limits);
            for (common, (first, limit)) in self.common.iter_mut().zip(pairs) {
                *common &= first == limit;
            }
        }
        for (length, limit) in self.lengths.iter_mut().zip(&branch.limits) {
            *length += limit.as_ref().map_or(0, |limit| limit.characters);
        }
        self.branches.push(branch);
        if self.characters() <= CHARACTERS_MAX {
            return Ok(());
        }
        (self.common, self.lengths) = (common, lengths);
        self.branches.pop().map_or(Ok(()), Err)
    }

    /// The length of the pattern as compact JSON.
    fn characters(&self) -> usize {
        let number = self.branches.len();
        let fields = self.common.iter().zip(&self.lengths);
        let fields = fields.map(|(common, length)| if *common { length / number } else { *length });
        let fields: usize = fields.sum();
        // The comma after the last field counts for the one that is not there.
        match number {
            1 => FRAME_CHARACTERS + fields.saturating_sub(1),
            _ => FRAME_CHARACTERS + fields + OR_CHARACTERS + 2 * number - 1,
        }
    }

    fn pattern(&self) -> Value {
        let limits = |branch: &Branch, wanted: bool| -> Map<String, Value> {
            let fields = FIELDS.iter().zip(&branch.limits).zip(&self.common);
            let fields = fields.filter(|(_, common)| **common == wanted);
            let field = |(name, limit): (&&str, &Option<Rc<Limit>>)| {
                Some(((*name).to_owned(), limit.as_ref()?.list.clone()))
            };
            fields.filter_map(|(field_and_limit, _)| field(field_and_limit)).collect()
        };
        let mut detail = self.branches.first().map(|first| limits(first, true)).unwrap_or_default();
        if self.branches.len() > 1 {
            let branches = self.branches.iter().map(|branch| Value::Object(limits(branch, false)));
            detail.insert("$or".to_owned(), branches.collect());
        }
        if detail.is_empty() {
            // EventBridge refuses an empty pattern; every event has a source.
            return json!({ "source": [{ "prefix": "" }] });
        }
        json!({ "detail": detail })
    }
}
