//! One store, its rules compiled, and detections put on its bus.

use contract::hours::Period;
use contract::priority::Priority;
use proptest::prelude::*;
use serde_json::json;

use super::event::YEAR_9999_MS;
use super::*;
use crate::model::{Condition, Confidence, Rule};
use crate::rules;
use crate::stack::fixture::{id, large_store};

/// Two in the afternoon of 22 November 2026 in Seattle, and three seconds.
const AT_MS: i64 = 1_795_384_803_000;

fn store() -> Store {
    let rule = |name: &str, when: Condition, priority, notify: &[&str]| Rule {
        name: id(name),
        when,
        priority,
        notify: notify.iter().map(|it| id(it)).collect(),
        cooldown_s: 60,
        shadow: false,
    };
    let of = |event_type: &str| Condition {
        event_types: Some(vec![event_type.to_owned()]),
        ..Condition::default()
    };
    let sure = Condition { min_confidence: Confidence::new(0.8), ..of("concealment") };
    Store {
        rules: vec![
            rule("sure", sure, Priority::Critical, &["loss-prevention"]),
            rule("sweep", of("shelf_sweep"), Priority::High, &["floor", "loss-prevention"]),
            rule("concealment", of("concealment"), Priority::Medium, &[]),
        ],
        ..large_store(2)
    }
}

fn sighting(event_type: &str, confidence: f64, after_s: i64) -> Sighting {
    Sighting {
        event_type: event_type.to_owned(),
        camera: Some("aisle-5-1".to_owned()),
        zone: None,
        confidence: Some(confidence),
        at_ms: AT_MS + after_s * 1_000,
    }
}

/// What becomes of each event in turn: the rules that match, what its case comes to, who is told.
fn check(events: &[Event]) -> Vec<String> {
    let store = store();
    let rules = rules::compile(&store).unwrap();
    let mut trial = Trial::new(&store, &rules);
    let put = |event: &Event| {
        let outcome = trial.put(event);
        let names: Vec<_> = outcome.matched.iter().map(|rule| rule.rule.as_str()).collect();
        let Ok(opened) = &outcome.result else { return format!("{names:?} no detection") };
        let told = outcome.alerts.iter().flat_map(|sent| &sent.told);
        let told: Vec<_> =
            told.map(|told| format!("{} {:?}", told.channel.as_str(), told.audiences)).collect();
        let case = &opened.case;
        format!("{names:?} {:?} {} {}x {told:?}", opened.action, case.priority, case.detections)
    };
    events.iter().map(put).collect()
}

fn seen(event_type: &str, confidence: f64, after_s: i64) -> Event {
    Event::of_sighting(&store(), &sighting(event_type, confidence, after_s))
}

#[test]
fn a_detection_opens_a_case_and_tells_each_address_once() {
    insta::assert_snapshot!(check(&[seen("shelf_sweep", 0.93, 0)]).join("\n"), @r#"["sweep"] Opened high 1x ["sms {\"floor\", \"loss-prevention\"}", "email {\"loss-prevention\"}", "push {\"loss-prevention\"}", "https {\"floor\"}", "sms {\"floor\"}"]"#);
}

#[test]
fn detections_within_the_cooldown_join_and_a_higher_priority_tells_again() {
    let events = [
        seen("concealment", 0.5, 0),
        seen("concealment", 0.6, 30),
        seen("concealment", 0.9, 60),
        seen("concealment", 0.9, 90),
        seen("concealment", 0.5, 200),
    ];
    insta::assert_snapshot!(check(&events).join("\n"), @r#"
    ["concealment"] Opened medium 1x []
    ["concealment"] Joined medium 2x []
    ["sure"] Joined critical 3x ["sms {\"loss-prevention\"}", "email {\"loss-prevention\"}", "push {\"loss-prevention\"}"]
    ["sure"] Joined critical 4x []
    ["concealment"] Opened medium 1x []
    "#);
}

#[test]
fn a_field_that_is_a_list_makes_one_case_and_one_alert_at_the_highest_priority() {
    let detail = json!({ "event_type": ["shelf_sweep", "concealment"], "confidence": 0.9, "camera": "aisle-5-1", "start_ms": AT_MS });
    let event = Event::read(&detail, None).unwrap();
    insta::assert_snapshot!(check(&[event]).join("\n"), @r#"["sure", "sweep"] Opened critical 1x ["sms {\"floor\", \"loss-prevention\"}", "email {\"loss-prevention\"}", "push {\"loss-prevention\"}", "https {\"floor\"}", "sms {\"floor\"}"]"#);
}

#[test]
fn what_is_no_detection_matches_unrouted_and_makes_no_case() {
    let event = Event::read(&json!({ "note": "hello", "start_ms": AT_MS }), None).unwrap();
    assert_eq!(check(&[event]), [r#"["unrouted"] no detection"#]);
}

#[test]
fn a_sighting_becomes_the_event_that_analyze_puts() {
    let event = seen("shelf_sweep", 0.93, 0);
    assert_eq!(event.json["time"], "2026-11-22T22:00:03.000Z");
    insta::assert_snapshot!(event.detail(), @r#"{"version":1,"id":"d-GC31VQM262WK4J08RXERR9R3","event_type":"shelf_sweep","confidence":0.93,"store":"seattle-001","camera":"aisle-5-1","stream":"arm-us-west-seattle-001-gw-aisle-5-1","aisle":"aisle-5","aisle_name":"Aisle 5","aisle_kind":"high-value","period":"open","start_ms":1795384803000,"end_ms":1795384803000}"#);
}

#[test]
fn json_is_a_whole_event_or_a_bare_detail_and_says_when() {
    let time = |value: Value, otherwise| Event::read(&value, otherwise).map(|event| event.at_ms);
    let whole = json!({ "detail": { "event_type": "x" }, "time": "2026-11-22T22:00:03Z", "source": "shop.pos" });
    assert_eq!(Event::read(&whole, None).unwrap().json["source"], "shop.pos");
    assert_eq!(time(whole, None), Ok(AT_MS));
    assert_eq!(time(json!({ "event_type": "x", "start_ms": 1, "end_ms": 7 }), Some(9)), Ok(7));
    assert_eq!(time(json!({ "event_type": "x" }), Some(9)), Ok(9));
    assert_eq!(time(json!({ "event_type": "x" }), None), Err(EventError::NoTime));
    assert_eq!(time(json!(["x"]), None), Err(EventError::NotAnObject));
    let noon = json!({ "detail": {}, "time": "noon" });
    assert_eq!(time(noon, None), Err(EventError::Time("\"noon\"".to_owned())));
}

#[test]
fn a_moment_is_in_the_store_s_time_unless_it_says_otherwise() {
    let at = |text: &str| parse_at(text, "America/Los_Angeles");
    assert_eq!(at("2026-11-22 14:00:03"), Ok(AT_MS));
    assert_eq!(at("2026-11-22T14:00"), Ok(AT_MS - 3_000));
    assert_eq!(at("2026-11-22T22:00:03Z"), Ok(AT_MS));
    assert_eq!(at("2026-11-22T23:00:03+01:00"), Ok(AT_MS));
    // The clock goes from 02:00 to 03:00.
    assert_eq!(at("2026-03-08 02:30"), at("2026-03-08 03:30"));
    for slip in ["2026-11-22", "14:00", "yesterday", "2026-13-01 10:00", ""] {
        assert_eq!(at(slip), Err(NotATime), "{slip}");
    }
}

#[test]
fn what_does_not_hold_is_told_in_the_words_of_the_yaml() {
    let when = Condition {
        event_types: Some(vec!["shelf_sweep".to_owned()]),
        aisles: Some((1..=6).map(|n| id(&format!("aisle-{n}"))).collect()),
        aisle_kinds: Some(vec![id("high-value"), id("fresh")]),
        zones: Some(vec!["razors".to_owned()]),
        min_confidence: Confidence::new(0.8),
        period: Some(Period::Closed),
        ..Condition::default()
    };
    let detail = json!({ "event_type": ["a", 7], "aisle": "aisle-9", "aisle_kind": null, "confidence": 0.79, "period": "open" });
    insta::assert_snapshot!(misses(&when, &detail).join("\n"), @r"
    event_type is `a`, `7`; none is `shelf_sweep`
    aisle is `aisle-9`, not one of `aisle-1`, `aisle-2`, `aisle-3`, `aisle-4` and 2 more
    aisle_kind is `null`, not one of `high-value`, `fresh`
    zone is missing, and must be `razors`
    period is `open`, not `closed`
    confidence is 0.79, below 0.8
    ");
    let holds = json!({ "event_type": "shelf_sweep", "aisle": ["x", "aisle-6"], "aisle_kind": "fresh", "zone": "razors", "confidence": 0.8, "period": "closed" });
    assert_eq!(misses(&when, &holds), Vec::<String>::new());
}

#[test]
fn a_number_that_eventbridge_takes_for_none_matches_nothing_and_is_said_to_be_lost() {
    let detail = json!({ "event_type": "concealment", "confidence": 9_007_199_254_740_993_u64, "start_ms": AT_MS });
    let store = store();
    let rules = rules::compile(&store).unwrap();
    let outcome = Trial::new(&store, &rules).put(&Event::read(&detail, None).unwrap());
    assert!(outcome.matched.is_empty());
    assert_eq!(outcome.result, Err(NoCase::Unmatched));
}

#[test]
fn a_moment_outside_the_years_that_count_is_refused() {
    for start_ms in [i64::MIN, -1, YEAR_9999_MS, i64::MAX] {
        let detail = json!({ "event_type": "x", "start_ms": start_ms });
        assert_eq!(Event::read(&detail, None), Err(EventError::Year), "{start_ms}");
    }
    assert!(Event::read(&json!({ "event_type": "x", "start_ms": YEAR_9999_MS - 1 }), None).is_ok());
}

#[test]
fn a_request_of_put_events_is_its_one_entry() {
    let entry = json!({ "Source": "shop.pos", "Detail": "{\"event_type\":\"x\",\"start_ms\":7}" });
    let event = Event::read(&json!({ "Entries": [entry] }), Some(9)).unwrap();
    assert_eq!(
        (&event.json["source"], &event.detail()["event_type"]),
        (&json!("shop.pos"), &json!("x"))
    );
    let two = json!({ "Entries": [entry, entry] });
    assert_eq!(Event::read(&two, None), Err(EventError::Entries(2)));
}

#[test]
fn a_time_that_a_clock_change_skips_or_repeats_is_told() {
    let told = |text: &str| clock_change(text, "America/Los_Angeles").unwrap_or_default();
    assert_eq!(told("2026-03-08 02:30"), "the store's clock skips 02:30: taken as 03:30 PDT");
    assert_eq!(
        told("2026-11-01 01:30"),
        "the store's clock shows 01:30 twice: taken as the first, 01:30 PDT; write an offset for the other"
    );
    assert_eq!(told("2026-11-22 01:30"), "");
    assert_eq!(told("2026-11-01T01:30:00-08:00"), "");
    assert_eq!(parse_at("2026-11-22 10:00:60", "UTC"), Err(NotATime));
}

/// JSON of every kind, as anybody may put it on a bus.
fn json_of_any_kind() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(vec![i64::MIN, -1, 0, 1, AT_MS, i64::MAX]).prop_map(Value::from),
        proptest::sample::select(vec!["", "concealment", "shelf_sweep", "open", "\u{0}", "🛒"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((field(), inner), 0..6).prop_map(|fields| {
                Value::Object(
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

fn field() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "detail",
        "Detail",
        "Entries",
        "time",
        "resources",
        "event_type",
        "confidence",
        "camera",
        "aisle",
        "aisle_kind",
        "zone",
        "period",
        "start_ms",
        "end_ms",
        "store",
        "stream",
        "model",
        "bbox",
        "id",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_put_on_a_bus_has_an_outcome(values in proptest::collection::vec(json_of_any_kind(), 1..4)) {
        let store = store();
        let rules = rules::compile(&store).unwrap();
        let mut trial = Trial::new(&store, &rules);
        for event in values.iter().filter_map(|value| Event::read(value, Some(AT_MS)).ok()) {
            let outcome = trial.put(&event);
            prop_assert_eq!(outcome.matched.is_empty(), matches!(outcome.result, Err(NoCase::Unmatched)));
            prop_assert!(outcome.alerts.len() <= 1);
        }
    }
}
