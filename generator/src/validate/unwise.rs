//! What is legal and unwise in one store: warnings, never errors. Each can be accepted for a time
//! with `allow`. Warnings about rules that are shadowed come from `rules`, about cells from
//! `demand`. To add one, add a function and call it in [`warn`].

mod alert;
mod video;
mod wording;

use std::collections::{BTreeSet, HashMap};

use contract::hours::Period;
use contract::watch::WatchWhen;

use crate::diagnostic::{Diagnostic, Place};
use crate::inherit::{Inherited, Level};
use crate::model::{Camera, Id, Rule, Store};

use super::Context;

/// What a warning is made from.
struct Subject<'c, 'a> {
    context: &'c mut Context<'a>,
    inherited: &'c Inherited<'c>,
    store: &'c Store,
}

impl Subject<'_, '_> {
    /// Reports a warning about the thing of this id.
    fn warn(&mut self, problem: Diagnostic, of: &str) {
        self.context.report(problem.about(self.store.id.as_str(), of));
    }

    /// Where the store's id stands: for what is nowhere.
    fn id_place(&self) -> Place {
        let config = self.inherited.config;
        config.store.as_ref().map_or(&config.place, |id| &id.place).clone()
    }

    fn is_always_open(&self) -> bool {
        self.store.hours.is_always_open()
    }

    fn is_never_open(&self) -> bool {
        let hours = &self.store.hours;
        !self.is_always_open()
            && hours.week.iter().all(Vec::is_empty)
            && hours.dates.values().all(Vec::is_empty)
    }
}

/// Reports everything that is unwise in one store.
pub(super) fn warn(context: &mut Context<'_>, inherited: &Inherited<'_>, store: &Store) {
    let mut subject = Subject { context, inherited, store };
    aisles_without_camera(&mut subject);
    cameras_unreached(&mut subject);
    rules_without_camera(&mut subject);
    never_watched(&mut subject);
    never_open(&mut subject);
    periods_that_never_come(&mut subject);
    video::warn(&mut subject);
    alert::warn(&mut subject);
    wording::warn(&mut subject);
}

fn aisles_without_camera(subject: &mut Subject<'_, '_>) {
    let config = subject.inherited.config;
    if config.cameras.is_empty() {
        let message = "the store has no camera, so nothing is recorded and nothing detected";
        let help = "add `- { id: aisle-5-a, aisle: aisle-5 }` to `cameras`";
        let place = subject.id_place();
        return subject.warn(Diagnostic::warning("no-camera", &place, message).help(help), "");
    }
    let seen: BTreeSet<_> =
        config.cameras.iter().filter_map(|it| Some(it.aisle.as_ref()?.value.as_str())).collect();
    for aisle in config.aisles.iter().filter(|aisle| !seen.contains(aisle.id.value.as_str())) {
        let id = &aisle.id.value;
        let message = format!("no camera looks at the aisle `{id}`");
        let help =
            format!("add `- {{ id: {id}-a, aisle: {id} }}` to `cameras`, or delete the aisle");
        let problem = Diagnostic::warning("aisle-without-camera", &aisle.id.place, message);
        subject.warn(problem.help(help), id);
    }
}

/// Cameras that are watched, and whose detections can only fall to the implicit last rule.
fn cameras_unreached(subject: &mut Subject<'_, '_>) {
    let store = subject.store;
    if store.rules.is_empty() && !store.cameras.is_empty() {
        let message = "the store has no rule: every detection is only logged, and nobody is told";
        let help = "add `rules`, or name a `format` that has some";
        let place = subject.id_place();
        return subject.warn(Diagnostic::warning("no-rule", &place, message).help(help), "");
    }
    let kinds = kinds(store);
    let watched = || store.cameras.iter().filter(|camera| camera.when != WatchWhen::Never);
    let unreached =
        watched().filter(|camera| !store.rules.iter().any(|rule| reaches(&kinds, rule, camera)));
    for camera in unreached.map(|camera| camera.id.as_str()) {
        let place = place_of(subject.inherited, camera, subject.id_place());
        let message = format!("no rule can match what the camera `{camera}` sees");
        let help = "add a rule for its aisle, or write `watch: { when: never }` if nothing is to be detected there";
        let problem = Diagnostic::warning("camera-unreached", &place, message)
            .label("its detections are only logged, by `unrouted`");
        subject.warn(problem.help(help), camera);
    }
}

/// Rules of the store's own whose conditions no watched camera fulfils together.
fn rules_without_camera(subject: &mut Subject<'_, '_>) {
    let store = subject.store;
    let kinds = kinds(store);
    if store.cameras.iter().all(|camera| camera.when == WatchWhen::Never) {
        return;
    }
    for (rule, (level, config)) in store.rules.iter().zip(&subject.inherited.rules) {
        let mut watched = store.cameras.iter().filter(|camera| camera.when != WatchWhen::Never);
        if *level == Level::Inherited || watched.any(|camera| reaches(&kinds, rule, camera)) {
            continue;
        }
        let place = config.name.as_ref().map_or(&config.place, |name| &name.place);
        let message = format!("no watched camera can see what the rule `{}` asks for", rule.name);
        let help = "its conditions must hold together: name the aisle, kind or zone of one and the same camera, and watch that camera in the rule's `period`";
        let problem = Diagnostic::warning("rule-without-camera", place, message).help(help);
        subject.warn(problem, rule.name.as_str());
    }
}

/// The kind of each aisle.
fn kinds(store: &Store) -> HashMap<&Id, &Id> {
    store.aisles.iter().filter_map(|aisle| Some((&aisle.id, aisle.kind.as_ref()?))).collect()
}

fn reaches(kinds: &HashMap<&Id, &Id>, rule: &Rule, camera: &Camera) -> bool {
    let kind = kinds.get(&camera.aisle);
    let when = &rule.when;
    let is_watched_then = !matches!(
        (when.period, camera.when),
        (_, WatchWhen::Never)
            | (Some(Period::Open), WatchWhen::Closed)
            | (Some(Period::Closed), WatchWhen::Open)
    );
    is_watched_then
        && when.cameras.as_ref().is_none_or(|ids| ids.contains(&camera.id))
        && when.aisles.as_ref().is_none_or(|ids| ids.contains(&camera.aisle))
        && when
            .aisle_kinds
            .as_ref()
            .is_none_or(|wanted| kind.is_some_and(|it| wanted.contains(*it)))
        && when
            .zones
            .as_ref()
            .is_none_or(|zones| camera.zones.iter().any(|zone| zones.contains(&zone.id)))
}

fn place_of(inherited: &Inherited<'_>, camera: &str, otherwise: Place) -> Place {
    let cameras = &inherited.config.cameras;
    let config = cameras.iter().find(|config| config.id.value == camera);
    config.map_or(otherwise, |config| config.id.place.clone())
}

fn never_watched(subject: &mut Subject<'_, '_>) {
    let store = subject.store;
    if !store.cameras.is_empty() && store.cameras.iter().all(|it| it.when == WatchWhen::Never) {
        let message =
            "no camera of this store is ever watched: video is kept, and nothing detected";
        let help = "give at least one camera `watch: { when: always }`";
        let place = subject.id_place();
        return subject.warn(Diagnostic::warning("never-watched", &place, message).help(help), "");
    }
    for (camera, config) in store.cameras.iter().zip(&subject.inherited.cameras) {
        let (word, hours) = match camera.when {
            WatchWhen::Closed if subject.is_always_open() => ("closed", "always open"),
            WatchWhen::Open if subject.is_never_open() => ("open", "never open"),
            _ => continue,
        };
        let place = config.when.place.unwrap_or(&config.config.id.place).clone();
        let message = format!("watched when the store is {word}, and the store is {hours}: never");
        let help = "give the store `hours`, or choose another time";
        let problem = Diagnostic::warning("never-watched", &place, message).help(help);
        subject.warn(problem, camera.id.as_str());
    }
}

fn never_open(subject: &mut Subject<'_, '_>) {
    let Some(hours) = subject.inherited.hours.filter(|_| subject.is_never_open()) else { return };
    let message =
        "these hours never open the store: every rule for `period: closed` holds at all times";
    let help = "name the days on which it opens; without `hours` it is always open";
    subject.warn(Diagnostic::warning("never-open", &hours.place, message).help(help), "");
}

fn periods_that_never_come(subject: &mut Subject<'_, '_>) {
    let never = if subject.is_always_open() {
        Period::Closed
    } else if subject.is_never_open() {
        Period::Open
    } else {
        return;
    };
    for (level, rule) in &subject.inherited.rules {
        let period = rule.when.period.as_ref().filter(|period| period.value == never);
        // An inherited rule may be meant for stores that close.
        let Some(period) = period.filter(|_| *level == Level::Own) else { continue };
        let word = never.as_str();
        let message = format!("the store is never {word}, so this rule can never match");
        let help = "give the store `hours`, or delete the condition";
        let name = rule.name.as_ref().map_or("", |name| name.value.as_str()).to_owned();
        let problem = Diagnostic::warning("period-never", &period.place, message).help(help);
        subject.warn(problem, &name);
    }
}
