//! `dispatch`: a tick of a store's schedule becomes one message for each window that is due.
//!
//! A tick sends its own minute and those that were missed before it, and nothing for a minute that was
//! sent already; the note of that is written last. Window ids are deterministic, so a tick that fails
//! half way is run again whole; a window that is sent twice is analysed twice and gives the same
//! detections. Neither the note nor the health of cameras ever stops the watch: what fails there is
//! logged and counted.

use casework::respond::Alert;
use casework::step::{Pause, StepError, backoff};
use contract::health::AilmentItem;
use contract::watch::WatchInput;
use contract::window::{Ailing, WindowMessage};

use crate::metric::{Count, Metric};
use crate::tick::{self, Owed};
use crate::window;

mod tell;

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

/// What became of an item that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    Done,
    /// The trouble was seen again meanwhile, and the item stays.
    SeenAgain,
}

/// What `dispatch` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait DispatchServices: Pause {
    /// Sends at most [`MESSAGES_PER_CALL`] messages and returns those that the queue refused.
    async fn send_windows(&self, windows: &[Delayed]) -> Result<Vec<Delayed>, StepError>;
    /// The last minute of a store that was sent; `None` when none is on record.
    async fn fetch_watched(&self, store: &str) -> Result<Option<i64>, StepError>;
    /// Notes a minute as sent. A later one stays, unless it is too far ahead of `now_ms`.
    async fn put_watched(&self, store: &str, minute_ms: i64, now_ms: i64) -> Result<(), StepError>;
    /// Everything that ails the cameras of a store.
    async fn fetch_ailments(&self, store: &str) -> Result<Vec<AilmentItem>, StepError>;
    /// Notes since when people were told that a trouble lasts; `None`: they have to be told again.
    async fn put_told(&self, item: &AilmentItem, since_ms: Option<i64>) -> Result<(), StepError>;
    /// Removes an item, unless the trouble was seen again since it was read.
    async fn remove_ailment(&self, item: &AilmentItem) -> Result<Removed, StepError>;
    /// Publishes a message and returns its id.
    async fn publish(&self, alert: &Alert) -> Result<String, StepError>;
    /// Counts something.
    fn count(&self, count: Count);
    /// Logs a failure that stops nothing.
    fn pass_over(&self, store: &str, error: &StepError);
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
    let store = &input.store.id;
    let minute_ms = window::tick_minute_ms(&input.scheduled_time, now_ms);
    let (watched, ailments) =
        tokio::join!(services.fetch_watched(store), services.fetch_ailments(store));
    let watched = kept(services, store, Metric::WatchNoteErrors, watched);
    let ailments = kept(services, store, Metric::HealthErrors, ailments);
    let Owed { minutes, lost } = tick::owed(watched.flatten(), minute_ms, now_ms);
    if minutes.is_empty() {
        return Ok(0);
    }
    count(services, store, Metric::MinutesLost, lost);
    let mut sent = 0;
    for minute_ms in &minutes {
        sent += send_minute(services, input, ailments.as_deref(), (*minute_ms, now_ms)).await?;
    }
    // A note that could not be read stays: whatever was missed since is still owed.
    if watched.is_some() && tick::is_noted(minute_ms, now_ms) {
        let noted = services.put_watched(store, minute_ms, now_ms).await;
        kept(services, store, Metric::WatchNoteErrors, noted);
    }
    if let Some(ailments) = ailments {
        tell::tell(services, input, &ailments, (minute_ms, now_ms)).await;
    }
    Ok(sent)
}

/// Sends the windows of one minute, and returns how many.
async fn send_minute(
    services: &impl DispatchServices,
    input: &WatchInput,
    ailments: Option<&[AilmentItem]>,
    (minute_ms, now_ms): (i64, i64),
) -> Result<usize, StepError> {
    let store = &input.store.id;
    let mut windows = window::windows(input, minute_ms)
        .map_err(|error| StepError::permanent("cut windows of store", store, error))?;
    let cut = windows.len();
    windows.retain(|window| window.expires_ms >= now_ms);
    count(services, store, Metric::WindowsSkipped, cut - windows.len());
    let delayed: Vec<_> = windows
        .into_iter()
        .map(|mut window| {
            let known = ailments.unwrap_or_default().iter();
            let ailing = known.filter(|it| it.camera == window.camera);
            let ailing = ailing.map(|it| Ailing { ailment: it.ailment, delay_ms: it.delay_ms });
            window.ailing = ailing.collect();
            Delayed { delay_s: window::delay_s(&window, now_ms), window }
        })
        .collect();
    for batch in delayed.chunks(MESSAGES_PER_CALL) {
        send(services, batch, store).await?;
    }
    Ok(delayed.len())
}

/// What a call gave; its failure is counted and logged, and stops nothing.
fn kept<T>(
    services: &impl DispatchServices,
    store: &str,
    metric: Metric,
    result: Result<T, StepError>,
) -> Option<T> {
    let error = match result {
        Ok(given) => return Some(given),
        Err(error) => error,
    };
    count(services, store, metric, 1);
    services.pass_over(store, &error);
    None
}

/// Counts what there is to count about a store.
fn count(services: &impl DispatchServices, store: &str, metric: Metric, value: usize) {
    if value > 0 {
        let (store, camera) = (store.to_owned(), String::new());
        services.count(Count { metric, value, store, camera });
    }
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
mod tests;
