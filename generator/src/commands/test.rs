//! `arm test`: tries the scenarios of the stores, and says which do not come out as expected.
//!
//! Wrong stores and wrong scenario files are told as `arm check` tells them, and nothing is tried
//! then; a scenario file about other stores than those asked for stops nothing. What a scenario is, and how it is judged, stands in `scenario`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::commands::{AnswerFormat, StoresArgs, check, count_warnings, show_errors, store_of};
use crate::console::{Console, count};
use crate::diagnostic::{self, Diagnostic, Sources};
use crate::error::CommandError;
use crate::files;
use crate::load;
use crate::scenario::{self, Verdict};

/// Try the scenarios in tests/ beside the stores: which rule, which case, who is told what
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Ids of the stores whose scenarios are tried, and alone checked; none: all
    stores: Vec<String>,
    #[command(flatten)]
    folder: StoresArgs,
    /// Write a report for CI servers too, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Lines for people, or one document (schema `arm.test/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

pub fn run(args: &TestArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    // It stays where nothing can be tried: an older report would be taken for this one's.
    report(args, scenario::junit_of_nothing)?;
    let mut input = args.folder.load()?;
    let paths = load::scenario_paths(&args.folder.folder.stores)?;
    let files = paths.iter().map(|path| load::input_file(path)).collect::<Result<_, _>>()?;
    let mut files = scenario::read(files, &mut input.sources);
    let Some(fleet) = &input.fleet else {
        let problems = [input.problems.clone(), files.problems()].concat();
        return refuse(&input.sources, problems, args, console);
    };
    let known: Vec<_> = fleet.fleet.stores.iter().map(|store| store.id.as_str()).collect();
    for id in &args.stores {
        store_of(&fleet.fleet, id)?;
    }
    if !args.stores.is_empty() {
        files.keep_about(&args.stores, &known);
    }
    let mut problems = [input.problems.clone(), files.problems()].concat();
    problems.extend(check::over_limits(fleet));
    let checked = scenario::check(&files, &input, fleet);
    let (mut scenarios, wrong) = checked.scenarios(&known);
    problems.extend(wrong);
    if problems.iter().any(Diagnostic::is_error) {
        return refuse(&input.sources, problems, args, console);
    }
    let is_chosen =
        |store: &str| args.stores.is_empty() || args.stores.iter().any(|it| it == store);
    scenarios.retain(|scenario| is_chosen(scenario.tested.store.id.as_str()));
    if scenarios.is_empty() {
        return Err(CommandError::Configuration(nothing_to_try(args)));
    }
    count_warnings(&problems, &chosen(args), console);
    let verdicts: Vec<_> = scenarios.into_iter().map(scenario::run).collect();
    report(args, || scenario::junit(&input.sources, &verdicts))?;
    tell(&input.sources, &problems, &verdicts, args, console)
}

/// Saves the report for CI servers, where one is asked for.
fn report(args: &TestArgs, text: impl FnOnce() -> String) -> Result<(), CommandError> {
    if let Some(path) = &args.junit {
        files::save(path, text().as_bytes())?;
    }
    Ok(())
}

fn chosen(args: &TestArgs) -> Vec<&str> {
    args.stores.iter().map(String::as_str).collect()
}

/// Says what is wrong with the stores or the scenario files.
fn refuse(
    sources: &Sources,
    mut problems: Vec<Diagnostic>,
    args: &TestArgs,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    diagnostic::sort(&mut problems);
    show_errors(sources, &problems, console);
    count_warnings(&problems, &chosen(args), console);
    report(args, || scenario::junit_of_problems(sources, &problems))?;
    if args.format == AnswerFormat::Json {
        drop(writeln!(console.out, "{:#}", to_json(sources, &problems, &[])));
    }
    let mut errors = problems.iter().filter(|problem| problem.is_error());
    if let Some(first) = errors.next() {
        let code = first.code;
        drop(writeln!(console.err, "for more about a code: arm check --explain {code}"));
    }
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let text = format!("{} in stores or scenarios, so nothing was tried", count(errors, "error"));
    Err(CommandError::Configuration(text))
}

fn nothing_to_try(args: &TestArgs) -> String {
    let folder = args.folder.folder.stores.join(load::SCENARIOS_FOLDER);
    let (of, file) = match args.stores.first() {
        Some(first) => (format!(" for `{}`", args.stores.join("`, `")), format!("{first}.yaml")),
        None => (String::new(), "STORE.yaml".to_owned()),
    };
    let path = folder.join(file);
    format!(
        "there is no scenario{of}\n  help: write one in {}, as the section \"Scenario file\" of `arm schema reference` says",
        path.display()
    )
}

/// Says how the scenarios came out.
fn tell(
    sources: &Sources,
    problems: &[Diagnostic],
    verdicts: &[Verdict<'_>],
    args: &TestArgs,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let mut failures: Vec<_> = verdicts.iter().filter_map(|it| it.diagnostic.clone()).collect();
    diagnostic::sort(&mut failures);
    show_errors(sources, &failures, console);
    let summary = summary(verdicts);
    let failed = !failures.is_empty();
    let written = match args.format {
        AnswerFormat::Json => writeln!(console.out, "{:#}", to_json(sources, problems, verdicts)),
        AnswerFormat::Human => {
            let line = if failed { String::new() } else { format!("{summary}\n") };
            write!(console.out, "{line}{}", notes(args, verdicts))
        }
    };
    // A "no" stays a "no", whether or not anybody reads on.
    if failed { Err(CommandError::Configuration(summary)) } else { Ok(written?) }
}

/// `12 scenarios in 3 files: 11 passed, 1 failed`.
fn summary(verdicts: &[Verdict<'_>]) -> String {
    let files: BTreeSet<_> = verdicts.iter().map(|it| it.scenario.name.place.file).collect();
    let passed = verdicts.iter().filter(|it| it.passed()).count();
    let failed = match verdicts.len() - passed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let scenarios = count(verdicts.len(), "scenario");
    format!("{scenarios} in {}: {passed} passed{failed}", count(files.len(), "file"))
}

/// The rules that no scenario reaches, what holds in a scenario alone, and the stores that were asked
/// for in vain.
fn notes(args: &TestArgs, verdicts: &[Verdict<'_>]) -> String {
    let unreached = scenario::unreached(verdicts).into_iter().map(|(store, rules)| {
        format!("note: no scenario reaches `{}` of {store}\n", rules.join("`, `"))
    });
    let tried = |id: &&String| {
        verdicts.iter().any(|it| it.scenario.tested.store.id.as_str() == id.as_str())
    };
    let without = args.stores.iter().filter(|id| !tried(id));
    let without = without.map(|id| format!("note: there is no scenario for {id}\n"));
    unreached.chain(alone(verdicts)).chain(without).collect()
}

/// Each note once, with the first of the scenarios that it is about.
fn alone<'a>(verdicts: &'a [Verdict<'_>]) -> impl Iterator<Item = String> + 'a {
    let mut notes: Vec<(&str, &str, usize)> = Vec::new();
    for verdict in verdicts {
        for note in &verdict.notes {
            match notes.iter_mut().find(|(known, ..)| known == note) {
                Some((.., more)) => *more += 1,
                None => notes.push((note, &verdict.scenario.name.value, 0)),
            }
        }
    }
    notes.into_iter().map(|(note, name, more)| {
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("note: {note} (scenario \"{name}\"{more})\n")
    })
}

/// Schema `arm.test/1`: every scenario on each store, in the order of the files, the rules that none
/// reaches, and what is wrong with the files; with an error among that, nothing was tried.
fn to_json(sources: &Sources, problems: &[Diagnostic], verdicts: &[Verdict<'_>]) -> Value {
    let passed = verdicts.iter().filter(|it| it.passed()).count();
    let scenarios = verdicts.iter().map(|verdict| scenario_json(sources, verdict));
    let unreached = scenario::unreached(verdicts);
    let unreached =
        unreached.iter().map(|(store, rules)| json!({ "store": store, "rules": rules }));
    json!({
        "schema": "arm.test/1",
        "passed": passed,
        "failed": verdicts.len() - passed,
        "scenarios": scenarios.collect::<Vec<_>>(),
        "unreached": unreached.collect::<Vec<_>>(),
        "diagnostics": diagnostic::to_json(sources, problems).get("diagnostics"),
    })
}

fn scenario_json(sources: &Sources, verdict: &Verdict<'_>) -> Value {
    let name = verdict.scenario.name;
    let (line, column) = sources.line_column(&name.place);
    let unmet = verdict.unmet.iter().map(|unmet| {
        let (line, column) = sources.line_column(&unmet.place);
        json!({
            "key": unmet.key, "expected": unmet.expected, "found": unmet.found,
            "message": unmet.message(), "line": line, "column": column,
            "steps": unmet.steps,
        })
    });
    let why = verdict.diagnostic.iter().flat_map(|it| &it.related);
    let why = why.filter(|(place, _)| place.file != name.place.file).map(|(place, label)| {
        let (line, column) = sources.line_column(place);
        json!({ "file": sources.name(place.file), "line": line, "column": column, "label": label })
    });
    json!({
        "name": name.value,
        "store": verdict.scenario.tested.store.id.as_str(),
        "file": sources.name(name.place.file), "line": line, "column": column,
        "passed": verdict.passed(),
        "rules": verdict.reached,
        "unmet": unmet.collect::<Vec<_>>(),
        "why": why.collect::<Vec<_>>(),
        "help": verdict.diagnostic.as_ref().map(|it| it.help.as_str()),
        "notes": verdict.notes,
    })
}
