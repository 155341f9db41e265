//! What an estimate rests on where the model does not say it: numbers of our own, and sentences that
//! tell the reader every one of them.

use crate::demand::ANALYZE_SECONDS;
use crate::price::{self, BASE_REGION, INCIDENTS, LOOKED_UP, Prices};

use super::{MONTH_HOURS, in_dollars};

/// Detections of one incident. Our choice: a behaviour of some ten seconds is seen in a few windows.
pub(super) const DETECTIONS: u64 = 5;
/// Seconds from the first to the last of them. Our choice.
pub(super) const INCIDENT_SECONDS: u64 = 10;
/// Changes of a case of which `project` writes a row. Our choice: opened, told, clip, decided.
pub(super) const CASE_CHANGES: u64 = 4;
/// Seconds of one `dispatch`. Our choice; it sends a few batches.
pub(super) const DISPATCH_SECONDS: u64 = 1;
/// Seconds of any other step but `analyze` and `preserve`. Our choice.
pub(super) const STEP_SECONDS: u64 = 1;
/// Seconds of one `preserve`. Our choice; it reads a clip and writes it.
pub(super) const PRESERVE_SECONDS: u64 = 10;
/// Write units of a tick: the note of the last minute.
pub(super) const WRITES_OF_TICK: u64 = 1;
/// Write units of a detection: case, guards, mark and audit in one transaction, which counts twice.
pub(super) const WRITES_OF_DETECTION: u64 = 14;
/// Read units of an incident. Our choice.
pub(super) const READS_OF_INCIDENT: u64 = 40;
/// Times a day that a stream uses its key. Our choice: data keys are used for less than an hour.
pub(super) const STREAM_KEY_USES_A_DAY: u64 = 48;
/// Bytes that one call of a function logs. Our choice: Lambda's own lines and one of ours.
pub(super) const LOG_BYTES: u64 = 600;
/// Percent of its size that a log takes when it is kept. Source: `CloudWatch` pricing, examples.
pub(super) const LOG_KEPT_PERCENT: u128 = 15;
/// Metrics of a cell, at most. Source: runtime/src/metric.rs.
pub(super) const CELL_METRICS: u64 = 14;
/// Requests with which Lambda waits on an empty queue at once. Source: Lambda developer guide, "Using
/// Lambda with Amazon SQS".
pub(super) const IDLE_POLLS: u64 = 5;
/// How long one of these waits, in seconds. Source: as above.
pub(super) const POLL_SECONDS: u64 = 20;

/// What the estimates with these prices rest on: sentences, each once.
pub fn assumptions<'a>(prices: impl IntoIterator<Item = &'a Prices>) -> Vec<String> {
    let mut sentences = vec![
        format!(
            "Prices are AWS's list prices in US dollars as of {LOOKED_UP}, without tax, support, discounts and free tiers; what your contract has goes into `prices` in fleet.yaml."
        ),
        format!(
            "A month has {MONTH_HOURS} hours, a GB 10^9 bytes; single dates of opening hours count as their weekday."
        ),
        "Cameras send at their `bitrate` around the clock, and streams are as full as their retention allows.".to_owned(),
        format!(
            "The model takes {ANALYZE_SECONDS} seconds for a window, and is given the video that is read; the price of that is from eu-west-1 and held to be the same elsewhere."
        ),
        format!(
            "An incident is {DETECTIONS} detections within {INCIDENT_SECONDS} seconds, and tells every subscriber whom a rule of the store tells; its clip is read at the price of video, and deleted when its lock ends."
        ),
        format!(
            "A text message costs {} as in the United States; other countries are up to ten times as dear: state `sns_sms`.",
            price::find("sns_sms").map_or_else(String::new, |it| price::dollars(it.micros)),
        ),
        format!("A call of a function logs {LOG_BYTES} bytes, and takes a second where nothing else is said."),
        "Left out as negligible: Athena and Glue (what is queried is a few MB), the storage of the case table, of the function bundle and of access logs, IAM, CloudFormation, IoT credentials. Left out as unknown: data that leaves AWS when people watch clips, and the disk of a model's instance.".to_owned(),
    ];
    let mut own: Vec<String> = prices.into_iter().flat_map(of_region).collect();
    own.sort();
    own.dedup();
    sentences.extend(own);
    sentences
}

fn of_region(prices: &Prices) -> Vec<String> {
    let region = &prices.region;
    let mut sentences = vec![format!(
        "A store in {region} has {} incidents a day: state `{INCIDENTS}` in `prices`.",
        prices.incidents_per_day
    )];
    let factor = prices.factor();
    if factor == 1_000 && region != BASE_REGION {
        sentences.push(format!("Prices of {region} are taken to be those of {BASE_REGION}."));
    } else if region != BASE_REGION {
        let (whole, rest) = (factor / 1_000, factor % 1_000);
        sentences.push(format!(
            "Prices of {region} that differ from {BASE_REGION} are estimated: {whole}.{rest:03} times those, as EC2's differ; instances by EC2's price of the same family."
        ));
    }
    if prices.are_stated() {
        sentences.push(format!("Some prices in {region} are those that `prices` states."));
    }
    sentences
}

/// Cents with a sign, as a difference: `+$118.00`.
pub(super) fn signed(cents: i64) -> String {
    let sign = if cents >= 0 { "+" } else { "" };
    format!("{sign}{}", in_dollars(cents))
}
