//! `arm cases verify`: whether cases, their audit trails and their clips are what they were.
//!
//! Lines for people, NDJSON events of schema `arm.cases.verify/1` for programs. It reads only. What is
//! compared stands in `verification`.

use std::io;

use casework::time::rfc3339;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::aws::operator::Operator;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::error::CommandError;
use crate::load;
use crate::name::{Bucket, CellNames};
use crate::quota::thousands;
use crate::verification::Finding;
use crate::verify::{self, Checked, Selection, Told};

/// Verify the audit trail and the clip of every case, or of some
///
/// It does not see a field of a case that was changed without an entry (such as its status), nor a whole
/// trail that was written anew together with its case.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The cell
    cell: String,
    /// Ids of cases; none: all
    cases: Vec<String>,
    #[command(flatten)]
    folder: StoresArgs,
    /// Only the cases of this store, by its index: a case that lost its store or its time is seen
    /// only by a run over the whole cell
    #[arg(long, value_name = "ID", conflicts_with = "cases")]
    store: Option<String>,
    /// Only cases opened at this moment or later: a date by universal time, or RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "cases", value_parser = moment)]
    from: Option<String>,
    /// Only cases opened before this moment
    #[arg(long, value_name = "TIME", conflicts_with = "cases", value_parser = moment)]
    to: Option<String>,
    /// Lines for people, or NDJSON events (schema `arm.cases.verify/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

/// The schema of what programs get.
const SCHEMA: &str = "arm.cases.verify/1";

pub fn run(args: &VerifyArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load_about(&args.folder, &[], args.format, console)?;
    let cell = commands::cell_of(&fleet.fleet, &args.cell)?;
    let VerifyArgs { store, from, to, .. } = args;
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let text = format!("there is no moment from {from} until before {to}");
        return Err(CommandError::Usage(text));
    }
    let selection = Selection { store: store.clone(), from: from.clone(), to: to.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bucket = CellNames::new(cell).bucket(Bucket::Evidence);
    let mut written = Ok(());
    let checked = runtime.block_on(async {
        let target = commands::target_of(cell, console).await?;
        let operator = Operator::connect(&target, cell).await;
        let cases: Vec<_> = args.cases.iter().map(|it| it.to_uppercase()).collect();
        let mut tell = |it: Told<'_>| match it {
            Told::Finding(case, finding) if written.is_ok() => {
                written = write!(console.out, "{}", told(case, finding, args.format));
            }
            Told::Finding(..) => {}
            // Nobody need read that for the answer to be right.
            Told::Read(cases) => drop(writeln!(console.err, "{cases} cases read")),
        };
        let of = (cases.as_slice(), &selection);
        let verified = verify::verify(&operator, of, (&bucket, load::now_ms()), &mut tell).await;
        verified.map_err(CommandError::environment)
    })?;
    if checked.cases == 0
        && let Some(store) = store
    {
        // A store that has been given up may still have cases; one that is unknown and has none is a slip.
        commands::store_of(&fleet.fleet, store)?;
    }
    conclude(&checked, (args.format, written), console)
}

/// A finding: a line for people, an event for programs.
fn told(case: &str, finding: &Finding, format: AnswerFormat) -> String {
    let event = || {
        json!({
            "schema": SCHEMA, "event": "finding", "case": case, "code": finding.code(),
            "text": finding.to_string(),
        })
    };
    match format {
        AnswerFormat::Human => format!("{case}  {}: {finding}\n", finding.code()),
        AnswerFormat::Json => format!("{}\n", event()),
    }
}

fn conclude(
    checked: &Checked,
    (format, written): (AnswerFormat, io::Result<()>),
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let Checked { cases, entries, clips, bytes, expired, wrong } = *checked;
    let mut write_end = || match format {
        AnswerFormat::Human if cases == 0 => {
            writeln!(console.out, "no case was read: nothing is verified")
        }
        AnswerFormat::Human => {
            let expired = match expired {
                0 => String::new(),
                1 => ", 1 clip is gone, whose time is over".to_owned(),
                more => format!(", {more} clips are gone, whose time is over"),
            };
            writeln!(
                console.out,
                "{} case{} read: {} hold, {} do not; {} audit entries, {} clip{} of {} bytes{expired}",
                thousands(cases),
                if cases == 1 { "" } else { "s" },
                thousands(cases - wrong),
                thousands(wrong),
                thousands(entries),
                thousands(clips),
                if clips == 1 { "" } else { "s" },
                thousands(bytes),
            )
        }
        AnswerFormat::Json => writeln!(
            console.out,
            "{}",
            json!({
                "schema": SCHEMA, "event": "end", "cases": cases, "entries": entries,
                "clips": clips, "bytes": bytes, "clips_expired": expired, "cases_wrong": wrong,
            })
        ),
    };
    let written = written.and_then(|()| write_end());
    if let Err(error) = written {
        // The exit code tells of findings whether or not anybody reads on.
        if wrong == 0 || error.kind() != io::ErrorKind::BrokenPipe {
            return Err(error.into());
        }
    }
    if wrong > 0 {
        let cases = count(usize::try_from(wrong).unwrap_or(usize::MAX), "case");
        return Err(CommandError::Configuration(format!(
            "{cases} did not hold; each finding stands above"
        )));
    }
    Ok(())
}

/// A date or a moment, as the case log writes moments.
fn moment(text: &str) -> Result<String, String> {
    let of_date = |date: Date| date.to_zoned(TimeZone::UTC).map(|it| it.timestamp());
    let moment = match text.parse::<Date>() {
        Ok(date) if text.len() <= 10 => of_date(date).ok(),
        _ => text.parse::<Timestamp>().ok(),
    };
    let moment = moment.ok_or("write 2026-11-22, or 2026-11-22T18:03:03Z")?;
    Ok(rfc3339(moment.as_millisecond()))
}
