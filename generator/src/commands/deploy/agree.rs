//! Whether a plan may be carried out: it is the one that was approved, nothing is lost that nobody named,
//! it can succeed, and somebody said yes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::DeployArgs;
use crate::commands::AnswerFormat;
use crate::commands::plan::page;
use crate::commands::plan::prepare::Prepared;
use crate::console::Console;
use crate::deploy::plan::{Action, Plan};
use crate::error::CommandError;
use crate::files;
use crate::paragraph::first_of;
use crate::preflight::Strictness;

/// Ids that a line names. Our choice: more are alike.
const NAMES_MAX: usize = 5;

/// How it was agreed that a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreed {
    Beforehand,
    /// A person was asked, who may have thought for long.
    Asked,
}

/// Checks the plan that was given, and asks the person.
pub(super) fn agree(
    args: &DeployArgs,
    approved: Option<&Plan>,
    prepared: &Prepared,
    console: &mut Console<'_>,
) -> Result<Agreed, CommandError> {
    let plan = &prepared.plan;
    if let Some(approved) = approved {
        check_plan(approved, plan)?;
    }
    check_blocked(plan)?;
    check_losses(args, plan)?;
    check_preflight(prepared, console)?;
    if args.plan.is_some() || args.yes {
        if args.format == AnswerFormat::Human {
            // A reader that is gone changes nothing about what was asked for.
            drop(write!(console.err, "{}{}", page::steps(plan), page::left(prepared)));
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
    let page = page::of(prepared, args.scope.detail(), console.colour);
    write!(console.err, "{page}\nCarry this out? [y/N] ")?;
    console.err.flush()?;
    let answer = console.read_line()?.unwrap_or_default();
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(Agreed::Asked);
    }
    Err(CommandError::Configuration("nothing was done: the answer was no".to_owned()))
}

/// Reads a plan, and refuses one that was altered.
pub(super) fn load_plan(path: &Path) -> Result<Plan, CommandError> {
    let text = String::from_utf8_lossy(&files::load(path)?).into_owned();
    let refuse = |error| CommandError::Configuration(format!("{}: {error}", path.display()));
    Plan::parse(&text).map_err(refuse)
}

/// Where nothing is left to do, a plan must say that it should be as it is: a pipeline that is run again.
pub(super) fn check_carried_out(plan: &Plan, now: &Plan) -> Result<(), CommandError> {
    if plan.wanted() == now.wanted() { Ok(()) } else { Err(stale_file(&plan.moved(now))) }
}

/// Refuses a plan that is not what would be done now.
fn check_plan(plan: &Plan, now: &Plan) -> Result<(), CommandError> {
    let moved = plan.moved(now);
    if moved.is_empty() { Ok(()) } else { Err(stale_file(&moved)) }
}

fn stale_file(moved: &[String]) -> CommandError {
    stale("the plan", moved, "make it anew by `arm plan -o FILE`, and have it approved")
}

pub(super) fn stale(what: &str, moved: &[String], help: &str) -> CommandError {
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
    let is_planned = |id: &&String| plan.losses.iter().any(|it| it.of == **id);
    if let Some(id) = args.accept_loss.iter().find(|id| !is_planned(id)) {
        return Err(CommandError::Usage(format!(
            "nothing of `{id}` would be lost\n  help: leave `--accept-loss {id}` out"
        )));
    }
    let open = plan.losses.iter().filter(|it| !args.accept_loss.contains(&it.of));
    let mut lost: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for loss in open {
        lost.entry(&loss.text).or_default().push(&loss.of);
    }
    if lost.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> =
        lost.iter().map(|(text, of)| format!("  {}: {text}", first_of(of, NAMES_MAX))).collect();
    let names: BTreeSet<_> = lost.into_values().flatten().collect();
    let names: Vec<_> = names.into_iter().collect();
    Err(CommandError::Configuration(format!(
        "this would lose data for good; nothing was touched\n{}\n  help: change the YAML, or say that it \
         is meant: --accept-loss {}",
        lines.join("\n"),
        names.join(",")
    )))
}
