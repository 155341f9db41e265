//! `arm new`: a new store's file from another's. What is edited stands in `sibling`.
//!
//! Its id and name are judged as `arm check` judges them, and nothing that exists is overwritten.

use std::path::{Path, PathBuf};

use crate::commands::StoresArgs;
use crate::console::{Console, count};
use crate::diagnostic::{self, Diagnostic, FileId, Place, Sources, suggest};
use crate::error::CommandError;
use crate::files;
use crate::input::{self, Content, InputFile};
use crate::load;
use crate::model::{Aisle, Id};
use crate::sibling::{self, Sibling};
use crate::yaml::{self, Node};

/// Write a new store's file like another's, with its own id and name
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// Id of the new store; without it, the next that is free in the series of the other
    store: Option<String>,
    /// Id of the store that it is like
    #[arg(long, value_name = "OTHER")]
    like: String,
    /// Its name, as people say it; made from the id unless given
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    stores: StoresArgs,
}

pub fn run(args: &NewArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let folder = &args.stores.folder.stores;
    let stems: Vec<String> = files::list_yaml(folder)?
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    let other = read_other(&args.like, folder, &stems, console)?;
    // Some file systems take `Kent` and `kent` for one name.
    let taken = |id: &str| stems.iter().any(|stem| stem.eq_ignore_ascii_case(id));
    let id = match &args.store {
        Some(id) => id.clone(),
        None => sibling::next_id(&args.like, taken).ok_or_else(|| {
            let message = format!("`{}` ends in no number that could go on", args.like);
            CommandError::Usage(format!("{message}\n  help: name the new store: `arm new STORE`"))
        })?,
    };
    let path = folder.join(format!("{id}.yaml"));
    if taken(&id) {
        let message = format!("{} is there already\n  help: choose another id", path.display());
        return Err(CommandError::Configuration(message));
    }
    let name = args.name.clone().unwrap_or_else(|| Aisle::name_from(&id));
    let made = sibling::make(&other.text, &other.node, &id, &name).ok_or_else(|| {
        let message = format!("cannot edit {}", other.path.display());
        let help =
            "give it a `store` and a `name` of one line each; `arm check` says what else is wrong";
        CommandError::Configuration(format!("{message}\n  help: {help}"))
    })?;
    judge(&id, &made, args)?;
    files::save_new(&path, made.text.as_bytes())?;
    writeln!(console.out, "made {}", path.display())?;
    // A reader that is gone changes nothing about what was made.
    drop(write!(console.err, "{}{}", notes(&args.like, &made), found(args, &id)));
    Ok(())
}

/// How much `arm check` finds in the new store; empty when that is nothing.
fn found(args: &NewArgs, id: &str) -> String {
    // A folder that cannot be read is for `arm check` to tell.
    let Ok(read) = args.stores.load() else { return String::new() };
    let in_store = |id: &str, problem: &Diagnostic| {
        let file = Path::new(read.sources.name(problem.place.file));
        file.file_stem().is_some_and(|stem| stem == id) || problem.stores.iter().any(|it| it == id)
    };
    let tally = |id: &str| {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            read.problems.iter().filter(|it| in_store(id, it)).partition(|it| it.is_error());
        (errors.len(), warnings.len())
    };
    let what = match tally(id) {
        (0, 0) => return String::new(),
        (errors, 0) => count(errors, "error"),
        (0, warnings) => count(warnings, "warning"),
        (errors, warnings) => {
            format!("{} and {}", count(errors, "error"), count(warnings, "warning"))
        }
    };
    let same = tally(id) == tally(&args.like);
    let other = if same { format!(", as in `{}`", args.like) } else { String::new() };
    format!("note: `arm check` finds {what} in the new store{other}\n")
}

/// The store that the new one is like.
struct Other {
    path: PathBuf,
    text: String,
    node: Node,
}

fn read_other(
    id: &str,
    folder: &Path,
    stems: &[String],
    console: &mut Console<'_>,
) -> Result<Other, CommandError> {
    let known = stems.iter().map(String::as_str).filter(|stem| *stem != "fleet");
    if !known.clone().any(|stem| stem == id) {
        let message = format!("no store `{id}` in {}", folder.display());
        let help = suggest(id, known);
        let help = if help.is_empty() { "`arm init` makes a first store".to_owned() } else { help };
        return Err(CommandError::Configuration(format!("{message}\n  help: {help}")));
    }
    let path = folder.join(format!("{id}.yaml"));
    // A pipe that is opened waits for somebody to write to it.
    if !files::exists(&path) {
        files::expect(&path, "a store's file ends in `.yaml`, in these letters")?;
    }
    let mut sources = Sources::default();
    let (problems, read) = match input::open(&mut sources, load::input_file(&path)?) {
        Err(problem) => (vec![*problem], None),
        Ok(file) => {
            let (node, problems) = yaml::parse(file, sources.text(file));
            (problems, node.map(|node| (sources.text(file).to_owned(), node)))
        }
    };
    if let Some((text, node)) = read.filter(|_| problems.is_empty()) {
        return Ok(Other { path, text, node });
    }
    // A reader that is gone changes nothing about the answer.
    drop(write!(console.err, "{}", diagnostic::render(&sources, &problems, console.colour)));
    Err(CommandError::Configuration(format!("cannot read {}", path.display())))
}

/// Refuses an id or a name that `arm check` would refuse. What else may be wrong, the other store
/// has too.
fn judge(id: &str, made: &Sibling, args: &NewArgs) -> Result<(), CommandError> {
    let file = InputFile {
        name: format!("{id}.yaml"),
        stem: id.to_owned(),
        content: Content::Bytes(made.text.clone().into_bytes()),
    };
    let fleet = args.stores.folder.stores.join(load::FLEET_FILE);
    files::expect(&fleet, "name the folder with fleet.yaml by `--stores DIR`")?;
    let read = input::read(load::input_file(&fleet)?, vec![file], args.stores.today());
    let store = read.store_configs.first().map(|(_, config)| config);
    let ours: Vec<(FileId, usize)> = store
        .into_iter()
        .flat_map(|store| [&store.store, &store.name])
        .flatten()
        .map(|at| start(&at.place))
        .collect();
    let of_id = |place: &Place| ours.contains(&start(place));
    match read.problems.iter().find(|it| it.is_error() && of_id(&it.place)) {
        // Where fleet.yaml cannot be read, ids are not judged; this one becomes a path.
        None if Id::new(id).is_none() => Err(CommandError::Configuration(format!(
            "`{id}` cannot be the id of a store\n  help: mend fleet.yaml, to be told why"
        ))),
        None => Ok(()),
        Some(problem) => Err(CommandError::Configuration(format!(
            "{}\n  help: {}",
            problem.message, problem.help
        ))),
    }
}

fn start(place: &Place) -> (FileId, usize) {
    (place.file, place.span.start)
}

/// What whoever made the store must look at.
fn notes(other: &str, made: &Sibling) -> String {
    let mut notes = Vec::new();
    if made.cameras > 0 {
        let cameras = count(made.cameras, "camera");
        notes.push(format!("`rtsp` is left out of {cameras}: the addresses are {other}'s"));
    }
    if !made.accepted.is_empty() {
        let list = made.accepted.join("\n  ");
        notes
            .push(format!("`allow` is left out: it accepts these warnings for {other}:\n  {list}"));
    }
    if !made.references.is_empty() {
        let list = made.references.join("\n  ");
        notes.push(format!("put addresses there before a deploy:\n  {list}"));
    }
    if !made.told.is_empty() {
        let list = made.told.join("\n  ");
        notes.push(format!("check who is told; these are {other}'s:\n  {list}"));
    }
    notes.into_iter().flat_map(|note| ["note: ".to_owned(), note, "\n".to_owned()]).collect()
}
