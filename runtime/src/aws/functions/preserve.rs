//! What `preserve` needs of AWS: the case table, video, the evidence bucket, the queue of its requests.
//!
//! It decides nothing: each method is one step of one service, and `preserve` above says what follows.
//! To let `preserve` do more, begin at `PreserveServices`.

use std::time::Duration;

use aws_config::SdkConfig;
use casework::case::Change;
use casework::case_table::{CaseTable, Written};
use casework::evidence::Range;
use casework::fragment::Fragment;
use casework::step::{Pause, StepError};
use contract::case::CaseItem;
use contract::evidence::EvidenceMessage;
use contract::settings::{CASE_TABLE, CELL, EVIDENCE_BUCKET, EVIDENCE_QUEUE_URL};

use crate::aws::dynamodb::Table;
use crate::aws::kinesis_video::Streams;
use crate::aws::s3::Bucket;
use crate::aws::sqs::Queue;
use crate::metric::Count;
use crate::preserve::{Clip, CutClip, PreserveServices};
use crate::settings::{SettingsError, required};
use crate::telemetry;

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
