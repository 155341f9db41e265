//! Builds the function binary with cargo, from a checkout of this workspace.
#![expect(
    clippy::disallowed_methods,
    reason = "shell: starts cargo, which has no library for this"
)]

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The build could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    #[error("cannot start cargo in {}\n  help: install Rust (https://rustup.rs), or give a finished binary with `--binary`", folder.display())]
    Start { folder: PathBuf, source: io::Error },
    #[error("cargo failed in {} ({status}); its messages stand above", folder.display())]
    Failed { folder: PathBuf, status: std::process::ExitStatus },
    #[error("cargo built no program `bootstrap` in {}\n  help: run in a checkout of this project, or name it with `--source`", folder.display())]
    NoBinary { folder: PathBuf },
}

/// Builds `bootstrap` in release mode; cargo's messages go to stderr as it works.
///
/// The command is the one that builds `arm` itself, so that dependencies are compiled once.
pub fn build(folder: &Path) -> Result<PathBuf, CargoError> {
    let folder = folder.to_owned();
    let started = Command::new("cargo")
        .args(["build", "--release", "--locked", "--bin", "bootstrap"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output);
    let output = match started {
        Ok(output) => output,
        Err(source) => return Err(CargoError::Start { folder, source }),
    };
    if !output.status.success() {
        return Err(CargoError::Failed { folder, status: output.status });
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let binary = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| {
            let is_ours = message.pointer("/target/name")? == "bootstrap";
            is_ours.then(|| message.get("executable")?.as_str().map(PathBuf::from)).flatten()
        });
    binary.ok_or(CargoError::NoBinary { folder })
}
