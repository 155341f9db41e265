//! Kinesis Video's control plane: streams, their retention and tags, and data endpoints. Pure.
//!
//! Streams are ACTIVE at once; AWS takes a moment. Source of shapes and limits: the API model
//! `kinesisvideo` (2017-09-30).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws_error::AwsError;
use crate::state::{Reply, Request, json_seconds};
use crate::stream::Stream;

/// Longest retention in hours (10 years). Source: the resource schema of `AWS::KinesisVideo::Stream`.
const RETENTION_HOURS_MAX: u32 = 87_600;

/// Tags of a stream at most. Source: API reference, `TagStream`.
const TAGS_MAX: usize = 50;

/// What `GetDataEndpoint` may be asked for. Source: the API model.
const API_NAMES: [&str; 8] = [
    "PUT_MEDIA",
    "GET_MEDIA",
    "LIST_FRAGMENTS",
    "GET_MEDIA_FOR_FRAGMENT_LIST",
    "GET_HLS_STREAMING_SESSION_URL",
    "GET_DASH_STREAMING_SESSION_URL",
    "GET_CLIP",
    "GET_IMAGES",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateStream {
    stream_name: String,
    device_name: Option<String>,
    media_type: Option<String>,
    kms_key_id: Option<String>,
    #[serde(default)]
    data_retention_in_hours: u32,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub fn create_stream(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: CreateStream = request.read()?;
    let name = input.stream_name;
    let valid = |it: char| it.is_ascii_alphanumeric() || "_.-".contains(it);
    if name.is_empty() || name.len() > 256 || !name.chars().all(valid) {
        return Err(AwsError::invalid_argument(format!("StreamName `{name}` is not valid.")));
    }
    if input.data_retention_in_hours > RETENTION_HOURS_MAX {
        return Err(AwsError::invalid_argument("DataRetentionInHours is above 87600."));
    }
    check_tags(&input.tags)?;
    if request.state.streams.contains_key(&name) {
        return Err(AwsError::in_use(format!("The stream {name} already exists.")));
    }
    let settings = &request.state.settings;
    let (region, account, now_ms) = (&settings.region, &settings.account, request.now_ms);
    let arn = format!("arn:aws:kinesisvideo:{region}:{account}:stream/{name}/{now_ms}");
    let mut stream = Stream::new(name.clone(), arn.clone(), now_ms, input.data_retention_in_hours);
    stream.media_type = input.media_type;
    stream.device_name = input.device_name;
    stream.kms_key_id = input.kms_key_id;
    stream.tags = input.tags;
    request.state.streams.insert(name, stream);
    Ok(Reply::Json(json!({ "StreamARN": arn })))
}

pub fn describe_stream(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let stream = request.stream()?;
    Ok(Reply::Json(json!({ "StreamInfo": info(stream) })))
}

fn info(stream: &Stream) -> Value {
    let kms_key_id = stream.kms_key_id.as_deref().unwrap_or("alias/aws/kinesisvideo");
    let fields = [
        ("DeviceName", stream.device_name.as_ref().map(|it| json!(it))),
        ("StreamName", Some(json!(stream.name))),
        ("StreamARN", Some(json!(stream.arn))),
        ("MediaType", stream.media_type.as_ref().map(|it| json!(it))),
        ("KmsKeyId", Some(json!(kms_key_id))),
        ("Version", Some(json!(version(stream)))),
        ("Status", Some(json!("ACTIVE"))),
        ("CreationTime", Some(json!(json_seconds(stream.created_ms)))),
        ("DataRetentionInHours", Some(json!(stream.retention_hours))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Letters and digits that change with the stream.
fn version(stream: &Stream) -> String {
    format!("v{:019}", stream.version)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteStream {
    current_version: Option<String>,
}

pub fn delete_stream(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: DeleteStream = request.read()?;
    let stream = request.stream()?;
    if input.current_version.is_some_and(|it| it != version(stream)) {
        return Err(AwsError::version_mismatch());
    }
    let name = stream.name.clone();
    request.state.streams.remove(&name);
    Ok(Reply::Json(json!({})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListStreams {
    max_results: Option<usize>,
    /// The name of the last stream of the page before; AWS's is opaque.
    next_token: Option<String>,
    stream_name_condition: Option<StreamNameCondition>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamNameCondition {
    comparison_operator: Option<String>,
    comparison_value: Option<String>,
}

pub fn list_streams(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: ListStreams = request.read()?;
    let limit = input.max_results.unwrap_or(10_000);
    let condition = input.stream_name_condition;
    if condition.as_ref().is_some_and(|it| {
        it.comparison_operator.as_deref().is_some_and(|operator| operator != "BEGINS_WITH")
    }) {
        return Err(AwsError::invalid_argument("ComparisonOperator must be BEGINS_WITH."));
    }
    if !(1..=10_000).contains(&limit) {
        return Err(AwsError::invalid_argument("MaxResults must be between 1 and 10000."));
    }
    let prefix = condition.and_then(|it| it.comparison_value).unwrap_or_default();
    let after = input.next_token.unwrap_or_default();
    let mut found: Vec<_> = request
        .state
        .streams
        .values()
        .filter(|it| it.name.starts_with(&prefix) && (after.is_empty() || it.name > after))
        .take(limit + 1)
        .collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let token = found.last().filter(|_| more).map(|it| &it.name);
    let streams: Vec<_> = found.iter().map(|it| info(it)).collect();
    Ok(Reply::Json(json!({ "StreamInfoList": streams, "NextToken": token })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateDataRetention {
    current_version: String,
    operation: RetentionOperation,
    data_retention_change_in_hours: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RetentionOperation {
    IncreaseDataRetention,
    DecreaseDataRetention,
}

pub fn update_data_retention(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: UpdateDataRetention = request.read()?;
    let stream = request.stream()?;
    if input.current_version != version(stream) {
        return Err(AwsError::version_mismatch());
    }
    let change = input.data_retention_change_in_hours;
    let hours = match input.operation {
        RetentionOperation::IncreaseDataRetention => stream.retention_hours.checked_add(change),
        RetentionOperation::DecreaseDataRetention => stream.retention_hours.checked_sub(change),
    };
    match hours.filter(|it| change > 0 && *it <= RETENTION_HOURS_MAX) {
        Some(hours) => stream.retention_hours = hours,
        None => return Err(AwsError::invalid_argument("The retention would be out of range.")),
    }
    stream.version += 1;
    Ok(Reply::Json(json!({})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagStream {
    tags: BTreeMap<String, String>,
}

pub fn tag_stream(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: TagStream = request.read()?;
    let stream = request.stream()?;
    let mut tags = stream.tags.clone();
    tags.extend(input.tags);
    check_tags(&tags)?;
    stream.tags = tags;
    Ok(Reply::Json(json!({})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagStream {
    tag_key_list: Vec<String>,
}

pub fn untag_stream(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: UntagStream = request.read()?;
    request.stream()?.tags.retain(|key, _| !input.tag_key_list.contains(key));
    Ok(Reply::Json(json!({})))
}

pub fn list_tags_for_stream(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let stream = request.stream()?;
    Ok(Reply::Json(json!({ "Tags": stream.tags })))
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if tags.len() > TAGS_MAX {
        let message = "A stream has at most 50 tags.";
        return Err(AwsError::too_many_tags(message));
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct GetDataEndpoint {
    #[serde(rename = "APIName")]
    api_name: String,
}

pub fn get_data_endpoint(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: GetDataEndpoint = request.read()?;
    if !API_NAMES.contains(&input.api_name.as_str()) {
        let name = input.api_name;
        return Err(AwsError::invalid_argument(format!("APIName `{name}` is not valid.")));
    }
    request.stream()?;
    let state = &request.state;
    let endpoint = state.settings.data_endpoint.as_ref().unwrap_or(&state.url);
    Ok(Reply::Json(json!({ "DataEndpoint": endpoint })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Call, Settings, State};

    type Operation = fn(&mut Request<'_>) -> Result<Reply, AwsError>;

    fn state() -> State {
        let mut state = State::new(Settings::default(), "http://127.0.0.1:1".to_owned());
        run(&mut state, create_stream, json!({ "StreamName": "cam", "DataRetentionInHours": 24 }));
        state
    }

    /// The answer, or the error's code.
    fn run(state: &mut State, operation: Operation, input: Value) -> Value {
        let mut call = Call::default();
        match operation(&mut Request { state, input, now_ms: 1_000, call: &mut call }) {
            Ok(Reply::Json(value)) => value,
            Ok(Reply::Media { .. }) => json!("media"),
            Err(error) => json!(error.code),
        }
    }

    #[test]
    fn a_stream_is_made_once_described_and_deleted() {
        let mut state = state();
        let arn = "arn:aws:kinesisvideo:us-west-2:123456789012:stream/cam/1000";
        let name = json!({ "StreamName": "cam" });
        assert_eq!(run(&mut state, create_stream, name.clone()), "ResourceInUseException");
        assert_eq!(
            run(&mut state, describe_stream, json!({ "StreamARN": arn })),
            json!({ "StreamInfo": {
                "StreamName": "cam",
                "StreamARN": arn,
                "Version": "v0000000000000000001",
                "Status": "ACTIVE",
                "CreationTime": 1.0,
                "DataRetentionInHours": 24,
                "KmsKeyId": "alias/aws/kinesisvideo",
            }})
        );
        assert_eq!(run(&mut state, delete_stream, json!({ "StreamARN": arn })), json!({}));
        assert_eq!(run(&mut state, describe_stream, name), "ResourceNotFoundException");
    }

    #[test]
    fn wrong_input_is_an_invalid_argument() {
        let mut state = state();
        let wrong = "InvalidArgumentException";
        assert_eq!(run(&mut state, create_stream, json!({ "StreamName": "a b" })), wrong);
        assert_eq!(run(&mut state, create_stream, json!({})), wrong);
        assert_eq!(run(&mut state, describe_stream, json!({})), wrong);
        let input = json!({ "StreamName": "cam", "APIName": "GET_CLIPS" });
        assert_eq!(run(&mut state, get_data_endpoint, input), wrong);
    }

    #[test]
    fn retention_changes_only_for_whoever_knows_the_latest_version() {
        let mut state = state();
        let mut change = |version: &str, operation: &str, hours: u32| {
            let input = json!({
                "StreamName": "cam",
                "CurrentVersion": version,
                "Operation": operation,
                "DataRetentionChangeInHours": hours,
            });
            run(&mut state, update_data_retention, input)
        };
        let (first, second) = ("v0000000000000000001", "v0000000000000000002");
        assert_eq!(change(first, "DECREASE_DATA_RETENTION", 25), "InvalidArgumentException");
        assert_eq!(change(first, "INCREASE_DATA_RETENTION", 24), json!({}));
        assert_eq!(change(first, "INCREASE_DATA_RETENTION", 24), "VersionMismatchException");
        assert_eq!(change(second, "DECREASE_DATA_RETENTION", 48), json!({}));
    }

    #[test]
    fn streams_are_listed_in_pages() {
        let mut state = state();
        for name in ["cam-2", "cam-3", "other"] {
            run(&mut state, create_stream, json!({ "StreamName": name }));
        }
        let mut page = |token: Option<&str>| {
            let condition =
                json!({ "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "cam" });
            let input =
                json!({ "MaxResults": 2, "NextToken": token, "StreamNameCondition": condition });
            let answer = run(&mut state, list_streams, input);
            let names: Vec<_> = answer["StreamInfoList"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["StreamName"].as_str().unwrap().to_owned())
                .collect();
            (names.join(" "), answer["NextToken"].as_str().map(str::to_owned))
        };
        assert_eq!(page(None), ("cam cam-2".to_owned(), Some("cam-2".to_owned())));
        assert_eq!(page(Some("cam-2")), ("cam-3".to_owned(), None));
    }

    #[test]
    fn tags_come_and_go() {
        let mut state = state();
        run(&mut state, tag_stream, json!({ "StreamName": "cam", "Tags": { "a": "1", "b": "2" } }));
        run(&mut state, untag_stream, json!({ "StreamName": "cam", "TagKeyList": ["a"] }));
        let tags = run(&mut state, list_tags_for_stream, json!({ "StreamName": "cam" }));
        assert_eq!(tags, json!({ "Tags": { "b": "2" } }));
    }
}
