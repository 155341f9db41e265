//! `dispatch`: a tick of a store's schedule becomes one message for each window of its minute.
//!
//! Window ids are deterministic, so a tick that fails half way is run again whole; a window that is
//! sent twice is analysed twice and gives the same detections.

use casework::step::{Pause, StepError, backoff};
use contract::watch::WatchInput;
use contract::window::WindowMessage;

use crate::window;

/// Most messages of one call. Source: SQS API reference, `SendMessageBatch`,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>.
pub const MESSAGES_PER_CALL: usize = 10;

/// How often messages that the queue refused are sent again. Our choice: the SDK has retried the
/// call by then, and the whole tick is retried after.
const ROUNDS_MAX: u32 = 3;

/// A message with the seconds it waits in the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Delayed {
    pub window: WindowMessage,
    pub delay_s: i32,
}

/// What `dispatch` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait DispatchServices: Pause {
    /// Sends at most [`MESSAGES_PER_CALL`] messages and returns those that the queue refused.
    async fn send_windows(&self, windows: &[Delayed]) -> Result<Vec<Delayed>, StepError>;
}

/// The queue kept refusing some messages.
#[derive(Debug, thiserror::Error)]
#[error("the queue refused {0} messages")]
pub struct Refused(usize);

/// Handles one tick and returns how many windows were sent.
pub async fn handle(
    services: &impl DispatchServices,
    input: &WatchInput,
    now_ms: i64,
) -> Result<usize, StepError> {
    let minute_ms = window::tick_minute_ms(&input.scheduled_time, now_ms);
    let windows = window::windows(input, minute_ms)
        .map_err(|error| StepError::permanent("cut windows of store", &input.store.id, error))?;
    let delayed: Vec<_> = windows
        .into_iter()
        .map(|window| Delayed { delay_s: window::delay_s(&window, now_ms), window })
        .collect();
    for batch in delayed.chunks(MESSAGES_PER_CALL) {
        send(services, batch, &input.store.id).await?;
    }
    Ok(delayed.len())
}

async fn send(
    services: &impl DispatchServices,
    batch: &[Delayed],
    store: &str,
) -> Result<(), StepError> {
    let mut left = batch.to_vec();
    for round in 1..=ROUNDS_MAX {
        left = services.send_windows(&left).await?;
        if left.is_empty() {
            return Ok(());
        }
        services.pause(backoff(round)).await;
    }
    Err(StepError::retryable("send windows of store", store, Refused(left.len())))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use contract::hours::Hours;
    use contract::store::StoreRef;
    use contract::watch::{WatchCamera, WatchWhen};

    use super::*;

    /// Refuses the first message of each of the first `refusals` calls.
    struct Script {
        pauses: RefCell<Vec<Duration>>,
        refusals: usize,
        calls: RefCell<Vec<usize>>,
        sent: RefCell<Vec<String>>,
    }

    impl Pause for Script {
        async fn pause(&self, length: Duration) {
            self.pauses.borrow_mut().push(length);
        }
    }

    impl DispatchServices for Script {
        async fn send_windows(&self, windows: &[Delayed]) -> Result<Vec<Delayed>, StepError> {
            let refused = usize::from(self.calls.borrow().len() < self.refusals);
            self.calls.borrow_mut().push(windows.len());
            let (left, taken) = windows.split_at(refused);
            self.sent.borrow_mut().extend(taken.iter().map(|it| it.window.id.clone()));
            Ok(left.to_vec())
        }
    }

    async fn check(refusals: usize) -> (Result<usize, String>, Vec<usize>, usize) {
        let camera = |id: &str| WatchCamera {
            id: id.to_owned(),
            aisle: "a".to_owned(),
            window_s: 10,
            when: WatchWhen::Always,
            zones: Vec::new(),
        };
        let input = WatchInput {
            version: contract::VERSION,
            scheduled_time: "2026-11-22T12:00:00Z".to_owned(),
            store: StoreRef { id: "seattle-001".to_owned(), ..StoreRef::default() },
            bus: String::new(),
            stream_prefix: String::new(),
            hours: Hours::default(),
            aisles: Vec::new(),
            cameras: vec![camera("a"), camera("b")],
        };
        let script = Script {
            pauses: RefCell::default(),
            refusals,
            calls: RefCell::default(),
            sent: RefCell::default(),
        };
        let outcome = handle(&script, &input, 0).await.map_err(|error| error.chain());
        let mut sent = script.sent.into_inner();
        sent.sort();
        sent.dedup();
        (outcome, script.calls.into_inner(), sent.len())
    }

    #[tokio::test]
    async fn every_window_is_sent_ten_a_call() {
        assert_eq!(check(0).await, (Ok(12), vec![10, 2], 12));
    }

    #[tokio::test]
    async fn only_refused_messages_are_sent_again() {
        assert_eq!(check(1).await, (Ok(12), vec![10, 1, 2], 12));
    }

    #[tokio::test]
    async fn a_queue_that_keeps_refusing_fails_the_tick() {
        let error = "cannot send windows of store seattle-001: the queue refused 1 messages";
        assert_eq!(check(9).await, (Err(error.to_owned()), vec![10, 1, 1], 9));
    }
}
