//! `arm simulate`: what the people of a store will live through, by a day of its detections.
//!
//! Tables for people, `arm.simulation/1` for programs. What happens is found out in `simulation`;
//! here the events are brought to it, once for the rules of the folder and once for those of a
//! commit. Lines that are no events are told, and make the command end with 1 after its answer.

mod beside;
mod json;
mod page;
mod table;

use std::io;
use std::path::{Path, PathBuf};

use crate::commands::{AnswerFormat, StoresArgs, count_warnings, show_errors, store_of, summary};
use crate::console::{Console, count};
use crate::diagnostic::is_near;
use crate::error::CommandError;
use crate::events::Events;
use crate::input::{CompiledFleet, Input};
use crate::load;
use crate::model::Store;
use crate::paragraph::first_of;
use crate::simulation::comparison::{Difference, Moves, differences};
use crate::simulation::line::BadLines;
use crate::simulation::{Simulation, Summary};

/// Show what a day of detections brings the people of a store: cases, alerts, busy hours
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// The store's id, such as `seattle-001`
    store: String,
    /// One event a line as JSON, whole or only its `detail`; `-` reads standard input
    #[arg(value_name = "EVENTS.ndjson")]
    events: PathBuf,
    #[command(flatten)]
    stores: StoresArgs,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
    /// Compare with the rules, aisles and subscribers that the store has in a commit, such as `main`
    #[arg(long, value_name = "GITREF")]
    rules_from: Option<String>,
}

/// Most stores of a commit that are named. Our choice: a line.
const STORES_MAX: usize = 4;

/// What the events came to.
struct Answer<'a> {
    now: Summary<'a>,
    then: Option<Then<'a>>,
    bad: BadLines,
    events: usize,
}

/// What they come to under the rules of a commit.
struct Then<'a> {
    reference: &'a str,
    summary: Summary<'a>,
    differences: Vec<Difference>,
}

pub fn run(args: &SimulateArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let loaded = args.stores.load()?;
    let fleet = fleet(&loaded, console)?;
    count_warnings(&loaded.problems, &[&args.store], console);
    let store = store_of(&fleet.fleet, &args.store)?;
    let folder = &args.stores.folder.stores;
    let committed = match &args.rules_from {
        Some(reference) => {
            Some((reference, load::load_at(reference, folder, args.stores.today())?))
        }
        None => None,
    };
    let then = match &committed {
        Some((reference, loaded)) => {
            let fleet = self::fleet(loaded, console)?;
            Some((reference.as_str(), fleet, store_then(fleet, &args.store, reference)?))
        }
        None => None,
    };
    let events = events(&args.events, console)?;
    let number = events.count();
    let mut now = Simulation::new(store, fleet.rules_of(store));
    let (bad, then) = match then {
        Some((reference, fleet, store)) => {
            let mut then = Simulation::new(store, fleet.rules_of(store));
            let mut moves = Moves::default();
            let bad = replay(events, |event| {
                if let (Some(then), Some(now)) = (then.put(event), now.put(event)) {
                    moves.put(&then, now);
                }
            })?;
            (bad, Some((reference, then.finish(), moves)))
        }
        None => (replay(events, |event| drop(now.put(event)))?, None),
    };
    let now = now.finish();
    let then = then.map(|(reference, summary, moves)| Then {
        reference,
        differences: differences(&summary, &now, &moves),
        summary,
    });
    answer(&Answer { now, then, bad, events: number }, args.format, console)
}

fn answer(
    answer: &Answer<'_>,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let written = match format {
        AnswerFormat::Human => write!(console.out, "{}", page::text(answer)),
        AnswerFormat::Json => writeln!(console.out, "{}", json::text(answer)),
    };
    if answer.bad.number > 0 {
        // A reader that is gone changes nothing about the answer.
        drop(write!(console.err, "{}", page::bad_lines(&answer.bad)));
        let bad = usize::try_from(answer.bad.number).unwrap_or(usize::MAX);
        let all = bad.saturating_add(answer.events);
        let is = if bad == 1 { "is no event" } else { "are no events" };
        let help = "write one JSON object a line; `jq -c '.[]'` makes that of a list";
        let text = format!("{bad} of {} {is}\n  help: {help}", count(all, "line"));
        return Err(CommandError::Configuration(text));
    }
    Ok(written?)
}

/// The fleet of an input, also one that needs more than its quotas allow. Errors are shown only when
/// there is none.
fn fleet<'a>(
    loaded: &'a Input,
    console: &mut Console<'_>,
) -> Result<&'a CompiledFleet, CommandError> {
    if let Some(fleet) = loaded.fleet.as_ref().or(loaded.over_quota.as_ref()) {
        return Ok(fleet);
    }
    show_errors(&loaded.sources, &loaded.problems, console);
    Err(CommandError::Configuration(summary(loaded)))
}

/// The store as a commit has it.
fn store_then<'a>(
    fleet: &'a CompiledFleet,
    id: &str,
    reference: &str,
) -> Result<&'a Store, CommandError> {
    let found = fleet.fleet.stores.iter().find(|store| store.id.as_str() == id);
    found.ok_or_else(|| {
        let mut known: Vec<_> = fleet.fleet.stores.iter().map(|it| it.id.as_str()).collect();
        // A store that was renamed is often called alike.
        known.sort_by_key(|it| !is_near(id, it));
        let named: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
        let has = format!("it has {}", first_of(&named, STORES_MAX));
        let help = "name a commit in which the store has its file, by this id";
        let text =
            format!("there is no store `{id}` in the commit `{reference}`; {has}\n  help: {help}");
        CommandError::Configuration(text)
    })
}

fn events(path: &Path, console: &mut Console<'_>) -> Result<Events, CommandError> {
    if path.as_os_str() != "-" {
        return Ok(Events::load(path)?);
    }
    let read = match &mut console.input {
        Some(input) => Events::of_stream(input),
        None => Events::of_stream(&mut io::stdin().lock()),
    };
    read.map_err(CommandError::environment)
}

fn replay(events: Events, put: impl FnMut(&crate::trial::Event)) -> Result<BadLines, CommandError> {
    events.replay(put).map_err(CommandError::environment)
}
