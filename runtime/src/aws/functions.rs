//! What each step needs of AWS, from the services that have it.

use std::time::Duration;

use aws_config::SdkConfig;
use casework::case::Change;
use casework::case_table::{CaseTable, Written};
use casework::evidence::Range;
use casework::fragment::Fragment;
use casework::respond::{Alert, RespondServices};
use casework::step::{Pause, StepError};
use contract::case::{CaseItem, GuardItem};
use contract::detection::Detection;
use contract::evidence::EvidenceMessage;
use contract::health::AilmentItem;
use contract::settings::{
    ANALYTICS_BUCKET, CASE_TABLE, CELL, ENDPOINT_NAME, EVIDENCE_BUCKET, EVIDENCE_QUEUE_URL,
    WINDOWS_QUEUE_URL,
};
use contract::window::WindowMessage;

use super::dynamodb::Table;
use super::eventbridge::Buses;
use super::kinesis_video::Streams;
use super::of_respond;
use super::s3::Bucket;
use super::sagemaker::Model;
use super::sns::Topics;
use super::sqs::Queue;
use super::watch_table::WatchTable;
use crate::analyze::{AnalyzeServices, Question};
use crate::dispatch::{Delayed, DispatchServices, Removed};
use crate::health::{Arrival, Clock, Sign};
use crate::metric::Count;
use crate::preserve::{Clip, CutClip, PreserveServices};
use crate::project::ProjectServices;
use crate::row::Rows;
use crate::settings::{SettingsError, required};
use crate::sweep::{Due, Page, SweepServices};
use crate::telemetry::{self, Subject};

/// How long to wait for other messages about one event. Our choice: EventBridge hands an event to
/// all its targets at once, and an alert that comes a second later is still in time.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(1);

/// The services of `dispatch`.
pub struct Dispatch {
    cell: String,
    queue: Queue,
    table: WatchTable,
    topics: Topics,
}

impl Dispatch {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(Self {
            cell: required(CELL)?,
            queue: Queue::new(config, required(WINDOWS_QUEUE_URL)?),
            table: WatchTable::new(config, required(CASE_TABLE)?),
            topics: Topics::new(&of_respond(config)),
        })
    }
}

impl Pause for Dispatch {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

impl DispatchServices for Dispatch {
    async fn send_windows(&self, windows: &[Delayed]) -> Result<Vec<Delayed>, StepError> {
        self.queue.send_windows(windows).await
    }

    async fn fetch_watched(&self, store: &str) -> Result<Option<i64>, StepError> {
        self.table.fetch_watched(store).await
    }

    async fn put_watched(&self, store: &str, minute_ms: i64, now_ms: i64) -> Result<(), StepError> {
        self.table.put_watched(store, minute_ms, now_ms).await
    }

    async fn fetch_ailments(&self, store: &str) -> Result<Vec<AilmentItem>, StepError> {
        self.table.fetch_ailments(store).await
    }

    async fn put_told(&self, item: &AilmentItem, since_ms: Option<i64>) -> Result<(), StepError> {
        self.table.put_told(item, since_ms).await
    }

    async fn remove_ailment(&self, item: &AilmentItem) -> Result<Removed, StepError> {
        self.table.remove_ailment(item).await
    }

    async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        self.topics.publish(alert).await
    }

    fn count(&self, count: Count) {
        telemetry::count(&count, &self.cell);
    }

    fn pass_over(&self, store: &str, error: &StepError) {
        let subject = Subject { store: Some(store.to_owned()), ..Subject::default() };
        telemetry::passed_over("dispatch", &subject, error);
    }
}

/// The services of `analyze`.
pub struct Analyze {
    cell: String,
    streams: Streams,
    model: Model,
    buses: Buses,
    table: WatchTable,
}

impl Analyze {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(Self {
            cell: required(CELL)?,
            streams: Streams::new(config),
            model: Model::new(config, required(ENDPOINT_NAME)?),
            buses: Buses::new(config),
            table: WatchTable::new(config, required(CASE_TABLE)?),
        })
    }
}

impl Pause for Analyze {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

impl AnalyzeServices for Analyze {
    async fn list_arrivals(
        &self,
        stream: &str,
        clock: Clock,
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<Arrival>, StepError> {
        self.streams.list_arrivals(stream, clock, start_ms, end_ms).await
    }

    async fn fetch_fragments(
        &self,
        stream: &str,
        fragments: &[Fragment],
        bytes_max: u64,
    ) -> Result<Vec<u8>, StepError> {
        self.streams.fetch_fragments(stream, fragments, bytes_max).await
    }

    fn endpoint(&self) -> &str {
        &self.model.endpoint
    }

    async fn ask_model(&self, question: Question) -> Result<Vec<u8>, StepError> {
        self.model.ask(question).await
    }

    async fn put_events(
        &self,
        bus: &str,
        detections: &[Detection],
    ) -> Result<Vec<Detection>, StepError> {
        self.buses.put(bus, detections).await
    }

    async fn put_sign(&self, window: &WindowMessage, sign: &Sign) -> Result<(), StepError> {
        self.table.put_sign(window, sign).await
    }

    fn pass_over(&self, window: &WindowMessage, error: &StepError) {
        let subject = Subject {
            store: Some(window.store.id.clone()),
            camera: Some(window.camera.clone()),
            window: Some(window.id.clone()),
            ..Subject::default()
        };
        telemetry::passed_over("analyze", &subject, error);
    }

    fn count(&self, count: Count) {
        telemetry::count(&count, &self.cell);
    }
}

/// The services of `respond`.
pub struct Respond {
    table: Table,
    topics: Topics,
    queue: Queue,
    evidence_bucket: String,
}

impl Respond {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        let config = of_respond(config);
        Ok(Self {
            table: Table::new(&config, required(CASE_TABLE)?),
            topics: Topics::new(&config),
            queue: Queue::new(&config, required(EVIDENCE_QUEUE_URL)?),
            evidence_bucket: required(EVIDENCE_BUCKET)?,
        })
    }
}

impl Pause for Respond {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

impl CaseTable for Respond {
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
        self.table.fetch_case(case_id).await
    }

    async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
        self.table.put_change(change).await
    }
}

impl RespondServices for Respond {
    fn evidence_bucket(&self) -> &str {
        &self.evidence_bucket
    }

    async fn fetch_seen(&self, detection_id: &str) -> Result<Option<String>, StepError> {
        self.table.fetch_seen(detection_id).await
    }

    async fn fetch_guard(&self, pk: &str) -> Result<Option<GuardItem>, StepError> {
        self.table.fetch_guard(pk).await
    }

    async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        self.topics.publish(alert).await
    }

    async fn send_evidence(
        &self,
        message: &EvidenceMessage,
        delay_s: i32,
    ) -> Result<(), StepError> {
        self.queue.send_evidence(message, delay_s).await
    }

    async fn wait_for_others(&self) {
        tokio::time::sleep(WAIT_FOR_OTHERS).await;
    }
}

/// The services of `preserve`.
pub struct Preserve {
    cell: String,
    table: Table,
    streams: Streams,
    bucket: Bucket,
    queue: Queue,
}

impl Preserve {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(Self {
            cell: required(CELL)?,
            table: Table::new(config, required(CASE_TABLE)?),
            streams: Streams::new(config),
            bucket: Bucket::new(config, required(EVIDENCE_BUCKET)?),
            queue: Queue::new(config, required(EVIDENCE_QUEUE_URL)?),
        })
    }
}

impl Pause for Preserve {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

impl CaseTable for Preserve {
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
        self.table.fetch_case(case_id).await
    }

    async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
        self.table.put_change(change).await
    }
}

impl PreserveServices for Preserve {
    async fn list_fragments(
        &self,
        stream: &str,
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<Fragment>, StepError> {
        self.streams.list_fragments(stream, start_ms, end_ms).await
    }

    async fn cut_clip(
        &self,
        stream: &str,
        range: Range,
        bytes_max: u64,
    ) -> Result<CutClip, StepError> {
        self.streams.cut_clip(stream, range, bytes_max).await
    }

    async fn fetch_fragments(
        &self,
        stream: &str,
        fragments: &[Fragment],
        bytes_max: u64,
    ) -> Result<Vec<u8>, StepError> {
        self.streams.fetch_fragments(stream, fragments, bytes_max).await
    }

    async fn put_clip(&self, clip: Clip) -> Result<Option<String>, StepError> {
        self.bucket.put_clip(clip).await
    }

    async fn send_evidence(
        &self,
        message: &EvidenceMessage,
        delay_s: i32,
    ) -> Result<(), StepError> {
        self.queue.send_evidence(message, delay_s).await
    }

    fn count(&self, count: Count) {
        telemetry::count(&count, &self.cell);
    }
}

/// The services of `project`.
pub struct Project {
    bucket: Bucket,
}

impl Project {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(Self { bucket: Bucket::new(config, required(ANALYTICS_BUCKET)?) })
    }
}

impl ProjectServices for Project {
    async fn put_rows(&self, rows: &Rows) -> Result<(), StepError> {
        self.bucket.put_rows(rows).await
    }
}

/// The services of `sweep`.
pub struct Sweep {
    cell: String,
    table: Table,
    queue: Queue,
}

impl Sweep {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(Self {
            cell: required(CELL)?,
            table: Table::new(config, required(CASE_TABLE)?),
            queue: Queue::new(config, required(EVIDENCE_QUEUE_URL)?),
        })
    }
}

impl Pause for Sweep {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

impl CaseTable for Sweep {
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
        self.table.fetch_case(case_id).await
    }

    async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
        self.table.put_change(change).await
    }
}

impl SweepServices for Sweep {
    async fn fetch_due(&self, by_ms: i64, after: Option<&Due>) -> Result<Page, StepError> {
        self.table.fetch_due(by_ms, after).await
    }

    async fn send_evidence(
        &self,
        message: &EvidenceMessage,
        delay_s: i32,
    ) -> Result<(), StepError> {
        self.queue.send_evidence(message, delay_s).await
    }

    fn count(&self, count: Count) {
        telemetry::count(&count, &self.cell);
    }
}
