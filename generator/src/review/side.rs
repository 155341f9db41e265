//! The two sides of a review, and every stack of them that is not the same.
//!
//! A side is written (YAML at a commit or in a folder) or made (templates in a folder, or deployed).
//! Where both are written, a store whose model and rules are equal has the same template and is not
//! rendered: most stores of most changes. Pure.

use std::collections::BTreeMap;

use super::Subject;
use super::setting::{Settings, Text};
use crate::config::StoreConfig;
use crate::input::CompiledFleet;
use crate::model::{Cell, Store};
use crate::stack::{self, StackError};
use crate::template::Template;

/// A stack, by the cell that it is in and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackId {
    pub cell: String,
    pub subject: Subject,
}

impl StackId {
    /// The id of the store that it is of, if it is of one.
    pub fn store(&self) -> Option<&str> {
        match &self.subject {
            Subject::Store(store) => Some(store),
            _ => None,
        }
    }
}

/// What people wrote, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    pub text: Text<'a>,
    pub fleet: &'a CompiledFleet,
}

/// The earlier side.
#[derive(Debug)]
pub enum Base<'a> {
    Written(Written<'a>),
    /// Templates, and nothing about what they were made from.
    Made(BTreeMap<StackId, Template>),
}

/// A stack that one side has, or both have and not the same.
#[derive(Debug)]
pub struct Pair {
    pub id: StackId,
    pub before: Option<Template>,
    pub after: Option<Template>,
}

/// The same before its templates are made.
#[derive(Clone, Copy, Debug)]
struct Unmade<'a> {
    cell: &'a Cell,
    what: What<'a>,
}

#[derive(Clone, Copy, Debug)]
enum What<'a> {
    Artifacts,
    Platform,
    Store(&'a Store),
}

impl<'a> Written<'a> {
    /// The template of every stack in a scope.
    pub fn templates(self, scope: &Scope<'_>) -> Result<BTreeMap<StackId, Template>, StackError> {
        let stacks = self.stacks().into_iter().filter(|(id, _)| scope.holds(id));
        stacks.map(|(id, unmade)| Ok((id, self.make(unmade)?))).collect()
    }

    /// Every stack of this side.
    fn stacks(self) -> BTreeMap<StackId, Unmade<'a>> {
        let mut stacks = BTreeMap::new();
        for cell in &self.fleet.fleet.cells {
            let mut add = |subject, what| {
                let id = StackId { cell: cell.id.to_string(), subject };
                stacks.insert(id, Unmade { cell, what });
            };
            add(Subject::Artifacts(cell.id.to_string()), What::Artifacts);
            add(Subject::Platform(cell.id.to_string()), What::Platform);
            for store in self.fleet.fleet.stores_of(cell) {
                add(Subject::Store(store.id.to_string()), What::Store(store));
            }
        }
        stacks
    }

    fn make(self, unmade: Unmade<'a>) -> Result<Template, StackError> {
        match unmade.what {
            What::Artifacts => stack::artifacts(unmade.cell),
            What::Platform => stack::platform(unmade.cell),
            What::Store(store) => {
                stack::store(unmade.cell, store, &self.fleet.rules_of(store).rules)
            }
        }
    }

    /// Whether two stacks are made from the same.
    fn is_same(self, unmade: Unmade<'_>, other: Self, others: Unmade<'_>) -> bool {
        if unmade.cell != others.cell {
            return false;
        }
        match (unmade.what, others.what) {
            (What::Store(one), What::Store(another)) => {
                one == another && self.fleet.rules_of(one) == other.fleet.rules_of(another)
            }
            _ => true,
        }
    }

    /// What a store's file says.
    pub fn config(self, store: &str) -> Option<(Text<'a>, &'a StoreConfig)> {
        let mut configs = self.text.input.store_configs.iter();
        let (_, config) = configs.find(|(stem, _)| stem == store)?;
        Some((self.text, config))
    }

    /// The cell and the store of a stack.
    pub fn store(self, id: &str) -> Option<(&'a Cell, &'a Store)> {
        let store = self.fleet.fleet.stores.iter().find(|store| store.id.as_str() == id)?;
        Some((self.fleet.fleet.cell_of(store), store))
    }

    /// The cell of this id.
    pub fn cell(self, id: &str) -> Option<&'a Cell> {
        self.fleet.fleet.cells.iter().find(|cell| cell.id.as_str() == id)
    }
}

impl Base<'_> {
    /// What people wrote, where that is known.
    pub fn written(&self) -> Option<Written<'_>> {
        match self {
            Self::Written(written) => Some(*written),
            Self::Made(_) => None,
        }
    }
}

/// Which stacks are to be compared: of all stores, or of these and what they share.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    pub stores: &'a [String],
    /// Of these cells only; of all where this is empty.
    pub cells: &'a [String],
    /// Stacks of which one side cannot be known.
    pub unknown: &'a [StackId],
}

impl Scope<'_> {
    /// Whether a stack is to be compared.
    pub fn holds(&self, id: &StackId) -> bool {
        let is_of_cell = self.cells.is_empty() || self.cells.contains(&id.cell);
        if !is_of_cell || self.unknown.contains(id) {
            return false;
        }
        match &id.subject {
            Subject::Store(store) => self.stores.is_empty() || self.stores.contains(store),
            _ => true,
        }
    }
}

/// The stacks to compare, and how many are plainly the same.
pub struct Pairs<'a> {
    head: Written<'a>,
    base: &'a Base<'a>,
    ids: Vec<StackId>,
    before: BTreeMap<StackId, Unmade<'a>>,
    after: BTreeMap<StackId, Unmade<'a>>,
    pub unchanged: usize,
}

impl<'a> Pairs<'a> {
    /// Finds them without making a template.
    pub fn find(base: &'a Base<'a>, head: Written<'a>, scope: &Scope<'_>) -> Self {
        let before = base.written().map(Written::stacks).unwrap_or_default();
        let after = head.stacks();
        let made = match base {
            Base::Made(made) => made.keys().collect(),
            Base::Written(_) => Vec::new(),
        };
        let mut ids: Vec<StackId> = before
            .keys()
            .chain(after.keys())
            .chain(made)
            .filter(|it| scope.holds(it))
            .cloned()
            .collect();
        ids.sort();
        ids.dedup();
        let all = ids.len();
        if let Some(base) = base.written() {
            ids.retain(|id| match (before.get(id), after.get(id)) {
                (Some(one), Some(another)) => !base.is_same(*one, head, *another),
                _ => true,
            });
        }
        let unchanged = all - ids.len();
        Self { head, base, ids, before, after, unchanged }
    }

    pub fn ids(&self) -> &[StackId] {
        &self.ids
    }

    /// The templates of one.
    pub fn make(&self, id: &StackId) -> Result<Pair, StackError> {
        let after = self.after.get(id).map(|it| self.head.make(*it)).transpose()?;
        let before = match self.base {
            Base::Made(made) => made.get(id).cloned(),
            Base::Written(base) => self.before.get(id).map(|it| base.make(*it)).transpose()?,
        };
        Ok(Pair { id: id.clone(), before, after })
    }

    /// Whether a stack is new or gone.
    pub fn is_whole(&self, id: &StackId) -> bool {
        let is_before = match self.base {
            Base::Made(made) => made.contains_key(id),
            Base::Written(_) => self.before.contains_key(id),
        };
        is_before != self.after.contains_key(id)
    }

    /// Whether only the earlier side has a stack.
    pub fn is_gone(&self, id: &StackId) -> bool {
        self.is_whole(id) && !self.after.contains_key(id)
    }

    /// Every store that a cell has on both sides.
    pub fn kept_stores(&self, cell: &str) -> impl Iterator<Item = &StackId> {
        let is_of = move |it: &&StackId| it.cell == cell && it.store().is_some();
        self.after.keys().filter(is_of).filter(|it| self.before.contains_key(*it))
    }

    /// The account of a cell, where it is known.
    pub fn account(&self, cell: &str) -> Option<&str> {
        let known = self.head.cell(cell).or_else(|| self.base.written()?.cell(cell));
        known.map(|cell| cell.account.as_str())
    }

    /// The earlier template of a store that is in another cell now, if the stack is its new one.
    pub fn moved_from(&self, id: &StackId) -> Result<Option<(&str, Template)>, StackError> {
        let Some((base, from)) = self.base.written().zip(self.elsewhere(id, &self.before)) else {
            return Ok(None);
        };
        let template = self.before.get(from).map(|it| base.make(*it)).transpose()?;
        Ok(template.map(|it| (from.cell.as_str(), it)))
    }

    /// The new stack of a store that is in another cell now, if the stack is its old one.
    pub fn moved_to(&self, id: &StackId) -> Option<&StackId> {
        self.elsewhere(id, &self.after)
    }

    /// Whether a stack is one of those that are compared.
    pub fn compares(&self, id: &StackId) -> bool {
        self.ids.binary_search(id).is_ok()
    }

    fn elsewhere<'b>(
        &self,
        id: &StackId,
        side: &'b BTreeMap<StackId, Unmade<'_>>,
    ) -> Option<&'b StackId> {
        id.store()?;
        if self.before.contains_key(id) == self.after.contains_key(id) {
            return None;
        }
        side.keys().find(|it| it.subject == id.subject && it.cell != id.cell)
    }

    /// A cell on both sides, where it is on both.
    pub fn cells(&self, cell: &str) -> Option<(&Cell, &Cell)> {
        self.base.written()?.cell(cell).zip(self.head.cell(cell))
    }

    /// How many stores a cell has now.
    pub fn stores_of(&self, cell: &str) -> usize {
        self.after.keys().filter(|it| it.cell == cell && it.store().is_some()).count()
    }

    /// The settings that differ between the sides of a stack; where the earlier side is templates, those
    /// of the later one.
    pub fn settings(&self, id: &StackId) -> Settings {
        let Some(base) = self.base.written() else { return self.settings_alone(id) };
        if let Subject::Store(store) = &id.subject {
            return Settings::of_store(base.config(store), self.head.config(store));
        }
        let of = |side: Written<'a>| side.cell(&id.cell).map(|_| side.text);
        Settings::of_cell(of(base), of(self.head), &id.cell)
    }

    fn settings_alone(&self, id: &StackId) -> Settings {
        let is_there = self.after.contains_key(id);
        match id.store() {
            _ if !is_there => Settings::default(),
            Some(store) => {
                self.head.config(store).map(Settings::of_store_alone).unwrap_or_default()
            }
            None => Settings::of_cell_alone(self.head.text, &id.cell),
        }
    }
}
