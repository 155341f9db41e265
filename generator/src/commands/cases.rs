//! `arm cases`: what people ask about the cases of a cell; one file for each question.

pub mod verify;

use crate::console::Console;
use crate::error::CommandError;

/// Ask about the cases of a cell
#[derive(Debug, clap::Args)]
pub struct CasesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::VerifyArgs),
}

pub fn run(args: &CasesArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    match &args.command {
        Command::Verify(args) => verify::run(args, console),
    }
}
