//! `arm redrive`: puts dead letters back, and says what cannot be put back and what to do about it.
//!
//! A table for people, `arm.redrive/1` for programs. What becomes of a letter stands in `dead_letter`,
//! how it is carried out in `redrive`.

use std::collections::BTreeSet;

use casework::time::rfc3339;
use serde_json::{Value, json};

use crate::aws::operator::Operator;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::dead_letter::{DeadLetters, Useless};
use crate::error::CommandError;
use crate::load;
use crate::model::Cell;
use crate::paragraph::wrapped;
use crate::redrive::{self, Became, LETTERS_MAX, Mode, Report, Request};

/// Most letters and cases that people are shown one by one. Our choice: two screens; programs get all.
const SHOWN_MAX: usize = 50;

/// Put back what lies in the dead-letter queues of a cell, and ask again for overdue clips
#[derive(Debug, clap::Args)]
pub struct RedriveArgs {
    /// The cell
    cell: String,
    #[command(flatten)]
    folder: StoresArgs,
    /// Only this queue; can be repeated. `evidence` also asks again for clips that are overdue
    #[arg(long, value_enum, value_name = "QUEUE", default_value = "all")]
    queue: Vec<Queue>,
    /// Delete what is of no use any more; can be repeated. Nothing else is ever deleted
    #[arg(long, value_enum, value_name = "WHAT")]
    drop: Vec<Useless>,
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
        mode: if args.dry_run { Mode::Look } else { Mode::CarryOut },
        now_ms: load::now_ms(),
    };
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let target = commands::target_of(cell, console).await?;
        let operator = Operator::connect(&target, cell).await;
        operator.stop_at_ctrl_c();
        let done = redrive::redrive(&operator, &request, &mut report).await;
        done.map_err(CommandError::environment)
    });
    if let Err(error @ CommandError::Configuration(_)) = outcome {
        return Err(error);
    }
    let written = match args.format {
        AnswerFormat::Human => write!(console.out, "{}", table(&report, cell, request.mode)),
        AnswerFormat::Json => {
            writeln!(console.out, "{}", to_json(&report, cell, request.mode))
        }
    };
    outcome?;
    conclude(&report, request.mode)?;
    Ok(written?)
}

/// A run that leaves something to people says so by its exit code.
fn conclude(report: &Report, mode: Mode) -> Result<(), CommandError> {
    if mode == Mode::Look {
        return Ok(());
    }
    if report.is_stopped {
        return Err(CommandError::Partly(
            "stopped; what was not put back lies where it lay\n  help: run it again".to_owned(),
        ));
    }
    let (left, lost) = (report.left_count(), report.clips.lost.len());
    if left + lost + report.more.len() == 0 {
        return Ok(());
    }
    let mut parts = Vec::new();
    parts.extend((left > 0).then(|| format!("{} left", count(left, "letter"))));
    parts.extend((lost > 0).then(|| format!("{} lost", count(lost, "clip"))));
    let full = report.more.len();
    parts.extend((full > 0).then(|| format!("{} with more letters", count(full, "queue"))));
    Err(CommandError::Partly(parts.join(", ")))
}

fn table(report: &Report, cell: &Cell, mode: Mode) -> String {
    let dry = if mode == Mode::Look { "; nothing was changed" } else { "" };
    let mut text = format!("cell {}, account {}, {}{dry}\n", cell.id, cell.account, cell.region);
    if report.sums.is_empty() {
        text.push_str("no dead letters\n");
    } else {
        row(&mut text, ["queue", "letters", "what", "oldest", ""]);
    }
    for ((queue, kind, became), sum) in &report.sums {
        let (number, oldest) = (sum.count.to_string(), seconds(sum.oldest_ms));
        let became = became_words(*became, mode, report.rows.len());
        row(&mut text, [queue.as_str(), &number, kind, &oldest, &became]);
    }
    text.push_str(&clips(report, mode));
    for useless in &report.useless {
        let (noun, word) = (useless.noun(), useless.as_str());
        let note = format!("{noun}: {}. `--drop {word}` deletes them", useless.meaning());
        text.push_str(&wrapped("  - ", &note));
    }
    for left in report.left.iter().take(SHOWN_MAX) {
        let note = format!("{} {}: {}", left.queue.as_str(), left.id, left.reason);
        text.push_str(&wrapped("  ! ", &note));
        text.extend(["      ", &left.excerpt, "\n"]);
    }
    let unshown = report.left.len().saturating_sub(SHOWN_MAX);
    if unshown > 0 {
        let note = format!("and {unshown} more; `--format json` names them all");
        text.push_str(&wrapped("  ! ", &note));
    }
    for queue in &report.more {
        let note = format!(
            "{} holds more than {LETTERS_MAX} letters that are left: deal with these first",
            queue.as_str()
        );
        text.push_str(&wrapped("  ! ", &note));
    }
    text
}

fn row(text: &mut String, [queue, count, what, oldest, became]: [&str; 5]) {
    let line = format!("  {queue:<12} {count:>7}  {what:<20}  {oldest:<20}  {became}");
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Whole seconds are enough for people.
fn seconds(at_ms: i64) -> String {
    rfc3339(at_ms).chars().take(19).chain(['Z']).collect()
}

fn became_words(became: Became, mode: Mode, rows: usize) -> String {
    let rows = count(rows, "case");
    match (became, mode) {
        (Became::PutBack(to), Mode::CarryOut) => format!("put back into {}", to.as_str()),
        (Became::PutBack(to), Mode::Look) => format!("would go into {}", to.as_str()),
        (Became::Rows, Mode::CarryOut) => format!("{rows} of that time given a row again"),
        (Became::Rows, Mode::Look) => format!("{rows} of that time would get a row again"),
        (Became::Dropped, Mode::CarryOut) => "deleted".to_owned(),
        (Became::Dropped, Mode::Look) => "would be deleted".to_owned(),
        (Became::Left, _) => "left".to_owned(),
    }
}

fn clips(report: &Report, mode: Mode) -> String {
    let clips = &report.clips;
    let mut text = String::new();
    let mut line = |number: usize, words: &str| {
        if number > 0 {
            text.extend(["  ", &count(number, "overdue clip"), ": ", words, "\n"]);
        }
    };
    let asked = match mode {
        Mode::CarryOut => "asked for again",
        Mode::Look => "would be asked for again",
    };
    line(clips.asked.len(), asked);
    line(clips.waiting.len(), "left alone, because asked for within the last quarter of an hour");
    line(clips.lost.len(), "cannot be saved; the function `sweep` ends them as failed");
    for (case, reason) in clips.lost.iter().take(SHOWN_MAX) {
        text.push_str(&wrapped("  ! ", &format!("{case}: {reason}")));
    }
    text
}

/// The same for programs: schema `arm.redrive/1`.
fn to_json(report: &Report, cell: &Cell, mode: Mode) -> Value {
    let sums = report.sums.iter().map(|((queue, kind, became), sum)| {
        let (became, to) = match became {
            Became::PutBack(to) => ("put-back", Some(to.as_str())),
            Became::Rows => ("rows", None),
            Became::Dropped => ("dropped", None),
            Became::Left => ("left", None),
        };
        json!({
            "queue": queue.as_str(), "kind": kind, "became": became, "to": to,
            "count": sum.count, "oldest_at": rfc3339(sum.oldest_ms),
        })
    });
    let left = report.left.iter().map(|it| {
        json!({
            "queue": it.queue.as_str(), "id": it.id, "reason": it.reason, "excerpt": it.excerpt,
        })
    });
    let lost = report.clips.lost.iter().map(|(case, why)| json!({ "case": case, "reason": why }));
    let full: BTreeSet<_> = report.more.iter().map(|queue| queue.as_str()).collect();
    json!({
        "schema": "arm.redrive/1", "cell": cell.id.as_str(), "account": cell.account,
        "region": cell.region, "dry_run": mode == Mode::Look, "stopped": report.is_stopped,
        "letters": sums.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>(),
        "rows": report.rows, "more": full,
        "clips": {
            "asked": report.clips.asked, "waiting": report.clips.waiting,
            "lost": lost.collect::<Vec<_>>(),
        },
    })
}
