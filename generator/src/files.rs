//! The only file I/O of the generator: reads stores, writes what was generated.
//!
//! Reading keeps going over files that cannot be read as text, because they are problems of the
//! configuration like any other; only what the machine refuses is an error.
#![expect(clippy::disallowed_methods, reason = "shell: the one place that touches files")]

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The machine refused to read or write something.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {}{help}", path.display())]
pub struct FileError {
    /// Completes "cannot ...".
    pub verb: &'static str,
    pub path: PathBuf,
    /// What to do about it, on a line of its own; often empty.
    pub help: String,
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: names what was tried on which path.
    pub fn at(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { verb, path, help: String::new(), source }
    }
}

/// Makes sure that a file can be read, or says what to do.
pub fn expect(path: &Path, help: &str) -> Result<(), FileError> {
    let opened = std::fs::File::open(path).map(drop);
    opened.map_err(FileError::at("read", path)).map_err(|error| {
        let help = format!("\n  help: {help}");
        FileError { help, ..error }
    })
}

/// True for a regular file, or a link to one: what can be read without waiting for anybody.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Opens a file that is read a piece at a time, or in more than one order.
pub fn open(path: &Path) -> Result<BufReader<std::fs::File>, FileError> {
    std::fs::File::open(path).map(BufReader::new).map_err(FileError::at("read", path))
}

/// True for a folder, or a link to one.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Loads a file's bytes.
pub fn load(path: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(FileError::at("read", path))
}

/// Loads a file's bytes, but of a larger file not much more than `bytes_max`: enough to see that it
/// is larger.
pub fn load_at_most(path: &Path, bytes_max: usize) -> Result<Vec<u8>, FileError> {
    let file = std::fs::File::open(path).map_err(FileError::at("read", path))?;
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(FileError::at("read", path))?;
    Ok(bytes)
}

/// Loads what stands in standard input, but not much more than `bytes_max` of it.
pub fn load_stdin_at_most(bytes_max: usize) -> Result<Vec<u8>, FileError> {
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(limit).read_to_end(&mut bytes);
    read.map_err(FileError::at("read", Path::new("stdin")))?;
    Ok(bytes)
}

/// Whether a file's name ends in `.yaml` or `.yml`, in any case; names that begin with a dot are an
/// editor's or the system's, and left out.
pub fn is_yaml(path: &Path) -> bool {
    let suffix = path.extension().unwrap_or_default().to_ascii_lowercase();
    let hidden = path.file_name().is_some_and(|it| it.as_encoded_bytes().starts_with(b"."));
    (suffix == "yaml" || suffix == "yml") && !hidden
}

/// Everything in a folder that [`is_yaml`], sorted by name.
pub fn list_yaml(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    Ok(list(folder)?.into_iter().filter(|path| is_yaml(path)).collect())
}

/// Lists what is right in a folder, sorted by name.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(FileError::at("read the folder", folder))? {
        found.push(entry.map_err(FileError::at("read the folder", folder))?.path());
    }
    found.sort();
    Ok(found)
}

/// Saves a file, making its folders; a reader sees the old content or the new, never a half.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(FileError::at("make the folder", folder))?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    std::fs::write(&partial, bytes).map_err(FileError::at("write", &partial))?;
    std::fs::rename(&partial, path).map_err(FileError::at("write", path))
}

/// A file to which lines are added, each safe on the disk when that is done.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    /// Made with the first line.
    file: Option<std::fs::File>,
    text: String,
}

impl JournalFile {
    /// One that is not there yet, in a folder that is made now; it is made with its first line.
    pub fn begin(path: &Path) -> Result<Self, FileError> {
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        Ok(Self { path: path.to_owned(), file: None, text: String::new() })
    }

    /// Opens one that is there, with all its whole lines; a torn last one is cut off.
    pub fn open(path: &Path) -> Result<(Self, String), FileError> {
        let text = String::from_utf8_lossy(&load(path)?).into_owned();
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        let text = text.get(..whole).unwrap_or_default().to_owned();
        let file = std::fs::OpenOptions::new().write(true).open(path);
        let mut file = file.map_err(FileError::at("write", path))?;
        let length = u64::try_from(whole).unwrap_or(u64::MAX);
        file.set_len(length).map_err(FileError::at("write", path))?;
        file.seek(SeekFrom::End(0)).map_err(FileError::at("write", path))?;
        Ok((Self { path: path.to_owned(), file: Some(file), text: text.clone() }, text))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line; when this returns, a machine that dies does not lose it.
    pub fn add(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(std::fs::File::create_new(&self.path)?),
        };
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        self.text.push_str(&line);
        Ok(())
    }

    /// Everything that stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// True for whatever has this name, even a link to nothing.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Saves a file that must not be there yet, making its folders.
pub fn save_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut file = std::fs::File::create_new(path).map_err(FileError::at("make", path))?;
    file.write_all(bytes).map_err(FileError::at("write", path))
}

/// Saves a file that is there already: a link to it stays a link, and who may read it stays.
pub fn save_again(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let path = absolute(path)?;
    let rights = std::fs::metadata(&path).map_err(FileError::at("read", &path))?.permissions();
    save(&path, bytes)?;
    std::fs::set_permissions(&path, rights).map_err(FileError::at("write", &path))
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(path).map_err(FileError::at("make the folder", path))
}

/// Deletes a folder and all in it; no folder is fine.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("delete the folder", path)(error))
        }
        _ => Ok(()),
    }
}

/// Deletes a file; no file is fine.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("delete", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes a path absolute, following links.
pub fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    path.canonicalize().map_err(FileError::at("find", path))
}
