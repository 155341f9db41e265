//! `arm generate`: writes the CloudFormation templates of a fleet.
//!
//! Nothing is written before every template is made, so a mistake in one store leaves the folder
//! as it was. A list of what was written (`manifest.json`) lets the next run delete what is no
//! longer generated, and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::commands::{self, AnswerFormat, StoresArgs};
use crate::console::{Console, count};
use crate::digest::sha256;
use crate::error::CommandError;
use crate::files;
use crate::input::CompiledFleet;
use crate::model::Cell;
use crate::stack::{self, StackError};
use crate::template::Template;

/// Name of the list of what was written.
const MANIFEST: &str = "manifest.json";

/// Write the CloudFormation templates of the fleet to a folder
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    stores: StoresArgs,
    /// Folder for the templates
    #[arg(long, default_value = "out", value_name = "DIR")]
    out: PathBuf,
    /// Compact JSON as it is deployed, or YAML for people
    #[arg(long, value_enum, default_value = "json")]
    templates: TemplateFormat,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

/// How templates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum TemplateFormat {
    Json,
    Yaml,
}

/// One file to write.
struct Output {
    /// Below the folder, with `/`.
    path: String,
    text: String,
    resources: usize,
}

pub fn run(args: &GenerateArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load(&args.stores, args.format, console)?;
    let outputs = render(&fleet, args.templates).map_err(commands::stack_error)?;
    let manifest = manifest(&outputs);
    for path in stale(&args.out, &manifest) {
        files::remove(&args.out.join(path))?;
    }
    for output in &outputs {
        files::save(&args.out.join(&output.path), output.text.as_bytes())?;
    }
    files::save(&args.out.join(MANIFEST), format!("{manifest:#}\n").as_bytes())?;
    match args.format {
        AnswerFormat::Json => writeln!(console.out, "{manifest}")?,
        AnswerFormat::Human => {
            for Output { path, text, resources } in &outputs {
                let file = args.out.join(path);
                let size = text.len();
                writeln!(
                    console.out,
                    "{}  {}, {size} bytes",
                    file.display(),
                    count(*resources, "resource")
                )?;
            }
        }
    }
    Ok(())
}

fn render(fleet: &CompiledFleet, format: TemplateFormat) -> Result<Vec<Output>, StackError> {
    let mut outputs = Vec::new();
    let mut add = |cell: &Cell, name: &str, template: &Template| {
        let (suffix, text) = match format {
            TemplateFormat::Json => ("json", template.to_json()),
            TemplateFormat::Yaml => ("yaml", template.to_yaml()),
        };
        let path = format!("{}/{name}.{suffix}", cell.id);
        outputs.push(Output { path, text, resources: template.resources().count() });
    };
    for cell in &fleet.fleet.cells {
        add(cell, "artifacts", &stack::artifacts(cell)?);
        add(cell, "platform", &stack::platform(cell)?);
        for store in fleet.fleet.stores_of(cell) {
            let template = stack::store(cell, store, &fleet.rules_of(store).rules)?;
            add(cell, &format!("stores/{}", store.id), &template);
        }
    }
    Ok(outputs)
}

/// What was written: schema `arm.generate/1`.
fn manifest(outputs: &[Output]) -> Value {
    let files: BTreeMap<_, _> = outputs
        .iter()
        .map(|it| {
            let facts = json!({ "sha256": sha256(it.text.as_bytes()), "bytes": it.text.len(), "resources": it.resources });
            (it.path.clone(), facts)
        })
        .collect();
    json!({ "schema": "arm.generate/1", "files": files })
}

/// Files of an earlier run that this one does not make. A manifest that cannot be read names none.
fn stale(out: &Path, manifest: &Value) -> Vec<PathBuf> {
    let earlier = files::load(&out.join(MANIFEST)).ok();
    let earlier = earlier.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(Value::Object(earlier)) = earlier.as_ref().and_then(|it| it.get("files")) else {
        return Vec::new();
    };
    let kept = |path: &String| manifest.get("files").is_some_and(|files| files.get(path).is_some());
    let inside = |path: &&String| !Path::new(path).is_absolute() && !path.contains("..");
    earlier.keys().filter(|path| !kept(path)).filter(inside).map(PathBuf::from).collect()
}
