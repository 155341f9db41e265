//! What one store costs: its video, what the functions do for it, its alerts and its evidence.

use std::collections::BTreeSet;

use contract::hours::Hours;
use contract::watch::{TICK_SECONDS, WatchWhen};

use crate::demand::ANALYZE_SECONDS;
use crate::model::{Camera, Cell, Channel, Store};
use crate::price::Prices;

use super::assumption::{
    CASE_CHANGES, DETECTIONS, DISPATCH_SECONDS, INCIDENT_SECONDS, LOG_BYTES, LOG_KEPT_PERCENT,
    PRESERVE_SECONDS, READS_OF_INCIDENT, STEP_SECONDS, STREAM_KEY_USES_A_DAY, WRITES_OF_DETECTION,
    WRITES_OF_TICK,
};
use super::{Bill, Estimate, MONTH_HOURS, MONTH_SECONDS, compute, size};

/// Bytes in a second of one kbit/s.
const BYTES_PER_KBPS: u64 = 125;
const WEEK_MINUTES: u64 = 7 * 24 * 60;
/// Memory of a function in MB, but of `preserve`. Source: `stack/functions.rs`; a test compares.
pub(super) const MEMORY_MB: u64 = 256;
/// Memory of `preserve`.
pub(super) const PRESERVE_MEMORY_MB: u64 = 512;
/// Days until a clip is archived. Source: blueprints/platform/storage.yaml.j2, `seldom-watched`.
const ARCHIVE_DAYS: u64 = 30;
/// Windows that one call sends. Source: SQS API reference, `SendMessageBatch`.
const WINDOWS_PER_CALL: u64 = 10;
/// Requests that receive and delete one message.
const RECEIVES: u64 = 2;
/// Messages of an incident beside those of its detections: the evidence request.
const EVIDENCE_REQUESTS: u64 = 3;

/// What a month of a store is in numbers.
#[derive(Default)]
struct Usage {
    cameras: u64,
    watched: u64,
    bytes_sent: u128,
    bytes_kept: u128,
    bytes_read: u128,
    windows: u64,
    ticks: u64,
    incidents: u64,
    clip_bytes: u64,
    calls: u64,
}

/// What a store costs in a month.
pub fn of_store(store: &Store, cell: &Cell, prices: &Prices) -> Estimate {
    let usage = Usage::of(store, prices);
    let mut bill = Bill::new(prices);
    add_video(&mut bill, &usage);
    add_functions(&mut bill, &usage, cell);
    add_alerts(&mut bill, &usage, store);
    add_evidence(&mut bill, &usage, store);
    bill.estimate()
}

/// Windows of a month in which the model is asked about a store.
pub(super) fn windows(store: &Store) -> u64 {
    let open = open_minutes(&store.hours);
    store.cameras.iter().map(|it| watched_seconds(it, open) / u64::from(it.window_s.max(1))).sum()
}

impl Usage {
    fn of(store: &Store, prices: &Prices) -> Self {
        let open = open_minutes(&store.hours);
        let incidents = u64::from(prices.incidents_per_day) * MONTH_HOURS / 24;
        let mut usage = Self {
            windows: windows(store),
            ticks: MONTH_SECONDS / u64::from(TICK_SECONDS),
            incidents,
            cameras: size(store.cameras.len()),
            ..Self::default()
        };
        let mut highest = 0;
        for camera in &store.cameras {
            let rate = u64::from(camera.bitrate_kbps) * BYTES_PER_KBPS;
            let watched = watched_seconds(camera, open);
            let kept_s = u64::from(camera.retention_hours) * 3_600;
            highest = rate.max(highest);
            usage.watched += u64::from(watched > 0);
            usage.bytes_sent += u128::from(rate) * u128::from(MONTH_SECONDS);
            usage.bytes_kept += u128::from(rate) * u128::from(kept_s);
            usage.bytes_read += u128::from(rate) * u128::from(watched);
        }
        let evidence = store.evidence;
        let clip_s = u64::from(evidence.before_s) + u64::from(evidence.after_s) + INCIDENT_SECONDS;
        usage.clip_bytes = highest * clip_s;
        // Of an incident: `respond` for each detection, `preserve`, `project` for each change.
        let per_incident = DETECTIONS + 1 + CASE_CHANGES;
        usage.calls = usage.windows + usage.ticks + incidents * per_incident;
        usage
    }
}

fn add_video(bill: &mut Bill<'_>, usage: &Usage) {
    let (cameras, watched) = ((usage.cameras, "camera"), (usage.watched, "camera"));
    bill.add("kinesis_video_ingest", usage.bytes_sent, Some(cameras));
    bill.add("kinesis_video_storage", usage.bytes_kept, Some(cameras));
    let clips = u128::from(usage.incidents) * u128::from(usage.clip_bytes);
    bill.add("kinesis_video_read", usage.bytes_read + clips, Some(watched));
    bill.add("sagemaker_data", usage.bytes_read, Some(watched));
}

fn add_functions(bill: &mut Bill<'_>, usage: &Usage, cell: &Cell) {
    let Usage { windows, ticks, incidents, calls, .. } = *usage;
    bill.add("lambda_requests", u128::from(calls), None);
    let of_incident = MEMORY_MB * STEP_SECONDS * (DETECTIONS + CASE_CHANGES)
        + PRESERVE_MEMORY_MB * PRESERVE_SECONDS;
    let seconds = windows * ANALYZE_SECONDS + ticks * DISPATCH_SECONDS;
    let time = seconds * MEMORY_MB + incidents * of_incident;
    bill.add(compute(cell), u128::from(time), Some((windows, "window")));
    let messages = windows.div_ceil(WINDOWS_PER_CALL) + windows * RECEIVES;
    let messages = messages + incidents * (DETECTIONS * (1 + RECEIVES) + EVIDENCE_REQUESTS);
    bill.add("sqs_requests", u128::from(messages), None);
    bill.add("scheduler_invocations", u128::from(ticks), None);
    bill.add("eventbridge_events", u128::from(incidents * DETECTIONS), None);
    let writes = ticks * WRITES_OF_TICK + incidents * DETECTIONS * WRITES_OF_DETECTION;
    bill.add("dynamodb_writes", u128::from(writes), None);
    let reads = ticks * 2 + incidents * READS_OF_INCIDENT;
    bill.add("dynamodb_reads", u128::from(reads), None);
    let of_streams = usage.cameras * STREAM_KEY_USES_A_DAY * MONTH_HOURS / 24;
    bill.add("kms_requests", u128::from(of_streams + ticks + incidents * DETECTIONS), None);
    bill.add("cloudwatch_alarms", 1, None);
    bill.add("cloudwatch_metrics", 1, None);
    let logs = u128::from(calls) * u128::from(LOG_BYTES);
    bill.add("logs_ingest", logs, None);
    let kept = logs * u128::from(cell.log_days) * 24 / u128::from(MONTH_HOURS);
    bill.add("logs_storage", kept * LOG_KEPT_PERCENT / 100, None);
}

/// Every alert goes to everybody whom a rule of the store tells.
fn add_alerts(bill: &mut Bill<'_>, usage: &Usage, store: &Store) {
    let told: BTreeSet<&str> = store
        .rules
        .iter()
        .filter(|rule| !rule.shadow)
        .flat_map(|rule| &rule.notify)
        .map(crate::model::Id::as_str)
        .collect();
    let addresses = store.addresses();
    let addresses: Vec<_> =
        addresses.iter().filter(|it| it.audiences.iter().any(|it| told.contains(it))).collect();
    if !told.is_empty() {
        bill.add("sns_publishes", u128::from(usage.incidents), None);
    }
    for (key, channel) in [
        ("sns_emails", Channel::Email),
        ("sns_https", Channel::Https),
        ("sns_push", Channel::Push),
        ("sns_sms", Channel::Sms),
    ] {
        let number = size(addresses.iter().filter(|it| it.channel == channel).count());
        let messages = u128::from(usage.incidents * number);
        bill.add(key, messages, Some((number, "subscriber")));
    }
}

/// The clips that are kept once as many are deleted as are made.
fn add_evidence(bill: &mut Bill<'_>, usage: &Usage, store: &Store) {
    let days = u64::from(store.evidence.keep_days);
    let a_day = u128::from(bill.prices.incidents_per_day) * u128::from(usage.clip_bytes);
    let recent = days.min(ARCHIVE_DAYS);
    bill.add("s3_storage", a_day * u128::from(recent), None);
    bill.add("s3_archive", a_day * u128::from(days - recent), None);
    bill.add("s3_puts", u128::from(usage.incidents * (1 + CASE_CHANGES)), None);
}

/// Minutes of a week in which a store is open; single dates are left out.
fn open_minutes(hours: &Hours) -> u64 {
    if hours.is_always_open() {
        return WEEK_MINUTES;
    }
    let mut open = BTreeSet::new();
    for (day, spans) in (0_u64..).zip(&hours.week) {
        for span in spans {
            let (from, to) = span.minutes();
            let start = day * 24 * 60;
            let minutes = u64::from(from)..u64::from(to);
            open.extend(minutes.map(|minute| (start + minute) % WEEK_MINUTES));
        }
    }
    size(open.len())
}

/// Seconds of a month in which the model watches a camera.
fn watched_seconds(camera: &Camera, open_minutes: u64) -> u64 {
    let minutes = match camera.when {
        WatchWhen::Always => WEEK_MINUTES,
        WatchWhen::Open => open_minutes,
        WatchWhen::Closed => WEEK_MINUTES - open_minutes,
        WatchWhen::Never => 0,
    };
    MONTH_SECONDS * minutes / WEEK_MINUTES
}
