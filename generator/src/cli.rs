//! The command line: arguments and two writers in, exit code out.
//!
//! Nothing here decides anything; each command is one file under `commands/`.

use std::ffi::OsString;
use std::io::{BufRead, Write};

use clap::Parser;

use crate::commands;
use crate::console::{Console, Place};
use crate::diagnostic::Colour;
use crate::error::{CommandError, describe};

/// From one YAML file per store to a deployed loss-prevention stack on AWS
#[derive(Debug, Parser)]
#[command(name = "arm", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Init(commands::init::InitArgs),
    New(commands::new::NewArgs),
    Check(commands::check::CheckArgs),
    Explain(commands::explain::ExplainArgs),
    Test(commands::test::TestArgs),
    Quotas(commands::quotas::QuotasArgs),
    Simulate(commands::simulate::SimulateArgs),
    Diff(commands::diff::DiffArgs),
    Fmt(commands::fmt::FmtArgs),
    Generate(commands::generate::GenerateArgs),
    Bundle(commands::bundle::BundleArgs),
    Preflight(commands::preflight::PreflightArgs),
    Plan(commands::plan::PlanArgs),
    Deploy(commands::deploy::DeployArgs),
    Status(commands::status::StatusArgs),
    Drift(commands::drift::DriftArgs),
    Logs(commands::logs::LogsArgs),
    Recover(commands::recover::RecoverArgs),
    Destroy(commands::destroy::DestroyArgs),
    Redrive(commands::redrive::RedriveArgs),
    Cases(commands::cases::CasesArgs),
    Rehearse(commands::rehearse::RehearseArgs),
    Schema(commands::schema::SchemaArgs),
}

/// Runs one command line, without colour; for tests and other programs.
pub fn run(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let colour = Colour::Plain;
    let place = Place::Elsewhere;
    run_in(args, &mut Console { out, err, out_colour: colour, colour, place, input: None })
}

/// The same with somebody there who answers questions.
pub fn run_answered(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let colour = Colour::Plain;
    let place = Place::Elsewhere;
    run_in(args, &mut Console { out, err, out_colour: colour, colour, place, input: Some(input) })
}

/// Runs one command line on a console; returns the exit code.
pub fn run_in(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    console: &mut Console<'_>,
) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(usage) => {
            let text = match console.colour {
                Colour::Plain => usage.render().to_string(),
                Colour::Ansi => usage.render().ansi().to_string(),
            };
            let writer = if usage.use_stderr() { &mut *console.err } else { &mut *console.out };
            // Nobody is left to hear that even this could not be written.
            drop(writer.write_all(text.as_bytes()));
            return u8::try_from(usage.exit_code()).unwrap_or(2);
        }
    };
    let outcome = dispatch(&cli.command, console).and_then(|()| Ok(console.out.flush()?));
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            let code = error.exit_code();
            if code != 0 {
                drop(console.err.write_all(describe(&error).as_bytes()));
            }
            code
        }
    }
}

fn dispatch(command: &Command, console: &mut Console<'_>) -> Result<(), CommandError> {
    match command {
        Command::Init(args) => commands::init::run(args, console),
        Command::New(args) => commands::new::run(args, console),
        Command::Check(args) => commands::check::run(args, console),
        Command::Explain(args) => commands::explain::run(args, console),
        Command::Test(args) => commands::test::run(args, console),
        Command::Quotas(args) => commands::quotas::run(args, console),
        Command::Simulate(args) => commands::simulate::run(args, console),
        Command::Diff(args) => commands::diff::run(args, console),
        Command::Fmt(args) => commands::fmt::run(args, console),
        Command::Generate(args) => commands::generate::run(args, console),
        Command::Bundle(args) => commands::bundle::run(args, console),
        Command::Preflight(args) => commands::preflight::run(args, console),
        Command::Plan(args) => commands::plan::run(args, console),
        Command::Deploy(args) => commands::deploy::run(args, console),
        Command::Status(args) => commands::status::run(args, console),
        Command::Drift(args) => commands::drift::run(args, console),
        Command::Logs(args) => commands::logs::run(args, console),
        Command::Recover(args) => commands::recover::run(args, console),
        Command::Destroy(args) => commands::destroy::run(args, console),
        Command::Redrive(args) => commands::redrive::run(args, console),
        Command::Cases(args) => commands::cases::run(args, console),
        Command::Rehearse(args) => commands::rehearse::run(args, console),
        Command::Schema(args) => commands::schema::run(args, console),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_line_is_one_that_clap_can_read() {
        Cli::command().debug_assert();
    }

    #[test]
    fn stores_can_be_named_beside_their_folder() {
        let cli = Cli::try_parse_from(["arm", "deploy", "seattle-001", "--stores", "elsewhere"]);
        let Command::Deploy(args) = cli.unwrap().command else { panic!("`deploy` is a command") };
        assert_eq!(format!("{args:?}").matches("seattle-001").count(), 1);
        assert_eq!(format!("{args:?}").matches("elsewhere").count(), 1);
    }
}
