//! What finding drift asks CloudFormation: a detection of a stack, how it stands, what differs.
//!
//! A refusal of a detection ("does not exist", "is in `ROLLBACK_COMPLETE` state") is CloudFormation's
//! `ValidationError`, and is told as it stands.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{
    DifferenceType, PropertyDifference, StackDriftDetectionStatus, StackDriftStatus,
    StackResourceDrift, StackResourceDriftStatus,
};

use super::stop::Stop;
use super::{Target, failed};
use crate::deploy::CloudError;
use crate::drift::{Difference, DriftServices, Looked, Resource};

/// Most pages of one stack's differences. Our choice: 500 resources are five.
const PAGES_MAX: usize = 50;

/// The stacks of some cells.
#[derive(Debug)]
pub struct Detector {
    clients: Vec<Client>,
    stop: Stop,
}

impl Detector {
    /// One target for each cell.
    pub async fn connect(targets: &[Target]) -> Self {
        let mut clients = Vec::new();
        for target in targets {
            clients.push(Client::new(&target.config().await));
        }
        Self { clients, stop: Stop::default() }
    }

    /// From now on Ctrl-C and SIGTERM stop the asking between two calls; see [`Stop::hear`].
    pub async fn hear_signals(&self) {
        self.stop.hear().await;
    }

    fn client(&self, cell: usize) -> &Client {
        self.clients.get(cell).expect("every cell has its target")
    }
}

impl DriftServices for Detector {
    async fn start(&self, cell: usize, stack: &str) -> Result<Result<String, String>, CloudError> {
        match self.client(cell).detect_stack_drift().stack_name(stack).send().await {
            Ok(answer) => Ok(Ok(answer.stack_drift_detection_id().unwrap_or_default().to_owned())),
            Err(error) if error.code() == Some("ValidationError") => {
                Ok(Err(error.message().unwrap_or("it gives no reason").to_owned()))
            }
            Err(error) => Err(failed(format!("ask for the drift of the stack {stack}"))(error)),
        }
    }

    async fn look(&self, cell: usize, detection: &str) -> Result<Looked, CloudError> {
        let request = self.client(cell).describe_stack_drift_detection_status();
        let answer = request.stack_drift_detection_id(detection).send().await;
        let answer = answer.map_err(failed(format!("look at the drift detection {detection}")))?;
        let reason = answer.detection_status_reason().unwrap_or("it gives no reason");
        Ok(match (answer.detection_status(), answer.stack_drift_status()) {
            (Some(StackDriftDetectionStatus::DetectionInProgress), _) => Looked::Working,
            (
                Some(StackDriftDetectionStatus::DetectionComplete),
                Some(StackDriftStatus::InSync),
            ) => Looked::Same,
            (
                Some(StackDriftDetectionStatus::DetectionComplete),
                Some(StackDriftStatus::Drifted),
            ) => Looked::Drifted,
            _ => Looked::Failed(reason.to_owned()),
        })
    }

    async fn differences(&self, cell: usize, stack: &str) -> Result<Vec<Resource>, CloudError> {
        let what = || format!("read what differs in the stack {stack}");
        let mut found = Vec::new();
        let mut pages = self
            .client(cell)
            .describe_stack_resource_drifts()
            .stack_name(stack)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Modified)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Deleted)
            .into_paginator()
            .send();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(found) };
            let page = page.map_err(failed(what()))?;
            found.extend(page.stack_resource_drifts().iter().map(resource));
        }
        Err(CloudError::other(what(), TooMany))
    }

    async fn pause(&self, time: Duration) {
        self.stop.pause(time).await;
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_asked()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it has more than {PAGES_MAX} pages")]
struct TooMany;

fn resource(drift: &StackResourceDrift) -> Resource {
    let owned = |it: Option<&str>| it.unwrap_or_default().to_owned();
    Resource {
        logical_id: owned(drift.logical_resource_id()),
        physical_id: owned(drift.physical_resource_id()),
        resource_type: owned(drift.resource_type()),
        is_gone: drift.stack_resource_drift_status() == Some(&StackResourceDriftStatus::Deleted),
        differences: drift.property_differences().iter().map(difference).collect(),
    }
}

fn difference(difference: &PropertyDifference) -> Difference {
    let owned = |it: Option<&str>| it.map(str::to_owned);
    let kind = difference.difference_type();
    Difference {
        path: difference.property_path().unwrap_or_default().to_owned(),
        expected: owned(difference.expected_value()).filter(|_| kind != Some(&DifferenceType::Add)),
        actual: owned(difference.actual_value()).filter(|_| kind != Some(&DifferenceType::Remove)),
    }
}
