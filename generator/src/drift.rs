//! Drift of many stacks, asked for at a rate: which resources are other than their templates say.
//!
//! CloudFormation is asked for one detection after another, and looked at now and then until it has
//! ended; what differs is read of drifted stacks alone. Cells go side by side, each at the full rate,
//! because AWS counts calls by account and region. Stopped, it ends with what is known. Time goes by
//! [`DriftServices::pause`] alone. To change how often it asks, start at the constants.

use std::collections::VecDeque;
use std::time::Duration;

use crate::deploy::CloudError;

/// Time until the first look at a detection. Our choice: a store's stack takes some seconds.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// Time between two looks at one detection. Our choice.
const LOOK_TIME: Duration = Duration::from_secs(8);
/// Longest that one detection is followed. Source: CloudFormation API reference, `DetectStackDrift`: up to
/// several minutes; our choice is three times five.
const DETECTION_MAX: Duration = Duration::from_mins(15);
/// Most detections of a cell at once. Our choice: AWS states no limit of its own, and each makes
/// CloudFormation read every resource of a stack, on the account's rates of those services.
const OPEN_MAX: usize = 20;

/// What finding drift needs of AWS; cells go by their place in the list. `aws` implements it, the tests
/// script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait DriftServices {
    /// Starts a detection and returns its id. The inner error is why CloudFormation refuses.
    async fn start(&self, cell: usize, stack: &str) -> Result<Result<String, String>, CloudError>;
    async fn look(&self, cell: usize, detection: &str) -> Result<Looked, CloudError>;
    /// The resources of a stack that the last detection found changed or gone.
    async fn differences(&self, cell: usize, stack: &str) -> Result<Vec<Resource>, CloudError>;
    async fn pause(&self, time: Duration);
    /// Whether the person has asked to stop.
    fn is_stopped(&self) -> bool;
}

/// How a detection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    Working,
    Same,
    Drifted,
    /// Why CloudFormation cannot tell; of some resources it may be known.
    Failed(String),
}

/// A resource that is other than its template says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    pub logical_id: String,
    /// Its own name or ARN.
    pub physical_id: String,
    /// Such as `AWS::SNS::Topic`.
    pub resource_type: String,
    /// It is there no more.
    pub is_gone: bool,
    pub differences: Vec<Difference>,
}

/// A property that is other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Such as `/Tags/0/Value`.
    pub path: String,
    /// What the template says; `None`: nothing.
    pub expected: Option<String>,
    /// What there is; `None`: nothing.
    pub actual: Option<String>,
}

/// A stack to be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The place of its cell.
    pub cell: usize,
    pub name: String,
    /// The store's id, if it is of one.
    pub store: Option<String>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub stack: Stack,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Same,
    Drifted(Vec<Resource>),
    /// It is not known, and why. What is known of some resources is there all the same.
    Unknown(String, Vec<Resource>),
}

/// What is known at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of their ends.
    pub checked: Vec<Checked>,
    /// Stacks whose drift was not asked for, or not told yet.
    pub left: Vec<Stack>,
}

/// A detection under way.
struct Open {
    stack: Stack,
    detection: String,
    begun: Duration,
    due: Duration,
}

/// Hears each end, with how many have ended.
type Tell<'a> = &'a mut dyn FnMut(&Checked, usize);

/// One cell's part.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Stack>,
    open: VecDeque<Open>,
}

/// Finds the drift of some stacks, starting one and looking at one in every `step` in each cell.
pub async fn find(
    services: &impl DriftServices,
    stacks: &[Stack],
    step: Duration,
    report: &mut Report,
    tell: Tell<'_>,
) -> Result<(), CloudError> {
    let cells = stacks.iter().map(|it| it.cell + 1).max().unwrap_or_default();
    let mut lanes: Vec<Lane> = (0..cells).map(|_| Lane::default()).collect();
    for stack in stacks {
        if let Some(lane) = lanes.get_mut(stack.cell) {
            lane.waiting.push_back(stack.clone());
        }
    }
    let mut now = Duration::ZERO;
    let mut done = Ok(());
    while done.is_ok() && !services.is_stopped() && lanes.iter().any(Lane::is_busy) {
        for lane in &mut lanes {
            done = lane.advance(services, now, (report, tell)).await;
            if done.is_err() {
                break;
            }
        }
        if done.is_ok() && lanes.iter().any(Lane::is_busy) {
            services.pause(step).await;
            now += step;
        }
    }
    for lane in lanes {
        report.left.extend(lane.open.into_iter().map(|it| it.stack).chain(lane.waiting));
    }
    done
}

impl Lane {
    fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.open.is_empty()
    }

    /// At most one start and one look.
    async fn advance(
        &mut self,
        services: &impl DriftServices,
        now: Duration,
        (report, tell): (&mut Report, Tell<'_>),
    ) -> Result<(), CloudError> {
        let mut end = |stack: Stack, outcome| {
            report.checked.push(Checked { stack, outcome });
            if let Some(last) = report.checked.last() {
                tell(last, report.checked.len());
            }
        };
        if self.open.len() < OPEN_MAX
            && let Some(stack) = self.waiting.front().cloned()
        {
            let started = services.start(stack.cell, &stack.name).await?;
            self.waiting.pop_front();
            match started {
                Ok(detection) => {
                    let due = now + FIRST_LOOK;
                    self.open.push_back(Open { stack, detection, begun: now, due });
                }
                Err(reason) => end(stack, Outcome::Unknown(reason, Vec::new())),
            }
        }
        // Whoever waited longest is looked at first.
        let due = self.open.front().is_some_and(|it| it.due <= now);
        let Some(mut open) = due.then(|| self.open.pop_front()).flatten() else { return Ok(()) };
        match outcome(services, &open).await {
            Ok(None) if now.saturating_sub(open.begun) >= DETECTION_MAX => {
                let minutes = DETECTION_MAX.as_secs() / 60;
                let reason = format!("CloudFormation has not ended after {minutes} minutes");
                end(open.stack, Outcome::Unknown(reason, Vec::new()));
            }
            Ok(None) => {
                open.due = now + LOOK_TIME;
                self.open.push_back(open);
            }
            Ok(Some(outcome)) => end(open.stack, outcome),
            Err(error) => {
                self.open.push_front(open);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// What a detection found; `None`: it is under way.
async fn outcome(
    services: &impl DriftServices,
    open: &Open,
) -> Result<Option<Outcome>, CloudError> {
    let differences = || services.differences(open.stack.cell, &open.stack.name);
    Ok(match services.look(open.stack.cell, &open.detection).await? {
        Looked::Working => None,
        Looked::Same => Some(Outcome::Same),
        Looked::Drifted => Some(Outcome::Drifted(differences().await?)),
        Looked::Failed(reason) => Some(Outcome::Unknown(reason, differences().await?)),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[derive(Default)]
    struct Script {
        /// How many looks a detection takes.
        looks: usize,
        /// Stops after so many pauses.
        stop_after: Option<usize>,
        pauses: Cell<usize>,
        calls: RefCell<Vec<String>>,
    }

    impl Script {
        fn note(&self, call: &str) -> usize {
            let mut calls = self.calls.borrow_mut();
            calls.push(format!("{}: {call}", self.pauses.get()));
            calls.iter().filter(|it| it.ends_with(call)).count()
        }
    }

    impl DriftServices for Script {
        async fn start(
            &self,
            cell: usize,
            stack: &str,
        ) -> Result<Result<String, String>, CloudError> {
            self.note(&format!("start {cell} {stack}"));
            Ok(match stack {
                "gone" => Err("Stack [gone] does not exist".to_owned()),
                stack => Ok(stack.to_owned()),
            })
        }

        async fn look(&self, _: usize, detection: &str) -> Result<Looked, CloudError> {
            let looks = self.note(&format!("look {detection}"));
            Ok(match detection {
                _ if looks <= self.looks => Looked::Working,
                "changed" => Looked::Drifted,
                "odd" => Looked::Failed("of one resource it cannot be told".to_owned()),
                "broken" => return Err(CloudError::other("look", "no network")),
                _ => Looked::Same,
            })
        }

        async fn differences(&self, _: usize, stack: &str) -> Result<Vec<Resource>, CloudError> {
            self.note(&format!("differences {stack}"));
            Ok(vec![Resource { logical_id: "Alerts".to_owned(), ..Resource::default() }])
        }

        async fn pause(&self, _: Duration) {
            self.pauses.set(self.pauses.get() + 1);
        }

        fn is_stopped(&self) -> bool {
            self.stop_after.is_some_and(|it| self.pauses.get() >= it)
        }
    }

    /// What is known at the end, and every call with the second in which it was made.
    fn check(script: Script, names: &[(usize, &str)]) -> (Report, Vec<String>, bool) {
        let stack = |(cell, name): &(usize, &str)| Stack {
            cell: *cell,
            name: (*name).to_owned(),
            store: None,
        };
        let stacks: Vec<_> = names.iter().map(stack).collect();
        let mut report = Report::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let step = Duration::from_secs(1);
        let done = runtime.block_on(find(&script, &stacks, step, &mut report, &mut |_, _| {}));
        (report, script.calls.into_inner(), done.is_ok())
    }

    #[test]
    fn one_detection_starts_in_a_step_and_only_drifted_stacks_are_read() {
        let (report, calls, _) =
            check(Script::default(), &[(0, "a"), (0, "changed"), (0, "gone"), (0, "odd")]);
        assert_eq!(
            calls,
            [
                "0: start 0 a",
                "1: start 0 changed",
                "2: start 0 gone",
                "2: look a",
                "3: start 0 odd",
                "3: look changed",
                "3: differences changed",
                "5: look odd",
                "5: differences odd",
            ]
        );
        let drifted = |it: &Checked| matches!(it.outcome, Outcome::Drifted(_));
        assert_eq!(report.checked.len(), 4);
        assert_eq!(report.checked.iter().filter(|it| drifted(it)).count(), 1);
        assert_eq!(report.left, []);
    }

    #[test]
    fn cells_go_side_by_side() {
        let (_, calls, _) = check(Script::default(), &[(0, "a"), (1, "b")]);
        assert_eq!(calls, ["0: start 0 a", "0: start 1 b", "2: look a", "2: look b"]);
    }

    #[test]
    fn a_detection_is_looked_at_seldom_and_not_for_ever() {
        let (_, calls, _) = check(Script { looks: 2, ..Script::default() }, &[(0, "a")]);
        assert_eq!(calls, ["0: start 0 a", "2: look a", "10: look a", "18: look a"]);
        let endless = Script { looks: usize::MAX, ..Script::default() };
        let (report, calls, _) = check(endless, &[(0, "a")]);
        let Outcome::Unknown(reason, _) = &report.checked[0].outcome else { panic!("it ends") };
        assert_eq!(reason, "CloudFormation has not ended after 15 minutes");
        assert_eq!(calls.last().unwrap(), "906: look a");
    }

    #[test]
    fn no_more_than_twenty_detections_are_under_way_in_a_cell() {
        let names: Vec<_> = (0..30).map(|it| format!("s{it}")).collect();
        let stacks: Vec<_> = names.iter().map(|it| (0, it.as_str())).collect();
        let script = Script { looks: 9, stop_after: Some(60), ..Script::default() };
        let (report, calls, _) = check(script, &stacks);
        assert_eq!(calls.iter().filter(|it| it.contains("start")).count(), OPEN_MAX);
        assert_eq!((report.checked.len(), report.left.len()), (0, 30));
    }

    #[test]
    fn stopped_or_failed_it_says_what_is_known_and_what_is_left() {
        let stopped = Script { stop_after: Some(3), ..Script::default() };
        let (report, _, is_done) = check(stopped, &[(0, "a"), (0, "b"), (0, "c"), (0, "d")]);
        let left: Vec<_> = report.left.iter().map(|it| it.name.as_str()).collect();
        assert_eq!((report.checked.len(), left, is_done), (1, vec!["b", "c", "d"], true));
        let (report, _, is_done) = check(Script::default(), &[(0, "a"), (0, "broken")]);
        assert_eq!((report.checked.len(), report.left.len(), is_done), (1, 1, false));
    }
}
