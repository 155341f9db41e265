//! A step that failed.

use std::error::Error;

/// Why a step could not be done, and whether running the message again can help.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {subject}")]
pub struct StepError {
    /// With `subject` completes the sentence "cannot ...", such as `put events on`.
    pub step: &'static str,
    pub subject: String,
    /// True for throttling, timeouts and 5xx; false when the same call would fail again.
    pub retryable: bool,
    pub source: Box<dyn Error + Send + Sync>,
}

impl StepError {
    /// A failure that time may cure.
    pub fn retryable(
        step: &'static str,
        subject: &str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { step, subject: subject.to_owned(), retryable: true, source: source.into() }
    }

    /// A failure that comes back however often the message does.
    pub fn permanent(
        step: &'static str,
        subject: &str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { step, subject: subject.to_owned(), retryable: false, source: source.into() }
    }

    /// The failure with all its causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause: Option<&dyn Error> = Some(self.source.as_ref());
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
