//! Running `arm` in this process, on folders of stores that a test writes.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files")]

pub mod kinds;
pub mod read_back;
pub mod repository;
pub mod reviews;

use std::path::{Path, PathBuf};

/// What a person at a terminal would see of one command.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub out: String,
    pub err: String,
    pub code: u8,
}

/// The answer, what was said besides, and the exit code.
pub fn shown(outcome: &Outcome) -> String {
    format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
}

/// Runs `arm` with these arguments.
pub fn arm(args: &[&str]) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = generator::cli::run([&["arm"], args].concat(), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { out: text(out), err: text(err), code }
}

/// The same with somebody there who types these lines.
pub fn arm_answered(args: &[&str], lines: &str) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input = lines.as_bytes();
    let args = [&["arm"], args].concat();
    let code = generator::cli::run_answered(args, &mut input, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { out: text(out), err: text(err), code }
}

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The example stores.
pub fn example_stores() -> String {
    root().join("stores").display().to_string()
}

/// The example fleet but for its waves, which name labels that the stores of a test need not have.
fn example_fleet() -> String {
    let text = std::fs::read_to_string(root().join("stores/fleet.yaml")).unwrap();
    let kept: Vec<_> = text.split("\n\n").filter(|part| !part.contains("\nwaves:\n")).collect();
    assert!(kept.join("\n\n").len() < text.len(), "the waves are a paragraph of their own");
    kept.join("\n\n")
}

/// A small fleet: one cell, a model that exists, no rules.
pub const FLEET: &str = r#"cells:
  us-west: { account: "123456789012", region: us-west-2 }
model: { endpoint: shelf-behaviour }
quotas: { eventbridge_buses: 250 }
defaults: { cell: us-west, timezone: America/Los_Angeles }
"#;
/// A small store that is right in it.
pub const STORE: &str = "store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5 }]
rules: [{ name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [] }]
";

/// A folder with the example fleet and the stores of a test.
pub struct Fleet {
    folder: tempfile::TempDir,
}

impl Fleet {
    /// Takes file names and their texts.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stores = folder.path().join("stores");
        std::fs::create_dir(&stores).unwrap();
        std::fs::write(stores.join("fleet.yaml"), example_fleet()).unwrap();
        for (name, text) in files {
            std::fs::write(stores.join(name), text).unwrap();
        }
        Self { folder }
    }

    /// Writes one more file beside the stores, of any bytes.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join("stores").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// A path below the folder.
    pub fn path(&self, below: &str) -> String {
        self.folder.path().join(below).display().to_string()
    }

    /// Runs a command on the stores; the folder's own path is taken out of what it says.
    pub fn arm(&self, command: &str, args: &[&str]) -> Outcome {
        let stores = self.path("stores");
        // The examples accept warnings until some day; no test may turn red on it.
        let today: &[&str] = match command {
            "check" | "diff" | "explain" | "generate" | "quotas" | "simulate" | "test" => {
                &["--today", "2026-11-22"]
            }
            _ => &[],
        };
        let outcome = arm(&[&[command, "--stores", &stores], today, args].concat());
        let folder = format!("{}/", self.folder.path().display());
        let clean = |text: &str| text.replace(&folder, "");
        Outcome { out: clean(&outcome.out), err: clean(&outcome.err), code: outcome.code }
    }

    /// Every file below the folder with its bytes, sorted by path.
    pub fn files(&self, below: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut waiting = vec![self.folder.path().join(below)];
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                waiting.extend(std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
            } else if path.exists() {
                files.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
        files.sort();
        files
    }
}
