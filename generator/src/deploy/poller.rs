//! One poller for a cell: however many stacks are under way, their statuses come from one list.
//!
//! Whoever waits for a stack says so by [`Poller::follow`]; [`Poller::run`] asks CloudFormation as long
//! as anybody waits. With what is left of the budget it reads events, the stack that was not read
//! for longest first.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep};

use super::cloud::{Cloud, CloudError, StackState, Trouble};
use super::journal::Before;
use super::pace::Paced;
use crate::cause::StackEvent;
use crate::stack_status::Standing;

/// Time between two lists. Our choice: an operation takes tens of seconds.
const LOOK: Duration = Duration::from_secs(2);
/// Up to so many stacks are asked for by their names, which costs a call each, where the whole list has
/// many pages. Our choice.
const NAMED_MAX: usize = 3;
/// Most pages of a list. Our choice: an account has 2,000 stacks by default, which are 20 pages or more.
const PAGES_MAX: usize = 200;
/// Most stacks whose events are read between two lists. Our choice: as many as the budget allows in
/// the time that a list takes.
const EVENTS_MAX: usize = 4;
/// Time after which an operation that shows no sign is taken for one that never began. Our choice.
const SILENT: Duration = Duration::from_secs(45);

/// The stacks that somebody waits for.
#[derive(Debug, Default)]
pub(super) struct Poller {
    watched: RefCell<BTreeMap<String, Watched>>,
    wake: Notify,
}

/// An operation that is waited for.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    /// How the stack stood before it.
    pub(super) before: Before,
    /// What its events are marked with; empty where that is not known.
    pub(super) token: String,
}

/// How an operation went.
#[derive(Debug)]
pub(super) enum Followed {
    /// It has ended, with the stack like this; `None` when the stack is gone.
    Ended(Option<StackState>),
    /// Nothing shows that it ever began.
    Silent,
}

#[derive(Debug)]
struct Watched {
    flight: Flight,
    since: Instant,
    ended: Option<oneshot::Sender<Followed>>,
    seen: HashSet<String>,
    /// When its events were read.
    read: Option<Instant>,
}

impl Poller {
    /// Waits until an operation has ended.
    pub(super) async fn follow(&self, stack: &str, flight: Flight) -> Followed {
        let (send, receive) = oneshot::channel();
        let watched = Watched {
            flight,
            since: Instant::now(),
            ended: Some(send),
            seen: HashSet::new(),
            read: None,
        };
        self.watched.borrow_mut().insert(stack.to_owned(), watched);
        self.wake.notify_one();
        receive.await.unwrap_or(Followed::Silent)
    }

    /// Asks as long as anybody waits; ends only with an error.
    pub(super) async fn run<C: Cloud>(
        &self,
        cloud: &Paced<'_, C>,
        tell: &dyn Fn(&str, StackEvent),
    ) -> Result<Infallible, CloudError> {
        let mut pages = 1;
        loop {
            let names: Vec<String> = self.watched.borrow().keys().cloned().collect();
            if names.is_empty() {
                self.wake.notified().await;
                continue;
            }
            let mut listed = if names.len() <= NAMED_MAX.min(pages) {
                named(cloud, &names).await?
            } else {
                let (listed, read) = list(cloud).await?;
                pages = read;
                listed
            };
            // That a stack is gone is no list's to say: it may have moved from one page to another.
            let gone: Vec<_> =
                names.iter().filter(|it| !listed.contains_key(*it)).cloned().collect();
            listed.extend(named(cloud, &gone).await?);
            for name in &names {
                self.note(name, listed.get(name));
            }
            self.read_events(cloud, tell).await?;
            sleep(LOOK).await;
        }
    }

    /// Wakes who waits for a stack that has ended.
    fn note(&self, name: &str, state: Option<&StackState>) {
        let mut watched = self.watched.borrow_mut();
        let Some(found) = watched.get_mut(name) else { return };
        let outcome = if has_ended(&found.flight, state) {
            Followed::Ended(state.cloned())
        } else if !is_moving(state) && found.since.elapsed() > SILENT {
            Followed::Silent
        } else {
            return;
        };
        if let Some(ended) = found.ended.take() {
            // Nobody waits any more where the run was stopped.
            drop(ended.send(outcome));
        }
        watched.remove(name);
    }

    /// Reads the newest events of some stacks that are under way.
    async fn read_events<C: Cloud>(
        &self,
        cloud: &Paced<'_, C>,
        tell: &dyn Fn(&str, StackEvent),
    ) -> Result<(), CloudError> {
        let next = {
            let watched = self.watched.borrow();
            let mut next: Vec<_> = watched
                .iter()
                .filter(|(_, it)| !it.flight.token.is_empty())
                .map(|(name, it)| (it.read, name.clone()))
                .collect();
            next.sort();
            next
        };
        for (_, name) in next.into_iter().take(EVENTS_MAX) {
            // They are for people to look at: that they cannot be read stops nothing.
            let page = match cloud.events(&name, None).await {
                Err(error) if error.trouble == Trouble::Credentials => return Err(error),
                Err(_) => continue,
                Ok(page) => page,
            };
            let mut watched = self.watched.borrow_mut();
            let Some(found) = watched.get_mut(&name) else { continue };
            found.read = Some(Instant::now());
            for event in page.items.into_iter().rev() {
                if event.token == found.flight.token && found.seen.insert(event.id.clone()) {
                    tell(&name, event);
                }
            }
        }
        Ok(())
    }
}

/// Whether an operation has ended: the status is one that a stack stays in, and it is not the one that
/// the operation found.
fn has_ended(flight: &Flight, state: Option<&StackState>) -> bool {
    let before = &flight.before;
    match state {
        None => !before.status.is_empty() && before.status != SHELL,
        Some(state) if is_moving(Some(state)) || state.status == SHELL => false,
        Some(state) => (&state.status, &state.updated) != (&before.status, &before.updated),
    }
}

/// What a change set that was never executed leaves of a new stack.
pub(super) const SHELL: &str = "REVIEW_IN_PROGRESS";

pub(super) fn is_moving(state: Option<&StackState>) -> bool {
    state.is_some_and(|it| Standing::of(&it.status) == Standing::Moving)
}

/// Every stack of the account and region by its name, and how many pages that were.
pub(super) async fn list(
    cloud: &impl Cloud,
) -> Result<(BTreeMap<String, StackState>, usize), CloudError> {
    let (mut stacks, mut next) = (BTreeMap::new(), None);
    for page in 1..=PAGES_MAX {
        let answer = cloud.stacks(next).await?;
        stacks.extend(answer.items.into_iter().map(|it| (it.name.clone(), it)));
        next = answer.next;
        if next.is_none() {
            return Ok((stacks, page));
        }
    }
    Err(CloudError::other("list the stacks", TooMany))
}

#[derive(Debug, thiserror::Error)]
#[error("there are more than {PAGES_MAX} pages")]
struct TooMany;

async fn named(
    cloud: &impl Cloud,
    names: &[String],
) -> Result<BTreeMap<String, StackState>, CloudError> {
    let mut stacks = BTreeMap::new();
    for name in names {
        stacks.extend(cloud.stack(name).await?.map(|it| (name.clone(), it)));
    }
    Ok(stacks)
}
