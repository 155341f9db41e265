//! `arm recover`: gets a stack out of the state it is in, after saying what that takes.
//!
//! What was found and what came of it are the answer; what happens meanwhile goes to stderr. Nothing is
//! changed before somebody said yes. What is done about each state stands in `stack_status`, how in
//! `recover`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::recover::Recovery;
use crate::cause::{Cause, StackEvent};
use crate::commands::deploy::hold::holding;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::Console;
use crate::error::CommandError;
use crate::input::CompiledFleet;
use crate::model::{Cell, Id};
use crate::name::{CellNames, StoreNames};
use crate::recover::{self, Finding, Guide, Outcome, Resource};
use crate::stack_status::{Remedy, StackStatus};

/// Get the stack of a store out of a state in which it cannot be deployed
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("subject").required(true))]
pub struct RecoverArgs {
    /// The store
    #[arg(group = "subject")]
    store: Option<String>,
    #[command(flatten)]
    folder: StoresArgs,
    /// The cell of the store, when the store's file is gone
    #[arg(long, value_name = "CELL", requires = "store")]
    cell: Option<String>,
    /// The platform stack of this cell, instead of a store's
    #[arg(long, value_name = "CELL", group = "subject")]
    platform: Option<String>,
    /// The artifacts stack of this cell, instead of a store's
    #[arg(long, value_name = "CELL", group = "subject")]
    artifacts: Option<String>,
    /// Do it without asking, and skip in a rollback whatever fails again
    #[arg(long)]
    yes: bool,
    /// Change nothing, and show what would be done
    #[arg(long)]
    dry_run: bool,
    /// How the answer is written: for people, or JSON (schema `arm.recover/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &RecoverArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let stores: Vec<_> = args.store.as_deref().into_iter().collect();
    let fleet = commands::load_about(&args.folder, &stores, args.format, console)?;
    let (cell, stack) = subject(args, &fleet)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let target = runtime.block_on(commands::target_of(cell, console))?;
    let services = runtime.block_on(Recovery::connect(&target));
    let looked =
        runtime.block_on(recover::look(&services, &stack)).map_err(CommandError::environment)?;
    let Some(finding) = looked else {
        return match args.format {
            AnswerFormat::Human => Ok(writeln!(
                console.out,
                "there is no stack {stack}: nothing to recover; `arm deploy` makes it"
            )?),
            AnswerFormat::Json => Ok(writeln!(
                console.out,
                "{}",
                json!({ "schema": SCHEMA, "stack": stack, "found": null, "ended": null })
            )?),
        };
    };
    if args.format == AnswerFormat::Human {
        write!(console.out, "{}", shown(&finding))?;
        console.out.flush()?;
    }
    let changes =
        !matches!(finding.status.remedy(), Remedy::Nothing | Remedy::Follow | Remedy::ByHand);
    if args.dry_run {
        return conclude(&finding, None, args.format, console);
    }
    if changes && !args.yes {
        let question = format!("Recover {stack}? [y/N] ");
        if !confirmed(&question, console)? {
            return Err(CommandError::Configuration(format!(
                "{stack} was not touched: nobody said yes\n  help: run `arm recover` at a terminal, or \
                 give --yes"
            )));
        }
    }
    let announced = finding.culprits.iter().map(|it| it.logical_id.clone()).collect();
    let mut guide = Person { stack: stack.clone(), yes: args.yes, announced, console };
    let mut carry_out = || {
        let outcome = runtime.block_on(recover::carry_out(&services, &finding, &mut guide));
        outcome.map_err(CommandError::environment)
    };
    // The lock lies in what the stack of artifacts holds; who only follows is in nobody's way.
    let outcome = if changes && args.artifacts.is_none() {
        holding(&runtime, (cell, &target), &format!("recover {}", args.about()), carry_out)?
    } else {
        carry_out()?
    };
    conclude(&finding, Some(&outcome), args.format, console)
}

impl RecoverArgs {
    /// The store, or the cell whose shared stack it is.
    fn about(&self) -> &str {
        self.store.as_deref().or(self.platform.as_deref()).unwrap_or_default()
    }
}

const SCHEMA: &str = "arm.recover/1";

/// The cell and the name of the stack that the arguments name.
fn subject<'a>(
    args: &RecoverArgs,
    fleet: &'a CompiledFleet,
) -> Result<(&'a Cell, String), CommandError> {
    let fleet = &fleet.fleet;
    if let Some(cell) = &args.platform {
        let cell = commands::cell_of(fleet, cell)?;
        return Ok((cell, CellNames::new(cell).platform_stack()));
    }
    if let Some(cell) = &args.artifacts {
        let cell = commands::cell_of(fleet, cell)?;
        return Ok((cell, CellNames::new(cell).artifacts_stack()));
    }
    let store = args.store.as_deref().unwrap_or_default();
    let (cell, id) = store_in(fleet, store, args.cell.as_deref())?;
    Ok((cell, StoreNames::new(&cell.id, &id).stack().to_owned()))
}

/// A store's cell and id; of one whose file is gone, or names another cell by now, by the cell that is given.
pub(super) fn store_in<'a>(
    fleet: &'a crate::model::Fleet,
    store: &str,
    cell: Option<&str>,
) -> Result<(&'a Cell, Id), CommandError> {
    let Some(cell) = cell else {
        let store = commands::store_of(fleet, store).map_err(|error| {
            let more = "; of a store whose file is gone, give its cell with --cell";
            CommandError::Configuration(format!("{error}{more}"))
        })?;
        return Ok((commands::cell_of(fleet, store.cell.as_str())?, store.id.clone()));
    };
    let cell = commands::cell_of(fleet, cell)?;
    let id = Id::new(store).ok_or_else(|| {
        CommandError::Usage(format!("`{store}` is no id of a store\n  help: give its id"))
    })?;
    Ok((cell, id))
}

/// Asks at the terminal; where nobody is there, the answer is no.
fn confirmed(question: &str, console: &mut Console<'_>) -> Result<bool, CommandError> {
    if console.input.is_none() {
        return Ok(false);
    }
    write!(console.err, "{question}")?;
    console.err.flush()?;
    let answer = console.read_line()?.unwrap_or_default();
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The person at the console.
struct Person<'a, 'b> {
    stack: String,
    yes: bool,
    /// What the person was told beforehand may be skipped.
    announced: Vec<String>,
    console: &'a mut Console<'b>,
}

impl Guide for Person<'_, '_> {
    fn tell(&mut self, event: &StackEvent) {
        drop(told(&self.stack, event).map(|line| writeln!(self.console.err, "{line}")));
    }

    fn say(&mut self, text: &str) {
        // A recovery under way is not given up because nobody reads its story any more.
        drop(writeln!(self.console.err, "{text}"));
    }

    fn may_skip(&mut self, culprits: &[Cause]) -> bool {
        if self.yes || culprits.iter().all(|it| self.announced.contains(&it.logical_id)) {
            return true;
        }
        for culprit in culprits {
            drop(writeln!(self.console.err, "failed    {culprit}"));
        }
        let question = "Go on without these, as they are now? [y/N] ";
        confirmed(question, self.console).unwrap_or(false)
    }
}

/// One line of what happens: the stack's own states, and what fails.
pub(super) fn told(stack: &str, event: &StackEvent) -> Option<String> {
    let StackEvent { logical_id, resource_type, status, reason, .. } = event;
    if logical_id == stack {
        return Some(format!("  {status}"));
    }
    let is_failed = status.ends_with("_FAILED");
    is_failed.then(|| format!("  failed  {logical_id} ({resource_type}): {reason}"))
}

/// A moment as people read it.
fn moment(ms: Option<i64>) -> String {
    let at = ms.and_then(|it| Timestamp::from_millisecond(it).ok());
    at.map_or("unknown".to_owned(), |it| it.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// What was found, and what is to be done, for people.
fn shown(finding: &Finding) -> String {
    let status = finding.status;
    let mut lines = vec![
        format!("stack    {}", finding.stack),
        format!("state    {}: it {}", status.as_str(), status.meaning()),
        format!("since    {}", moment(finding.since_ms)),
    ];
    lines.extend(finding.cause.iter().map(|it| format!("cause    {it}")));
    lines.extend(finding.culprits.iter().map(|it| format!("failed   {it}")));
    lines.extend(finding.retained.iter().map(|it| format!("stays    {}", named(it))));
    lines.push(format!("remedy   `arm recover` {}", status.remedy().sentence()));
    let mut text = lines.join("\n") + "\n";
    text.push_str(&collisions(&finding.retained));
    text
}

/// `arm-us-west-seattle-001-gw-aisle-5 (AWS::KinesisVideo::Stream)`.
pub(super) fn named(resource: &Resource) -> String {
    let Resource { physical_id, resource_type, logical_id, .. } = resource;
    let name = if physical_id.is_empty() { logical_id } else { physical_id };
    format!("{name} ({resource_type})")
}

/// What must be done about what stays before its stack can be made again.
pub(super) fn collisions(retained: &[Resource]) -> String {
    if retained.is_empty() {
        return String::new();
    }
    let streams = retained.iter().any(|it| it.resource_type == "AWS::KinesisVideo::Stream");
    let mut text =
        "What stays keeps its name and what it holds. As long as it is there, a new stack \
                    that makes the same names\nfails with `already exists`: "
            .to_owned();
    text.push_str("bring it into the new stack by an import, or delete it once nobody needs it.\n");
    if streams {
        text.push_str(
            "`arm destroy STORE --delete-footage` deletes a store's streams with all their footage, also \
             when the stack is gone.\n",
        );
    }
    text
}

/// Tells what came of it; `None` for a dry run.
fn conclude(
    finding: &Finding,
    outcome: Option<&Outcome>,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    if format == AnswerFormat::Json {
        writeln!(console.out, "{}", told_json(finding, outcome))?;
    }
    let Some(outcome) = outcome else { return Ok(()) };
    let ended = outcome.status.map_or("gone", StackStatus::as_str);
    let stack = &finding.stack;
    if !outcome.is_good() {
        let cause = outcome.cause.as_ref().map(|it| format!("\n  cause: {it}")).unwrap_or_default();
        let help = match outcome.status.map(StackStatus::remedy) {
            Some(Remedy::ByHand) => {
                "correct what the events name, then delete the stack in CloudFormation and retain what \
                 it must not delete"
            }
            _ => "correct the cause, then run `arm recover` again",
        };
        let text = format!("{stack} is in {ended}, and cannot be deployed{cause}\n  help: {help}");
        return Err(CommandError::Environment(text.into()));
    }
    if format == AnswerFormat::Human {
        let next = match (finding.status.remedy(), outcome.status) {
            (Remedy::Nothing, _) => format!("nothing to recover: {stack} is in {ended}"),
            (_, None) => format!("recovered: {stack} is gone; `arm deploy` makes it again"),
            (_, Some(_)) => format!("recovered: {stack} is in {ended}; `arm deploy` can update it"),
        };
        writeln!(console.out, "{next}")?;
        if !outcome.skipped.is_empty() {
            let skipped = outcome.skipped.join(", ");
            writeln!(
                console.out,
                "skipped: {skipped}; these may differ from the template: compare them before you \
                 deploy (`aws cloudformation detect-stack-drift --stack-name {stack}`)"
            )?;
        }
        for left in &outcome.left {
            writeln!(console.out, "left in the account: {}", named(left))?;
        }
        write!(console.out, "{}", collisions(&outcome.left))?;
    }
    if let Some(cause) = outcome.cause.as_ref().filter(|_| format == AnswerFormat::Human) {
        writeln!(console.out, "cause    {cause}")?;
    }
    Ok(())
}

fn told_json(finding: &Finding, outcome: Option<&Outcome>) -> Value {
    let cause = |it: &Cause| {
        json!({
            "logical_id": it.logical_id, "type": it.resource_type, "status": it.status,
            "reason": it.reason,
        })
    };
    let ended = outcome.map(|it| {
        json!({
            "status": it.status.map(StackStatus::as_str), "is_good": it.is_good(),
            "cause": it.cause.as_ref().map(cause), "skipped": it.skipped,
            "left": it.left.iter().map(resource_json).collect::<Vec<_>>(),
        })
    });
    json!({
        "schema": SCHEMA, "stack": finding.stack,
        "found": {
            "status": finding.status.as_str(), "since": moment(finding.since_ms),
            "cause": finding.cause.as_ref().map(cause),
            "failed": finding.culprits.iter().map(cause).collect::<Vec<_>>(),
            "retained": finding.retained.iter().map(resource_json).collect::<Vec<_>>(),
            "remedy": finding.status.remedy().sentence(),
        },
        "ended": ended,
    })
}

/// A resource for programs.
pub(super) fn resource_json(it: &Resource) -> Value {
    json!({ "logical_id": it.logical_id, "type": it.resource_type, "name": it.physical_id })
}
