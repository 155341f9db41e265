//! What operators mistype is refused before AWS is asked anything.

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
