//! A day of detections under two rule sets: what a change of rules does to it, the weightiest first.

use insta::assert_snapshot;
use serde_json::Value;

use arm_tests::repository::Repository;

use crate::simulation::{HEARD, heard_fleet, is_within_110_columns, seen, simulate, some_events};

/// The same store with other rules, an audience's address changed.
fn changed() -> String {
    HEARD
        .replace(
            "event_type: loitering }, priority: medium",
            "event_type: theft }, priority: medium",
        )
        .replace("event_type: spill }, priority: low", "event_type: spill }, priority: critical")
        .replace(
            "priority: high, notify: [floor, guards]",
            "priority: high, notify: [guards], cooldown: 10s",
        )
        .replace("floor@example.com", "night@example.com")
}

#[test]
fn two_rule_sets_are_told_apart_the_weightiest_first() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    repository.write("stores/renton-007.yaml", &changed());
    let events = some_events();
    let text = simulate(&repository, &events, &["--rules-from", "main"]);
    assert!(is_within_110_columns(&text), "{text}");
    assert_snapshot!(text);
    let json = simulate(&repository, &events, &["--rules-from", "main", "--format", "json"]);
    let json: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(json["then"]["commit"], "main");
    assert_snapshot!(format!("{:#}", json["differences"]), @r#"
    [
      {
        "about": "unrouted",
        "text": "1 detection falls to unrouted now: loitering at Aisle 5 (1)"
      },
      {
        "about": "nobody-told",
        "text": "floor is told nothing now, 2 alerts before"
      },
      {
        "about": "address",
        "text": "floor@example.com (floor, guards) is no longer told, 2 messages before"
      },
      {
        "about": "critical-cases",
        "text": "1 more critical case (1 instead of 0)"
      },
      {
        "about": "priority",
        "text": "spill at Aisle 5: critical instead of low (1 detection)"
      },
      {
        "about": "sms",
        "text": "1 more SMS to guards (3 instead of 2)"
      },
      {
        "about": "cases",
        "text": "1 more high case (3 instead of 2)"
      },
      {
        "about": "cases",
        "text": "1 fewer medium case (1 instead of 2)"
      },
      {
        "about": "messages",
        "text": "1 more e-mail to floor, guards (3 instead of 2)"
      },
      {
        "about": "address",
        "text": "night@example.com (floor, guards) is a new address, 3 messages"
      },
      {
        "about": "busiest-hour",
        "text": "busiest hour: guards gets 2 alerts between 17:00 and 18:00; before, floor gets 1 alert between 17:00 and 18:00"
      },
      {
        "about": "merged",
        "text": "cooldowns merge 0 % of the detections instead of 14 %"
      }
    ]
    "#);
}

/// What a changed store differs in from `HEARD`, as the sentences say it.
fn differences(events: &str, changed: &str) -> String {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    repository.write("stores/renton-007.yaml", changed);
    let json = simulate(&repository, events, &["--rules-from", "main", "--format", "json"]);
    let json: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    let all = json["differences"].as_array().unwrap().iter();
    let all = all
        .map(|it| format!("{}: {}\n", it["about"].as_str().unwrap(), it["text"].as_str().unwrap()));
    all.collect()
}

#[test]
fn what_may_be_missed_comes_before_what_there_is_more_of() {
    let changed = HEARD
        .replace(
            "event_type: shelf_sweep }, priority: high",
            "event_type: shelf_sweep }, priority: medium",
        )
        .replace(
            "event_type: loitering }, priority: medium",
            "event_type: theft }, priority: medium",
        )
        .replace("event_type: spill }, priority: low", "event_type: spill }, priority: critical");
    assert_snapshot!(differences(&some_events(), &changed), @"
    unrouted: 1 detection falls to unrouted now: loitering at Aisle 5 (1)
    priority: shelf_sweep at Aisle 5: medium instead of high (3 detections)
    critical-cases: 1 more critical case (1 instead of 0)
    priority: spill at Aisle 5: critical instead of low (1 detection)
    cases: 2 fewer high cases (0 instead of 2)
    cases: 1 more medium case (3 instead of 2)
    ");
}

#[test]
fn an_audience_that_nobody_tells_any_more_is_said_once() {
    let less = HEARD.replace("notify: [floor, guards]", "notify: [guards]");
    let gone = less.replace("  - { audience: guards, email: floor@example.com }\n", "");
    assert_snapshot!(differences(&some_events(), &gone), @"
    nobody-told: floor is told nothing now, 2 alerts before
    messages: 2 fewer e-mails to floor, guards (0 instead of 2)
    busiest-hour: busiest hour: guards gets 1 alert between 17:00 and 18:00; before, floor gets 1 alert between 17:00 and 18:00
    ");
    // Who is in two audiences is still told.
    let joined = HEARD.replace("  - { audience: guards, email: floor@example.com }\n", "");
    assert_snapshot!(differences(&some_events(), &joined), @"
    messages: 2 fewer e-mails to floor, guards (0 instead of 2)
    messages: 2 more e-mails to floor (2 instead of 0)
    ");
}

#[test]
fn a_rule_that_becomes_a_shadow_or_is_none_any_more_is_said() {
    let changed = HEARD
        .replace("notify: [floor, guards] }", "notify: [floor, guards], shadow: true }")
        .replace("notify: [floor], shadow: true }", "notify: [floor] }");
    assert_snapshot!(differences(&some_events(), &changed), @"
    nobody-told: guards is told nothing now, 2 alerts before
    shadow: `sweep` is a shadow now and tells nobody (3 detections)
    shadow: `try-out` is no longer a shadow (1 detection)
    messages: 1 fewer e-mail to floor, guards (1 instead of 2)
    ");
}

/// These change no number, and people notice them all the same.
#[test]
fn other_words_and_another_evidence_clip_are_a_change() {
    let changed = HEARD.replace("name: Renton", "name: Renton East")
        + "alerts: { sms: \"{{ headline }}\" }\nevidence: { before: 20s, keep: 30d }\n";
    assert_snapshot!(differences(&seen(0, "spill", ""), &changed), @"
    words: alerts have other words now (store name, sms)
    evidence: evidence clips show 20 s before the behaviour instead of 15 s, are kept 30 days instead of 90
    ");
}

#[test]
fn without_detections_there_is_nothing_to_compare() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    let gone = HEARD.split("  - { audience: guards, sms").next().unwrap();
    repository.write("stores/renton-007.yaml", gone);
    assert_snapshot!(simulate(&repository, "\n", &["--rules-from", "main"]), @"
    Renton (renton-007), no events, America/Los_Angeles

      = nothing to compare: there is no detection among the events
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

/// A number of more digits than a double holds is none to EventBridge, where a rule asks for numbers.
#[test]
fn events_that_no_pattern_matches_any_more_come_first() {
    let sure = HEARD.replace("{ event_type: spill }", "{ event_type: spill, min_confidence: 0.5 }");
    let events =
        seen(0, "spill", r#","confidence":9007199254740993"#) + &seen(9, "shelf_sweep", "");
    let text = differences(&events, &sure);
    assert!(text.starts_with("dropped: EventBridge drops 1 event instead of 0"), "{text}");
}

#[test]
fn rules_that_do_the_same_are_said_to_do_the_same() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    let other = HEARD.replace("  - { name: log,", "  - { name: theft, when: { event_type: theft }, priority: high, notify: [] }\n  - { name: log,");
    repository.write("stores/renton-007.yaml", &other);
    let text = simulate(&repository, &seen(0, "spill", ""), &["--rules-from", "HEAD"]);
    assert_snapshot!(text, @"
    Renton (renton-007), 2026-11-22 17:00 to 17:00, America/Los_Angeles

      = nothing changes: the rules of `HEAD` give these events the same cases and alerts

      detections   1, which became 1 case; cooldowns merged 0 % of them
      cases        1 low
      alerts       0
      told nobody  1 case, of a rule with `notify: []`

      rule              priority  detections  cases  joined  alerts
      sweep             high               .      .       .       .
      try-out (shadow)  medium             .      .       .       .
      theft             high               .      .       .       .
      log               low                1      1       .       .
      nobody            medium             .      .       .       .
      unrouted          low                .      .       .       .
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn a_comparison_that_cannot_be_made_is_told_with_what_to_do() {
    let fleet = heard_fleet();
    let wrong = HEARD.replace("aisle: aisle-5 }", "aisle: aisle-6 }");
    let first = [("stores/fleet.yaml", fleet.as_str()), ("stores/kent-008.yaml", "")];
    let repository = Repository::new(&first);
    repository.commit(&[("stores/kent-008.yaml", &HEARD.replace("renton-007", "kent-008"))]);
    repository.git(&["tag", "without"]);
    repository.commit(&[("stores/renton-007.yaml", &wrong)]);
    repository.git(&["tag", "wrong"]);
    repository.commit(&[("stores/renton-007.yaml", HEARD)]);
    let check = |reference| simulate(&repository, "", &["--rules-from", reference]);
    assert_snapshot!(check("nowhere"), @"
    1 warning about renton-007; see `arm check`
    error: there is no commit `nowhere` in this repository
      help: name a branch, a tag or a commit that `git log` shows; `git fetch` brings new ones
    exit code 2
    ");
    assert_snapshot!(check("without"), @"
    1 warning about renton-007; see `arm check`
    error: there is no store `renton-007` in the commit `without`; it has `kent-008`
      help: name a commit in which the store has its file, by this id
    exit code 1
    ");
    assert_snapshot!(check("wrong"), @"
    1 warning about renton-007; see `arm check`
    error[unknown-aisle]: the camera `aisle-5-a` names the aisle `aisle-6`, which this store lacks
     --> stores/renton-007.yaml@wrong:4:35
      |
    4 | cameras: [{ id: aisle-5-a, aisle: aisle-6 }]
      |                                   ^^^^^^^ not known here
      |
      = note: in the store `renton-007`
      = help: did you mean `aisle-5`?

    error: 1 error and 1 warning in 2 stores
    exit code 1
    ");
}
