//! SARIF 2.1.0, the OASIS standard that code review and code scanning read.
//!
//! Columns count characters, as everywhere in `arm` (`columnKind`). A relative file name hangs on
//! `%SRCROOT%`, the folder in which `arm` ran. Fingerprints are made of what is wrong and not of
//! where, so that a problem stays the same one when lines above it come and go. `tests/sarif.py`
//! holds it against the standard's own schema.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use serde_json::{Value, json};

use crate::diagnostic::{self, Diagnostic, Place, Severity, Sources};
use crate::digest::sha256;
use crate::explanation;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const ROOT: &str = "%SRCROOT%";

/// One log with one run.
pub fn sarif(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    let diagnostics = diagnostic::few(diagnostics);
    let severities: BTreeMap<_, _> = diagnostics.iter().map(|it| (it.code, it.severity)).collect();
    let rules: Vec<_> = severities.iter().map(|(code, severity)| rule(code, *severity)).collect();
    let mut seen = HashMap::new();
    let results = diagnostics.iter().map(|it| {
        let index = severities.keys().position(|code| *code == it.code);
        result(sources, it, index, &fingerprint(sources, it, &mut seen))
    });
    let results: Vec<_> = results.collect();
    log(&rules, &results)
}

/// One log with one run of these rules and results.
pub(crate) fn log(rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "arm",
                "fullName": "Autonomous Retail Module",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The folder in which arm ran." } },
            },
            "results": results,
        }],
    })
}

/// A code with its explanation.
fn rule(code: &str, severity: Severity) -> Value {
    let mut rule = json!({ "id": code, "defaultConfiguration": { "level": severity.as_str() } });
    if let (Some(explanation), Value::Object(rule)) = (explanation::find(code), &mut rule) {
        let text = explanation.text;
        rule.insert("shortDescription".to_owned(), json!({ "text": explanation.summary() }));
        rule.insert("help".to_owned(), json!({ "text": text, "markdown": text }));
    }
    rule
}

fn result(
    sources: &Sources,
    diagnostic: &Diagnostic,
    rule: Option<usize>,
    fingerprint: &str,
) -> Value {
    let related: Vec<_> = diagnostic
        .related
        .iter()
        .map(|(place, label)| {
            json!({ "physicalLocation": location(sources, place), "message": { "text": label } })
        })
        .collect();
    let mut place = json!({ "physicalLocation": location(sources, &diagnostic.place) });
    if let (false, Value::Object(place)) = (diagnostic.label.is_empty(), &mut place) {
        place.insert("message".to_owned(), json!({ "text": diagnostic.label }));
    }
    json!({
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity.as_str(),
        "message": { "text": super::text(diagnostic) },
        "locations": [place],
        "relatedLocations": related,
        "partialFingerprints": { "armDiagnostic/v1": fingerprint },
        "properties": { "stores": diagnostic.stores, "of": diagnostic.of },
    })
}

fn location(sources: &Sources, place: &Place) -> Value {
    let (line, column) = sources.line_column(place);
    let (end_line, end_column) = sources.end_line_column(place);
    json!({
        "artifactLocation": artifact(super::file(sources, place)),
        "region": {
            "startLine": line, "startColumn": column,
            "endLine": end_line, "endColumn": end_column,
        },
    })
}

/// A file by its address; only a relative one hangs on the root.
pub(crate) fn artifact(name: &str) -> Value {
    match name {
        absolute if absolute.starts_with('/') => {
            json!({ "uri": format!("file://{}", uri(absolute)) })
        }
        relative => json!({ "uri": uri(relative), "uriBaseId": ROOT }),
    }
}

/// A path as RFC 3986 has it: all but unreserved characters and `/` in percent form.
fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
        }
        text
    })
}

/// What is wrong and where, but for the line; the same twice in one file is counted.
fn fingerprint(
    sources: &Sources,
    diagnostic: &Diagnostic,
    seen: &mut HashMap<String, usize>,
) -> String {
    let Diagnostic { code, message, of, place, .. } = diagnostic;
    let file = super::file(sources, place);
    let text = [code, file, of.as_str(), message.as_str()].join("\n");
    let number = seen.entry(text.clone()).or_default();
    *number += 1;
    sha256(format!("{text}\n{number}").as_bytes())
}
