//! One stack, from how it stands to how it shall be, by one change set.
//!
//! What may have begun is in the journal before it begins. A run that goes on looks at the change set
//! first: CloudFormation knows whether it was executed, so that nothing is executed twice.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use super::cell::CellRun;
use super::cloud::{
    ChangeSetKind, ChangeSetRequest, ChangeSetState, Cloud, CloudError, Execution, ResourceKind,
    StackState,
};
use super::journal::{Entry, StackPast};
use super::poller::{Flight, Followed, SHELL};
use super::progress::{Failure, Progress};
use crate::cause::{StackEvent, first_cause, lacks_detail, refusal};
use crate::release::{RELEASE_DIGEST, STORE_TAG, StackPlan};
use crate::stack_status::{StackStatus, Standing};

/// First wait for a change set to be worked out, which doubles up to the other. Our choice: CloudFormation
/// needs seconds.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const LOOK_MAX: Duration = Duration::from_secs(8);
/// Longest wait for one. Our choice.
const CHANGE_SET_TIME: Duration = Duration::from_mins(15);
/// Most pages of a change set's resources. Our choice: a template has 500 at most, a page 100 or more.
const CHANGE_PAGES_MAX: usize = 20;
/// Most pages of events that are read for a cause. Our choice: a stack of 500 resources has some 1,500
/// events from beginning to end, a page 100.
const EVENT_PAGES_MAX: usize = 40;
const STREAM: &str = "AWS::KinesisVideo::Stream";
/// Digits of the digest in a change set's name. Our choice: one of 2^64.
const DIGITS: usize = 16;

/// How a stack went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Changed,
    Unchanged,
    Failed(Failure),
    /// The run stopped before it.
    Left,
}

/// Whether CloudFormation will make a change set executable.
enum Prepared {
    Ready(BTreeMap<String, usize>, usize),
    Empty,
    Refused(String),
    /// One of that name was executed, or the stack has changed since.
    Spent,
}

/// A stack on its way.
pub(super) struct Way<'w, 'a, 'r, C> {
    cell: &'w CellRun<'a, 'r, C>,
    plan: &'w StackPlan,
    digest: String,
    change_set: String,
}

impl<'w, 'a, 'r, C: Cloud> Way<'w, 'a, 'r, C> {
    pub(super) fn new(cell: &'w CellRun<'a, 'r, C>, plan: &'w StackPlan) -> Self {
        let digest = plan.digest();
        let change_set = format!("arm-{}", digest.get(..DIGITS).unwrap_or(&digest));
        Self { cell, plan, digest, change_set }
    }

    /// Brings the stack to its plan.
    pub(super) async fn bring(&self) -> Result<Outcome, CloudError> {
        let state = self.cell.known(&self.plan.name);
        match self.cell.past(&self.plan.name) {
            Some(StackPast::Done) => return Ok(Outcome::Changed),
            Some(StackPast::Failed { cause, next }) => {
                let stack = self.plan.name.clone();
                return Ok(Outcome::Failed(Failure { stack, cause, next }));
            }
            Some(StackPast::Executing { change_set, token }) => {
                return self.go_on(state, &change_set, &token).await;
            }
            None => {}
        }
        if self.is_in_step(state.as_ref()) {
            self.tell_unchanged();
            return Ok(Outcome::Unchanged);
        }
        if self.cell.is_stopping() {
            return Ok(Outcome::Left);
        }
        let kind = match kind(state.as_ref()) {
            Ok(kind) => kind,
            Err(cause) => return Ok(self.fail(cause, true)),
        };
        self.cell.tell(Progress::Preparing {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            store: self.store(),
        });
        let (resources, streams) = match self.prepared(kind, state.as_ref()).await? {
            Prepared::Ready(resources, streams) => (resources, streams),
            Prepared::Empty => {
                self.cell.cloud.delete_change_set(&self.plan.name, &self.change_set).await?;
                self.tell_unchanged();
                return Ok(Outcome::Unchanged);
            }
            Prepared::Refused(reason) => return self.refused(state.as_ref(), &reason).await,
            Prepared::Spent => {
                let cause = "its change set cannot be executed: something else changes the stack";
                return Ok(self.fail(cause.to_owned(), false));
            }
        };
        self.cell.cloud.streams(streams).await;
        // The person may have asked while this stack waited for its turn.
        if self.cell.is_stopping() {
            return Ok(Outcome::Left);
        }
        self.execute(state, resources, kind == ChangeSetKind::Create).await
    }

    /// Whether nothing is to be done, which costs no call.
    pub(super) fn is_in_step(&self, state: Option<&StackState>) -> bool {
        state.is_some_and(|it| {
            it.digest.as_ref() == Some(&self.digest) && kind(Some(it)) == Ok(ChangeSetKind::Update)
        })
    }

    /// Goes on with what an earlier part of the run began.
    async fn go_on(
        &self,
        state: Option<StackState>,
        change_set: &str,
        token: &str,
    ) -> Result<Outcome, CloudError> {
        let is_moving =
            state.as_ref().is_some_and(|it| Standing::of(&it.status) == Standing::Moving);
        if !is_moving {
            if self.is_in_step(state.as_ref()) {
                return Ok(self.done(state).await);
            }
            match self.looked_at(change_set).await? {
                ChangeSetState::Ready(_) if self.cell.is_stopping() => return Ok(Outcome::Left),
                ChangeSetState::Ready(_) => return self.executed(state, token).await,
                // Nothing was ever begun, and nothing is left of it: as if it were new.
                ChangeSetState::Missing if state.as_ref().is_none_or(|it| it.status == SHELL) => {
                    self.cell.forget(&self.plan.name);
                    return Box::pin(self.bring()).await;
                }
                _ => return self.judged(state, token).await,
            }
        }
        let status = state.as_ref().map(|it| it.status.clone()).unwrap_or_default();
        self.cell.tell(Progress::Attached {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            store: self.store(),
            status,
        });
        let flight = Flight { before: state, token: token.to_owned() };
        self.followed(flight).await
    }

    /// Creates the change set and waits until it is worked out; one that an earlier run left is used, or
    /// made anew where it is spent.
    async fn prepared(
        &self,
        kind: ChangeSetKind,
        state: Option<&StackState>,
    ) -> Result<Prepared, CloudError> {
        let mut parameters = self.plan.parameters.clone();
        parameters.insert(RELEASE_DIGEST.to_owned(), self.digest.clone());
        let bucket = self.cell.release.artifacts_bucket.clone();
        let request = ChangeSetRequest {
            name: self.change_set.clone(),
            plan: self.plan,
            parameters,
            kind,
            template_object: self.plan.template_key().map(|key| (bucket, key)),
            rollback_alarms: self.cell.rollback_alarms(self.plan, state),
        };
        self.cell.cloud.create_change_set(&request).await?;
        match self.worked_out().await? {
            Prepared::Spent => {
                self.cell.cloud.delete_change_set(&self.plan.name, &self.change_set).await?;
                self.cell.cloud.create_change_set(&request).await?;
                self.worked_out().await
            }
            other => Ok(other),
        }
    }

    async fn worked_out(&self) -> Result<Prepared, CloudError> {
        Ok(match self.looked_at(&self.change_set).await? {
            found @ ChangeSetState::Ready(_) => {
                let (resources, streams) = self.counted(found).await?;
                Prepared::Ready(resources, streams)
            }
            ChangeSetState::Empty => Prepared::Empty,
            ChangeSetState::Failed(reason) => Prepared::Refused(reason),
            ChangeSetState::Pending => {
                Prepared::Refused("it was not worked out within 15 minutes".to_owned())
            }
            ChangeSetState::Executed | ChangeSetState::Obsolete | ChangeSetState::Missing => {
                Prepared::Spent
            }
        })
    }

    /// How a change set stands once it is worked out; still pending when that takes too long.
    async fn looked_at(&self, change_set: &str) -> Result<ChangeSetState, CloudError> {
        let (mut look, mut waited) = (FIRST_LOOK, Duration::ZERO);
        loop {
            sleep(look).await;
            waited += look;
            look = (look * 2).min(LOOK_MAX);
            let found = self.cell.cloud.change_set(&self.plan.name, change_set, None).await?;
            if found != ChangeSetState::Pending || waited > CHANGE_SET_TIME {
                return Ok(found);
            }
        }
    }

    /// How many resources of each type a change set changes, and how many new video streams it makes.
    async fn counted(
        &self,
        first: ChangeSetState,
    ) -> Result<(BTreeMap<String, usize>, usize), CloudError> {
        let (mut resources, mut streams) = (BTreeMap::new(), 0);
        let mut found = first;
        for _ in 0..CHANGE_PAGES_MAX {
            let ChangeSetState::Ready(page) = found else { break };
            for ResourceKind { resource_type, is_new } in page.items {
                streams += usize::from(is_new && resource_type == STREAM);
                *resources.entry(resource_type).or_default() += 1;
            }
            let Some(next) = page.next else { break };
            let cloud = &self.cell.cloud;
            found = cloud.change_set(&self.plan.name, &self.change_set, Some(next)).await?;
        }
        Ok((resources, streams))
    }

    /// A change set that CloudFormation refuses: nothing of the stack was touched.
    async fn refused(
        &self,
        state: Option<&StackState>,
        reason: &str,
    ) -> Result<Outcome, CloudError> {
        let cloud = &self.cell.cloud;
        let reason = if lacks_detail(reason) {
            let set = Some(self.change_set.as_str());
            refusal(reason, &cloud.failed_checks(&self.plan.name, set).await?)
        } else {
            reason.to_owned()
        };
        cloud.delete_change_set(&self.plan.name, &self.change_set).await?;
        // Only the shell that our own change set made: somebody else's stack is left alone.
        if state.is_none() {
            let now = cloud.stack(&self.plan.name).await?;
            if now.is_some_and(|it| it.status == SHELL) {
                cloud.delete_empty_stack(&self.plan.name).await?;
            }
        }
        Ok(self.fail(format!("CloudFormation refused the change set: {reason}"), false))
    }

    /// Executes the change set, once the journal knows of it.
    async fn execute(
        &self,
        before: Option<StackState>,
        resources: BTreeMap<String, usize>,
        creates: bool,
    ) -> Result<Outcome, CloudError> {
        let token = self.cell.token(&self.change_set);
        let entry = Entry::Execute {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            change_set: self.change_set.clone(),
            token: token.clone(),
        };
        if !self.cell.note(entry) {
            return Ok(Outcome::Left);
        }
        self.cell.tell(Progress::Started {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            store: self.store(),
            creates,
            resources,
        });
        self.executed(before, &token).await
    }

    async fn executed(
        &self,
        before: Option<StackState>,
        token: &str,
    ) -> Result<Outcome, CloudError> {
        let cloud = &self.cell.cloud;
        let begun = cloud.execute_change_set(&self.plan.name, &self.change_set, token).await?;
        if let Execution::Refused(reason) = begun {
            let found = cloud.change_set(&self.plan.name, &self.change_set, None).await?;
            // The first attempt took effect, and its answer was lost; or it is over already.
            if !matches!(found, ChangeSetState::Executed | ChangeSetState::Missing) {
                let cause = format!("CloudFormation does not execute its change set: {reason}");
                return Ok(self.fail(cause, false));
            }
        }
        self.followed(Flight { before, token: token.to_owned() }).await
    }

    /// Waits for the end of the operation, and judges it.
    async fn followed(&self, flight: Flight) -> Result<Outcome, CloudError> {
        let token = flight.token.clone();
        match self.cell.poller.follow(&self.plan.name, flight.clone()).await {
            Followed::Ended(state) => self.judged(state, &token).await,
            Followed::Silent => {
                let found =
                    self.cell.cloud.change_set(&self.plan.name, &self.change_set, None).await?;
                if let ChangeSetState::Ready(_) = found {
                    let cause = "CloudFormation took the order to execute its change set, and did \
                                 not begin";
                    return Ok(self.fail(cause.to_owned(), false));
                }
                let now = self.cell.cloud.stack(&self.plan.name).await?;
                self.judged(now, &token).await
            }
        }
    }

    /// What an operation that has ended comes to.
    async fn judged(&self, state: Option<StackState>, token: &str) -> Result<Outcome, CloudError> {
        let Some(state) = state else {
            let cause = "the stack was deleted while it was being deployed".to_owned();
            return Ok(self.fail(cause, false));
        };
        let is_right = state.digest.as_ref() == Some(&self.digest);
        let is_success = StackStatus::parse(&state.status).is_some_and(StackStatus::is_success);
        if is_right && is_success {
            return Ok(self.done(Some(state)).await);
        }
        let cause = match self.cause(token).await? {
            Some(cause) => cause,
            None if state.reason.is_empty() => {
                format!("it ended in {}, and CloudFormation gives no reason", state.status)
            }
            None => format!("it ended in {}: {}", state.status, state.reason),
        };
        let is_stuck = kind(Some(&state)).is_err();
        Ok(self.fail(cause, is_stuck))
    }

    /// The first failure among an operation's events that was not a consequence.
    async fn cause(&self, token: &str) -> Result<Option<String>, CloudError> {
        let (mut events, mut next) = (Vec::<StackEvent>::new(), None);
        for _ in 0..EVENT_PAGES_MAX {
            let page = self.cell.cloud.events(&self.plan.name, next).await?;
            let count = page.items.len();
            let ours: Vec<_> = page.items.into_iter().filter(|it| it.token == token).collect();
            let is_last = ours.is_empty() || ours.len() < count;
            events.extend(ours);
            next = page.next;
            if next.is_none() || (is_last && !events.is_empty()) {
                break;
            }
        }
        events.reverse();
        let Some(cause) = first_cause(&self.plan.name, &events) else { return Ok(None) };
        if lacks_detail(&cause.reason) {
            let found = self.cell.cloud.failed_checks(&self.plan.name, None).await?;
            return Ok(Some(refusal(&cause.to_string(), &found)));
        }
        Ok(Some(cause.to_string()))
    }

    async fn done(&self, state: Option<StackState>) -> Outcome {
        if !state.is_some_and(|it| it.is_protected)
            && let Err(error) = self.cell.cloud.protect(&self.plan.name).await
        {
            self.cell.warn(format!(
                "{} is not protected from deletion: {}",
                self.plan.name,
                error.line()
            ));
        }
        let (cell, stack) = (self.cell.id(), self.plan.name.clone());
        self.cell.note_end(Entry::Done { cell: cell.clone(), stack: stack.clone() });
        self.cell.tell(Progress::Done { cell, stack, store: self.store() });
        Outcome::Changed
    }

    /// Nobody knows how the stack went: a call failed for good.
    pub(super) fn lost(&self, error: &CloudError) -> Outcome {
        self.fail(error.line(), false)
    }

    fn fail(&self, cause: String, is_stuck: bool) -> Outcome {
        let stack = self.plan.name.clone();
        let next = self.cell.next(self.plan, is_stuck);
        let (cell, store) = (self.cell.id(), self.store());
        self.cell.note_end(Entry::Failed {
            cell: cell.clone(),
            stack: stack.clone(),
            cause: cause.clone(),
            next: next.clone(),
        });
        let (told, said) = (cause.clone(), next.clone());
        self.cell.tell(Progress::Failed {
            cell,
            stack: stack.clone(),
            store,
            cause: told,
            next: said,
        });
        Outcome::Failed(Failure { stack, cause, next })
    }

    fn tell_unchanged(&self) {
        self.cell.tell(Progress::Unchanged {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            store: self.store(),
        });
    }

    fn store(&self) -> Option<String> {
        self.plan.tags.get(STORE_TAG).cloned()
    }
}

/// Whether a stack is to be created or updated, or why it cannot be either.
pub(super) fn kind(state: Option<&StackState>) -> Result<ChangeSetKind, String> {
    let Some(StackState { status, reason, .. }) = state else { return Ok(ChangeSetKind::Create) };
    let why = match Standing::of(status) {
        // A shell is what a change set that was never executed leaves behind.
        Standing::Absent | Standing::Shell => return Ok(ChangeSetKind::Create),
        Standing::Settled => return Ok(ChangeSetKind::Update),
        Standing::Moving => "something else is changing it",
        Standing::Void | Standing::Stuck => "it cannot be updated from there",
    };
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    Err(format!("it is in {status}{reason}: {why}"))
}
