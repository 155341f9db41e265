//! Reads rules, subscribers and accepted warnings, wherever they stand: in a store, its format or
//! the defaults. Each reader takes one mapping and reports what is wrong in it; names are followed
//! in `validate`. To add a condition: its key in `schema`, its line in `condition`, its field in
//! `config.rs`.

use contract::hours::Period;
use contract::priority::Priority;

use crate::decode::{Decoder, Fields};
use crate::diagnostic::{Diagnostic, Place};
use crate::model::Channel;

use super::{AllowConfig, ConditionConfig, RuleConfig, SubscriberConfig};

const CHANNELS: [Channel; 4] = [Channel::Email, Channel::Sms, Channel::Https, Channel::Push];

#[expect(clippy::unnecessary_wraps, reason = "one shape for every reader of a list's entries")]
pub(super) fn rule(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    place: &Place,
) -> Option<RuleConfig> {
    let priority =
        |word: &str| Priority::ALL.into_iter().find(|priority| priority.as_str() == word);
    let when = decoder.mapping(fields, "when");
    Some(RuleConfig {
        place: place.clone(),
        name: decoder.text(fields, "name"),
        when: when.map(|fields| condition(decoder, &fields)).unwrap_or_default(),
        priority: decoder.choice(fields, "priority", priority),
        notify: decoder.one_or_many(fields, "notify"),
        notify_place: fields.key_place("notify").cloned(),
        cooldown: decoder.duration(fields, "cooldown"),
        shadow: decoder.flag(fields, "shadow"),
    })
}

fn condition(decoder: &mut Decoder, fields: &Fields<'_>) -> ConditionConfig {
    let period =
        |word: &str| [Period::Open, Period::Closed].into_iter().find(|it| it.as_str() == word);
    ConditionConfig {
        event_type: decoder.one_or_many(fields, "event_type"),
        aisle: decoder.one_or_many(fields, "aisle"),
        aisle_kind: decoder.one_or_many(fields, "aisle_kind"),
        camera: decoder.one_or_many(fields, "camera"),
        zone: decoder.one_or_many(fields, "zone"),
        min_confidence: decoder.number(fields, "min_confidence"),
        period: decoder.choice(fields, "period", period),
    }
}

pub(super) fn subscriber(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    place: &Place,
) -> Option<SubscriberConfig> {
    let given: Vec<_> =
        CHANNELS.into_iter().filter(|it| fields.find(it.as_str()).is_some()).collect();
    let [channel] = given[..] else {
        if given.is_empty() && fields.has_unknown() {
            return None;
        }
        let message = match given.len() {
            0 => "the subscriber has no channel".to_owned(),
            number => format!("a subscriber has one channel, this one has {number}"),
        };
        let help = match given.len() {
            0 => "say how it is told: add one of `email`, `sms`, `https` and `push`",
            _ => "write one entry per channel, each with the `audience`",
        };
        decoder.report(Diagnostic::error("subscriber-channel", place, message).help(help));
        return None;
    };
    let endpoint = decoder.text(fields, channel.as_str());
    Some(SubscriberConfig {
        audience: decoder.text(fields, "audience")?,
        channel,
        endpoint: endpoint?,
    })
}

pub(super) fn allow(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    place: &Place,
) -> Option<AllowConfig> {
    Some(AllowConfig {
        place: place.clone(),
        of: decoder.text(fields, "of"),
        until: decoder.date(fields, "until"),
        reason: decoder.text(fields, "reason"),
        code: decoder.text(fields, "code")?,
    })
}
