//! Kinesis Video's archived media: lists of fragments, their media, and clips. Pure.
//!
//! Where AWS promises no order, neither do we: a page of `ListFragments` has its newest fragment
//! first, so that a caller that forgets to sort is found out. What it does not show: that a
//! fragment is listed only some time after it was acknowledged, and limits of fragments a second.

use serde::Deserialize;
use serde_json::json;

use crate::aws_error::AwsError;
use crate::matroska;
use crate::state::{Damage, Reply, Request, json_seconds, milliseconds};
use crate::stream::{Selector, SelectorType};

/// Most fragments of one page, and of one request for media. Source: the API model and Kinesis
/// Video quotas, <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/limits.html>.
pub const FRAGMENTS_MAX: usize = 1_000;

/// Fragments of a page when the caller does not say. Source: API reference, `ListFragments`.
const FRAGMENTS_DEFAULT: usize = 100;

/// Longest stretch of a clip. Source: API reference, `ClipTimestampRange`.
const CLIP_RANGE_MS_MAX: i64 = 24 * 3_600_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListFragments {
    max_results: Option<usize>,
    next_token: Option<String>,
    fragment_selector: Option<SelectorInput>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SelectorInput {
    fragment_selector_type: SelectorType,
    timestamp_range: RangeInput,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RangeInput {
    start_timestamp: f64,
    end_timestamp: f64,
}

impl SelectorInput {
    fn selector(&self) -> Result<Selector, AwsError> {
        let outside = || AwsError::invalid_argument("A timestamp is out of range.");
        let start_ms = milliseconds(self.timestamp_range.start_timestamp).ok_or_else(outside)?;
        let end_ms = milliseconds(self.timestamp_range.end_timestamp).ok_or_else(outside)?;
        if end_ms < start_ms {
            return Err(AwsError::invalid_argument("StartTimestamp must be before EndTimestamp."));
        }
        Ok(Selector { by: self.fragment_selector_type, start_ms, end_ms })
    }
}

/// Where the next page begins, and the range that it goes on with; letters of base64 only.
fn token(selector: Selector, offset: usize) -> String {
    let by = if selector.by == SelectorType::ProducerTimestamp { "P" } else { "S" };
    format!("{by}/{}/{}/{offset}", selector.start_ms, selector.end_ms)
}

fn read_token(token: &str) -> Option<(Selector, usize)> {
    let mut parts = token.split('/');
    let by = match parts.next()? {
        "P" => SelectorType::ProducerTimestamp,
        "S" => SelectorType::ServerTimestamp,
        _ => return None,
    };
    let start_ms = parts.next()?.parse().ok()?;
    let end_ms = parts.next()?.parse().ok()?;
    Some((Selector { by, start_ms, end_ms }, parts.next()?.parse().ok()?))
}

pub fn list_fragments(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: ListFragments = request.read()?;
    let limit = input.max_results.unwrap_or(FRAGMENTS_DEFAULT);
    if !(1..=FRAGMENTS_MAX).contains(&limit) {
        return Err(AwsError::invalid_argument("MaxResults must be between 1 and 1000."));
    }
    let (selector, offset) = match (&input.next_token, &input.fragment_selector) {
        (Some(token), _) => read_token(token)
            .ok_or_else(|| AwsError::invalid_argument("NextToken is not valid."))?,
        (None, Some(selector)) => (selector.selector()?, 0),
        (None, None) => {
            return Err(AwsError::invalid_argument("FragmentSelector or NextToken must be given."));
        }
    };
    request.call.start_ms = Some(selector.start_ms);
    request.call.end_ms = Some(selector.end_ms);
    let now_ms = request.now_ms;
    let found = request.stream()?.select(selector, now_ms);
    let mut page: Vec<_> = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|it| {
            json!({
                "FragmentNumber": it.number,
                "FragmentSizeInBytes": it.bytes,
                "ProducerTimestamp": json_seconds(it.producer_ms()),
                "ServerTimestamp": json_seconds(it.server_ms),
                "FragmentLengthInMilliseconds": it.cluster.length_ms(),
            })
        })
        .collect();
    page.reverse();
    request.call.fragments = Some(page.len());
    let next = offset + page.len();
    let token = (next < found.len()).then(|| token(selector, next));
    Ok(Reply::Json(json!({ "Fragments": page, "NextToken": token })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMediaForFragmentList {
    fragments: Vec<String>,
}

pub fn get_media_for_fragment_list(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: GetMediaForFragmentList = request.read()?;
    if !(1..=FRAGMENTS_MAX).contains(&input.fragments.len()) {
        return Err(AwsError::invalid_argument("Fragments must name 1 to 1000 fragments."));
    }
    let now_ms = request.now_ms;
    let stream = request.stream()?;
    let mut bytes = Vec::new();
    let (mut start_ms, mut end_ms) = (i64::MAX, i64::MIN);
    for number in &input.fragments {
        let found = stream.retained(now_ms).find(|it| it.number == *number);
        let Some(fragment) = found else {
            return Err(AwsError::not_found(format!("The fragment {number} is not found.")));
        };
        start_ms = start_ms.min(fragment.producer_ms());
        end_ms = end_ms.max(fragment.producer_ms() + fragment.cluster.length_ms());
        matroska::write_fragment(&mut bytes, &fragment.cluster);
    }
    request.call.start_ms = Some(start_ms);
    request.call.end_ms = Some(end_ms);
    request.call.fragments = Some(input.fragments.len());
    request.call.bytes = Some(bytes.len());
    let bytes = damaged(bytes, take_damage(request, "GetMediaForFragmentList"));
    Ok(Reply::Media { content_type: "video/webm", bytes })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetClip {
    clip_fragment_selector: SelectorInput,
}

pub fn get_clip(request: &mut Request<'_>) -> Result<Reply, AwsError> {
    let input: GetClip = request.read()?;
    let selector = input.clip_fragment_selector.selector()?;
    request.call.start_ms = Some(selector.start_ms);
    request.call.end_ms = Some(selector.end_ms);
    let now_ms = request.now_ms;
    let damage = take_damage(request, "GetClip");
    let stream = request.stream()?;
    let length_ms = selector.end_ms - selector.start_ms;
    if length_ms == 0 || length_ms > CLIP_RANGE_MS_MAX {
        let message = "EndTimestamp must be later than StartTimestamp, and within 24 hours of it.";
        return Err(AwsError::invalid_argument(message));
    }
    if selector.by == SelectorType::ServerTimestamp && selector.end_ms > now_ms {
        return Err(AwsError::invalid_argument("EndTimestamp must be in the past."));
    }
    let found = stream.select(selector, now_ms).len();
    let fragments_max = if damage == Some(Damage::Short) { found.div_ceil(2) } else { found };
    let bytes = damaged(stream.clip(selector, now_ms, fragments_max)?, damage);
    request.call.bytes = Some(bytes.len());
    Ok(Reply::Media { content_type: "video/mp4", bytes })
}

/// The damage that a test asked for, if this call's media is to have it.
fn take_damage(request: &mut Request<'_>, operation: &str) -> Option<Damage> {
    let stream = request.call.stream.clone();
    request.state.take_damage(operation, stream.as_deref())
}

fn damaged(mut bytes: Vec<u8>, damage: Option<Damage>) -> Vec<u8> {
    if damage == Some(Damage::BreaksOff) {
        bytes.truncate(bytes.len() / 2);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::state::{Call, Settings, State};
    use crate::stream::Stream;

    const START_MS: i64 = 1_763_791_200_000;

    /// A stream on which the whole scene was played.
    fn state() -> State {
        let mut state = State::new(Settings::default(), String::new());
        let stream = Stream::new("cam".to_owned(), "arn".to_owned(), 0, 24);
        state.streams.insert("cam".to_owned(), stream);
        for mut cluster in state.scenes[0].clusters.clone() {
            cluster.timestamp_ms += START_MS;
            let server_ms = cluster.timestamp_ms + 3_000;
            state.ingest("cam", cluster, server_ms, server_ms).unwrap();
        }
        state
    }

    fn run(
        operation: fn(&mut Request<'_>) -> Result<Reply, AwsError>,
        mut input: Value,
    ) -> Result<Reply, &'static str> {
        let (mut state, mut call) = (state(), Call::default());
        input["StreamName"] = json!("cam");
        let now_ms = START_MS + 60_000;
        let mut request = Request { state: &mut state, input, now_ms, call: &mut call };
        operation(&mut request).map_err(|it| it.code)
    }

    fn selector(from_ms: i64, to_ms: i64) -> Value {
        json!({
            "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            "TimestampRange": {
                "StartTimestamp": json_seconds(START_MS + from_ms),
                "EndTimestamp": json_seconds(START_MS + to_ms),
            },
        })
    }

    fn list(input: Value) -> Value {
        match run(list_fragments, input) {
            Ok(Reply::Json(value)) => value,
            other => panic!("a list of fragments, not {other:?}"),
        }
    }

    #[test]
    fn pages_cover_every_fragment_once() {
        let mut starts = Vec::new();
        let mut input = json!({ "MaxResults": 4, "FragmentSelector": selector(0, 60_000) });
        loop {
            let page = list(input);
            let fragments = page["Fragments"].as_array().unwrap();
            starts.push(
                fragments
                    .iter()
                    .map(|it| milliseconds(it["ProducerTimestamp"].as_f64().unwrap()).unwrap())
                    .map(|it| (it - START_MS) / 1_000)
                    .collect::<Vec<_>>(),
            );
            let Some(token) = page["NextToken"].as_str() else { break };
            input = json!({ "MaxResults": 4, "NextToken": token });
        }
        assert_eq!(starts, [vec![6, 4, 2, 0], vec![14, 12, 10, 8], vec![18, 16]]);
    }

    #[test]
    fn a_fragment_is_described_as_aws_does() {
        let page = list(json!({ "FragmentSelector": selector(2_000, 2_000) }));
        let fragment = &page["Fragments"][0];
        assert_eq!(fragment["FragmentNumber"], "91343852333181432392682062000000000000000000002");
        assert_eq!(fragment["ProducerTimestamp"], json_seconds(START_MS + 2_000));
        assert_eq!(fragment["ServerTimestamp"], json_seconds(START_MS + 5_000));
        assert_eq!(fragment["FragmentLengthInMilliseconds"], 2_000);
        let numbers = json!({ "Fragments": [fragment["FragmentNumber"]] });
        let Ok(Reply::Media { bytes, .. }) = run(get_media_for_fragment_list, numbers) else {
            panic!("media");
        };
        assert_eq!(fragment["FragmentSizeInBytes"], bytes.len());
    }

    #[test]
    fn the_media_of_fragments_is_matroska_with_the_tags_of_kinesis_video() {
        let page = list(json!({ "FragmentSelector": selector(2_000, 4_000) }));
        let numbers: Vec<_> = page["Fragments"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(|it| it["FragmentNumber"].clone())
            .collect();
        let media = run(get_media_for_fragment_list, json!({ "Fragments": numbers }));
        let Ok(Reply::Media { bytes, .. }) = media else { panic!("media") };
        let clusters = matroska::read(&bytes).unwrap();
        let tags: Vec<_> = clusters
            .iter()
            .map(|it| {
                (it.timestamp_ms - START_MS, it.tag("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP").unwrap())
            })
            .collect();
        assert_eq!(tags, [(2_000, "1763791202.000"), (4_000, "1763791204.000")]);
        assert!(
            clusters.iter().all(|it| it.frames.len() == 30 && it.track.codec_private.is_some())
        );
    }

    #[test]
    fn a_fragment_that_is_gone_is_not_found() {
        let outcome = run(get_media_for_fragment_list, json!({ "Fragments": ["1"] }));
        assert_eq!(outcome, Err("ResourceNotFoundException"));
    }

    #[test]
    fn a_clip_holds_the_fragments_that_start_in_the_range() {
        let clip = |from_ms, to_ms| {
            let input = json!({ "ClipFragmentSelector": selector(from_ms, to_ms) });
            match run(get_clip, input) {
                Ok(Reply::Media { content_type: "video/mp4", bytes }) => {
                    let at = bytes.windows(4).position(|it| it == b"mvhd").unwrap() + 20;
                    Ok(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()))
                }
                Ok(other) => panic!("a clip, not {other:?}"),
                Err(code) => Err(code),
            }
        };
        assert_eq!(clip(1, 9_000), Ok(8_000));
        assert_eq!(clip(2_000, 8_000), Ok(8_000));
        assert_eq!(clip(18_001, 40_000), Err("ResourceNotFoundException"));
        assert_eq!(clip(5_000, 5_000), Err("InvalidArgumentException"));
        assert_eq!(clip(0, 25 * 3_600_000), Err("InvalidArgumentException"));
        assert_eq!(clip(5_000, 4_000), Err("InvalidArgumentException"));
    }

    #[test]
    fn wrong_lists_are_invalid_arguments() {
        for input in [
            json!({}),
            json!({ "NextToken": "x" }),
            json!({ "MaxResults": 1_001, "FragmentSelector": selector(0, 1) }),
            json!({ "FragmentSelector": { "FragmentSelectorType": "SOME_TIMESTAMP" } }),
        ] {
            assert_eq!(run(list_fragments, input), Err("InvalidArgumentException"));
        }
        let none = json!({ "Fragments": [] });
        assert_eq!(run(get_media_for_fragment_list, none), Err("InvalidArgumentException"));
    }
}
