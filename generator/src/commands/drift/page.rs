//! What drifted, for people and as `arm.drift/1`; beside each resource the lines of the files behind it.
//!
//! Values are shown without passwords and no longer than a line. Pure.

use serde_json::{Value, json};

use crate::console::count;
use crate::diagnostic::cover;
use crate::drift::{Checked, Difference, Outcome, Report, Resource};
use crate::input::Input;
use crate::paragraph::{shortened, wrapped_to};
use crate::review::{Cause, lines_of};

/// The schema of what programs get.
const SCHEMA: &str = "arm.drift/1";
/// Widest line, in characters. Our choice: a terminal beside an editor.
const WIDTH: usize = 100;
/// Longest value of a property that people are shown, in characters. Our choice: two fill a line.
const VALUE_MAX: usize = 60;
/// Most lines of the files that people are shown of one resource. Our choice: more are no help.
const LINES_MAX: usize = 3;
/// What can be done. Drift changes no digest, so that the stack is in step for `arm deploy`.
const NEXT: &str = "put back by hand what the files say, or write into the files what is there and run \
                    `arm deploy`, which leaves a stack alone whose files did not change";

pub(super) struct Page<'a> {
    pub(super) report: &'a Report,
    /// The ids of the cells, in their places.
    pub(super) cells: &'a [&'a str],
    pub(super) input: &'a Input,
}

impl Page<'_> {
    pub(super) fn human(&self) -> String {
        let checked = &self.report.checked;
        let mut text = String::new();
        let drifted: Vec<_> = checked.iter().filter(|it| !resources(it).is_empty()).collect();
        for it in &drifted {
            text += &self.stack(it);
        }
        let is_unknown = |it: &&Checked| matches!(it.outcome, Outcome::Unknown(..));
        for it in checked.iter().filter(is_unknown) {
            if let Outcome::Unknown(reason, _) = &it.outcome {
                text += &wrapped_to(WIDTH, &format!("{}  not known: ", it.stack.name), reason);
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let same = checked.iter().filter(|it| it.outcome == Outcome::Same).count();
        let unknown = checked.iter().filter(is_unknown).count();
        let mut parts = vec![format!("{} drifted", count(drifted.len(), "stack"))];
        parts.push(format!("{same} as CloudFormation made them"));
        parts.extend((unknown > 0).then(|| format!("{unknown} not known")));
        let left = self.report.left.len();
        parts.extend((left > 0).then(|| format!("{left} not asked or not told yet")));
        text += &wrapped_to(WIDTH, "", &parts.join(", "));
        if !drifted.is_empty() {
            text += &wrapped_to(WIDTH, "next: ", NEXT);
        }
        text
    }

    fn stack(&self, checked: &Checked) -> String {
        let mut text = format!("{}  drifted\n", checked.stack.name);
        for resource in resources(checked) {
            let what = if resource.is_gone { "gone" } else { "changed" };
            let named = format!("{} ({}): {what}", resource.logical_id, resource.resource_type);
            text += &wrapped_to(WIDTH, "  ", &named);
            if resource.is_gone {
                text += &wrapped_to(WIDTH, "    was ", &resource.physical_id);
            }
            for difference in &resource.differences {
                text +=
                    &wrapped_to(WIDTH, &format!("    {}: ", difference.path), &values(difference));
            }
            let lines = self.lines(checked, resource);
            for line in lines.iter().take(LINES_MAX) {
                let place = format!("    {}:{}: ", line.file, line.line);
                text += &wrapped_to(WIDTH, &place, &line.text);
            }
            if let Some(more) = lines.len().checked_sub(LINES_MAX).filter(|it| *it > 0) {
                text += &wrapped_to(WIDTH, "    and ", &format!("{} more", count(more, "line")));
            }
        }
        text
    }

    /// The lines of the files that a resource comes from.
    fn lines(&self, checked: &Checked, resource: &Resource) -> Vec<Cause> {
        let cell = self.cells.get(checked.stack.cell).copied().unwrap_or_default();
        let paths = resource.differences.iter().map(|it| {
            let below = it.path.split('/').filter(|it| !it.is_empty()).map(str::to_owned);
            ["Properties".to_owned()].into_iter().chain(below).collect()
        });
        let id = (resource.logical_id.as_str(), resource.resource_type.as_str());
        lines_of(self.input, (cell, checked.stack.store.as_deref()), id, paths.collect())
    }

    pub(super) fn json(&self) -> Value {
        let stacks: Vec<_> = self.report.checked.iter().map(|it| self.stack_json(it)).collect();
        let left: Vec<_> = self.report.left.iter().map(|it| &it.name).collect();
        let drifted = self.report.checked.iter().filter(|it| !resources(it).is_empty()).count();
        json!({ "schema": SCHEMA, "drifted": drifted, "stacks": stacks, "left": left })
    }

    fn stack_json(&self, checked: &Checked) -> Value {
        let (state, reason) = match &checked.outcome {
            Outcome::Same => ("same", None),
            Outcome::Drifted(_) => ("drifted", None),
            Outcome::Unknown(reason, _) => ("unknown", Some(reason)),
        };
        let resources: Vec<_> = resources(checked)
            .iter()
            .map(|it| {
                let lines = self.lines(checked, it);
                json!({
                    "logical_id": it.logical_id,
                    "physical_id": it.physical_id,
                    "type": it.resource_type,
                    "gone": it.is_gone,
                    "differences": it.differences.iter().map(difference_json).collect::<Vec<_>>(),
                    "lines": lines.iter().map(line_json).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "cell": self.cells.get(checked.stack.cell),
            "store": checked.stack.store,
            "stack": checked.stack.name,
            "state": state,
            "reason": reason,
            "resources": resources,
        })
    }
}

fn resources(checked: &Checked) -> &[Resource] {
    match &checked.outcome {
        Outcome::Same => &[],
        Outcome::Drifted(resources) | Outcome::Unknown(_, resources) => resources,
    }
}

/// `24 -> 48`; what is not there is `nothing`.
fn values(difference: &Difference) -> String {
    let shown = |value: Option<&String>| {
        value.map_or("nothing".to_owned(), |it| shortened(&cover(it), VALUE_MAX))
    };
    format!("{} -> {}", shown(difference.expected.as_ref()), shown(difference.actual.as_ref()))
}

fn difference_json(it: &Difference) -> Value {
    let covered = |value: Option<&String>| value.map(|it| cover(it).into_owned());
    json!({
        "path": it.path,
        "expected": covered(it.expected.as_ref()),
        "actual": covered(it.actual.as_ref()),
    })
}

fn line_json(line: &Cause) -> Value {
    json!({ "file": line.file, "line": line.line, "text": line.text })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::*;
    use crate::drift::Stack;
    use crate::load;
    use crate::name::logical_id;

    fn difference(path: &str, expected: Option<&str>, actual: Option<&str>) -> Difference {
        let owned = |it: Option<&str>| it.map(str::to_owned);
        Difference { path: path.to_owned(), expected: owned(expected), actual: owned(actual) }
    }

    fn resource(logical_id: &str, kind: &str, differences: Vec<Difference>) -> Resource {
        Resource {
            logical_id: logical_id.to_owned(),
            physical_id: "arm-us-west-thing".to_owned(),
            resource_type: kind.to_owned(),
            is_gone: differences.is_empty(),
            differences,
        }
    }

    #[test]
    fn what_is_other_stands_beside_the_lines_that_say_otherwise_without_passwords() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stores");
        let input = load::load(&folder, jiff::civil::date(2026, 11, 22)).unwrap();
        let stack = |name: &str, store: Option<&str>| Stack {
            cell: 0,
            name: name.to_owned(),
            store: store.map(str::to_owned),
        };
        let camera = logical_id("Camera", "counter-a");
        let of_store = vec![
            resource(
                &camera,
                "AWS::KinesisVideo::Stream",
                vec![difference("/DataRetentionInHours", Some("72"), Some("24"))],
            ),
            resource(
                "Alerts",
                "AWS::SNS::Topic",
                vec![
                    difference("/KmsMasterKeyId", Some("alias/arm-us-west-cases"), None),
                    difference("/DisplayName", None, Some("rtsp://viewer:tulip7@10.0.5.11/1")),
                ],
            ),
            resource("Gateway", "AWS::IoT::Thing", vec![]),
        ];
        let shared = resource(
            "DispatchFunctionLog",
            "AWS::Logs::LogGroup",
            vec![difference("/RetentionInDays", Some("30"), Some("1"))],
        );
        let checked = |stack, outcome| Checked { stack, outcome };
        let refused = "Stack [c] does not exist".to_owned();
        let report = Report {
            checked: vec![
                checked(stack("a", Some("tacoma-012")), Outcome::Drifted(of_store)),
                checked(stack("b", None), Outcome::Drifted(vec![shared])),
                checked(stack("c", Some("seattle-001")), Outcome::Unknown(refused, vec![])),
                checked(stack("d", None), Outcome::Same),
            ],
            left: vec![stack("e", None)],
        };
        let page = Page { report: &report, cells: &["us-west"], input: &input };
        let shown = page.human().replace(&folder.display().to_string(), "stores");
        assert_snapshot!(shown, @"
        a  drifted
          CameraCounterA9FFB6C55F9 (AWS::KinesisVideo::Stream): changed
            /DataRetentionInHours: 72 -> 24
            stores/tacoma-012.yaml:15: cameras.counter-a.retention: 3d
          Alerts (AWS::SNS::Topic): changed
            /KmsMasterKeyId: alias/arm-us-west-cases -> nothing
            /DisplayName: nothing -> rtsp://*************@10.0.5.11/1
          Gateway (AWS::IoT::Thing): gone
            was arm-us-west-thing
        b  drifted
          DispatchFunctionLog (AWS::Logs::LogGroup): changed
            /RetentionInDays: 30 -> 1
        c  not known: Stack [c] does not exist

        2 stacks drifted, 1 as CloudFormation made them, 1 not known, 1 not asked or not told yet
        next: put back by hand what the files say, or write into the files what is there and run `arm
              deploy`, which leaves a stack alone whose files did not change
        ");
        assert!(!page.json().to_string().contains("tulip7"));
        assert_eq!(page.json()["drifted"], 2);
    }
}
