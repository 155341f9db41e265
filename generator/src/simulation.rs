//! A day of detections on one store, summed up: what its people will live through.
//!
//! Each event goes through a [`Trial`], so what is counted is what the deployed patterns and the
//! function `respond` would do. Events must come in the order of their time. What is kept grows with
//! the cases and never with the detections, so that a million of them fit.
//!
//! Pure. To count something more, start in [`Simulation::put`]; to compare it under two rule sets, in
//! `simulation/comparison.rs`.

pub mod comparison;
mod course;
pub mod hours;
pub mod line;

use std::collections::{BTreeMap, HashMap};

use casework::guard::KEPT_SECONDS;
use casework::respond::Action;
use contract::case::CaseItem;
use contract::incident::UNROUTED;
use contract::priority::Priority;
use serde_json::Value;

use crate::model::Store;
use crate::rules::{CompiledRule, RuleSet};
use crate::trial::{Event, NoCase, Opened, Trial};
use course::Course;
use hours::Hearing;

/// Fewest detections of a case that is called a storm. Our choice: what one person does in front of
/// one camera is seen in one to four windows.
const STORM_DETECTIONS_MIN: u64 = 5;
/// Most storms that are named. Our choice: enough to find the camera that is to be looked at.
const STORMS_MAX: usize = 5;
/// Events between two times at which what is over is forgotten. Our choice: forgetting looks at all
/// that is kept, so it must be rare, and a thousand marks are nothing.
const FORGET_EVERY: u64 = 10_000;
/// Milliseconds for which a detection that comes twice is known after its incident's cooldown. Our
/// choice: in the order of their time the two stand side by side.
const KNOWN_MS: i64 = 3_600_000;

/// Events on the bus of one store, counted as they are put.
pub struct Simulation<'a> {
    trial: Trial<'a>,
    store: &'a Store,
    rules: Vec<RuleCount<'a>>,
    cases: HashMap<String, Course<'a>>,
    hearing: Hearing<'a>,
    events: u64,
    first_last_ms: Option<(i64, i64)>,
    alerts: u64,
    repeated: u64,
    elsewhere: u64,
    without_type: u64,
    dropped: u64,
    unrouted: BTreeMap<String, u64>,
    strange_cameras: BTreeMap<String, u64>,
    /// Milliseconds for which guards are of use.
    guarded_ms: i64,
}

/// What one rule did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCount<'a> {
    /// `unrouted` for the implicit last one.
    pub name: &'a str,
    pub priority: Priority,
    pub shadow: bool,
    pub detections: u64,
    /// Cases that its detections opened, without those that became part of another.
    pub cases: u64,
    /// Detections that the cooldown put into a case that was there.
    pub joined: u64,
    pub alerts: u64,
}

/// How one event was routed, for a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<'a> {
    pub rule: &'a str,
    pub priority: Priority,
    /// What was seen.
    pub event_type: String,
    /// Name of the aisle, or else the camera's id.
    pub place: Option<String>,
}

/// A case of many detections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storm {
    pub case_id: String,
    pub event_type: String,
    /// Name of the aisle, or else the camera's id.
    pub place: Option<String>,
    pub detections: u64,
    /// Milliseconds since the epoch of its first and last event.
    pub first_ms: i64,
    pub last_ms: i64,
    /// Alerts that it made: more than one when its priority rose.
    pub alerts: u64,
}

/// Why a case told nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// No rule matched.
    Unrouted,
    /// Its rule has `shadow: true`.
    Shadow,
    /// Its rule has `notify: []`.
    LogOnly,
    /// No subscriber is in an audience that its rule names.
    NoSubscriber,
}

/// What all events came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary<'a> {
    pub store: &'a Store,
    /// Events that are detections.
    pub detections: u64,
    /// Events whose detail says not what was seen: the function refuses them.
    pub without_type: u64,
    /// Events that no pattern matches, not even that of `unrouted`: EventBridge drops them.
    pub dropped: u64,
    /// Detections that came a second time, and did nothing.
    pub repeated: u64,
    /// Detections that name another store.
    pub elsewhere: u64,
    /// Milliseconds since the epoch of the first and the last event.
    pub first_last_ms: Option<(i64, i64)>,
    /// In the order of the YAML, `unrouted` last.
    pub rules: Vec<RuleCount<'a>>,
    /// Detections that no rule matched, by what was seen.
    pub unrouted: BTreeMap<String, u64>,
    /// Detections that name a camera which the store does not have, by its id.
    pub strange_cameras: BTreeMap<String, u64>,
    /// Cases by their priority at the end, lowest first.
    pub cases: [(Priority, u64); Priority::ALL.len()],
    pub alerts: u64,
    pub hearing: Hearing<'a>,
    /// The cases of most detections, largest first.
    pub storms: Vec<Storm>,
    /// Cases and their detections that told nobody, by the reason.
    pub silent: BTreeMap<Silence, (u64, u64)>,
}

impl Summary<'_> {
    /// All cases.
    pub fn case_count(&self) -> u64 {
        self.cases.iter().map(|(_, cases)| cases).sum()
    }

    /// Detections that cooldowns put into cases that were there.
    pub fn joined(&self) -> u64 {
        self.rules.iter().map(|rule| rule.joined).sum()
    }

    /// The same in hundredths of all detections, rounded down.
    pub fn joined_percent(&self) -> u64 {
        (self.joined() * 100).checked_div(self.detections).unwrap_or_default()
    }
}

impl Silence {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unrouted => "unrouted",
            Self::Shadow => "shadow",
            Self::LogOnly => "log-only",
            Self::NoSubscriber => "no-subscriber",
        }
    }
}

impl<'a> Simulation<'a> {
    /// A store to which nothing has happened yet.
    pub fn new(store: &'a Store, rules: &'a RuleSet) -> Self {
        let written =
            store.rules.iter().map(|rule| (rule.name.as_str(), rule.priority, rule.shadow));
        let counts = written.chain([(UNROUTED, Priority::Low, false)]).map(count_of).collect();
        let cooldown_s = rules.rules.iter().map(|rule| rule.cooldown_s).max().unwrap_or_default();
        Self {
            trial: Trial::new(store, rules),
            store,
            rules: counts,
            cases: HashMap::new(),
            hearing: Hearing::new(store),
            events: 0,
            first_last_ms: None,
            alerts: 0,
            repeated: 0,
            elsewhere: 0,
            without_type: 0,
            dropped: 0,
            unrouted: BTreeMap::new(),
            strange_cameras: BTreeMap::new(),
            guarded_ms: i64::from(cooldown_s) * 1_000 + KNOWN_MS,
        }
    }

    /// Lets one event happen; `None` when it is no detection, or one that came before.
    pub fn put(&mut self, event: &Event) -> Option<Routed<'a>> {
        self.events += 1;
        if self.events.is_multiple_of(FORGET_EVERY) {
            self.trial.forget(event.at_ms + KEPT_SECONDS * 1_000 - self.guarded_ms);
        }
        let first = self.first_last_ms.map_or(event.at_ms, |(first, _)| first);
        self.first_last_ms = Some((first, event.at_ms));
        let outcome = self.trial.put(event);
        let Opened { case, action, absorbed } = match outcome.result {
            Ok(opened) => opened,
            Err(why) => {
                match why {
                    NoCase::NotADetection(_) => self.without_type += 1,
                    NoCase::Unmatched => self.dropped += 1,
                }
                return None;
            }
        };
        let said = event.detail().get("store").and_then(Value::as_str);
        self.elsewhere += u64::from(said.is_some_and(|store| store != self.store.id.as_str()));
        // Of several rules, which only a list in the event can match, the highest counts, as it does
        // in the case.
        let rule = outcome.matched.iter().rev().max_by_key(|rule| rule.priority);
        let rule: &CompiledRule = rule.expect("every event matches a rule, `unrouted` if no other");
        let alerts = u64::try_from(outcome.alerts.len()).unwrap_or(u64::MAX);
        let is_new = self.count(rule, action, alerts);
        let mut is_heard = false;
        for sent in &outcome.alerts {
            is_heard |= self.hearing.put(sent, event.at_ms);
        }
        let absorbed = self.absorb(&absorbed);
        let course = self.cases.entry(case.case_id.clone());
        let course = course.or_insert_with(|| Course::new(&case, rule, event.at_ms));
        for part in &absorbed {
            course.take_over(part, &case);
        }
        course.follow(&case, rule, event.at_ms);
        course.is_told |= is_heard;
        course.storm.alerts += alerts;
        if !is_new {
            return None;
        }
        if let Some(camera) = &case.camera
            && self.store.cameras.iter().all(|it| it.id.as_str() != camera)
        {
            *self.strange_cameras.entry(camera.clone()).or_default() += 1;
        }
        let routed = Routed {
            rule: &rule.rule,
            priority: rule.priority,
            event_type: case.event_type.clone(),
            place: place(&case),
        };
        if rule.rule == UNROUTED {
            *self.unrouted.entry(routed.event_type.clone()).or_default() += 1;
        }
        Some(routed)
    }

    /// Takes out the cases that turned out to be part of another: what opened them joined that one.
    fn absorb(&mut self, absorbed: &[String]) -> Vec<Course<'a>> {
        let parts: Vec<_> = absorbed.iter().filter_map(|it| self.cases.remove(it)).collect();
        for part in &parts {
            if let Some(count) = self.rules.iter_mut().find(|it| it.name == part.opened_by) {
                count.cases -= 1;
                count.joined += 1;
            }
        }
        parts
    }

    /// Counts what an event did; true for a detection that was not counted before.
    fn count(&mut self, rule: &CompiledRule, action: Action, alerts: u64) -> bool {
        let counted = self.rules.iter_mut().find(|it| it.name == rule.rule);
        let count = counted.expect("every compiled rule is one of the store's, or `unrouted`");
        self.alerts += alerts;
        count.alerts += alerts;
        match action {
            Action::Opened => count.cases += 1,
            Action::Joined => count.joined += 1,
            Action::Rerouted | Action::Repeated => {
                self.repeated += 1;
                return false;
            }
        }
        count.detections += 1;
        true
    }

    /// Sums everything up.
    pub fn finish(self) -> Summary<'a> {
        let mut cases = Priority::ALL.map(|priority| (priority, 0));
        let mut silent: BTreeMap<_, (u64, u64)> = BTreeMap::new();
        let mut storms: Vec<Storm> = Vec::new();
        for course in self.cases.into_values() {
            if let Some((_, count)) = cases.iter_mut().find(|(it, _)| *it == course.priority) {
                *count += 1;
            }
            if !course.is_told {
                let (cases, detections) = silent.entry(course.silence()).or_default();
                *cases += 1;
                *detections += course.storm.detections;
            }
            if course.storm.detections >= STORM_DETECTIONS_MIN {
                storms.push(course.storm);
            }
        }
        storms.sort_by(|a, b| {
            let key = |it: &Storm| (u64::MAX - it.detections, it.first_ms);
            key(a).cmp(&key(b)).then_with(|| a.case_id.cmp(&b.case_id))
        });
        storms.truncate(STORMS_MAX);
        Summary {
            store: self.store,
            detections: self.rules.iter().map(|rule| rule.detections).sum(),
            without_type: self.without_type,
            dropped: self.dropped,
            repeated: self.repeated,
            elsewhere: self.elsewhere,
            first_last_ms: self.first_last_ms,
            rules: self.rules,
            unrouted: self.unrouted,
            strange_cameras: self.strange_cameras,
            cases,
            alerts: self.alerts,
            hearing: self.hearing,
            storms,
            silent,
        }
    }
}

fn count_of((name, priority, shadow): (&str, Priority, bool)) -> RuleCount<'_> {
    RuleCount { name, priority, shadow, detections: 0, cases: 0, joined: 0, alerts: 0 }
}

fn place(case: &CaseItem) -> Option<String> {
    case.aisle_name.clone().or_else(|| case.camera.clone())
}
