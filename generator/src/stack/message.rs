//! The two messages that a store's template carries inside: a rule's input and a watch's input.
//!
//! Both are JSON inside a text property, and people's words stand in them (names of stores and
//! aisles), which three readers would love to interpret: CloudFormation (`{{resolve:`, and `${` in
//! `Fn::Sub`), EventBridge and its Scheduler (`<...>`). All of them leave JSON's `\u` escapes alone,
//! and the functions read these back as the characters.

use contract::evidence::EvidencePolicy;
use contract::incident::IncidentMessage;
use contract::inert::inert;
use contract::store::{AisleRef, StoreRef};
use contract::watch::{SCHEDULED_TIME, WatchCamera, WatchInput};
use serde_json::Value;

use crate::model::{Camera, Store};
use crate::name::StoreNames;
use crate::rules::CompiledRule;

/// Longest input template of a rule's target, in characters. Source: EventBridge API reference,
/// `InputTransformer`,
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html>.
pub(super) const INPUT_TEMPLATE_CHARACTERS_MAX: usize = 8_192;

/// Largest input of a watch schedule, in bytes. Lambda takes asynchronous events up to 1 MB, and took
/// 256 KB for years, which other parts of AWS still enforce: our choice is the smaller one.
/// Source: Lambda quotas, "Invocation payload",
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
pub(super) const WATCH_INPUT_BYTES_MAX: usize = 262_144;

/// What EventBridge puts in. Placeholders stand unquoted: EventBridge writes a text with quotes and
/// the rest as JSON. Source: EventBridge user guide, "Input transformation",
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>.
const DYNAMIC_FIELDS: &str =
    r#","event_id":<id>,"time":<time>,"resources":<resources>,"detail":<detail>}"#;

/// The input template of a rule, as text for `Fn::Sub`, in which `topic` is an expression.
///
/// Once CloudFormation and EventBridge are done with it, it is an [`IncidentMessage`].
pub(super) fn rule_input(store: &Store, rule: &CompiledRule, topic: &str) -> String {
    let mut fixed = serde_json::to_value(incident_message(store, rule)).expect("a message is JSON");
    let fields = fixed.as_object_mut().expect("a message has fields");
    fields.retain(|name, _| {
        !["topic", "event_id", "time", "resources", "detail"].contains(&name.as_str())
    });
    let text = inert(&fixed.to_string());
    let open = text.strip_suffix('}').expect("a message has fields");
    format!(r#"{open},"topic":"{topic}"{DYNAMIC_FIELDS}"#)
}

/// What [`rule_input`] wrote: the message without what an event brings; `None` where it is something else.
pub(super) fn read_rule_input(text: &str) -> Option<IncidentMessage> {
    // People's words hold no bare `<`.
    let (open, _) = text.split_once(r#","event_id":<"#)?;
    let all = format!(r#"{open},"event_id":"","time":"","resources":[],"detail":null}}"#);
    serde_json::from_str(&all).ok()
}

/// What [`watch_input`] wrote; `None` where it is something else.
pub(super) fn read_watch_input(text: &str) -> Option<WatchInput> {
    serde_json::from_str(text).ok()
}

/// What a rule makes of an event, without the event and without the topic's ARN.
pub(super) fn incident_message(store: &Store, rule: &CompiledRule) -> IncidentMessage {
    IncidentMessage {
        version: contract::VERSION,
        store: store_ref(store),
        rule: rule.rule.clone(),
        priority: rule.priority,
        notify: rule.notify.clone(),
        topic: String::new(),
        cooldown_s: rule.cooldown_s,
        shadow: rule.shadow,
        evidence: evidence_policy(store),
        wording: store.wording.clone(),
        stream_prefix: StoreNames::new(&store.cell, &store.id).stream_prefix(),
        event_id: String::new(),
        time: String::new(),
        resources: vec![],
        detail: Value::Null,
    }
}

/// The input of a store's watch schedule, as text for `Fn::Sub`, in which `topic` is an expression.
///
/// Once CloudFormation and the Scheduler are done with it, it is a [`WatchInput`].
pub(super) fn watch_input(store: &Store, topic: &str) -> String {
    let names = StoreNames::new(&store.cell, &store.id);
    let input = WatchInput {
        version: contract::VERSION,
        scheduled_time: SCHEDULED_TIME.to_owned(),
        store: store_ref(store),
        bus: names.bus().to_owned(),
        stream_prefix: names.stream_prefix(),
        hours: store.hours.clone(),
        aisles: store.aisles.iter().map(aisle_ref).collect(),
        cameras: store.cameras.iter().map(watch_camera).collect(),
        topic: String::new(),
    };
    let text = inert(&serde_json::to_string(&input).expect("an input is JSON"));
    // Ours is the first, because it stands before anything that people wrote.
    let text = text.replacen(&inert(SCHEDULED_TIME), SCHEDULED_TIME, 1);
    let open = text.strip_suffix(r#""topic":""}"#).expect("the topic is the last field");
    format!(r#"{open}"topic":"{topic}"}}"#)
}

fn store_ref(store: &Store) -> StoreRef {
    StoreRef {
        id: store.id.to_string(),
        name: store.name.clone(),
        cell: store.cell.to_string(),
        timezone: store.hours.timezone.clone(),
    }
}

fn evidence_policy(store: &Store) -> EvidencePolicy {
    let evidence = store.evidence;
    EvidencePolicy {
        before_s: evidence.before_s,
        after_s: evidence.after_s,
        keep_days: evidence.keep_days,
        lock: evidence.lock,
        // One policy for all cameras of the store: video is counted on as long as any still has it.
        // Of a camera that keeps less, the stream itself says that nothing is left.
        retention_hours: store.cameras.iter().map(|it| it.retention_hours).max().unwrap_or(0),
    }
}

fn aisle_ref(aisle: &crate::model::Aisle) -> AisleRef {
    AisleRef {
        id: aisle.id.to_string(),
        name: aisle.name.clone(),
        kind: aisle.kind.as_ref().map(ToString::to_string),
    }
}

fn watch_camera(camera: &Camera) -> WatchCamera {
    WatchCamera {
        id: camera.id.to_string(),
        aisle: camera.aisle.to_string(),
        window_s: camera.window_s,
        when: camera.when,
        zones: camera.zones.clone(),
    }
}

#[cfg(test)]
mod tests {
    use contract::wording::{Wording, WordingKey};
    use serde_json::json;

    use super::*;
    use crate::stack::fixture;

    /// Names that somebody would like to interpret on the way.
    const HOSTILE: [&str; 12] = [
        "Pike Place",
        "Joe's \"best\" \\ shop",
        "{{resolve:ssm:/secret}}",
        "{{{ x }}}",
        "${AWS::AccountId} ${!x} $ {",
        "!Ref Alerts",
        "<detail> <id> <aws.events.event.json>",
        "<aws.scheduler.scheduled-time>",
        "Bäckerei 🛒 日本",
        "a\u{2028}b\u{7f}c",
        "NO",
        "</script>",
    ];

    const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:arm-us-west-seattle-001-alerts";

    fn named(name: &str) -> Store {
        let mut store = Store { name: name.to_owned(), ..fixture::large_store(2) };
        store.aisles[0].name = name.to_owned();
        store.wording = wording(name);
        store
    }

    /// Words with a hostile text and all that they may hold besides.
    fn wording(name: &str) -> Wording {
        let text = format!("{name} {{place}} {{{{x}}}}");
        let short = Wording::default().with(WordingKey::Headline, &text);
        short.with(WordingKey::Email, &format!("{text}\n\n  {name}: {{case}}\n"))
    }

    /// What CloudFormation makes of a text in `Fn::Sub`.
    fn substitute(text: &str) -> String {
        let (mut made, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').expect("an open expression");
            let value = match name.strip_prefix('!') {
                Some(literal) => format!("${{{literal}}}"),
                None if name == "Alerts" => TOPIC.to_owned(),
                None => panic!("nobody wrote ${{{name}}}"),
            };
            made.extend([before, &value]);
            rest = after;
        }
        made + rest
    }

    /// What EventBridge makes of an input template: outside of strings a placeholder becomes JSON,
    /// inside of them its bare text.
    fn transform(template: &str, event: &Value) -> String {
        let (mut made, mut is_in_string, mut rest) = (String::new(), false, template);
        while let Some(character) = rest.chars().next() {
            let placeholder = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            if let Some((value, after)) =
                placeholder.and_then(|(name, after)| Some((event.get(name)?, after)))
            {
                let bare = value.as_str().map(str::to_owned).unwrap_or(value.to_string());
                made += &if is_in_string { bare } else { value.to_string() };
                rest = after;
                continue;
            }
            let length = if character == '\\' { 2 } else { character.len_utf8() };
            is_in_string ^= character == '"';
            made += &rest[..length];
            rest = &rest[length..];
        }
        made
    }

    #[test]
    fn a_rule_s_input_becomes_exactly_the_incident_message() {
        let detail = json!({ "event_type": "shelf_sweep", "note": "<id> \"${x}\" {{y}}" });
        let event = json!({
            "id": "7bf7", "time": "2026-11-22T14:03:03Z", "resources": ["arn:aws:x"], "detail": detail,
        });
        for name in HOSTILE {
            let store = named(name);
            let template = rule_input(&store, &fixture::rule("shelf-sweep"), "${Alerts}");
            assert!(!template.contains("{{"), "{template}");
            let read = read_rule_input(&template).unwrap();
            let topic = "${Alerts}".to_owned();
            let rule = fixture::rule("shelf-sweep");
            assert_eq!(read, IncidentMessage { topic, ..incident_message(&store, &rule) });
            let text = transform(&substitute(&template), &event);
            let message: IncidentMessage = serde_json::from_str(&text).unwrap();
            assert_eq!(
                message,
                IncidentMessage {
                    version: contract::VERSION,
                    store: StoreRef {
                        id: "seattle-001".to_owned(),
                        name: name.to_owned(),
                        cell: "us-west".to_owned(),
                        timezone: "America/Los_Angeles".to_owned(),
                    },
                    rule: "shelf-sweep".to_owned(),
                    priority: contract::priority::Priority::High,
                    notify: vec!["loss-prevention".to_owned(), "floor".to_owned()],
                    topic: TOPIC.to_owned(),
                    cooldown_s: 60,
                    shadow: false,
                    evidence: EvidencePolicy {
                        before_s: 15,
                        after_s: 15,
                        keep_days: 90,
                        lock: contract::evidence::LockMode::Governance,
                        // The first camera keeps 24 hours, the second one 72.
                        retention_hours: 72,
                    },
                    wording: wording(name),
                    stream_prefix: "arm-us-west-seattle-001-gw-".to_owned(),
                    event_id: "7bf7".to_owned(),
                    time: "2026-11-22T14:03:03Z".to_owned(),
                    resources: vec!["arn:aws:x".to_owned()],
                    detail: detail.clone(),
                }
            );
        }
    }

    #[test]
    fn words_that_are_built_in_are_in_no_template() {
        let template = rule_input(&fixture::store(), &fixture::rule("sweep"), "${Alerts}");
        assert!(!template.contains("wording"), "{template}");
    }

    /// As many of a character as a text may hold.
    fn most(key: WordingKey, character: char) -> String {
        let each = contract::inert::characters(&character.to_string());
        let count = key.characters_max().min(key.carried_characters_max() / each);
        character.to_string().repeat(count)
    }

    #[test]
    fn the_longest_words_leave_room_in_a_rule_s_input() {
        for character in ['x', '"', '<', '\u{2028}'] {
            let all = WordingKey::ALL.into_iter();
            let long =
                all.fold(Wording::default(), |all, key| all.with(key, &most(key, character)));
            let store = Store { wording: long, ..fixture::store() };
            let input = rule_input(&store, &fixture::rule("sweep"), "${Alerts}");
            let characters = input.chars().count();
            assert!(characters < INPUT_TEMPLATE_CHARACTERS_MAX - 1_000, "{characters}");
        }
    }

    #[test]
    fn a_watch_s_input_becomes_exactly_the_watch_input() {
        for name in HOSTILE {
            let store = named(name);
            let text = watch_input(&store, "${Alerts}");
            assert!(!text.contains("{{"), "{text}");
            let read = read_watch_input(&text).unwrap();
            assert_eq!((read.cameras.len(), read.hours), (2, store.hours.clone()));
            let time = "2026-11-22T14:03:00Z";
            let text = substitute(&text).replace(SCHEDULED_TIME, time);
            let input: WatchInput = serde_json::from_str(&text).unwrap();
            assert_eq!(input.topic, TOPIC);
            assert_eq!(input.scheduled_time, time);
            assert_eq!((input.store.name.as_str(), input.aisles[0].name.as_str()), (name, name));
            assert_eq!(input.bus, "arm-us-west-seattle-001");
            assert_eq!(input.hours, store.hours);
            assert_eq!(input.cameras.len(), 2);
            assert_eq!(input.cameras[1].zones, store.cameras[1].zones);
        }
    }

    #[test]
    fn the_watch_of_the_largest_store_is_far_below_the_limit() {
        let bytes = watch_input(&fixture::large_store(180), TOPIC).len();
        assert!(bytes < WATCH_INPUT_BYTES_MAX / 4, "{bytes}");
    }
}
