//! `arm check`: says what is wrong with the stores, all of it at once.

use crate::commands::generate::{self, TemplateFormat};
use crate::commands::{self, AnswerFormat, StoresArgs, summary};
use crate::console::Console;
use crate::diagnostic;
use crate::error::CommandError;
use crate::load;

/// Check every store, and say what is wrong with file, line, column and remedy
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    stores: StoresArgs,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &CheckArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let loaded = load::load(&args.stores.stores)?;
    let summary = summary(&loaded);
    match args.format {
        AnswerFormat::Human => {
            let shown = diagnostic::render(&loaded.sources, &loaded.problems, console.colour);
            // A reader that is gone changes nothing about the answer.
            drop(write!(console.err, "{shown}"));
            if loaded.fleet.is_some() {
                writeln!(console.out, "{summary}")?;
            }
        }
        AnswerFormat::Json => {
            writeln!(console.out, "{}", diagnostic::to_json(&loaded.sources, &loaded.problems))?;
        }
    }
    let fleet = loaded.fleet.ok_or(CommandError::Configuration(summary))?;
    // What CloudFormation's limits say shows only in the templates.
    generate::render(&fleet, TemplateFormat::Json).map(drop).map_err(commands::stack_error)
}
