//! A store's video streams and cases, as `arm destroy` asks for them; its stack is in `aws/recover.rs`.
//!
//! A stream is deleted by its ARN, which holds when it was made: one of the same name that was made
//! since is another. To count other things of a store, add them here.

use std::collections::BTreeMap;

use aws_sdk_kinesisvideo::types::{ComparisonOperator, StreamInfo, StreamNameCondition};

use super::dynamodb::Table;
use super::{Target, failed};
use crate::deploy::CloudError;
use crate::destroy::{DestroyServices, Stream};
use crate::model::Cell;
use crate::name::CellNames;

/// Most pages of streams and tags that are read. Our choice: a page has up to 10,000 streams.
const PAGES_MAX: usize = 50;

/// The streams of an account and region, and the case log of a cell.
#[derive(Debug)]
pub struct Demolition {
    video: aws_sdk_kinesisvideo::Client,
    table: Table,
}

impl Demolition {
    pub async fn connect(target: &Target, cell: &Cell) -> Self {
        let config = target.config().await;
        let client = aws_sdk_dynamodb::Client::new(&config);
        Self {
            video: aws_sdk_kinesisvideo::Client::new(&config),
            table: Table { client, name: CellNames::new(cell).case_table() },
        }
    }
}

impl DestroyServices for Demolition {
    async fn streams(&self, prefix: &str) -> Result<Vec<Stream>, CloudError> {
        let condition = StreamNameCondition::builder()
            .comparison_operator(ComparisonOperator::BeginsWith)
            .comparison_value(prefix)
            .build();
        let call = self.video.list_streams().stream_name_condition(condition);
        let mut pages = call.into_paginator().send();
        let mut streams = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(failed(format!("list the streams {prefix}*")))?;
            streams.extend(page.stream_info_list().iter().map(stream));
        }
        Ok(streams)
    }

    async fn tags(&self, stream: &Stream) -> Result<BTreeMap<String, String>, CloudError> {
        let (mut tags, mut token) = (BTreeMap::new(), None);
        for _ in 0..PAGES_MAX {
            let call = self.video.list_tags_for_stream().stream_arn(&stream.arn);
            let answer = call.set_next_token(token).send().await;
            let answer =
                answer.map_err(failed(format!("read the tags of the stream {}", stream.name)))?;
            tags.extend(answer.tags.unwrap_or_default());
            token = answer.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(tags)
    }

    async fn delete_stream(&self, stream: &Stream) -> Result<(), CloudError> {
        let call = self.video.delete_stream().stream_arn(&stream.arn).send().await;
        call.map(drop).map_err(failed(format!("delete the stream {}", stream.name)))
    }

    async fn count_cases(&self, store: &str) -> Result<u64, CloudError> {
        self.table.count_of_store(store).await
    }
}

fn stream(info: &StreamInfo) -> Stream {
    let hours = info.data_retention_in_hours().unwrap_or_default();
    Stream {
        name: info.stream_name().unwrap_or_default().to_owned(),
        arn: info.stream_arn().unwrap_or_default().to_owned(),
        retention_hours: u64::try_from(hours).unwrap_or_default(),
    }
}
