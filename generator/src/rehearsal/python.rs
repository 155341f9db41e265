//! The rehearsal's own Python environment: made once, from pinned packages, kept between runs.
#![expect(
    clippy::disallowed_methods,
    reason = "shell: starts python3, which has no library for this"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::console::Console;
use crate::digest::sha256;
use crate::error::CommandError;
use crate::files;

use super::RehearsalError;

/// File that says that an environment is whole; it is written last.
const READY: &str = "ready";

/// The environment's python, made if it is not there. Its folder carries the digest of the list
/// of packages, so that another list is another environment.
pub fn environment(
    folder: &Path,
    requirements: &str,
    console: &mut Console<'_>,
) -> Result<PathBuf, CommandError> {
    let digest = sha256(requirements.as_bytes());
    let home = folder.join(format!("python-{}", digest.get(..12).unwrap_or(&digest)));
    let python = home.join("bin/python");
    if files::load(&home.join(READY)).is_ok() {
        return Ok(python);
    }
    writeln!(console.err, "setting up the local AWS in {} (once, about a minute)", home.display())?;
    files::remove_folder(&home)?;
    files::make_folder(&home)?;
    let list = home.join("requirements.txt");
    files::save(&list, requirements.as_bytes())?;
    let venv = Step {
        name: "python3 -m venv",
        help: "install Python 3.10 or newer with its venv module (Debian and Ubuntu: `apt-get install python3 python3-venv`)",
        program: PathBuf::from("python3"),
        args: vec!["-m".into(), "venv".into(), home.clone().into_os_string()],
    };
    let install = Step {
        name: "pip install",
        help: "check that this machine reaches a Python package index; pip's messages stand above",
        program: python.clone(),
        args: [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "-r",
        ]
        .into_iter()
        .map(Into::into)
        .chain([list.into_os_string()])
        .collect(),
    };
    for step in [venv, install] {
        step.run().map_err(CommandError::environment)?;
    }
    files::save(&home.join(READY), b"")?;
    Ok(python)
}

struct Step {
    name: &'static str,
    help: &'static str,
    program: PathBuf,
    args: Vec<std::ffi::OsString>,
}

impl Step {
    fn run(self) -> Result<(), RehearsalError> {
        let Self { name, help, program, args } = self;
        // What a tool says on stdout is no answer of ours.
        let status = Command::new(&program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(std::io::stderr())
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(RehearsalError::SetUp { step: name.to_owned(), help: help.to_owned() }),
            Err(source) => {
                let program = program.display().to_string();
                Err(RehearsalError::Start { program, help: help.to_owned(), source })
            }
        }
    }
}
