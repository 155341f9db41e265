//! SNS: alerts on a store's topic.
//!
//! One message has a text for each channel, and the attributes that subscriptions filter by. Who is
//! subscribed is not known here.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use casework::respond::Alert;
use casework::step::StepError;

use super::{AnswerError, failure};

/// The alert topics of a cell's stores.
pub(super) struct Topics {
    client: Client,
}

impl Topics {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    pub(super) async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        let step = "publish an alert on";
        let audiences = serde_json::json!(alert.audiences).to_string();
        let mut call = self
            .client
            .publish()
            .topic_arn(&alert.topic)
            .subject(&alert.texts.subject)
            .message_structure("json")
            .message(alert.texts.message())
            .message_attributes(Alert::AUDIENCES, attribute(alert, "String.Array", audiences)?);
        for (name, value) in &alert.attributes {
            call = call.message_attributes(*name, attribute(alert, "String", value.clone())?);
        }
        let answer = call.send().await.map_err(|error| failure(step, &alert.topic, error))?;
        let lacks = || StepError::retryable(step, &alert.topic, AnswerError::Lacks("message id"));
        answer.message_id.ok_or_else(lacks)
    }
}

fn attribute(
    alert: &Alert,
    data_type: &str,
    value: String,
) -> Result<MessageAttributeValue, StepError> {
    let attribute = MessageAttributeValue::builder().data_type(data_type).string_value(value);
    attribute
        .build()
        .map_err(|error| StepError::permanent("publish an alert on", &alert.topic, error))
}
