//! SQS: dead letters, and the queues that they go back to.
//!
//! A letter that is received is hidden from others for [`HIDDEN_SECONDS`]; a run that dies loses none,
//! because SQS shows it again then.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use super::failed;
use crate::dead_letter::Letter;
use crate::deploy::CloudError;
use crate::redrive::{Held, NoQueue};

/// How long a letter is hidden, in seconds. Our choice: longer than a run over one queue takes; one
/// that is seen a second time is known.
const HIDDEN_SECONDS: i32 = 600;

/// How long an empty queue is listened to, in seconds. With any time SQS asks all of its servers; without,
/// only some, and a queue may look empty that is not. Source: SQS developer guide, "Short and long polling".
const LISTEN_SECONDS: i32 = 2;

/// Longest time to make one letter visible again. Our choice: a person waits for the report.
const RELEASE_TIME: Duration = Duration::from_secs(10);

/// Most messages of one call. Source: SQS API reference, `ReceiveMessage`.
const MESSAGES_MAX: i32 = 10;

/// The address of a queue.
pub(super) async fn url(client: &Client, name: &str) -> Result<String, CloudError> {
    let answer = client.get_queue_url().queue_name(name).send().await;
    let what = format!("find the queue {name}");
    let answer = match answer {
        Err(error)
            if error.as_service_error().is_some_and(GetQueueUrlError::is_queue_does_not_exist) =>
        {
            return Err(CloudError::other(what, NoQueue));
        }
        answer => answer.map_err(failed(what))?,
    };
    Ok(answer.queue_url.unwrap_or_default())
}

/// How many messages somebody has received and not deleted.
pub(super) async fn count_hidden(client: &Client, url: &str) -> Result<u64, CloudError> {
    let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    let call = client.get_queue_attributes().queue_url(url).attribute_names(hidden.clone());
    let answer = call.send().await.map_err(failed(format!("count the letters of {url}")))?;
    let count = answer.attributes().and_then(|it| it.get(&hidden)).and_then(|it| it.parse().ok());
    Ok(count.unwrap_or_default())
}

pub(super) async fn receive(client: &Client, url: &str) -> Result<Vec<Held>, CloudError> {
    let call = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(MESSAGES_MAX)
        .visibility_timeout(HIDDEN_SECONDS)
        .wait_time_seconds(LISTEN_SECONDS)
        .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
        .message_attribute_names("All");
    let answer = call.send().await.map_err(failed(format!("receive from the queue {url}")))?;
    Ok(answer.messages().iter().map(held).collect())
}

fn held(message: &Message) -> Held {
    let sent =
        message.attributes().and_then(|it| it.get(&MessageSystemAttributeName::SentTimestamp));
    let attributes = message.message_attributes().into_iter().flatten();
    let attributes = attributes
        .filter_map(|(name, value)| Some((name.clone(), value.string_value()?.to_owned())));
    Held {
        letter: Letter {
            id: message.message_id().unwrap_or_default().to_owned(),
            body: message.body().unwrap_or_default().to_owned(),
            attributes: attributes.collect(),
            sent_ms: sent.and_then(|it| it.parse().ok()).unwrap_or_default(),
        },
        receipt: message.receipt_handle().unwrap_or_default().to_owned(),
    }
}

/// Gives up after [`RELEASE_TIME`]: SQS shows the letter by itself later.
pub(super) async fn release(client: &Client, url: &str, held: &Held) -> Result<(), CloudError> {
    let call = client.change_message_visibility().queue_url(url).visibility_timeout(0);
    let call = call.receipt_handle(&held.receipt).send();
    let what = format!("make the letter {} in {url} visible again", held.letter.id);
    match tokio::time::timeout(RELEASE_TIME, call).await {
        Ok(answer) => answer.map(drop).map_err(failed(what)),
        Err(late) => Err(CloudError::other(what, late)),
    }
}

pub(super) async fn delete(client: &Client, url: &str, held: &Held) -> Result<(), CloudError> {
    let call = client.delete_message().queue_url(url).receipt_handle(&held.receipt);
    let what = format!("delete the letter {} from {url}", held.letter.id);
    call.send().await.map(drop).map_err(failed(what))
}

pub(super) async fn send(client: &Client, url: &str, body: &str) -> Result<(), CloudError> {
    let call = client.send_message().queue_url(url).message_body(body);
    call.send().await.map(drop).map_err(failed(format!("send to the queue {url}")))
}
