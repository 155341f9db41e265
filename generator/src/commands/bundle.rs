//! `arm bundle`: builds the function binary and packs it, the same bytes every time.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bundle::{self, Bundle};
use crate::cargo;
use crate::commands::AnswerFormat;
use crate::console::Console;
use crate::digest::sha256;
use crate::error::CommandError;
use crate::files;
use crate::model::Architecture;

/// Name of the file that says which zip is the bundle.
const MANIFEST: &str = "bundle.json";

/// Build the function binary and pack it as a reproducible zip, named by its SHA-256
#[derive(Debug, clap::Args)]
pub struct BundleArgs {
    #[command(flatten)]
    pub build: BuildArgs,
    /// Folder for the zip
    #[arg(long, default_value = ".arm/bundle", value_name = "DIR")]
    out: PathBuf,
    /// The CPU of the cell's functions
    #[arg(long, default_value = "x86_64", value_parser = ["x86_64", "arm64"])]
    architecture: String,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

/// Where the function binary comes from.
#[derive(Clone, Debug, clap::Args)]
pub struct BuildArgs {
    /// Checkout of this project in which cargo builds the binary
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub source: PathBuf,
    /// Pack this finished binary instead of building one
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    pub binary: Option<PathBuf>,
}

/// No bundle where one was expected.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("cannot find a function bundle in {}\n  help: run `arm bundle` first", .0.display())]
    Missing(PathBuf),
    #[error("the bundle in {} is damaged: {found} is not the SHA-256 in its name\n  help: run `arm bundle` again", folder.display())]
    Damaged { folder: PathBuf, found: String },
}

pub fn run(args: &BundleArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let wanted = architecture(&args.architecture);
    let bundle = make(&args.build, wanted, console)?;
    let path = save(&bundle, &args.out)?;
    match args.format {
        AnswerFormat::Json => writeln!(console.out, "{}", manifest(&bundle))?,
        AnswerFormat::Human => {
            writeln!(
                console.out,
                "{}  {} bytes, {}",
                path.display(),
                bundle.zip.len(),
                wanted.as_str()
            )?;
        }
    }
    Ok(())
}

fn architecture(text: &str) -> Architecture {
    if text == Architecture::Arm64.as_str() { Architecture::Arm64 } else { Architecture::X86_64 }
}

/// Builds or takes the binary, checks it, packs it.
pub fn make(
    args: &BuildArgs,
    wanted: Architecture,
    console: &mut Console<'_>,
) -> Result<Bundle, CommandError> {
    let path = if let Some(path) = &args.binary {
        path.clone()
    } else {
        writeln!(console.err, "building the functions (cargo build --release --bin bootstrap)")?;
        cargo::build(&args.source).map_err(CommandError::environment)?
    };
    let binary = files::load(&path)?;
    bundle::assemble(&binary, wanted)
        .map_err(|error| CommandError::Configuration(format!("{}: {error}", path.display())))
}

/// Saves a bundle where `deploy` looks for it; returns the zip's path.
pub fn save(bundle: &Bundle, folder: &Path) -> Result<PathBuf, CommandError> {
    let path = folder.join(format!("{}.zip", bundle.sha256));
    files::save(&path, &bundle.zip)?;
    files::save(&folder.join(MANIFEST), format!("{:#}\n", manifest(bundle)).as_bytes())?;
    Ok(path)
}

/// What a bundle is: schema `arm.bundle/1`.
fn manifest(bundle: &Bundle) -> Value {
    json!({
        "schema": "arm.bundle/1",
        "sha256": bundle.sha256,
        "bytes": bundle.zip.len(),
        "architecture": bundle.architecture.as_str(),
    })
}

/// Opens the bundle that `arm bundle` saved, and checks that it is still what its name says.
pub fn open(folder: &Path) -> Result<Bundle, CommandError> {
    let missing = || CommandError::environment(BundleError::Missing(folder.to_owned()));
    let manifest = files::load(&folder.join(MANIFEST)).map_err(|_| missing())?;
    let manifest: Value = serde_json::from_slice(&manifest).map_err(|_| missing())?;
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).map(str::to_owned);
    let (digest, cpu) = text("sha256").zip(text("architecture")).ok_or_else(missing)?;
    let zip = files::load(&folder.join(format!("{digest}.zip"))).map_err(|_| missing())?;
    let found = sha256(&zip);
    if found != digest {
        let folder = folder.to_owned();
        return Err(CommandError::environment(BundleError::Damaged { folder, found }));
    }
    Ok(Bundle { sha256: digest, zip, architecture: architecture(&cpu) })
}
