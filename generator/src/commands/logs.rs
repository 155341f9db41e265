//! `arm logs`: what the functions wrote of a store, a line for each record.
//!
//! Lines for people, NDJSON of schema `arm.logs/1` with the record as it was written for programs; in
//! both, passwords are covered. What is read stands in `logs`.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use casework::time::rfc3339;
use contract::settings::FUNCTIONS;
use serde_json::json;

use crate::aws::logs::Logs;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::error::CommandError;
use crate::load;
use crate::logs::{self, Found, Record, Selection};
use crate::model::Store;

/// The schema of what programs get.
const SCHEMA: &str = "arm.logs/1";
/// Longest time that can be looked back. Our choice: a search through more takes more pages than are read.
const SINCE_MAX: Duration = Duration::from_hours(90 * 24);

/// Show what the functions wrote of a store, all of them in the order of time
///
/// Records are found by the store's id. What AWS itself writes of a call (a timeout, a report) names no
/// store, and is not among them.
#[derive(Debug, clap::Args)]
pub struct LogsArgs {
    /// The store
    store: String,
    #[command(flatten)]
    folder: StoresArgs,
    /// How far to look back: 90s, 15m, 1h, 2d; at most 90d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = since)]
    since: Duration,
    /// Only what is about this camera
    #[arg(long, value_name = "ID")]
    camera: Option<String>,
    /// Only these functions, by commas or repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = FUNCTIONS)]
    function: Vec<String>,
    /// Only warnings and errors
    #[arg(long)]
    errors: bool,
    /// Most records that are shown, the newest
    #[arg(long, value_name = "NUMBER", default_value = "1000")]
    limit: usize,
    /// Go on with what is written from now on, until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Lines for people, or NDJSON with each record as it was written (schema `arm.logs/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &LogsArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load_about(&args.folder, &[&args.store], args.format, console)?;
    let store = commands::store_of(&fleet.fleet, &args.store)?;
    if let Some(camera) = &args.camera {
        commands::camera_of(store, camera)?;
    }
    let cell = fleet.fleet.cell_of(store);
    let since_ms = i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    let selection = Selection {
        store: args.store.clone(),
        camera: args.camera.clone(),
        functions: args.function.clone(),
        is_errors: args.errors,
        from_ms: load::now_ms().saturating_sub(since_ms),
        limit: args.limit,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let target = commands::target_of(cell, console).await?;
        let services = Logs::connect(&target, cell).await;
        tokio::select! {
            biased;
            // A second signal ends even the call that is under way.
            () = services.hear_signals() => Ok(()),
            done = show(args, &selection, (&services, store), console) => done,
        }
    })
}

async fn show(
    args: &LogsArgs,
    selection: &Selection,
    (services, store): (&Logs, &Store),
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let mut seen = BTreeMap::new();
    let found = logs::read(services, selection, &mut seen).await;
    let found = found.map_err(CommandError::environment)?;
    let asked = if args.function.is_empty() { FUNCTIONS.len() } else { args.function.len() };
    if found.missing.len() >= asked {
        let text = format!(
            "there is no log group of {} in the cell `{}`\n  help: look with `arm status --cell {}` whether the cell is deployed",
            found.missing.join(", "),
            store.cell,
            store.cell
        );
        return Err(CommandError::Environment(text.into()));
    }
    write(args.format, &found, console)?;
    note(args, &found, console);
    if !args.follow {
        return Ok(());
    }
    let last_ms = found.records.last().map_or_else(load::now_ms, |it| it.at_ms);
    let mut written = Ok(());
    let mut show = |found: &Found| {
        written = write(args.format, found, console);
        written.is_ok()
    };
    let done = logs::follow(services, selection, (seen, last_ms), &mut show).await;
    written?;
    done.map_err(CommandError::environment)
}

fn write(format: AnswerFormat, found: &Found, console: &mut Console<'_>) -> io::Result<()> {
    for record in &found.records {
        match format {
            AnswerFormat::Human if record.is_idle => {}
            AnswerFormat::Human => writeln!(console.out, "{}", line(record))?,
            AnswerFormat::Json => writeln!(
                console.out,
                "{}",
                json!({
                    "schema": SCHEMA, "at": rfc3339(record.at_ms), "function": record.function,
                    "record": record.raw,
                })
            )?,
        }
    }
    console.out.flush()
}

/// What the records do not say: what is missing among them.
fn note(args: &LogsArgs, found: &Found, console: &mut Console<'_>) {
    let mut notes = Vec::new();
    if found.records.iter().all(|it| it.is_idle) {
        notes.push("nothing was found; look further back with --since".to_owned());
    }
    if found.over > 0 {
        let over = count(found.over, "older record");
        notes.push(format!("{over} not shown: the newest {} are; see --limit", args.limit));
    }
    if !found.cut.is_empty() {
        let names = found.cut.join(", ");
        notes.push(format!("{names}: there is more than was read; ask for less with --since"));
    }
    if !found.missing.is_empty() {
        notes.push(format!("no log group yet: {}", found.missing.join(", ")));
    }
    for note in notes {
        // Nobody need read that for the answer to be right.
        drop(writeln!(console.err, "{note}"));
    }
}

/// `2026-11-22 18:03:03.120Z analyze  ERROR cannot handle the message  camera a-1  error ...`.
fn line(record: &Record) -> String {
    let at = rfc3339(record.at_ms).replace('T', " ");
    let mut text = format!("{at} {:<8} {:<6} {}", record.function, record.level, record.message);
    for (key, value) in &record.about {
        text.extend(["  ", key, " ", value]);
    }
    // A terminal gets nothing to obey.
    text.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect()
}

/// A time as `90s`, `15m`, `1h` or `2d`.
fn since(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time such as 90s, 15m, 1h or 2d; at most 90d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number: u32 = text.strip_suffix(unit).and_then(|it| it.parse().ok()).ok_or_else(wrong)?;
    let unit = match unit {
        's' => Duration::from_secs(1),
        'm' => Duration::from_mins(1),
        'h' => Duration::from_hours(1),
        'd' => Duration::from_hours(24),
        _ => return Err(wrong()),
    };
    let time = unit.checked_mul(number).ok_or_else(wrong)?;
    (time <= SINCE_MAX && !time.is_zero()).then_some(time).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        let seconds = ["90s", "15m", "1h", "2d"].map(|it| since(it).unwrap().as_secs());
        assert_eq!(seconds, [90, 900, 3_600, 172_800]);
        for wrong in ["", "1", "h", "0s", "91d", "1w", "-1h", "1é"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_record_is_one_line_that_a_terminal_does_not_obey() {
        let record = Record {
            at_ms: 1_795_169_520_120,
            function: "analyze".to_owned(),
            level: "ERROR".to_owned(),
            message: "cannot handle\nthe message \u{1b}[31m".to_owned(),
            about: vec![("camera", "a-1".to_owned()), ("error", "no video".to_owned())],
            raw: Value::Null,
            is_idle: false,
        };
        insta::assert_snapshot!(line(&record), @"2026-11-20 10:12:00.120Z analyze  ERROR  cannot handle�the message �[31m  camera a-1  error no video");
    }
}
