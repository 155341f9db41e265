//! `arm deploy`: plans, asks, and carries out; or goes on with a run that was interrupted.
//!
//! What will be done is worked out by `plan/prepare.rs`, carried out by `deploy::run`, shown by
//! `deploy/shower.rs`. The journal stands in a folder here, and a copy of it in each cell's bucket.

mod agree;
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
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::aws::{Aws, Stop, Target};
use crate::commands::plan::page;
use crate::commands::plan::prepare::{Prepared, ScopeArgs};
use crate::commands::{self, AnswerFormat};
use crate::console::Console;
use crate::deploy::journal::{Journal, NoJournal, Past};
use crate::deploy::lock::Holder;
use crate::deploy::{self, DeployError, Progress, Rollout, Summary, Surroundings, Trouble};
use crate::error::{CommandError, describe};
use crate::files::JournalFile;
use crate::model::Id;
use crate::release::{Release, STORE_TAG};
use crate::rollout::Wave;

use agree::{Agreed, agree, check_carried_out, load_plan, stale};
use shower::{Shower, while_working};

/// Time between two looks whether the person asks to stop. Our choice: nobody notices it.
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
    /// Begin each wave without watching the alarms of the one before
    #[arg(long)]
    no_bake: bool,
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
    let plan = args.plan.as_deref().map(load_plan).transpose()?;
    if (args.resume.is_some() || plan.is_some()) && args.scope.is_narrow() {
        let which = if plan.is_some() { "the plan" } else { "the run that goes on" };
        return Err(CommandError::Usage(format!(
            "{which} says which stores are meant\n  help: leave out stores, --only, --labels, --cell, \
             --wave and --max-failures"
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = match &args.resume {
        None => None,
        Some(run) => Some(resume::find(args, run, &runtime, console)?),
    };
    let scope = match (&found, &plan) {
        (Some(found), _) => args.scope.of_words(&found.past.scope),
        (None, Some(plan)) => args.scope.of_words(&plan.scope),
        (None, None) => args.scope.clone(),
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
            if let Some(plan) = &plan {
                check_carried_out(plan, &prepared.plan)?;
            }
            return nothing(&prepared, args.format, console);
        }
        if agree(args, plan.as_ref(), &prepared, console)? == Agreed::Asked {
            let moved = prepared.moved(&runtime)?;
            if !moved.is_empty() {
                return Err(stale("what you said yes to", &moved, "run `arm deploy` again"));
            }
        }
        let digits = wanted.get(..DIGITS).unwrap_or(&wanted);
        // Two runs that begin in the same second are two.
        let process = std::process::id() % 0x10000;
        let nonce = (now.subsec_nanosecond() % 0x10000) ^ i32::try_from(process).unwrap_or(0);
        let id = format!("run-{}-{digits}-{nonce:04x}", now.strftime("%Y%m%dt%H%M%Sz"));
        (JournalFile::begin(&args.journal.join(format!("{id}.ndjson")))?, None, id)
    };
    let process = now.as_nanosecond().to_string();
    let holder = Holder { run: id.clone(), by: who::by(), since: time(now), process };
    let Prepared { releases, waves, clouds, states, .. } = &prepared;
    let mut waves = covering(waves, releases);
    for wave in waves.iter_mut().filter(|_| args.no_bake) {
        wave.bake = Duration::ZERO;
    }
    let rollout =
        Rollout { releases, states, waves: &waves, holder, wanted, scope: scope.to_words(), past };
    let journal_place = journal.path().display().to_string();
    // A reader that is gone changes nothing about what was asked for.
    drop(writeln!(console.err, "journal {journal_place}"));
    let mut journal = journal;
    let ending = runtime.block_on(carry(clouds, rollout, &mut journal, args.format, console))?;
    conclude(ending, args, &id)
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
    let resume = format!("arm deploy --resume {}", rollout.holder.run);
    let stop = Stop::default();
    let shower = RefCell::new(Shower::new(format, console));
    let summed = RefCell::new(Summary::default());
    let mut watch = |progress: Progress| {
        if let Progress::Ended { summary } = &progress {
            summed.replace(summary.clone());
        }
        shower.borrow_mut().take(&progress);
    };
    let is_stopped = || stop.is_asked();
    let clock = || time(Timestamp::now());
    let surroundings =
        Surroundings { journal, watch: &mut watch, is_stopped: &is_stopped, now: &clock };
    let telling = async {
        while !stop.is_asked() {
            tokio::time::sleep(TICK).await;
        }
        let text = "stopping: what is under way is brought to its end; Ctrl-C again leaves at once";
        shower.borrow_mut().say(text);
        std::future::pending::<Ending>().await
    };
    let work = async {
        tokio::select! {
            biased;
            () = stop.hear() => Ending::Left,
            done = Box::pin(deploy::run(clouds, rollout, surroundings)) => match done {
                Ok(summary) => Ending::Over(summary),
                Err(error) => Ending::Failed(error),
            },
            never = telling => never,
        }
    };
    let ending = while_working(&shower, work).await;
    let (shower, summary) = (shower.into_inner(), summed.into_inner());
    match &ending {
        // After failures, what stopped it is to be mended; then a run of its own finds what is left.
        Ending::Over(summary) if summary.failed.is_empty() => {
            shower.conclude(summary, Some(&resume))?;
        }
        Ending::Over(summary) => {
            shower.conclude(summary, Some("mend what failed, then `arm deploy`"))?;
        }
        // The error tells the rest, and is the answer.
        Ending::Failed(_) => drop(shower.conclude(&summary, None)),
        Ending::Left => {}
    }
    Ok(ending)
}

/// What the process answers.
fn conclude(ending: Ending, args: &DeployArgs, run: &str) -> Result<(), CommandError> {
    let folder = args.journal.display();
    let resume = format!("`arm deploy --resume {run} --journal {folder}`");
    let (error, help) = match ending {
        Ending::Over(_) => return Ok(()),
        Ending::Left => {
            return Err(CommandError::Partly(format!(
                "left at once; CloudFormation goes on with what is under way\n  help: {resume} follows it"
            )));
        }
        Ending::Failed(
            error @ (DeployError::WrongAccount { .. }
            | DeployError::Held { .. }
            | DeployError::Lost { .. }),
        ) => {
            return Err(commands::refused(error));
        }
        Ending::Failed(DeployError::Cloud(error)) => {
            let help = match error.trouble {
                Trouble::Credentials => format!("renew the credentials, then {resume}"),
                _ => format!("{resume} goes on when that is mended"),
            };
            (error.line(), help)
        }
        Ending::Failed(error @ DeployError::Journal(_)) => {
            let text = describe(&commands::refused(error));
            let text = text.trim_start_matches("error: ").trim_end().to_owned();
            let help = "make room; nothing was begun after this, and what was under way was brought \
                        to its end; then run `arm deploy` again";
            (text, help.to_owned())
        }
    };
    Err(CommandError::Environment(format!("{error}\n  help: {help}").into()))
}

/// Nothing is to be done.
fn nothing(
    prepared: &Prepared,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    drop(write!(console.err, "{}", page::left(prepared)));
    let unchanged = prepared.plan.cells.iter().flat_map(|it| &it.stacks);
    let unchanged: Vec<_> = unchanged.map(|it| it.stack.clone()).collect();
    let summary = Summary { unchanged, ..Summary::default() };
    let mut shower = Shower::new(format, console);
    shower.take(&deploy::Progress::Ended { summary: summary.clone() });
    shower.conclude(&summary, None)
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
        holder: Holder {
            run,
            by: who::by(),
            since: time(now),
            process: now.as_nanosecond().to_string(),
        },
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
