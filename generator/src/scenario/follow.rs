//! From a scenario as written to one on a store: every name in it exists there, every moment is one.
//!
//! All that is wrong is reported, and a scenario comes out only where nothing is. To let a scenario
//! name something more, report it here when the store lacks it.

use contract::incident::UNROUTED;

use crate::config::{ExpectConfig, GivenConfig, ScenarioConfig};
use crate::diagnostic::{At, Diagnostic, suggest};
use crate::trial::{Event, EventError, Sighting, parse_at};

use super::{Scenario, Tested};

/// One scenario on one store; `None` where something is wrong, or was before.
pub(super) fn scenario<'a>(
    tested: &'a Tested<'a>,
    config: &'a ScenarioConfig,
    problems: &mut Vec<Diagnostic>,
) -> Option<Scenario<'a>> {
    let before = problems.len();
    let given = config.given.iter().flat_map(|given| &given.value);
    let given: Vec<_> = given.filter_map(|given| event(tested, given, problems)).collect();
    if let Some(expect) = &config.expect {
        names(tested, expect, problems);
    }
    let name = config.name.as_ref();
    for problem in problems.iter_mut().skip(before) {
        let of = name.map(|name| name.value.as_str()).unwrap_or_default();
        *problem = problem.clone().about(tested.store.id.as_str(), of);
    }
    let is_whole = problems.len() == before && config.given.is_some();
    is_whole.then_some(Scenario { tested, name: name?, given, expect: config.expect.as_ref()? })
}

fn event(
    tested: &Tested<'_>,
    given: &GivenConfig,
    problems: &mut Vec<Diagnostic>,
) -> Option<Event> {
    let at_ms = match &given.at {
        Some(at) => Some(moment(tested, at, problems)?),
        None => None,
    };
    if given.is_event {
        let event = given.event.as_ref()?;
        let read = Event::read(&event.value, at_ms);
        return read.map_err(|error| problems.push(bad_event(event, &error))).ok();
    }
    let before = problems.len();
    check_camera(tested, given, problems);
    let sighting = Sighting {
        event_type: given.event_type.as_ref()?.value.clone(),
        camera: given.camera.as_ref().map(|it| it.value.clone()),
        zone: given.zone.as_ref().map(|it| it.value.clone()),
        confidence: given.confidence.as_ref().map(|it| it.value),
        at_ms: at_ms?,
    };
    (problems.len() == before).then(|| Event::of_sighting(tested.store, &sighting))
}

fn moment(tested: &Tested<'_>, at: &At<String>, problems: &mut Vec<Diagnostic>) -> Option<i64> {
    let found = parse_at(&at.value, &tested.store.hours.timezone).ok();
    if found.is_none() {
        let message = format!("`{}` is no moment", at.value);
        let help = "write a date and a time by the store's clock, such as `2026-11-22 14:03`, or with an offset, such as `2026-11-22T14:03:00-08:00`";
        problems.push(Diagnostic::error("bad-time", &at.place, message).help(help));
    }
    found
}

fn bad_event(event: &At<serde_json::Value>, error: &EventError) -> Diagnostic {
    let (message, help) = match error {
        EventError::NotAnObject => ("the event is no mapping", "write its keys and values"),
        EventError::NoTime => ("the event does not say when", "add `at` beside `event`"),
        EventError::Year => ("the event's moment is in no year that counts", "write one of today"),
        EventError::Entries(_) => {
            ("the event is a request of `PutEvents`", "write one of its `Entries`")
        }
        EventError::Detail(_) => {
            ("the event's `Detail` is no JSON", "write the keys and values of its `detail`")
        }
        EventError::Time(_) => {
            ("the event's `time` is no moment", "write it as `2026-11-22T14:03:00-08:00`")
        }
    };
    Diagnostic::error("bad-event", &event.place, message).help(help)
}

fn check_camera(tested: &Tested<'_>, given: &GivenConfig, problems: &mut Vec<Diagnostic>) {
    let store = tested.store;
    let camera = given.camera.as_ref();
    let found =
        camera.and_then(|camera| store.cameras.iter().find(|it| it.id.as_str() == camera.value));
    if let (Some(camera), None) = (camera, found) {
        let message = format!("the store `{}` has no camera `{}`", store.id, camera.value);
        let known = store.cameras.iter().map(|it| it.id.as_str());
        problems.push(unknown("unknown-camera", camera, message, known));
        return;
    }
    let Some(zone) = &given.zone else { return };
    // Without a camera, the zone of any may be meant.
    let cameras = store.cameras.iter().filter(|it| found.is_none_or(|camera| camera.id == it.id));
    let known: Vec<_> = cameras.flat_map(|it| &it.zones).map(|it| it.id.as_str()).collect();
    if !known.contains(&zone.value.as_str()) {
        let of = match found {
            Some(camera) => format!("the camera `{}`", camera.id),
            None => format!("the store `{}`", store.id),
        };
        let message = format!("{of} has no zone `{}`", zone.value);
        problems.push(unknown("unknown-zone", zone, message, known));
    }
}

/// Follows the names of rules, audiences and subscribers.
fn names(tested: &Tested<'_>, expect: &ExpectConfig, problems: &mut Vec<Diagnostic>) {
    let store = tested.store;
    let rules = store.rules.iter().map(|rule| rule.name.as_str());
    let rules: Vec<_> = rules.chain([UNROUTED]).collect();
    for rule in listed(expect.rule.as_ref()) {
        if !rules.contains(&rule.value.as_str()) {
            let message = format!("the store `{}` has no rule `{}`", store.id, rule.value);
            problems.push(unknown("unknown-rule", rule, message, rules.iter().copied()));
        }
    }
    for audience in listed(expect.notify.as_ref()) {
        if !tested.audiences.contains(audience.value.as_str()) {
            let message = format!("no audience `{}`", audience.value);
            let known = tested.audiences.iter().copied();
            problems.push(unknown("unknown-audience", audience, message, known));
        }
    }
    let subscribers = store.subscribers.iter();
    let mut subscribers: Vec<_> =
        subscribers.map(|it| format!("{}/{}", it.audience, it.channel.as_str())).collect();
    subscribers.sort();
    subscribers.dedup();
    for told in listed(expect.told.as_ref()) {
        if !subscribers.contains(&told.value) {
            let message = format!("the store `{}` has no subscriber `{}`", store.id, told.value);
            let known = subscribers.iter().map(String::as_str);
            problems.push(unknown("unknown-subscriber", told, message, known));
        }
    }
}

fn listed(list: Option<&At<Vec<At<String>>>>) -> impl Iterator<Item = &At<String>> {
    list.into_iter().flat_map(|list| &list.value)
}

fn unknown<'k>(
    code: &'static str,
    name: &At<String>,
    message: String,
    known: impl IntoIterator<Item = &'k str>,
) -> Diagnostic {
    let mut help = suggest(&name.value, known);
    if help.is_empty() {
        "there is none: define one first, or take this name out".clone_into(&mut help);
    }
    Diagnostic::error(code, &name.place, message).label("not known here").help(help)
}
