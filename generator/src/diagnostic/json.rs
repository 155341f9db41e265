//! Diagnostics for programs: schema `arm.check/1`. Keys are added, never renamed or removed; a change
//! that breaks a reader gets a new number.

use serde_json::json;

use super::{Diagnostic, Place, Sources};

/// Diagnostics for machines: schema `arm.check/1`.
pub fn to_json(sources: &Sources, diagnostics: &[Diagnostic]) -> serde_json::Value {
    let place = |place: &Place| {
        let (line, column) = sources.line_column(place);
        let (end_line, end_column) = sources.end_line_column(place);
        json!({
            "file": sources.name(place.file), "line": line, "column": column,
            "end_line": end_line, "end_column": end_column,
        })
    };
    let shown = super::few(diagnostics);
    let items: Vec<_> = shown
        .iter()
        .map(|it| {
            let related: Vec<_> = it
                .related
                .iter()
                .map(|(at, label)| json!({ "place": place(at), "label": label }))
                .collect();
            json!({
                "severity": it.severity.as_str(),
                "code": it.code, "message": it.message, "place": place(&it.place),
                "label": it.label, "related": related, "help": it.help, "stores": it.stores, "of": it.of,
            })
        })
        .collect();
    json!({ "schema": "arm.check/1", "diagnostics": items })
}
