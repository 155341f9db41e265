//! One thin file per command: reads, calls the core, writes.

pub mod bundle;
pub mod cases;
pub mod check;
pub mod deploy;
pub mod destroy;
pub mod diff;
pub mod drift;
pub mod explain;
pub mod fmt;
pub mod generate;
pub mod logs;
pub mod plan;
pub mod quotas;
pub mod init;
pub mod new;
pub mod preflight;
pub mod recover;
pub mod redrive;
pub mod rehearse;
pub mod schema;
pub mod show;
pub mod simulate;
pub mod status;
pub mod test;

use std::path::PathBuf;

use jiff::civil::Date;

use crate::aws::{Aws, Target};
use crate::console::{Console, count};
use crate::deploy::{DeployError, check_caller};
use crate::diagnostic::{self, Diagnostic, Sources, suggest};
use crate::error::CommandError;
use crate::input::{CompiledFleet, Input};
use crate::load;
use crate::model::{Camera, Cell, Fleet, Store};
use crate::stack::StackError;

/// Where the configuration is, for commands to which the day means nothing.
#[derive(Clone, Debug, clap::Args)]
pub struct FolderArgs {
    /// Folder with fleet.yaml and one YAML file per store
    #[arg(id = "folder", long = "stores", default_value = "stores", value_name = "DIR")]
    pub stores: PathBuf,
}

/// Where the configuration is, and the day for which it is read.
#[derive(Clone, Debug, clap::Args)]
pub struct StoresArgs {
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Day that counts for `until` in `allow` [default: today, by universal time]
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,
}

impl StoresArgs {
    /// Loads the fleet, whatever is wrong with it.
    pub fn load(&self) -> Result<Input, CommandError> {
        Ok(load::load(&self.folder.stores, self.today())?)
    }

    /// The day that counts.
    pub fn today(&self) -> Date {
        self.today.unwrap_or_else(load::today)
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AnswerFormat {
    /// For people
    Human,
    /// For programs
    Json,
}

/// Loads the fleet and shows what is wrong; fails when anything is. A program that reads the answer
/// is then told there too, as `arm check` would.
pub fn load(
    args: &StoresArgs,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<CompiledFleet, CommandError> {
    let loaded = args.load()?;
    let shown = diagnostic::render(&loaded.sources, &loaded.problems, console.colour);
    // A reader that is gone changes nothing about the answer.
    drop(write!(console.err, "{shown}"));
    fleet_of(loaded, format, console)
}

/// The same for a command that asks about some stores: errors are shown in full, and of the warnings
/// only how many are about these stores.
pub fn load_about(
    args: &StoresArgs,
    stores: &[&str],
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<CompiledFleet, CommandError> {
    let loaded = args.load()?;
    show_errors(&loaded.sources, &loaded.problems, console);
    count_warnings(&loaded.problems, stores, console);
    fleet_of(loaded, format, console)
}

fn fleet_of(
    loaded: Input,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<CompiledFleet, CommandError> {
    fleet_in(&loaded, format, console)?;
    Ok(loaded.fleet.expect("it was just found"))
}

/// The fleet, where nothing is wrong with it; a program that reads the answer is told what is.
pub fn fleet_in<'a>(
    loaded: &'a Input,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<&'a CompiledFleet, CommandError> {
    if let (AnswerFormat::Json, None) = (format, &loaded.fleet) {
        let told = diagnostic::to_json(&loaded.sources, &loaded.problems);
        drop(writeln!(console.out, "{told}"));
    }
    loaded.fleet.as_ref().ok_or_else(|| CommandError::Configuration(summary(loaded)))
}

/// Draws the errors among problems.
pub fn show_errors(sources: &Sources, problems: &[Diagnostic], console: &mut Console<'_>) {
    let errors: Vec<_> = problems.iter().filter(|it| it.is_error()).cloned().collect();
    let shown = diagnostic::render(sources, &errors, console.colour);
    // A reader that is gone changes nothing about the answer.
    drop(write!(console.err, "{shown}"));
}

/// Says in one line how many warnings are about these stores; without any, about all.
pub fn count_warnings(problems: &[Diagnostic], stores: &[&str], console: &mut Console<'_>) {
    let is_about = |it: &Diagnostic| {
        stores.is_empty() || it.stores.iter().any(|store| stores.contains(&store.as_str()))
    };
    let number = problems.iter().filter(|it| !it.is_error() && is_about(it)).count();
    if number > 0 {
        let about = if stores.is_empty() { "the fleet".to_owned() } else { stores.join(", ") };
        let line = format!("{} about {about}; see `arm check`", count(number, "warning"));
        drop(writeln!(console.err, "{line}"));
    }
}

/// The store of this id.
pub fn store_of<'a>(fleet: &'a Fleet, id: &str) -> Result<&'a Store, CommandError> {
    let found = fleet.stores.iter().find(|store| store.id.as_str() == id);
    found.ok_or_else(|| {
        let help = suggest(id, fleet.stores.iter().map(|store| store.id.as_str()));
        CommandError::Configuration(format!("there is no store `{id}`\n  help: {help}"))
    })
}

/// The cell of this id.
pub fn cell_of<'a>(fleet: &'a Fleet, id: &str) -> Result<&'a Cell, CommandError> {
    let found = fleet.cells.iter().find(|cell| cell.id.as_str() == id);
    found.ok_or_else(|| {
        let help = suggest(id, fleet.cells.iter().map(|cell| cell.id.as_str()));
        CommandError::Configuration(format!("there is no cell `{id}`\n  help: {help}"))
    })
}

/// Where the cell is, once the credentials are known to be of its account.
pub async fn target_of(cell: &Cell, console: &mut Console<'_>) -> Result<Target, CommandError> {
    let target = Target::of_cell(cell);
    // Nobody need read that for the answer to be right.
    drop(writeln!(console.err, "asking AWS in {} whose credentials these are", cell.region));
    let aws = Aws::connect(&target).await;
    check_caller(&aws, cell.id.as_str(), &cell.account).await.map_err(refused)?;
    Ok(target)
}

/// Credentials of another account are the configuration's fault, or the caller's; the rest is not.
pub fn refused(error: DeployError) -> CommandError {
    match error {
        DeployError::WrongAccount { .. } => CommandError::Configuration(error.to_string()),
        error => CommandError::environment(error),
    }
}

/// The camera of this id in a store.
pub fn camera_of<'a>(store: &'a Store, id: &str) -> Result<&'a Camera, CommandError> {
    let found = store.cameras.iter().find(|camera| camera.id.as_str() == id);
    found.ok_or_else(|| {
        let help = suggest(id, store.cameras.iter().map(|camera| camera.id.as_str()));
        CommandError::Configuration(format!(
            "the store `{}` has no camera `{id}`\n  help: {help}",
            store.id
        ))
    })
}

/// `4 errors and 1 warning in 3 stores`.
pub fn summary(loaded: &Input) -> String {
    let errors = loaded.problems.iter().filter(|it| it.is_error()).count();
    let warnings = loaded.problems.len() - errors;
    let stores = count(loaded.store_files, "store");
    match (errors, warnings) {
        (0, 0) => format!("no problems in {stores}"),
        (0, _) => format!("{} in {stores}", count(warnings, "warning")),
        (_, 0) => format!("{} in {stores}", count(errors, "error")),
        _ => format!("{} and {} in {stores}", count(errors, "error"), count(warnings, "warning")),
    }
}

/// A stack that is over a limit is the configuration's fault; a blueprint that fails is ours.
pub fn stack_error(error: StackError) -> CommandError {
    match error {
        StackError::Limit { .. } => CommandError::Configuration(format!(
            "{error}\n  help: split the store, or name fewer rules, cameras or stored addresses"
        )),
        error => CommandError::environment(error),
    }
}
