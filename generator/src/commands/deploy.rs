//! `arm deploy`: plans, asks, and carries out; or goes on with a run that was interrupted.
//!
//! What will be done is worked out by `plan/prepare.rs`, carried out by `deploy::run`, shown by
//! `deploy/shower.rs`. The journal stands in a folder here, and a copy of it in each cell's bucket.

mod board;
mod conclusion;
mod course;
pub mod events;
pub mod hold;
mod lines;
mod resume;
mod row;
mod screen;
pub mod shower;
mod steps;
mod who;
mod words;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::aws::{Aws, Stop, Target};
use crate::commands::plan::page;
use crate::commands::plan::prepare::{Prepared, ScopeArgs};
use crate::commands::{self, AnswerFormat};
use crate::console::Console;
use crate::deploy::journal::{Journal, NoJournal, Past};
use crate::deploy::lock::Holder;
use crate::deploy::plan::{Action, Plan};
use crate::deploy::{self, DeployError, Rollout, Summary, Surroundings, Trouble};
use crate::error::CommandError;
use crate::files::{self, JournalFile};
use crate::model::Id;
use crate::preflight::Strictness;
use crate::release::{Release, STORE_TAG};
use crate::rollout::Wave;

use shower::Shower;

/// Time between two ticks of what is shown. Our choice: a board is redrawn at most so often.
const TICK: Duration = Duration::from_millis(100);
/// Digits of the plan's digest in a run's id. Our choice.
const DIGITS: usize = 8;

/// Deploy the fleet, or some of its stores, to AWS
#[derive(Debug, clap::Args)]
pub struct DeployArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Carry out exactly this plan, which `arm plan` wrote; refused when anything is other by now
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    plan: Option<PathBuf>,
    /// Carry it out without asking
    #[arg(long)]
    yes: bool,
    /// Id of a store, or of a cell for what its stores share, whose loss of data is meant, as the plan tells
    /// it; may be given more than once
    #[arg(long, value_name = "STORE", value_delimiter = ',')]
    accept_loss: Vec<String>,
    /// Go on with a run that was interrupted: the latest one of the journal folder, or the one of this id
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "")]
    resume: Option<String>,
    /// Folder for the journals of runs
    #[arg(long, default_value = ".arm/deploys", value_name = "DIR")]
    journal: PathBuf,
    /// A board or lines for people, or NDJSON events (schema `arm.deploy/2`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &DeployArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = match &args.resume {
        None => None,
        Some(run) => Some(resume::find(args, run, &runtime, console)?),
    };
    let scope = match &found {
        Some(found) => args.scope.of_words(&found.past.scope),
        None => args.scope.clone(),
    };
    let mut prepared = Prepared::make(&scope, args.format, &runtime, console)?;
    let wanted = prepared.plan.wanted();
    let now = Timestamp::now();
    let (journal, past, id) = if let Some(found) = found {
        if found.past.wanted != wanted {
            return Err(resume::other(&found.past));
        }
        let id = found.past.run.clone();
        (found.journal, Some(found.past), id)
    } else {
        if prepared.plan.is_empty() {
            if let Some(path) = &args.plan {
                check_carried_out(path, &prepared.plan)?;
            }
            return nothing(&prepared, args.format, console);
        }
        if agree(args, &prepared, console)? == Agreed::Asked {
            let moved = prepared.moved(&runtime)?;
            if !moved.is_empty() {
                return Err(stale("what you said yes to", &moved, "run `arm deploy` again"));
            }
        }
        let digits = wanted.get(..DIGITS).unwrap_or(&wanted);
        let id = format!("run-{}-{digits}", now.strftime("%Y%m%dt%H%M%Sz"));
        (JournalFile::make(&args.journal.join(format!("{id}.ndjson")))?, None, id)
    };
    let holder = Holder { run: id, by: who::by(), since: time(now) };
    let Prepared { releases, waves, clouds, states, .. } = &prepared;
    let waves = covering(waves, releases);
    let rollout =
        Rollout { releases, states, waves: &waves, holder, wanted, scope: scope.to_words(), past };
    let journal_place = journal.path().display().to_string();
    writeln!(console.err, "journal {journal_place}")?;
    let mut journal = journal;
    let ending = runtime.block_on(carry(clouds, rollout, &mut journal, args.format, console))?;
    conclude(ending, args, console)
}

/// How a run ended.
enum Ending {
    Over(Summary),
    Failed(DeployError),
    /// The person did not wait.
    Left,
}

/// Carries a rollout out, and shows it. The first signal stops it in order, the second at once.
async fn carry(
    clouds: &[Aws],
    rollout: Rollout<'_>,
    journal: &mut dyn Journal,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<Ending, CommandError> {
    let stop = Stop::default();
    let shower = RefCell::new(Shower::new(format, console));
    let mut watch = |progress| shower.borrow_mut().take(&progress);
    let is_stopped = || stop.is_asked();
    let clock = || time(Timestamp::now());
    let surroundings =
        Surroundings { journal, watch: &mut watch, is_stopped: &is_stopped, now: &clock };
    let ticking = async {
        let mut is_told = false;
        loop {
            tokio::time::sleep(TICK).await;
            if stop.is_asked() && !is_told {
                is_told = true;
                let text = "stopping: what is under way is brought to its end; Ctrl-C again leaves at \
                            once";
                shower.borrow_mut().say(text);
            }
            shower.borrow_mut().tick();
        }
    };
    let ending = tokio::select! {
        biased;
        () = stop.hear() => Ending::Left,
        done = deploy::run(clouds, rollout, surroundings) => match done {
            Ok(summary) => Ending::Over(summary),
            Err(error) => Ending::Failed(error),
        },
        () = ticking => Ending::Left,
    };
    let shower = shower.into_inner();
    if let Ending::Over(summary) = &ending {
        let next = (!summary.left.is_empty()).then_some("arm deploy --resume");
        shower.conclude(summary, next)?;
    }
    Ok(ending)
}

/// What the process answers.
fn conclude(
    ending: Ending,
    args: &DeployArgs,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let help = format!("run `arm deploy --resume --journal {}`", args.journal.display());
    match ending {
        Ending::Over(_) => Ok(()),
        Ending::Left => Err(CommandError::Partly(format!(
            "left at once; CloudFormation goes on with what is under way\n  help: {help}, which follows \
             it"
        ))),
        Ending::Failed(DeployError::Cloud(error)) if error.trouble == Trouble::Credentials => {
            writeln!(console.err, "CloudFormation goes on with what is under way")?;
            Err(CommandError::Environment(
                format!("{}\n  help: renew the credentials, then {help}", error.line()).into(),
            ))
        }
        Ending::Failed(error @ DeployError::Journal(_)) => {
            let text = crate::error::describe(&commands::refused(error));
            let text = text.trim_start_matches("error: ").trim_end().to_owned();
            Err(CommandError::Environment(
                format!(
                    "{text}\n  help: make room; nothing was begun after this, and what was under way \
                     was brought to its end; then run `arm deploy` again"
                )
                .into(),
            ))
        }
        Ending::Failed(error) => Err(commands::refused(error)),
    }
}

/// Nothing is to be done.
fn nothing(
    prepared: &Prepared,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let unchanged = prepared.plan.cells.iter().flat_map(|it| &it.stacks);
    let unchanged: Vec<_> = unchanged.map(|it| it.stack.clone()).collect();
    let summary = Summary { unchanged, ..Summary::default() };
    let mut shower = Shower::new(format, console);
    shower.take(&deploy::Progress::Ended { summary: summary.clone() });
    shower.conclude(&summary, None)
}

/// How it was agreed that a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreed {
    Beforehand,
    /// A person was asked, who may have thought for long.
    Asked,
}

/// Checks the plan that was given, and asks the person.
fn agree(
    args: &DeployArgs,
    prepared: &Prepared,
    console: &mut Console<'_>,
) -> Result<Agreed, CommandError> {
    let plan = &prepared.plan;
    if let Some(path) = &args.plan {
        check_plan(path, plan)?;
    }
    check_blocked(plan)?;
    check_losses(args, plan)?;
    check_preflight(prepared, console)?;
    if args.plan.is_some() || args.yes {
        if args.format == AnswerFormat::Human {
            write!(console.err, "{}", page::steps(plan))?;
        }
        return Ok(Agreed::Beforehand);
    }
    if console.input.is_none() {
        return Err(CommandError::Usage(
            "nobody is there to be asked\n  help: give --yes, or --plan with a file that `arm plan` \
             wrote and somebody approved"
                .to_owned(),
        ));
    }
    let page = page::of(prepared, console.colour);
    write!(console.err, "{page}\nCarry this out? [y/N] ")?;
    console.err.flush()?;
    let answer = console.read_line()?.unwrap_or_default();
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(Agreed::Asked);
    }
    Err(CommandError::Configuration("nothing was done: the answer was no".to_owned()))
}

/// Reads a plan, and refuses one that was altered.
fn load_plan(path: &Path) -> Result<Plan, CommandError> {
    let text = String::from_utf8_lossy(&files::load(path)?).into_owned();
    let refuse = |error| CommandError::Configuration(format!("{}: {error}", path.display()));
    Plan::parse(&text).map_err(refuse)
}

/// Where nothing is left to do, a plan must say that it should be as it is: a pipeline that is run again.
fn check_carried_out(path: &Path, now: &Plan) -> Result<(), CommandError> {
    let plan = load_plan(path)?;
    if plan.wanted() == now.wanted() { Ok(()) } else { Err(stale_file(path, &plan.moved(now))) }
}

/// Refuses a plan that is not what would be done now.
fn check_plan(path: &Path, now: &Plan) -> Result<(), CommandError> {
    let moved = load_plan(path)?.moved(now);
    if moved.is_empty() { Ok(()) } else { Err(stale_file(path, &moved)) }
}

fn stale_file(path: &Path, moved: &[String]) -> CommandError {
    let path = path.display();
    let help = format!("make it anew by `arm plan -o {path}`, and have it approved");
    stale(&format!("the plan {path}"), moved, &help)
}

fn stale(what: &str, moved: &[String], help: &str) -> CommandError {
    /// Things that are named. Our choice: more are alike.
    const MOVED_MAX: usize = 12;
    let mut lines: Vec<_> = moved.iter().take(MOVED_MAX).map(|it| format!("  {it}")).collect();
    if moved.len() > MOVED_MAX {
        lines.push(format!("  and {} more", moved.len() - MOVED_MAX));
    }
    let lines = lines.join("\n");
    CommandError::Configuration(format!(
        "{what} is stale; nothing was touched\n{lines}\n  help: {help}"
    ))
}

/// What stores share must be deployable; a store that is stuck fails alone.
fn check_blocked(plan: &Plan) -> Result<(), CommandError> {
    let mut shared = plan.steps(Action::Blocked).filter(|(_, step)| step.store.is_none());
    let Some((cell, step)) = shared.next() else { return Ok(()) };
    let status = step.base.as_ref().map_or("", |it| it.status.as_str());
    let which = if step.stack.ends_with("-artifacts") { "artifacts" } else { "platform" };
    Err(CommandError::Configuration(format!(
        "the stack {} is in {status}, and every store of the cell needs it\n  help: run `arm recover \
         --{which} {}`",
        step.stack, cell.cell
    )))
}

/// Nothing is begun that cannot succeed.
fn check_preflight(prepared: &Prepared, console: &mut Console<'_>) -> Result<(), CommandError> {
    let refused = prepared.reports.iter().filter(|it| it.is_refused(Strictness::Failures));
    let cells: Vec<_> = refused.map(|it| it.cell.to_string()).collect();
    if cells.is_empty() {
        return Ok(());
    }
    write!(console.err, "{}", page::beforehand(prepared))?;
    Err(CommandError::Configuration(format!(
        "a deploy would fail in {}; nothing was touched\n  help: mend what failed, or say that it is \
         known by --no-preflight",
        cells.join(", ")
    )))
}

/// Nothing that holds data goes without being named.
fn check_losses(args: &DeployArgs, plan: &Plan) -> Result<(), CommandError> {
    let is_accepted = |of: &String| args.accept_loss.contains(of);
    let open: Vec<_> = plan.losses.iter().filter(|it| !is_accepted(&it.of)).collect();
    if open.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = open.iter().map(|it| format!("  {}: {}", it.of, it.text)).collect();
    let mut names: Vec<_> = open.iter().map(|it| it.of.as_str()).collect();
    names.dedup();
    Err(CommandError::Configuration(format!(
        "this would lose data for good; nothing was touched\n{}\n  help: change the YAML, or say that it \
         is meant: --accept-loss {}",
        lines.join("\n"),
        names.join(",")
    )))
}

/// The waves, and one for a release without stores: what is shared comes with a wave.
fn covering(waves: &[Wave], releases: &[Release]) -> Vec<Wave> {
    if !waves.is_empty() {
        return waves.to_vec();
    }
    let name = releases.iter().map(|it| it.cell.as_str()).collect::<Vec<_>>().join(", ");
    vec![Wave { name, stores: Vec::new(), bake: Duration::ZERO, failures_max: 0 }]
}

/// Carries out one cell's release, all its stores at once, and shows what happens: for a rehearsal.
pub async fn carry_out(
    release: &Release,
    target: &Target,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<Summary, CommandError> {
    let clouds = [Aws::connect(target).await];
    deploy::check_account(&clouds[0], release).await.map_err(commands::refused)?;
    let stores = release.store_stacks.iter().filter_map(|it| Id::new(it.tags.get(STORE_TAG)?));
    let stores = stores.collect();
    let waves =
        [Wave { name: "all".to_owned(), stores, bake: Duration::ZERO, failures_max: usize::MAX }];
    let now = Timestamp::now();
    let run = format!("run-{}", now.strftime("%Y%m%dt%H%M%Sz"));
    let states = [deploy::list_paced(&clouds[0]).await.map_err(CommandError::environment)?];
    let rollout = Rollout {
        releases: std::slice::from_ref(release),
        states: &states,
        waves: &waves,
        holder: Holder { run, by: who::by(), since: time(now) },
        wanted: String::new(),
        scope: Vec::new(),
        past: None::<Past>,
    };
    match carry(&clouds, rollout, &mut NoJournal, format, console).await? {
        Ending::Over(summary) => Ok(summary),
        Ending::Failed(error) => Err(commands::refused(error)),
        Ending::Left => Err(CommandError::Partly("stopped".to_owned())),
    }
}

/// RFC 3339, to the second.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
