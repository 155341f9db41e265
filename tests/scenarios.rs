//! `arm test` tells a reviewer what a change of the rules does to people: which scenario does not come
//! out as its file says, where, and why; and it tells every mistake of a scenario file at once.
//!
//! The same report as JUnit XML is read by a program that we did not write in `tests/junit.py`.

use arm_tests::{Fleet, Outcome, arm, example_stores};
use insta::assert_snapshot;
use serde_json::Value;

fn shown(outcome: &Outcome) -> String {
    let Outcome { out, err, code } = outcome;
    format!("{err}{out}exit code {code}")
}

const FLEET: &str = r#"cells:
  us-west: { account: "123456789012", region: us-west-2 }
model: { endpoint: shelf-behaviour }
audiences: [floor, loss-prevention, manager]
quotas: { eventbridge_buses: 250 }
defaults:
  cell: us-west
  timezone: America/Los_Angeles
  hours: { mon-sun: 07:00-23:00 }
  rules:
    - { name: after-hours, when: { period: closed }, priority: critical, notify: [loss-prevention] }
"#;
const RENTON: &str = "store: renton-007
name: Renton
aisles: [{ id: aisle-5, kind: high-value }, { id: aisle-6 }]
cameras:
  - { id: aisle-5-a, aisle: aisle-5, zones: [{ id: razors, area: [0, 0, 0.5, 1] }] }
  - { id: aisle-6-a, aisle: aisle-6 }
rules:
  - name: razors
    when: { event_type: [shelf_sweep, concealment], zone: razors, min_confidence: 0.5 }
    priority: critical
    notify: [loss-prevention]
  - { name: sweep, when: { event_type: shelf_sweep, period: open }, priority: high, notify: [floor] }
  - { name: sure-sweep, when: { event_type: shelf_sweep, min_confidence: 0.9, period: open }, priority: critical, notify: [floor] }
  - { name: switching, when: { event_type: ticket_switching, period: open }, priority: medium, notify: [floor], shadow: true }
subscribers:
  - { audience: floor, email: floor@example.com }
  - { audience: loss-prevention, sms: \"+12065550100\" }
allow:
  - { code: unreachable-rule, reason: a test, until: 2027-01-01 }
";

/// A store with these scenarios, each given and expected on a line of its own.
fn fleet(scenarios: &str) -> Fleet {
    let text = format!("store: renton-007\nscenarios:\n{scenarios}");
    let fleet = Fleet::new(&[("fleet.yaml", FLEET), ("renton-007.yaml", RENTON)]);
    fleet.write("tests/renton-007.yaml", text.as_bytes());
    fleet
}

const PASSING: &str = "
  - name: a sweep tells the floor
    given: { event_type: shelf_sweep, camera: aisle-6-a, confidence: 0.9, at: 2026-11-22 14:03 }
    expect: { rule: sweep, told: floor/email }
";
const FAILING: &str = "
  - name: every expectation is compared
    given:
      - { event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.93, at: 2026-11-22 14:03:00 }
      - { event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.93, at: 2026-11-22 14:03:30 }
      - { event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.93, at: 2026-11-22 14:13:30 }
    expect:
      rule: razors
      priority: critical
      notify: [loss-prevention, floor]
      told: [loss-prevention/sms, floor/email]
      alert: \"Critical-Priority Alert: Shelf Sweep at Aisle 5\"
      sms: \"Critical-Priority Alert: Shelf Sweep at Aisle 5\"
      email_subject: Shelf Sweep
      cases: 1
      alerts: 1
  - name: the rule above takes it
    given: { event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.93, at: 2026-11-22 14:03 }
    expect: { rule: sure-sweep }
  - name: the first condition that does not hold is told
    given: { event_type: shelf_sweep, camera: aisle-5-a, zone: razors, confidence: 0.43, at: 2026-11-22 14:03 }
    expect: { rule: razors }
  - name: a rule in shadow tells nobody
    given: { event_type: ticket_switching, camera: aisle-6-a, at: 2026-11-22 14:03 }
    expect: { rule: switching, notify: floor, alert: \"Medium-Priority Alert: Ticket Switching at Aisle 6\" }
  - name: what no rule matches is logged
    given: { event_type: loitering, camera: aisle-6-a, at: 2026-11-22 14:03 }
    expect: { rule: after-hours }
  - name: of two rules that are expected one does not match
    given:
      event: { event_type: [shelf_sweep, concealment], zone: razors, confidence: 0.9, camera: aisle-5-a }
      at: 2026-11-22 14:03
    expect: { rule: [razors, after-hours] }
  - name: what names no behaviour makes no case
    given: { event: { note: hello }, at: 2026-11-22 14:03 }
    expect: { priority: low, cases: 1 }
";

#[test]
fn the_scenarios_of_the_example_stores_come_out_as_expected_and_reach_every_rule() {
    let stores = example_stores();
    let args = ["test", "--stores", &stores, "--today", "2026-11-22"];
    assert_snapshot!(shown(&arm(&args)));
    assert_snapshot!(shown(&arm(&[&args[..], &["tacoma-012", "bellevue-100"]].concat())));
}

#[test]
fn what_does_not_come_out_as_expected_is_told_all_at_once_with_place_and_reason() {
    assert_snapshot!(shown(&fleet(&[PASSING, FAILING].concat()).arm("test", &[])));
}

#[test]
fn programs_get_every_scenario_and_why_it_failed() {
    let fleet = fleet(&[PASSING, FAILING].concat());
    assert_snapshot!(fleet.arm("test", &["--format", "json"]).out);
}

#[test]
fn a_report_for_ci_servers_is_the_same_every_time() {
    let fleet = fleet(&[PASSING, FAILING].concat());
    let path = fleet.path("report/junit.xml");
    let report = || {
        assert_eq!(fleet.arm("test", &["--junit", &path]).code, 1);
        std::fs::read_to_string(&path).unwrap().replace(&fleet.path(""), "")
    };
    let first = report();
    assert_eq!(report(), first);
    assert_snapshot!(first);
}

#[test]
fn every_mistake_of_a_scenario_file_is_told_in_one_run() {
    let fleet = fleet(
        "
  - name: names that do not exist
    given: { event_type: Shelf-Sweep, camera: aisle-5-b, confidence: 93, at: 2026-11-22 14:03 }
    expect: { rule: sweeep, notify: [flor], told: [floor/sms] }
  - name: names that do not exist
    given:
      - { event_type: shelf_sweep, camera: aisle-5-b, at: 2026-11-22 14:03 }
      - { event_type: shelf_sweep, camera: aisle-5-a, zone: razor, at: 2026-11-22 }
      - { event_type: shelf_sweep, camera: aisle-6-a, zone: razors, at: 2026-11-22 14:03 }
      - { event_type: shelf_sweep, zone: razor, at: 2026-11-22 14:03 }
    expect: { rule: sweeep, notify: [flor], told: [floor/sms] }
  - name: \"\"
    given: []
    expect: {}
  - name: keys that are not there
    given: { camera: aisle-5-a }
    expects: { rule: sweep }
  - given: { event: { event_type: x, time: noon }, camera: aisle-5-a }
    expect: { rules: sweep, priority: urgent, cases: many }
  - name: an event without its moment
    given: [{ event: { event_type: x } }, { event: { detail: {}, time: noon } }, { event: x }, { event_type: [a, b], at: [] }]
    expect: { cases: 1 }
",
    );
    fleet.write("tests/kent.yaml", b"store: [renton-007, kent-008]\nscenarios: []\n");
    fleet.write("tests/notes.yml", b"");
    fleet.write("tests/torn.yaml", b"store: [\n");
    assert_snapshot!(shown(&fleet.arm("test", &[])));
}

#[test]
fn wrong_stores_are_told_as_check_tells_them_and_nothing_is_tried() {
    let fleet = fleet(PASSING);
    fleet.write("kent-008.yaml", b"store: kent-008\nname: Kent\naisles: []\n");
    let (checked, tested) = (fleet.arm("check", &[]), fleet.arm("test", &[]));
    let (told, _) = checked.err.rsplit_once("error: ").unwrap();
    assert!(tested.err.starts_with(told), "{}", tested.err);
    assert_eq!(tested.code, 1);
    let json = |command| -> Value {
        serde_json::from_str(&fleet.arm(command, &["--format", "json"]).out).unwrap()
    };
    let (checked, refused) = (json("check"), json("test"));
    assert_eq!(refused["schema"], "arm.test/1");
    assert_eq!(refused["scenarios"], Value::Array(Vec::new()));
    assert_eq!(refused["diagnostics"], checked["diagnostics"]);
    assert_snapshot!(shown(&tested));
}

/// A report of an earlier run would be read as that of this one.
#[test]
fn a_report_says_of_wrong_files_that_nothing_was_tried() {
    let fleet = fleet(PASSING);
    let path = fleet.path("junit.xml");
    let report = |stores: &[&str], code| {
        assert_eq!(fleet.arm("test", &[&["--junit", &path], stores].concat()).code, code);
        std::fs::read_to_string(&path).unwrap().replace(&fleet.path(""), "")
    };
    let passed = report(&[], 0);
    assert!(passed.contains("a sweep tells the floor") && !passed.contains("<error"), "{passed}");
    assert_snapshot!(report(&["renton-07"], 1));
    fleet.write("tests/kent.yaml", b"store: [renton-007, kent-008]\nscenarios: []\n");
    assert_snapshot!(report(&[], 1));
}

#[test]
fn a_wrong_scenario_file_stops_only_the_stores_that_it_is_about() {
    let fleet = fleet(PASSING);
    let kent = RENTON.replace("renton-007", "kent-008").replace("Renton", "Kent");
    fleet.write("kent-008.yaml", kent.as_bytes());
    for wrong in ["store: kent-008\nscenarios: []\n", "store: kent-08\n", "store: [\n"] {
        fleet.write("tests/kent-008.yaml", wrong.as_bytes());
        let codes = ["renton-007", "kent-008"].map(|store| fleet.arm("test", &[store]).code);
        assert_eq!((codes, fleet.arm("test", &[]).code), ([0, 1], 1), "{wrong}");
    }
    // Of a file that says no store it cannot be known.
    fleet.write("tests/all.yaml", b"store: [\n");
    assert_eq!(fleet.arm("test", &["renton-007"]).code, 1);
}

#[test]
fn warnings_of_the_fleet_are_counted_for_the_stores_that_are_asked_for() {
    let fleet = fleet(PASSING);
    let kent = RENTON.replace("renton-007", "kent-008").replace("Renton", "Kent");
    fleet.write("kent-008.yaml", kent.split("allow:").next().unwrap().as_bytes());
    assert_eq!(fleet.arm("test", &["renton-007"]).err, "");
    assert_eq!(fleet.arm("test", &[]).err, "1 warning about the fleet; see `arm check`\n");
    let explained = fleet.arm("explain", &["kent-008"]);
    assert_eq!(explained.err, "1 warning about kent-008; see `arm check`\n");
    fleet.write("day.ndjson", b"");
    let day = fleet.path("stores/day.ndjson");
    let simulated = fleet.arm("simulate", &["kent-008", &day]);
    assert_eq!(simulated.err, "1 warning about kent-008; see `arm check`\n");
    assert_eq!(fleet.arm("simulate", &["renton-007", &day]).err, "");
}

/// Who reads only `passed` would believe that somebody is told.
#[test]
fn what_holds_in_a_scenario_alone_is_noted() {
    let fleet = fleet(
        "
  - name: a sweep tells the manager
    given:
      - { event_type: shelf_sweep, camera: aisle-5-a, at: 2026-11-22 14:03 }
      - { event_type: shelf_sweep, camera: aisle-6-a, at: 2026-11-22 14:03 }
    expect: { notify: [floor, manager] }
  - name: a sweep is seen by day
    given: { event_type: shelf_sweep, camera: aisle-6-a, at: 2026-11-22 14:03 }
    expect: { rule: sweep }
",
    );
    let blind = RENTON
        .replace("{ id: aisle-6-a,", "{ id: aisle-6-a, watch: { when: closed },")
        .replace("{ id: aisle-5-a,", "{ id: aisle-5-a, watch: { when: never },")
        .replace("notify: [floor]", "notify: [floor, manager]")
        + "  - { code: audience-without-subscriber, reason: a test, until: 2027-01-01 }\n";
    fleet.write("renton-007.yaml", blind.as_bytes());
    assert_snapshot!(shown(&fleet.arm("test", &[])));
}

#[test]
fn another_number_of_cases_is_told_with_the_cooldown_that_made_it() {
    let seen = |camera: &str, at: &str| {
        format!(
            "      - {{ event_type: shelf_sweep, camera: {camera}, confidence: 0.7, at: 2026-11-22 {at} }}\n"
        )
    };
    let scenario = |name: &str, given: [String; 2], cases: u8| {
        let given = given.concat();
        format!("  - name: {name}\n    given:\n{given}    expect: {{ cases: {cases} }}\n")
    };
    let first = || seen("aisle-5-a", "14:03:00");
    let fleet = fleet(
        &[
            scenario("too late", [first(), seen("aisle-5-a", "14:13:30")], 1),
            scenario("too early", [first(), seen("aisle-5-a", "14:03:30")], 2),
            scenario("two cameras", [first(), seen("aisle-6-a", "14:03:30")], 1),
        ]
        .concat(),
    );
    let text = fleet.arm("test", &[]).err;
    let found = text.lines().filter(|line| line.contains("found"));
    assert_snapshot!(found.map(str::trim).collect::<Vec<_>>().join("\n"));
}

#[test]
fn check_and_generate_do_not_read_scenarios() {
    let fleet = fleet("  - { name: [ }\n");
    assert_snapshot!(shown(&fleet.arm("check", &[])));
    assert_eq!(fleet.arm("generate", &["--out", &fleet.path("out")]).code, 0);
}

#[test]
fn nothing_to_try_is_no_success() {
    let fleet = Fleet::new(&[("fleet.yaml", FLEET), ("renton-007.yaml", RENTON)]);
    let none = fleet.arm("test", &[]);
    fleet.write("tests/notes.txt", b"");
    let of_store = fleet.arm("test", &["renton-007"]);
    let of_nobody = fleet.arm("test", &["renton-07"]);
    assert_snapshot!([none, of_store, of_nobody].map(|it| shown(&it)).join("\n\n"));
}

/// One file promises the same of several stores.
#[test]
fn a_scenario_is_tried_on_every_store_that_its_file_names() {
    let fleet = fleet(PASSING);
    let kent = RENTON.replace("renton-007", "kent-008").replace("Renton", "Kent");
    fleet.write("kent-008.yaml", kent.replace("priority: high", "priority: low").as_bytes());
    let both = format!("store: [renton-007, kent-008]\nscenarios:\n{PASSING}")
        .replace("told: floor/email", "priority: high");
    fleet.write("tests/renton-007.yaml", both.as_bytes());
    assert_snapshot!(shown(&fleet.arm("test", &[])));
    assert_snapshot!(shown(&fleet.arm("test", &["renton-007"])));
}

#[test]
fn scenarios_are_laid_out_like_stores() {
    let fleet = fleet(
        "
- expect: {priority: high,   rule: sweep}   # now
  given: {at: 2026-11-22 14:03, event: {zone: a, camera: b}}
  name: a sweep
",
    );
    assert_snapshot!(shown(&fleet.arm("fmt", &[])));
    let files = fleet.files("stores/tests");
    assert_snapshot!(String::from_utf8(files[0].1.clone()).unwrap());
    let again = fleet.path("stores/tests/renton-007.yaml");
    assert_eq!(arm(&["fmt", &again]).err, "nothing to change in 1 file\n");
}

#[test]
fn stores_in_a_folder_named_tests_are_still_stores() {
    let fleet = fleet("");
    fleet.write("tests/fleet.yaml", FLEET.as_bytes());
    fleet.write("tests/renton-007.yaml", RENTON.as_bytes());
    let stores = fleet.path("stores/tests");
    for command in [["fmt", "--stores"], ["check", "--stores"]] {
        assert_eq!(arm(&[&command[..], &[&stores]].concat()).code, 0);
    }
}
