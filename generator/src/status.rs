//! How a cell stands: every stack beside what the files say, the alarms, and who is not reached.
//!
//! One paged list of stacks and one of alarms serve a whole cell, however many stores it has; what takes
//! a call for each store (subscriptions, the cameras that ail) is asked only where it is wanted, and
//! slowly. Nothing is changed. What is made of it stands in [`judge`]; to see more of a stack, add it to
//! [`Found`].

pub mod judge;
pub mod subscribers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::health::AilmentItem;

use crate::deploy::{CloudError, Trouble};
use crate::model::{Cell, Id, Store};
use crate::name::{CellNames, StoreNames};
use crate::release::{CELL_TAG, FUNCTIONS_KEY, STORE_TAG, StackPlan};
use crate::template::Template;

use judge::Line;
use subscribers::Subscription;

/// Time from one call about a single store to the next. Our choice: four a second, far from what SNS
/// and DynamoDB allow, so that a board that is looked at takes nothing from the fleet's own calls.
pub const STORE_CALL_TIME: Duration = Duration::from_millis(250);

/// How the name of every store's alarm ends; see [`StoreNames::offline_alarm`].
const OFFLINE: &str = "-cameras-offline";

/// What looking needs of AWS, in its own words; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait StatusServices {
    /// Every stack of the account and region that is not deleted.
    async fn stacks(&self) -> Result<Vec<Found>, CloudError>;
    /// Every alarm whose name begins so.
    async fn alarms(&self, prefix: &str) -> Result<Vec<Alarm>, CloudError>;
    /// The subscriptions of a topic by its name; `None` when there is no such topic.
    async fn subscriptions(&self, topic: &str) -> Result<Option<Vec<Subscription>>, CloudError>;
    /// What ails the cameras of a store.
    async fn ailments(&self, store: &str) -> Result<Vec<AilmentItem>, CloudError>;
    /// Waits between two calls.
    async fn pause(&self, time: Duration);
    /// How many calls were made, by AWS's name of the operation.
    fn calls(&self) -> BTreeMap<&'static str, u32>;
}

/// A stack as the list of stacks tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    /// CloudFormation's words for the status; empty when it gives none.
    pub reason: String,
    /// Digest of what it was deployed from, if `arm` deployed it.
    pub digest: Option<String>,
    /// When it was last updated, or created.
    pub deployed_ms: Option<i64>,
    pub drift: Drift,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

/// What CloudFormation knows of a stack's drift, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drift {
    /// Nobody has asked.
    #[default]
    Unknown,
    None(Option<i64>),
    Drifted(Option<i64>),
}

/// An alarm and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    pub state: AlarmState,
    /// Since when, milliseconds since the epoch.
    pub since_ms: Option<i64>,
    /// `CloudWatch`'s words.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    Ok,
    Alarm,
    /// `CloudWatch` has too little to tell.
    Unknown,
}

/// What a stack is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    Artifacts,
    Platform,
    Store(Id),
}

/// From what a stack shall be deployed.
#[derive(Clone, Debug)]
pub enum Shall {
    /// From what has this digest.
    Digest(String),
    /// From this template with the function bundle that it has: no other is at hand.
    Platform(Box<Template>),
}

/// A stack of the cell that the files ask for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub of: Of,
    pub shall: Shall,
    /// The store, if it is of one.
    pub store: Option<&'a Store>,
}

impl Wanted<'_> {
    /// The stack's name in a cell.
    fn name(&self, names: &CellNames, cell: &Cell) -> String {
        match &self.of {
            Of::Artifacts => names.artifacts_stack(),
            Of::Platform => names.platform_stack(),
            Of::Store(store) => StoreNames::new(&cell.id, store).stack().to_owned(),
        }
    }
}

/// Which calls for each store are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// None.
    Cell,
    /// Who is subscribed.
    Subscribers,
    /// That, and which cameras ail.
    Stores,
}

/// What is to be looked at.
#[derive(Debug)]
pub struct Request<'a> {
    pub cell: &'a Cell,
    pub wanted: Vec<Wanted<'a>>,
    /// Only these stores; empty: all, and what they share.
    pub only: &'a [String],
    /// The fleet's cells, by their ids.
    pub cells: BTreeSet<&'a str>,
    /// Every store of the fleet that has a file, of other cells too.
    pub stores: BTreeSet<&'a str>,
    pub depth: Depth,
}

/// How a cell stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    pub cell: String,
    pub account: String,
    pub region: String,
    /// Those with the worst fault first.
    pub lines: Vec<Line>,
    /// Alarms of what the stores share that are raised.
    pub alarms: Vec<Alarm>,
    /// What could not be known, and why: sentences.
    pub omissions: Vec<String>,
    pub calls: BTreeMap<&'static str, u32>,
}

/// Looks at a cell.
pub async fn read(
    services: &impl StatusServices,
    request: &Request<'_>,
) -> Result<Board, CloudError> {
    let cell = request.cell;
    let names = CellNames::new(cell);
    let stacks = services.stacks().await?;
    let mut omissions = Vec::new();
    let alarms = match services.alarms(&format!("{}-", names.prefix())).await {
        Err(error) if error.trouble == Trouble::Denied => {
            omissions.push(
                "how the cameras are is not known: the credentials may not call \
                 cloudwatch:DescribeAlarms"
                    .to_owned(),
            );
            None
        }
        alarms => Some(alarms?),
    };
    let mut lines = Vec::new();
    for wanted in &request.wanted {
        let name = wanted.name(&names, cell);
        let found = stacks.iter().find(|it| it.name == name);
        lines.push(judge::line(cell, wanted, (&name, found), alarms.as_deref()));
    }
    lines.extend(orphans(request, &names, &stacks));
    for line in &mut lines {
        ask(services, request, line).await?;
        line.faults.sort();
    }
    lines.sort_by(|a, b| (judge::rank(a), &a.of).cmp(&(judge::rank(b), &b.of)));
    Ok(Board {
        cell: cell.id.to_string(),
        account: cell.account.clone(),
        region: cell.region.clone(),
        alarms: shared_alarms(request, alarms.unwrap_or_default()),
        lines,
        omissions,
        calls: services.calls(),
    })
}

/// Stacks of stores that are in no file, or in the file of another cell.
fn orphans(request: &Request<'_>, names: &CellNames, stacks: &[Found]) -> Vec<Line> {
    let cell = request.cell.id.as_str();
    let is_here = |id: &Id| request.wanted.iter().any(|it| it.of == Of::Store(id.clone()));
    let is_asked =
        |id: &Id| request.only.is_empty() || request.only.iter().any(|it| it == id.as_str());
    let orphan = |stack: &Found| {
        let id = names.store_of_stack(&stack.name)?;
        let tag = |key: &str| stack.tags.get(key).map(String::as_str);
        let is_ours = tag(CELL_TAG) == Some(cell) && tag(STORE_TAG) == Some(id.as_str());
        let exists = judge::state(&stack.status) != judge::State::Absent;
        let is_orphan = is_ours && exists && !is_here(&id) && is_asked(&id);
        let has_moved = request.stores.contains(id.as_str());
        // A store that was not asked for stands in its file all the same.
        let is_known = has_moved && !request.only.is_empty();
        (is_orphan && !is_known).then(|| judge::orphan(stack, id, has_moved))
    };
    stacks.iter().filter_map(orphan).collect()
}

/// Makes the calls for one store that are wanted.
async fn ask(
    services: &impl StatusServices,
    request: &Request<'_>,
    line: &mut Line,
) -> Result<(), CloudError> {
    let of = request.wanted.iter().find(|it| it.of == line.of).and_then(|it| it.store);
    let Some(store) = of.filter(|_| request.depth != Depth::Cell && line.is_there()) else {
        return Ok(());
    };
    services.pause(STORE_CALL_TIME).await;
    let topic = StoreNames::new(&store.cell, &store.id).alerts_topic();
    let subscriptions = services.subscriptions(&topic).await?.unwrap_or_default();
    let unreached = subscribers::unreached(store, &subscriptions);
    line.hear_subscribers(unreached);
    if request.depth == Depth::Stores {
        services.pause(STORE_CALL_TIME).await;
        let ailments = services.ailments(store.id.as_str()).await?;
        line.ailments = Some(ailments.iter().filter_map(judge::ailment).collect());
    }
    Ok(())
}

/// The raised alarms of what the stores of the cell share. An alarm of a store stands in its line.
fn shared_alarms(request: &Request<'_>, alarms: Vec<Alarm>) -> Vec<Alarm> {
    if !request.only.is_empty() {
        return Vec::new();
    }
    let cell = request.cell.id.as_str();
    // The names of the cell `us-west` begin as those of the cell `us` do.
    let longer = request.cells.iter().filter(|it| it.starts_with(&format!("{cell}-")));
    let others: Vec<_> = longer.map(|it| format!("arm-{it}-")).collect();
    let is_shared = |it: &Alarm| {
        it.state == AlarmState::Alarm
            && !it.name.ends_with(OFFLINE)
            && !others.iter().any(|other| it.name.starts_with(other))
    };
    alarms.into_iter().filter(is_shared).collect()
}

/// The digest that a stack has when it is in step; `None`: it cannot be known.
fn digest(cell: &Cell, shall: &Shall, found: &Found) -> Option<String> {
    match shall {
        Shall::Digest(digest) => Some(digest.clone()),
        Shall::Platform(template) => {
            let key = found.parameters.get(FUNCTIONS_KEY)?.clone();
            Some(StackPlan::of_platform(cell, template, key).digest())
        }
    }
}

#[cfg(test)]
mod tests;
