//! What `analyze` needs of AWS: video, the model, the stores' buses, and the health of cameras.
//!
//! It decides nothing: each method is one call of one service, and `analyze` above says what follows.
//! To let `analyze` do more, begin at `AnalyzeServices`.

use std::time::Duration;

use aws_config::SdkConfig;
use casework::fragment::Fragment;
use casework::step::{Pause, StepError};
use contract::detection::Detection;
use contract::settings::{CASE_TABLE, CELL, ENDPOINT_NAME};
use contract::window::WindowMessage;

use crate::analyze::{AnalyzeServices, Question};
use crate::aws::eventbridge::Buses;
use crate::aws::kinesis_video::Streams;
use crate::aws::sagemaker::Model;
use crate::aws::watch_table::WatchTable;
use crate::health::{Arrival, Clock, Sign};
use crate::metric::Count;
use crate::settings::{SettingsError, required};
use crate::telemetry::{self, Subject};

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
