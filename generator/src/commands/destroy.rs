//! `arm destroy`: deletes the stack of one store, after its id was typed.
//!
//! What would be lost and what stays is said first. The case log and the evidence are the platform's and
//! stay; footage goes only with `--delete-footage`. What is asked of AWS stands in `destroy`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::recover::{collisions, named, resource_json, store_in, told};
use crate::aws::destroy::Demolition;
use crate::aws::recover::Recovery;
use crate::cause::{Cause, StackEvent};
use crate::commands::deploy::hold::holding;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::destroy::{self, DestroyError, Destroyed, Footage, Loss, Stream};
use crate::error::CommandError;
use crate::recover::Guide;

/// Delete the stack of a store; its cases and evidence stay, and its footage unless told otherwise
#[derive(Debug, clap::Args)]
pub struct DestroyArgs {
    /// The store
    store: String,
    #[command(flatten)]
    folder: StoresArgs,
    /// The cell of the store, when the store's file is gone
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// The store's id once more, instead of typing it when asked
    #[arg(long, value_name = "STORE")]
    confirm: Option<String>,
    /// Delete the store's video streams, too, with all their footage
    #[arg(long)]
    delete_footage: bool,
    /// Change nothing, and show what would be lost
    #[arg(long)]
    dry_run: bool,
    /// How the answer is written: for people, or JSON (schema `arm.destroy/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

const SCHEMA: &str = "arm.destroy/1";

pub fn run(args: &DestroyArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    if args.confirm.as_ref().is_some_and(|it| *it != args.store) {
        return Err(unconfirmed(&args.store));
    }
    let fleet = commands::load_about(&args.folder, &[&args.store], args.format, console)?;
    let (cell, store) = store_in(&fleet.fleet, &args.store, args.cell.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let target = runtime.block_on(commands::target_of(cell, console))?;
    let stacks = runtime.block_on(Recovery::connect(&target));
    let services = runtime.block_on(Demolition::connect(&target, cell));
    let looked = destroy::look(&stacks, &services, &cell.id, &store);
    let loss = runtime.block_on(looked).map_err(refused)?;
    let footage = if args.delete_footage { Footage::Delete } else { Footage::Keep };
    // A person reads it before the question; a program with the rest.
    let said = shown(&loss, footage);
    match args.format {
        AnswerFormat::Human => write!(console.out, "{said}")?,
        AnswerFormat::Json => write!(console.err, "{said}")?,
    }
    console.out.flush()?;
    let has_work = loss.found.is_some() || (footage == Footage::Delete && !loss.streams.is_empty());
    if args.dry_run || !has_work {
        return conclude(&loss, None, args.format, console);
    }
    if footage == Footage::Keep && !loss.unretained.is_empty() {
        return Err(CommandError::Configuration(format!(
            "the template of {} does not retain these streams, so that their footage would go with it: \
             {}\n  help: deploy the store first, which retains them, or give --delete-footage",
            loss.stack,
            loss.unretained.join(", ")
        )));
    }
    if args.confirm.is_none() {
        confirm(&args.store, console)?;
    }
    let mut guide = Onlooker { stack: &loss.stack, console };
    let what = format!("destroy {}", args.store);
    let destroyed = holding(&runtime, (cell, &target), &what, || {
        let carried = destroy::carry_out(&stacks, &services, &loss, footage, &mut guide);
        runtime.block_on(carried).map_err(CommandError::environment)
    })?;
    conclude(&loss, Some(&destroyed), args.format, console)
}

/// Asks for the store's id.
fn confirm(store: &str, console: &mut Console<'_>) -> Result<(), CommandError> {
    if console.input.is_some() {
        write!(console.err, "Type the store's id to destroy it: ")?;
        console.err.flush()?;
        if console.read_line()?.is_some_and(|it| it.trim() == store) {
            return Ok(());
        }
    }
    Err(unconfirmed(store))
}

fn unconfirmed(store: &str) -> CommandError {
    CommandError::Configuration(format!(
        "the store `{store}` was not destroyed: its id was not given once more\n  help: type it when asked, \
         or give `--confirm {store}`"
    ))
}

/// A stack at which something is at work is left alone; the rest is AWS's.
fn refused(error: DestroyError) -> CommandError {
    match error {
        DestroyError::Moving { .. } => CommandError::Configuration(error.to_string()),
        error => CommandError::environment(error),
    }
}

/// Somebody who sees what happens, and is asked nothing more.
struct Onlooker<'a, 'b> {
    stack: &'a str,
    console: &'a mut Console<'b>,
}

impl Guide for Onlooker<'_, '_> {
    fn tell(&mut self, event: &StackEvent) {
        // A deletion under way is not given up because nobody reads its story any more.
        drop(told(self.stack, event).map(|line| writeln!(self.console.err, "{line}")));
    }

    fn say(&mut self, text: &str) {
        drop(writeln!(self.console.err, "{text}"));
    }

    fn may_skip(&mut self, _: &[Cause]) -> bool {
        false
    }
}

/// What would be lost, and what stays.
fn shown(loss: &Loss, footage: Footage) -> String {
    let mut lines = vec![match &loss.found {
        Some(found) => format!("stack     {}: in {}", loss.stack, found.status.as_str()),
        None => format!("stack     {}: there is none", loss.stack),
    }];
    let (streams, hours) = (count(loss.streams.len(), "stream"), loss.footage_hours());
    lines.extend((!loss.streams.is_empty()).then(|| match footage {
        Footage::Keep => format!(
            "footage   {streams} with up to {hours} hours of video: kept, with its cost, until somebody \
             deletes it (`--delete-footage`)"
        ),
        Footage::Delete => {
            format!("footage   {streams} with up to {hours} hours of video: DELETED FOR GOOD")
        }
    }));
    lines.extend(
        loss.streams.iter().map(|it| format!("            {} ({} h)", it.name, it.retention_hours)),
    );
    if loss.found.is_some() {
        let told = told_people(&loss.subscribers);
        lines.push(format!("alerts    {told}"));
        lines.push(
            "watch     its cameras are watched no more, and its rules and bus are gone".to_owned(),
        );
    }
    lines.push(match &loss.cases {
        Ok(number) => format!(
            "cases     {number} in the case log: they and their evidence stay, with the platform"
        ),
        Err(cause) => format!(
            "cases     they and their evidence stay, with the platform; not counted: {cause}"
        ),
    });
    lines.extend(loss.retained.iter().map(|it| format!("stays     {}", named(it))));
    let mut text = lines.join("\n") + "\n";
    text.push_str(&collisions(&loss.retained));
    text
}

/// Who gets no alerts any more: by how they are told.
fn told_people(subscribers: &[(String, String)]) -> String {
    if subscribers.is_empty() {
        return "nobody was told".to_owned();
    }
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (protocol, endpoint) in subscribers {
        by.entry(protocol).or_default().push(endpoint);
    }
    let groups: Vec<_> = by
        .into_iter()
        .map(|(protocol, endpoints)| format!("{protocol} to {}", endpoints.join(", ")))
        .collect();
    format!("no more: {}", groups.join("; "))
}

/// Tells what came of it; `None` when nothing was to be done.
fn conclude(
    loss: &Loss,
    destroyed: Option<&Destroyed>,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    if format == AnswerFormat::Json {
        writeln!(console.out, "{}", to_json(loss, destroyed))?;
    }
    let Some(destroyed) = destroyed else { return Ok(()) };
    if !destroyed.is_gone() {
        let outcome = destroyed.stack.as_ref();
        let status = outcome.and_then(|it| it.status).map_or("gone", |it| it.as_str());
        let cause = outcome.and_then(|it| it.cause.as_ref());
        let cause = cause.map(|it| format!("\n  cause: {it}")).unwrap_or_default();
        let text = format!(
            "{} is in {status}, and is not gone{cause}\n  help: run `arm recover` for this store, which \
             leaves in the account only what cannot be deleted",
            loss.stack
        );
        return Err(CommandError::Environment(text.into()));
    }
    if format == AnswerFormat::Human {
        let deleted = destroyed.deleted.len();
        let kept = destroyed.kept.len();
        writeln!(
            console.out,
            "destroyed: {} is gone; {} deleted, {kept} kept",
            loss.stack,
            count(deleted, "stream")
        )?;
    }
    Ok(())
}

fn to_json(loss: &Loss, destroyed: Option<&Destroyed>) -> Value {
    let stream = |it: &Stream| json!({ "name": it.name, "retention_hours": it.retention_hours });
    let list = |streams: &[Stream]| streams.iter().map(stream).collect::<Vec<_>>();
    let subscribers: Vec<_> = loss
        .subscribers
        .iter()
        .map(|(protocol, endpoint)| json!({ "protocol": protocol, "endpoint": endpoint }))
        .collect();
    json!({
        "schema": SCHEMA, "stack": loss.stack,
        "status": loss.found.as_ref().map(|it| it.status.as_str()),
        "streams": list(&loss.streams), "footage_hours": loss.footage_hours(),
        "subscribers": subscribers, "cases": loss.cases.as_ref().ok(),
        "retained": loss.retained.iter().map(resource_json).collect::<Vec<_>>(),
        "ended": destroyed.map(|it| json!({
            "is_gone": it.is_gone(), "deleted": list(&it.deleted), "kept": list(&it.kept),
        })),
    })
}
