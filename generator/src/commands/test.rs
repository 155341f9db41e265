//! `arm test`: tries the scenarios of the stores, and says which do not come out as expected.
//!
//! Wrong stores and wrong scenario files are told as `arm check` tells them, and nothing is tried
//! then. What a scenario is, and how it is judged, stands in `scenario`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::commands::{AnswerFormat, StoresArgs, check, store_of};
use crate::console::{Console, count};
use crate::diagnostic::{self, Diagnostic, Sources};
use crate::error::CommandError;
use crate::files;
use crate::load;
use crate::scenario::{self, Verdict};

/// Try the scenarios in tests/ beside the stores: which rule, which case, who is told what
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Ids of the stores whose scenarios are tried; none: all
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
    let mut input = args.folder.load()?;
    let paths = load::scenario_paths(&args.folder.folder.stores)?;
    let files = paths.iter().map(|path| load::input_file(path)).collect::<Result<_, _>>()?;
    let files = scenario::read(files, &mut input.sources);
    let mut problems = [&input.problems[..], &files.problems].concat();
    let Some(fleet) = &input.fleet else {
        return refuse(&input.sources, problems, args.format, console);
    };
    problems.extend(check::over_limits(fleet));
    let known: Vec<_> = fleet.fleet.stores.iter().map(|store| store.id.as_str()).collect();
    for id in &args.stores {
        store_of(&fleet.fleet, id)?;
    }
    let checked = scenario::check(&files, &input, fleet);
    let (mut scenarios, wrong) = checked.scenarios(&known);
    problems.extend(wrong);
    if problems.iter().any(Diagnostic::is_error) {
        return refuse(&input.sources, problems, args.format, console);
    }
    let is_chosen =
        |store: &str| args.stores.is_empty() || args.stores.iter().any(|it| it == store);
    scenarios.retain(|scenario| is_chosen(scenario.tested.store.id.as_str()));
    if scenarios.is_empty() {
        return Err(CommandError::Configuration(nothing_to_try(args)));
    }
    show(&input.sources, &problems, console);
    let verdicts: Vec<_> = scenarios.into_iter().map(scenario::run).collect();
    if let Some(path) = &args.junit {
        files::save(path, scenario::junit(&input.sources, &verdicts).as_bytes())?;
    }
    tell(&input.sources, &verdicts, args, console)
}

/// Says what is wrong with the stores or the scenario files.
fn refuse(
    sources: &Sources,
    mut problems: Vec<Diagnostic>,
    format: AnswerFormat,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    diagnostic::sort(&mut problems);
    show(sources, &problems, console);
    if format == AnswerFormat::Json {
        let told = diagnostic::to_json(sources, &problems);
        drop(writeln!(console.out, "{told}"));
    }
    if let Some(first) = problems.first() {
        let code = first.code;
        drop(writeln!(console.err, "for more about a code: arm check --explain {code}"));
    }
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let text = format!("{} in stores or scenarios, so nothing was tried", count(errors, "error"));
    Err(CommandError::Configuration(text))
}

/// Draws problems; a reader that is gone changes nothing about the answer.
fn show(sources: &Sources, problems: &[Diagnostic], console: &mut Console<'_>) {
    let shown = diagnostic::render(sources, problems, console.colour);
    drop(write!(console.err, "{shown}"));
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
    verdicts: &[Verdict<'_>],
    args: &TestArgs,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let mut failures: Vec<_> = verdicts.iter().filter_map(|it| it.diagnostic.clone()).collect();
    diagnostic::sort(&mut failures);
    show(sources, &failures, console);
    let summary = summary(verdicts);
    let failed = !failures.is_empty();
    let written = match args.format {
        AnswerFormat::Json => writeln!(console.out, "{:#}", to_json(sources, verdicts)),
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

/// The rules that no scenario reaches, and the stores that were asked for in vain.
fn notes(args: &TestArgs, verdicts: &[Verdict<'_>]) -> String {
    let unreached = scenario::unreached(verdicts).into_iter().map(|(store, rules)| {
        format!("note: no scenario reaches `{}` of {store}\n", rules.join("`, `"))
    });
    let tried = |id: &&String| {
        verdicts.iter().any(|it| it.scenario.tested.store.id.as_str() == id.as_str())
    };
    let without = args.stores.iter().filter(|id| !tried(id));
    let without = without.map(|id| format!("note: there is no scenario for {id}\n"));
    unreached.chain(without).collect()
}

/// Schema `arm.test/1`: every scenario on each store, in the order of the files, and the rules that
/// none reaches.
fn to_json(sources: &Sources, verdicts: &[Verdict<'_>]) -> Value {
    let scenarios = verdicts.iter().map(|verdict| {
        let name = verdict.scenario.name;
        let (line, column) = sources.line_column(&name.place);
        let unmet = verdict.unmet.iter().map(|unmet| {
            let (line, column) = sources.line_column(&unmet.place);
            json!({
                "key": unmet.key, "expected": unmet.expected, "found": unmet.found,
                "message": unmet.message(), "line": line, "column": column,
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
        })
    });
    let passed = verdicts.iter().filter(|it| it.passed()).count();
    let unreached = scenario::unreached(verdicts);
    let unreached =
        unreached.iter().map(|(store, rules)| json!({ "store": store, "rules": rules }));
    json!({
        "schema": "arm.test/1",
        "passed": passed,
        "failed": verdicts.len() - passed,
        "scenarios": scenarios.collect::<Vec<_>>(),
        "unreached": unreached.collect::<Vec<_>>(),
    })
}
