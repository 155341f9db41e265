//! `PutMedia`: a camera's Matroska comes in as long as it likes, and acknowledgements go out.
//!
//! The answer begins before the body ends, as producers expect. Not shown: sound tracks, limits of
//! connections and bitrate. Source: API reference, `PutMedia`.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::app::{App, respond};
use crate::aws_error::AwsError;
use crate::clock;
use crate::matroska::{Cluster, Reader};
use crate::state::{Call, milliseconds, missing_stream};

/// Acknowledgements that wait for a producer that does not read them.
const ACKNOWLEDGEMENTS_MAX: usize = 64;

/// A producer's connection.
#[derive(Debug)]
struct Producer {
    app: App,
    stream: String,
    /// What clusters count from: the epoch, or the producer's start.
    base_ms: i64,
    acknowledgements: mpsc::Sender<Value>,
    fragments: usize,
    bytes: usize,
}

/// Takes a camera's body.
pub async fn put_media(Shared(app): Shared<App>, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut call = Call { operation: "PutMedia".to_owned(), ..Call::default() };
    call.at_ms = clock::now_ms();
    let (stream, base_ms) = match accept(&app, &headers, &mut call) {
        Ok(accepted) => accepted,
        Err(error) => {
            error.code.clone_into(&mut call.result);
            app.state().calls.record(call);
            return respond(Err(error));
        }
    };
    let (acknowledgements, receiver) = mpsc::channel(ACKNOWLEDGEMENTS_MAX);
    let producer =
        Producer { app: app.clone(), stream, base_ms, acknowledgements, fragments: 0, bytes: 0 };
    app.spawn(producer.run(body, call));
    let lines = stream::unfold(receiver, |mut receiver| async {
        let event: Value = receiver.recv().await?;
        Some((Ok::<_, Infallible>(format!("{event}\r\n")), receiver))
    });
    Response::new(Body::from_stream(lines))
}

/// The stream's name and what its clusters count from.
fn accept(app: &App, headers: &HeaderMap, call: &mut Call) -> Result<(String, i64), AwsError> {
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let name = header("x-amzn-stream-name")
        .or_else(|| header("x-amzn-stream-arn")?.split('/').nth(1))
        .ok_or_else(|| AwsError::invalid_argument("x-amzn-stream-name must be given."))?;
    call.stream = Some(name.to_owned());
    let mut state = app.state();
    if let Some(fault) = state.take_fault("PutMedia", Some(name)) {
        return Err(fault);
    }
    if !state.streams.contains_key(name) {
        return Err(missing_stream(name));
    }
    let start = header("x-amzn-producer-start-timestamp");
    let base_ms = match header("x-amzn-fragment-timecode-type") {
        Some("ABSOLUTE") => 0,
        Some("RELATIVE") => {
            start.and_then(|it| milliseconds(it.parse().ok()?)).ok_or_else(|| {
                AwsError::invalid_argument("x-amzn-producer-start-timestamp is needed.")
            })?
        }
        _ => {
            let message = "x-amzn-fragment-timecode-type must be ABSOLUTE or RELATIVE.";
            return Err(AwsError::invalid_argument(message));
        }
    };
    Ok((name.to_owned(), base_ms))
}

impl Producer {
    async fn run(mut self, body: Body, mut call: Call) {
        call.result = self.receive(body).await.err().unwrap_or("ok").to_owned();
        call.fragments = Some(self.fragments);
        call.bytes = Some(self.bytes);
        self.app.state().calls.record(call);
    }

    /// Reads to the end of the body; the error is the code of the acknowledgement that said so.
    async fn receive(&mut self, body: Body) -> Result<(), &'static str> {
        let mut pieces = body.into_data_stream();
        let mut reader = Reader::default();
        while let Some(piece) = pieces.next().await {
            let Ok(piece): Result<Bytes, _> = piece else {
                return self.refuse(4_000, "STREAM_READ_ERROR").await;
            };
            self.bytes += piece.len();
            let Ok(clusters) = reader.push(&piece) else {
                return self.refuse(4_006, "INVALID_MKV_DATA").await;
            };
            for cluster in clusters {
                self.keep(cluster).await?;
            }
        }
        match reader.finish() {
            Ok(Some(cluster)) => self.keep(cluster).await,
            Ok(None) => Ok(()),
            Err(_) => self.refuse(4_006, "INVALID_MKV_DATA").await,
        }
    }

    async fn keep(&mut self, mut cluster: Cluster) -> Result<(), &'static str> {
        let timecode = cluster.timestamp_ms;
        let now_ms = clock::now_ms();
        cluster.timestamp_ms = timecode.saturating_add(self.base_ms);
        // Only Kinesis Video sets tags with its own prefix.
        cluster.tags.retain(|(name, _)| !name.starts_with("AWS_KINESISVIDEO_"));
        self.acknowledge(json!({ "EventType": "BUFFERING", "FragmentTimecode": timecode })).await;
        let ingested = self.app.state().ingest(&self.stream, cluster, now_ms, now_ms);
        let Ok(number) = ingested else {
            return self.refuse(4_008, "STREAM_NOT_ACTIVE").await;
        };
        self.fragments += 1;
        for event in ["RECEIVED", "PERSISTED"] {
            self.acknowledge(json!({
                "EventType": event,
                "FragmentTimecode": timecode,
                "FragmentNumber": number,
            }))
            .await;
        }
        Ok(())
    }

    async fn refuse(&self, id: u32, code: &'static str) -> Result<(), &'static str> {
        self.acknowledge(json!({ "EventType": "ERROR", "ErrorId": id, "ErrorCode": code })).await;
        Err(code)
    }

    async fn acknowledge(&self, event: Value) {
        // A producer that is gone needs no acknowledgement; what it sent is kept all the same.
        self.acknowledgements.send(event).await.ok();
    }
}
