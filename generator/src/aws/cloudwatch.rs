//! `CloudWatch`: the alarms of a cell.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};

use crate::deploy::{Alarm, AlarmState, CloudError, Page};

use super::failed;

pub(super) async fn alarms(
    client: &Client,
    prefix: &str,
    page: Option<String>,
) -> Result<Page<Alarm>, CloudError> {
    let call = client.describe_alarms().alarm_name_prefix(prefix);
    let call = call.alarm_types(AlarmType::MetricAlarm).set_next_token(page);
    let answer = call.send().await.map_err(failed(format!("list the alarms {prefix}*")))?;
    let items = answer.metric_alarms().iter().map(|it| Alarm {
        name: it.alarm_name().unwrap_or_default().to_owned(),
        arn: it.alarm_arn().unwrap_or_default().to_owned(),
        state: match it.state_value() {
            Some(StateValue::Ok) => AlarmState::Ok,
            Some(StateValue::Alarm) => AlarmState::Ringing,
            _ => AlarmState::Unknown,
        },
    });
    Ok(Page { items: items.collect(), next: answer.next_token().map(str::to_owned) })
}
