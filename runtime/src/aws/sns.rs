//! SNS: alerts on a store's topic.
//!
//! One message has a text for each channel, and the attributes that subscriptions filter by. Who is
//! subscribed is not known here.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::operation::publish::builders::PublishFluentBuilder;
use aws_sdk_sns::types::MessageAttributeValue;
use casework::respond::Alert;
use casework::step::StepError;

use super::throttling::Throttled;
use super::{AnswerError, failure};

/// The alert topics of a cell's stores.
pub(super) struct Topics {
    client: Client,
}

impl Topics {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let config = Builder::from(config).retry_classifier(Throttled).build();
        Self { client: Client::from_conf(config) }
    }

    pub(super) async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        let step = "publish an alert on";
        let call = self.call(alert)?;
        let answer = call.send().await.map_err(|error| failure(step, &alert.topic, error))?;
        let lacks = || StepError::retryable(step, &alert.topic, AnswerError::Lacks("message id"));
        answer.message_id.ok_or_else(lacks)
    }

    fn call(&self, alert: &Alert) -> Result<PublishFluentBuilder, StepError> {
        let audiences = serde_json::json!(alert.audiences).to_string();
        // SNS refuses the whole message over an empty subject, and sends one without any.
        let subject = Some(&alert.texts.subject).filter(|it| !it.is_empty()).cloned();
        let mut call = self
            .client
            .publish()
            .topic_arn(&alert.topic)
            .set_subject(subject)
            .message_structure("json")
            .message(alert.texts.message())
            .message_attributes(Alert::AUDIENCES, attribute(alert, "String.Array", audiences)?);
        for (name, value) in &alert.attributes {
            call = call.message_attributes(*name, attribute(alert, "String", value.clone())?);
        }
        Ok(call)
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

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use contract::alert::AlertTexts;

    use super::*;

    #[test]
    fn a_message_without_a_subject_is_published_without_one() {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let topics = Topics::new(&config);
        for (subject, expected) in
            [("", None), ("High-Priority Alert", Some("High-Priority Alert"))]
        {
            let texts = AlertTexts {
                subject: subject.to_owned(),
                default: "警報".to_owned(),
                sms: String::new(),
                email: String::new(),
                webhook: String::new(),
                apns: String::new(),
                gcm: String::new(),
            };
            let (topic, audiences) = ("arn".to_owned(), vec!["floor".to_owned()]);
            let alert = Alert { topic, texts, audiences, attributes: vec![] };
            let call = topics.call(&alert).unwrap();
            assert_eq!(call.get_subject().as_deref(), expected);
        }
    }
}
