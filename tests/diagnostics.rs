//! Every code of a diagnostic is explained, and its explanation is true: `arm check`, or `arm test`
//! where the example has scenarios, says just that of the example that is wrong, and nothing at all of
//! the mended one.
//!
//! What is said of each wrong example stands in `tests/diagnostics/<code>.snap`; read it as the
//! manager of that store would. To add a code, add its explanation; where text cannot show what is
//! wrong, the explanation says it in words and [`built`] makes it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use generator::console::count;
use generator::diagnostic::Severity;
use generator::explanation::{self, Explanation};
use insta::assert_snapshot;

use arm_tests::{FLEET, Fleet, Outcome, STORE, arm, root};

/// Names below `stores/` with their bytes; a name that ends in `/` is a folder.
type Files = Vec<(String, Vec<u8>)>;

fn renton(text: impl Into<Vec<u8>>) -> Files {
    vec![("renton-007.yaml".to_owned(), text.into())]
}

/// The files below `Wrong:` or `Right:`; none where that is said in words.
fn shown(explanation: &Explanation, side: &str) -> Files {
    let (_, below) = explanation.text.split_once(&format!("\n\n{side}:")).unwrap();
    let below = below.split("\n\nRight:").next().unwrap();
    let blocks = below.split("```yaml stores/").skip(1).map(|block| {
        let (name, text) = block.split_once('\n').unwrap();
        let text = text.split("```").next().unwrap();
        (name.to_owned(), text.as_bytes().to_vec())
    });
    blocks.collect()
}

/// What text cannot show: the wrong files and the right ones, at the very limit where there is one.
fn built(code: &str, side: &str) -> Files {
    let wrong = side == "Wrong";
    let more = usize::from(wrong);
    match code {
        "control-character" => renton(STORE.replace("Renton", "Renton \u{7}")),
        "file-too-large" => {
            let rest = 4 * 1024 * 1024 + more - STORE.len();
            renton(format!("{STORE}#{}\n", "-".repeat(rest - 2)))
        }
        "not-a-file" => {
            let folder = if wrong { "kent-008.yaml/" } else { "kent-008/" };
            [renton(STORE), vec![(folder.to_owned(), Vec::new())]].concat()
        }
        "not-utf-8" => renton([b"# The caf\xe9 opens at seven.\n", STORE.as_bytes()].concat()),
        "rules-too-large" if wrong => {
            let all = ids("camera", 200);
            renton(cameras(&all, &format!("camera: [{}]", all.join(", "))))
        }
        "rules-too-large" => renton(cameras(&ids("camera", 200), "aisle_kind: high-value")),
        "stack-too-large" => {
            let one = |n| format!("  - {{ audience: floor, sms: \"ssm:/renton/{n}\" }}\n");
            let all: Vec<_> = (0..60 + more).map(one).collect();
            renton(format!(
                "{}subscribers:\n{}",
                STORE.replace("notify: []", "notify: [floor]"),
                all.concat()
            ))
        }
        // The folder keeps the test from adding a store.
        "no-stores" if wrong => vec![("notes/".to_owned(), Vec::new())],
        "no-stores" => renton(STORE),
        "too-deep" => renton(format!("a: {}{}\n", "{ a: ".repeat(30), "}".repeat(30))),
        "too-many-aisles" => {
            let aisle = |id| format!("  - {{ id: {id} }}\n");
            let aisles: Vec<_> = ids("aisle", 400 + more).into_iter().map(aisle).collect();
            let allow =
                "allow: [{ code: aisle-without-camera, reason: a test, until: 2027-01-01 }]";
            let (before, after) = STORE.split_once("aisles: [{ id: aisle-5 }]\n").unwrap();
            let after = after.replace("aisle: aisle-5", "aisle: aisle-005");
            renton(format!("{before}aisles:\n{}{after}{allow}\n", aisles.concat()))
        }
        "too-many-cameras" => renton(cameras(
            &ids("camera", if wrong { 401 } else { 390 }),
            "event_type: shelf_sweep",
        )),
        "too-many-stores" => {
            let store =
                |id: String| (format!("{id}.yaml"), STORE.replace("renton-007", &id).into_bytes());
            ids("store", 200 + more).into_iter().map(store).collect()
        }
        _ => Vec::new(),
    }
}

fn ids(noun: &str, number: usize) -> Vec<String> {
    (1..=number).map(|n| format!("{noun}-{n:03}")).collect()
}

/// A store with these cameras, one per line, all in one aisle, and a rule.
fn cameras(ids: &[String], when: &str) -> String {
    let line = |id| format!("  - {{ id: {id}, aisle: aisle-5 }}\n");
    let lines: Vec<_> = ids.iter().map(line).collect();
    format!(
        "store: renton-007\nname: Renton\naisles: [{{ id: aisle-5, kind: high-value }}]\ncameras:\n{}\
         rules: [{{ name: razors, when: {{ {when} }}, priority: high, notify: [] }}]\n",
        lines.concat()
    )
}

/// The files of one side of an explanation, as shown there or else built.
fn example(explanation: &Explanation, side: &str) -> Files {
    let shown = shown(explanation, side);
    let built = if shown.is_empty() { built(explanation.code, side) } else { shown };
    assert!(!built.is_empty(), "{} has no example: {side}", explanation.code);
    built
}

/// Whether a file is one of scenarios, which `arm check` does not read.
fn is_of_scenarios(name: &str) -> bool {
    name.starts_with("tests/")
}

/// Checks a folder of these files, and of the fleet or the store that they lack; tries the scenarios
/// where there are any.
fn check(files: &Files) -> Outcome {
    let fleet = Fleet::new(&[("fleet.yaml", FLEET)]);
    if files.iter().all(|(name, _)| name == "fleet.yaml" || is_of_scenarios(name)) {
        fleet.write("renton-007.yaml", STORE.as_bytes());
    }
    for (name, bytes) in files {
        match name.strip_suffix('/') {
            Some(folder) => std::fs::create_dir(fleet.path(&format!("stores/{folder}"))).unwrap(),
            None => fleet.write(name, bytes),
        }
    }
    let is_tried = files.iter().any(|(name, _)| is_of_scenarios(name));
    fleet.arm(if is_tried { "test" } else { "check" }, &[])
}

#[test]
fn every_wrong_example_is_told_its_code() {
    let mut missed = Vec::new();
    for it in explanation::all() {
        let Outcome { out, err, code } = check(&example(it, "Wrong"));
        let (word, exit_code) = match it.severity {
            Severity::Error => ("error", 1),
            Severity::Warning => ("warning", 0),
        };
        if !err.contains(&format!("{word}[{}]: ", it.code)) || code != exit_code {
            missed.push(format!("{} ({code}): {err}", it.code));
            continue;
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("diagnostics");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| assert_snapshot!(it.code, format!("{err}{out}exit code {code}")));
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Each warning says how it is accepted; where it says so, that is how.
#[test]
fn every_warning_is_accepted_as_its_explanation_says() {
    let mut told = Vec::new();
    for it in explanation::all().iter().filter(|it| it.severity == Severity::Warning) {
        let Some((_, line)) = it.text.split_once("\n\nMeant? `") else {
            assert!(it.code.starts_with("allow-"), "{}", it.code);
            continue;
        };
        let (entry, places) = line.split_once('`').unwrap();
        let place = places.lines().next().unwrap();
        let mut files = vec!["fleet.yaml"];
        if place.contains("in the store") {
            files.push("renton-007.yaml");
        }
        for file in files {
            let mut example = example(it, "Wrong");
            for (name, text) in [("fleet.yaml", FLEET), ("renton-007.yaml", STORE)] {
                if name == file && example.iter().all(|(other, _)| other != name) {
                    example.push((name.to_owned(), text.into()));
                }
            }
            let (_, bytes) = example.iter_mut().find(|(name, _)| name == file).unwrap();
            bytes.extend(format!("\n{entry}\n").bytes());
            let Outcome { out, err, .. } = check(&example);
            if err.contains(&format!("[{}]", it.code)) || err.contains("[allow-") {
                told.push(format!("{} in {file}: {err}{out}", it.code));
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// What is said of files that are right.
fn right(files: &Files) -> Outcome {
    let of_scenarios = files.iter().find(|(name, _)| is_of_scenarios(name));
    let said = if let Some((_, text)) = of_scenarios {
        let number = String::from_utf8_lossy(text).matches("- name: ").count();
        let note = "note: no scenario reaches `unrouted` of renton-007";
        format!("{} in 1 file: {number} passed\n{note}", count(number, "scenario"))
    } else {
        let stores = files.iter().filter(|(name, _)| !name.ends_with('/') && name != "fleet.yaml");
        format!("no problems in {}", count(stores.count().max(1), "store"))
    };
    Outcome { out: format!("{said}\n"), err: String::new(), code: 0 }
}

#[test]
fn every_mended_example_has_no_problem() {
    let mut told = Vec::new();
    for it in explanation::all() {
        let files = example(it, "Right");
        let outcome = check(&files);
        if outcome != right(&files) {
            told.push(format!("{}: {}{}", it.code, outcome.err, outcome.out));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// Every file below a folder with this suffix.
fn files_below(folder: &str, suffix: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
        } else if path.extension().is_some_and(|it| it == suffix) {
            files.push(path);
        }
    }
    files
}

/// The codes that a source file reports: the first argument of every call that makes a diagnostic,
/// and, as some are handed to such a call by name, whatever begins as codes do.
fn codes_in(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let calls = [
        "Diagnostic::error(",
        "Diagnostic::warning(",
        ".unknown(",
        ".check_unique(",
        "_CODE: &str = ",
    ];
    let after = calls.iter().flat_map(|call| source.split(call).skip(1));
    let first = after.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    let beginnings = ["bad-", "unknown-", "duplicate-", "missing-", "not-", "too-"];
    let word = |text: &&str| {
        beginnings.iter().any(|it| text.starts_with(it))
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    first.chain(source.split('"').filter(word)).map(str::to_owned).collect()
}

#[test]
fn the_codes_that_are_reported_are_those_that_are_explained() {
    let explained: BTreeSet<_> = explanation::all().iter().map(|it| it.code.to_owned()).collect();
    let sources = files_below("generator/src", "rs");
    // `pattern` speaks EventBridge's words, and what is said of dead letters is no problem of a file.
    let others = |it: &&PathBuf| {
        let foreign = ["pattern", "redrive", "dead_letter", "commands/redrive"]
            .map(|it| root().join("generator/src").join(it));
        !it.ends_with("explanation.rs") && !foreign.iter().any(|folder| it.starts_with(folder))
    };
    let sources = sources.iter().filter(others);
    let reported: BTreeSet<_> =
        sources.flat_map(|it| codes_in(&std::fs::read_to_string(it).unwrap())).collect();
    assert_eq!(reported, explained);
    let stems = |folder, suffix| -> BTreeSet<_> {
        let files = files_below(folder, suffix);
        files.iter().map(|it| it.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(stems("generator/explanations", "md"), explained);
    assert_eq!(stems("tests/diagnostics", "snap"), explained);
    let reference = std::fs::read_to_string(root().join("stores/README.md")).unwrap();
    let missing = explained.iter().filter(|it| !reference.contains(&format!("`{it}`")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_code_is_explained_without_any_store() {
    for it in explanation::all() {
        let right = Outcome { out: it.text.to_owned(), err: String::new(), code: 0 };
        assert_eq!(arm(&["check", "--explain", it.code]), right);
    }
}

#[test]
fn a_code_that_is_none_is_wrong_usage() {
    let told = [
        ["check", "--explain", "unknown-asile"].as_slice(),
        &["check", "--explain", "E0308"],
        &["check", "--explain", "unknown-aisle", "--format", "json"],
    ]
    .map(|args| {
        let outcome = arm(args);
        format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
    });
    assert_snapshot!(told.join("\n\n"), @"
    error: invalid value 'unknown-asile' for '--explain <CODE>': did you mean `unknown-aisle`?

    For more information, try '--help'.
    exit code 2

    error: invalid value 'E0308' for '--explain <CODE>': codes stand in brackets, such as `unknown-aisle` in `error[unknown-aisle]`

    For more information, try '--help'.
    exit code 2

    error: the argument '--explain <CODE>' cannot be used with one or more of the other specified arguments

    Usage: arm check [OPTIONS]

    For more information, try '--help'.
    exit code 2
    ");
}
