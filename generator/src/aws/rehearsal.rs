//! What the rehearsal asks of AWS: a subscriber of its own, the case, the clip.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use contract::case::{CaseItem, INDEX_BY_STORE};
use serde_json::Value;

use crate::deploy::CloudError;

use super::dynamodb::object;
use super::{Target, failed};

/// Clients for the rehearsal.
#[derive(Debug)]
pub struct Observer {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
}

/// A message as a subscriber got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub subject: String,
    pub text: String,
}

impl Observer {
    pub async fn connect(target: &Target) -> Self {
        let config = target.config().await;
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sns: aws_sdk_sns::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }

    /// Subscribes a new queue to a topic; returns the queue's URL.
    pub async fn subscribe(&self, topic: &str, queue: &str) -> Result<String, CloudError> {
        let made = self.sqs.create_queue().queue_name(queue).send().await;
        let url = made
            .map_err(failed(format!("create the queue {queue}")))?
            .queue_url
            .unwrap_or_default();
        let arn = QueueAttributeName::QueueArn;
        let asked = self
            .sqs
            .get_queue_attributes()
            .queue_url(&url)
            .attribute_names(arn.clone())
            .send()
            .await;
        let asked = asked.map_err(failed(format!("describe the queue {queue}")))?;
        let arn = asked.attributes().and_then(|it| it.get(&arn)).cloned().unwrap_or_default();
        let subscribed =
            self.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn).send().await;
        subscribed.map_err(failed(format!("subscribe to the topic {topic}")))?;
        Ok(url)
    }

    /// Takes the messages that have arrived.
    pub async fn receive(&self, queue_url: &str) -> Result<Vec<Delivered>, CloudError> {
        let call =
            self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10).send().await;
        let answer = call.map_err(failed("read the subscriber's queue"))?;
        let mut delivered = Vec::new();
        for message in answer.messages() {
            let envelope: Value =
                serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default();
            let text = |key: &str| {
                envelope.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            delivered.push(Delivered { subject: text("Subject"), text: text("Message") });
            let receipt = message.receipt_handle().unwrap_or_default();
            let deleted =
                self.sqs.delete_message().queue_url(queue_url).receipt_handle(receipt).send().await;
            deleted.map_err(failed("delete a message of the subscriber's queue"))?;
        }
        Ok(delivered)
    }

    /// The cases of a store, oldest first.
    pub async fn cases(&self, table: &str, store: &str) -> Result<Vec<CaseItem>, CloudError> {
        let call = self
            .dynamodb
            .query()
            .table_name(table)
            .index_name(INDEX_BY_STORE)
            .key_condition_expression("store_pk = :store")
            .expression_attribute_values(":store", AttributeValue::S(format!("STORE#{store}")));
        let answer =
            call.send().await.map_err(failed(format!("read the cases of the store {store}")))?;
        let read = |item: &_| serde_json::from_value(object(item));
        let cases: Result<Vec<CaseItem>, _> = answer.items().iter().map(read).collect();
        cases.map_err(|error| {
            CloudError::other("read a case, whose shape is not the contract's", error)
        })
    }

    /// The bytes of an object.
    pub async fn fetch(&self, bucket: &str, key: &str) -> Result<Vec<u8>, CloudError> {
        let what = || format!("fetch s3://{bucket}/{key}");
        let answer =
            self.s3.get_object().bucket(bucket).key(key).send().await.map_err(failed(what()))?;
        let bytes =
            answer.body.collect().await.map_err(|error| CloudError::other(what(), error))?;
        Ok(bytes.to_vec())
    }
}
