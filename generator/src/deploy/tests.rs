//! Runs against a CloudFormation in memory: what is called, in which order, what is said, and what is
//! left when any call fails or the run dies at it.

mod simulation;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::journal::{Journal, JournalError, Past};
use super::lock::Holder;
use super::*;
use crate::model::Id;
use crate::release::{Artifact, STORE_TAG, StackPlan};
use crate::rollout::Wave;
use simulation::{Fate, SimulatedStack, Simulation};

/// A journal in memory, which takes so many lines.
struct Paper {
    lines: Vec<String>,
    lines_max: usize,
}

impl Journal for Paper {
    fn add(&mut self, line: &str) -> Result<(), JournalError> {
        if self.lines.len() >= self.lines_max {
            let source = "the disk is full".into();
            return Err(JournalError { place: "paper".to_owned(), source });
        }
        self.lines.push(line.to_owned());
        Ok(())
    }

    fn text(&self) -> String {
        self.lines.join("\n")
    }
}

fn plan(name: &str, store: Option<&str>) -> StackPlan {
    let tags = store.map(|it| (STORE_TAG.to_owned(), it.to_owned()));
    StackPlan {
        name: name.to_owned(),
        body: format!("{{\"of\":\"{name}\"}}"),
        parameters: BTreeMap::new(),
        tags: tags.into_iter().collect(),
    }
}

fn release(stores: &[&str]) -> Release {
    let mut platform_stack = plan("platform", None);
    platform_stack.parameters.insert("FunctionsKey".to_owned(), "zip".to_owned());
    Release {
        cell: "us-west".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        artifacts_bucket: "bucket".to_owned(),
        artifacts_stack: plan("artifacts", None),
        artifacts: vec![Artifact {
            key: "zip".to_owned(),
            bytes: vec![1],
            media_type: "application/zip",
        }],
        platform_stack,
        store_stacks: stores.iter().map(|it| plan(&format!("store-{it}"), Some(it))).collect(),
    }
}

fn wave(name: &str, stores: &[&str], failures_max: usize) -> Wave {
    let stores = stores.iter().filter_map(|it| Id::new(it)).collect();
    Wave { name: name.to_owned(), stores, bake: Duration::ZERO, failures_max }
}

/// What came of a run.
struct Played {
    /// `None` when it was killed.
    outcome: Option<Result<Summary, DeployError>>,
    calls: Vec<String>,
    told: Vec<Progress>,
    journal: String,
}

/// A run as a test asks for it.
struct Wish<'a> {
    stores: &'a [&'a str],
    waves: &'a [Wave],
    past: Option<Past>,
    lines_max: usize,
    /// Calls after which the person asks to stop.
    stops_after: usize,
    run: &'a str,
}

impl<'a> Wish<'a> {
    fn new(stores: &'a [&'a str], waves: &'a [Wave]) -> Self {
        Self {
            stores,
            waves,
            past: None,
            lines_max: usize::MAX,
            stops_after: usize::MAX,
            run: "run-1",
        }
    }

    fn play(&self, cloud: &Simulation) -> Played {
        cloud.runtime.block_on(self.played(cloud))
    }

    async fn played(&self, cloud: &Simulation) -> Played {
        let releases = [release(self.stores)];
        let told = RefCell::new(Vec::new());
        let mut watch = |it| told.borrow_mut().push(it);
        let mut journal = Paper { lines: Vec::new(), lines_max: self.lines_max };
        let stops = || cloud.calls.borrow().len() >= self.stops_after;
        let now = || "2026-11-22T08:00:00Z".to_owned();
        let surroundings = Surroundings {
            journal: &mut journal,
            watch: &mut watch,
            is_stopped: &stops,
            now: &now,
        };
        let clouds = std::slice::from_ref(cloud);
        let listed_and_run = async {
            let states = [list_paced(cloud).await?];
            let rollout = Rollout {
                releases: &releases,
                states: &states,
                waves: self.waves,
                holder: Holder {
                    run: self.run.to_owned(),
                    by: "a test".to_owned(),
                    since: now(),
                    process: cloud.calls.borrow().len().to_string(),
                },
                wanted: "wanted".to_owned(),
                scope: Vec::new(),
                past: self.past.clone(),
            };
            run(clouds, rollout, surroundings).await
        };
        let outcome = tokio::select! {
            biased;
            () = cloud.killed.notified() => None,
            outcome = listed_and_run => Some(outcome),
        };
        let journal = journal.text();
        Played { outcome, calls: cloud.calls.take(), told: told.into_inner(), journal }
    }
}

/// Calls that change a stack.
fn changes(calls: &[String]) -> Vec<&str> {
    let is_change =
        |it: &&str| ["create ", "execute ", "delete "].iter().any(|verb| it.starts_with(verb));
    calls.iter().map(String::as_str).filter(is_change).collect()
}

fn all() -> [Wave; 1] {
    [wave("all", &["a", "b"], 0)]
}

const STORES: &[&str] = &["a", "b"];

#[test]
fn what_is_shared_comes_first_and_artifacts_between_its_stacks() {
    let cloud = Simulation::default();
    let played = Wish::new(STORES, &all()).play(&cloud);
    let shared: Vec<_> = played
        .calls
        .iter()
        .filter(|it| ["create ", "execute ", "put zip"].iter().any(|verb| it.starts_with(verb)))
        .map(String::as_str)
        .take(5)
        .collect();
    let expected = [
        "create Create artifacts",
        "execute artifacts",
        "put zip",
        "create Create platform",
        "execute platform",
    ];
    assert_eq!(shared, expected);
    assert_eq!(played.outcome.unwrap().unwrap().changed.len(), 4);
    assert!(cloud.world.borrow().stacks.values().all(|it| it.state.is_protected));
}

#[test]
fn a_second_run_lists_the_stacks_and_asks_nothing_else() {
    let cloud = Simulation::default();
    Wish::new(STORES, &all()).play(&cloud);
    let played = Wish::new(STORES, &all()).play(&cloud);
    assert_eq!(played.calls, ["list"]);
    assert_eq!(played.outcome.unwrap().unwrap().unchanged.len(), 4);
    assert_eq!(played.journal, "");
}

#[test]
fn credentials_of_another_account_touch_nothing() {
    let cloud = Simulation { account: "999999999999".to_owned(), ..Simulation::default() };
    let outcome = cloud.runtime.block_on(check_account(&cloud, &release(STORES)));
    assert!(matches!(outcome, Err(DeployError::WrongAccount { .. })));
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
}

#[test]
fn a_store_that_fails_shows_its_first_real_cause_and_the_others_go_on() {
    let cloud = Simulation::default();
    let reason = "the key is disabled".to_owned();
    cloud.world.borrow_mut().broken.insert("store-a".to_owned(), reason);
    let played = Wish::new(STORES, &all()).play(&cloud);
    let summary = played.outcome.unwrap().unwrap();
    let [failure] = &summary.failed[..] else { panic!("one store failed: {summary:?}") };
    assert!(failure.cause.starts_with("Topic (AWS::SNS::Topic)"), "{}", failure.cause);
    assert!(failure.cause.contains("the key is disabled"), "{}", failure.cause);
    assert_eq!(failure.next, "arm recover a");
    assert!(summary.changed.contains(&"store-b".to_owned()));
}

#[test]
fn events_of_an_earlier_failure_are_not_taken_for_this_one() {
    let cloud = Simulation::default();
    Wish::new(STORES, &all()).play(&cloud);
    {
        let mut world = cloud.world.borrow_mut();
        let found: &mut SimulatedStack = world.stacks.get_mut("store-a").unwrap();
        found.state.status = "UPDATE_ROLLBACK_COMPLETE".to_owned();
        found.state.digest = Some("old".to_owned());
        found.events.push(StackEvent {
            id: "old".to_owned(),
            logical_id: "Topic".to_owned(),
            status: "UPDATE_FAILED".to_owned(),
            reason: "last week's reason".to_owned(),
            ..StackEvent::default()
        });
        world.broken.insert("store-a".to_owned(), "today's reason".to_owned());
    }
    let played = Wish { run: "run-2", ..Wish::new(STORES, &all()) }.play(&cloud);
    let summary = played.outcome.unwrap().unwrap();
    assert!(summary.failed[0].cause.contains("today's reason"), "{summary:?}");
}

#[test]
fn a_change_set_without_changes_is_success() {
    let cloud = Simulation::default();
    cloud.world.borrow_mut().empty.insert("store-a".to_owned());
    let played = Wish::new(STORES, &all()).play(&cloud);
    let summary = played.outcome.unwrap().unwrap();
    assert_eq!(summary.unchanged, ["store-a"]);
    assert!(!played.calls.contains(&"execute store-a".to_owned()));
}

#[test]
fn a_refused_change_set_leaves_no_shell_of_a_new_stack() {
    let cloud = Simulation::default();
    cloud.world.borrow_mut().refused.insert("store-a".to_owned());
    let played = Wish::new(STORES, &all()).play(&cloud);
    assert_eq!(played.outcome.unwrap().unwrap().failed.len(), 1);
    assert!(!cloud.world.borrow().stacks.contains_key("store-a"));
}

#[test]
fn a_stack_that_somebody_else_changes_is_left_alone() {
    let cloud = Simulation::default();
    let state = StackState {
        name: "store-b".to_owned(),
        status: "UPDATE_IN_PROGRESS".to_owned(),
        is_ours: true,
        ..StackState::default()
    };
    let found = SimulatedStack { state, ..SimulatedStack::default() };
    cloud.world.borrow_mut().stacks.insert("store-b".to_owned(), found);
    let played = Wish::new(STORES, &all()).play(&cloud);
    assert!(!changes(&played.calls).iter().any(|it| it.contains("store-b")));
    let summary = played.outcome.unwrap().unwrap();
    assert_eq!(summary.failed[0].next, "arm recover b");
}

#[test]
fn a_stack_that_arm_did_not_make_is_left_alone() {
    let cloud = Simulation::default();
    let state = StackState {
        name: "store-b".to_owned(),
        status: "CREATE_COMPLETE".to_owned(),
        ..StackState::default()
    };
    let found = SimulatedStack { state, ..SimulatedStack::default() };
    cloud.world.borrow_mut().stacks.insert("store-b".to_owned(), found);
    let played = Wish::new(STORES, &all()).play(&cloud);
    assert!(!changes(&played.calls).iter().any(|it| it.contains("store-b")));
    assert!(played.outcome.unwrap().unwrap().failed[0].cause.contains("did not make"));
}

#[test]
fn a_wave_with_too_many_failures_is_the_last() {
    let waves = [wave("canary", &["a"], 0), wave("rest", &["b"], 0)];
    let cloud = Simulation::default();
    cloud.world.borrow_mut().broken.insert("store-a".to_owned(), "no".to_owned());
    let played = Wish::new(STORES, &waves).play(&cloud);
    let summary = played.outcome.unwrap().unwrap();
    assert_eq!(summary.left, ["store-b"]);
    assert!(played.told.iter().any(|it| matches!(it, Progress::Stopped { .. })));
    let waves = [wave("canary", &["a"], 1), wave("rest", &["b"], 0)];
    let cloud = Simulation::default();
    cloud.world.borrow_mut().broken.insert("store-a".to_owned(), "no".to_owned());
    let played = Wish::new(STORES, &waves).play(&cloud);
    assert!(played.outcome.unwrap().unwrap().left.is_empty());
}

#[test]
fn an_alarm_that_begins_to_ring_while_a_wave_bakes_stops_the_next() {
    let bakes = Wave { bake: Duration::from_mins(10), ..wave("canary", &["a"], 0) };
    let waves = [bakes, wave("rest", &["b"], 0)];
    let alarm = |state| Alarm {
        name: "arm-us-west-respond-errors".to_owned(),
        arn: "arn".to_owned(),
        state,
    };
    for (before, during, left) in [
        (AlarmState::Ok, AlarmState::Ringing, 1),
        (AlarmState::Ok, AlarmState::Ok, 0),
        (AlarmState::Ringing, AlarmState::Ringing, 0),
    ] {
        let cloud = Simulation::default();
        cloud.alarms.borrow_mut().push(alarm(before));
        let played = {
            cloud.runtime.block_on(async {
                let wish = Wish::new(STORES, &waves);
                let rings = async {
                    tokio::time::sleep(Duration::from_mins(6)).await;
                    cloud.alarms.replace(vec![alarm(during)]);
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    played = wish.played(&cloud) => played,
                    () = rings => unreachable!("it never ends"),
                }
            })
        };
        let summary = played.outcome.unwrap().unwrap();
        assert_eq!(summary.left.len(), left, "{before:?} {during:?}");
    }
}

#[test]
fn a_run_that_is_asked_to_stop_ends_what_is_under_way_and_goes_on_later() {
    let waves = [wave("canary", &["a"], 0), wave("rest", &["b"], 0)];
    let cloud = Simulation::default();
    let played = Wish { stops_after: 12, ..Wish::new(STORES, &waves) }.play(&cloud);
    let summary = played.outcome.unwrap().unwrap();
    assert!(!summary.left.is_empty(), "{summary:?}");
    let is_moving = |it: &SimulatedStack| {
        it.state.status.ends_with("_IN_PROGRESS") && it.state.status != "REVIEW_IN_PROGRESS"
    };
    assert!(!cloud.world.borrow().stacks.values().any(is_moving));
    let past = journal::read(&played.journal).unwrap();
    let played = Wish { past: Some(past), ..Wish::new(STORES, &waves) }.play(&cloud);
    assert!(played.outcome.unwrap().unwrap().left.is_empty());
    assert!(cloud.world.borrow().operations.values().all(|it| *it == 1));
}

#[test]
fn a_journal_that_cannot_be_written_lets_nothing_begin() {
    for lines_max in 0..8 {
        let cloud = Simulation::default();
        let played = Wish { lines_max, ..Wish::new(STORES, &all()) }.play(&cloud);
        let is_refused = matches!(played.outcome, Some(Err(DeployError::Journal(_))));
        assert!(is_refused, "{lines_max}: {:?}", played.outcome);
        let begun = cloud.world.borrow().operations.len();
        let known = played.journal.matches("\"entry\":\"execute\"").count();
        assert_eq!(begun, known, "{lines_max}");
    }
}

#[test]
fn expired_credentials_end_the_run_and_it_goes_on_with_new_ones() {
    for number in 1..30 {
        let cloud = Simulation::default();
        let expire =
            move |call: usize, _: &str| if call >= number { Fate::Expired } else { Fate::Fine };
        cloud.fate.replace(Some(Box::new(expire)));
        let played = Wish::new(STORES, &all()).play(&cloud);
        let is_expired = matches!(&played.outcome, Some(Err(DeployError::Cloud(error))) if error.trouble == Trouble::Credentials);
        assert!(is_expired, "{number}: {:?}", played.outcome);
        cloud.fate.replace(None);
        let past = journal::read(&played.journal).unwrap();
        let played = Wish { past: Some(past), ..Wish::new(STORES, &all()) }.play(&cloud);
        let summary = played.outcome.unwrap().unwrap();
        assert!(summary.failed.is_empty() && summary.left.is_empty(), "{number}: {summary:?}");
        assert!(cloud.world.borrow().operations.values().all(|it| *it == 1), "{number}");
    }
}

/// Plays a run in which one call has this fate, and goes on until it is over.
fn play_with(
    (fate, lag): (Fate, Duration),
    number: usize,
    stores: &[&str],
    waves: &[Wave],
) -> (Simulation, Played) {
    let cloud = Simulation::default();
    cloud.world.borrow_mut().lag = lag;
    let strike = move |call: usize, _: &str| if call == number { fate } else { Fate::Fine };
    cloud.fate.replace(Some(Box::new(strike)));
    let mut played = Wish::new(stores, waves).play(&cloud);
    cloud.fate.replace(None);
    while played.outcome.is_none() {
        let past = (!played.journal.is_empty()).then(|| journal::read(&played.journal).unwrap());
        let before = played.journal.clone();
        played = Wish { past, ..Wish::new(stores, waves) }.play(&cloud);
        played.journal = before;
    }
    (cloud, played)
}

#[test]
fn killed_at_any_call_it_goes_on_without_a_second_operation() {
    let waves = [wave("canary", &["a"], 0), wave("rest", &["b", "c"], 1)];
    let stores = &["a", "b", "c"];
    let calls = Wish::new(stores, &waves).play(&Simulation::default()).calls.len();
    assert!(calls > 30, "{calls}");
    for number in 0..calls {
        let fates = [Fate::KilledBefore, Fate::KilledAfter, Fate::Lost, Fate::Broken];
        let lags = [Duration::ZERO, Duration::from_secs(8)];
        for (fate, lag) in fates.into_iter().flat_map(|fate| lags.map(|lag| (fate, lag))) {
            let (cloud, played) = play_with((fate, lag), number, stores, &waves);
            let summary = played.outcome.unwrap().unwrap();
            let world = cloud.world.borrow();
            assert!(world.operations.values().all(|it| *it == 1), "{fate:?} at {number}");
            let ended: Vec<_> = world.stacks.values().map(|it| it.state.status.as_str()).collect();
            assert_eq!(ended, ["CREATE_COMPLETE"; 5], "{fate:?} at {number}");
            let bad = summary.failed.len() + summary.left.len();
            assert_eq!(bad, 0, "{fate:?} at {number}: {summary:?}");
        }
    }
}

#[test]
fn a_network_that_is_gone_ends_the_run_without_calling_any_stack_failed() {
    for number in [12, 20, 25, 30, 35] {
        let cloud = Simulation::default();
        let gone =
            move |call: usize, _: &str| if call >= number { Fate::Broken } else { Fate::Fine };
        cloud.fate.replace(Some(Box::new(gone)));
        let played = Wish::new(STORES, &all()).play(&cloud);
        assert!(matches!(played.outcome, Some(Err(DeployError::Cloud(_)))), "{number}");
        assert!(!played.journal.contains("\"failed\""), "{number}: {}", played.journal);
        cloud.fate.replace(None);
        let past = journal::read(&played.journal).unwrap();
        let played = Wish { past: Some(past), ..Wish::new(STORES, &all()) }.play(&cloud);
        let summary = played.outcome.unwrap().unwrap();
        assert!(summary.failed.is_empty() && summary.left.is_empty(), "{number}: {summary:?}");
        assert!(cloud.world.borrow().operations.values().all(|it| *it == 1), "{number}");
    }
}

#[test]
fn without_its_journal_a_run_follows_what_was_begun_for_the_same_plan() {
    let cloud = Simulation::default();
    let strike = |_: usize, name: &str| {
        if name == "execute store-a" { Fate::KilledAfter } else { Fate::Fine }
    };
    cloud.fate.replace(Some(Box::new(strike)));
    assert!(Wish::new(STORES, &all()).play(&cloud).outcome.is_none());
    cloud.fate.replace(None);
    let token = cloud.world.borrow().stacks["store-a"].token.clone();
    let begun =
        StackEvent { token, status: "CREATE_IN_PROGRESS".to_owned(), ..StackEvent::default() };
    cloud.world.borrow_mut().stacks.get_mut("store-a").unwrap().events.push(begun);
    // The same run without its journal may take the cell back at once.
    let played = Wish::new(STORES, &all()).play(&cloud);
    let summary = played.outcome.unwrap().unwrap();
    assert!(summary.failed.is_empty(), "{summary:?}");
    assert!(played.told.iter().any(|it| matches!(it, Progress::Attached { .. })));
    assert!(cloud.world.borrow().operations.values().all(|it| *it == 1));
}

#[test]
fn a_stack_that_changes_after_it_was_planned_is_not_overwritten() {
    let bakes = Wave { bake: Duration::from_mins(30), ..wave("canary", &["a"], 0) };
    let waves = [bakes, wave("rest", &["b"], 0)];
    let cloud = Simulation::default();
    Wish::new(STORES, &waves).play(&cloud);
    for stack in cloud.world.borrow_mut().stacks.values_mut() {
        stack.state.digest = Some("old".to_owned());
    }
    let played = cloud.runtime.block_on(async {
        let wish = Wish { run: "run-2", ..Wish::new(STORES, &waves) };
        let hotfix = async {
            tokio::time::sleep(Duration::from_mins(20)).await;
            if let Some(found) = cloud.world.borrow_mut().stacks.get_mut("store-b") {
                found.state.updated = "by hand".to_owned();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            played = wish.played(&cloud) => played,
            () = hotfix => unreachable!("it never ends"),
        }
    });
    let summary = played.outcome.unwrap().unwrap();
    assert_eq!(summary.failed.len(), 1, "{summary:?}");
    assert!(summary.failed[0].cause.contains("since it was planned"), "{summary:?}");
}

#[test]
fn a_bundle_alone_goes_through_the_waves_as_well() {
    let waves = [wave("canary", &["a"], 0), wave("rest", &["b"], 0)];
    let cloud = Simulation::default();
    Wish::new(STORES, &waves).play(&cloud);
    let reason = "no".to_owned();
    {
        let mut world = cloud.world.borrow_mut();
        world.stacks.get_mut("platform").unwrap().state.digest = Some("old".to_owned());
        world.broken.insert("platform".to_owned(), reason);
    }
    let played = Wish { run: "run-2", ..Wish::new(STORES, &waves) }.play(&cloud);
    let begun = played.told.iter().find_map(|it| match it {
        Progress::WaveBegun { wave } => Some(wave.as_str()),
        _ => None,
    });
    assert_eq!(begun, Some("canary"));
    assert_eq!(played.outcome.unwrap().unwrap().failed.len(), 1);
}

#[test]
fn a_store_that_failed_is_not_tried_again_by_a_run_that_goes_on() {
    let waves = [wave("all", &["a", "b"], 1)];
    let calls = {
        let cloud = Simulation::default();
        cloud.world.borrow_mut().broken.insert("store-a".to_owned(), "no".to_owned());
        Wish::new(STORES, &waves).play(&cloud).calls.len()
    };
    for number in 0..calls {
        let cloud = Simulation::default();
        cloud.world.borrow_mut().broken.insert("store-a".to_owned(), "no".to_owned());
        let strike =
            move |call: usize, _: &str| if call == number { Fate::KilledAfter } else { Fate::Fine };
        cloud.fate.replace(Some(Box::new(strike)));
        let first = Wish::new(STORES, &waves).play(&cloud);
        cloud.fate.replace(None);
        if first.outcome.is_some() {
            continue;
        }
        let past = (!first.journal.is_empty()).then(|| journal::read(&first.journal).unwrap());
        let second = Wish { past, ..Wish::new(STORES, &waves) }.play(&cloud);
        let summary = second.outcome.unwrap().unwrap();
        assert_eq!(summary.failed.len(), 1, "{number}: {summary:?}");
        assert!(cloud.world.borrow().operations.values().all(|it| *it == 1), "{number}");
    }
}

#[test]
fn throttling_fails_nothing_and_reads_stay_within_their_rate() {
    let names: Vec<String> = (0..120).map(|it| format!("s{it}")).collect();
    let stores: Vec<&str> = names.iter().map(String::as_str).collect();
    let waves = [wave("all", &stores, 0)];
    let cloud = Simulation::default();
    // Three of ten calls are throttled, and every fiftieth breaks, half of these after they took effect.
    let strike = |call: usize, _: &str| match (call * 7_919) % 100 {
        0..30 => Fate::Throttled,
        30 => Fate::Broken,
        31 => Fate::Lost,
        _ => Fate::Fine,
    };
    cloud.fate.replace(Some(Box::new(strike)));
    let played = Wish::new(&stores, &waves).play(&cloud);
    let summary = played.outcome.unwrap().unwrap();
    assert_eq!((summary.changed.len(), summary.failed.len()), (122, 0), "{:?}", summary.failed);
    assert!(cloud.world.borrow().operations.values().all(|it| *it == 1));
    let mut paces = played.told.iter().filter_map(|it| match it {
        Progress::Pace { pace, .. } => Some(*pace),
        _ => None,
    });
    let last = paces.next_back().unwrap();
    assert!(last.throttled > 100, "{last:?}");
    assert!(last.reads_per_second <= 4.0, "{last:?}");
}

#[test]
fn a_second_run_is_told_who_holds_the_cell_and_one_that_died_is_taken_over() {
    let cloud = Simulation::default();
    let waves = all();
    let first = Wish::new(STORES, &waves);
    // It dies while it creates the first store.
    let strike = |_: usize, name: &str| {
        if name.starts_with("execute store") { Fate::KilledAfter } else { Fate::Fine }
    };
    cloud.fate.replace(Some(Box::new(strike)));
    cloud.runtime.block_on(async {
        assert!(first.played(&cloud).await.outcome.is_none());
        cloud.fate.replace(None);
        let second = Wish { run: "run-2", ..Wish::new(STORES, &waves) };
        let refused = second.played(&cloud).await.outcome.unwrap();
        let Err(DeployError::Held { by, since, .. }) = refused else {
            panic!("the cell is held: {refused:?}")
        };
        assert_eq!((by.as_str(), since.as_str()), ("a test", "2026-11-22T08:00:00Z"));
        tokio::time::sleep(lock::STALE).await;
        second.played(&cloud).await.outcome.unwrap().unwrap();
    });
    assert!(cloud.world.borrow().operations.values().all(|it| *it == 1));
}
