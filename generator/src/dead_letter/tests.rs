//! What becomes of letters of every form, of ours and of AWS.

use serde_json::json;

use super::*;
use crate::input::{self, Content, InputFile};

const NOW_MS: i64 = 1_795_370_593_000;

const FLEET: &str = r#"cells:
  us-west: { account: "123456789012", region: us-west-2 }
model: { endpoint: shelf-behaviour }
quotas: { eventbridge_buses: 250 }
defaults: { cell: us-west, timezone: America/Los_Angeles }
"#;

const STORE: &str = "store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5 }]
rules: [{ name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [] }]
";

pub(crate) fn fleet() -> CompiledFleet {
    let file = |stem: &str, text: &str| InputFile {
        name: format!("stores/{stem}.yaml"),
        stem: stem.to_owned(),
        content: Content::Bytes(text.as_bytes().to_vec()),
    };
    let stores = vec![file("renton-007", STORE)];
    let read = input::read(file("fleet", FLEET), stores, "2026-11-22".parse().unwrap());
    read.fleet.expect("the fleet is right")
}

fn letter(body: &Value, attributes: &[(&str, &str)]) -> Letter {
    let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    Letter { id: "m-1".to_owned(), body, attributes: attributes.collect(), sent_ms: 0 }
}

fn check(queue: DeadLetters, body: &Value, attributes: &[(&str, &str)]) -> Fate {
    let fleet = fleet();
    fate(queue, &letter(body, attributes), (&fleet, &fleet.fleet.cells[0]), NOW_MS)
}

fn event() -> Value {
    json!({
        "version": "0", "id": "event-1", "detail-type": "BehaviourDetected", "source": "arm.detector",
        "time": "2026-11-22T18:03:03Z", "resources": [],
        "detail": { "event_type": "shelf_sweep", "camera": "aisle-5-a", "store": "renton-007" },
    })
}

/// The messages that an event becomes.
fn messages(event: &Value, rule_arn: Option<&str>) -> Vec<IncidentMessage> {
    let attributes: Vec<_> = rule_arn.map(|arn| ("RULE_ARN", arn)).into_iter().collect();
    let fate = check(DeadLetters::Undelivered, event, &attributes);
    let Fate::PutBack { kind: "event", sends } = fate else { panic!("{fate:?}") };
    let body = |(queue, body): &(DeadLetters, String)| {
        assert_eq!(*queue, DeadLetters::Incidents);
        serde_json::from_str(body).unwrap()
    };
    sends.iter().map(body).collect()
}

#[test]
fn an_event_that_its_target_refused_becomes_what_its_rule_would_have_sent() {
    let arn = "arn:aws:events:us-west-2:123456789012:rule/arm-us-west-renton-007/sweep";
    for arn in [Some(arn), None] {
        let [message] = messages(&event(), arn).try_into().unwrap();
        assert_eq!((&*message.rule, &*message.store.id), ("sweep", "renton-007"));
        let topic = "arn:aws:sns:us-west-2:123456789012:arm-us-west-renton-007-alerts";
        assert_eq!((&*message.topic, &*message.event_id), (topic, "event-1"));
        assert_eq!(message.time, "2026-11-22T18:03:03Z");
        assert_eq!(message.detail, event()["detail"]);
        let read = incident::read(message, NOW_MS).unwrap();
        assert_eq!(read.camera.unwrap().stream, "arm-us-west-renton-007-gw-aisle-5-a");
    }
}

#[test]
fn an_event_of_a_rule_that_is_gone_goes_to_the_rule_that_matches_it_now() {
    let arn = "arn:aws-cn:events:cn-north-1:123456789012:rule/arm-us-west-renton-007/renamed";
    let [message] = messages(&event(), Some(arn)).try_into().unwrap();
    assert_eq!(message.rule, "sweep");
    assert!(message.topic.starts_with("arn:aws-cn:sns:"));
}

#[test]
fn an_event_of_no_store_of_ours_stays() {
    let arn = "arn:aws:events:us-west-2:123456789012:rule/arm-us-west-gone-001/sweep";
    let fate = check(DeadLetters::Undelivered, &event(), &[("RULE_ARN", arn)]);
    let reason = "no store of the cell has the bus `arm-us-west-gone-001`";
    assert_eq!(fate, Fate::Stays(reason.to_owned()));
}

#[test]
fn ticks_and_alerts_are_told_from_events() {
    let undelivered = |body: &Value, attributes: &[(&str, &str)]| {
        check(DeadLetters::Undelivered, body, attributes)
    };
    let watch = json!({
        "version": 1, "scheduled_time": "", "bus": "b", "stream_prefix": "p",
        "store": { "id": "s", "name": "s", "cell": "c", "timezone": "UTC" },
        "hours": { "timezone": "UTC", "week": [[], [], [], [], [], [], []] },
        "aisles": [], "cameras": [],
    });
    let ticks = Fate::Useless(Useless::Ticks);
    assert_eq!(undelivered(&watch, &[]), ticks);
    assert_eq!(undelivered(&json!({ "version": 1 }), &[("SCHEDULE_ARN", "arn")]), ticks);
    let failed = |payload: &Value| json!({ "requestContext": { "functionArn": "f" }, "requestPayload": payload });
    assert_eq!(undelivered(&failed(&watch), &[]), ticks);
    assert!(matches!(undelivered(&failed(&json!({})), &[]), Fate::Stays(_)));
    let alert = json!({ "Type": "Notification", "TopicArn": "t", "Message": "m" });
    assert_eq!(undelivered(&alert, &[]), Fate::Useless(Useless::Alerts));
}

#[test]
fn what_is_not_understood_stays_in_every_queue_with_a_reason() {
    for queue in DeadLetters::ALL {
        for body in [json!("no json"), json!("[]"), json!("{\"poison\": true}"), json!("")] {
            let fate = check(queue, &body, &[]);
            assert!(matches!(fate, Fate::Stays(_)), "{queue:?} {body} {fate:?}");
        }
    }
    let newer = json!({ "version": contract::VERSION + 1 });
    let reason = "its version is 2, and this `arm` reads up to 1";
    assert_eq!(check(DeadLetters::Windows, &newer, &[]), Fate::Stays(reason.to_owned()));
}

#[test]
fn a_detection_without_an_event_type_would_fail_again_and_stays() {
    let fleet = fleet();
    let store = &fleet.fleet.stores[0];
    let rule = &fleet.rules_of(store).rules[0];
    let mut message = crate::stack::incident_message(store, rule);
    message.detail = json!({ "event_type": "shelf_sweep" });
    let body = serde_json::to_value(&message).unwrap();
    let sends = vec![(DeadLetters::Incidents, body.to_string())];
    let back = Fate::PutBack { kind: "detection", sends };
    assert_eq!(check(DeadLetters::Incidents, &body, &[]), back);
    message.detail = json!({ "event_type": "--" });
    let body = serde_json::to_value(&message).unwrap();
    assert!(matches!(check(DeadLetters::Incidents, &body, &[]), Fate::Stays(_)));
}

#[test]
fn changes_name_the_time_in_which_their_cases_were_written() {
    let body = json!({ "DDBStreamBatchInfo": {
        "approximateArrivalOfFirstRecord": "1970-01-01T01:00:00Z",
        "approximateArrivalOfLastRecord": "1970-01-01T02:00:00Z",
    }});
    let expected = Fate::Rows { from_ms: 3_000_000, to_ms: 7_800_000 };
    assert_eq!(check(DeadLetters::Changes, &body, &[]), expected);
}

#[test]
fn an_excerpt_is_one_short_line() {
    let long = Letter { body: "a\nb".to_owned() + &"x".repeat(500), ..Letter::default() };
    assert_eq!(long.excerpt().chars().count(), told::EXCERPT_CHARACTERS_MAX + 4);
    assert!(long.excerpt().starts_with("a b") && long.excerpt().ends_with(" ..."));
    let short = Letter { body: "ä".to_owned(), ..Letter::default() };
    assert_eq!(short.excerpt(), "ä");
}
