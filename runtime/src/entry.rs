//! The entry point: Lambda's events in, steps, and what Lambda must deliver again out.
//!
//! Every failure of a message is logged here and nowhere else. A message that cannot be read is a failure like
//! any other: the queue moves it to its dead-letter queue. A window that shows nothing is not logged:
//! a cell has tens of millions of them a day, and what is missing or late in one has its metric's line.

use std::collections::HashMap;

use casework::incident::{self, RoutedDetection};
use casework::respond::{self, Responded};
use casework::step::StepError;
use contract::case::{CaseItem, SK_CASE};
use contract::evidence::EvidenceMessage;
use contract::incident::IncidentMessage;
use contract::sweep::SweepInput;
use contract::watch::WatchInput;
use contract::window::WindowMessage;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::analyze::Analyzed;
use crate::aws::{self, functions};
use crate::row::Record;
use crate::settings::{self, Function};
use crate::telemetry::{self, Subject};
use crate::{analyze, clock, dispatch, preserve, project, sweep};

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error("it is not what its queue holds")]
    Json(#[from] serde_json::Error),
    #[error("its version is {0}, and this release reads up to {max}", max = contract::VERSION)]
    Newer(u64),
}

/// A batch of messages as Lambda hands it over.
#[derive(Debug, Deserialize)]
struct Messages {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "messageId")]
    id: String,
    body: String,
    #[serde(default)]
    attributes: MessageAttributes,
}

#[derive(Debug, Default, Deserialize)]
struct MessageAttributes {
    /// How often the queue handed the message out; a number, as text.
    #[serde(rename = "ApproximateReceiveCount", default)]
    receive_count: String,
    /// When the queue took the message, milliseconds since the epoch; a number, as text.
    #[serde(rename = "SentTimestamp", default)]
    sent_timestamp: String,
}

impl Message {
    /// How often the message was received, this time included.
    fn receive_count(&self) -> u32 {
        self.attributes.receive_count.parse().unwrap_or(1)
    }

    /// When the queue took it, the same at every delivery; `None` when it does not say.
    fn sent_ms(&self) -> Option<i64> {
        self.attributes.sent_timestamp.parse().ok()
    }
}

/// A batch of the case table's stream as Lambda hands it over.
#[derive(Debug, Deserialize)]
struct StreamRecords {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

#[derive(Debug, Deserialize)]
struct StreamRecord {
    dynamodb: StreamChange,
}

#[derive(Debug, Deserialize)]
struct StreamChange {
    #[serde(rename = "SequenceNumber")]
    sequence: String,
    #[serde(rename = "Keys", default)]
    keys: HashMap<String, serde_dynamo::AttributeValue>,
    /// Absent when the item was removed.
    #[serde(rename = "NewImage", default)]
    new_image: HashMap<String, serde_dynamo::AttributeValue>,
}

/// Serves the function that the environment names, until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let function = settings::function()?;
    let config = aws::config().await?;
    match function {
        Function::Dispatch => {
            let services = functions::Dispatch::new(&config)?;
            let services = &services;
            lambda_runtime::run(service_fn(move |event| on_tick(services, event))).await
        }
        Function::Analyze => {
            let services = functions::Analyze::new(&config)?;
            let services = &services;
            lambda_runtime::run(service_fn(move |event| on_windows(services, event))).await
        }
        Function::Respond => {
            let services = functions::Respond::new(&config)?;
            let services = &services;
            lambda_runtime::run(service_fn(move |event| on_incidents(services, event))).await
        }
        Function::Preserve => {
            let services = functions::Preserve::new(&config)?;
            let services = &services;
            lambda_runtime::run(service_fn(move |event| on_requests(services, event))).await
        }
        Function::Project => {
            let services = functions::Project::new(&config)?;
            let services = &services;
            lambda_runtime::run(service_fn(move |event| on_changes(services, event))).await
        }
        Function::Sweep => {
            let services = functions::Sweep::new(&config)?;
            let services = &services;
            lambda_runtime::run(service_fn(move |event| on_sweep(services, event))).await
        }
    }
}

async fn on_tick(
    services: &functions::Dispatch,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    let mut subject =
        Subject { message: Some(event.context.request_id.clone()), ..Subject::default() };
    let input: Result<WatchInput, _> = known(event.payload);
    let result = match input {
        Ok(input) => {
            subject.store = Some(input.store.id.clone());
            dispatch::handle(services, &input, clock::now_ms()).await
        }
        Err(error) => Err(StepError::permanent("read", "the schedule's input", error)),
    };
    note("dispatch", &subject, &result, |windows| format!("{windows} windows"));
    let windows = result.map_err(|error| error.chain())?;
    Ok(json!({ "windows": windows }))
}

async fn on_windows(
    services: &functions::Analyze,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    let mut failed = Vec::new();
    let batch: Messages = batch("analyze", event.payload)?;
    for message in batch.records {
        let mut subject = Subject { message: Some(message.id.clone()), ..Subject::default() };
        let result = match read::<WindowMessage>(&message) {
            Ok(window) => {
                subject.store = Some(window.store.id.clone());
                subject.camera = Some(window.camera.clone());
                subject.window = Some(window.id.clone());
                analyze::handle(services, &window, message.receive_count(), clock::now_ms()).await
            }
            Err(error) => Err(error),
        };
        if is_told(&result) {
            note("analyze", &subject, &result, |analyzed| format!("{analyzed:?}"));
        }
        failed.extend(result.is_err().then_some(message.id));
    }
    Ok(again(failed))
}

/// Whether what became of a window is worth a line: something was seen, or something went wrong.
fn is_told(result: &Result<Analyzed, StepError>) -> bool {
    !matches!(result, Ok(Analyzed::Seen(0)))
}

async fn on_incidents(
    services: &functions::Respond,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    let mut failed = Vec::new();
    let (mut messages, mut detections) = (Vec::new(), Vec::new());
    let now_ms = clock::now_ms();
    let batch: Messages = batch("respond", event.payload)?;
    for message in batch.records {
        match read_incident(&message, now_ms) {
            Ok(detection) => {
                messages.push(message.id);
                detections.push(detection);
            }
            Err(error) => {
                let subject = Subject { message: Some(message.id.clone()), ..Subject::default() };
                telemetry::failed("respond", &subject, &error);
                failed.push(message.id);
            }
        }
    }
    let results = Box::pin(respond::handle(services, &detections, now_ms)).await;
    for ((message, detection), result) in messages.into_iter().zip(&detections).zip(results) {
        let subject = Subject {
            message: Some(message.clone()),
            store: Some(detection.store.id.clone()),
            camera: detection.camera.as_ref().map(|camera| camera.id.clone()),
            window: None,
            case: result.as_ref().ok().map(|responded| responded.case_id.clone()),
        };
        note("respond", &subject, &result, outcome);
        failed.extend(result.is_err().then_some(message));
    }
    Ok(again(failed))
}

/// What a message did to its case, and which cases became part of it.
fn outcome(Responded { action, absorbed, .. }: &Responded) -> String {
    match absorbed.as_slice() {
        [] => format!("{action:?}"),
        absorbed => format!("{action:?}, with what was {}", absorbed.join(", ")),
    }
}

async fn on_requests(
    services: &functions::Preserve,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    let mut failed = Vec::new();
    let batch: Messages = batch("preserve", event.payload)?;
    for message in batch.records {
        let mut subject = Subject { message: Some(message.id.clone()), ..Subject::default() };
        let result = match read::<EvidenceMessage>(&message) {
            Ok(request) => {
                subject.store = Some(request.store.clone());
                subject.camera = Some(request.camera.clone());
                subject.case = Some(request.case_id.clone());
                Box::pin(preserve::handle(services, &request, clock::now_ms())).await
            }
            Err(error) => Err(error),
        };
        note("preserve", &subject, &result, |preserved| format!("{preserved:?}"));
        failed.extend(result.is_err().then_some(message.id));
    }
    Ok(again(failed))
}

async fn on_changes(
    services: &functions::Project,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    let subject = Subject { message: Some(event.context.request_id), ..Subject::default() };
    let mut records = Vec::new();
    let mut unread = None;
    let batch: StreamRecords = batch("project", event.payload)?;
    for StreamRecord { dynamodb } in batch.records {
        let sequence = dynamodb.sequence.clone();
        match read_case(dynamodb) {
            Ok(case) => records.extend(case.map(|case| Record { sequence, case })),
            // What comes after it is delivered again with it.
            Err(error) => {
                unread = Some((sequence, error));
                break;
            }
        }
    }
    let interrupted = project::handle(services, &records).await.err();
    let interrupted = interrupted.map(|it| (it.sequence, it.error)).or(unread);
    let Some((sequence, error)) = interrupted else {
        telemetry::done("project", &subject, &format!("{} rows", records.len()));
        return Ok(again(Vec::new()));
    };
    telemetry::failed("project", &subject, &error);
    Ok(again(vec![sequence]))
}

/// A case that fails is logged by itself and fails the tick, so that somebody is told.
async fn on_sweep(services: &functions::Sweep, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let subject = Subject { message: Some(event.context.request_id), ..Subject::default() };
    let result = match known::<SweepInput>(event.payload) {
        Ok(_) => sweep::handle(services, clock::now_ms()).await,
        Err(error) => Err(StepError::permanent("read", "the schedule's input", error)),
    };
    note("sweep", &subject, &result, |it| {
        let more = if it.is_more { ", more are due" } else { "" };
        format!("{} cases, {} asked for, {} given up{more}", it.looked, it.asked, it.given_up)
    });
    let swept = result.map_err(|error| error.chain())?;
    for error in &swept.failed {
        telemetry::failed("sweep", &subject, error);
    }
    match swept.failed.len() {
        0 => Ok(json!({ "asked": swept.asked, "given_up": swept.given_up })),
        failed => Err(format!("{failed} overdue cases could not be looked at").into()),
    }
}

/// Reads a batch; one that has not Lambda's shape fails whole.
fn batch<T: DeserializeOwned>(function: &str, payload: Value) -> Result<T, Error> {
    serde_json::from_value(payload).map_err(|error| {
        let error = StepError::permanent("read", "the batch", error);
        telemetry::failed(function, &Subject::default(), &error);
        Error::from(error)
    })
}

fn read<T: DeserializeOwned>(message: &Message) -> Result<T, StepError> {
    let error = |error| StepError::permanent("read", "the message", error);
    known(serde_json::from_str(&message.body).map_err(MessageError::from).map_err(error)?)
        .map_err(error)
}

/// Reads a message of a version that this release knows.
fn known<T: DeserializeOwned>(message: Value) -> Result<T, MessageError> {
    match message.get("version").and_then(Value::as_u64) {
        Some(version) if version > u64::from(contract::VERSION) => {
            Err(MessageError::Newer(version))
        }
        _ => Ok(serde_json::from_value(message)?),
    }
}

fn read_incident(message: &Message, now_ms: i64) -> Result<RoutedDetection, StepError> {
    let sent_ms = message.sent_ms().unwrap_or(now_ms);
    let read = incident::read(read::<IncidentMessage>(message)?, sent_ms);
    read.map_err(|error| StepError::permanent("read", "the message", error))
}

/// The case of a record; `None` when the record is about something else, or a removal.
fn read_case(change: StreamChange) -> Result<Option<CaseItem>, StepError> {
    let is = |key: &str, matches: &dyn Fn(&str) -> bool| match change.keys.get(key) {
        Some(serde_dynamo::AttributeValue::S(value)) => matches(value),
        _ => false,
    };
    let is_case = is("pk", &|pk| pk.starts_with("CASE#")) && is("sk", &|sk| sk == SK_CASE);
    if !is_case || change.new_image.is_empty() {
        return Ok(None);
    }
    let case = serde_dynamo::from_item(change.new_image);
    case.map(Some).map_err(|error| StepError::permanent("read", "the record", error))
}

/// Logs what became of a message.
fn note<T>(
    function: &str,
    subject: &Subject,
    result: &Result<T, StepError>,
    outcome: impl Fn(&T) -> String,
) {
    match result {
        Ok(done) => telemetry::done(function, subject, &outcome(done)),
        Err(error) => telemetry::failed(function, subject, error),
    }
}

/// What Lambda must deliver again.
fn again(ids: Vec<String>) -> Value {
    let failures: Vec<_> = ids.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}

#[cfg(test)]
mod tests {
    use casework::case;
    use casework::incident::example::detection;
    use contract::priority::Priority;

    use super::*;

    /// The case that is read from a record with these keys, or the error.
    fn check(pk: &str, sk: &str, image: &Value) -> Result<Option<String>, String> {
        let record = json!({
            "Records": [{
                "eventID": "1",
                "eventName": "MODIFY",
                "dynamodb": {
                    "Keys": { "pk": { "S": pk }, "sk": { "S": sk } },
                    "NewImage": image,
                    "SequenceNumber": "100",
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
            }],
        });
        let StreamRecords { records } = serde_json::from_value(record).unwrap();
        let [record] = records.try_into().unwrap();
        let case = read_case(record.dynamodb).map_err(|error| error.chain())?;
        Ok(case.map(|case| case.case_id))
    }

    #[test]
    fn a_record_of_a_case_is_read_and_others_are_passed_over() {
        let case = case::open(&detection(100, Priority::High), None, "evidence", 0).case;
        let image: serde_dynamo::Item = serde_dynamo::to_item(&case).unwrap();
        let image = serde_json::to_value(image).unwrap();
        assert_eq!(check(&case.pk, "META", &image), Ok(Some(case.case_id.clone())));
        assert_eq!(check(&case.pk, "EVENT#000001", &image), Ok(None));
        assert_eq!(check("GUARD#s#c#e", "GUARD", &image), Ok(None));
        assert_eq!(check(&case.pk, "META", &json!({})), Ok(None), "removed");
    }

    #[test]
    fn a_case_that_cannot_be_read_is_a_failure() {
        let image = json!({ "pk": { "S": "CASE#1" }, "sk": { "S": "META" } });
        let error = "cannot read the record: missing field `case_id`".to_owned();
        assert_eq!(check("CASE#1", "META", &image), Err(error));
    }

    #[test]
    fn messages_are_read_from_a_batch_as_lambda_gives_it() {
        let batch = json!({
            "Records": [{
                "messageId": "m-1", "body": "{}", "eventSource": "aws:sqs",
                "attributes": { "ApproximateReceiveCount": "2", "SentTimestamp": "1" },
            }],
        });
        let Messages { records } = serde_json::from_value(batch).unwrap();
        assert_eq!((records[0].receive_count(), records[0].sent_ms()), (2, Some(1)));
        let error = read::<EvidenceMessage>(&records[0]).unwrap_err().chain();
        let expected = "cannot read the message: it is not what its queue holds: \
                        missing field `version`";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_message_of_a_later_release_is_refused() {
        let message = Message {
            id: "m-1".to_owned(),
            body: json!({ "version": contract::VERSION + 1 }).to_string(),
            attributes: MessageAttributes::default(),
        };
        let error = read::<WindowMessage>(&message).unwrap_err();
        let expected = "cannot read the message: its version is 2, and this release reads up to 1";
        assert_eq!((error.chain(), error.retryable), (expected.to_owned(), false));
    }

    #[test]
    fn a_window_in_which_nothing_was_seen_has_no_line_and_every_other_has() {
        assert!(!is_told(&Ok(Analyzed::Seen(0))));
        for analyzed in [Analyzed::Seen(1), Analyzed::WithoutVideo, Analyzed::Skipped] {
            assert!(is_told(&Ok(analyzed)), "{analyzed:?}");
        }
        assert!(is_told(&Err(StepError::retryable("read", "the message", "busy"))));
    }

    #[test]
    fn what_must_come_again_is_named() {
        let expected = json!({ "batchItemFailures": [{ "itemIdentifier": "m-1" }] });
        assert_eq!(again(vec!["m-1".to_owned()]), expected);
        assert_eq!(again(Vec::new()), json!({ "batchItemFailures": [] }));
    }
}
