//! What a deploy of a cell will make, as far as the checks need it: stacks, names, one resource of every
//! type.
//!
//! Derived from the templates that would be deployed, so that what is asked is what will be used. Pure.
//! To ask about more of a resource, add it to [`Example`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::demand::Home;
use crate::input::CompiledFleet;
use crate::model::{Cell, Store};
use crate::name::{CellNames, StoreNames};
use crate::release::StackPlan;
use crate::stack::{self, StackError};
use crate::template::Template;

use super::access;

/// A cell as it shall be.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub(super) cell: &'a Cell,
    pub(super) stores: Vec<&'a Store>,
    pub(super) home: &'a Home,
    pub(super) names: CellNames,
    /// In the order of the stores.
    pub(super) stacks: Vec<StoreStack>,
    /// The first resource of every type.
    pub(super) examples: BTreeMap<String, Example>,
    /// Where addresses are stored: `ssm:` or `secretsmanager:` with a name.
    pub(super) references: BTreeSet<String>,
}

/// A store's stack as it shall be.
#[derive(Debug)]
pub(super) struct StoreStack {
    pub(super) name: String,
    pub(super) digest: String,
    /// The names of its video streams.
    pub(super) streams: BTreeSet<String>,
}

/// One resource that stands for all of its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Example {
    /// Its ARN with `{partition}` in it; `None` of a type that the table of permissions lacks.
    pub(super) arn: Option<String>,
}

impl<'a> Wanted<'a> {
    /// What is deployed to a cell with these stores.
    pub fn of(
        fleet: &'a CompiledFleet,
        cell: &'a Cell,
        stores: &[&'a Store],
    ) -> Result<Self, StackError> {
        let is_home = |home: &&Home| home.account == cell.account && home.region == cell.region;
        let home = fleet.homes.iter().find(is_home).expect("`demand` has a home for every cell");
        let mut wanted = Self {
            cell,
            stores: stores.to_vec(),
            home,
            names: CellNames::new(cell),
            stacks: Vec::new(),
            examples: BTreeMap::new(),
            references: BTreeSet::new(),
        };
        wanted.take(&stack::artifacts(cell)?);
        wanted.take(&stack::platform(cell)?);
        for store in stores {
            let template = stack::store(cell, store, &fleet.rules_of(store).rules)?;
            wanted.take(&template);
            let names = StoreNames::new(&cell.id, &store.id);
            let plan = StackPlan::of_store(cell, &store.id, &template);
            let streams = store.cameras.iter().map(|camera| names.stream(&camera.id));
            wanted.stacks.push(StoreStack {
                digest: plan.digest(),
                name: plan.name,
                streams: streams.collect(),
            });
        }
        Ok(wanted)
    }

    fn take(&mut self, template: &Template) {
        for (_, resource) in template.resources() {
            let Some(name) = resource.get("Type").and_then(Value::as_str) else { continue };
            if !self.examples.contains_key(name) {
                let example = Example { arn: access::arn(self.cell, name, resource, template) };
                self.examples.insert(name.to_owned(), example);
            }
        }
        let text = template.to_json();
        let found = text.split("{{resolve:").skip(1).filter_map(|rest| rest.split("}}").next());
        self.references.extend(found.map(str::to_owned));
    }
}
