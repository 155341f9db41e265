//! A review for code scanning: SARIF 2.1.0, a result for each finding and each line that caused it.
//!
//! What no line of YAML caused, and what is left out for the sake of GitHub's limit, is told as
//! notifications of the run, which need no place. A line of the earlier side is named in words: the
//! file may have another line there now. Fingerprints are made of what is found, not of where.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::words::{
    Detail, count, done, file, headline, level, meaning, place, places, text_for, title,
};
use super::{Cause, Class, Finding, Group, Review};
use crate::digest::sha256;
use crate::report::sarif::{artifact, log};

/// Most results of one run. Source: GitHub documentation, "SARIF support for code scanning", limits
/// for the results that are shown.
const RESULTS_MAX: usize = 5_000;

/// One log with one run.
pub fn sarif(review: &Review) -> Value {
    let rules: Vec<_> = Class::ALL.into_iter().map(rule).collect();
    let mut seen = HashMap::new();
    let (mut results, mut left, mut notes) = (Vec::new(), 0, vec![note("note", &headline(review))]);
    for group in &review.findings {
        if group.causes.is_empty() {
            notes.push(note(level(&group.what), &text(group)));
        }
        for cause in by_place(&group.causes) {
            if results.len() == RESULTS_MAX {
                left += 1;
                continue;
            }
            results.push(result(group, cause, &mut seen));
        }
    }
    let omissions = review.omissions.iter();
    notes.extend(omissions.map(|it| note("warning", &format!("not compared: {}", it.text))));
    if left > 0 {
        notes.push(note("warning", &format!("{} left out", count(left, "result"))));
    }
    let mut log = log(&rules, &results);
    if let Some(Value::Object(run)) = log.pointer_mut("/runs/0") {
        run.insert(
            "invocations".to_owned(),
            json!([{
                "executionSuccessful": true, "toolExecutionNotifications": notes,
            }]),
        );
    }
    log
}

/// The causes with one of each line.
fn by_place(causes: &[Cause]) -> impl Iterator<Item = &Cause> {
    let mut lines = BTreeMap::new();
    for cause in causes {
        lines.entry((cause.is_before, &cause.file, cause.line)).or_insert(cause);
    }
    lines.into_values()
}

fn rule(class: Class) -> Value {
    json!({
        "id": id(class), "name": title(class),
        "shortDescription": { "text": meaning(class) },
        "defaultConfiguration": { "level": "warning" },
    })
}

fn id(class: Class) -> String {
    format!("diff-{}", class.as_str())
}

/// The sentence and where it holds.
fn text(group: &Group<Finding>) -> String {
    let text = text_for(&group.what.text, &group.subjects);
    match places(&group.subjects, Detail::Summary).as_str() {
        "" => text,
        places => format!("{text}, {places}"),
    }
}

fn note(level: &str, text: &str) -> Value {
    json!({ "level": level, "message": { "text": super::words::plain(text) } })
}

fn result(group: &Group<Finding>, cause: &Cause, seen: &mut HashMap<String, usize>) -> Value {
    let (class, file) = (group.what.class, file(cause));
    let mut physical = json!({ "artifactLocation": artifact(&file) });
    if let (Value::Object(it), false) = (&mut physical, cause.is_before) {
        it.insert("region".to_owned(), json!({ "startLine": cause.line }));
    }
    let done =
        if cause.is_before { format!("{}: {}", place(cause), done(cause)) } else { done(cause) };
    let sentence = text(group);
    let text = format!("{class:?}\n{file}\n{}\n{}", group.what.text, cause.text);
    let number = seen.entry(text.clone()).or_default();
    *number += 1;
    json!({
        "ruleId": id(class),
        "ruleIndex": Class::ALL.iter().position(|it| *it == class),
        "level": level(&group.what),
        "message": { "text": if done.is_empty() { sentence } else { format!("{sentence}\n{done}") } },
        "locations": [{ "physicalLocation": physical }],
        "partialFingerprints": { "armDiff/v1": sha256(format!("{text}\n{number}").as_bytes()) },
    })
}
