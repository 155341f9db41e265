//! Which settings a property of a template comes from, so that a change of it has a cause.
//!
//! The one place that knows what `stack` makes of which setting. A property that is not named here
//! has all settings of its store as its possible causes: too many lines rather than a wrong one. To
//! let a new property name its own, add it to [`of_stream`], [`of_rule`] or [`of_watch`].

use serde_json::Value;

use super::noun::tag;
use super::setting::{ANY, Settings, Text};
use super::{About, Cause, path};
use crate::change::{Action, Effect, PropertyChange, ResourceChange};
use crate::input::Input;
use crate::name::CAMERA_TAG;
use crate::stack;

/// The lines of a folder that a resource of a cell or of one of its stores comes from: of these paths of its
/// properties, or all of it where there is no path. A resource goes by its logical id and its type.
pub fn lines_of(
    input: &Input,
    (cell, store): (&str, Option<&str>),
    (logical_id, resource_type): (&str, &str),
    paths: Vec<Vec<String>>,
) -> Vec<Cause> {
    let text = Text { input, reference: None };
    let Some(store) = store else {
        let about = of_shared(resource_type, cell);
        // The name of a cell is behind everything in it, and tells nothing.
        let is_known = about != of_cell(cell);
        let settings = || Settings::of_cell_alone(text, cell);
        return if is_known { settings().causes(&about) } else { Vec::new() };
    };
    let config = input.store_configs.iter().find(|(stem, _)| stem == store);
    let Some((_, config)) = config else { return Vec::new() };
    let settings = Settings::of_store_alone((text, config));
    let property = |path| PropertyChange { path, before: None, after: None, effect: Effect::None };
    let change = ResourceChange {
        logical_id: logical_id.to_owned(),
        resource_type: resource_type.to_owned(),
        action: if paths.is_empty() { Action::Remove } else { Action::Update },
        properties: paths.into_iter().map(property).collect(),
        before: None,
        after: resource(input, store, logical_id),
        refers_to: Vec::new(),
    };
    settings.causes(&of_store(&change, &settings))
}

/// A resource as the folder has it.
fn resource(input: &Input, store: &str, logical_id: &str) -> Option<Value> {
    let fleet = input.fleet.as_ref().or(input.over_quota.as_ref())?;
    let store = fleet.fleet.stores.iter().find(|it| it.id.as_str() == store)?;
    let rules = &fleet.rules_of(store).rules;
    let template = stack::store(fleet.fleet.cell_of(store), store, rules).ok()?;
    let found = template.resources().find(|(id, _)| *id == logical_id);
    found.map(|(_, resource)| resource.clone())
}

/// The settings that may have changed a resource of a store.
pub(super) fn of_store(change: &ResourceChange, settings: &Settings) -> Vec<About> {
    let mut about = Vec::new();
    match change.resource_type.as_str() {
        "AWS::KinesisVideo::Stream" => of_stream(change, &mut about),
        "AWS::Events::Rule" => of_rule(change, settings, &mut about),
        "AWS::SNS::Subscription" => about.push(path(&["subscribers"])),
        "AWS::Scheduler::Schedule" => of_watch(change, &mut about),
        _ => about.push(Vec::new()),
    }
    about
}

/// The settings that may have changed something that a cell's stores share.
pub(super) fn of_cell(cell: &str) -> Vec<About> {
    vec![path(&["cells", cell])]
}

/// The same of one resource, where its type tells; whether any of them changed must be looked at.
pub(super) fn of_shared(resource_type: &str, cell: &str) -> Vec<About> {
    match resource_type {
        "AWS::SNS::Subscription" => vec![path(&["cells", cell, "ops_email"])],
        "AWS::Logs::LogGroup" => vec![path(&["cells", cell, "log_retention"])],
        "AWS::SageMaker::Model" | "AWS::SageMaker::EndpointConfig" | "AWS::SageMaker::Endpoint" => {
            vec![path(&["cells", cell, "model"])]
        }
        "AWS::ApplicationAutoScaling::ScalableTarget" => {
            vec![path(&["cells", cell, "model", "instances"])]
        }
        "AWS::ApplicationAutoScaling::ScalingPolicy" => {
            vec![path(&["cells", cell, "model", "concurrency"])]
        }
        _ => of_cell(cell),
    }
}

/// The id of the camera whose stream a resource is.
pub(super) fn camera(resource: Option<&Value>) -> Option<&str> {
    tag(resource?, CAMERA_TAG)
}

fn of_stream(change: &ResourceChange, about: &mut Vec<About>) {
    let camera = camera(change.after.as_ref()).or_else(|| camera(change.before.as_ref()));
    let Some(camera) = camera else { return about.push(path(&["cameras"])) };
    if matches!(change.action, Action::Add | Action::Remove) {
        return about.push(path(&["cameras", camera]));
    }
    for property in &change.properties {
        about.push(match name(property) {
            "DataRetentionInHours" => path(&["cameras", camera, "retention"]),
            "DeviceName" => path(&["cameras", camera, "rtsp"]),
            "Tags" => path(&["cameras", camera, "aisle"]),
            _ => path(&["cameras", camera]),
        });
    }
}

fn of_rule(change: &ResourceChange, settings: &Settings, about: &mut Vec<About>) {
    let rule = [&change.after, &change.before].into_iter().flatten().find_map(rule_name);
    let Some(rule) = rule else { return about.push(path(&["rules"])) };
    let own = |key: &str| path(&["rules", rule, key]);
    // What stands before a rule decides what is left for it, and how many patterns that takes.
    let mut cut = || {
        about.extend([own("name"), own("when")]);
        let others = settings.cutting_rules().filter(|it| *it != rule);
        about.extend(
            others.flat_map(|it| [path(&["rules", it, "name"]), path(&["rules", it, "when"])]),
        );
        about.extend(settings.moved_rules().map(|it| path(&["rules", it])));
    };
    if change.properties.is_empty() {
        return cut();
    }
    if change.properties.iter().any(|it| name(it) == "EventPattern") {
        cut();
    }
    for property in &change.properties {
        let inner = |name: &str| property.path.iter().any(|it| it == name);
        if name(property) == "EventPattern" {
        } else if inner("priority") || name(property) == "Description" {
            about.push(own("priority"));
        } else if inner("notify") {
            about.push(own("notify"));
        } else if inner("shadow") {
            about.push(own("shadow"));
        } else if inner("cooldown_s") {
            about.extend([own("cooldown"), path(&["cooldown"])]);
        } else if inner("retention_hours") {
            about.push(path(&["cameras", ANY, "retention"]));
        } else if inner("evidence") {
            about.push(path(&["evidence"]));
        } else if inner("wording") {
            about.push(path(&["alerts"]));
        } else if inner("timezone") {
            about.push(path(&["timezone"]));
        } else if inner("store") {
            about.extend([path(&["name"]), path(&["timezone"])]);
        } else {
            about.push(Vec::new());
        }
    }
}

fn of_watch(change: &ResourceChange, about: &mut Vec<About>) {
    if change.properties.is_empty() {
        return about.push(Vec::new());
    }
    for property in &change.properties {
        let inner = |name: &str| property.path.iter().any(|it| it == name);
        if inner("cameras") {
            let keys = ["id", "aisle", "watch", "zones"];
            about.extend(keys.iter().map(|key| path(&["cameras", ANY, key])));
        } else if inner("aisles") {
            about.push(path(&["aisles"]));
        } else if inner("hours") {
            about.extend([path(&["hours"]), path(&["timezone"])]);
        } else if inner("store") {
            about.extend([path(&["name"]), path(&["timezone"])]);
        } else {
            about.push(Vec::new());
        }
    }
}

/// The property's own name.
fn name(property: &PropertyChange) -> &str {
    match &property.path[..] {
        [first, name, ..] if first == "Properties" => name,
        [first, ..] => first,
        [] => "",
    }
}

/// The name of the YAML rule that an EventBridge rule was made from: `sweep` of `sweep.2`.
fn rule_name(resource: &Value) -> Option<&str> {
    let name = resource.pointer("/Properties/Name")?.as_str()?;
    Some(name.split('.').next().unwrap_or(name))
}
