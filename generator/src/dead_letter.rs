//! Dead letters: what lies in a queue that nobody reads, and what can be done about it. Pure.
//!
//! A letter goes back where it came from if its function can make something of it. What is of no use
//! any more stays until somebody says that it may go; what is not understood stays whatever is said.
//! To teach it another form, start in [`fate`]; the forms of AWS stand in `dead_letter/undelivered.rs`.

mod told;
mod undelivered;

use std::collections::BTreeMap;

use casework::incident;
use casework::time::parse_ms;
use contract::evidence::EvidenceMessage;
use contract::incident::IncidentMessage;
use contract::window::WindowMessage;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::input::CompiledFleet;
use crate::model::Cell;

pub use told::{Alert, printable};

/// By how much the moment at which the table's stream took up a change may differ from the one that
/// the case names, in milliseconds. Our choice: clocks of AWS agree within seconds.
const CLOCKS_MS_MAX: i64 = 600_000;

/// The queues in which dead letters lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeadLetters {
    Windows,
    Incidents,
    Evidence,
    Changes,
    Undelivered,
}

impl DeadLetters {
    pub const ALL: [Self; 5] =
        [Self::Windows, Self::Incidents, Self::Evidence, Self::Changes, Self::Undelivered];

    /// The word as people say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Incidents => "incidents",
            Self::Evidence => "evidence",
            Self::Changes => "changes",
            Self::Undelivered => "undelivered",
        }
    }
}

/// One letter as its queue has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    pub id: String,
    pub body: String,
    /// By which AWS says why it could not deliver something.
    pub attributes: BTreeMap<String, String>,
    /// When it was put into its first queue, in milliseconds since the epoch.
    pub sent_ms: i64,
}

/// What may be deleted because nothing can be made of it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Useless {
    /// Windows whose analysis would come too late for anybody
    StaleWindows,
    /// Ticks of schedules: later ones have come
    Ticks,
    /// Alerts that did not reach somebody
    Alerts,
}

impl Useless {
    /// The word as the command line has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StaleWindows => "stale-windows",
            Self::Ticks => "ticks",
            Self::Alerts => "alerts",
        }
    }

    /// One of it; also the word for programs.
    pub fn noun(self) -> &'static str {
        match self {
            Self::StaleWindows => "stale-window",
            Self::Ticks => "tick",
            Self::Alerts => "alert",
        }
    }

    /// Why it is of no use, and what people can do.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::StaleWindows => {
                "a window is of use for three minutes after its end: nobody wants an alert about what \
                 happened long ago. What the cameras saw then was not analysed; the video is in their \
                 streams for as long as these keep it"
            }
            Self::Ticks => {
                "a tick is of use for its minute, and later ones have come: the store may not have been \
                 watched for that minute; the alarm MinutesLost tells. Find out why the function could \
                 not be called (its errors, its throttles, the scheduler's role)"
            }
            Self::Alerts => {
                "SNS could not deliver it to one of its topic's addresses; of the others nothing is known \
                 here. The case is in the case log: tell whom it concerns by hand, and look whether an \
                 address in the store's YAML is wrong. Sending the alert again would tell everybody again"
            }
        }
    }
}

/// What is to become of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes to these queues as these bodies, all of them.
    PutBack {
        kind: &'static str,
        sends: Vec<(DeadLetters, String)>,
    },
    /// The request for the clip of a case goes back, if the case is on record.
    Request {
        case_id: String,
    },
    /// Cases that were written between these moments are given rows again.
    Rows {
        from_ms: i64,
        to_ms: i64,
    },
    Useless(Useless),
    /// It is left where it is, for this reason.
    Stays(String),
}

/// The metadata of changes that `project` gave up on. Source: Lambda developer guide, "Retaining
/// discarded records for a DynamoDB event source",
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>.
#[derive(Debug, Deserialize)]
struct Discarded {
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: StreamBatch,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamBatch {
    approximate_arrival_of_first_record: String,
    approximate_arrival_of_last_record: String,
}

/// Decides about a letter of a queue.
pub fn fate(
    queue: DeadLetters,
    letter: &Letter,
    (fleet, cell): (&CompiledFleet, &Cell),
    now_ms: i64,
) -> Fate {
    let decided = match queue {
        DeadLetters::Windows => window(letter, now_ms),
        DeadLetters::Incidents => detection(letter, now_ms),
        DeadLetters::Evidence => read::<EvidenceMessage>(&letter.body)
            .map(|request| Fate::Request { case_id: request.case_id }),
        DeadLetters::Changes => changes(letter),
        DeadLetters::Undelivered => undelivered::fate(letter, (fleet, cell), now_ms),
    };
    decided.unwrap_or_else(Fate::Stays)
}

fn window(letter: &Letter, now_ms: i64) -> Result<Fate, String> {
    let window: WindowMessage = read(&letter.body)?;
    if now_ms > window.expires_ms {
        return Ok(Fate::Useless(Useless::StaleWindows));
    }
    let sends = vec![(DeadLetters::Windows, letter.body.clone())];
    Ok(Fate::PutBack { kind: "window", sends })
}

fn detection(letter: &Letter, now_ms: i64) -> Result<Fate, String> {
    let message: IncidentMessage = read(&letter.body)?;
    incident::read(message, now_ms).map_err(|error| error.to_string())?;
    let sends = vec![(DeadLetters::Incidents, letter.body.clone())];
    Ok(Fate::PutBack { kind: "detection", sends })
}

fn changes(letter: &Letter) -> Result<Fate, String> {
    let Discarded { batch } = read(&letter.body)?;
    let moment = |text: &str| parse_ms(text).ok_or_else(|| format!("`{text}` is no moment"));
    Ok(Fate::Rows {
        from_ms: moment(&batch.approximate_arrival_of_first_record)? - CLOCKS_MS_MAX,
        to_ms: moment(&batch.approximate_arrival_of_last_record)? + CLOCKS_MS_MAX,
    })
}

/// Reads a letter of a version that this `arm` knows.
fn read<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    let value: Value =
        serde_json::from_str(body).map_err(|error| format!("it is not JSON: {error}"))?;
    let version = value.get("version").and_then(Value::as_u64).unwrap_or_default();
    if version > u64::from(contract::VERSION) {
        return Err(format!(
            "its version is {version}, and this `arm` reads up to {}",
            contract::VERSION
        ));
    }
    serde_json::from_value(value)
        .map_err(|error| format!("it is not what its queue holds: {error}"))
}

#[cfg(test)]
pub(crate) mod tests;
