//! What all steps share: how one fails, and how long it pauses before it tries again.
//!
//! A failure says whether running the message again can help. A step never sleeps by itself: it
//! asks its services to, so that its tests take no time.

use std::error::Error;
use std::time::Duration;

use crate::id;

/// Pause before the first repetition. Our choice: about as long as a call takes.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// Longest pause. Our choice: the attempts of `case_table` then fit the shortest function.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Lets time pass.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait Pause {
    async fn pause(&self, length: Duration);
}

/// The pause after so many attempts: twice as long after each, up to a second.
pub fn backoff(attempts: u32) -> Duration {
    PAUSE_MIN.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(PAUSE_MAX)
}

/// The pause of one of many that may meet again: between half of [`backoff`] and all of it, by a hash
/// of who it is, so that those who met do not meet again. Nothing is random, so that a run can be
/// repeated.
pub fn spread(attempts: u32, by: &str) -> Duration {
    let [hash, ..] = id::sha256(format!("{attempts}|{by}").as_bytes());
    let half = backoff(attempts) / 2;
    half + half * u32::from(hash) / u32::from(u8::MAX)
}

/// Why a step could not be done, and whether running the message again can help.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {subject}")]
pub struct StepError {
    /// With `subject` completes the sentence "cannot ...", such as `put events on`.
    pub step: &'static str,
    pub subject: String,
    /// True for throttling, timeouts, 5xx and denied access; false when the same call would fail
    /// however long one waits.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_second() {
        let check = |attempts| backoff(attempts).as_millis();
        assert_eq!([1, 2, 3, 6, 7, u32::MAX].map(check), [20, 40, 80, 640, 1_000, 1_000]);
    }

    #[test]
    fn those_who_met_pause_differently_between_half_and_all_and_the_same_when_repeated() {
        let check = |by: u32| spread(7, &format!("d-{by}")).as_millis();
        let pauses: Vec<_> = (0..100).map(check).collect();
        assert!(pauses.iter().all(|it| (500..=1_000).contains(it)), "{pauses:?}");
        let distinct: std::collections::BTreeSet<_> = pauses.iter().collect();
        assert!(distinct.len() > 50, "{}", distinct.len());
        assert_eq!(pauses, (0..100).map(check).collect::<Vec<_>>());
    }
}
