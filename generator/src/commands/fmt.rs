//! `arm fmt`: gives the files of stores, fleet.yaml and scenarios their one layout, comments kept.
//!
//! A file that cannot be read is shown with what is wrong, and left as it is; the others are laid
//! out all the same. What the layout is stands in `layout`.

use std::path::{Path, PathBuf};

use crate::commands::FolderArgs;
use crate::console::{Console, count};
use crate::diagnostic::{self, Diagnostic, Sources, cover};
use crate::error::CommandError;
use crate::files;
use crate::input;
use crate::layout::{self, LayoutError};
use crate::load;
use crate::schema;

/// Lay out stores, fleet.yaml and scenarios in the one way, comments kept
#[derive(Debug, clap::Args)]
pub struct FmtArgs {
    /// Files to lay out, instead of all in the folder
    #[arg(conflicts_with = "folder")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    folder: FolderArgs,
    /// Change nothing; name the files that would change, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

/// What became of the files.
#[derive(Default)]
struct Tally {
    sources: Sources,
    problems: Vec<Diagnostic>,
    refused: usize,
    changed: usize,
}

pub fn run(args: &FmtArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let paths = if args.files.is_empty() {
        let stores = files::list_yaml(&args.folder.stores)?;
        [stores, load::scenario_paths(&args.folder.stores)?].concat()
    } else {
        args.files.clone()
    };
    let mut tally = Tally::default();
    for path in &paths {
        let Some((written, laid_out)) = lay_out(path, &mut tally, console)? else {
            tally.refused += 1;
            continue;
        };
        if written == laid_out.as_bytes() {
            continue;
        }
        tally.changed += 1;
        if args.check {
            let change = first_change(&String::from_utf8_lossy(&written), &laid_out);
            writeln!(console.out, "would change {}\n{change}", path.display())?;
        } else {
            files::save_again(path, laid_out.as_bytes())?;
            writeln!(console.out, "changed {}", path.display())?;
        }
    }
    if !args.files.is_empty() {
        tally.problems.iter_mut().for_each(advise);
    }
    diagnostic::sort(&mut tally.problems);
    let shown = diagnostic::render(&tally.sources, &tally.problems, console.colour);
    // A reader that is gone changes nothing about the answer.
    drop(write!(console.err, "{shown}"));
    let number = count(paths.len(), "file");
    if tally.refused > 0 {
        let message = format!("cannot lay out {} of {number}", tally.refused);
        return Err(CommandError::Configuration(message));
    }
    if args.check && tally.changed > 0 {
        let message = format!("{} of {number} would change\n  help: run `arm fmt`", tally.changed);
        return Err(CommandError::Configuration(message));
    }
    if tally.changed == 0 {
        drop(writeln!(console.err, "nothing to change in {number}"));
    }
    Ok(())
}

/// What to do about an argument that is no store's file.
const NAMING_HELP: &str = "name files of stores, or a folder with `--stores DIR`";

/// Whoever named a wrong file has only to name another: nothing is to be deleted or renamed.
fn advise(problem: &mut Diagnostic) {
    if ["not-a-file", "not-yaml-suffix"].contains(&problem.code) {
        NAMING_HELP.clone_into(&mut problem.help);
    }
}

/// The bytes of a file, and the text that it should have; `None` where that cannot be told, which
/// is noted.
fn lay_out(
    path: &Path,
    tally: &mut Tally,
    console: &mut Console<'_>,
) -> Result<Option<(Vec<u8>, String)>, CommandError> {
    // A pipe that is opened waits for somebody to write to it.
    if !files::exists(path) {
        files::expect(path, NAMING_HELP)?;
    }
    let file = load::input_file(path)?;
    let noun = match file.stem.as_str() {
        _ if load::is_scenario_path(path) => &schema::SCENARIOS,
        "fleet" => &schema::FLEET,
        _ => &schema::STORE,
    };
    let written = match &file.content {
        input::Content::Bytes(bytes) => bytes.clone(),
        _ => Vec::new(),
    };
    let file = match input::open(&mut tally.sources, file) {
        Ok(file) => file,
        Err(problem) => {
            tally.problems.push(*problem);
            return Ok(None);
        }
    };
    match layout::layout(file, tally.sources.text(file), noun) {
        Ok(laid_out) => Ok(Some((written, laid_out))),
        Err(LayoutError::Problems(problems)) => {
            tally.problems.extend(problems);
            Ok(None)
        }
        Err(LayoutError::Unfaithful) => {
            let path = path.display();
            let message = format!(
                "{path} is left as it is: laid out, it would say something else\n  help: this is a bug of arm: report it, with the file"
            );
            drop(writeln!(console.err, "error: {message}"));
            Ok(None)
        }
    }
}

/// The first line that differs, as it is and as it would be.
fn first_change(written: &str, laid_out: &str) -> String {
    let (mut old, mut new) = (written.split('\n'), laid_out.split('\n'));
    for number in 1.. {
        let (old, new) = (old.next(), new.next());
        if old == new && old.is_some() {
            continue;
        }
        let line = |mark, line: Option<&str>| {
            line.map_or_else(String::new, |line| {
                // A blank, a tab or a carriage return at the end shows only so.
                let line = cover(line).replace('\t', "\\t").replace('\r', "\\r");
                format!("\n  {mark} {line}")
            })
        };
        return format!("  line {number}{}{}", line('-', old), line('+', new));
    }
    String::new()
}
