//! `arm redrive`: puts dead letters back, and says what cannot be put back and what to do about it.
//!
//! A table for people, `arm.redrive/1` for programs. What becomes of a letter stands in `dead_letter`,
//! how it is carried out in `redrive`.

mod json;
mod table;

use std::io::ErrorKind;

use crate::aws::operator::Operator;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::dead_letter::{DeadLetters, Useless};
use crate::deploy::CloudError;
use crate::error::{CommandError, describe};
use crate::load;
use crate::model::Cell;
use crate::paragraph::WIDTH;
use crate::redrive::{self, Became, Looked, Mode, NOT_UNDERSTOOD, NoQueue, Report, Request};

/// Put back what lies in the dead-letter queues of a cell, and ask again for overdue clips
#[derive(Debug, clap::Args)]
pub struct RedriveArgs {
    /// The cell
    cell: String,
    #[command(flatten)]
    folder: StoresArgs,
    /// Only these queues, by commas or repeated. `evidence` also asks again for clips that are overdue
    #[arg(long, value_enum, value_name = "QUEUE", default_value = "all", value_delimiter = ',')]
    queue: Vec<Queue>,
    /// Delete what is of no use any more, by commas or repeated; what is deleted is listed
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    drop: Vec<Useless>,
    /// Delete this letter, whatever it is; can be repeated. Nothing else is ever deleted
    #[arg(long, value_name = "ID")]
    drop_letter: Vec<String>,
    /// Change nothing, and show what would be done
    #[arg(long)]
    dry_run: bool,
    /// How the answer is written: a table for people, or JSON (schema `arm.redrive/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Queue {
    /// Windows that `analyze` gave up on
    Windows,
    /// Detections that `respond` gave up on
    Incidents,
    /// Clip requests that `preserve` gave up on
    Evidence,
    /// Changes of cases that `project` gave up on
    Changes,
    /// Events, ticks and alerts that AWS could not deliver
    Undelivered,
    /// All of these
    All,
}

impl Queue {
    fn dead_letters(self) -> Vec<DeadLetters> {
        match self {
            Self::Windows => vec![DeadLetters::Windows],
            Self::Incidents => vec![DeadLetters::Incidents],
            Self::Evidence => vec![DeadLetters::Evidence],
            Self::Changes => vec![DeadLetters::Changes],
            Self::Undelivered => vec![DeadLetters::Undelivered],
            Self::All => DeadLetters::ALL.to_vec(),
        }
    }
}

pub fn run(args: &RedriveArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load_about(&args.folder, &[], args.format, console)?;
    let cell = commands::cell_of(&fleet.fleet, &args.cell)?;
    let request = Request {
        fleet: &fleet,
        cell,
        queues: args.queue.iter().flat_map(|it| it.dead_letters()).collect(),
        drop: args.drop.iter().copied().collect(),
        drop_letters: args.drop_letter.iter().cloned().collect(),
        mode: if args.dry_run { Mode::Look } else { Mode::CarryOut },
        now_ms: load::now_ms(),
    };
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(carry_out(&request, &mut report, console));
    if let Err(error @ CommandError::Configuration(_)) = outcome {
        return Err(error);
    }
    let error = outcome.as_ref().err().map(describe);
    let written = match args.format {
        // What was not read is not reported on.
        AnswerFormat::Human if error.is_some() && !report.has_read() => Ok(()),
        AnswerFormat::Human => write!(console.out, "{}", table::table(&report, &request, width())),
        AnswerFormat::Json => {
            writeln!(console.out, "{}", json::to_json(&report, &request, error.as_deref()))
        }
    };
    let written = written.and_then(|()| console.out.flush());
    if let Err(error) = written {
        if error.kind() != ErrorKind::BrokenPipe {
            return Err(error.into());
        }
        outcome.and(conclude(&report, &request))?;
        return Err(error.into());
    }
    outcome.map_err(|error| untried(error, &report, cell))?;
    conclude(&report, &request)
}

/// A second signal ends even the call that is under way.
async fn carry_out(
    request: &Request<'_>,
    report: &mut Report,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    report.queues = request.queues.iter().map(|queue| (*queue, Looked::NotTried)).collect();
    let target = commands::target_of(request.cell, console).await?;
    let operator = Operator::connect(&target, request.cell).await;
    let mut tell = |queue: DeadLetters| {
        // Nobody need read that for the answer to be right.
        drop(writeln!(console.err, "reading {}", queue.as_str()));
    };
    let done = tokio::select! {
        biased;
        () = operator.hear_signals() => None,
        done = redrive::redrive(&operator, request, report, &mut tell) => Some(done),
    };
    report.is_stopped |= done.is_none();
    done.unwrap_or(Ok(())).map_err(CommandError::environment)
}

/// Adds to an error what was not looked at because of it, and what to do.
fn untried(error: CommandError, report: &Report, cell: &Cell) -> CommandError {
    let CommandError::Environment(source) = &error else { return error };
    let is_missing =
        source.downcast_ref::<CloudError>().is_some_and(|it| it.source.is::<NoQueue>());
    let is_untried = |it: &(&DeadLetters, &Looked)| *it.1 == Looked::NotTried;
    let untried: Vec<_> =
        report.queues.iter().filter(is_untried).map(|(queue, _)| queue.as_str()).collect();
    let mut help = Vec::new();
    help.extend((!untried.is_empty()).then(|| format!("not looked at: {}", untried.join(", "))));
    help.extend(
        is_missing.then(|| format!("region {}; is the cell {} deployed?", cell.region, cell.id)),
    );
    if help.is_empty() {
        return error;
    }
    let text = describe(&error);
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    CommandError::Environment(format!("{text}\n  help: {}", help.join("; ")).into())
}

/// How wide the reader's terminal says that it is.
fn width() -> usize {
    #[expect(
        clippy::disallowed_methods,
        reason = "POSIX: the terminal's width is asked once, here"
    )]
    let columns = std::env::var("COLUMNS").ok().and_then(|it| it.parse().ok());
    columns.map_or(WIDTH, |it: usize| it.clamp(40, WIDTH))
}

/// A run that leaves something to people says so by its exit code.
fn conclude(report: &Report, request: &Request<'_>) -> Result<(), CommandError> {
    if report.is_stopped {
        let text = match request.mode {
            Mode::Look => "stopped; what stands above is not all\n  help: run it again",
            Mode::CarryOut => {
                "stopped; what was not put back lies where it lay\n  help: run it again"
            }
        };
        return Err(CommandError::Partly(text.to_owned()));
    }
    let hidden: u64 = report.hidden.values().sum();
    if request.mode == Mode::Look && hidden == 0 {
        return Ok(());
    }
    let (left, lost) = (report.left.len(), report.clips.lost.len());
    let unfound = unfound(report, request).len();
    if left + lost + report.more.len() + unfound == 0 && hidden == 0 {
        return Ok(());
    }
    let put_back = report.count(|it| matches!(it, Became::PutBack(_) | Became::Rows));
    let people = report.left.iter().filter(|it| it.kind == NOT_UNDERSTOOD).count();
    let needs = match people {
        0 => String::new(),
        1 => " (1 needs a person, see above)".to_owned(),
        more => format!(" ({more} need a person, see above)"),
    };
    let would = if request.mode == Mode::Look { "dry run: " } else { "" };
    let mut text =
        format!("{would}{put_back} put back, {} deleted, {left} left{needs}", report.dropped.len());
    let mut add = |number: usize, words: String| {
        if number > 0 {
            text.extend(["; ", &words]);
        }
    };
    let asked = report.clips.asked.len();
    add(asked, format!("{} asked for", count(asked, "clip")));
    add(lost, format!("{} lost", count(lost, "clip")));
    add(usize::try_from(hidden).unwrap_or(usize::MAX), format!("{hidden} hidden by another run"));
    add(report.more.len(), format!("{} with more letters", count(report.more.len(), "queue")));
    add(unfound, format!("{} of --drop-letter not found", count(unfound, "letter")));
    Err(CommandError::Partly(text))
}

/// Letters that were to be deleted, and were not among those that were read.
fn unfound<'a>(report: &Report, request: &'a Request<'_>) -> Vec<&'a String> {
    let is_found = |id: &String| report.dropped.iter().any(|it| it.id == *id);
    request.drop_letters.iter().filter(|id| !is_found(id)).collect()
}

#[cfg(test)]
mod tests;
