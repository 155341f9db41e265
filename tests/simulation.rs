//! A day of detections, beforehand: what the people of a store will live through.

use insta::assert_snapshot;
use serde_json::Value;

use arm_tests::repository::Repository;
use arm_tests::{FLEET, Fleet, arm, arm_answered, example_stores, root, shown};

/// Runs `arm simulate` on the store `renton-007`; paths and hashes are taken out of what it says.
pub(crate) fn simulate(repository: &Repository, events: &str, args: &[&str]) -> String {
    repository.write("events.ndjson", events);
    let events = repository.path("events.ndjson");
    shown(&repository.arm("simulate", &[&["renton-007", &events], args].concat()))
}

/// A detection of the store `renton-007`, so many seconds after five on a Sunday afternoon there.
pub(crate) fn seen(second: i64, event_type: &str, more: &str) -> String {
    let at_ms = 1_795_395_600_000 + second * 1_000;
    format!(
        r#"{{"event_type":"{event_type}","camera":"aisle-5-a","aisle":"aisle-5","aisle_name":"Aisle 5","start_ms":{at_ms}{more}}}"#
    ) + "\n"
}

/// Two rules, and people who hear of them.
pub(crate) const HEARD: &str = r#"store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5 }]
rules:
  - { name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [floor, guards] }
  - { name: try-out, when: { event_type: loitering }, priority: medium, notify: [floor], shadow: true }
  - { name: log, when: { event_type: spill }, priority: low, notify: [] }
  - { name: nobody, when: { event_type: person_down }, priority: medium, notify: [empty] }
subscribers:
  - { audience: floor, email: floor@example.com }
  - { audience: guards, email: floor@example.com }
  - { audience: guards, sms: "+12065550100" }
"#;

pub(crate) fn heard_fleet() -> String {
    format!("{FLEET}audiences: [floor, guards, empty]\n")
}

fn heard(events: &str, args: &[&str]) -> String {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    simulate(&Repository::new(&files), events, args)
}

pub(crate) fn some_events() -> String {
    [
        seen(0, "shelf_sweep", ""),
        seen(20, "shelf_sweep", ""),
        seen(20, "shelf_sweep", ""),
        seen(4_000, "shelf_sweep", r#","store":"kent-008""#),
        seen(30, "loitering", ""),
        seen(31, "spill", ""),
        seen(32, "person_down", ""),
        seen(33, "ticket_switching", ""),
        seen(33, "ticket_switching", ""),
        seen(34, "", ""),
        "\n".to_owned(),
    ]
    .concat()
}

pub(crate) fn is_within_110_columns(text: &str) -> bool {
    text.lines().all(|line| line.chars().count() <= 110)
}

#[test]
fn the_example_day_shows_who_is_told_how_often_and_when() {
    let events = root().join("stores/tests/seattle-001.ndjson").display().to_string();
    let stores = example_stores();
    let args = ["simulate", "seattle-001", &events, "--stores", &stores, "--today", "2026-11-22"];
    let outcome = arm(&args);
    assert!(is_within_110_columns(&outcome.out), "{}", outcome.out);
    assert_snapshot!(shown(&outcome));
}

#[test]
fn what_tells_nobody_is_told_with_the_reason_and_nobody_is_counted_twice() {
    assert_snapshot!(heard(&some_events(), &[]), @"
    Renton (renton-007), 2026-11-22 17:00 to 18:06, America/Los_Angeles

      detections    7, which became 6 cases; cooldowns merged 14 % of them
      cases         2 high, 2 medium, 2 low
      alerts        3, in 4 messages: 2 SMS, 2 e-mails
      busiest hour  floor gets 1 alert between 17:00 and 18:00
      told nobody   4 cases: 1 unrouted, 1 of a shadow rule, 1 of a rule with `notify: []`, 1 for an audience
                    without subscriber
      unrouted      1 detection: ticket_switching 1
      note          2 detections came again and did nothing
      note          1 detection of another store; the bus they are on decides, so they count here
      note          1 event without `event_type`, which the function refuses
      note          1 alert had nobody to go to

      rule              priority  detections  cases  joined  alerts
      sweep             high               3      2       1       2
      try-out (shadow)  medium             1      1       .       .
      log               low                1      1       .       .
      nobody            medium             1      1       .       1
      unrouted          low                1      1       .       .

      messages by hour                        17 18  all
      floor, guards  email  floor@example.com  1  1    2
      guards         sms    +12065550100       1  1    2
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn the_order_of_the_lines_and_how_they_are_read_change_nothing() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    let events = some_events();
    let expected = simulate(&repository, &events, &[]);
    let backwards: Vec<_> = events.lines().rev().collect();
    assert_eq!(simulate(&repository, &backwards.join("\r\n"), &[]), expected);
    assert_eq!(simulate(&repository, &format!("\u{feff}{events}\n\n"), &[]), expected);
    let stores = repository.path("stores");
    let args = ["simulate", "renton-007", "-", "--stores", &stores, "--today", "2026-11-22"];
    assert_eq!(repository.plain(&shown(&arm_answered(&args, &events))), expected);
}

#[test]
fn a_whole_event_and_its_bare_detail_come_to_the_same() {
    let bare = seen(0, "shelf_sweep", "");
    let whole = format!(
        r#"{{"id":"1","source":"arm.detector","detail-type":"BehaviourDetected","time":"2026-11-23T01:00:00Z","resources":[],"detail":{}}}"#,
        bare.trim()
    );
    assert_eq!(heard(&whole, &[]), heard(&bare, &[]));
}

#[test]
fn programs_get_the_same_as_people() {
    let answer = heard(&some_events(), &["--format", "json"]);
    let json = answer.lines().next().unwrap();
    assert_snapshot!(format!("{:#}", serde_json::from_str::<Value>(json).unwrap()));
}

#[test]
fn every_bad_line_is_told_with_its_number_and_stops_nothing() {
    let long = format!("{{\"event_type\":\"{}\"}}\n", "x".repeat(1 << 20));
    let lines = [
        seen(0, "shelf_sweep", ""),
        "{\"event_type\": \"shelf_sweep\"}\n".to_owned(),
        "{\"event_type\": \n".to_owned(),
        "[]\n".to_owned(),
        "{\"time\": \"noon\", \"detail\": {\"event_type\": \"spill\"}}\n".to_owned(),
        long,
        "{\"event_type\": \"spill\", \"start_ms\": 9223372036854775807}\n".to_owned(),
        "{\"event_type\": \"spill\", \"start_ms\": [-9223372036854775808], \"end_ms\": 1}\n"
            .to_owned(),
        seen(4_000, "shelf_sweep", ""),
        "none\n".repeat(16),
        seen(8_000, "shelf_sweep", "").trim().to_owned(),
    ];
    assert_snapshot!(heard(&lines.concat(), &[]), @r#"
    Renton (renton-007), 2026-11-22 17:00 to 19:13, America/Los_Angeles

      detections    3, which became 3 cases; cooldowns merged 0 % of them
      cases         3 high
      alerts        3, in 6 messages: 3 SMS, 3 e-mails
      busiest hour  floor gets 1 alert between 17:00 and 18:00

      rule              priority  detections  cases  joined  alerts
      sweep             high               3      3       .       3
      try-out (shadow)  medium             .      .       .       .
      log               low                .      .       .       .
      nobody            medium             .      .       .       .
      unrouted          low                .      .       .       .

      messages by hour                        17 18 19  all
      floor, guards  email  floor@example.com  1  1  1    3
      guards         sms    +12065550100       1  1  1    3
    1 warning about renton-007; see `arm check`
    line 2: it says not when: a whole event has `time`, a bare detail `start_ms` (milliseconds)
    line 3: not JSON: EOF while parsing a value at column 14
    line 4: an event is a JSON object: a whole event, or only its `detail`
    line 5: `time` is no moment such as `2026-11-22T14:03:03Z`: "noon"
    line 6: longer than the 1048576 bytes that an event may have
    line 7: its moment is not within the years 1970 to 9998
    line 8: its time is in no year from -9999 to 9999; it counts in milliseconds since 1970
    line 10: not JSON: expected ident at column 2
    line 11: not JSON: expected ident at column 2
    line 12: not JSON: expected ident at column 2
    line 13: not JSON: expected ident at column 2
    line 14: not JSON: expected ident at column 2
    line 15: not JSON: expected ident at column 2
    line 16: not JSON: expected ident at column 2
    line 17: not JSON: expected ident at column 2
    line 18: not JSON: expected ident at column 2
    line 19: not JSON: expected ident at column 2
    line 20: not JSON: expected ident at column 2
    line 21: not JSON: expected ident at column 2
    line 22: not JSON: expected ident at column 2
    and 3 lines more
    error: 23 of 26 lines are no events
      help: write one JSON object a line; `jq -c '.[]'` makes that of a list
    exit code 1
    "#);
}

#[test]
fn a_store_that_is_awake_all_day_and_a_long_address_still_fit_the_width() {
    let long = format!("https://hooks.example.com/{}/floor", "renton/".repeat(12));
    let store = HEARD.replace(
        "email: floor@example.com }\n  - { audience: guards, sms",
        &format!("https: \"{long}\" }}\n  - {{ audience: guards, sms"),
    );
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", store.as_str())];
    let repository = Repository::new(&files);
    let events: Vec<_> = (0..48).map(|half| seen(1_800 * half, "shelf_sweep", "")).collect();
    let text = simulate(&repository, &events.concat(), &[]);
    assert!(is_within_110_columns(&text), "{text}");
    assert_snapshot!(text, @"
    Renton (renton-007), 2026-11-22 17:00 to 2026-11-23 16:30, America/Los_Angeles

      detections    48, which became 48 cases; cooldowns merged 0 % of them
      cases         48 high
      alerts        48, in 144 messages: 48 SMS, 48 e-mails, 48 webhook calls
      busiest hour  floor gets 2 alerts between 17:00 and 18:00 on 2026-11-22

      rule              priority  detections  cases  joined  alerts
      sweep             high              48     48       .      48
      try-out (shadow)  medium             .      .       .       .
      log               low                .      .       .       .
      nobody            medium             .      .       .       .
      unrouted          low                .      .       .       .

      messages by hour                                                 00 01 02 03 04 05 06 07 08 09 10 11
      floor   email  floor@example.com                                  2  2  2  2  2  2  2  2  2  2  2  2
      guards  https  hooks.example.com/rento...on/renton/renton//floor  2  2  2  2  2  2  2  2  2  2  2  2
      guards  sms    +12065550100                                       2  2  2  2  2  2  2  2  2  2  2  2

      messages by hour                                                 12 13 14 15 16 17 18 19 20 21 22 23  all
      floor   email  floor@example.com                                  2  2  2  2  2  2  2  2  2  2  2  2   48
      guards  https  hooks.example.com/rento...on/renton/renton//floor  2  2  2  2  2  2  2  2  2  2  2  2   48
      guards  sms    +12065550100                                       2  2  2  2  2  2  2  2  2  2  2  2   48
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn a_day_without_events_is_shown_as_one() {
    assert_snapshot!(heard("", &[]), @"
    Renton (renton-007), no events, America/Los_Angeles

      there is no detection among the events
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn detections_of_cameras_that_the_store_lacks_are_counted_with_their_names() {
    let events = [some_events(), some_events().replace("aisle-5-a", "aisle-6-a")].concat();
    let text = heard(&events, &[]);
    let notes = text.lines().filter(|line| line.contains("note "));
    assert_snapshot!(notes.collect::<Vec<_>>().join("\n"), @"
    note          4 detections came again and did nothing
    note          2 detections of another store; the bus they are on decides, so they count here
    note          2 events without `event_type`, which the function refuses
    note          2 alerts had nobody to go to
    note          7 detections of cameras that the store does not have: aisle-6-a 7
    ");
}

/// A number of more digits than a double holds is none to EventBridge, where a rule asks for numbers.
#[test]
fn events_that_no_pattern_matches_are_counted_on_a_line_of_their_own() {
    let sure = HEARD.replace("{ event_type: spill }", "{ event_type: spill, min_confidence: 0.5 }");
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", sure.as_str())];
    let events =
        seen(0, "spill", r#","confidence":9007199254740993"#) + &seen(9, "shelf_sweep", "");
    let text = simulate(&Repository::new(&files), &events, &[]);
    let lines = text.lines().filter(|line| line.contains("note ") || line.contains("detections "));
    assert_snapshot!(lines.take(2).collect::<Vec<_>>().join("\n"), @"
    detections    1, which became 1 case; cooldowns merged 0 % of them
    note          1 event that no pattern matches, which EventBridge drops
    ");
}

#[test]
fn a_store_or_a_file_that_is_not_there_is_told() {
    let fleet = Fleet::new(&[]);
    fleet.write("fleet.yaml", heard_fleet().as_bytes());
    fleet.write("renton-007.yaml", HEARD.as_bytes());
    fleet.write("events.ndjson", b"");
    let events = fleet.path("stores/events.ndjson");
    assert_snapshot!(shown(&fleet.arm("simulate", &["renton-07", &events])), @"
    error: there is no store `renton-07`
      help: did you mean `renton-007`?
    exit code 1
    ");
    let nowhere = fleet.path("stores/nowhere.ndjson");
    assert_snapshot!(shown(&fleet.arm("simulate", &["renton-007", &nowhere])), @"
    1 warning about renton-007; see `arm check`
    error: cannot read stores/nowhere.ndjson
      caused by: No such file or directory (os error 2)
    exit code 3
    ");
}
