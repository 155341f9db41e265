//! Finds and reads the files of a fleet; what they mean is for `input`.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use crate::files::{self, FileError};
use crate::git::{Commit, CommittedFile, GitError};
use crate::input::{self, Content, Input, InputFile};

/// Name of the file that stores share.
pub const FLEET_FILE: &str = "fleet.yaml";

/// Name of the folder beside the stores that holds scenario files.
pub const SCENARIOS_FOLDER: &str = "tests";

/// The paths of the scenario files beside the stores of a folder; none where there is no such folder.
pub fn scenario_paths(stores: &Path) -> Result<Vec<PathBuf>, FileError> {
    let folder = stores.join(SCENARIOS_FOLDER);
    if files::is_folder(&folder) { files::list_yaml(&folder) } else { Ok(Vec::new()) }
}

/// Whether a path is that of a scenario file, by its folder: of the right name, and no fleet itself.
pub fn is_scenario_path(path: &Path) -> bool {
    let path = files::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new(""));
    let is_named = folder.file_name().is_some_and(|name| name == SCENARIOS_FOLDER);
    is_named && !files::is_file(&folder.join(FLEET_FILE))
}

/// The day, by universal time: the same for everybody who runs at one moment.
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Now, in milliseconds since the epoch.
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Loads the fleet in a folder.
pub fn load(folder: &Path, today: Date) -> Result<Input, FileError> {
    let fleet_path = folder.join(FLEET_FILE);
    files::expect(
        &fleet_path,
        "run in the folder that holds `stores/`, or name it with `--stores DIR`; `arm init` makes one",
    )?;
    let fleet = input_file(&fleet_path)?;
    let mut stores = Vec::new();
    for path in files::list_yaml(folder)?.iter().filter(|path| **path != fleet_path) {
        stores.push(input_file(path)?);
    }
    Ok(input::read(fleet, stores, today))
}

/// Loads the fleet in a folder as a commit has it. Files are named `stores/x.yaml@main`, by the
/// commit's name as it was given.
pub fn load_at(reference: &str, folder: &Path, today: Date) -> Result<Input, GitError> {
    let commit = Commit::find(folder, reference)?;
    let mut committed = commit.yaml_files()?;
    let fleet = committed.iter().position(|file| file.name.as_os_str() == FLEET_FILE);
    let fleet = committed.remove(fleet.ok_or_else(|| commit.absent(FLEET_FILE))?);
    let named = |file| committed_file(file, folder, reference);
    Ok(input::read(named(fleet), committed.into_iter().map(named).collect(), today))
}

fn committed_file(file: CommittedFile, folder: &Path, reference: &str) -> InputFile {
    let content = match file.bytes {
        None => Content::NotAFile,
        Some(_) if file.name.extension().is_none_or(|it| it != "yaml") => Content::NotYamlSuffix,
        Some(bytes) => Content::Bytes(bytes),
    };
    let stem = file.name.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    InputFile { name: format!("{}@{reference}", folder.join(file.name).display()), stem, content }
}

/// Loads one file as it is, whatever it holds.
pub fn input_file(path: &Path) -> Result<InputFile, FileError> {
    let content = if !files::is_file(path) {
        Content::NotAFile
    } else if path.extension().is_none_or(|it| it != "yaml") {
        Content::NotYamlSuffix
    } else {
        Content::Bytes(files::load_at_most(path, crate::yaml::FILE_BYTES_MAX)?)
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(InputFile { name: path.display().to_string(), stem, content })
}
