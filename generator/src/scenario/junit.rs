//! Verdicts as JUnit XML, which every CI server reads: a suite for each file, a test case for each
//! scenario on each store; or the errors that kept them from being tried.
//!
//! No times and no properties, so that the same stores give the same bytes. Attributes `file` and
//! `line` are those that GitLab and most viewers know.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::diagnostic::{Diagnostic, FileId, Sources};

use super::Verdict;

/// All verdicts as one document.
pub fn junit(sources: &Sources, verdicts: &[Verdict<'_>]) -> String {
    let suites = verdicts.chunk_by(|a, b| file(a) == file(b)).filter_map(|of_file| {
        let mut suite = TestSuite::new(sources.name(file(of_file.first()?)));
        suite.add_test_cases(of_file.iter().map(|verdict| test_case(sources, verdict)));
        Some(suite)
    });
    of_suites(suites)
}

/// A report of one error, for when nothing was tried and nobody has said why yet.
pub fn junit_of_nothing() -> String {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message("nothing was tried; what `arm test` wrote to stderr says why");
    let mut suite = TestSuite::new("arm test");
    suite.add_test_case(TestCase::new("the scenarios are tried", status));
    of_suites([suite])
}

/// Files that are wrong, so that nothing was tried: each error as a test case with an error.
pub fn junit_of_problems(sources: &Sources, problems: &[Diagnostic]) -> String {
    let errors: Vec<_> = problems.iter().filter(|it| it.is_error()).collect();
    let suites = errors.chunk_by(|a, b| a.place.file == b.place.file).filter_map(|of_file| {
        let mut suite = TestSuite::new(sources.name(of_file.first()?.place.file));
        suite.add_test_cases(of_file.iter().map(|problem| error_case(sources, problem)));
        Some(suite)
    });
    of_suites(suites)
}

fn error_case(sources: &Sources, problem: &Diagnostic) -> TestCase {
    let (line, column) = sources.line_column(&problem.place);
    let file = sources.name(problem.place.file);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(problem.message.as_str()).set_type(problem.code);
    let help = if problem.help.is_empty() { "" } else { "\nhelp: " };
    let place = format!("{file}:{line}:{column}: {}", problem.message);
    status.set_description(format!("{place}{help}{}", problem.help));
    let mut case = TestCase::new(format!("{}: {}", problem.code, problem.message), status);
    let stores = problem.stores.join(", ");
    case.set_classname(if stores.is_empty() { file } else { &stores });
    case.extra.insert("file".into(), file.into());
    case.extra.insert("line".into(), line.to_string().into());
    case
}

fn of_suites(suites: impl IntoIterator<Item = TestSuite>) -> String {
    let mut report = Report::new("arm test");
    report.add_test_suites(suites);
    report.to_string().expect("a text takes everything")
}

fn file(verdict: &Verdict<'_>) -> FileId {
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
    if !verdict.notes.is_empty() {
        let notes = verdict.notes.iter().map(|note| format!("note: {note}\n"));
        case.set_system_out(notes.collect::<String>());
    }
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
    let steps = verdict.unmet.iter().filter(|unmet| !unmet.steps.is_empty());
    lines.extend(steps.map(|unmet| format!("`{}`: {}", unmet.key, unmet.steps)));
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
