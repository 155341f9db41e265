//! What `sweep` needs of AWS: the cases whose clip is overdue, and the queue of clip requests.
//!
//! It decides nothing: each method is one call of one service, and `sweep` above says what follows.
//! To let `sweep` do more, begin at `SweepServices`.

use std::time::Duration;

use aws_config::SdkConfig;
use casework::case::Change;
use casework::case_table::{CaseTable, Written};
use casework::step::{Pause, StepError};
use contract::case::CaseItem;
use contract::evidence::EvidenceMessage;
use contract::settings::{CASE_TABLE, CELL, EVIDENCE_QUEUE_URL};

use crate::aws::dynamodb::Table;
use crate::aws::sqs::Queue;
use crate::metric::Count;
use crate::settings::{SettingsError, required};
use crate::sweep::{Due, Page, SweepServices};
use crate::telemetry;

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
