//! What every HTTP handler shares: the state behind its lock, the tasks, and how a call is run.
//!
//! The lock is held for one call at a time and never across an await: calls are short.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::aws_error::AwsError;
use crate::clock;
use crate::state::{Call, Reply, Request, State};

/// A handle to the service; clones share everything.
#[derive(Clone, Debug)]
pub struct App {
    state: Arc<Mutex<State>>,
    /// Players and cameras that are sending; they end when the service ends.
    pub tasks: Arc<Mutex<JoinSet<()>>>,
}

impl App {
    pub fn new(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), tasks: Arc::default() }
    }

    /// The state. A handler that panicked leaves it as it was after its last statement, which a
    /// rehearsal can go on with.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a task until it ends or the service does.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Ends all tasks.
    pub fn abort_tasks(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Runs one call with its fault, if one is due, and its entry in the journal.
    pub fn call(
        &self,
        mut call: Call,
        input: Value,
        run: impl FnOnce(&mut Request<'_>) -> Result<Reply, AwsError>,
    ) -> Response<Body> {
        let now_ms = clock::now_ms();
        let mut state = self.state();
        let name = call.stream.clone().or_else(|| call.endpoint.clone());
        let outcome = match state.take_fault(&call.operation, name.as_deref()) {
            Some(fault) => Err(fault),
            None => run(&mut Request { state: &mut state, input, now_ms, call: &mut call }),
        };
        call.at_ms = now_ms;
        outcome.as_ref().map_or_else(|it| it.code, |_| "ok").clone_into(&mut call.result);
        state.calls.record(call);
        drop(state);
        respond(outcome)
    }
}

/// An operation's outcome as HTTP.
pub fn respond(outcome: Result<Reply, AwsError>) -> Response<Body> {
    match outcome {
        Ok(Reply::Json(value)) => json(StatusCode::OK, &value),
        Ok(Reply::Media { content_type, bytes }) => {
            let mut response = Response::new(Body::from(bytes));
            let content_type = header::HeaderValue::from_static(content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            response
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            let mut response = json(status, &error.body());
            let code = header::HeaderValue::from_static(error.code);
            response.headers_mut().insert("x-amzn-errortype", code);
            response
        }
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let content_type = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
