//! Reads rules and subscribers, wherever they stand: in a store, its format or the defaults. Each
//! reader takes one mapping and reports what is wrong in it; names are followed in `validate`.
//! To add a condition: its key in the list, its line in `condition`, its field in `config.rs`.

use contract::priority::Priority;

use crate::decode::Decoder;
use crate::diagnostic::{At, Diagnostic, suggest};
use crate::model::Channel;
use crate::yaml::{Node, Value};

use super::{ConditionConfig, RuleConfig, SubscriberConfig, cooldown};

const RULE_KEYS: &[&str] = &["name", "when", "priority", "notify", "cooldown", "shadow"];
const CONDITION_KEYS: &[&str] =
    &["event_type", "aisle", "aisle_kind", "camera", "zone", "min_confidence", "period"];
const CHANNEL_KEYS: &[(&str, Channel)] = &[
    ("email", Channel::Email),
    ("sms", Channel::Sms),
    ("https", Channel::Https),
    ("push", Channel::Push),
];

pub(super) fn rule(decoder: &mut Decoder, node: &Node) -> Option<RuleConfig> {
    let fields = decoder.fields(node, "a rule", RULE_KEYS)?;
    let name = decoder.require(&fields, "name", "shelf-sweep");
    let when = decoder.require(&fields, "when", "{ event_type: shelf_sweep }");
    let priority = decoder.require(&fields, "priority", "high");
    let notify = decoder.require(&fields, "notify", "[loss-prevention]");
    Some(RuleConfig {
        place: node.place.clone(),
        name: name.and_then(|node| decoder.text(node, "`name`")),
        when: when.and_then(|node| condition(decoder, node)).unwrap_or_default(),
        priority: priority.and_then(|node| read_priority(decoder, node)),
        notify: notify.map(|node| decoder.one_or_many(node, "`notify`")).unwrap_or_default(),
        cooldown: fields.find("cooldown").and_then(|node| cooldown(decoder, node)),
        shadow: fields
            .find("shadow")
            .and_then(|node| decoder.boolean(node, "`shadow`"))
            .unwrap_or(false),
    })
}

fn read_priority(decoder: &mut Decoder, node: &Node) -> Option<Priority> {
    let found = Priority::ALL.into_iter().find(|it| node.text() == Some(it.as_str()));
    if found.is_none() {
        let known = Priority::ALL.map(Priority::as_str);
        decoder.wrong_value(node, "`priority`", suggest(node.text().unwrap_or_default(), known));
    }
    found
}

fn condition(decoder: &mut Decoder, node: &Node) -> Option<ConditionConfig> {
    let fields = decoder.fields(node, "`when`", CONDITION_KEYS)?;
    let mut many = |key: &str, what| {
        let node = fields.find(key)?;
        if matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
            let problem = Diagnostic::error(
                "empty-condition",
                &node.place,
                format!("{what} is an empty list, so the rule can never match"),
            );
            decoder.report(problem.help("name at least one, or delete the key to match all"));
        }
        Some(decoder.one_or_many(node, what))
    };
    Some(ConditionConfig {
        event_type: many("event_type", "`event_type`"),
        aisle: many("aisle", "`aisle`"),
        aisle_kind: many("aisle_kind", "`aisle_kind`"),
        camera: many("camera", "`camera`"),
        zone: many("zone", "`zone`"),
        min_confidence: fields.find("min_confidence").and_then(|node| {
            let value = decoder.number(node, "`min_confidence`")?;
            Some(At { place: node.place.clone(), value })
        }),
        period: fields.find("period").and_then(|node| decoder.text(node, "`period`")),
    })
}

pub(super) fn subscriber(decoder: &mut Decoder, node: &Node) -> Option<SubscriberConfig> {
    let known: Vec<_> =
        ["audience"].into_iter().chain(CHANNEL_KEYS.iter().map(|(key, _)| *key)).collect();
    let fields = decoder.fields(node, "a subscriber", &known)?;
    let audience = decoder.require(&fields, "audience", "loss-prevention");
    let channels: Vec<_> = CHANNEL_KEYS
        .iter()
        .filter_map(|(key, channel)| Some((*channel, fields.find(key)?)))
        .collect();
    let [(channel, endpoint)] = channels[..] else {
        let message = format!("a subscriber has one channel, this one has {}", channels.len());
        let problem = Diagnostic::error("subscriber-channel", &node.place, message);
        decoder.report(problem.help("give exactly one of `email`, `sms`, `https` and `push`"));
        return None;
    };
    Some(SubscriberConfig {
        audience: decoder.text(audience?, "`audience`")?,
        channel,
        endpoint: decoder.text(endpoint, "the address")?,
    })
}
