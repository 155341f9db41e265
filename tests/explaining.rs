//! `arm explain`: one event followed through a store, as a person and as a program reads it.

use arm_tests::{FLEET, Fleet, Outcome, STORE, arm, example_stores};

/// Runs `arm explain` on the example stores.
fn explain(args: &[&str]) -> Outcome {
    let stores = example_stores();
    arm(&[&["explain", "--stores", &stores, "--today", "2026-11-22"], args].concat())
}

fn page(args: &[&str]) -> String {
    let outcome = explain(args);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    for line in outcome.out.lines() {
        assert!(line.chars().count() <= 110, "{line}");
    }
    outcome.out
}

#[test]
fn a_sighting_shows_rule_case_every_message_and_whom_it_does_not_reach() {
    let seen = ["--event-type", "shelf_sweep", "--camera", "aisle-5-a", "--confidence", "0.93"];
    let at = ["seattle-001", "--at", "2026-11-22 14:03:03"];
    insta::assert_snapshot!(page(&[&at[..], &seen].concat()));
}

#[test]
fn without_an_event_the_rules_are_shown_at_a_glance() {
    let json = explain(&["tacoma-012", "--format", "json"]).out;
    let overview: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(overview["schema"], "arm.rules/1");
    insta::assert_snapshot!(
        ["seattle-001", "tacoma-012", "bellevue-100"].map(|it| page(&[it])).join("\n")
    );
}

#[test]
fn a_detection_that_tells_nobody_says_why() {
    let seen = ["--event-type", "loitering", "--camera", "entrance-a", "--confidence", "0.4"];
    let at = ["seattle-001", "--at", "2026-12-24T23:10:00-08:00"];
    insta::assert_snapshot!(page(&[&at[..], &seen].concat()));
}

#[test]
fn an_event_of_a_file_is_taken_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    let path = path.to_str().unwrap();
    let detail = r#"{ "event_type": ["shelf_sweep", "concealment"], "camera": "aisle-5-a" }"#;
    std::fs::write(path, detail).unwrap();
    insta::assert_snapshot!(page(&["seattle-001", path, "--at", "2026-11-22 14:03"]));

    let quoted = serde_json::Value::from(detail).to_string();
    let entry = format!(
        r#"{{ "Source": "shop.pos", "DetailType": "Seen", "Time": "2026-11-22T22:03:00Z", "Detail": {quoted} }}"#
    );
    std::fs::write(path, entry).unwrap();
    let outcome = explain(&["seattle-001", path, "--format", "json"]);
    let trace: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(trace["schema"], "arm.explain/1");
    assert_eq!(trace["event"]["source"], "shop.pos");
    let rules = trace["matched"].as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap());
    assert_eq!(rules.collect::<Vec<_>>(), ["shelf-sweep", "unrouted"]);
    assert_eq!(trace["alerts"].as_array().unwrap().len(), 1, "one alert");

    std::fs::write(path, r#"{ "note": "no detection", "start_ms": 1795385000000 }"#).unwrap();
    let out = page(&["seattle-001", path]);
    assert!(out.contains("none: the event's detail has no `event_type`"), "{out}");
}

#[test]
fn every_audience_without_anybody_is_named() {
    let store = STORE.replace("notify: []", "notify: [floor]") + "subscribers: []\n";
    let fleet = Fleet::new(&[("renton-007.yaml", &store)]);
    let outcome = fleet
        .arm("explain", &["renton-007", "--event-type", "shelf_sweep", "--at", "2026-11-22 10:00"]);
    let told =
        "not told   nobody in this store is in this audience\n             audience `floor`\n";
    assert!(outcome.out.contains(told), "{}", outcome.out);
}

#[test]
fn what_cannot_be_explained_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let files = [
        file("empty.json", ""),
        file("broken.json", "{ \"event_type\": }"),
        file("two.json", "{\"event_type\":\"a\"}\n{\"event_type\":\"b\"}"),
        file("list.json", "[]"),
        file("time.json", r#"{ "detail": {}, "time": "noon" }"#),
        file("detail.json", r#"{ "Detail": "{" }"#),
    ];
    let mut told = Vec::new();
    let mut refuse = |args: &[&str]| {
        let outcome = explain(args);
        assert_eq!(outcome.out, "", "{args:?}");
        let folder = folder.path().to_str().unwrap();
        told.push(format!("exit {}\n{}", outcome.code, outcome.err.replace(folder, "FOLDER")));
    };
    refuse(&["seatle-001", "--event-type", "x"]);
    refuse(&["seattle-001", "--at", "2026-11-22 14:03"]);
    refuse(&["seattle-001", "--event-type", "x", "--camera", "aisle-5-x"]);
    refuse(&["seattle-001", "--event-type", "x", "--camera", "aisle-5-a", "--zone", "door"]);
    refuse(&["seattle-001", "--event-type", "x", "--confidence", "93"]);
    refuse(&["seattle-001", "--event-type", "x", "--at", "noon"]);
    refuse(&["seattle-001", &files[0], "--event-type", "x"]);
    for path in &files {
        refuse(&["seattle-001", path]);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_contradicts_the_store_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    let detail = r#"{ "event_type": "shelf_sweep", "store": "tacoma-012", "camera": "aisle-5-a", "aisle": "bakery",
        "aisle_kind": "fresh", "zone": "door", "period": "closed", "confidence": "0.9", "start_ms": 1795384803000 }"#;
    std::fs::write(&path, detail).unwrap();
    let out = page(&["seattle-001", path.to_str().unwrap()]);
    let notes: Vec<_> = out.lines().skip_while(|line| !line.starts_with("note")).collect();
    insta::assert_snapshot!(notes.join("\n"));
    let ghost = r#"{ "event_type": "shelf_sweep", "camera": "ghost", "confidence": 93, "start_ms": 1795384803000 }"#;
    std::fs::write(&path, ghost).unwrap();
    let out = page(&["seattle-001", path.to_str().unwrap()]);
    assert!(out.contains("no clip: the store has no camera `ghost`"), "{out}");
    assert!(out.contains("`confidence` is 93, and a model says 0 to 1"), "{out}");
    let skipped = page(&["seattle-001", "--event-type", "shelf_sweep", "--at", "2026-03-08 02:30"]);
    assert!(skipped.contains("the store's clock skips 02:30: taken as 03:30 PDT"), "{skipped}");
    let huge = r#"{ "event_type": "concealment", "confidence": 9007199254740993, "start_ms": 1795384803000 }"#;
    std::fs::write(&path, huge).unwrap();
    insta::assert_snapshot!(page(&["seattle-001", path.to_str().unwrap()]));
}

#[test]
fn an_address_that_is_told_by_one_channel_is_named_where_another_is_silent() {
    let store = STORE.replace("notify: []", "notify: [floor]")
        + "subscribers:\n  - { audience: floor, sms: \"ssm:/arm/one\" }\n  - { audience: guards, email: \"ssm:/arm/one\" }\n";
    let fleet = FLEET.to_owned() + "audiences: [floor, guards]\n";
    let folder = Fleet::new(&[("renton-007.yaml", &store)]);
    folder.write("fleet.yaml", fleet.as_bytes());
    let seen = ["renton-007", "--event-type", "shelf_sweep", "--at", "2026-11-22 10:00"];
    let outcome = folder.arm("explain", &seen);
    assert!(outcome.out.contains("told       floor sms ssm:/arm/one"), "{}", outcome.out);
    assert!(outcome.out.contains("  guards email ssm:/arm/one"), "{}", outcome.out);
}
