//! `arm deploy`: carries out a release, cell by cell.

mod board;
mod conclusion;
mod course;
pub mod events;
mod lines;
mod row;
mod screen;
pub mod shower;
mod steps;
mod words;

use std::path::PathBuf;

use serde_json::json;

use crate::aws::{Aws, Target};
use crate::commands::bundle;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::deploy::{self, Progress, Summary};
use crate::error::CommandError;
use crate::input::CompiledFleet;
use crate::model::{Cell, Store};
use crate::release::{self, Release};

/// Deploy the fleet, or some of its stores, to AWS
#[derive(Debug, clap::Args)]
pub struct DeployArgs {
    /// Ids of the stores to deploy; none: all
    stores: Vec<String>,
    #[command(flatten)]
    folder: StoresArgs,
    /// Deploy only this cell
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// Folder that `arm bundle` wrote to
    #[arg(long, default_value = ".arm/bundle", value_name = "DIR")]
    bundle: PathBuf,
    /// Lines for people, or NDJSON events (schema `arm.deploy/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &DeployArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load(&args.folder, args.format, console)?;
    let chosen = choose(args, &fleet)?;
    let bundle = bundle::open(&args.bundle)?;
    let mut releases = Vec::new();
    let mut targets = Vec::new();
    for (cell, stores) in chosen {
        if cell.architecture != bundle.architecture {
            return Err(CommandError::Configuration(format!(
                "the bundle is for {}, the cell `{}` runs on {}\n  help: run `arm bundle --architecture {}`",
                bundle.architecture.as_str(),
                cell.id,
                cell.architecture.as_str(),
                cell.architecture.as_str(),
            )));
        }
        let release = release::assemble(&fleet, cell, &stores, &bundle);
        releases.push(release.map_err(commands::stack_error)?);
        targets.push(Target::of_cell(cell));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut total = Summary::default();
    for (release, target) in releases.iter().zip(&targets) {
        writeln!(console.err, "asking AWS in {} whose credentials these are", release.region)?;
        let aws = runtime.block_on(Aws::connect(target));
        runtime.block_on(deploy::check_account(&aws, release)).map_err(commands::refused)?;
    }
    for (release, target) in releases.iter().zip(&targets) {
        let summary = runtime.block_on(carry_out(release, target, args.format, console))?;
        total.changed.extend(summary.changed);
        total.unchanged.extend(summary.unchanged);
        total.failed.extend(summary.failed);
    }
    conclude(&total, args.format, console)
}

/// The cells and stores that the arguments name.
fn choose<'a>(
    args: &DeployArgs,
    fleet: &'a CompiledFleet,
) -> Result<Vec<(&'a Cell, Vec<&'a Store>)>, CommandError> {
    let fleet = &fleet.fleet;
    for id in &args.stores {
        if !fleet.stores.iter().any(|store| store.id.as_str() == id) {
            let help = crate::diagnostic::suggest(id, fleet.stores.iter().map(|it| it.id.as_str()));
            return Err(CommandError::Configuration(format!(
                "there is no store `{id}`\n  help: {help}"
            )));
        }
    }
    if let Some(cell) =
        args.cell.as_ref().filter(|id| !fleet.cells.iter().any(|cell| cell.id.as_str() == *id))
    {
        let help = crate::diagnostic::suggest(cell, fleet.cells.iter().map(|it| it.id.as_str()));
        return Err(CommandError::Configuration(format!(
            "there is no cell `{cell}`\n  help: {help}"
        )));
    }
    let named = |store: &&Store| {
        args.stores.is_empty() || args.stores.iter().any(|id| id == store.id.as_str())
    };
    let cells = fleet
        .cells
        .iter()
        .filter(|cell| args.cell.as_deref().is_none_or(|id| id == cell.id.as_str()));
    let chosen = cells.map(|cell| (cell, fleet.stores_of(cell).filter(named).collect::<Vec<_>>()));
    let chosen: Vec<_> =
        chosen.filter(|(_, stores)| args.stores.is_empty() || !stores.is_empty()).collect();
    if chosen.is_empty() {
        return Err(CommandError::Configuration(
            "the stores that were named are not in that cell".to_owned(),
        ));
    }
    Ok(chosen)
}

/// Carries out one cell's release, and shows what happens.
pub async fn carry_out(
    release: &Release,
    target: &Target,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<Summary, CommandError> {
    let aws = Aws::connect(target).await;
    // A deployment under way is not given up because nobody reads its story any more.
    let mut watch = |progress: Progress| {
        drop(match format {
            AnswerFormat::Json => writeln!(console.out, "{}", event(&progress)),
            AnswerFormat::Human => {
                line(&progress).map_or(Ok(()), |line| writeln!(console.err, "{line}"))
            }
        });
    };
    deploy::deploy(&aws, release, &mut watch).await.map_err(commands::refused)
}

/// One line for people; resources are shown only when they fail.
fn line(progress: &Progress) -> Option<String> {
    Some(match progress {
        Progress::Unchanged { stack } => format!("  unchanged  {stack}"),
        Progress::Started { stack, creates, changes } => {
            let verb = if *creates { "creating " } else { "updating " };
            format!("  {verb}  {stack}  ({})", count(*changes, "resource"))
        }
        Progress::Resource { stack, event } if event.status.ends_with("_FAILED") => {
            format!(
                "  failed     {stack}  {} ({}): {}",
                event.logical_id, event.resource_type, event.reason
            )
        }
        Progress::Resource { .. } => return None,
        Progress::Done { stack } => format!("  done       {stack}"),
        Progress::Failed { stack, cause } => format!("  FAILED     {stack}\n    cause: {cause}"),
        Progress::Uploaded { key, was_there: true, .. } => format!("  unchanged  {key}"),
        Progress::Uploaded { key, bytes, .. } => format!("  uploaded   {key}  ({bytes} bytes)"),
    })
}

/// One NDJSON event: schema `arm.deploy/1`.
fn event(progress: &Progress) -> serde_json::Value {
    let schema = "arm.deploy/1";
    match progress {
        Progress::Unchanged { stack } => {
            json!({ "schema": schema, "event": "unchanged", "stack": stack })
        }
        Progress::Started { stack, creates, changes } => json!({
            "schema": schema, "event": "started", "stack": stack, "creates": creates, "changes": changes,
        }),
        Progress::Resource { stack, event } => json!({
            "schema": schema, "event": "resource", "stack": stack, "logical_id": event.logical_id,
            "type": event.resource_type, "status": event.status, "reason": event.reason,
        }),
        Progress::Done { stack } => json!({ "schema": schema, "event": "done", "stack": stack }),
        Progress::Failed { stack, cause } => json!({
            "schema": schema, "event": "failed", "stack": stack, "cause": cause,
        }),
        Progress::Uploaded { key, bytes, was_there } => json!({
            "schema": schema, "event": "uploaded", "key": key, "bytes": bytes, "was_there": was_there,
        }),
    }
}

/// Sums up; some stores failed while others did not is an exit code of its own.
fn conclude(
    total: &Summary,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let (changed, unchanged) = (total.changed.len(), total.unchanged.len());
    let summary = format!("{} deployed, {unchanged} unchanged", count(changed, "stack"));
    match format {
        AnswerFormat::Human if total.failed.is_empty() => writeln!(console.out, "{summary}")?,
        AnswerFormat::Human => writeln!(console.out, "{summary}, {} failed", total.failed.len())?,
        AnswerFormat::Json => {
            let failed: Vec<_> = total
                .failed
                .iter()
                .map(|(stack, cause)| json!({ "stack": stack, "cause": cause }))
                .collect();
            let end = json!({
                "schema": "arm.deploy/1", "event": "end", "changed": total.changed,
                "unchanged": total.unchanged, "failed": failed,
            });
            writeln!(console.out, "{end}")?;
        }
    }
    if total.failed.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = total.failed.iter().map(|(stack, _)| stack.as_str()).collect();
    Err(CommandError::Partly(format!(
        "{} failed: {}",
        count(names.len(), "stack"),
        names.join(", ")
    )))
}
