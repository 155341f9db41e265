//! Reads files of a commit through the `git` program, as `load` reads those of a folder.
//!
//! Nothing is checked out: the work tree and the index stay as they are, and what is not committed
//! does not show. A folder of a thousand stores takes five processes, because one `cat-file` gives
//! the bytes of all. Links inside the repository are followed, as in a folder. To read something
//! else of a commit, start in [`Commit::yaml_files`].
#![expect(clippy::disallowed_methods, reason = "shell: starts git, the one reader of its objects")]

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};

use crate::files::{self, FileError};
use crate::yaml::FILE_BYTES_MAX;

/// Variables by which git tells a hook which repository it runs in, and where that keeps what. A
/// folder that is named is looked for from where it is. Source: `git rev-parse --local-env-vars`,
/// without [`CONFIG_VARIABLES`].
const HOOK_VARIABLES: [&str; 14] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Variables that are local to git and stay: by them people and CI servers say `safe.directory` and
/// credentials, and git itself hands them to the git of a submodule.
#[cfg(test)]
const CONFIG_VARIABLES: [&str; 2] = ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"];

/// Most bytes that are kept of what git says went wrong. Our choice: people read no more.
const COMPLAINT_BYTES_MAX: u64 = 8_192;

/// How many digits of a commit's name people are shown. Our choice: git shows 7 to 12.
const SHORT_HASH_DIGITS: usize = 10;

/// A commit's files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error(transparent)]
    Folder(#[from] FileError),
    #[error(
        "cannot start git\n  help: install it (https://git-scm.com), and see that it is on the PATH"
    )]
    Start(#[source] io::Error),
    #[error("{} is in no git repository\n  help: name the folder of a checkout with `--stores DIR`", folder.display())]
    NoRepository { folder: PathBuf, source: Said },
    #[error("git does not read the repository of {}", folder.display())]
    Refused { folder: PathBuf, source: Said },
    #[error("there is no commit `{reference}` in this repository\n  help: {help}")]
    NoCommit { reference: String, help: String },
    #[error(
        "this checkout is shallow and lacks the commit `{reference}`\n  help: fetch it with `git fetch --unshallow`; in GitHub Actions give `actions/checkout` a `fetch-depth: 0`"
    )]
    Shallow { reference: String },
    #[error(
        "there is no {path} in the commit `{reference}` ({hash})\n  help: name a later commit, or with `--stores DIR` the folder as that commit has it"
    )]
    Absent { path: String, reference: String, hash: String },
    #[error("git cannot {verb} of the commit `{reference}`")]
    Failed { verb: &'static str, reference: String, source: Said },
    #[error("cannot talk to git")]
    Talk(#[source] io::Error),
}

/// What git wrote about its failure, or how it ended when it wrote nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Said(String);

/// One file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedFile {
    /// Its name without the folder.
    pub name: PathBuf,
    /// Of a large file not much more than [`FILE_BYTES_MAX`]; `None` for a folder, a repository
    /// inside this one, or a link to nothing.
    pub bytes: Option<Vec<u8>>,
}

/// A folder as one commit has it.
#[derive(Debug)]
pub struct Commit {
    /// The folder in the work tree, where git is started.
    folder: PathBuf,
    /// The same from the root of the repository, `/` between names; empty for the root.
    inside: String,
    reference: String,
    hash: String,
}

impl Commit {
    /// Finds a commit by anything that git takes for one: a branch, a tag, `HEAD~3`, a hash.
    pub fn find(folder: &Path, reference: &str) -> Result<Self, GitError> {
        let folder = files::absolute(folder)?;
        let prefix = git(&folder, &["rev-parse", "--show-prefix"])?;
        let prefix = prefix.map_err(|failure| no_repository(&folder, &failure))?;
        let prefix = String::from_utf8_lossy(&prefix).into_owned();
        let inside = prefix.trim_end_matches('\n').trim_end_matches('/').to_owned();
        match resolve(&folder, &format!("{reference}^{{commit}}"))? {
            // What begins with a hyphen would be an option, and is no name that git gives.
            Some(hash) if !reference.starts_with('-') => {
                Ok(Self { folder, inside, reference: reference.to_owned(), hash })
            }
            _ => Err(no_commit(&folder, reference)?),
        }
    }

    /// The first digits of the commit's name.
    pub fn short_hash(&self) -> &str {
        self.hash.get(..SHORT_HASH_DIGITS).unwrap_or(&self.hash)
    }

    /// Reads every file right in the folder that [`files::is_yaml`] takes, sorted by name.
    pub fn yaml_files(&self) -> Result<Vec<CommittedFile>, GitError> {
        let spot = format!("{}:{}", self.hash, self.inside);
        let Some(tree) = resolve(&self.folder, &spot)? else { return Err(self.absent("")) };
        let listed = git(&self.folder, &["ls-tree", "-z", "--full-tree", &tree])?;
        let listed = listed.map_err(|source| self.failed("list the folder", source.said()))?;
        let entries = listed.split(|byte| *byte == 0).filter_map(Entry::read);
        let mut entries: Vec<_> = entries.filter(|it| files::is_yaml(&it.name)).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        self.fetch(&entries)
    }

    /// That the folder, or a file in it, is not in this commit.
    pub fn absent(&self, name: &str) -> GitError {
        let mut names = vec![self.inside.as_str(), name];
        names.retain(|it| !it.is_empty());
        GitError::Absent {
            path: names.join("/"),
            reference: self.reference.clone(),
            hash: self.short_hash().to_owned(),
        }
    }

    fn failed(&self, verb: &'static str, source: Said) -> GitError {
        GitError::Failed { verb, reference: self.reference.clone(), source }
    }

    /// Reads the bytes of all entries from one process.
    fn fetch(&self, entries: &[Entry]) -> Result<Vec<CommittedFile>, GitError> {
        let mut asked = Vec::new();
        for entry in entries.iter().filter(|it| it.kind != Kind::Repository) {
            asked.extend(self.request(entry));
            asked.push(b'\n');
        }
        let mut process = command(&self.folder);
        process.args(["cat-file", "--batch", "--follow-symlinks"]);
        let read = |answers: &mut BufReader<ChildStdout>| {
            let read = |entry: &Entry| {
                let is_asked = entry.kind != Kind::Repository;
                let bytes = if is_asked { answer(answers)? } else { None };
                Ok(CommittedFile { name: entry.name.clone(), bytes })
            };
            entries.iter().map(read).collect::<io::Result<Vec<_>>>()
        };
        let (read, failure) = converse(&mut process, &asked, read)?;
        let has_said = !failure.stderr.trim_ascii().is_empty();
        match read {
            Ok(files) if failure.status.success() => Ok(files),
            // What git says of it tells more than that its answer is not whole.
            Err(error) if !has_said => Err(GitError::Talk(error)),
            _ => Err(self.failed("read the files", failure.said())),
        }
    }

    /// What `cat-file` is asked: a file by its object, a link by its path, which git follows.
    fn request(&self, entry: &Entry) -> Vec<u8> {
        let name = entry.name.as_os_str().as_encoded_bytes();
        if entry.kind == Kind::Plain || name.contains(&b'\n') {
            return entry.object.clone().into_bytes();
        }
        let folder = if self.inside.is_empty() { "" } else { "/" };
        [format!("{}:{}{folder}", self.hash, self.inside).as_bytes(), name].concat()
    }
}

impl Said {
    fn of(stderr: &[u8], status: ExitStatus) -> Self {
        let text = String::from_utf8_lossy(stderr);
        match text.trim() {
            "" => Self(format!("git ended with {status}")),
            said => Self(said.to_owned()),
        }
    }
}

/// What one line of `ls-tree` says.
#[derive(Debug)]
struct Entry {
    kind: Kind,
    object: String,
    name: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A file or a folder: `cat-file` tells which.
    Plain,
    Link,
    /// A repository inside this one, which holds its objects itself.
    Repository,
}

impl Entry {
    /// Reads `<mode> <type> <object>\t<name>`; `None` for anything else.
    fn read(line: &[u8]) -> Option<Self> {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let (facts, name) = line.split_at(tab);
        let mut facts = str::from_utf8(facts).ok()?.split(' ');
        let (mode, _, object) = (facts.next()?, facts.next()?, facts.next()?);
        let kind = match mode {
            "120000" => Kind::Link,
            "160000" => Kind::Repository,
            _ => Kind::Plain,
        };
        Some(Self { kind, object: object.to_owned(), name: path(name.get(1..)?) })
    }
}

/// A name as git has it, in bytes.
#[cfg(unix)]
fn path(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(name))
}

/// A name as git has it, in UTF-8.
#[cfg(not(unix))]
fn path(name: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::new(&*String::from_utf8_lossy(name)))
}

/// Asks a process and reads its answers; returns also how it ended and what else it said.
fn converse<T>(
    command: &mut Command,
    asked: &[u8],
    read: impl FnOnce(&mut BufReader<ChildStdout>) -> io::Result<T>,
) -> Result<(io::Result<T>, Failure), GitError> {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = pipes.spawn().map_err(GitError::Start)?;
    let mut requests = process.stdin.take().expect("its input is a pipe");
    let mut answers = BufReader::new(process.stdout.take().expect("its output is a pipe"));
    let mut complaints = process.stderr.take().expect("its errors are a pipe");
    // Git answers while it is still being asked, and complains meanwhile; all pipes are short.
    let (read, stderr) = std::thread::scope(|scope| {
        scope.spawn(move || requests.write_all(asked));
        let complaints = scope.spawn(move || {
            let mut stderr = Vec::new();
            let limit = complaints.by_ref().take(COMPLAINT_BYTES_MAX).read_to_end(&mut stderr);
            // The rest is read so that git does not wait, and not kept.
            limit.and_then(|_| io::copy(&mut complaints, &mut io::sink())).map(|_| stderr)
        });
        let read = read(&mut answers);
        drop(answers);
        (read, complaints.join().expect("reading does not panic"))
    });
    let status = process.wait().map_err(GitError::Talk)?;
    Ok((read, Failure { stderr: stderr.map_err(GitError::Talk)?, status }))
}

/// Reads one answer of `cat-file`; `None` for what is no file.
fn answer(answers: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut header = Vec::new();
    answers.read_until(b'\n', &mut header)?;
    if header.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let header = String::from_utf8_lossy(&header);
    let words: Vec<_> = header.trim_end().rsplitn(3, ' ').collect();
    // Of a link also `dangling <length>`, `loop <length>` and the like, with its path as the bytes.
    let (kind, length) = match words.as_slice() {
        [length, kind, ..] if *length != "missing" => {
            (*kind, length.parse::<u64>().map_err(io::Error::other)?)
        }
        _ => {
            return Err(io::Error::other(format!("an object is not there: {}", header.trim_end())));
        }
    };
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1).min(length);
    let mut bytes = Vec::new();
    answers.by_ref().take(limit).read_to_end(&mut bytes)?;
    // The rest of a file that is too large, and the line's end.
    let rest = length.saturating_sub(limit).saturating_add(1);
    io::copy(&mut answers.by_ref().take(rest), &mut io::sink())?;
    Ok((kind == "blob").then_some(bytes))
}

/// Why git gives no answer about a folder: often there is no repository, but it may also be one that
/// belongs to somebody else, or one that is broken.
fn no_repository(folder: &Path, failure: &Failure) -> GitError {
    let (folder, source) = (folder.to_owned(), failure.said());
    // `command` asks for git's own language.
    if source.0.contains("not a git repository") {
        GitError::NoRepository { folder, source }
    } else {
        GitError::Refused { folder, source }
    }
}

/// Why a commit was not found.
fn no_commit(folder: &Path, reference: &str) -> Result<GitError, GitError> {
    let reference = reference.to_owned();
    let at_origin = format!("origin/{reference}");
    if !reference.starts_with('-') && resolve(folder, &format!("{at_origin}^{{commit}}"))?.is_some()
    {
        let help = format!("did you mean `{at_origin}`? The branch is not checked out here");
        return Ok(GitError::NoCommit { reference, help });
    }
    let shallow = git(folder, &["rev-parse", "--is-shallow-repository"])?;
    if shallow.is_ok_and(|said| said.starts_with(b"true")) {
        return Ok(GitError::Shallow { reference });
    }
    let help = "name a branch, a tag or a commit that `git log` shows; `git fetch` brings new ones"
        .to_owned();
    Ok(GitError::NoCommit { reference, help })
}

/// The object's name, or `None` when git knows no such object.
fn resolve(folder: &Path, name: &str) -> Result<Option<String>, GitError> {
    let said = git(folder, &["rev-parse", "--verify", "--quiet", name])?;
    Ok(said.ok().map(|said| String::from_utf8_lossy(&said).trim().to_owned()))
}

/// How git ended, and what it said beside its answer.
struct Failure {
    stderr: Vec<u8>,
    status: ExitStatus,
}

impl Failure {
    fn said(&self) -> Said {
        Said::of(&self.stderr, self.status)
    }
}

/// Runs git in a folder, and returns what it answers.
fn git(folder: &Path, args: &[&str]) -> Result<Result<Vec<u8>, Failure>, GitError> {
    let output = command(folder).args(args).stdin(Stdio::null()).output();
    let output = output.map_err(GitError::Start)?;
    if output.status.success() {
        return Ok(Ok(output.stdout));
    }
    Ok(Err(Failure { stderr: output.stderr, status: output.status }))
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    // A commit that a partial clone lacks is fetched, but nobody is asked for a password.
    command.env("GIT_TERMINAL_PROMPT", "0");
    for variable in HOOK_VARIABLES {
        command.env_remove(variable);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_by_which_git_names_a_repository_is_taken_out() {
        let local = git(Path::new("."), &["rev-parse", "--local-env-vars"]).unwrap();
        let local = String::from_utf8(local.ok().unwrap()).unwrap();
        assert!(local.contains("GIT_DIR"), "{local}");
        let is_known = |it: &&str| HOOK_VARIABLES.contains(it) || CONFIG_VARIABLES.contains(it);
        let unknown: Vec<_> = local.lines().filter(|it| !is_known(it)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }

    /// More than a pipe holds, before anything is asked or answered.
    #[test]
    #[cfg(unix)]
    fn a_process_that_complains_at_length_is_heard_out() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "head -c 1000000 /dev/zero | tr '\\0' x >&2; cat; exit 3"]);
        let read = |answers: &mut BufReader<ChildStdout>| {
            let mut text = String::new();
            answers.read_to_string(&mut text).map(|_| text)
        };
        let (read, failure) = converse(&mut shell, b"asked", read).unwrap();
        assert_eq!((read.unwrap().as_str(), failure.status.code()), ("asked", Some(3)));
        assert_eq!(failure.stderr.len(), 8_192);
    }
}
