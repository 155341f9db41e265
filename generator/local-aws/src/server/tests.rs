//! The service over real HTTP, from an empty account to a clip, an answer of the model and a log.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::matroska;
use crate::state::json_seconds;

const START_MS: i64 = 1_763_791_200_000;

/// A running service; dropping the sender stops it.
struct Service {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let settings = Settings { endpoints: vec!["detector".to_owned()], ..Settings::default() };
        let task = tokio::spawn(serve(listener, settings, async { stopped.await.unwrap() }));
        Self { address, stop, task }
    }

    async fn request(&self, head: &str, body: &[u8]) -> Answer {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head =
            format!("{head}\r\nhost: local\r\nconnection: close\r\ncontent-length: {length}");
        socket.write_all(format!("{head}\r\n\r\n").as_bytes()).await.unwrap();
        socket.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        let split = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..split]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: answer[split + 4..].to_vec() }
    }

    async fn post(&self, path: &str, input: Value) -> Answer {
        self.request(&format!("POST {path} HTTP/1.1"), input.to_string().as_bytes()).await
    }

    async fn get(&self, path: &str) -> Value {
        self.request(&format!("GET {path} HTTP/1.1"), b"").await.json()
    }

    /// Makes the stream `cam` and plays the scene from [`START_MS`].
    async fn with_footage() -> Self {
        let service = Self::start().await;
        let stream = json!({ "StreamName": "cam", "DataRetentionInHours": 87_600 });
        assert_eq!(service.post("/createStream", stream).await.status, 200);
        let play = json!({ "stream": "cam", "start_ms": START_MS, "at_once": true });
        assert_eq!(service.post("/_local/play", play).await.json()["fragments"], 10);
        service
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

fn range(from_ms: i64, to_ms: i64) -> Value {
    json!({
        "FragmentSelectorType": "PRODUCER_TIMESTAMP",
        "TimestampRange": {
            "StartTimestamp": json_seconds(START_MS + from_ms),
            "EndTimestamp": json_seconds(START_MS + to_ms),
        },
    })
}

/// The media of every fragment that starts in the range.
async fn media(service: &Service, from_ms: i64, to_ms: i64) -> Vec<u8> {
    let input = json!({ "StreamName": "cam", "FragmentSelector": range(from_ms, to_ms) });
    let listed = service.post("/listFragments", input).await.json();
    let fragments = listed["Fragments"].as_array().unwrap();
    let numbers: Vec<_> = fragments.iter().rev().map(|it| &it["FragmentNumber"]).collect();
    let input = json!({ "StreamName": "cam", "Fragments": numbers });
    service.post("/getMediaForFragmentList", input).await.body
}

#[tokio::test]
async fn a_window_reaches_the_model_and_an_incident_becomes_a_clip() {
    let service = Service::with_footage().await;
    let endpoint =
        service.post("/getDataEndpoint", json!({ "StreamName": "cam", "APIName": "GET_CLIP" }));
    assert_eq!(endpoint.await.json()["DataEndpoint"], format!("http://{}", service.address));

    let window = media(&service, 0, 9_999).await;
    let head = "POST /endpoints/detector/invocations HTTP/1.1\r\ncontent-type: video/x-matroska\r\n\
        x-amzn-sagemaker-inference-id: w-1";
    let answer = service.request(head, &window).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["detections"][0]["start_ms"], START_MS + 6_200);
    assert_eq!(answer.json()["detections"][0]["end_ms"], START_MS + 8_900);

    let input = json!({ "StreamName": "cam", "ClipFragmentSelector": range(4_000, 11_000) });
    let clip = service.post("/getClip", input).await;
    assert!(clip.head.contains("content-type: video/mp4"));
    assert_eq!(&clip.body[4..12], b"ftypisom");

    let story: Vec<_> = service.get("/_local/calls?after=2").await.as_array().unwrap().clone();
    let told: Vec<_> = story
        .iter()
        .map(|it| format!("{} {} {}", it["n"], it["operation"].as_str().unwrap(), it["result"]))
        .collect();
    assert_eq!(
        told,
        [
            "3 ListFragments \"ok\"",
            "4 GetMediaForFragmentList \"ok\"",
            "5 InvokeEndpoint \"ok\"",
            "6 GetClip \"ok\"",
        ]
    );
    assert_eq!(story[2]["inference_id"], "w-1");
    assert_eq!(story[2]["detections"], 1);
    assert_eq!(story[2]["end_ms"], START_MS + 10_000);
    service.stop().await;
}

#[tokio::test]
async fn an_error_has_the_shape_of_aws() {
    let service = Service::start().await;
    let answer = service.post("/describeStream", json!({ "StreamName": "nobody" })).await;
    assert_eq!(answer.status, 404);
    assert!(answer.head.contains("x-amzn-errortype: ResourceNotFoundException"));
    let message = "The requested stream is not found or not active: nobody";
    assert_eq!(answer.json(), json!({ "Message": message }));
    assert_eq!(service.request("POST /listStreams HTTP/1.1", b"{").await.status, 400);
    let unknown = service.post("/getImages", json!({})).await;
    assert!(unknown.head.contains("x-amzn-errortype: UnknownOperationException"));
    service.stop().await;
}

#[tokio::test]
async fn a_fault_that_was_asked_for_is_answered_and_logged() {
    let service = Service::with_footage().await;
    let fault =
        json!({ "operation": "GetClip", "error": "MissingCodecPrivateDataException", "times": 1 });
    assert_eq!(service.post("/_local/faults", fault).await.status, 200);
    let input = json!({ "StreamName": "cam", "ClipFragmentSelector": range(0, 1_000) });
    assert_eq!(service.post("/getClip", input.clone()).await.status, 400);
    assert_eq!(service.post("/getClip", input).await.status, 200);
    let calls = service.get("/_local/calls").await;
    assert_eq!(calls[1]["result"], "MissingCodecPrivateDataException");
    let unknown = json!({ "operation": "GetClip", "error": "Nonsense" });
    assert_eq!(service.post("/_local/faults", unknown).await.status, 400);
    service.stop().await;
}

#[tokio::test]
async fn what_a_camera_sends_is_acknowledged_and_can_be_read() {
    let service = Service::with_footage().await;
    let sent = media(&service, 0, 3_000).await;
    service
        .post("/createStream", json!({ "StreamName": "second", "DataRetentionInHours": 1 }))
        .await;
    let head = "POST /putMedia HTTP/1.1\r\nx-amzn-stream-name: second\r\n\
        x-amzn-fragment-timecode-type: ABSOLUTE";
    let answer = service.request(head, &sent).await;
    let events = String::from_utf8(answer.body).unwrap();
    assert_eq!(events.matches("\"PERSISTED\"").count(), 2);

    let input = json!({ "StreamName": "second", "FragmentSelector": range(0, 10_000) });
    let listed = service.post("/listFragments", input).await.json();
    assert_eq!(listed["Fragments"].as_array().unwrap().len(), 2);
    let garbage = service.request(head, b"GIF89a").await;
    assert!(String::from_utf8(garbage.body).unwrap().contains("INVALID_MKV_DATA"));
    let head = head.replace("ABSOLUTE", "SOMETIMES");
    assert_eq!(service.request(&head, &sent).await.status, 400);
    service.stop().await;
}

#[tokio::test]
async fn what_a_camera_counts_from_its_own_start_gets_the_time_of_day() {
    let service = Service::with_footage().await;
    let mut sent = Vec::new();
    for cluster in State::new(Settings::default(), String::new()).scenes[0].clusters.iter().take(2)
    {
        matroska::write_fragment(&mut sent, cluster);
    }
    service
        .post("/createStream", json!({ "StreamName": "second", "DataRetentionInHours": 1 }))
        .await;
    let head = "POST /putMedia HTTP/1.1\r\nx-amzn-stream-name: second\r\n\
        x-amzn-fragment-timecode-type: RELATIVE\r\nx-amzn-producer-start-timestamp: 1763791200.5";
    assert_eq!(service.request(head, &sent).await.status, 200);
    let input = json!({ "StreamName": "second", "FragmentSelector": range(0, 10_000) });
    let listed = service.post("/listFragments", input).await.json();
    let times: Vec<_> = listed["Fragments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["ProducerTimestamp"].clone())
        .collect();
    assert_eq!(times, [json!(1_763_791_202.5), json!(1_763_791_200.5)]);
    service.stop().await;
}

#[tokio::test]
async fn messages_and_endpoints_come_from_the_emulator() {
    let service = Service::start().await;
    let message = json!([{ "protocol": "sms", "endpoint": "+12065550100", "text": "hello" }]);
    assert_eq!(service.post("/_local/messages", message).await.json(), json!({ "recorded": 1 }));
    let expected =
        json!([{ "n": 1, "protocol": "sms", "endpoint": "+12065550100", "text": "hello" }]);
    assert_eq!(service.get("/_local/messages").await, expected);
    assert_eq!(service.get("/_local/messages?after=1").await, json!([]));

    service.request("PUT /_local/endpoints/other HTTP/1.1", b"").await;
    assert_eq!(service.get("/_local/health").await["endpoints"], json!(["detector", "other"]));
    service.request("DELETE /_local/endpoints/detector HTTP/1.1", b"").await;
    assert_eq!(service.get("/_local/health").await["endpoints"], json!(["other"]));
    service.stop().await;
}

#[tokio::test]
async fn footage_needs_a_stream_a_name_and_a_bounded_repetition() {
    let service = Service::with_footage().await;
    let refused = [
        json!({ "stream": "nobody" }),
        json!({ "stream": "cam", "footage": "nothing" }),
        json!({ "stream": "cam", "repeat": 0 }),
        json!({ "stream": "cam", "repeats": 1 }),
    ];
    for play in refused {
        assert!(service.post("/_local/play", play).await.status >= 400);
    }
    service.stop().await;
}
