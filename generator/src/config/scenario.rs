//! Reads a scenario file as people write it; what its names mean is for `scenario`.
//!
//! Each reader takes one mapping and reports what is wrong in it. To add an expectation: its key in
//! `schema`, its line in `expect`, its field here, and what it is compared with in `scenario`.

use contract::priority::Priority;
use serde_json::Value;

use crate::decode::{Decoder, Fields};
use crate::diagnostic::{At, Place};
use crate::schema;
use crate::yaml::Node;

/// `stores/tests/*.yaml`.
#[derive(Clone, Debug)]
pub struct ScenariosConfig {
    /// The stores that the scenarios are tried on.
    pub stores: Vec<At<String>>,
    /// `None` when they could not be read.
    pub scenarios: Option<At<Vec<ScenarioConfig>>>,
}

#[derive(Clone, Debug)]
pub struct ScenarioConfig {
    pub place: Place,
    pub name: Option<At<String>>,
    /// In order; `None` when absent.
    pub given: Option<At<Vec<GivenConfig>>>,
    pub expect: Option<ExpectConfig>,
}

/// One detection, or the event that stands for it.
#[derive(Clone, Debug)]
pub struct GivenConfig {
    pub place: Place,
    pub event_type: Option<At<String>>,
    pub camera: Option<At<String>>,
    pub zone: Option<At<String>>,
    pub confidence: Option<At<f64>>,
    pub at: Option<At<String>>,
    pub event: Option<At<Value>>,
    /// Whether an event stands there, right or wrong.
    pub is_event: bool,
    /// The keys that must be there and are not.
    pub lacking: Vec<&'static str>,
}

/// What must become of it; each list with its own place.
#[derive(Clone, Debug)]
pub struct ExpectConfig {
    pub place: Place,
    pub rule: Option<At<Vec<At<String>>>>,
    pub priority: Option<At<Priority>>,
    pub notify: Option<At<Vec<At<String>>>>,
    pub told: Option<At<Vec<At<String>>>>,
    pub alert: Option<At<String>>,
    pub sms: Option<At<String>>,
    pub email_subject: Option<At<String>>,
    pub cases: Option<At<u32>>,
    pub alerts: Option<At<u32>>,
    /// Whether anything stood there, right or wrong.
    pub is_empty: bool,
}

/// Reads one scenario file.
pub fn scenarios(decoder: &mut Decoder, node: &Node) -> Option<ScenariosConfig> {
    let fields = decoder.fields(node, &schema::SCENARIOS)?;
    let place = fields.find("scenarios").map(|node| node.place.clone());
    let value = decoder.each(&fields, "scenarios", scenario);
    Some(ScenariosConfig {
        stores: decoder.one_or_many(&fields, "store").unwrap_or_default(),
        scenarios: place.map(|place| At { place, value }),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "one shape for every reader of a list's entries")]
fn scenario(decoder: &mut Decoder, fields: &Fields<'_>, place: &Place) -> Option<ScenarioConfig> {
    let given = fields.find("given").map(|node| node.place.clone());
    let expected = decoder.mapping(fields, "expect");
    Some(ScenarioConfig {
        place: place.clone(),
        name: decoder.text(fields, "name"),
        given: given
            .map(|place| At { place, value: decoder.one_or_each(fields, "given", self::given) }),
        expect: expected.map(|fields| expect(decoder, &fields)),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "one shape for every reader of a list's entries")]
fn given(decoder: &mut Decoder, fields: &Fields<'_>, place: &Place) -> Option<GivenConfig> {
    let is_event = fields.key_place("event").is_some();
    let lacks = |key: &&str| !is_event && fields.key_place(key).is_none();
    Some(GivenConfig {
        place: place.clone(),
        event_type: decoder.text(fields, "event_type"),
        camera: decoder.text(fields, "camera"),
        zone: decoder.text(fields, "zone"),
        confidence: decoder.number(fields, "confidence"),
        at: decoder.text(fields, "at"),
        event: decoder.json(fields, "event"),
        is_event,
        lacking: ["event_type", "at"].into_iter().filter(lacks).collect(),
    })
}

fn expect(decoder: &mut Decoder, fields: &Fields<'_>) -> ExpectConfig {
    let priority =
        |word: &str| Priority::ALL.into_iter().find(|priority| priority.as_str() == word);
    let mut list = |key| {
        let place = fields.find(key)?.place.clone();
        Some(At { place, value: decoder.one_or_many(fields, key)? })
    };
    let (rule, notify, told) = (list("rule"), list("notify"), list("told"));
    ExpectConfig {
        place: fields.place.clone(),
        rule,
        notify,
        told,
        priority: decoder.choice(fields, "priority", priority),
        alert: decoder.text(fields, "alert"),
        sms: decoder.text(fields, "sms"),
        email_subject: decoder.text(fields, "email_subject"),
        cases: decoder.whole(fields, "cases"),
        alerts: decoder.whole(fields, "alerts"),
        is_empty: fields.is_empty(),
    }
}
