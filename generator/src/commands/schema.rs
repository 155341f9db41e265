//! `arm schema`: what may stand in the YAML, for editors and for people.

use std::path::PathBuf;

use crate::console::Console;
use crate::error::CommandError;
use crate::{files, json_schema, reference};

/// Print the JSON Schema of a store or of the fleet, or the reference of every key
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// What to print
    #[arg(value_enum, default_value = "store")]
    what: What,
    /// Write schema/store.json and schema/fleet.json beside the stores instead, where the first
    /// line of each file points editors to them
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
    /// Every key with its default, range and example, and every diagnostic, as Markdown
    Reference,
}

pub fn run(args: &SchemaArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    if !args.write {
        let text = match args.what {
            What::Store => format!("{:#}\n", json_schema::store()),
            What::Fleet => format!("{:#}\n", json_schema::fleet()),
            What::Reference => reference::page(),
        };
        return Ok(write!(console.out, "{text}")?);
    }
    for (name, schema) in [("store", json_schema::store()), ("fleet", json_schema::fleet())] {
        let path = args.stores.join("schema").join(format!("{name}.json"));
        files::save(&path, format!("{schema:#}\n").as_bytes())?;
        writeln!(console.out, "{}", path.display())?;
    }
    Ok(())
}
