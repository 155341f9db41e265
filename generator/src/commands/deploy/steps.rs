//! What a stack under way consists of, as steps by resource type, and how far each is.
//!
//! A resource is done when its `*_COMPLETE` came; what CloudFormation undoes afterwards is no
//! progress and is not counted. Pure. To show a step otherwise, start at [`Steps::told`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::words::{STACK_TYPE, between, elapsed, is_named, noun, rank};
use crate::deploy::StackEvent;

/// From then on, the time of a single resource is shown. Our choice: what people take for quick.
const LONG: Duration = Duration::from_secs(20);

/// The steps of one stack, and what went wrong in it.
#[derive(Debug, Default)]
pub(super) struct Steps {
    by_type: BTreeMap<String, Step>,
    /// Whether CloudFormation undoes what it did.
    pub(super) is_undone: bool,
    /// The first failure of a resource that was no consequence of another.
    pub(super) trouble: Option<String>,
}

/// The resources of one type.
#[derive(Debug, Default)]
struct Step {
    /// How many were announced.
    total: usize,
    done: BTreeSet<String>,
    /// Since when, and the word for it, such as "creating".
    under_way: BTreeMap<String, (Timestamp, &'static str)>,
}

/// A step as it is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) state: State,
}

/// How far a step is; in the order in which people want to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Begun,
    Waiting,
    Done,
}

impl State {
    fn of(done: usize, under_way: usize, total: usize) -> Self {
        match (done, under_way) {
            (done, _) if done == total => Self::Done,
            (0, 0) => Self::Waiting,
            _ => Self::Begun,
        }
    }
}

impl Steps {
    /// What was announced when the stack began.
    pub(super) fn announce(&mut self, resources: &BTreeMap<String, usize>) {
        for (resource_type, total) in resources {
            self.by_type.entry(resource_type.clone()).or_default().total = *total;
        }
    }

    /// Takes in an event of the stack of this name; returns whether the stack turned to undoing.
    pub(super) fn take(&mut self, stack: &str, event: &StackEvent, now: Timestamp) -> bool {
        if event.resource_type == STACK_TYPE && event.logical_id == stack {
            let turns = event.status.ends_with("ROLLBACK_IN_PROGRESS") && !self.is_undone;
            self.is_undone |= turns;
            return turns;
        }
        if event.status.ends_with("_FAILED") {
            self.fail(event);
        }
        if self.is_undone {
            return false;
        }
        let step = self.by_type.entry(event.resource_type.clone()).or_default();
        if event.status.ends_with("_IN_PROGRESS") {
            let begun = (now, verb(&event.status));
            step.under_way.entry(event.logical_id.clone()).or_insert(begun);
            return false;
        }
        step.under_way.remove(&event.logical_id);
        if event.status.ends_with("_COMPLETE") || event.status.ends_with("_SKIPPED") {
            step.done.insert(event.logical_id.clone());
        }
        false
    }

    /// Others are cancelled because one failed: the first that was not is the cause.
    fn fail(&mut self, event: &StackEvent) {
        if self.trouble.is_some() || event.reason.to_lowercase().contains("cancelled") {
            return;
        }
        let noun = noun(&event.resource_type, 1);
        self.trouble = Some(format!("{noun} {}: {}", event.logical_id, event.reason));
    }

    /// Each step in few words, what people wait for first; what nobody waits for is one step.
    pub(super) fn told(&self, now: Timestamp) -> Vec<Told> {
        let mut steps: Vec<_> = self.by_type.iter().filter(|(kind, _)| is_named(kind)).collect();
        steps.sort_by_key(|(resource_type, _)| rank(resource_type));
        let mut told: Vec<_> =
            steps.into_iter().map(|(resource_type, step)| step.told(resource_type, now)).collect();
        let others = || self.by_type.iter().filter(|(kind, _)| !is_named(kind)).map(|it| it.1);
        let sum = |number: fn(&Step) -> usize| others().map(number).sum::<usize>();
        let (done, total) = (sum(|it| it.done.len()), sum(Step::total));
        if total > 0 {
            let state = State::of(done, sum(|it| it.under_way.len()), total);
            told.push(Told { text: format!("others {done}/{total}"), state });
        }
        told
    }
}

impl Step {
    /// More than was announced comes where nothing was, as of a stack that is only followed.
    fn total(&self) -> usize {
        self.total.max(self.done.len() + self.under_way.len())
    }

    fn told(&self, resource_type: &str, now: Timestamp) -> Told {
        let (done, total) = (self.done.len(), self.total());
        let state = State::of(done, self.under_way.len(), total);
        let noun = noun(resource_type, total);
        let long = self.under_way.values().find(|(since, _)| between(*since, now) >= LONG);
        let text = match long {
            Some((since, verb)) if total == 1 => {
                format!("{noun} {verb} {}", elapsed(between(*since, now)))
            }
            _ => format!("{noun} {done}/{total}"),
        };
        Told { text, state }
    }
}

/// What is done to a resource, by its status.
fn verb(status: &str) -> &'static str {
    match status {
        "CREATE_IN_PROGRESS" => "creating",
        "DELETE_IN_PROGRESS" => "deleting",
        "IMPORT_IN_PROGRESS" => "importing",
        _ => "updating",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: &[(&str, &str, &str, &str)], seconds: i64) -> (String, Option<String>) {
        let start = Timestamp::UNIX_EPOCH;
        let mut steps = Steps::default();
        steps.announce(&BTreeMap::from([
            ("AWS::KinesisVideo::Stream".to_owned(), 2),
            ("AWS::SageMaker::Endpoint".to_owned(), 1),
        ]));
        for (id, resource_type, status, reason) in events {
            let event = StackEvent {
                id: String::new(),
                logical_id: (*id).to_owned(),
                resource_type: (*resource_type).to_owned(),
                status: (*status).to_owned(),
                reason: (*reason).to_owned(),
                ..StackEvent::default()
            };
            steps.take("arm-west-0042", &event, start);
        }
        let now = start + jiff::SignedDuration::from_secs(seconds);
        let told: Vec<_> = steps.told(now).into_iter().map(|it| it.text).collect();
        (told.join(", "), steps.trouble)
    }

    #[test]
    fn a_resource_that_is_told_of_twice_counts_once() {
        let stream = |status| ("CameraA", "AWS::KinesisVideo::Stream", status, "");
        let events = [
            stream("CREATE_IN_PROGRESS"),
            stream("CREATE_IN_PROGRESS"),
            stream("CREATE_COMPLETE"),
            stream("CREATE_COMPLETE"),
        ];
        let (text, _) = told(&events, 0);
        assert_eq!(text, "camera streams 1/2, inference endpoint 0/1");
    }

    #[test]
    fn what_takes_long_says_how_long() {
        let events = [("Endpoint", "AWS::SageMaker::Endpoint", "CREATE_IN_PROGRESS", "")];
        let (text, _) = told(&events, 130);
        assert_eq!(text, "camera streams 0/2, inference endpoint creating 2m10s");
    }

    #[test]
    fn the_first_failure_that_is_no_consequence_is_the_trouble() {
        let stream = "AWS::KinesisVideo::Stream";
        let events = [
            ("CameraA", stream, "CREATE_FAILED", "Resource creation cancelled"),
            ("CameraB", stream, "CREATE_FAILED", "limit of streams reached"),
            ("Endpoint", "AWS::SageMaker::Endpoint", "CREATE_FAILED", "later"),
        ];
        let (_, trouble) = told(&events, 0);
        assert_eq!(trouble.unwrap(), "camera stream CameraB: limit of streams reached");
    }

    #[test]
    fn what_is_undone_is_no_progress() {
        let events = [
            ("arm-west-0042", STACK_TYPE, "ROLLBACK_IN_PROGRESS", ""),
            ("CameraA", "AWS::KinesisVideo::Stream", "DELETE_COMPLETE", ""),
        ];
        let (text, _) = told(&events, 0);
        assert_eq!(text, "camera streams 0/2, inference endpoint 0/1");
    }
}
