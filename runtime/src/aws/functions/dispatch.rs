//! What `dispatch` needs of AWS: the queue of windows, the notes in the case table, the store's topic.
//!
//! Its topic has the short times of `respond`: a notice that hangs must leave time for the others.
//! To let `dispatch` do more, begin at `DispatchServices`.

use std::time::Duration;

use aws_config::SdkConfig;
use casework::respond::Alert;
use casework::step::{Pause, StepError};
use contract::health::AilmentItem;
use contract::settings::{CASE_TABLE, CELL, WINDOWS_QUEUE_URL};

use crate::aws::of_respond;
use crate::aws::sns::Topics;
use crate::aws::sqs::Queue;
use crate::aws::watch_table::WatchTable;
use crate::dispatch::{Delayed, DispatchServices, Removed};
use crate::metric::Count;
use crate::settings::{SettingsError, required};
use crate::telemetry::{self, Subject};

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
