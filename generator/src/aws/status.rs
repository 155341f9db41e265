//! What the board of a cell asks AWS: its stacks, its alarms, who is subscribed, which cameras ail.
//!
//! Nothing is changed. Every call is counted under AWS's name of the operation, a page as a call; what the
//! SDK tries again is not. SNS says of a subscription that waits for its confirmation that its ARN is
//! [`PENDING`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::{Stack, StackDriftStatus, StackStatus};
use aws_sdk_cloudwatch::types::{AlarmType, MetricAlarm, StateValue};
use aws_sdk_sns::error::ProvideErrorMetadata;
use contract::health::AilmentItem;

use super::dynamodb::Table;
use super::{Target, failed};
use crate::deploy::CloudError;
use crate::model::Cell;
use crate::name::CellNames;
use crate::release::RELEASE_DIGEST;
use crate::status::subscribers::Subscription;
use crate::status::{Alarm, AlarmState, Drift, Found, StatusServices};

/// Stands in the place of a subscription's ARN while nobody has confirmed it. Source: SNS API reference,
/// `ListSubscriptionsByTopic`.
const PENDING: &str = "PendingConfirmation";

/// Most pages of a list that are read. Our choice: an account has 2,000 stacks by default, which are 20
/// pages; the alarms of a cell are three.
const PAGES_MAX: usize = 500;

/// One account and region, to be looked at.
#[derive(Debug)]
pub struct Observer {
    cloudformation: aws_sdk_cloudformation::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    sns: aws_sdk_sns::Client,
    table: Table,
    account: String,
    region: String,
    calls: RefCell<BTreeMap<&'static str, u32>>,
}

impl Observer {
    pub async fn connect(target: &Target, cell: &Cell) -> Self {
        let config = target.config().await;
        let client = aws_sdk_dynamodb::Client::new(&config);
        Self {
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            table: Table { client, name: CellNames::new(cell).case_table() },
            account: cell.account.clone(),
            region: cell.region.clone(),
            calls: RefCell::default(),
        }
    }

    fn count(&self, operation: &'static str) {
        *self.calls.borrow_mut().entry(operation).or_default() += 1;
    }
}

impl StatusServices for Observer {
    async fn stacks(&self) -> Result<Vec<Found>, CloudError> {
        let mut stacks = Vec::new();
        let mut pages = self.cloudformation.describe_stacks().into_paginator().send();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(stacks) };
            self.count("DescribeStacks");
            let page = page.map_err(failed("list the stacks"))?;
            stacks.extend(page.stacks().iter().map(found));
        }
        Err(CloudError::other("list the stacks", TooMany))
    }

    async fn alarms(&self, prefix: &str) -> Result<Vec<Alarm>, CloudError> {
        let what = || format!("list the alarms that begin with {prefix}");
        let mut alarms = Vec::new();
        let call = self.cloudwatch.describe_alarms().alarm_name_prefix(prefix);
        let mut pages =
            call.alarm_types(AlarmType::MetricAlarm).max_records(100).into_paginator().send();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(alarms) };
            self.count("DescribeAlarms");
            let page = page.map_err(failed(what()))?;
            alarms.extend(page.metric_alarms().iter().map(alarm));
        }
        Err(CloudError::other(what(), TooMany))
    }

    async fn subscriptions(&self, topic: &str) -> Result<Option<Vec<Subscription>>, CloudError> {
        let what = || format!("list the subscriptions of the topic {topic}");
        let arn =
            format!("arn:{}:sns:{}:{}:{topic}", partition(&self.region), self.region, self.account);
        let mut found = Vec::new();
        let mut pages =
            self.sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator().send();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(Some(found)) };
            self.count("ListSubscriptionsByTopic");
            let page = match page {
                Err(error) if matches!(error.code(), Some("NotFound" | "NotFoundException")) => {
                    return Ok(None);
                }
                page => page.map_err(failed(what()))?,
            };
            found.extend(page.subscriptions().iter().map(|it| Subscription {
                protocol: it.protocol().unwrap_or_default().to_owned(),
                endpoint: it.endpoint().unwrap_or_default().to_owned(),
                is_confirmed: it.subscription_arn() != Some(PENDING),
            }));
        }
        Err(CloudError::other(what(), TooMany))
    }

    async fn ailments(&self, store: &str) -> Result<Vec<AilmentItem>, CloudError> {
        self.count("Query");
        self.table.fetch_ailments(store).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn calls(&self) -> BTreeMap<&'static str, u32> {
        self.calls.borrow().clone()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it has more than {PAGES_MAX} pages")]
struct TooMany;

/// The partition of a region. Source: AWS General Reference, "Amazon Resource Names".
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// A stack as the list of stacks tells it.
fn found(stack: &Stack) -> Found {
    let owned = |it: Option<&str>| it.unwrap_or_default().to_owned();
    let digest = stack.outputs().iter().find(|it| it.output_key() == Some(RELEASE_DIGEST));
    let moment = stack.last_updated_time().or(stack.creation_time());
    Found {
        name: owned(stack.stack_name()),
        status: owned(stack.stack_status().map(StackStatus::as_str)),
        reason: owned(stack.stack_status_reason()),
        digest: digest.and_then(|it| it.output_value()).map(str::to_owned),
        deployed_ms: moment.and_then(|it| it.to_millis().ok()),
        drift: drift(stack),
        parameters: stack
            .parameters()
            .iter()
            .map(|it| (owned(it.parameter_key()), owned(it.parameter_value())))
            .collect(),
        tags: stack.tags().iter().map(|it| (owned(it.key()), owned(it.value()))).collect(),
    }
}

fn drift(stack: &Stack) -> Drift {
    let Some(known) = stack.drift_information() else { return Drift::Unknown };
    let checked = known.last_check_timestamp().and_then(|it| it.to_millis().ok());
    match known.stack_drift_status() {
        Some(StackDriftStatus::Drifted) => Drift::Drifted(checked),
        Some(StackDriftStatus::InSync) => Drift::None(checked),
        _ => Drift::Unknown,
    }
}

fn alarm(alarm: &MetricAlarm) -> Alarm {
    Alarm {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        state: match alarm.state_value() {
            Some(StateValue::Ok) => AlarmState::Ok,
            Some(StateValue::Alarm) => AlarmState::Alarm,
            _ => AlarmState::Unknown,
        },
        since_ms: alarm.state_updated_timestamp().and_then(|it| it.to_millis().ok()),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
    }
}
