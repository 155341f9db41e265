//! Reports as people and programs read them: the worst first, and what is fine in one line each.
//!
//! The schema for programs is `arm.preflight/1`. Pure.

use serde_json::{Value, json};

use crate::paragraph::wrapped;

use super::{Check, Report, Strictness, Verdict};

/// Reports for people, cell by cell.
pub fn page(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        let Report { cell, account, region, .. } = report;
        let head = format!("cell {cell}: account {account}, {region}\n");
        text.push_str(&head);
        let mut checks: Vec<&Check> = report.checks.iter().collect();
        checks.sort_by_key(|check| (check.verdict, check.area));
        for check in checks {
            text.push_str(&shown(check));
        }
        let [failed, warnings, unknown, passed] = counts(report);
        let plural = if warnings == 1 { "" } else { "s" };
        let sum = format!(
            "  {failed} failed, {warnings} warning{plural}, {unknown} unknown, {passed} passed\n\n"
        );
        text.push_str(&sum);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn counts(report: &Report) -> [usize; 4] {
    [Verdict::Failed, Verdict::Warning, Verdict::Unknown, Verdict::Passed]
        .map(|verdict| report.count(verdict))
}

fn shown(check: &Check) -> String {
    let Check { area, verdict, text, details, remedy } = check;
    let mark = format!("  {:<8} {:<14} ", verdict.as_str(), area.as_str());
    let mut shown = wrapped(&mark, text);
    // Of what is fine, one line is enough for people.
    for detail in details.iter().filter(|_| *verdict != Verdict::Passed) {
        shown.push_str(&wrapped("             - ", detail));
    }
    if let Some(remedy) = remedy {
        shown.push_str(&wrapped("             help: ", remedy));
    }
    shown
}

/// The same for programs.
pub fn to_json(reports: &[Report], strictness: Strictness) -> Value {
    let cells = reports.iter().map(|report| {
        let checks = report.checks.iter().map(|check| {
            json!({
                "area": check.area.as_str(), "verdict": check.verdict.as_str(), "text": check.text,
                "details": check.details, "remedy": check.remedy,
            })
        });
        let [failed, warnings, unknown, passed] = counts(report);
        json!({
            "cell": report.cell.as_str(), "account": report.account, "region": report.region,
            "failed": failed, "warnings": warnings, "unknown": unknown, "passed": passed,
            "checks": checks.collect::<Vec<_>>(),
        })
    });
    json!({
        "schema": "arm.preflight/1",
        "refused": reports.iter().any(|report| report.is_refused(strictness)),
        "cells": cells.collect::<Vec<_>>(),
    })
}
