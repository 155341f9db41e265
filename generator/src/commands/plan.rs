//! `arm plan`: what a deploy will do, as a report and as a file that `arm deploy --plan` is bound to.
//!
//! Nothing in AWS is changed. What is planned is worked out in `plan/prepare.rs`, which `arm deploy` uses
//! too, so that both say the same; how it looks stands in `plan/page.rs`.

pub mod page;
pub mod prepare;

use std::path::PathBuf;

use crate::commands::AnswerFormat;
use crate::console::Console;
use crate::error::CommandError;
use crate::files;
use crate::preflight::Strictness;

use prepare::{Prepared, ScopeArgs};

/// Say what a deploy will do, and write it to a file that a later deploy carries out exactly
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// File for the plan, for `arm deploy --plan FILE`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 10 when anything is to be done
    #[arg(long)]
    exit_code: bool,
    /// A report for people, or the plan itself (schema `arm.plan/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &PlanArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let prepared = Prepared::make(&args.scope, args.format, &runtime, console)?;
    let text = prepared.plan.to_json();
    if let Some(path) = &args.output {
        files::save(path, text.as_bytes())?;
    }
    match args.format {
        AnswerFormat::Human => {
            let page = page::of(&prepared, args.scope.detail(), console.out_colour);
            write!(console.out, "{page}")?;
            if let Some(path) = &args.output {
                let path = path.display();
                writeln!(
                    console.out,
                    "\nwritten to {path}; carry it out: arm deploy --plan {path}"
                )?;
            }
        }
        AnswerFormat::Json => write!(console.out, "{text}")?,
    }
    let refused = prepared.reports.iter().filter(|it| it.is_refused(Strictness::Failures));
    let refused: Vec<_> = refused.map(|it| it.cell.to_string()).collect();
    if !refused.is_empty() {
        return Err(CommandError::Configuration(format!(
            "a deploy would fail in {}\n  help: mend what failed, then plan again",
            refused.join(", ")
        )));
    }
    if args.exit_code && !prepared.plan.is_empty() {
        return Err(CommandError::Found("there are changes".to_owned()));
    }
    Ok(())
}
