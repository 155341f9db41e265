//! `arm drift`: what somebody changed by hand, stack by stack, with the lines that say otherwise.
//!
//! A page for people, `arm.drift/1` for programs. How it is asked stands in `drift`. Credentials are
//! checked for every cell first; drift detection changes nothing.

mod page;

use std::time::Duration;

use crate::aws::drift::Detector;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::drift::{self, Checked, Outcome, Report, Stack};
use crate::error::CommandError;
use crate::input::Input;
use crate::model::{Cell, Store};
use crate::name::{CellNames, StoreNames};

/// Stacks between two lines of progress. Our choice: at the default rate one line every 20 seconds.
const TOLD_EACH: usize = 20;

/// Find what was changed by hand: resources that are other than their stacks say
///
/// CloudFormation compares; it knows not every type of resource, and no property that a template does not
/// set. At the default rate a cell of 200 stores takes about four minutes.
#[derive(Debug, clap::Args)]
pub struct DriftArgs {
    /// Ids of stores: only these; none: all, and what they share
    stores: Vec<String>,
    #[command(flatten)]
    folder: StoresArgs,
    /// Only this cell
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// How many detections are started in each cell, such as 1/s or 30/m; at most 10/s
    #[arg(long, value_name = "RATE", default_value = "1/s", value_parser = step)]
    rate: Duration,
    /// Exit with 1 when anything has drifted
    #[arg(long)]
    fail: bool,
    /// How the answer is written: a page for people, or JSON (schema `arm.drift/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &DriftArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let input = args.folder.load()?;
    commands::show_errors(&input.sources, &input.problems, console);
    let (cells, stacks) = chosen(args, &input)?;
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(find(args, (&cells, &stacks), &mut report, console));
    if let Err(error @ CommandError::Configuration(_)) = found {
        return Err(error);
    }
    report
        .checked
        .sort_by(|a, b| (a.stack.cell, &a.stack.name).cmp(&(b.stack.cell, &b.stack.name)));
    let cells: Vec<_> = cells.iter().map(|it| it.id.as_str()).collect();
    let page = page::Page { report: &report, cells: &cells, input: &input };
    match args.format {
        // What was not asked is not reported on.
        AnswerFormat::Human if report.checked.is_empty() && found.is_err() => {}
        AnswerFormat::Human => write!(console.out, "{}", page.human())?,
        AnswerFormat::Json => writeln!(console.out, "{}", page.json())?,
    }
    found?;
    conclude(args, &report)
}

fn conclude(args: &DriftArgs, report: &Report) -> Result<(), CommandError> {
    let drifted = report.checked.iter().filter(|it| is_drifted(it)).count();
    if args.fail && drifted > 0 {
        let stacks = count(drifted, "stack");
        return Err(CommandError::Configuration(format!("{stacks} drifted; each stands above")));
    }
    let unknown = report.checked.iter().filter(|it| matches!(it.outcome, Outcome::Unknown(..)));
    let (unknown, left) = (unknown.count(), report.left.len());
    if left > 0 {
        let text = format!("stopped; the drift of {} is not known", count(left, "stack"));
        return Err(CommandError::Partly(format!("{text}\n  help: run it again")));
    }
    if unknown > 0 {
        let text =
            format!("of {} the drift is not known; each stands above", count(unknown, "stack"));
        return Err(CommandError::Partly(text));
    }
    Ok(())
}

fn is_drifted(checked: &Checked) -> bool {
    match &checked.outcome {
        Outcome::Same => false,
        Outcome::Drifted(_) => true,
        Outcome::Unknown(_, resources) => !resources.is_empty(),
    }
}

/// The cells and their stacks that the arguments name.
fn chosen<'a>(
    args: &DriftArgs,
    input: &'a Input,
) -> Result<(Vec<&'a Cell>, Vec<Stack>), CommandError> {
    let fleet = input.fleet.as_ref().or(input.over_quota.as_ref());
    let fleet = &fleet.ok_or_else(|| CommandError::Configuration(commands::summary(input)))?.fleet;
    let mut stores: Vec<&Store> = Vec::new();
    for id in &args.stores {
        stores.push(commands::store_of(fleet, id)?);
    }
    let cell = args.cell.as_ref().map(|id| commands::cell_of(fleet, id)).transpose()?;
    let is_named = |it: &&Cell| {
        let has_store = stores.is_empty() || stores.iter().any(|store| store.cell == it.id);
        has_store && cell.is_none_or(|cell| cell.id == it.id)
    };
    let cells: Vec<_> = fleet.cells.iter().filter(is_named).collect();
    let mut stacks = Vec::new();
    for (place, cell) in cells.iter().enumerate() {
        let names = CellNames::new(cell);
        if stores.is_empty() {
            let shared = [names.artifacts_stack(), names.platform_stack()];
            stacks.extend(shared.map(|name| Stack { cell: place, name, store: None }));
        }
        let is_asked = |it: &&Store| stores.is_empty() || stores.contains(it);
        stacks.extend(fleet.stores_of(cell).filter(is_asked).map(|store| Stack {
            cell: place,
            name: StoreNames::new(&cell.id, &store.id).stack().to_owned(),
            store: Some(store.id.to_string()),
        }));
    }
    if stacks.is_empty() {
        let text = "the stores that were named are not in that cell".to_owned();
        return Err(CommandError::Configuration(text));
    }
    Ok((cells, stacks))
}

/// A second signal ends even the call that is under way.
async fn find(
    args: &DriftArgs,
    (cells, stacks): (&[&Cell], &[Stack]),
    report: &mut Report,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let mut targets = Vec::new();
    for cell in cells {
        targets.push(commands::target_of(cell, console).await?);
    }
    let detector = Detector::connect(&targets).await;
    let number = stacks.len();
    // Nobody need read that for the answer to be right.
    drop(writeln!(console.err, "asking CloudFormation about {}", count(number, "stack")));
    let mut tell = |checked: &Checked, ended: usize| {
        let name = &checked.stack.name;
        let told = match &checked.outcome {
            Outcome::Same => Ok(()),
            Outcome::Drifted(resources) => {
                let resources = count(resources.len(), "resource");
                writeln!(console.err, "  drifted    {name}  ({resources})")
            }
            Outcome::Unknown(..) => writeln!(console.err, "  not known  {name}"),
        };
        drop(told);
        if ended.is_multiple_of(TOLD_EACH) {
            drop(writeln!(console.err, "  {ended} of {number} stacks"));
        }
    };
    let done = tokio::select! {
        biased;
        () = detector.hear_signals() => None,
        done = drift::find(&detector, stacks, args.rate, report, &mut tell) => Some(done),
    };
    let Some(done) = done else {
        let is_told = |it: &Stack| report.checked.iter().any(|checked| checked.stack == *it);
        report.left = stacks.iter().filter(|it| !is_told(it)).cloned().collect();
        return Ok(());
    };
    done.map_err(CommandError::environment)
}

/// The time from one start to the next, of `1/s` or `30/m`.
fn step(text: &str) -> Result<Duration, String> {
    let wrong =
        || "write a number of stacks a second or a minute: 1/s, 30/m; at most 10/s".to_owned();
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => Duration::from_secs(1),
        "m" => Duration::from_mins(1),
        _ => return Err(wrong()),
    };
    let step = unit.checked_div(number).ok_or_else(wrong)?;
    (step >= Duration::from_millis(100)).then_some(step).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_of_stacks_in_a_second_or_a_minute() {
        let steps = ["1/s", "10/s", "30/m", "1/m"].map(|it| step(it).unwrap().as_millis());
        assert_eq!(steps, [1_000, 100, 2_000, 60_000]);
        for wrong in ["1", "0/s", "11/s", "1/h", "-1/s", "fast"] {
            assert!(step(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_drifted_fails_only_where_that_is_asked_and_what_is_not_known_is_partly_done() {
        use clap::Parser;

        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: DriftArgs,
        }
        let stack = |name: &str| Stack { cell: 0, name: name.to_owned(), store: None };
        let checked = |outcome| Checked { stack: stack("a"), outcome };
        let of = |checked: Vec<Checked>, left: Vec<Stack>| Report { checked, left };
        let reports = [
            of(vec![checked(Outcome::Same)], vec![]),
            of(vec![checked(Outcome::Drifted(vec![]))], vec![]),
            of(vec![checked(Outcome::Unknown(String::new(), vec![]))], vec![]),
            of(vec![], vec![stack("b")]),
        ];
        let code = |line: &[&str], report: &Report| {
            let args = Line::parse_from(line).args;
            conclude(&args, report).err().map_or(0, |it| it.exit_code())
        };
        assert_eq!(reports.each_ref().map(|it| code(&["drift"], it)), [0, 0, 4, 4]);
        assert_eq!(reports.each_ref().map(|it| code(&["drift", "--fail"], it)), [0, 1, 4, 4]);
    }
}
