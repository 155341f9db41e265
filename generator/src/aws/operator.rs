//! What operators ask of a cell: its dead letters, its case table, its clips.

use std::cell::RefCell;
use std::collections::HashMap;

use aws_sdk_s3::config::ResponseChecksumValidation;
use contract::case::CaseItem;

use super::dynamodb::Table;
use super::stop::Stop;
use super::{Target, s3, sqs};
use crate::dead_letter::DeadLetters;
use crate::deploy::CloudError;
use crate::model::Cell;
use crate::name::{Bucket, CellNames};
use crate::redrive::{Held, Place, RedriveServices, Written};
use crate::verification::{Clip, Object};
use crate::verify::{Page, Record, Selection, VerifyServices};

/// A cell's queues, table and evidence bucket.
#[derive(Debug)]
pub struct Operator {
    names: CellNames,
    sqs: aws_sdk_sqs::Client,
    /// Addresses of queues by their names.
    urls: RefCell<HashMap<String, String>>,
    table: Table,
    s3: aws_sdk_s3::Client,
    stop: Stop,
}

impl Operator {
    pub async fn connect(target: &Target, cell: &Cell) -> Self {
        let config = target.config().await;
        let names = CellNames::new(cell);
        // An emulator has no host name per bucket.
        let is_emulator = config.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(is_emulator)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        let client = aws_sdk_dynamodb::Client::new(&config);
        Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            urls: RefCell::default(),
            table: Table { client, name: names.case_table() },
            s3: aws_sdk_s3::Client::from_conf(s3),
            stop: Stop::default(),
            names,
        }
    }

    /// From now on Ctrl-C and SIGTERM stop a redrive between two letters; see [`Stop::hear`].
    pub async fn hear_signals(&self) {
        self.stop.hear().await;
    }

    /// The address of a queue, which is asked for once.
    async fn url(&self, name: String) -> Result<String, CloudError> {
        let known = self.urls.borrow().get(&name).cloned();
        if let Some(url) = known {
            return Ok(url);
        }
        let url = sqs::url(&self.sqs, &name).await?;
        self.urls.borrow_mut().insert(name, url.clone());
        Ok(url)
    }

    /// The address of the queue in which dead letters lie.
    async fn dead(&self, queue: DeadLetters) -> Result<String, CloudError> {
        let name = match queue {
            DeadLetters::Undelivered => self.names.queue(queue.as_str()),
            _ => self.names.dead_letter_queue(queue.as_str()),
        };
        self.url(name).await
    }
}

impl RedriveServices for Operator {
    async fn receive(&self, queue: DeadLetters) -> Result<Vec<Held>, CloudError> {
        sqs::receive(&self.sqs, &self.dead(queue).await?).await
    }

    async fn count_hidden(&self, queue: DeadLetters) -> Result<u64, CloudError> {
        sqs::count_hidden(&self.sqs, &self.dead(queue).await?).await
    }

    async fn release(&self, queue: DeadLetters, held: &Held) -> Result<(), CloudError> {
        sqs::release(&self.sqs, &self.dead(queue).await?, held).await
    }

    async fn delete(&self, queue: DeadLetters, held: &Held) -> Result<(), CloudError> {
        sqs::delete(&self.sqs, &self.dead(queue).await?, held).await
    }

    async fn send(&self, queue: DeadLetters, body: &str) -> Result<(), CloudError> {
        let url = self.url(self.names.queue(queue.as_str())).await?;
        sqs::send(&self.sqs, &url, body).await
    }

    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, CloudError> {
        self.table.fetch_case(case_id).await
    }

    async fn fetch_due(
        &self,
        by: &str,
        after: Option<Place>,
    ) -> Result<(Vec<String>, Option<Place>), CloudError> {
        self.table.fetch_due(by, after).await
    }

    async fn note_asked(&self, case: &CaseItem, now: &str) -> Result<bool, CloudError> {
        self.table.note_asked(case, now).await
    }

    async fn fetch_written(
        &self,
        between: (&str, &str),
        after: Option<Place>,
    ) -> Result<(Vec<Written>, Option<Place>), CloudError> {
        self.table.fetch_written(between, after).await
    }

    async fn touch(&self, case_id: &str, now: &str) -> Result<(), CloudError> {
        self.table.touch(case_id, now).await
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_asked()
    }
}

impl VerifyServices for Operator {
    async fn fetch_ids(
        &self,
        selection: &Selection,
        after: Option<Place>,
    ) -> Result<(Page, Option<Place>), CloudError> {
        self.table.fetch_ids(selection, after).await
    }

    async fn fetch_record(&self, case_id: &str) -> Result<Record, CloudError> {
        self.table.fetch_record(case_id).await
    }

    async fn read_clip(&self, clip: &Clip) -> Result<Option<Object>, CloudError> {
        s3::read_clip(&self.s3, &self.names.bucket(Bucket::Evidence), clip).await
    }
}
