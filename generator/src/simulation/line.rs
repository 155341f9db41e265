//! One line of a file of events: a whole EventBridge event, or only its `detail`, as JSON.
//!
//! A line that is no event is told with its number and stops nothing; an empty one is passed over.
//! Pure. What an event may look like is decided in `trial`.

use jiff::Timestamp;
use serde_json::Value;

use crate::trial::{Event, EventError};

/// Longest line, in bytes: one MiB. Our choice, a little over the 1 MB under which an event must be.
/// Source: EventBridge API reference, `PutEvents`,
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
pub const LINE_BYTES_MAX: usize = 1_048_576;

/// Most lines that are told one by one. Our choice: who has so many has one reason for all.
pub const SHOWN_MAX: usize = 20;

/// Why a line is no event.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("longer than the {LINE_BYTES_MAX} bytes that an event may have")]
    TooLong,
    #[error("its time is in no year from -9999 to 9999; it counts in milliseconds since 1970")]
    NoYear,
    #[error(transparent)]
    NotAnEvent(#[from] EventError),
}

/// The lines of a file that are no events.
#[derive(Debug, Default)]
pub struct BadLines {
    pub number: u64,
    /// The first [`SHOWN_MAX`], with their place from 1.
    pub shown: Vec<(u64, LineError)>,
}

impl BadLines {
    /// Notes one more.
    pub fn push(&mut self, line: u64, error: LineError) {
        self.number += 1;
        if self.shown.len() < SHOWN_MAX {
            self.shown.push((line, error));
        }
    }
}

/// Reads one line without its end; `None` for an empty one.
pub fn read(line: &[u8]) -> Result<Option<Event>, LineError> {
    if line.len() > LINE_BYTES_MAX {
        return Err(LineError::TooLong);
    }
    // Some editors put a byte order mark in front of the first.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(line).map_err(|error| not_json(&error))?;
    let event = Event::read(&value, None)?;
    let times = ["start_ms", "end_ms"].into_iter().filter_map(|field| event.detail().get(field));
    let times = times.flat_map(|time| time.as_array().map_or(std::slice::from_ref(time), |it| it));
    let mut times = times.filter_map(Value::as_i64).chain([event.at_ms]);
    if times.any(|ms| Timestamp::from_millisecond(ms).is_err()) {
        return Err(LineError::NoYear);
    }
    Ok(Some(event))
}

fn not_json(error: &serde_json::Error) -> LineError {
    // The parser was given one line, so its line number says nothing.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    LineError::NotJson(format!("{what} at column {}", error.column()))
}
