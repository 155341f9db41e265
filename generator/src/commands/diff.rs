//! `arm diff`: what a change of YAML really does, before anybody merges it.
//!
//! Compares the folder with a commit (`--base`), or with templates in a folder (`--against`), without
//! an AWS account; or with what is deployed (`--live`, see `diff/live.rs`). What is different is found by `review`, and written for people, a comment, code
//! scanning or programs. `--fail-on` makes it a gate.

mod gate;
pub(super) mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::commands::{self, StoresArgs, show_errors, stack_error, summary};
use crate::console::Console;
use crate::diagnostic::{self, suggest};
use crate::error::CommandError;
use crate::files;
use crate::input::{CompiledFleet, Input};
use crate::load;
use crate::report;
use crate::review::setting::Text;
use crate::review::side::{Base, Scope, StackId, Written};
use crate::review::{self, COMMENT_MAX, Detail, Links, Names, Review, Subject};
use crate::template::{BYTES_MAX, Template};

use gate::{Gate, refusals};

/// Show what a change of the YAML really does: what is lost, who gains access, what it costs
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// Only these stores, and what they share
    #[arg(value_name = "STORE")]
    only: Vec<String>,
    #[command(flatten)]
    stores: StoresArgs,
    #[command(flatten)]
    base: BaseArgs,
    /// Ask CloudFormation too, by change sets that are deleted again and never executed
    #[arg(long, requires = "live")]
    change_sets: bool,
    /// Only this cell; with `--live`, credentials can be of one account alone
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: DiffFormat,
    /// Fail when the change does any of these with a finding that is marked `!`: a class such as `data-loss`, `replacement`, `access`,
    /// `people`, `rules` or `quota`, or `cost>200` for more than 200 dollars a month
    #[arg(long, value_delimiter = ',', value_name = "CLASS")]
    fail_on: Vec<Gate>,
    /// Show every line, store and value, however many there are; with `--format human`
    #[arg(long)]
    all: bool,
    /// Address before a file's path that links to its lines, such as
    /// `https://github.com/example/stores/blob/4f2a91c`; with `--format markdown`
    #[arg(long, value_name = "URL", value_parser = link)]
    links: Option<String>,
    /// The same for lines that are gone, at the commit that is compared with
    #[arg(long, value_name = "URL", requires = "links", value_parser = link)]
    base_links: Option<String>,
}

/// An address that a browser opens, with the slash that a path follows.
fn link(text: &str) -> Result<String, String> {
    let is_address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match is_address {
        Some(rest) if !rest.is_empty() && !text.contains(char::is_whitespace) => {
            Ok(format!("{}/", text.trim_end_matches('/')))
        }
        _ => Err("write an address that begins with https:// or http://".to_owned()),
    }
}

/// Largest template that is read, in bytes: as YAML it may be longer than what CloudFormation takes.
const TEMPLATE_BYTES_MAX: usize = 8 * BYTES_MAX;

/// With what the folder is compared.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct BaseArgs {
    /// A commit: a branch, a tag, `HEAD~1`, a hash
    #[arg(long, value_name = "GITREF", default_value = "HEAD")]
    base: String,
    /// A folder of templates that `arm generate` wrote
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// What is deployed; asks AWS, with credentials of the cell's account
    #[arg(long)]
    live: bool,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum DiffFormat {
    /// For people at a terminal
    Human,
    /// For a comment on a pull request: at most 65,536 characters
    Markdown,
    /// For programs; `arm schema diff` is its schema
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Notes at the lines of a pull request on GitHub
    Github,
}

pub fn run(args: &DiffArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    check_usage(args)?;
    let folder = &args.stores.folder.stores;
    let head = args.stores.load()?;
    let head_fleet = fleet_of(&head, args.format, console)
        .ok_or_else(|| not_compared(&head, &folder.display().to_string(), HEAD_HELP))?;
    let head = Written { text: Text { input: &head, reference: None }, fleet: head_fleet };
    let cells: Vec<String> = args.cell.iter().cloned().collect();
    if args.base.live {
        return live::run(args, head, console);
    }
    let reference = &args.base.base;
    let committed;
    let (base, name) = if let Some(against) = &args.base.against {
        (Base::Made(templates(against)?), against.display().to_string())
    } else {
        committed = load::load_at(reference, folder, args.stores.today())?;
        let fleet = fleet_of(&committed, args.format, console)
            .ok_or_else(|| not_compared(&committed, reference, BASE_HELP))?;
        let text = Text { input: &committed, reference: Some(reference) };
        (Base::Written(Written { text, fleet }), reference.clone())
    };
    check_names(args, &base, head)?;
    check_cell(args.cell.as_deref(), &base, head)?;
    let head_name = folder.display().to_string();
    let names = Names { base: &name, head: &head_name };
    let scope = Scope { stores: &args.only, cells: &cells, unknown: &[] };
    let review = review::review(&base, head, &scope, names).map_err(stack_error)?;
    conclude(args, &review, console)
}

/// Shows the review, and fails when a gate says no.
fn conclude(
    args: &DiffArgs,
    review: &Review,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    answer(args, review, console)?;
    let refusals = refusals(&args.fail_on, review);
    if refusals.is_empty() {
        return Ok(());
    }
    let help = "help: change it, or merge it with the approval that your pipeline asks for";
    Err(CommandError::Configuration(format!(
        "this change {}\n  {help}",
        refusals.join(", and it ")
    )))
}

/// Options that would do nothing beside the others.
fn check_usage(args: &DiffArgs) -> Result<(), CommandError> {
    let usage =
        |text: String, help: &str| Err(CommandError::Usage(format!("{text}\n  help: {help}")));
    let templates = match &args.base {
        BaseArgs { live: true, .. } => Some("--live"),
        BaseArgs { against: Some(_), .. } => Some("--against"),
        _ => None,
    };
    let unseen = args.fail_on.iter().find(|it| it.needs_sums());
    if let (Some(side), Some(gate)) = (templates, unseen) {
        let why =
            "costs and quotas are not compared there, as templates do not say what cameras send";
        let help = "compare with a commit for it: `--base COMMIT`";
        return usage(format!("`--fail-on '{gate}'` would never fail with {side}: {why}"), help);
    }
    if args.links.is_some() && args.format != DiffFormat::Markdown {
        return usage(
            "only a comment has links".to_owned(),
            "add --format markdown, or leave --links out",
        );
    }
    if args.all && args.format != DiffFormat::Human {
        let why = "--all is for people at a terminal: programs get everything, and a comment what it has room for";
        return usage(why.to_owned(), "leave it out");
    }
    Ok(())
}

/// What to do about errors of the later side.
const HEAD_HELP: &str = "mend them; `arm check` says what is wrong";
/// The same of a commit, which nobody can mend.
const BASE_HELP: &str =
    "compare with a commit that had none: `--base COMMIT`; a change that mends them is one";

/// The fleet of a side, also one that needs more than its quotas: the review says so. Where there is
/// none, what is wrong is shown, as `arm check` would.
fn fleet_of<'a>(
    input: &'a Input,
    format: DiffFormat,
    console: &mut Console<'_>,
) -> Option<&'a CompiledFleet> {
    let fleet = input.fleet.as_ref().or(input.over_quota.as_ref());
    if fleet.is_none() {
        show_errors(&input.sources, &input.problems, console);
        let (sources, problems) = (&input.sources, &input.problems);
        let told = match format {
            DiffFormat::Human | DiffFormat::Markdown => String::new(),
            DiffFormat::Json => format!("{}\n", diagnostic::to_json(sources, problems)),
            DiffFormat::Sarif => format!("{:#}\n", report::sarif(sources, problems)),
            DiffFormat::Github => report::github(sources, problems),
        };
        // A reader that is gone changes nothing about the answer.
        drop(write!(console.out, "{told}"));
    }
    fleet
}

fn not_compared(input: &Input, name: &str, help: &str) -> CommandError {
    let errors = summary(input);
    let text = format!("nothing can be compared: {name} has {errors}\n  help: {help}");
    CommandError::Configuration(text)
}

/// A store that neither side has is a slip; one that is in another cell than the one that is named would
/// not be compared.
fn check_names(args: &DiffArgs, base: &Base<'_>, head: Written<'_>) -> Result<(), CommandError> {
    let mut known = stores(head);
    match base {
        Base::Written(base) => known.extend(stores(*base)),
        Base::Made(made) => {
            known.extend(made.keys().filter_map(|it| Some((it.store()?, &*it.cell))));
        }
    }
    for id in &args.only {
        let cells: Vec<&str> =
            known.iter().filter(|(store, _)| store == id).map(|(_, cell)| *cell).collect();
        let Some(first) = cells.first() else {
            let help = suggest(id, known.iter().map(|(store, _)| *store));
            return Err(CommandError::Configuration(format!(
                "neither side has a store `{id}`\n  help: {help}"
            )));
        };
        if let Some(cell) = args.cell.as_deref().filter(|it| !cells.contains(it)) {
            return Err(CommandError::Configuration(format!(
                "the store `{id}` is in the cell `{first}`, not in `{cell}`\n  help: leave --cell out"
            )));
        }
    }
    Ok(())
}

/// Every store of a side with its cell.
fn stores(side: Written<'_>) -> BTreeSet<(&str, &str)> {
    let fleet = &side.fleet.fleet;
    fleet.stores.iter().map(|it| (it.id.as_str(), fleet.cell_of(it).id.as_str())).collect()
}

/// A cell that neither side has is a slip, too.
fn check_cell(cell: Option<&str>, base: &Base<'_>, head: Written<'_>) -> Result<(), CommandError> {
    let Some(id) = cell else { return Ok(()) };
    let of = |side: Written<'_>| side.cell(id).is_some();
    let is_known = of(head)
        || match base {
            Base::Written(base) => of(*base),
            Base::Made(made) => made.keys().any(|it| it.cell == id),
        };
    if is_known { Ok(()) } else { commands::cell_of(&head.fleet.fleet, id).map(drop) }
}

/// The templates in a folder as `arm generate` lays it out: a folder for each cell.
fn templates(folder: &Path) -> Result<BTreeMap<StackId, Template>, CommandError> {
    files::expect(
        folder,
        "write it with `arm generate --out DIR`, or name another with `--against DIR`",
    )?;
    let mut found = BTreeMap::new();
    for cell in files::list(folder)?.into_iter().filter(|path| files::is_folder(path)) {
        let name = cell.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut add = |path: &Path, subject| -> Result<(), CommandError> {
            let id = StackId { cell: name.clone(), subject };
            let template = template(path)?;
            let known = found.insert(id, template).map(|_| ());
            let twice = format!("{} stands there as JSON and as YAML", path.display());
            let help = "delete one of them";
            known.map_or(Ok(()), |()| {
                Err(CommandError::Configuration(format!("{twice}\n  help: {help}")))
            })
        };
        for path in of_templates(&cell)? {
            match path.file_stem().and_then(|it| it.to_str()) {
                Some("artifacts") => add(&path, Subject::Artifacts(name.clone()))?,
                Some("platform") => add(&path, Subject::Platform(name.clone()))?,
                _ => {}
            }
        }
        let stores = cell.join("stores");
        for path in if files::is_folder(&stores) { of_templates(&stores)? } else { Vec::new() } {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            add(&path, Subject::Store(stem))?;
        }
    }
    if found.is_empty() {
        return Err(CommandError::Configuration(format!(
            "there is no template in {}\n  help: name a folder that `arm generate --out DIR` wrote",
            folder.display()
        )));
    }
    Ok(found)
}

/// The files of a folder that `arm generate` gives a template's suffix.
fn of_templates(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let is_template = |path: &PathBuf| {
        let suffix = path.extension().and_then(|it| it.to_str());
        matches!(suffix, Some("json" | "yaml")) && files::is_file(path)
    };
    Ok(files::list(folder)?.into_iter().filter(is_template).collect())
}

fn template(path: &Path) -> Result<Template, CommandError> {
    let text = files::load_at_most(path, TEMPLATE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&text);
    Template::parse(&text).map_err(|error| {
        let help = "generate the folder again with `arm generate --out DIR`";
        CommandError::Configuration(format!(
            "{} is no template: {error}\n  help: {help}",
            path.display()
        ))
    })
}

fn answer(args: &DiffArgs, review: &Review, console: &mut Console<'_>) -> Result<(), CommandError> {
    let detail = if args.all { Detail::All } else { Detail::Summary };
    let text = match args.format {
        DiffFormat::Human => review::human(review, detail, console.out_colour),
        DiffFormat::Markdown => {
            let links =
                args.links.clone().map(|head| Links { head, base: args.base_links.clone() });
            review::markdown(review, COMMENT_MAX, links.as_ref())
        }
        DiffFormat::Json => format!("{}\n", review::json(review)),
        DiffFormat::Sarif => format!("{:#}\n", review::sarif(review)),
        DiffFormat::Github => review::github(review),
    };
    write!(console.out, "{text}")?;
    Ok(())
}
