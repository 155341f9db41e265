//! Finds the events of a file, and gives them in the order of their time.
//!
//! The file is read twice: once for the place and time of each event, then for the events. So what
//! is kept is 16 bytes for each, whatever it holds; what cannot be read twice, such as a pipe, is
//! kept whole, up to a bound. Lines that are no events are told and left out.
//!
//! To change what a line may be, start in `simulation/line.rs`.

use std::io::{self, BufRead, Cursor, Read, Seek};
use std::path::Path;

use crate::files::{self, FileError};
use crate::simulation::line::{self, BadLines, LINE_BYTES_MAX};
use crate::trial::Event;

/// Most bytes of what cannot be read twice: one GiB. Our choice: over two million events, and what a
/// machine that runs this can keep. A file has no such bound.
const STREAM_BYTES_MAX: u64 = 1 << 30;

/// A stream is longer than is kept of one.
#[derive(Debug, thiserror::Error)]
#[error(
    "there are more than the {0} bytes that are kept of a stream\n  help: write them to a file and name it; a file of any size is read piece by piece"
)]
struct TooLong(u64);

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
        Self::of_stream(&mut files::open(path)?).map_err(failed)
    }

    /// Finds the events of what can be read but once.
    pub fn of_stream(stream: &mut (impl Read + ?Sized)) -> io::Result<Self> {
        Self::find(Box::new(Cursor::new(load_at_most(stream, STREAM_BYTES_MAX)?)))
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

/// Reads all of a stream, if it is not longer than so many bytes.
fn load_at_most(stream: &mut (impl Read + ?Sized), bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = stream.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(length).is_ok_and(|length| length <= bytes_max) {
        return Ok(bytes);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, TooLong(bytes_max)))
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
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_kept_up_to_its_bound_and_one_that_never_ends_is_told() {
        assert_eq!(load_at_most(&mut &b"1234"[..], 4).unwrap(), b"1234");
        let endless = load_at_most(&mut io::repeat(b'x'), 4).unwrap_err();
        assert!(endless.to_string().starts_with("there are more than the 4 bytes"), "{endless}");
    }

    /// The end of a line is not the event's.
    #[test]
    fn a_line_of_the_longest_length_is_read_whatever_ends_it() {
        let event = |length: usize| {
            let frame = r#"{"event_type":"","start_ms":1}"#.len();
            let name = "x".repeat(length - frame);
            format!(r#"{{"event_type":"{name}","start_ms":1}}"#)
        };
        for end in ["", "\n", "\r\n"] {
            for (length, number) in [(LINE_BYTES_MAX, 1), (LINE_BYTES_MAX + 1, 0)] {
                let text = event(length) + end;
                let events = Events::of_stream(&mut text.as_bytes()).unwrap();
                assert_eq!(events.count(), number, "{length} {end:?}");
            }
        }
    }
}
