//! `arm schema`: what may stand in the YAML, for editors and for people.

use std::path::{Path, PathBuf};

use contract::alert;

use crate::commands::deploy;
use crate::console::Console;
use crate::error::CommandError;
use crate::input::Content;
use crate::json_schema::{self, MODELINE, modeline, scenarios_modeline};
use crate::review::JSON_SCHEMA;
use crate::{files, load, reference};

/// Print the JSON Schema of a store, the fleet, scenarios, what a webhook gets, what a diff or a
/// deployment says, or the reference of every key
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// What to print
    #[arg(value_enum, default_value = "store")]
    what: What,
    /// Write schema/store.json, schema/fleet.json and schema/scenarios.json beside the stores
    /// instead, where the first line of each file points editors to them
    #[arg(long, conflicts_with = "what")]
    write: bool,
    /// Folder with fleet.yaml and one YAML file per store
    #[arg(long, default_value = "stores", value_name = "DIR", requires = "write")]
    stores: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// JSON Schema of a store's file
    Store,
    /// JSON Schema of fleet.yaml
    Fleet,
    /// JSON Schema of a scenario file
    Scenarios,
    /// JSON Schema of what a webhook gets of an alert
    Alert,
    /// JSON Schema of what a webhook of the audience `ops` gets about cameras that ail
    Health,
    /// JSON Schema of what `arm diff --format json` prints
    Diff,
    /// JSON Schema of an event of `arm deploy --format json`
    Deploy,
    /// Every key with its default, range and example, and every diagnostic, as Markdown
    Reference,
}

pub fn run(args: &SchemaArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    if !args.write {
        let text = match args.what {
            What::Store => format!("{:#}\n", json_schema::store()),
            What::Fleet => format!("{:#}\n", json_schema::fleet()),
            What::Scenarios => format!("{:#}\n", json_schema::scenarios()),
            What::Alert => alert::WEBHOOK_JSON_SCHEMA.to_owned(),
            What::Health => alert::HEALTH_JSON_SCHEMA.to_owned(),
            What::Diff => JSON_SCHEMA.to_owned(),
            What::Deploy => deploy::events::JSON_SCHEMA.to_owned(),
            What::Reference => reference::page(),
        };
        return Ok(write!(console.out, "{text}")?);
    }
    for (path, text) in files(&args.stores) {
        files::save(&path, text.as_bytes())?;
        writeln!(console.out, "{}", path.display())?;
    }
    let lacking = without_modeline(&args.stores)?;
    if !lacking.is_empty() {
        let note =
            "note: editors use a schema where the first line of the file names it; write there";
        // A reader that is gone changes nothing about what was written.
        drop(writeln!(console.err, "{note}:\n{}", lacking.join("\n")));
    }
    Ok(())
}

/// The schemas beside the stores of a folder: path and text of each.
pub fn files(folder: &Path) -> [(PathBuf, String); 3] {
    let all = [
        ("store", json_schema::store()),
        ("fleet", json_schema::fleet()),
        ("scenarios", json_schema::scenarios()),
    ];
    all.map(|(name, schema)| {
        let path = folder.join("schema").join(format!("{name}.json"));
        (path, format!("{schema:#}\n"))
    })
}

/// The files of a folder whose first line names no schema, each with the line that it lacks.
fn without_modeline(folder: &Path) -> Result<Vec<String>, CommandError> {
    let mut lacking = Vec::new();
    let scenarios = load::scenario_paths(folder)?;
    for path in files::list_yaml(folder)?.iter().chain(&scenarios) {
        let Content::Bytes(bytes) = load::input_file(path)?.content else { continue };
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        if !bytes.starts_with(MODELINE.as_bytes()) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let line =
                if scenarios.contains(path) { scenarios_modeline() } else { modeline(&stem) };
            lacking.push(format!("  {}: {line}", path.display()));
        }
    }
    Ok(lacking)
}
