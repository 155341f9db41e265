//! Finds the run to go on with: its journal in the folder, or the copy in a cell's bucket when the
//! machine that began it is lost.

use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::DeployArgs;
use crate::aws::Aws;
use crate::commands::{self, StoresArgs};
use crate::console::Console;
use crate::deploy::journal::{self, Past};
use crate::deploy::lock::{self, Holder};
use crate::deploy::{Cloud, Paced, journal_key};
use crate::error::CommandError;
use crate::files::{self, JournalFile};
use crate::model::Cell;
use crate::name::{Bucket, CellNames};

/// A run that goes on.
pub(super) struct Found {
    pub(super) past: Past,
    pub(super) journal: JournalFile,
}

/// The run of this id, or the latest that has not ended.
pub(super) fn find(
    args: &DeployArgs,
    run: &str,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Found, CommandError> {
    let path = if run.is_empty() { latest(&args.journal)? } else { Some(file(args, run)) };
    if let Some(path) = path.filter(|it| files::is_file(it)) {
        return open(&path);
    }
    writeln!(
        console.err,
        "no journal of it in {}; looking into the cells' buckets",
        args.journal.display()
    )?;
    let Some((run, text)) = fetched(args, run, runtime, console)? else {
        return Err(CommandError::Configuration(format!(
            "there is no run to go on with, neither in {} nor in the bucket of a cell\n  help: run `arm \
             deploy`: what is done already is not done again",
            args.journal.display()
        )));
    };
    let path = file(args, &run);
    files::save_new(&path, text.as_bytes())?;
    open(&path)
}

/// The wish is another by now.
pub(super) fn other(past: &Past) -> CommandError {
    let tool = env!("CARGO_PKG_VERSION");
    let why = if past.tool == tool {
        "the stores' files or the function bundle are others than when it began".to_owned()
    } else {
        format!("it was begun by arm {}, and this is arm {tool}", past.tool)
    };
    CommandError::Configuration(format!(
        "the run {} cannot go on: {why}\n  help: check out what it began with, or run `arm deploy` for \
         what is wanted now",
        past.run
    ))
}

fn file(args: &DeployArgs, run: &str) -> PathBuf {
    args.journal.join(format!("{run}.ndjson"))
}

/// The journal of the latest run that began something, unless it has ended; ids begin with the time.
fn latest(folder: &Path) -> Result<Option<PathBuf>, CommandError> {
    if !files::is_folder(folder) {
        return Ok(None);
    }
    let mut paths = files::list(folder)?;
    paths.retain(|it| it.extension().is_some_and(|it| it == "ndjson"));
    for path in paths.into_iter().rev() {
        let text = String::from_utf8_lossy(&files::load(&path)?).into_owned();
        match journal::read(&text) {
            // It was killed before it began anything.
            Err(journal::ReadError::NoBegin) => {}
            Ok(past) if past.is_ended => return Ok(None),
            // One that cannot be read is said, not passed over.
            _ => return Ok(Some(path)),
        }
    }
    Ok(None)
}

fn open(path: &Path) -> Result<Found, CommandError> {
    let (journal, text) = JournalFile::open(path)?;
    let past = journal::read(&text).map_err(|error| {
        CommandError::Configuration(format!(
            "{}: {error}\n  help: run `arm deploy` without --resume: what is done already is not done \
             again",
            path.display()
        ))
    })?;
    if past.is_ended {
        return Err(CommandError::Configuration(format!(
            "the run {} has ended\n  help: run `arm deploy`",
            past.run
        )));
    }
    Ok(Found { past, journal })
}

/// A run's journal from the bucket of a cell; the run of the cell's lock where none is named.
fn fetched(
    args: &DeployArgs,
    run: &str,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Option<(String, String)>, CommandError> {
    let folder: &StoresArgs = &args.scope.folder;
    let fleet = commands::load_about(folder, &[], args.format, console)?;
    let is_meant =
        |cell: &&Cell| args.scope.cell.as_deref().is_none_or(|it| it == cell.id.as_str());
    for cell in fleet.fleet.cells.iter().filter(is_meant) {
        let target = runtime.block_on(commands::target_of(cell, console))?;
        let aws = runtime.block_on(Aws::connect(&target));
        let bucket = CellNames::new(cell).bucket(Bucket::Artifacts);
        let found = runtime.block_on(of_bucket(&Paced::new(&aws), &bucket, run));
        if let Some(found) = found.map_err(CommandError::environment)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn of_bucket(
    cloud: &impl Cloud,
    bucket: &str,
    run: &str,
) -> Result<Option<(String, String)>, crate::deploy::CloudError> {
    let run = if run.is_empty() {
        let Some(held) = cloud.fetch(bucket, lock::KEY).await? else { return Ok(None) };
        let Ok(holder) = serde_json::from_slice::<Holder>(&held.bytes) else { return Ok(None) };
        holder.run
    } else {
        run.to_owned()
    };
    let found = cloud.fetch(bucket, &journal_key(&run)).await?;
    Ok(found.map(|it| (run, String::from_utf8_lossy(&it.bytes).into_owned())))
}
