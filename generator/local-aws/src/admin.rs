//! The rehearsal's own calls under `/_local/`; nothing of AWS is here.
//!
//! ```text
//! GET    /_local/health
//! POST   /_local/play               {"stream": ..., "footage"?, "start_ms"?, "repeat"?,
//!                                   "quiet_s"?, "at_once"?, "camera"?: see `camera`}
//! GET    /_local/calls?after=N      what the services were asked, and what they answered
//! POST   /_local/messages           one JSON object or a list: what subscribers of a topic get
//! GET    /_local/messages?after=N
//! POST   /_local/faults             {"operation": ..., "error" or "damage": ..., "name"?, "times"?}
//!                                   damage to media: `breaks-off` (half of the bytes), `short` (half
//!                                   of the fragments, in a sound MP4; GetClip alone)
//! DELETE /_local/faults
//! PUT    /_local/endpoints/{name}   DELETE too: endpoints of the SageMaker runtime
//! ```

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State as Shared};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post, put};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::{self, App, respond};
use crate::aws_error::AwsError;
use crate::player;
use crate::state::{Fault, Reply};

/// The routes of this file.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/_local/health", get(health))
        .route("/_local/play", post(play))
        .route("/_local/calls", get(calls))
        .route("/_local/messages", get(messages).post(add_messages))
        .route("/_local/faults", post(add_fault).delete(clear_faults))
        .route("/_local/endpoints/{name}", put(add_endpoint).delete(remove_endpoint))
}

async fn health(Shared(app): Shared<App>) -> Response<Body> {
    let state = app.state();
    let footage: Vec<_> = state.scenes.iter().map(|it| it.script.footage.as_str()).collect();
    let health = json!({
        "status": "ok",
        "url": state.url,
        "streams": state.streams.len(),
        "endpoints": state.endpoints,
        "footage": footage,
    });
    app::json(StatusCode::OK, &health)
}

async fn play(Shared(app): Shared<App>, body: Bytes) -> Response<Body> {
    let playing = read(&body).and_then(|it: player::Play| player::play(&app, &it));
    respond(playing.map(|it| Reply::Json(json!(it))))
}

/// From which number on.
#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn calls(Shared(app): Shared<App>, Query(query): Query<After>) -> Response<Body> {
    let state = app.state();
    let calls: Vec<_> = state.calls.after(query.after).collect();
    app::json(StatusCode::OK, &json!(calls))
}

async fn messages(Shared(app): Shared<App>, Query(query): Query<After>) -> Response<Body> {
    let state = app.state();
    let messages: Vec<_> = state.messages.after(query.after).collect();
    app::json(StatusCode::OK, &json!(messages))
}

async fn add_messages(Shared(app): Shared<App>, body: Bytes) -> Response<Body> {
    let messages = match read(&body) {
        Ok(Value::Array(messages)) => messages,
        Ok(message) => vec![message],
        Err(error) => return respond(Err(error)),
    };
    if !messages.iter().all(Value::is_object) {
        return respond(Err(AwsError::invalid_argument("a message is a JSON object")));
    }
    let count = messages.len();
    let mut state = app.state();
    for message in messages {
        state.messages.record(message);
    }
    respond(Ok(Reply::Json(json!({ "recorded": count }))))
}

async fn add_fault(Shared(app): Shared<App>, body: Bytes) -> Response<Body> {
    let outcome = read(&body).and_then(|it: Fault| app.state().add_fault(it));
    respond(outcome.map(|()| Reply::Json(json!({}))))
}

async fn clear_faults(Shared(app): Shared<App>) -> Response<Body> {
    app.state().clear_faults();
    respond(Ok(Reply::Json(json!({}))))
}

async fn add_endpoint(Shared(app): Shared<App>, Path(name): Path<String>) -> Response<Body> {
    app.state().endpoints.insert(name);
    respond(Ok(Reply::Json(json!({}))))
}

async fn remove_endpoint(Shared(app): Shared<App>, Path(name): Path<String>) -> Response<Body> {
    app.state().endpoints.remove(&name);
    respond(Ok(Reply::Json(json!({}))))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body)
        .map_err(|it| AwsError::invalid_argument(format!("cannot read the request: {it}")))
}
