//! Verdicts as JUnit XML, which every CI server reads: a suite for each file, a test case for each
//! scenario on each store.
//!
//! No times and no properties, so that the same stores give the same bytes. Attributes `file` and
//! `line` are those that GitLab and most viewers know.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::diagnostic::Sources;

use super::Verdict;

/// All verdicts as one document.
pub fn junit(sources: &Sources, verdicts: &[Verdict<'_>]) -> String {
    let mut report = Report::new("arm test");
    for of_file in verdicts.chunk_by(|a, b| file(a) == file(b)) {
        let Some(first) = of_file.first() else { continue };
        let mut suite = TestSuite::new(sources.name(file(first)));
        suite.add_test_cases(of_file.iter().map(|verdict| test_case(sources, verdict)));
        report.add_test_suite(suite);
    }
    report.to_string().expect("a text takes everything")
}

fn file(verdict: &Verdict<'_>) -> crate::diagnostic::FileId {
    verdict.scenario.name.place.file
}

fn test_case(sources: &Sources, verdict: &Verdict<'_>) -> TestCase {
    let name = verdict.scenario.name;
    let mut status = TestCaseStatus::success();
    if let Some(first) = verdict.unmet.first() {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let more = verdict.unmet.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        status.set_message(first.message() + &more).set_type("unmet-expectation");
        status.set_description(description(sources, verdict));
    }
    let mut case = TestCase::new(name.value.as_str(), status);
    case.set_classname(verdict.scenario.tested.store.id.as_str());
    let (line, _) = sources.line_column(&name.place);
    case.extra.insert("file".into(), sources.name(name.place.file).into());
    case.extra.insert("line".into(), line.to_string().into());
    case
}

/// Each expectation that does not hold with its place, then what to look at.
fn description(sources: &Sources, verdict: &Verdict<'_>) -> String {
    let mut lines = Vec::new();
    for unmet in &verdict.unmet {
        let (line, column) = sources.line_column(&unmet.place);
        let file = sources.name(unmet.place.file);
        lines.push(format!("{file}:{line}:{column}: {}", unmet.message()));
    }
    if let Some(diagnostic) = &verdict.diagnostic {
        let file = verdict.scenario.name.place.file;
        for (place, label) in diagnostic.related.iter().filter(|(place, _)| place.file != file) {
            let (line, column) = sources.line_column(place);
            lines.push(format!("{}:{line}:{column}: {label}", sources.name(place.file)));
        }
        lines.push(format!("help: {}", diagnostic.help));
    }
    lines.join("\n")
}
