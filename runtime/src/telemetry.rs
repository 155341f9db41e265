//! Logs and metrics: JSON lines on stdout, which Lambda hands to `CloudWatch`.
//!
//! Only the entry point logs, and for what stops nothing the services of a step. A line names the store, the camera and the window or case it is
//! about; it holds no picture, no secret and no link.

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use casework::step::StepError;

use crate::clock;
use crate::metric::{self, Count};

/// What a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    pub message: Option<String>,
    pub store: Option<String>,
    pub camera: Option<String>,
    pub window: Option<String>,
    pub case: Option<String>,
}

/// Starts logging.
pub fn start() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_ansi(false);
    // The Lambda runtime would log a handler's error a second time.
    let targets = Targets::new()
        .with_default(Level::WARN)
        .with_target("runtime", Level::INFO)
        .with_target("lambda_runtime", tracing::level_filters::LevelFilter::OFF);
    tracing_subscriber::registry().with(targets).with(lines).init();
}

/// Logs what became of a message.
pub fn done(function: &str, subject: &Subject, outcome: &str) {
    let Subject { message, store, camera, window, case } = subject;
    tracing::info!(function, message_id = message, store, camera, window, case, outcome, "handled");
}

/// Logs a message that could not be handled.
pub fn failed(function: &str, subject: &Subject, error: &StepError) {
    let Subject { message, store, camera, window, case } = subject;
    let (retryable, error) = (error.retryable, error.chain());
    tracing::error!(
        function,
        message_id = message,
        store,
        camera,
        window,
        case,
        retryable,
        error,
        "cannot handle the message"
    );
}

/// Logs a failure that stops nothing: the message is handled all the same.
pub fn passed_over(function: &str, subject: &Subject, error: &StepError) {
    let Subject { message, store, camera, window, case } = subject;
    let (retryable, error) = (error.retryable, error.chain());
    tracing::warn!(
        function,
        message_id = message,
        store,
        camera,
        window,
        case,
        retryable,
        error,
        "handled, but for this"
    );
}

/// Writes a metric's line.
#[expect(clippy::print_stdout, reason = "CloudWatch reads metrics out of whole lines")]
pub fn count(count: &Count, cell: &str) {
    println!("{}", metric::line(count, cell, clock::now_ms()));
}

/// Logs why the process cannot serve its function.
pub fn cannot_serve(error: &lambda_runtime::Error) {
    tracing::error!(error = %error, "cannot serve the function");
}
