//! Stands in for the model in the customer's container. Pure.
//!
//! It is given the body of a call and nothing else: it recognises the footage by its pictures,
//! takes the time from the tags or clusters of the body, and answers from the script. A detection
//! is reported by the window whose fragments hold its beginning, and cut off where they end. What
//! it does not show: that a model sees, how long it takes, or what it does with other video.

use serde_json::{Map, Value, json};

use crate::footage::{Footage, ScriptedDetection};
use crate::matroska::{self, Cluster};

/// What the container accepts.
pub const CONTENT_TYPE: &str = "video/x-matroska";

/// Two fragments this close are one run: producers round to milliseconds.
const SEAM_MS: i64 = 100;

/// An answer that is not a detection list: the container's status and words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct ModelError {
    pub status: u16,
    pub message: String,
}

/// What the model saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The JSON body of the answer.
    pub body: Value,
    /// How many detections it holds.
    pub detections: usize,
    /// First millisecond of video in the body.
    pub start_ms: i64,
    /// First millisecond after it.
    pub end_ms: i64,
}

/// Answers for one body.
pub fn answer(scenes: &[Footage], content_type: &str, body: &[u8]) -> Result<Answer, ModelError> {
    let refuse = |status, message: &str| ModelError { status, message: message.to_owned() };
    if content_type.split(';').next().map(str::trim) != Some(CONTENT_TYPE) {
        return Err(refuse(415, "this model takes video/x-matroska"));
    }
    let clusters = matroska::read(body).map_err(|it| refuse(400, &it.to_string()))?;
    let (Some(first), Some(last)) = (clusters.first(), clusters.last()) else {
        return Err(refuse(400, "the body holds no video"));
    };
    let mut detections = Vec::new();
    let mut model = None;
    for scene in scenes {
        let found = in_scene(scene, &clusters);
        if !found.is_empty() {
            model = Some(&scene.script.model);
        }
        detections.extend(found);
    }
    let count = detections.len();
    let mut body = Map::from_iter([("detections".to_owned(), Value::Array(detections))]);
    if let Some(model) = model {
        body.insert("model".to_owned(), json!({ "name": model.name, "version": model.version }));
    }
    let end_ms = producer_ms(last) + last.length_ms();
    Ok(Answer {
        body: Value::Object(body),
        detections: count,
        start_ms: producer_ms(first),
        end_ms,
    })
}

fn in_scene(scene: &Footage, clusters: &[Cluster]) -> Vec<Value> {
    let mut found = Vec::new();
    for (index, cluster) in clusters.iter().enumerate() {
        let Some(scene_ms) = scene.recognise(cluster) else { continue };
        let began_ms = producer_ms(cluster) - scene_ms;
        let seen = scene_ms..scene_ms + cluster.length_ms();
        let starts = |it: &&ScriptedDetection| seen.contains(&milliseconds(it.at_s));
        for scripted in scene.script.detections.iter().filter(starts) {
            let run_end_ms = run_end_ms(clusters.get(index..).unwrap_or_default());
            let end_ms = (began_ms + milliseconds(scripted.until_s)).min(run_end_ms);
            found.push(detection(scripted, began_ms + milliseconds(scripted.at_s), end_ms));
        }
    }
    found
}

/// Where the run of fragments without a gap ends that begins with the first.
fn run_end_ms(clusters: &[Cluster]) -> i64 {
    let mut end_ms = clusters.first().map_or(0, producer_ms);
    for cluster in clusters {
        if (producer_ms(cluster) - end_ms).abs() > SEAM_MS {
            break;
        }
        end_ms = producer_ms(cluster) + cluster.length_ms();
    }
    end_ms
}

fn detection(scripted: &ScriptedDetection, start_ms: i64, end_ms: i64) -> Value {
    let mut detection = Map::new();
    detection.insert("event_type".to_owned(), json!(scripted.event_type));
    detection.insert("confidence".to_owned(), json!(scripted.confidence));
    detection.insert("start_ms".to_owned(), json!(start_ms));
    detection.insert("end_ms".to_owned(), json!(end_ms));
    if let Some(zone) = &scripted.zone {
        detection.insert("zone".to_owned(), json!(zone));
    }
    if let Some(bbox) = scripted.bbox {
        detection.insert("bbox".to_owned(), json!(bbox));
    }
    Value::Object(detection)
}

/// The camera's time of a cluster: Kinesis Video's tag, or the cluster itself.
fn producer_ms(cluster: &Cluster) -> i64 {
    cluster
        .tag("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP")
        .and_then(|it| it.parse().ok())
        .map_or(cluster.timestamp_ms, milliseconds)
}

fn milliseconds(seconds: f64) -> i64 {
    let rounded = std::time::Duration::try_from_secs_f64(seconds + 0.000_5).unwrap_or_default();
    i64::try_from(rounded.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Fragment;

    const START_MS: i64 = 1_763_791_200_123;

    /// The body that holds these fragments of the scene, played from [`START_MS`].
    fn body(indices: &[usize]) -> Vec<u8> {
        let footage = Footage::shelf_sweep();
        let mut body = Vec::new();
        for index in indices {
            let mut cluster = footage.clusters[*index].clone();
            cluster.timestamp_ms += START_MS;
            let fragment = Fragment::new(index.to_string(), START_MS, cluster);
            matroska::write_fragment(&mut body, &fragment.cluster);
        }
        body
    }

    /// Start and end of each detection, relative to the beginning of the scene.
    fn seen(indices: &[usize]) -> Vec<(i64, i64)> {
        let answer = answer(&[Footage::shelf_sweep()], CONTENT_TYPE, &body(indices)).unwrap();
        let time = |it: &Value, name: &str| it[name].as_i64().unwrap() - START_MS;
        let detections = answer.body["detections"].as_array().unwrap();
        detections.iter().map(|it| (time(it, "start_ms"), time(it, "end_ms"))).collect()
    }

    #[test]
    fn a_detection_belongs_to_the_window_that_holds_its_beginning() {
        assert_eq!(seen(&[0, 1, 2, 3, 4]), [(6_200, 8_900)]);
        assert_eq!(seen(&[0, 1, 2]), []);
        assert_eq!(seen(&[4, 5, 6]), []);
    }

    #[test]
    fn a_detection_ends_where_the_window_ends() {
        assert_eq!(seen(&[2, 3]), [(6_200, 8_000)]);
        // A gap ends what was seen, too.
        assert_eq!(seen(&[3, 5]), [(6_200, 8_000)]);
    }

    #[test]
    fn the_answer_is_the_contract() {
        let answer = answer(&[Footage::shelf_sweep()], CONTENT_TYPE, &body(&[3, 4])).unwrap();
        let expected = json!({
            "detections": [{
                "event_type": "shelf_sweep",
                "confidence": 0.93,
                "start_ms": START_MS + 6_200,
                "end_ms": START_MS + 8_900,
                "bbox": [0.5, 0.3, 0.29, 0.47],
            }],
            "model": { "name": "shelf-sweep-script", "version": "1" },
        });
        assert_eq!(answer.body, expected);
        assert_eq!((answer.start_ms, answer.end_ms), (START_MS + 6_000, START_MS + 10_000));
    }

    #[test]
    fn what_is_not_video_is_refused() {
        let refusal = |kind, body: &[u8]| answer(&[], kind, body).unwrap_err().status;
        assert_eq!(refusal("application/json", b"{}"), 415);
        assert_eq!(refusal(CONTENT_TYPE, b"{}"), 400);
        assert_eq!(refusal(CONTENT_TYPE, b""), 400);
    }
}
