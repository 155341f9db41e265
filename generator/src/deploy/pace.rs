//! The budget of a cell's calls: every call of a run goes through here, and waits for its turn.
//!
//! Reads and writes each have a rate that falls while AWS throttles and rises again. A call that was
//! throttled is made again, for as long as it takes; one that met the network or an error inside AWS,
//! some times. Making a call twice must be harmless: see the methods of [`Cloud`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::cloud::{
    Alarm, ChangeSetRequest, ChangeSetState, Cloud, CloudError, Condition, Creation, Execution,
    Page, StackState, Stored, Trouble,
};
use crate::cause::StackEvent;
use crate::release::Artifact;

/// Most calls a second of each kind, reads and writes. Our choice: CloudFormation was seen to throttle an
/// account at a sustained 8 to 10 calls a second (aws-cdk-cli, issue 1709), which others share.
const RATE_MAX: f64 = 4.0;
/// Fewest. Our choice: half of it is still a run that ends.
const RATE_MIN: f64 = 2.0;
/// New video streams a second. Our choice: half of the 50 `CreateStream` calls a second that Kinesis Video
/// allows an account (service quotas, `CreateStream`).
const STREAMS_RATE: f64 = 25.0;
/// How long calls are counted before a rate is set anew. Our choice.
const WINDOW: Duration = Duration::from_secs(5);
/// Share of throttled calls above which a rate falls. Our choice: a few are how AWS says "nearly".
const THROTTLED_SHARE: f64 = 0.1;
/// What a rate is multiplied with. Our choice: what AWS's own adaptive retry takes for falling is 0.7.
const FALL: f64 = 0.7;
const RISE: f64 = 1.2;
/// Longest wait before a call is made again. Source: the SDK's standard retry.
const BACK_OFF_MAX: Duration = Duration::from_secs(20);
/// First wait. Our choice.
const BACK_OFF: Duration = Duration::from_millis(500);
/// Most attempts of a call that is throttled: with the waits above about an hour. Our choice.
const THROTTLED_MAX: u32 = 200;
/// Most attempts of a call that met the network or an error inside AWS: about three minutes. Our choice.
const TRANSIENT_MAX: u32 = 14;
/// For how long after the last throttled call a cell counts as throttled. Our choice.
const CALM: Duration = Duration::from_secs(10);

/// AWS with a budget.
#[derive(Debug)]
pub struct Paced<'a, C> {
    cloud: &'a C,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    reads: Bucket,
    writes: Bucket,
    /// When the next new stream may be asked for.
    streams: Instant,
    throttled: u64,
    throttled_at: Option<Instant>,
    /// Spreads waits, so that calls that failed together do not come back together.
    spread: u32,
}

/// One kind of call.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    next: Instant,
    window: Instant,
    made: u32,
    throttled: u32,
    total: u64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Read,
    Write,
}

/// What a budget has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) throttled: u64,
    pub(super) reads_per_second: f64,
}

impl Bucket {
    fn new(now: Instant) -> Self {
        Self { rate: RATE_MAX, next: now, window: now, made: 0, throttled: 0, total: 0 }
    }

    /// When the next call may be made; that turn is taken.
    fn turn(&mut self, now: Instant) -> Instant {
        let turn = self.next.max(now);
        self.next = turn + Duration::from_secs_f64(1.0 / self.rate);
        self.total += 1;
        turn
    }

    fn note(&mut self, is_throttled: bool, now: Instant) {
        self.made += 1;
        self.throttled += u32::from(is_throttled);
        if now.duration_since(self.window) < WINDOW {
            return;
        }
        let share = f64::from(self.throttled) / f64::from(self.made);
        let factor = if share > THROTTLED_SHARE { FALL } else { RISE };
        self.rate = (self.rate * factor).clamp(RATE_MIN, RATE_MAX);
        (self.window, self.made, self.throttled) = (now, 0, 0);
    }
}

impl<'a, C: Cloud> Paced<'a, C> {
    pub fn new(cloud: &'a C) -> Self {
        let now = Instant::now();
        let state = State {
            reads: Bucket::new(now),
            writes: Bucket::new(now),
            streams: now,
            throttled: 0,
            throttled_at: None,
            spread: 0,
        };
        Self { cloud, state: RefCell::new(state) }
    }

    pub(super) fn seen(&self) -> Seen {
        let state = self.state.borrow();
        Seen {
            reads: state.reads.total,
            writes: state.writes.total,
            throttled: state.throttled,
            reads_per_second: state.reads.rate,
        }
    }

    /// Whether no call was throttled lately.
    pub(super) fn is_calm(&self) -> bool {
        self.state.borrow().throttled_at.is_none_or(|at| at.elapsed() > CALM)
    }

    /// Waits until this many new video streams may be asked for.
    pub(super) async fn streams(&self, count: usize) {
        let turn = {
            let mut state = self.state.borrow_mut();
            let turn = state.streams.max(Instant::now());
            state.streams = turn + streams_time(count);
            turn
        };
        sleep_until(turn).await;
    }

    async fn call<T, F>(&self, kind: Kind, make: impl Fn() -> F) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, CloudError>>,
    {
        let (mut throttled, mut transient) = (0, 0);
        loop {
            let turn = self.bucket(kind, Bucket::turn);
            sleep_until(turn).await;
            let outcome = make().await;
            let trouble = outcome.as_ref().err().map(|error| error.trouble);
            let is_throttled = trouble == Some(Trouble::Throttled);
            self.bucket(kind, |bucket, now| bucket.note(is_throttled, now));
            let attempts = match trouble {
                Some(Trouble::Throttled) if throttled < THROTTLED_MAX => {
                    throttled += 1;
                    let mut state = self.state.borrow_mut();
                    state.throttled += 1;
                    state.throttled_at = Some(Instant::now());
                    throttled
                }
                Some(Trouble::Transient) if transient < TRANSIENT_MAX => {
                    transient += 1;
                    transient
                }
                _ => return outcome,
            };
            sleep(self.back_off(attempts)).await;
        }
    }

    fn bucket<T>(&self, kind: Kind, act: impl FnOnce(&mut Bucket, Instant) -> T) -> T {
        let mut state = self.state.borrow_mut();
        let bucket = match kind {
            Kind::Read => &mut state.reads,
            Kind::Write => &mut state.writes,
        };
        act(bucket, Instant::now())
    }

    /// Half of the wait is certain, the other half spread.
    fn back_off(&self, attempts: u32) -> Duration {
        let wait = BACK_OFF.saturating_mul(1 << attempts.min(6)).min(BACK_OFF_MAX);
        let mut state = self.state.borrow_mut();
        // Steps of a prime number through 0..100 meet every hundredth before one comes again.
        state.spread = (state.spread + 37) % 100;
        wait / 2 + wait / 200 * state.spread
    }
}

/// Every stack of the account and region by its name, at the pace of a run.
pub async fn list_paced(cloud: &impl Cloud) -> Result<BTreeMap<String, StackState>, CloudError> {
    Ok(super::poller::list(&Paced::new(cloud)).await?.0)
}

/// How long Kinesis Video needs for this many new streams, at our rate.
pub(super) fn streams_time(count: usize) -> Duration {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    Duration::from_secs_f64(f64::from(count) / STREAMS_RATE)
}

impl<C: Cloud> Cloud for Paced<'_, C> {
    /// Not of the budget: STS has its own.
    async fn account(&self) -> Result<String, CloudError> {
        self.cloud.account().await
    }

    async fn stacks(&self, page: Option<String>) -> Result<Page<StackState>, CloudError> {
        self.call(Kind::Read, || self.cloud.stacks(page.clone())).await
    }

    async fn stack(&self, name: &str) -> Result<Option<StackState>, CloudError> {
        self.call(Kind::Read, || self.cloud.stack(name)).await
    }

    async fn create_change_set(
        &self,
        request: &ChangeSetRequest<'_>,
    ) -> Result<Creation, CloudError> {
        self.call(Kind::Write, || self.cloud.create_change_set(request)).await
    }

    async fn change_set(
        &self,
        stack: &str,
        name: &str,
        page: Option<String>,
    ) -> Result<ChangeSetState, CloudError> {
        self.call(Kind::Read, || self.cloud.change_set(stack, name, page.clone())).await
    }

    async fn execute_change_set(
        &self,
        stack: &str,
        name: &str,
        token: &str,
    ) -> Result<Execution, CloudError> {
        self.call(Kind::Write, || self.cloud.execute_change_set(stack, name, token)).await
    }

    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError> {
        self.call(Kind::Write, || self.cloud.delete_change_set(stack, name)).await
    }

    async fn delete_empty_stack(&self, name: &str) -> Result<(), CloudError> {
        self.call(Kind::Write, || self.cloud.delete_empty_stack(name)).await
    }

    async fn protect(&self, stack: &str) -> Result<(), CloudError> {
        self.call(Kind::Write, || self.cloud.protect(stack)).await
    }

    async fn events(
        &self,
        stack: &str,
        page: Option<String>,
    ) -> Result<Page<StackEvent>, CloudError> {
        self.call(Kind::Read, || self.cloud.events(stack, page.clone())).await
    }

    async fn failed_checks(
        &self,
        stack: &str,
        change_set: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        self.call(Kind::Read, || self.cloud.failed_checks(stack, change_set)).await
    }

    async fn alarms(&self, prefix: &str, page: Option<String>) -> Result<Page<Alarm>, CloudError> {
        self.call(Kind::Read, || self.cloud.alarms(prefix, page.clone())).await
    }

    async fn has_object(&self, bucket: &str, key: &str) -> Result<bool, CloudError> {
        self.call(Kind::Read, || self.cloud.has_object(bucket, key)).await
    }

    async fn put_object(&self, bucket: &str, artifact: &Artifact) -> Result<(), CloudError> {
        self.call(Kind::Write, || self.cloud.put_object(bucket, artifact)).await
    }

    async fn fetch(&self, bucket: &str, key: &str) -> Result<Option<Stored>, CloudError> {
        self.call(Kind::Read, || self.cloud.fetch(bucket, key)).await
    }

    async fn put_if(
        &self,
        object: (&str, &str),
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<Option<String>, CloudError> {
        self.call(Kind::Write, || self.cloud.put_if(object, bytes.clone(), condition)).await
    }

    async fn delete_object(&self, bucket: &str, key: &str) -> Result<(), CloudError> {
        self.call(Kind::Write, || self.cloud.delete_object(bucket, key)).await
    }
}
