//! What will be deployed to one cell, as a value: stacks in order, and the objects they refer to.
//!
//! Everything `deploy` does is decided here, before AWS is touched. Pure.

use std::collections::BTreeMap;

use crate::bundle::Bundle;
use crate::digest::sha256;
use crate::input::CompiledFleet;
use crate::model::{Cell, Id, Store};
use crate::name::{Bucket, CellNames, StoreNames};
pub use crate::name::{CELL_TAG, STORE_TAG};
use crate::stack::{self, StackError};
use crate::template::{INLINE_BYTES_MAX, Template};

/// Parameter and output of every template that holds the digest of what a stack was deployed from.
///
/// Not a stack tag: `CloudFormation` copies those to every resource, so each release would change
/// all of them, and replace those whose tags cannot be changed.
pub const RELEASE_DIGEST: &str = "ReleaseDigest";
/// Parameter of the platform template: the function bundle's key in the artifacts bucket.
pub const FUNCTIONS_KEY: &str = "FunctionsKey";

/// One stack as it shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct StackPlan {
    pub name: String,
    /// The template as compact JSON.
    pub body: String,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

impl StackPlan {
    fn new(name: String, template: &Template, cell: &Cell) -> Self {
        let tags = BTreeMap::from([(CELL_TAG.to_owned(), cell.id.to_string())]);
        Self { name, body: template.to_json(), parameters: BTreeMap::new(), tags }
    }

    /// The stack of a cell's artifacts.
    pub fn of_artifacts(cell: &Cell, template: &Template) -> Self {
        Self::new(CellNames::new(cell).artifacts_stack(), template, cell)
    }

    /// The stack of what a cell's stores share, with the function bundle of this key.
    pub fn of_platform(cell: &Cell, template: &Template, functions_key: String) -> Self {
        let mut plan = Self::new(CellNames::new(cell).platform_stack(), template, cell);
        plan.parameters.insert(FUNCTIONS_KEY.to_owned(), functions_key);
        plan
    }

    /// A store's stack.
    pub fn of_store(cell: &Cell, store: &Id, template: &Template) -> Self {
        let name = StoreNames::new(&cell.id, store).stack().to_owned();
        let mut plan = Self::new(name, template, cell);
        plan.tags.insert(STORE_TAG.to_owned(), store.to_string());
        plan
    }

    /// Digest of everything that CloudFormation is given; equal digests, equal stacks.
    pub fn digest(&self) -> String {
        let mut text = self.body.clone();
        for (kind, map) in [("parameter", &self.parameters), ("tag", &self.tags)] {
            for (key, value) in map {
                text.extend(["\n", kind, " ", key, "=", value]);
            }
        }
        sha256(text.as_bytes())
    }

    /// Key of the template in the artifacts bucket, if it is too large for a request.
    pub fn template_key(&self) -> Option<String> {
        let large = self.body.len() > INLINE_BYTES_MAX;
        large.then(|| format!("templates/{}.json", sha256(self.body.as_bytes())))
    }
}

/// An object that must be in the artifacts bucket before the stacks that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Holds the content's SHA-256, so that equal keys mean equal bytes.
    pub key: String,
    pub bytes: Vec<u8>,
    pub media_type: &'static str,
}

/// Everything that one cell gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    pub cell: String,
    /// The account that all of it belongs to.
    pub account: String,
    pub region: String,
    pub artifacts_bucket: String,
    /// Comes first: it holds the bucket.
    pub artifacts_stack: StackPlan,
    pub artifacts: Vec<Artifact>,
    pub platform_stack: StackPlan,
    /// In the order of their ids.
    pub store_stacks: Vec<StackPlan>,
}

/// Assembles what a cell gets; `stores` are those to deploy, all of them in the cell.
pub fn assemble(
    fleet: &CompiledFleet,
    cell: &Cell,
    stores: &[&Store],
    bundle: &Bundle,
) -> Result<Release, StackError> {
    let names = CellNames::new(cell);
    let artifacts_stack = StackPlan::of_artifacts(cell, &stack::artifacts(cell)?);
    let platform_stack = StackPlan::of_platform(cell, &stack::platform(cell)?, bundle.key());
    let mut store_stacks = Vec::new();
    for store in stores {
        let template = stack::store(cell, store, &fleet.rules_of(store).rules)?;
        store_stacks.push(StackPlan::of_store(cell, &store.id, &template));
    }
    let zip =
        Artifact { key: bundle.key(), bytes: bundle.zip.clone(), media_type: "application/zip" };
    let templates = store_stacks.iter().chain([&platform_stack]).filter_map(|plan| {
        let bytes = plan.body.clone().into_bytes();
        Some(Artifact { key: plan.template_key()?, bytes, media_type: "application/json" })
    });
    Ok(Release {
        cell: cell.id.to_string(),
        account: cell.account.clone(),
        region: cell.region.clone(),
        artifacts_bucket: names.bucket(Bucket::Artifacts),
        artifacts: templates.chain([zip]).collect(),
        artifacts_stack,
        platform_stack,
        store_stacks,
    })
}
