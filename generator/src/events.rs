//! Finds the events of a file, and gives them in the order of their time.
//!
//! The file is read twice: once for the place and time of each event, then for the events. So what
//! is kept is 16 bytes for each, whatever it holds; what cannot be read twice, such as a pipe, is
//! kept whole. Lines that are no events are told and left out.
//!
//! To change what a line may be, start in `simulation/line.rs`.

use std::io::{self, BufRead, Cursor, Read, Seek};
use std::path::Path;

use crate::files::{self, FileError};
use crate::simulation::line::{self, BadLines, LINE_BYTES_MAX};
use crate::trial::Event;

/// A text that can be read twice.
pub trait Text: BufRead + Seek {}
impl<T: BufRead + Seek> Text for T {}

/// The events of one text.
pub struct Events {
    text: Box<dyn Text>,
    places: Vec<Place>,
    bad: BadLines,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    at_ms: i64,
    offset: u64,
}

impl Events {
    /// Finds the events of a file.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let failed = FileError::at("read", path);
        if files::is_file(path) {
            return Self::find(Box::new(files::open(path)?)).map_err(failed);
        }
        Self::find(Box::new(Cursor::new(files::load(path)?))).map_err(failed)
    }

    /// Finds the events of what can be read but once.
    pub fn of_stream(stream: &mut (impl Read + ?Sized)) -> io::Result<Self> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Self::find(Box::new(Cursor::new(bytes)))
    }

    fn find(mut text: Box<dyn Text>) -> io::Result<Self> {
        let (mut places, mut bad) = (Vec::new(), BadLines::default());
        let (mut offset, mut number, mut line) = (0, 0, Vec::new());
        loop {
            let length = read_line(&mut *text, &mut line)?;
            if length == 0 {
                break;
            }
            number += 1;
            match line::read(&line) {
                Ok(Some(event)) => places.push(Place { at_ms: event.at_ms, offset }),
                Ok(None) => {}
                Err(error) => bad.push(number, error),
            }
            offset += length;
        }
        // Stable: of one moment the earlier line comes first.
        places.sort_by_key(|place| place.at_ms);
        Ok(Self { text, places, bad })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Gives every event, in the order of their time, and returns what could not be read.
    pub fn replay(mut self, mut put: impl FnMut(&Event)) -> io::Result<BadLines> {
        self.text.rewind()?;
        let (mut here, mut line) = (0, Vec::new());
        for place in &self.places {
            if place.offset != here {
                let distance = i128::from(place.offset) - i128::from(here);
                let distance = i64::try_from(distance).map_err(io::Error::other)?;
                self.text.seek_relative(distance)?;
            }
            here = place.offset + read_line(&mut *self.text, &mut line)?;
            match line::read(&line) {
                Ok(Some(event)) if event.at_ms == place.at_ms => put(&event),
                _ => return Err(io::Error::other("the file changed while it was read")),
            }
        }
        Ok(self.bad)
    }
}

/// Reads one line with its end, and returns how long it is; of one that is too long, not much more
/// than shows that it is.
fn read_line(text: &mut dyn Text, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
    let mut length = u64::try_from(text.take(limit).read_until(b'\n', line)?).unwrap_or(u64::MAX);
    if length == limit && !line.ends_with(b"\n") {
        length = length.saturating_add(u64::try_from(text.skip_until(b'\n')?).unwrap_or(u64::MAX));
    } else if line.ends_with(b"\n") {
        line.pop();
    }
    Ok(length)
}
