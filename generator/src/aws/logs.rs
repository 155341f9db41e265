//! What the functions wrote, read out of their log groups with `FilterLogEvents`.
//!
//! A page may be empty and not the last. Pages are bounded: of a search through more, the oldest records
//! are told, and that there are more.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;

use super::stop::Stop;
use super::{Target, failed};
use crate::deploy::CloudError;
use crate::logs::{Ask, Event, Events, LogServices};
use crate::model::Cell;
use crate::name::CellNames;

/// Most pages of one log group, of up to 1 MB each. Our choice: at five calls a second, which AWS allows, a
/// person waits ten seconds.
const PAGES_MAX: usize = 50;

/// The log groups of a cell.
#[derive(Debug)]
pub struct Logs {
    client: Client,
    names: CellNames,
    stop: Stop,
}

impl Logs {
    pub async fn connect(target: &Target, cell: &Cell) -> Self {
        let client = Client::new(&target.config().await);
        Self { client, names: CellNames::new(cell), stop: Stop::default() }
    }

    /// From now on Ctrl-C and SIGTERM end the following between two looks; see [`Stop::hear`].
    pub async fn hear_signals(&self) {
        self.stop.hear().await;
    }
}

impl LogServices for Logs {
    async fn events(&self, ask: &Ask<'_>) -> Result<Option<Events>, CloudError> {
        let group = self.names.log_group(ask.function);
        let mut found = Events::default();
        let call = self.client.filter_log_events().log_group_name(&group);
        let call = call.filter_pattern(ask.pattern).start_time(ask.from_ms);
        let mut pages = call.into_paginator().send();
        for _ in 0..PAGES_MAX {
            let page = match pages.next().await {
                None => return Ok(Some(found)),
                Some(Err(error)) if error.code() == Some("ResourceNotFoundException") => {
                    return Ok(None);
                }
                Some(page) => page.map_err(failed(format!("read the log group {group}")))?,
            };
            found.events.extend(page.events().iter().map(event));
        }
        found.is_cut = true;
        Ok(Some(found))
    }

    async fn pause(&self, time: Duration) {
        self.stop.pause(time).await;
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_asked()
    }
}

fn event(event: &FilteredLogEvent) -> Event {
    Event {
        id: event.event_id().unwrap_or_default().to_owned(),
        at_ms: event.timestamp().unwrap_or_default(),
        message: event.message().unwrap_or_default().to_owned(),
    }
}
