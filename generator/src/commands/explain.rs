//! `arm explain STORE`: one event followed through a store, before the store is open.
//!
//! The event is a file as it stands on a bus, or what a camera sees, said by options.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::commands::{self, AnswerFormat, StoresArgs, camera_of, store_of};
use crate::console::Console;
use crate::diagnostic::suggest;
use crate::error::CommandError;
use crate::files;
use crate::load;
use crate::model::{Confidence, Store};
use crate::rules::RuleSet;
use crate::trace;
use crate::trial::{Event, Sighting, clock_change, parse_at};

/// Largest file with an event, in bytes: an entry of `PutEvents` is smaller. Source: EventBridge
/// quotas, "`PutEvents` entry size",
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>.
const EVENT_BYTES_MAX: usize = 1_048_576;

/// Show what becomes of one event: rule, case, every message, and whom it does not reach
///
/// Without an event it shows the store's rules at a glance, and what none of them takes.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The store's id
    #[arg(value_name = "STORE")]
    store: String,
    /// A file with one event as it stands on a bus, or only its detail; `-` reads it from stdin
    #[arg(value_name = "EVENT.json", conflicts_with = "sighting")]
    event: Option<PathBuf>,
    #[command(flatten)]
    sighting: SightingArgs,
    /// When: `2026-11-22 23:10` in the store's time, or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    stores: StoresArgs,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

/// What a camera sees.
#[derive(Debug, clap::Args)]
#[group(id = "sighting", multiple = true)]
struct SightingArgs {
    /// What is seen, such as `shelf_sweep`
    #[arg(long, value_name = "WORD")]
    event_type: Option<String>,
    /// By which camera [default: the event is from elsewhere and names none]
    #[arg(long, value_name = "ID", requires = "event_type")]
    camera: Option<String>,
    /// In which zone of its picture [default: none]
    #[arg(long, value_name = "ID", requires = "camera")]
    zone: Option<String>,
    /// How sure the model is, 0 to 1 [default: it does not say]
    #[arg(long, value_name = "NUMBER", requires = "event_type")]
    confidence: Option<f64>,
}

pub fn run(args: &ExplainArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load_about(&args.stores, &[&args.store], args.format, console)?;
    let store = store_of(&fleet.fleet, &args.store)?;
    let rules = fleet.rules_of(store);
    let at_ms = match &args.at {
        None => load::now_ms(),
        Some(text) => parse_at(text, &store.hours.timezone)
            .map_err(|error| CommandError::Usage(format!("`--at {text}` is {error}")))?,
    };
    let event = match (&args.event, &args.sighting.event_type) {
        (Some(path), _) => read(path, args.at.is_some().then_some(at_ms), at_ms)?,
        (None, Some(event_type)) => sighting(store, &args.sighting, event_type, at_ms)?,
        (None, None) => return overview(args, store, rules, console),
    };
    let mut trace = trace::follow(store, rules, &event);
    let at = args.at.as_deref();
    trace.notes.extend(at.and_then(|at| clock_change(at, &store.hours.timezone)));
    match args.format {
        AnswerFormat::Human => write!(console.out, "{}", trace::page(&trace))?,
        AnswerFormat::Json => writeln!(console.out, "{}", trace::to_json(&trace))?,
    }
    Ok(())
}

/// Without an event: the store's rules at a glance.
fn overview(
    args: &ExplainArgs,
    store: &Store,
    rules: &RuleSet,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    if args.at.is_some() {
        let text = "`--at` is the moment of an event: name a file, or `--event-type`";
        return Err(CommandError::Usage(text.to_owned()));
    }
    let overview = trace::Overview::new(store, rules);
    match args.format {
        AnswerFormat::Human => write!(console.out, "{}", overview.page())?,
        AnswerFormat::Json => writeln!(console.out, "{}", overview.json())?,
    }
    Ok(())
}

/// The event of a file, or of stdin.
///
/// `--at` is the moment of what names none, and so is now for a file that a person has just written.
fn read(path: &Path, at: Option<i64>, now_ms: i64) -> Result<Event, CommandError> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let bytes = if is_stdin {
        files::load_stdin_at_most(EVENT_BYTES_MAX)?
    } else {
        files::load_at_most(path, EVENT_BYTES_MAX)?
    };
    let refuse = |what: String| Err(CommandError::Configuration(what));
    if bytes.len() > EVENT_BYTES_MAX {
        return refuse(format!("{name} is larger than any event: {EVENT_BYTES_MAX} bytes"));
    }
    let mut values = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
    let value = match values.next() {
        None => return refuse(format!("{name} is empty\n  help: write one event as JSON")),
        Some(Err(error)) => {
            let help = "write one event as JSON, such as {\"event_type\": \"shelf_sweep\"}";
            return refuse(format!("{name} is not JSON: {error}\n  help: {help}"));
        }
        Some(Ok(value)) => value,
    };
    if values.next().is_some() {
        let help = "give one event; `arm simulate` takes a whole day of them";
        return refuse(format!("{name} holds more than one event\n  help: {help}"));
    }
    match Event::read(&value, at.or(Some(now_ms))) {
        Ok(event) => Ok(event),
        Err(error) => refuse(format!("{name} is no event: {error}")),
    }
}

/// What the options say, after checking that this store's camera can see it.
fn sighting(
    store: &Store,
    args: &SightingArgs,
    event_type: &str,
    at_ms: i64,
) -> Result<Event, CommandError> {
    let refuse = |what: String| Err(CommandError::Usage(what));
    let camera = args.camera.as_deref().map(|id| camera_of(store, id)).transpose()?;
    if let Some((camera, zone)) = camera.zip(args.zone.as_deref())
        && !camera.zones.iter().any(|it| it.id == zone)
    {
        let help = match suggest(zone, camera.zones.iter().map(|it| it.id.as_str())) {
            help if help.is_empty() => "leave `--zone` out".to_owned(),
            help => help,
        };
        return refuse(format!("the camera `{}` has no zone `{zone}`\n  help: {help}", camera.id));
    }
    if let Some(wrong) = args.confidence.filter(|it| Confidence::new(*it).is_none()) {
        return refuse(format!("`--confidence {wrong}` is no number from 0 to 1"));
    }
    let sighting = Sighting {
        event_type: event_type.to_owned(),
        camera: args.camera.clone(),
        zone: args.zone.clone(),
        confidence: args.confidence,
        at_ms,
    };
    Ok(Event::of_sighting(store, &sighting))
}
