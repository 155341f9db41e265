//! A CloudFormation and an S3 in memory, under the test's own clock: each call can be throttled, fail
//! before or after it took effect, or never answer because the run is killed there.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::*;
use crate::release::{Artifact, RELEASE_DIGEST};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    Throttled,
    /// An error inside AWS before anything happened, or after.
    Broken,
    Lost,
    /// The run dies before the call reaches AWS, or before its answer comes back.
    KilledBefore,
    KilledAfter,
    Expired,
}

/// Decides about a call, by its number from 0 and its name.
type Strike = Box<dyn FnMut(usize, &str) -> Fate>;

pub(super) struct Simulation {
    pub(super) account: String,
    /// Has the clock, which goes on from one part of a run to the next.
    pub(super) runtime: Runtime,
    pub(super) world: RefCell<World>,
    /// Every call, as it was made.
    pub(super) calls: RefCell<Vec<String>>,
    pub(super) fate: RefCell<Option<Strike>>,
    pub(super) killed: Notify,
    pub(super) alarms: RefCell<Vec<Alarm>>,
    pub(super) number: Cell<usize>,
}

impl Default for Simulation {
    fn default() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            account: "123456789012".to_owned(),
            runtime: { runtime }.enable_time().start_paused(true).build().unwrap(),
            world: RefCell::default(),
            calls: RefCell::default(),
            fate: RefCell::default(),
            killed: Notify::new(),
            alarms: RefCell::default(),
            number: Cell::default(),
        }
    }
}

#[derive(Default)]
pub(super) struct World {
    pub(super) stacks: BTreeMap<String, SimulatedStack>,
    change_sets: BTreeMap<(String, String), SimulatedChangeSet>,
    objects: BTreeMap<String, (Vec<u8>, String, Instant)>,
    /// How often an operation of each stack began.
    pub(super) operations: BTreeMap<String, usize>,
    /// Stacks whose operations fail, with the reason.
    pub(super) broken: BTreeMap<String, String>,
    /// Stacks whose change sets are refused; those without changes.
    pub(super) refused: BTreeSet<String>,
    pub(super) empty: BTreeSet<String>,
    /// How long what is read of a stack lags behind.
    pub(super) lag: Duration,
    tags: usize,
}

#[derive(Clone, Default)]
pub(super) struct SimulatedStack {
    pub(super) state: StackState,
    pub(super) events: Vec<StackEvent>,
    /// When an operation ends, and in what.
    pub(super) ends: Option<(Instant, String, Option<String>)>,
    /// When its latest operation began, and how it stood before.
    pub(super) before: Option<(Instant, StackState)>,
    pub(super) token: String,
}

#[derive(Clone)]
struct SimulatedChangeSet {
    digest: String,
    state: ChangeSetState,
    ready: Instant,
}

/// How long an operation takes.
const OPERATION: Duration = Duration::from_secs(40);

impl World {
    /// Lets operations end whose time has come.
    fn settle(&mut self) {
        let now = Instant::now();
        for (name, stack) in &mut self.stacks {
            let Some((_, status, digest)) = stack.ends.clone().filter(|it| it.0 <= now) else {
                continue;
            };
            if let Some(reason) = self.broken.get(name) {
                for (id, status, reason) in [
                    ("Stream", "CREATE_FAILED", "Resource creation cancelled"),
                    ("Topic", "CREATE_FAILED", reason.as_str()),
                ] {
                    let id = (id.to_owned(), stack.events.len());
                    stack.events.push(event(&id, status, reason, &stack.token));
                }
            }
            stack.state.status = status;
            if digest.is_some() {
                stack.state.digest = digest;
            }
            stack.ends = None;
        }
    }

    /// A stack as it is seen: for a while after an operation began, as it was before.
    fn seen(&self, stack: &SimulatedStack) -> StackState {
        match &stack.before {
            Some((began, before)) if began.elapsed() < self.lag => before.clone(),
            _ => stack.state.clone(),
        }
    }

    fn put(&mut self, key: &str, bytes: Vec<u8>) -> String {
        self.tags += 1;
        let tag = format!("tag-{}", self.tags);
        self.objects.insert(key.to_owned(), (bytes, tag.clone(), Instant::now()));
        tag
    }
}

fn event(id: &(String, usize), status: &str, reason: &str, token: &str) -> StackEvent {
    StackEvent {
        id: format!("{}-{}", id.0, id.1),
        logical_id: id.0.clone(),
        resource_type: "AWS::SNS::Topic".to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        at_ms: 0,
        token: token.to_owned(),
    }
}

impl Simulation {
    /// Makes a call: notes it, lets its fate act, and does it.
    async fn call<T>(
        &self,
        name: String,
        act: impl FnOnce(&mut World) -> T,
    ) -> Result<T, CloudError> {
        let number = self.number.replace(self.number.get() + 1);
        self.calls.borrow_mut().push(name.clone());
        let fate = self.fate.borrow_mut().as_mut().map_or(Fate::Fine, |it| it(number, &name));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let failed =
            |trouble| Err(CloudError { what: name.clone(), trouble, source: "sim".into() });
        match fate {
            Fate::Throttled => return failed(Trouble::Throttled),
            Fate::Broken => return failed(Trouble::Transient),
            Fate::Expired => return failed(Trouble::Credentials),
            Fate::KilledBefore => return self.die().await,
            Fate::Fine | Fate::Lost | Fate::KilledAfter => {}
        }
        let answer = {
            let mut world = self.world.borrow_mut();
            world.settle();
            act(&mut world)
        };
        match fate {
            Fate::Lost => failed(Trouble::Transient),
            Fate::KilledAfter => self.die().await,
            _ => Ok(answer),
        }
    }

    async fn die<T>(&self) -> T {
        self.killed.notify_one();
        std::future::pending().await
    }
}

impl Cloud for Simulation {
    async fn account(&self) -> Result<String, CloudError> {
        Ok(self.account.clone())
    }

    async fn stacks(&self, page: Option<String>) -> Result<Page<StackState>, CloudError> {
        self.call("list".to_owned(), |world| {
            let from = page.and_then(|it| it.parse().ok()).unwrap_or(0);
            let all = world.stacks.values().map(|it| world.seen(it));
            let items: Vec<_> = all.skip(from).take(100).collect();
            let next = from + items.len();
            let next = (next < world.stacks.len()).then(|| next.to_string());
            Page { items, next }
        })
        .await
    }

    async fn stack(&self, name: &str) -> Result<Option<StackState>, CloudError> {
        let find = |world: &mut World| world.stacks.get(name).map(|it| world.seen(it));
        self.call(format!("describe {name}"), find).await
    }

    async fn create_change_set(
        &self,
        request: &ChangeSetRequest<'_>,
    ) -> Result<Creation, CloudError> {
        let name = &request.plan.name;
        let key = (name.clone(), request.name.clone());
        let digest = request.parameters.get(RELEASE_DIGEST).cloned().unwrap_or_default();
        self.call(format!("create {:?} {name}", request.kind), |world| {
            // One that was executed is found by its id alone, and its name is free again.
            let is_there = |it: &SimulatedChangeSet| it.state != ChangeSetState::Executed;
            if world.change_sets.get(&key).is_some_and(is_there) {
                return Creation::Found;
            }
            let state = if world.refused.contains(name) {
                ChangeSetState::Failed("no".to_owned())
            } else if world.empty.contains(name) {
                ChangeSetState::Empty
            } else {
                let resource_type = "AWS::KinesisVideo::Stream".to_owned();
                let items = vec![ResourceKind { resource_type, is_new: true }];
                let id = format!("id:{}", key.1);
                ChangeSetState::Ready { id, page: Page { items, next: None } }
            };
            let ready = Instant::now() + Duration::from_secs(1);
            world.change_sets.insert(key, SimulatedChangeSet { digest, state, ready });
            let shell = StackState {
                name: name.clone(),
                status: "REVIEW_IN_PROGRESS".to_owned(),
                updated: "made".to_owned(),
                is_ours: true,
                ..StackState::default()
            };
            let shell = SimulatedStack { state: shell, ..SimulatedStack::default() };
            world.stacks.entry(name.clone()).or_insert(shell);
            Creation::New
        })
        .await
    }

    async fn change_set(
        &self,
        stack: &str,
        name: &str,
        _: Option<String>,
    ) -> Result<ChangeSetState, CloudError> {
        self.call(format!("look {stack}"), |world| {
            let plain = name.strip_prefix("id:").unwrap_or(name).to_owned();
            match world.change_sets.get(&(stack.to_owned(), plain)) {
                None => ChangeSetState::Missing,
                Some(it) if it.state == ChangeSetState::Executed && !name.starts_with("id:") => {
                    ChangeSetState::Missing
                }
                Some(it) if it.ready > Instant::now() => ChangeSetState::Pending,
                Some(it) => it.state.clone(),
            }
        })
        .await
    }

    async fn execute_change_set(
        &self,
        stack: &str,
        name: &str,
        token: &str,
    ) -> Result<Execution, CloudError> {
        self.call(format!("execute {stack}"), |world| {
            let plain = name.strip_prefix("id:").unwrap_or(name).to_owned();
            let key = (stack.to_owned(), plain);
            let Some(found) = world.change_sets.get_mut(&key) else {
                return Execution::Refused("there is none".to_owned());
            };
            if !matches!(found.state, ChangeSetState::Ready { .. }) {
                return Execution::Refused("it is being executed".to_owned());
            }
            found.state = ChangeSetState::Executed;
            let digest = found.digest.clone();
            let count = world.operations.entry(stack.to_owned()).or_default();
            *count += 1;
            let updated = format!("{count}");
            let is_broken = world.broken.contains_key(stack);
            let found = world.stacks.get_mut(stack).unwrap();
            found.before = Some((Instant::now(), found.state.clone()));
            let is_new = found.state.status == "REVIEW_IN_PROGRESS";
            let (now, end) = match (is_new, is_broken) {
                (true, false) => ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
                (true, true) => ("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"),
                (false, false) => ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"),
                (false, true) => ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
            };
            found.state.status = now.to_owned();
            found.state.updated = updated;
            found.token = token.to_owned();
            let digest = (!is_broken).then_some(digest);
            found.ends = Some((Instant::now() + OPERATION, end.to_owned(), digest));
            Execution::Begun
        })
        .await
    }

    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError> {
        let key = (stack.to_owned(), name.to_owned());
        let delete = |world: &mut World| drop(world.change_sets.remove(&key));
        self.call(format!("forget {stack}"), delete).await
    }

    async fn delete_empty_stack(&self, name: &str) -> Result<(), CloudError> {
        self.call(format!("delete {name}"), |world| drop(world.stacks.remove(name))).await
    }

    async fn protect(&self, stack: &str) -> Result<(), CloudError> {
        self.call(format!("protect {stack}"), |world| {
            if let Some(found) = world.stacks.get_mut(stack) {
                found.state.is_protected = true;
            }
        })
        .await
    }

    async fn events(&self, stack: &str, _: Option<String>) -> Result<Page<StackEvent>, CloudError> {
        self.call(format!("events {stack}"), |world| {
            let events = world.stacks.get(stack).map(|it| it.events.clone()).unwrap_or_default();
            Page { items: events.into_iter().rev().collect(), next: None }
        })
        .await
    }

    async fn failed_checks(
        &self,
        stack: &str,
        _: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        self.call(format!("checks {stack}"), |_| Vec::new()).await
    }

    async fn alarms(&self, _: &str, _: Option<String>) -> Result<Page<Alarm>, CloudError> {
        let items = self.alarms.borrow().clone();
        self.call("alarms".to_owned(), |_| Page { items, next: None }).await
    }

    async fn has_object(&self, _: &str, key: &str) -> Result<bool, CloudError> {
        self.call(format!("head {key}"), |world| world.objects.contains_key(key)).await
    }

    async fn put_object(&self, _: &str, artifact: &Artifact) -> Result<(), CloudError> {
        let put = |world: &mut World| drop(world.put(&artifact.key, artifact.bytes.clone()));
        self.call(format!("put {}", artifact.key), put).await
    }

    async fn fetch(&self, _: &str, key: &str) -> Result<Option<Stored>, CloudError> {
        self.call(format!("fetch {key}"), |world| {
            let (bytes, entity_tag, at) = world.objects.get(key)?.clone();
            Some(Stored { bytes, entity_tag, age: at.elapsed() })
        })
        .await
    }

    async fn put_if(
        &self,
        (_, key): (&str, &str),
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<Option<String>, CloudError> {
        self.call(format!("put {key}"), |world| {
            let now = world.objects.get(key).map(|it| it.1.clone());
            let holds = match condition {
                Condition::Absent => now.is_none(),
                Condition::Same(tag) => now.as_ref() == Some(tag),
                Condition::Any => true,
            };
            holds.then(|| world.put(key, bytes))
        })
        .await
    }

    async fn delete_object(&self, _: &str, key: &str) -> Result<(), CloudError> {
        self.call(format!("drop {key}"), |world| drop(world.objects.remove(key))).await
    }
}
