//! One stack, from how it stands to how it shall be, by one change set.
//!
//! What may have begun is in the journal before it begins. A run that goes on looks at the change set
//! first: CloudFormation knows whether it was executed, so that nothing is executed twice.

use super::cell::CellRun;
use super::change_set::{Prepared, Ready};
use super::cloud::{ChangeSetKind, ChangeSetState, Cloud, CloudError, Execution, StackState};
use super::journal::{Before, Entry, StackPast};
use super::poller::{Flight, Followed, SHELL, is_moving};
use super::progress::{Failure, Progress};
use crate::cause::{StackEvent, first_cause, lacks_detail, refusal};
use crate::release::{STORE_TAG, StackPlan};
use crate::stack_status::{StackStatus, Standing};

/// Most pages of events that are read for a cause. Our choice: a stack of 500 resources has some 1,500
/// events from beginning to end, a page 100.
const EVENT_PAGES_MAX: usize = 40;
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
    /// The run ended while it was under way.
    UnderWay,
}

/// A stack on its way.
pub(super) struct Way<'w, 'a, 'r, C> {
    pub(super) cell: &'w CellRun<'a, 'r, C>,
    pub(super) plan: &'w StackPlan,
    pub(super) digest: String,
    /// Its name.
    pub(super) change_set: String,
}

impl<'w, 'a, 'r, C: Cloud> Way<'w, 'a, 'r, C> {
    pub(super) fn new(cell: &'w CellRun<'a, 'r, C>, plan: &'w StackPlan) -> Self {
        let digest = cell.digest(plan);
        let change_set = format!("arm-{}", digest.get(..DIGITS).unwrap_or(&digest));
        Self { cell, plan, digest, change_set }
    }

    /// Brings the stack to its plan.
    pub(super) async fn bring(&self) -> Result<Outcome, CloudError> {
        let mut state = self.cell.known(&self.plan.name);
        match self.cell.past(&self.plan.name) {
            Some(StackPast::Done) => return Ok(Outcome::Changed),
            // Somebody has mended it since.
            Some(StackPast::Failed { .. }) if self.is_in_step(state.as_ref()) => {}
            Some(StackPast::Failed { cause, next }) => {
                let stack = self.plan.name.clone();
                return Ok(Outcome::Failed(Failure { stack, cause, next }));
            }
            Some(StackPast::Executing { change_set, token, before }) => {
                let flight = Flight { before, token };
                return self.go_on(&change_set, flight).await;
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
        if self.cell.is_list_old() {
            let now = self.cell.cloud.stack(&self.plan.name).await?;
            if now != state {
                let cause = "something else has changed the stack since it was planned";
                return Ok(self.fail(cause.to_owned(), false));
            }
            state = now;
        }
        if is_moving(state.as_ref())
            && let Some(flight) = self.ours(state.as_ref()).await?
        {
            return self.attached(state, flight).await;
        }
        let kind = match kind(state.as_ref()) {
            Ok(kind) => kind,
            Err(cause) => return Ok(self.fail(cause, true)),
        };
        self.prepare(kind, state).await
    }

    /// Makes the change set, and has it executed.
    async fn prepare(
        &self,
        kind: ChangeSetKind,
        state: Option<StackState>,
    ) -> Result<Outcome, CloudError> {
        self.cell.tell(Progress::Preparing {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            store: self.store(),
        });
        let prepared = match self.prepared(kind, state.as_ref()).await? {
            Prepared::Ready(ready) => ready,
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
        self.cell.cloud.streams(prepared.streams).await;
        // The person may have asked while this stack waited for its turn.
        if self.cell.is_stopping() {
            return Ok(Outcome::Left);
        }
        self.execute(state, prepared, kind == ChangeSetKind::Create).await
    }

    /// The operation under way, if a run began it for this same plan: its events say so.
    async fn ours(&self, state: Option<&StackState>) -> Result<Option<Flight>, CloudError> {
        let page = self.cell.cloud.events(&self.plan.name, None).await?;
        let newest = page.items.into_iter().next().map(|it| it.token);
        let token = newest.filter(|it| it.ends_with(&self.change_set));
        let before = Before {
            status: state.map(|it| it.status.clone()).unwrap_or_default(),
            updated: state.map(|it| it.updated.clone()).unwrap_or_default(),
        };
        Ok(token.map(|token| Flight { before, token }))
    }

    /// Whether nothing is to be done, which costs no call.
    pub(super) fn is_in_step(&self, state: Option<&StackState>) -> bool {
        state.is_some_and(|it| {
            it.digest.as_ref() == Some(&self.digest) && kind(Some(it)) == Ok(ChangeSetKind::Update)
        })
    }

    /// Goes on with what an earlier part of the run began, or was about to.
    async fn go_on(&self, change_set: &str, flight: Flight) -> Result<Outcome, CloudError> {
        // The list may be older than the operation.
        let state = self.cell.cloud.stack(&self.plan.name).await?;
        if is_moving(state.as_ref()) {
            return self.attached(state, flight).await;
        }
        if self.is_in_step(state.as_ref()) {
            return Ok(self.done(state).await);
        }
        match self.looked_at(change_set).await? {
            ChangeSetState::Ready { .. } if self.cell.is_stopping() => Ok(Outcome::Left),
            ChangeSetState::Ready { .. } => self.executed(change_set, flight).await,
            // Nothing was ever begun, and nothing is left of it: as if it were new.
            ChangeSetState::Missing if state.is_none() => {
                self.cell.forget(&self.plan.name);
                Box::pin(self.bring()).await
            }
            // It was executed: the end is there already, or shows soon.
            _ => self.followed(flight).await,
        }
    }

    /// Follows an operation that is under way already.
    async fn attached(
        &self,
        state: Option<StackState>,
        flight: Flight,
    ) -> Result<Outcome, CloudError> {
        self.cell.tell(Progress::Attached {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            store: self.store(),
            status: state.map(|it| it.status).unwrap_or_default(),
        });
        self.followed(flight).await
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
        state: Option<StackState>,
        ready: Ready,
        creates: bool,
    ) -> Result<Outcome, CloudError> {
        let token = self.cell.token(&self.change_set);
        let state = state.unwrap_or_default();
        let before = Before { status: state.status, updated: state.updated };
        let entry = Entry::Execute {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            change_set: ready.id.clone(),
            token: token.clone(),
            before: before.clone(),
        };
        if !self.cell.note(entry) {
            return Ok(Outcome::Left);
        }
        self.cell.tell(Progress::Started {
            cell: self.cell.id(),
            stack: self.plan.name.clone(),
            store: self.store(),
            creates,
            resources: ready.resources,
        });
        self.executed(&ready.id, Flight { before, token }).await
    }

    async fn executed(&self, change_set: &str, flight: Flight) -> Result<Outcome, CloudError> {
        let cloud = &self.cell.cloud;
        let name = &self.plan.name;
        let begun = cloud.execute_change_set(name, change_set, &flight.token).await?;
        if let Execution::Refused(reason) = begun {
            let found = cloud.change_set(name, change_set, None).await?;
            // The first attempt took effect, and its answer was lost; or it is over already.
            if !matches!(found, ChangeSetState::Executed | ChangeSetState::Missing) {
                let cause = format!("CloudFormation does not execute its change set: {reason}");
                return Ok(self.fail(cause, false));
            }
        }
        self.followed(flight).await
    }

    /// Waits for the end of the operation, and judges it.
    async fn followed(&self, flight: Flight) -> Result<Outcome, CloudError> {
        let name = &self.plan.name;
        loop {
            if let Followed::Ended(state) = self.cell.poller.follow(name, flight.clone()).await {
                return self.judged(state, &flight.token).await;
            }
            // The list showed nothing for long: the stack itself must say.
            let now = self.cell.cloud.stack(name).await?;
            if !is_moving(now.as_ref()) {
                return self.judged(now, &flight.token).await;
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
            None if state.reason.is_empty() => format!(
                "it is in {}, and no event tells that its change set was executed",
                state.status
            ),
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
    let Some(StackState { status, reason, is_ours, .. }) = state else {
        return Ok(ChangeSetKind::Create);
    };
    if !is_ours && !matches!(Standing::of(status), Standing::Absent | Standing::Shell) {
        return Err("somebody else has a stack of this name, which `arm` did not make".to_owned());
    }
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
