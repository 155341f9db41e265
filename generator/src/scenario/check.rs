//! What is wrong with a scenario file, all of it at once.
//!
//! Here is what holds whatever the store has; names that must exist in a store are for `follow`. To
//! add a check, ask whether it needs the store.

use std::collections::HashMap;

use crate::config::{ExpectConfig, GivenConfig, ScenarioConfig, ScenariosConfig};
use crate::diagnostic::{At, Diagnostic, Place, suggest};
use crate::input::{CompiledFleet, Input};

use super::{Scenario, ScenarioFiles, Tested, follow};

/// Longest name of a scenario, in characters. Our choice: it fits one line of a report.
const NAME_CHARACTERS_MAX: usize = 120;
/// Longest event type, in characters. Our choice, as for rules.
const EVENT_TYPE_CHARACTERS_MAX: usize = 48;

/// The stores that scenario files name.
pub struct Checked<'a> {
    files: &'a ScenarioFiles,
    stores: Vec<Tested<'a>>,
}

/// Finds the stores that scenario files are about.
pub fn check<'a>(
    files: &'a ScenarioFiles,
    input: &'a Input,
    fleet: &'a CompiledFleet,
) -> Checked<'a> {
    let named =
        |id: &str| files.configs().flat_map(|config| &config.stores).any(|store| store.value == id);
    let stores = fleet.fleet.stores.iter().filter(|store| named(store.id.as_str()));
    let stores = stores.map(|store| Tested::new(input, fleet, store)).collect();
    Checked { files, stores }
}

impl<'a> Checked<'a> {
    /// Every scenario on every store that it names, in the order of the files, and what is wrong
    /// with them. `known` are the ids of all stores.
    pub fn scenarios(&'a self, known: &[&str]) -> (Vec<Scenario<'a>>, Vec<Diagnostic>) {
        let (mut scenarios, mut problems) = (Vec::new(), Vec::new());
        for config in self.files.configs() {
            let stores = self.stores_of(config, known, &mut problems);
            let all = config.scenarios.as_ref();
            if let Some(At { place, .. }) = all.filter(|all| all.value.is_empty()) {
                let message = "`scenarios` is empty";
                let help = "write at least one, each with `name`, `given` and `expect`";
                problems.push(Diagnostic::error("wrong-value", place, message).help(help));
            }
            check_names(config, &mut problems);
            for scenario in all.iter().flat_map(|all| &all.value) {
                alone(scenario, &mut problems);
                for tested in &stores {
                    scenarios.extend(follow::scenario(tested, scenario, &mut problems));
                }
            }
        }
        (scenarios, problems)
    }

    /// The stores that a file names, each once.
    fn stores_of(
        &'a self,
        config: &ScenariosConfig,
        known: &[&str],
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<&'a Tested<'a>> {
        let mut stores: Vec<&Tested<'_>> = Vec::new();
        for id in &config.stores {
            let Some(found) = self.stores.iter().find(|it| it.store.id.as_str() == id.value) else {
                let message = format!("there is no store `{}`", id.value);
                let help = suggest(&id.value, known.iter().copied());
                problems.push(Diagnostic::error("unknown-store", &id.place, message).help(help));
                continue;
            };
            if stores.iter().all(|it| it.store.id != found.store.id) {
                stores.push(found);
            }
        }
        stores
    }
}

/// Reports the second of two scenarios of one name, and names that are none.
fn check_names(config: &ScenariosConfig, problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, &Place> = HashMap::new();
    let all = config.scenarios.iter().flat_map(|all| &all.value);
    for name in all.filter_map(|scenario| scenario.name.as_ref()) {
        let characters = name.value.chars().count();
        let is_line = !name.value.contains(char::is_control) && !name.value.trim().is_empty();
        if characters > NAME_CHARACTERS_MAX || !is_line {
            let message = if is_line {
                format!("the scenario's name has {characters} characters")
            } else {
                "the scenario's name is no line of text".to_owned()
            };
            let help = format!("write 1 to {NAME_CHARACTERS_MAX} characters on one line");
            problems.push(Diagnostic::error("bad-name", &name.place, message).help(help));
        }
        if let Some(first) = seen.insert(&name.value, &name.place) {
            let message = format!("there are two scenarios `{}`", name.value);
            let problem = Diagnostic::error("duplicate-scenario", &name.place, message)
                .label("again here")
                .related(first, "first here")
                .help("rename one of the two, or delete it");
            problems.push(problem);
        }
    }
}

/// What is wrong with a scenario on any store.
fn alone(scenario: &ScenarioConfig, problems: &mut Vec<Diagnostic>) {
    if let Some(given) = &scenario.given {
        if given.value.is_empty() {
            let message = "`given` holds no detection";
            let help = "write at least one: `given: { event_type: shelf_sweep, ... }`";
            problems.push(Diagnostic::error("wrong-value", &given.place, message).help(help));
        }
        for given in &given.value {
            detection(given, problems);
        }
    }
    if let Some(ExpectConfig { place, .. }) = scenario.expect.as_ref().filter(|it| it.is_empty) {
        let message = "the scenario expects nothing, so it would always pass";
        let help = "say what must become of it, such as `expect: { rule: shelf-sweep }`";
        problems.push(Diagnostic::error("missing-expectation", place, message).help(help));
    }
}

fn detection(given: &GivenConfig, problems: &mut Vec<Diagnostic>) {
    if given.is_event {
        return beside_event(given, problems);
    }
    let start = given.place.span.start;
    let place = Place { file: given.place.file, span: start..start };
    for key in &given.lacking {
        let help = match *key {
            "at" => "add `at: 2026-11-22 14:03`: opening hours decide about rules",
            _ => "add `event_type: shelf_sweep`, or give an `event`",
        };
        let message = format!("`given` lacks `{key}`");
        problems.push(Diagnostic::error("missing-key", &place, message).help(help));
    }
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let is_type = |text: &str| {
        (1..=EVENT_TYPE_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(allowed)
    };
    if let Some(text) = given.event_type.as_ref().filter(|text| !is_type(&text.value)) {
        let message = format!("`{}` is no event type", text.value);
        let help = format!(
            "use lower-case letters, digits and `_`, at most {EVENT_TYPE_CHARACTERS_MAX} characters, as the model says it; give an `event` for anything else"
        );
        problems.push(Diagnostic::error("bad-event-type", &text.place, message).help(help));
    }
    if let Some(number) = given.confidence.as_ref().filter(|it| !(0.0..=1.0).contains(&it.value)) {
        let message = format!("`confidence` is {}", number.value);
        let help = "give a fraction from 0 to 1, such as 0.93";
        problems
            .push(Diagnostic::error("confidence-out-of-range", &number.place, message).help(help));
    }
}

/// An event says all by itself.
fn beside_event(given: &GivenConfig, problems: &mut Vec<Diagnostic>) {
    let text = |key, at: &Option<At<String>>| at.as_ref().map(|at| (key, at.place.clone()));
    let confidence = given.confidence.as_ref().map(|at| ("confidence", at.place.clone()));
    let others = [
        text("event_type", &given.event_type),
        text("camera", &given.camera),
        text("zone", &given.zone),
        confidence,
    ];
    for (key, place) in others.into_iter().flatten() {
        let message = format!("`{key}` stands beside `event`, which says all by itself");
        let help = format!("put `{key}` into `event`, or take `event` out");
        problems.push(Diagnostic::error("beside-event", &place, message).help(help));
    }
}
