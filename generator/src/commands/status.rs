//! `arm status`: the board of the fleet, cell by cell, trouble first.
//!
//! A table for people, `arm.status/1` for programs. What is looked at stands in `status`, what counts as
//! trouble in `status/judge.rs`. Credentials are checked for every cell before the first is read.

mod board;
mod json;

use std::path::PathBuf;

use crate::aws::Target;
use crate::aws::status::Observer;
use crate::commands::{self, AnswerFormat, StoresArgs, bundle};
use crate::console::{Console, count};
use crate::error::CommandError;
use crate::input::CompiledFleet;
use crate::load;
use crate::model::{Cell, Store};
use crate::release::StackPlan;
use crate::stack;
use crate::status::{self, Board, Depth, Of, Request, Shall, Wanted};

/// Show how the fleet stands: what is deployed, what is behind, what is broken, whose cameras ail
///
/// One paged list of stacks and one of alarms are read for each cell. Calls for single stores are made,
/// four a second, only with stores named or with `--subscribers`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Ids of stores: only these, with who has not confirmed and which cameras ail; none: all
    stores: Vec<String>,
    #[command(flatten)]
    folder: StoresArgs,
    /// Only this cell
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// Compare the function bundle in this folder too, which `arm bundle` wrote
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Say of all stores who is not subscribed or has not confirmed: a call for each
    #[arg(long)]
    subscribers: bool,
    /// Exit with 10 when anything is not as it shall be
    #[arg(long)]
    exit_code: bool,
    /// How the answer is written: a table for people, or JSON (schema `arm.status/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &StatusArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load_about(&args.folder, &[], args.format, console)?;
    let cells = chosen(args, &fleet)?;
    let key = args.bundle.as_deref().map(bundle::open).transpose()?.map(|it| it.key());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let boards = runtime.block_on(read(args, (&fleet, key.as_deref()), &cells, console))?;
    for store in &args.stores {
        if !boards.iter().flat_map(|it| &it.lines).any(|it| it.store() == Some(store)) {
            commands::store_of(&fleet.fleet, store)?;
            let text = format!("the store `{store}` is not in that cell");
            return Err(CommandError::Configuration(text));
        }
    }
    let now_ms = load::now_ms();
    let is_compared = key.is_some();
    match args.format {
        AnswerFormat::Human => {
            write!(console.out, "{}", board::boards(&boards, &args.stores, is_compared, now_ms))?;
        }
        AnswerFormat::Json => {
            writeln!(console.out, "{}", json::to_json(&boards, is_compared, now_ms))?;
        }
    }
    conclude(args, &boards)
}

fn conclude(args: &StatusArgs, boards: &[Board]) -> Result<(), CommandError> {
    let lines = || boards.iter().flat_map(|it| &it.lines);
    let faulty = lines().filter(|it| !it.faults.is_empty()).count();
    let alarms: usize = boards.iter().map(|it| it.alarms.len()).sum();
    if !args.exit_code || faulty + alarms == 0 {
        return Ok(());
    }
    let stacks = count(lines().count(), "stack");
    let raised = match alarms {
        0 => String::new(),
        more => format!(", {} raised", count(more, "alarm")),
    };
    Err(CommandError::Found(format!("{faulty} of {stacks} not as it shall be{raised}")))
}

/// The cells that the arguments name: those of the stores, where stores are named that have a file.
fn chosen<'a>(args: &StatusArgs, fleet: &'a CompiledFleet) -> Result<Vec<&'a Cell>, CommandError> {
    let fleet = &fleet.fleet;
    if let Some(id) = &args.cell {
        return Ok(vec![commands::cell_of(fleet, id)?]);
    }
    let find = |id: &String| fleet.stores.iter().find(|it| it.id.as_str() == id);
    let named: Vec<Option<&Store>> = args.stores.iter().map(find).collect();
    // A store that is in no file may be deployed in any cell.
    let is_every = named.is_empty() || named.iter().any(Option::is_none);
    let is_of = |cell: &Cell| named.iter().flatten().any(|it| it.cell == cell.id);
    Ok(fleet.cells.iter().filter(|cell| is_every || is_of(cell)).collect())
}

async fn read(
    args: &StatusArgs,
    (fleet, key): (&CompiledFleet, Option<&str>),
    cells: &[&Cell],
    console: &mut Console<'_>,
) -> Result<Vec<Board>, CommandError> {
    let mut targets: Vec<Target> = Vec::new();
    for cell in cells {
        targets.push(commands::target_of(cell, console).await?);
    }
    let depth = match (args.stores.is_empty(), args.subscribers) {
        (false, _) => Depth::Stores,
        (true, true) => Depth::Subscribers,
        (true, false) => Depth::Cell,
    };
    let mut boards = Vec::new();
    for (cell, target) in cells.iter().zip(&targets) {
        let request = Request {
            cell,
            wanted: wanted(args, fleet, cell, key)?,
            only: &args.stores,
            cells: fleet.fleet.cells.iter().map(|it| it.id.as_str()).collect(),
            stores: fleet.fleet.stores.iter().map(|it| it.id.as_str()).collect(),
            depth,
        };
        let stacks = count(request.wanted.len(), "stack");
        // Nobody need read that for the answer to be right.
        drop(writeln!(console.err, "looking at {stacks} of {}", cell.id));
        let observer = Observer::connect(target, cell).await;
        let board = status::read(&observer, &request).await;
        let mut board = board.map_err(CommandError::environment)?;
        // Whose credentials these are was asked by `target_of`.
        board.calls.insert("GetCallerIdentity", 1);
        boards.push(board);
    }
    Ok(boards)
}

/// What the files ask for of a cell.
fn wanted<'a>(
    args: &StatusArgs,
    fleet: &'a CompiledFleet,
    cell: &Cell,
    key: Option<&str>,
) -> Result<Vec<Wanted<'a>>, CommandError> {
    let mut wanted = Vec::new();
    if args.stores.is_empty() {
        let artifacts = stack::artifacts(cell).map_err(commands::stack_error)?;
        let digest = StackPlan::of_artifacts(cell, &artifacts).digest();
        wanted.push(Wanted { of: Of::Artifacts, shall: Shall::Digest(digest), store: None });
        let platform = stack::platform(cell).map_err(commands::stack_error)?;
        let shall = match key {
            Some(key) => {
                Shall::Digest(StackPlan::of_platform(cell, &platform, key.to_owned()).digest())
            }
            None => Shall::Platform(Box::new(platform)),
        };
        wanted.push(Wanted { of: Of::Platform, shall, store: None });
    }
    let is_named =
        |it: &&Store| args.stores.is_empty() || args.stores.iter().any(|id| id == it.id.as_str());
    for store in fleet.fleet.stores.iter().filter(|it| it.cell == cell.id).filter(is_named) {
        let template = stack::store(cell, store, &fleet.rules_of(store).rules);
        let template = template.map_err(commands::stack_error)?;
        let digest = StackPlan::of_store(cell, &store.id, &template).digest();
        let of = Of::Store(store.id.clone());
        wanted.push(Wanted { of, shall: Shall::Digest(digest), store: Some(store) });
    }
    Ok(wanted)
}
