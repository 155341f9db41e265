//! A git repository in a folder of its own, whose commits a test makes.
//!
//! It knows nothing of the machine's git: no settings, no names, no index of an outer repository. What
//! commands say of it has its paths and hashes taken out, so that a test can compare whole answers.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests write files and run git"
)]

use std::path::Path;
use std::process::Command;

use crate::{Outcome, arm};

/// A repository that vanishes with its folder.
pub struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// Makes one whose first commit holds these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit(files);
        repository
    }

    /// Copies the newest commit of another one, without the commits before it.
    pub fn shallow(other: &Self) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        let address = format!("file://{}", other.folder.path().display());
        repository.git(&["clone", "--quiet", "--depth", "1", &address, "."]);
        repository
    }

    /// A path below the folder.
    pub fn path(&self, below: &str) -> String {
        self.folder.path().join(below).display().to_string()
    }

    /// Writes a file without committing it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Deletes one.
    pub fn delete(&self, name: &str) {
        std::fs::remove_file(Path::new(&self.path(name))).unwrap();
    }

    /// Writes files and commits all that is there.
    pub fn commit(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(name, text);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "one"]);
    }

    /// What git answers.
    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Jo", "-c", "user.email=jo@example.com"])
            .args(args)
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command on the folder `stores`, as of a day on which the examples are right.
    pub fn arm(&self, command: &str, args: &[&str]) -> Outcome {
        let stores = self.path("stores");
        let all = [command, "--stores", &stores, "--today", "2026-11-22"];
        let outcome = arm(&[&all, args].concat());
        Outcome { out: self.plain(&outcome.out), err: self.plain(&outcome.err), ..outcome }
    }

    /// A text without this folder's path and the hashes of its commits.
    pub fn plain(&self, text: &str) -> String {
        let hashes = self.git(&["rev-list", "--all"]);
        let folder = self.folder.path();
        let text = text.replace(&format!("{}/", folder.canonicalize().unwrap().display()), "");
        let text = text.replace(&format!("{}/", folder.display()), "");
        hashes.lines().fold(text, |text, hash| text.replace(&hash[..10], "HASH"))
    }
}
