//! Works out what a deploy will do: which stores, in which waves, how their stacks stand, and what
//! would be lost. `arm plan` shows it, `arm deploy` carries it out.
//!
//! One paged list of stacks per cell decides what changes; only of what changes are templates read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::runtime::Runtime;

use crate::aws::preflight::Lookout;
use crate::aws::{Aws, Target};
use crate::commands::diff::live;
use crate::commands::{self, AnswerFormat, StoresArgs, bundle};
use crate::console::Console;
use crate::deploy::plan::{self, Action, Loss, Plan};
use crate::deploy::{self, StackState};
use crate::error::CommandError;
use crate::input::CompiledFleet;
use crate::load;
use crate::model::{Cell, Fleet, Id, Portion, Store};
use crate::name::CellNames;
use crate::preflight::{self, Report, Wanted};
use crate::release::{self, Release};
use crate::review::setting::Text;
use crate::review::side::{Base, Scope, Written};
use crate::review::{self, Class, Detail, Names, Review, STORE, Subject, Weight};
use crate::rollout::{self, Choice, Wave};

/// Which stores, by what bundle.
#[derive(Clone, Debug, clap::Args)]
pub struct ScopeArgs {
    /// Ids of stores; none: all
    #[arg(value_name = "STORE")]
    stores: Vec<String>,
    #[command(flatten)]
    pub folder: StoresArgs,
    /// Ids of stores, as a list
    #[arg(long, value_name = "STORE", value_delimiter = ',')]
    only: Vec<String>,
    /// Only stores with any of these labels
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    labels: Vec<String>,
    /// Only this cell
    #[arg(long, value_name = "CELL")]
    pub cell: Option<String>,
    /// Only the stores of this wave of fleet.yaml
    #[arg(long, value_name = "WAVE")]
    wave: Option<String>,
    /// Failed stores of a wave above which no later wave begins, such as `2` or `5%`, in place of what
    /// fleet.yaml says
    #[arg(long, value_name = "N|N%")]
    max_failures: Option<Portion>,
    /// Show every line, store and value of the review, however many there are
    #[arg(long)]
    all: bool,
    /// Do not look beforehand whether it can succeed, as `arm preflight` does
    #[arg(long)]
    no_preflight: bool,
    /// Folder that `arm bundle` wrote to
    #[arg(long, default_value = ".arm/bundle", value_name = "DIR")]
    bundle: PathBuf,
}

impl ScopeArgs {
    /// As lines of a journal have it.
    pub fn to_words(&self) -> Vec<String> {
        let all = |key: &str, values: &[String]| {
            values.iter().map(|it| format!("{key}={it}")).collect::<Vec<_>>()
        };
        let mut words = all("store", &self.choice().only);
        words.extend(all("label", &self.labels));
        words.extend(self.cell.iter().map(|it| format!("cell={it}")));
        words.extend(self.wave.iter().map(|it| format!("wave={it}")));
        words.extend(self.max_failures.iter().map(|it| format!("max-failures={it}")));
        words
    }

    /// The scope of an earlier run, with the folders of these arguments.
    #[must_use]
    pub fn of_words(&self, words: &[String]) -> Self {
        let (stores, only, labels) = (Vec::new(), Vec::new(), Vec::new());
        let mut scope = Self {
            stores,
            only,
            labels,
            cell: None,
            wave: None,
            max_failures: None,
            ..self.clone()
        };
        for (key, value) in words.iter().filter_map(|it| it.split_once('=')) {
            match key {
                "store" => scope.only.push(value.to_owned()),
                "label" => scope.labels.push(value.to_owned()),
                "cell" => scope.cell = Some(value.to_owned()),
                "wave" => scope.wave = Some(value.to_owned()),
                "max-failures" => scope.max_failures = value.parse().ok(),
                _ => {}
            }
        }
        scope
    }

    /// How much of the review is shown.
    pub fn detail(&self) -> Detail {
        if self.all { Detail::All } else { Detail::Summary }
    }

    /// Whether anything says which stores are meant.
    pub fn is_narrow(&self) -> bool {
        !self.to_words().is_empty()
    }

    fn choice(&self) -> Choice {
        let only = self.stores.iter().chain(&self.only).cloned().collect();
        let (labels, cell, wave) = (self.labels.clone(), self.cell.clone(), self.wave.clone());
        Choice { only, labels, cell, wave }
    }
}

/// Stacks by their names.
pub type States = BTreeMap<String, StackState>;

/// What will be done, and with what.
#[derive(Debug)]
pub struct Prepared {
    pub releases: Vec<Release>,
    pub waves: Vec<Wave>,
    /// In the order of the releases.
    pub clouds: Vec<Aws>,
    /// The stacks of each release's account and region.
    pub states: Vec<States>,
    pub plan: Plan,
    /// What the change does; none where nothing changes.
    pub review: Option<Review>,
    /// Stacks that are left as they are, because their stores are in no file of the cell: the cell and the
    /// store of each.
    pub left: Vec<(String, String)>,
    /// Whether it can succeed, for the cells in which something changes.
    pub reports: Vec<Report>,
}

impl Prepared {
    /// Works it out; refuses credentials of another account before anything else is asked.
    pub fn make(
        args: &ScopeArgs,
        format: AnswerFormat,
        runtime: &Runtime,
        console: &mut Console<'_>,
    ) -> Result<Self, CommandError> {
        let input = args.folder.load()?;
        commands::show_errors(&input.sources, &input.problems, console);
        commands::count_warnings(&input.problems, &[], console);
        let fleet = commands::fleet_in(&input, format, console)?;
        let choice = args.choice();
        let chosen = rollout::choose(&fleet.fleet, &choice)
            .map_err(|error| CommandError::Configuration(error.to_string()))?;
        let waves = rollout::waves(&fleet.fleet, &chosen, args.max_failures);
        let cells = cells(fleet, &choice, &chosen);
        let releases = releases(args, fleet, &cells, &chosen)?;
        let mut targets = Vec::new();
        for cell in &cells {
            targets.push(runtime.block_on(commands::target_of(cell, console))?);
        }
        let clouds: Vec<_> =
            targets.iter().map(|target| runtime.block_on(Aws::connect(target))).collect();
        let states = runtime.block_on(listed(&releases, &clouds))?;
        let plan = plan::plan(&releases, &states, &waves, (args.to_words(), Vec::new()));
        let left = left(args, &fleet.fleet, &cells, &states);
        if plan.is_empty() {
            let (review, reports) = (None, Vec::new());
            return Ok(Self { releases, waves, clouds, states, plan, review, left, reports });
        }
        let head = Written { text: Text { input: &input, reference: None }, fleet };
        let changing_stores = changing(&plan);
        let touched = touched(&plan, &cells, &chosen);
        let of: Vec<_> = touched.iter().map(|(cell, _)| *cell).collect();
        let review = runtime.block_on(reviewed(args, &of, &changing_stores, head, console))?;
        let plan =
            plan::plan(&releases, &states, &waves, (args.to_words(), losses(&review, &plan)));
        let mut reports = Vec::new();
        for (cell, chosen) in touched {
            if !args.no_preflight {
                reports.push(look(fleet, cell, &chosen, runtime, console)?);
            }
        }
        let review = Some(review);
        Ok(Self { releases, waves, clouds, states, plan, review, left, reports })
    }
}

impl Prepared {
    /// What has moved since it was worked out, of how the stacks stand: a person may have thought for long.
    pub fn moved(&mut self, runtime: &Runtime) -> Result<Vec<String>, CommandError> {
        self.states = runtime.block_on(listed(&self.releases, &self.clouds))?;
        let same = (self.plan.scope.clone(), self.plan.losses.clone());
        let now = plan::plan(&self.releases, &self.states, &self.waves, same);
        Ok(self.plan.moved(&now))
    }
}

/// Lists the stacks of each release's account and region; cells that share one are listed once.
async fn listed(releases: &[Release], clouds: &[Aws]) -> Result<Vec<States>, CommandError> {
    let mut homes: BTreeMap<(&str, &str), States> = BTreeMap::new();
    let mut all = Vec::new();
    for (release, cloud) in releases.iter().zip(clouds) {
        let home = (release.account.as_str(), release.region.as_str());
        let states = match homes.get(&home) {
            Some(states) => states.clone(),
            None => deploy::list_paced(cloud).await.map_err(CommandError::environment)?,
        };
        homes.insert(home, states.clone());
        all.push(states);
    }
    Ok(all)
}

/// The cells that are deployed to: all, or those of the stores that are meant.
fn cells<'a>(fleet: &'a CompiledFleet, choice: &Choice, chosen: &[&Store]) -> Vec<&'a Cell> {
    let is_all = choice.only.is_empty() && choice.labels.is_empty() && choice.wave.is_none();
    let is_meant = |cell: &&Cell| match &choice.cell {
        Some(id) if is_all => id == cell.id.as_str(),
        None if is_all => true,
        _ => chosen.iter().any(|store| store.cell == cell.id),
    };
    fleet.fleet.cells.iter().filter(is_meant).collect()
}

fn releases(
    args: &ScopeArgs,
    fleet: &CompiledFleet,
    cells: &[&Cell],
    chosen: &[&Store],
) -> Result<Vec<Release>, CommandError> {
    let bundle = bundle::open(&args.bundle)?;
    let mut releases = Vec::new();
    for cell in cells {
        if cell.architecture != bundle.architecture {
            return Err(CommandError::Configuration(format!(
                "the bundle is for {}, the cell `{}` runs on {}\n  help: run `arm bundle \
                 --architecture {}`",
                bundle.architecture.as_str(),
                cell.id,
                cell.architecture.as_str(),
                cell.architecture.as_str(),
            )));
        }
        let stores: Vec<_> = chosen.iter().copied().filter(|it| it.cell == cell.id).collect();
        let release = release::assemble(fleet, cell, &stores, &bundle);
        releases.push(release.map_err(commands::stack_error)?);
    }
    Ok(releases)
}

/// The stores whose stacks are not as they shall be.
fn changing(plan: &Plan) -> Vec<String> {
    let steps = [Action::Create, Action::Update, Action::Blocked];
    let stores = steps.into_iter().flat_map(|it| plan.steps(it));
    stores.filter_map(|(_, step)| step.store.clone()).collect()
}

/// What the change does, by the templates that are deployed.
async fn reviewed(
    args: &ScopeArgs,
    cells: &[&Cell],
    stores: &[String],
    head: Written<'_>,
    console: &mut Console<'_>,
) -> Result<Review, CommandError> {
    let ids: Vec<String> = cells.iter().map(|it| it.id.to_string()).collect();
    let only: &[String] = if args.is_narrow() { stores } else { &[] };
    let scope = Scope { stores: only, cells: &ids, unknown: &[] };
    let (all, _) = live::read(cells, head, scope, console).await?;
    let base = Base::Made(all.templates);
    let folder = args.folder.folder.stores.display().to_string();
    let names = Names { base: "what is deployed", head: &folder };
    let scope = Scope { unknown: &all.unknown, ..scope };
    let mut review = review::review(&base, head, &scope, names).map_err(commands::stack_error)?;
    review.omissions.extend(all.omissions);
    Ok(review)
}

/// The stacks of a cell's stores that are in no file of it: gone, or in another cell by now.
fn left(
    args: &ScopeArgs,
    fleet: &Fleet,
    cells: &[&Cell],
    states: &[States],
) -> Vec<(String, String)> {
    let meant = args.choice().only;
    let mut left = Vec::new();
    for (cell, states) in cells.iter().zip(states) {
        let names = CellNames::new(cell);
        let is_here = |id: &Id| fleet.stores_of(cell).any(|it| it.id == *id);
        let stacks = states.values().filter(|it| it.is_ours);
        let stores = stacks.filter_map(|it| names.store_of_stack(&it.name));
        let others = stores.filter(|id| !is_here(id));
        let others =
            others.filter(|id| meant.is_empty() || meant.iter().any(|it| it == id.as_str()));
        left.extend(others.map(|id| (cell.id.to_string(), id.to_string())));
    }
    left
}

/// The cells in which something changes, with those of their stores that are meant.
fn touched<'a>(
    plan: &Plan,
    cells: &[&'a Cell],
    chosen: &[&'a Store],
) -> Vec<(&'a Cell, Vec<&'a Store>)> {
    let changes = |cell: &Cell| {
        let of = plan.cells.iter().find(|it| it.cell == cell.id.as_str());
        of.is_some_and(|it| it.stacks.iter().any(|step| step.action != Action::Leave))
    };
    let cells = cells.iter().filter(|it| changes(it));
    let stores = |cell: &Cell| chosen.iter().copied().filter(|it| it.cell == cell.id).collect();
    cells.map(|cell| (*cell, stores(cell))).collect()
}

/// Whether a deploy to a cell can succeed.
fn look(
    fleet: &CompiledFleet,
    cell: &Cell,
    stores: &[&Store],
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Report, CommandError> {
    let wanted = Wanted::of(fleet, cell, stores).map_err(commands::stack_error)?;
    // Nobody need read that for the answer to be right.
    drop(writeln!(console.err, "looking whether a deploy to {} can succeed", cell.id));
    Ok(runtime.block_on(async {
        let lookout = Lookout::connect(&Target::of_cell(cell)).await;
        preflight::look(&lookout, &wanted, load::now_ms()).await
    }))
}

/// What a review calls a loss that must not be overlooked, of the stacks that are changed: one that is in
/// no file any more is left as it is.
fn losses(review: &Review, plan: &Plan) -> Vec<Loss> {
    let is_changed = |subject: &Subject| {
        let mut steps = [Action::Create, Action::Update].into_iter().flat_map(|it| plan.steps(it));
        steps.any(|(cell, step)| match subject {
            Subject::Store(id) => step.store.as_ref() == Some(id),
            Subject::Platform(id) => *id == cell.cell && step.stack.ends_with("-platform"),
            Subject::Artifacts(id) => *id == cell.cell && step.stack.ends_with("-artifacts"),
            Subject::Home(_) => false,
        })
    };
    let is_loss = |class: Class, weight: Weight| class == Class::DataLoss && weight == Weight::Loud;
    let groups = review.findings.iter().filter(|it| is_loss(it.what.class, it.what.weight));
    let losses = groups.flat_map(|group| {
        group.subjects.iter().filter(|it| is_changed(it)).map(|subject| {
            let of = match subject {
                Subject::Store(id) | Subject::Platform(id) | Subject::Artifacts(id) => id.clone(),
                Subject::Home(home) => home.clone(),
            };
            let text = group.what.text.replace(STORE, &of);
            Loss { of, text }
        })
    });
    let mut losses: Vec<_> = losses.collect();
    losses.sort();
    losses.dedup();
    losses
}
