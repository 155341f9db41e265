//! The plan: what a rollout will do, as a file that is made in review and carried out in release.
//!
//! It holds digests, not templates: `arm deploy --plan` works everything out anew, and goes on only when
//! all of it is the same, the state of every stack included. What is not is said, thing by thing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cloud::{ChangeSetKind, StackState};
use super::stack::kind;
use crate::digest::sha256;
use crate::release::{Release, STORE_TAG, StackPlan};
use crate::rollout::Wave;

/// What a plan says that it is.
pub const SCHEMA: &str = "arm.plan/1";

/// What a rollout will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub schema: String,
    /// Version of the `arm` that made it.
    pub tool: String,
    /// SHA-256 of all the rest.
    pub digest: String,
    /// Which stores were asked for, such as `label=canary`; nothing: all.
    pub scope: Vec<String>,
    pub cells: Vec<CellPlan>,
    pub waves: Vec<WavePlan>,
    /// What would be lost, one sentence each, with the stores whose loss was accepted.
    pub losses: Vec<Loss>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellPlan {
    pub cell: String,
    pub account: String,
    pub region: String,
    /// Keys of what is put into the artifacts bucket; each holds its content's SHA-256.
    pub artifacts: Vec<String>,
    /// What is shared first, then the stores.
    pub stacks: Vec<Step>,
}

/// What is done to one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub stack: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub store: Option<String>,
    pub action: Action,
    /// SHA-256 of template, parameters and tags.
    pub digest: String,
    /// SHA-256 of the template alone.
    pub template: String,
    /// How the stack stood when the plan was made; none where there was none.
    pub base: Option<Base>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Create,
    Update,
    /// It is as it shall be.
    Leave,
    /// It is in a state from which nothing can be done without `arm recover`.
    Blocked,
}

/// How a stack stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    pub status: String,
    /// Digest of what it was deployed from, if `arm` deployed it.
    pub digest: Option<String>,
    /// When its last operation began: RFC 3339.
    pub updated: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WavePlan {
    pub wave: String,
    pub stores: Vec<String>,
    pub bake_seconds: u64,
    pub failures_max: usize,
}

/// What would be lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The store, or the cell whose shared stack it is.
    pub of: String,
    pub text: String,
}

/// A plan file that cannot be carried out, whatever AWS says.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("it is no plan: {0}\n  help: make one by `arm plan -o FILE`")]
    Unreadable(String),
    #[error(
        "it is of the schema `{0}`, which this `arm` does not know\n  help: use the `arm` that made it"
    )]
    OtherSchema(String),
    #[error(
        "it was altered: its content has the digest {found}, and says {said}\n  help: make it anew by \
         `arm plan -o FILE`"
    )]
    Altered { said: String, found: String },
    #[error(
        "it was made by arm {made}, and this is arm {this}\n  help: use the `arm` that made it, or make \
         it anew"
    )]
    OtherTool { made: String, this: String },
}

/// Plans a rollout; `states` has the stacks of each release's account and region.
pub fn plan(
    releases: &[Release],
    states: &[BTreeMap<String, StackState>],
    waves: &[Wave],
    (scope, losses): (Vec<String>, Vec<Loss>),
) -> Plan {
    let cells = releases.iter().zip(states).map(|(release, states)| CellPlan {
        cell: release.cell.clone(),
        account: release.account.clone(),
        region: release.region.clone(),
        artifacts: release.artifacts.iter().map(|it| it.key.clone()).collect(),
        stacks: [&release.artifacts_stack, &release.platform_stack]
            .into_iter()
            .chain(&release.store_stacks)
            .map(|it| step(it, states.get(&it.name)))
            .collect(),
    });
    let waves = waves.iter().map(|wave| WavePlan {
        wave: wave.name.clone(),
        stores: wave.stores.iter().map(ToString::to_string).collect(),
        bake_seconds: wave.bake.as_secs(),
        failures_max: wave.failures_max,
    });
    let plan = Plan {
        schema: SCHEMA.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        digest: String::new(),
        scope,
        cells: cells.collect(),
        waves: waves.collect(),
        losses,
    };
    Plan { digest: digest(&plan), ..plan }
}

fn step(plan: &StackPlan, state: Option<&StackState>) -> Step {
    let digest = plan.digest();
    let action = match kind(state) {
        Err(_) => Action::Blocked,
        Ok(ChangeSetKind::Create) => Action::Create,
        Ok(ChangeSetKind::Update) => {
            let is_same = state.is_some_and(|it| it.digest.as_ref() == Some(&digest));
            if is_same { Action::Leave } else { Action::Update }
        }
    };
    Step {
        stack: plan.name.clone(),
        store: plan.tags.get(STORE_TAG).cloned(),
        action,
        digest,
        template: sha256(plan.body.as_bytes()),
        base: state.map(|it| Base {
            status: it.status.clone(),
            digest: it.digest.clone(),
            updated: it.updated.clone(),
        }),
    }
}

/// Digest of all of a plan but its own digest.
fn digest(plan: &Plan) -> String {
    let rest = Plan { digest: String::new(), ..plan.clone() };
    let text = serde_json::to_vec(&rest).expect("a plan is texts and numbers");
    sha256(&text)
}

impl Plan {
    /// Reads a plan file.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let schema = serde_json::from_str::<serde_json::Value>(text)
            .map_err(|error| PlanError::Unreadable(error.to_string()))?;
        match schema.get("schema").and_then(|it| it.as_str()) {
            Some(SCHEMA) => {}
            Some(other) => return Err(PlanError::OtherSchema(other.to_owned())),
            None => return Err(PlanError::Unreadable("it names no schema".to_owned())),
        }
        let plan: Self = serde_json::from_value(schema)
            .map_err(|error| PlanError::Unreadable(error.to_string()))?;
        let found = digest(&plan);
        if found != plan.digest {
            return Err(PlanError::Altered { said: plan.digest, found });
        }
        let this = env!("CARGO_PKG_VERSION");
        if plan.tool != this {
            return Err(PlanError::OtherTool { made: plan.tool, this: this.to_owned() });
        }
        Ok(plan)
    }

    /// The file's text: the same plan gives the same bytes.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a plan is texts and numbers");
        format!("{text}\n")
    }

    /// Digest of what is wanted, whatever stands now: what a run that goes on must find again.
    pub fn wanted(&self) -> String {
        let mut text = self.tool.clone();
        for cell in &self.cells {
            text.extend(["\n", &cell.cell, " ", &cell.account, " ", &cell.region]);
            for step in &cell.stacks {
                text.extend(["\n", &step.stack, " ", &step.digest]);
            }
        }
        for wave in &self.waves {
            text.extend(["\n", &wave.wave, " ", &wave.stores.join(" ")]);
        }
        sha256(text.as_bytes())
    }

    /// Every step of an action, with its cell.
    pub fn steps(&self, action: Action) -> impl Iterator<Item = (&CellPlan, &Step)> {
        let pairs = self.cells.iter().flat_map(|cell| cell.stacks.iter().map(move |it| (cell, it)));
        pairs.filter(move |(_, step)| step.action == action)
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().flat_map(|it| &it.stacks).all(|it| it.action == Action::Leave)
    }

    /// What is other now than when this plan was made: sentences.
    pub fn moved(&self, now: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        for cell in &self.cells {
            match now.cells.iter().find(|it| it.cell == cell.cell) {
                Some(other) => moved_cell(cell, other, &mut moved),
                None => moved.push(format!("the cell {} is not deployed to any more", cell.cell)),
            }
        }
        let is_new = |it: &&CellPlan| !self.cells.iter().any(|cell| cell.cell == it.cell);
        moved.extend(
            now.cells.iter().filter(is_new).map(|it| format!("the cell {} is new", it.cell)),
        );
        if self.waves != now.waves && moved.is_empty() {
            moved.push("the waves are others, or have other stores".to_owned());
        }
        if self.losses != now.losses && moved.is_empty() {
            moved.push("what would be lost is other".to_owned());
        }
        if self.digest != now.digest && moved.is_empty() {
            moved.push("what is put into the buckets is other".to_owned());
        }
        moved
    }
}

fn moved_cell(before: &CellPlan, now: &CellPlan, moved: &mut Vec<String>) {
    if (&before.account, &before.region) != (&now.account, &now.region) {
        let (account, region) = (&now.account, &now.region);
        moved.push(format!("the cell {} is in {account}, {region} now", before.cell));
    }
    let find =
        |cell: &CellPlan, name: &str| cell.stacks.iter().find(|it| it.stack == name).cloned();
    for step in &before.stacks {
        match find(now, &step.stack) {
            None => moved.push(format!("{}: no longer deployed", step.stack)),
            Some(other) => moved.extend(moved_step(step, &other)),
        }
    }
    let is_new = |it: &&Step| find(before, &it.stack).is_none();
    moved.extend(now.stacks.iter().filter(is_new).map(|it| format!("{}: new", it.stack)));
}

fn moved_step(before: &Step, now: &Step) -> Vec<String> {
    let name = &before.stack;
    let mut moved = Vec::new();
    if before.template != now.template {
        moved.push(format!("{name}: its YAML, or the blueprint, says something else now"));
    } else if before.digest != now.digest {
        moved.push(format!("{name}: its function bundle or tags are others now"));
    }
    match (&before.base, &now.base) {
        (Some(_), None) => moved.push(format!("{name}: the stack is gone")),
        (None, Some(base)) => {
            moved.push(format!("{name}: there is a stack now, in {}", base.status));
        }
        (Some(was), Some(is)) if was.status != is.status => {
            moved.push(format!("{name}: was in {}, is in {}", was.status, is.status));
        }
        (Some(was), Some(is)) if was != is => {
            moved.push(format!("{name}: was changed at {}, after the plan was made", is.updated));
        }
        _ => {}
    }
    moved
}
