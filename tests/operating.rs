//! What operators mistype is refused before AWS is asked anything, and what alarms tell them to run
//! is a command.

use arm_tests::{arm, example_stores};

/// Standard error and exit code of a command on the example fleet.
fn check(args: &[&str]) -> (String, u8) {
    let stores = example_stores();
    let outcome = arm(&[args, &["--stores", &stores]].concat());
    assert_eq!(outcome.out, "");
    (outcome.err, outcome.code)
}

#[test]
fn a_cell_that_is_not_in_the_fleet_is_refused_with_a_remedy() {
    for command in [&["redrive", "us-wets"][..], &["cases", "verify", "us-wets"]] {
        let (err, code) = check(command);
        let expected = "error: there is no cell `us-wets`\n  help: did you mean `us-west`?\n";
        assert!(err.ends_with(expected), "{err}");
        assert!(!err.contains("asking AWS"), "{err}");
        assert_eq!(code, 1);
    }
}

#[test]
fn a_time_that_cannot_be_is_wrong_usage() {
    let verify = ["cases", "verify", "us-west"];
    let (err, code) = check(&[&verify[..], &["--from", "yesterday"]].concat());
    assert!(err.contains("write 2026-11-22, or 2026-11-22T18:03:03Z"), "{err}");
    assert_eq!(code, 2);
    let turned = ["--from", "2026-11-23", "--to", "2026-11-22"];
    let (err, code) = check(&[&verify[..], &turned].concat());
    assert!(err.contains("there is no moment from 2026-11-23T00:00:00.000Z"), "{err}");
    assert_eq!(code, 2);
}

#[test]
fn what_may_be_deleted_is_named_one_by_one() {
    let (err, code) = check(&["redrive", "us-west", "--drop", "all"]);
    let possible = "[possible values: stale-windows, ticks, alerts]";
    assert!(err.contains(possible), "{err}");
    assert_eq!(code, 2);
}

/// Every command in backticks in the text of an alarm of a cell, without `arm` itself.
fn commands_in_alarms(cell: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let outcome = arm(&["generate", "--stores", &example_stores(), "--out", out]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    let template = std::fs::read(folder.path().join(cell).join("platform.json")).unwrap();
    let template: serde_json::Value = serde_json::from_slice(&template).unwrap();
    let resources = template["Resources"].as_object().unwrap().values();
    let texts = resources.filter_map(|it| it["Properties"]["AlarmDescription"].as_str());
    let quoted = texts.flat_map(|text| text.split('`').skip(1).step_by(2));
    let commands = quoted.filter_map(|it| it.strip_prefix("arm "));
    commands.map(|it| it.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn an_alarm_about_dead_letters_names_a_command_that_there_is() {
    let commands = commands_in_alarms("us-west");
    let queues: Vec<_> = commands.iter().map(|it| it[3].as_str()).collect();
    let expected = ["changes", "evidence", "evidence", "incidents", "undelivered", "windows"];
    let mut sorted = queues.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    for command in &commands {
        assert_eq!(command[..3], ["redrive", "us-west", "--queue"]);
        // Wrong usage is refused before help is given.
        let args: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let outcome = arm(&args);
        assert_eq!(outcome.code, 0, "{command:?}: {}", outcome.err);
    }
    assert_eq!(arm(&["redrive", "us-west", "--queue", "window", "--help"]).code, 2);
}

#[test]
fn queues_can_be_named_by_commas_and_the_help_says_what_is_deleted() {
    let (err, code) = check(&["redrive", "us-wets", "--queue", "windows,evidence"]);
    assert!(err.contains("there is no cell `us-wets`"), "{err}");
    assert_eq!(code, 1);
    let help = arm(&["redrive", "--help"]).out;
    assert!(help.contains("Alerts that did not reach somebody"), "{help}");
    assert!(help.contains("--drop-letter <ID>"), "{help}");
}

#[test]
fn a_store_is_destroyed_only_when_its_id_is_given_once_more() {
    let (err, code) = check(&["destroy", "seattle-001", "--confirm", "seattle-002"]);
    let expected = "error: the store `seattle-001` was not destroyed: its id was not given once \
                    more\n  help: type it when asked, or give `--confirm seattle-001`\n";
    assert_eq!((err.as_str(), code), (expected, 1));
}

#[test]
fn a_recovery_is_of_one_stack_that_is_named() {
    assert_eq!(check(&["recover"]).1, 2);
    assert_eq!(check(&["recover", "seattle-001", "--platform", "us-west"]).1, 2);
    let (err, code) = check(&["recover", "seattle-01"]);
    assert!(err.contains("there is no store `seattle-01`"), "{err}");
    assert!(!err.contains("asking AWS"), "{err}");
    assert_eq!(code, 1);
}
