//! `arm preflight`: whether a deploy can succeed, before anything is touched.
//!
//! A page for people, `arm.preflight/1` for programs. What is judged stands in `preflight`; nothing is
//! decided here but how the command ends.

use crate::aws::Target;
use crate::aws::preflight::Lookout;
use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::Console;
use crate::error::CommandError;
use crate::load;
use crate::preflight::{self, Report, Strictness, Verdict, Wanted};

/// Look whether a deploy can succeed: credentials, permissions, quotas, names, the model, text messages
///
/// Nothing in AWS is changed. Needs rights to read only; what may not be asked is told as unknown.
#[derive(Debug, clap::Args)]
pub struct PreflightArgs {
    #[command(flatten)]
    stores: StoresArgs,
    /// Only this cell
    #[arg(long, value_name = "ID")]
    cell: Option<String>,
    /// End with 1 for warnings and what is unknown, too
    #[arg(long)]
    strict: bool,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &PreflightArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load_about(&args.stores, &[], args.format, console)?;
    let cells: Vec<_> = match &args.cell {
        Some(id) => vec![commands::cell_of(&fleet.fleet, id)?],
        None => fleet.fleet.cells.iter().collect(),
    };
    let strictness = if args.strict { Strictness::Everything } else { Strictness::Failures };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut reports = Vec::new();
    for cell in cells {
        let stores: Vec<_> = fleet.fleet.stores_of(cell).collect();
        let wanted = Wanted::of(&fleet, cell, &stores).map_err(commands::stack_error)?;
        // Nobody need read that for the answer to be right.
        drop(writeln!(console.err, "looking at the cell {} in {}", cell.id, cell.region));
        let target = Target::of_cell(cell);
        let report = runtime.block_on(async {
            let lookout = Lookout::connect(&target).await;
            preflight::look(&lookout, &wanted, load::now_ms()).await
        });
        reports.push(report);
    }
    match args.format {
        AnswerFormat::Human => write!(console.out, "{}", preflight::page(&reports))?,
        AnswerFormat::Json => {
            writeln!(console.out, "{}", preflight::to_json(&reports, strictness))?;
        }
    }
    conclude(&reports, strictness)
}

/// A "no" names the cells that it is about.
fn conclude(reports: &[Report], strictness: Strictness) -> Result<(), CommandError> {
    let refused: Vec<_> = reports.iter().filter(|it| it.is_refused(strictness)).collect();
    if refused.is_empty() {
        return Ok(());
    }
    let cells: Vec<_> = refused.iter().map(|it| format!("`{}`", it.cell)).collect();
    let cells = cells.join(", ");
    let has_failed = refused.iter().any(|it| it.count(Verdict::Failed) > 0);
    Err(CommandError::Configuration(if has_failed {
        format!("a deploy would fail in {cells}")
    } else {
        format!("not everything is known to be fine in {cells}, which --strict asks for")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Id;
    use crate::preflight::{Area, Check};

    fn concluded(verdict: Verdict, strictness: Strictness) -> Option<(u8, String)> {
        let check = Check {
            area: Area::Model,
            verdict,
            text: String::new(),
            details: Vec::new(),
            remedy: None,
        };
        let report = Report {
            cell: Id::new("us-west").unwrap(),
            account: String::new(),
            region: String::new(),
            checks: vec![check],
        };
        let error = conclude(&[report], strictness).err()?;
        Some((error.exit_code(), error.to_string()))
    }

    #[test]
    fn a_failure_is_a_no_and_with_strict_everything_that_is_not_known_to_be_fine_is() {
        let failed = Some((1, "a deploy would fail in `us-west`".to_owned()));
        let doubt = "not everything is known to be fine in `us-west`, which --strict asks for";
        let doubt = Some((1, doubt.to_owned()));
        let expected = [
            (Verdict::Failed, failed.clone(), failed),
            (Verdict::Warning, None, doubt.clone()),
            (Verdict::Unknown, None, doubt),
            (Verdict::Passed, None, None),
        ];
        for (verdict, plain, strict) in expected {
            assert_eq!(concluded(verdict, Strictness::Failures), plain, "{verdict:?}");
            assert_eq!(concluded(verdict, Strictness::Everything), strict, "{verdict:?}");
        }
    }
}
