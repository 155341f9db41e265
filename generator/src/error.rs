//! Why a command failed, sorted by who can do something about it.

use std::error::Error;
use std::io;

use crate::files::FileError;
use crate::git::GitError;

/// Each kind has one exit code; ARCHITECTURE.md lists them for people who script `arm`.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The author of the configuration must change it; the diagnostics were shown.
    #[error("{0}")]
    Configuration(String),
    /// The command line says too little, or something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The machine, the network or the AWS account must change, or time must pass.
    #[error(transparent)]
    Environment(Box<dyn Error + Send + Sync>),
    /// Some stores were deployed and some were not; each was reported.
    #[error("{0}")]
    Partly(String),
    /// `--exit-code` asks to be told by it that something was found.
    #[error("{0}")]
    Found(String),
    /// Whoever read our output stopped reading, or the disk is full.
    #[error("cannot write the result")]
    Output(#[from] io::Error),
}

impl CommandError {
    /// What the process answers.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 1,
            Self::Usage(_) => 2,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Environment(_) | Self::Output(_) => 3,
            Self::Partly(_) => 4,
            Self::Found(_) => 10,
        }
    }

    /// Wraps an error of a shell module.
    pub fn environment(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Environment(Box::new(error))
    }
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        Self::environment(error)
    }
}

impl From<GitError> for CommandError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::NoCommit { .. } | GitError::Absent { .. } => Self::Usage(error.to_string()),
            error => Self::environment(error),
        }
    }
}

/// The error and what caused it, one per line, for people.
pub fn describe(error: &CommandError) -> String {
    let mut text = format!("error: {error}\n");
    let mut cause = match error {
        CommandError::Environment(inner) => inner.source(),
        other => other.source(),
    };
    while let Some(error) = cause {
        let line = format!("  caused by: {error}\n");
        if !text.ends_with(&line) {
            text.push_str(&line);
        }
        cause = error.source();
    }
    text
}
