//! The words that people get. `respond` publishes them; `arm` shows them beforehand.
//!
//! One alert has one headline, such as `High-Priority Alert: Shelf Sweep at Aisle 5`, and each
//! channel says it in its own shape and size, in the words of the store (`wording`). Texts name the
//! store, the place, the time and the case, and nothing about a person; they hold no token and no
//! link that opens a video.
//!
//! Pure. To add a channel, add a field to [`AlertTexts`] and its key to [`AlertTexts::message`].

mod ascii;
mod gsm;
mod sms;
mod words;
mod health;

use serde_json::{Map, Value, json};

use crate::priority::Priority;
use crate::store::StoreRef;
use crate::wording::Wording;

pub use gsm::septets;
pub use health::{CameraRef, HEALTH_JSON_SCHEMA, HEALTH_SCHEMA, HealthFacts, health_texts};
pub use sms::{SMS_SEPTETS_MAX, SmsLoss, sms_loss};

/// Message attribute, a JSON list of audiences: subscriptions filter by it.
pub const ATTRIBUTE_AUDIENCE: &str = "audience";
/// Message attribute: the priority's word.
pub const ATTRIBUTE_PRIORITY: &str = "priority";
/// Message attribute: what was seen.
pub const ATTRIBUTE_EVENT_TYPE: &str = "event_type";
/// Message attribute: the store's id.
pub const ATTRIBUTE_STORE: &str = "store";
/// Message attribute: the aisle's id; absent when the alert has none.
pub const ATTRIBUTE_AISLE: &str = "aisle";

/// Name and version of the JSON that webhooks get.
pub const WEBHOOK_SCHEMA: &str = "arm.alert/1";

/// The JSON Schema of that JSON, which `arm schema alert` prints for whoever receives it. A new field
/// of `webhook` below stands there too.
pub const WEBHOOK_JSON_SCHEMA: &str = include_str!("../schema/alert.json");

/// Most characters of a subject: "less than 100". Source: SNS API reference, Publish, `Subject`,
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
pub const SUBJECT_CHARACTERS_MAX: usize = 99;

/// Most characters of a headline once its values stand in it; what is longer is cut. Our choice: it
/// is more than the built-in one can have, and with it a push of nothing but characters of four
/// bytes stays within the 4,096 bytes that Apple and Google take. Source: Apple, "Generating a
/// remote notification"; Firebase, "About FCM messages".
pub const HEADLINE_CHARACTERS_MAX: usize = 400;

/// Most characters of the e-mail's body once its values stand in it; what is longer is cut. Our
/// choice: twice what its wording may have. The case's audit trail keeps every text of an alert.
pub const EMAIL_CHARACTERS_MAX: usize = 4_000;

/// What an alert is about.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertFacts {
    /// How soon people must look.
    pub priority: Priority,
    /// What was seen, such as `shelf_sweep`.
    pub event_type: String,
    /// Where, and in which time zone.
    pub store: StoreRef,
    /// The aisle's name, such as `Aisle 5`.
    pub aisle_name: Option<String>,
    /// The camera's id.
    pub camera: Option<String>,
    /// When the behaviour began, milliseconds since the epoch.
    pub start_ms: i64,
    /// The case's id.
    pub case_id: String,
    /// How sure the model is, 0 to 1.
    pub confidence: Option<f64>,
    /// The rule that asked for the alert.
    pub rule: String,
}

/// One alert in the words of each channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTexts {
    /// Subject of the e-mail: ASCII, one line, at most [`SUBJECT_CHARACTERS_MAX`].
    pub subject: String,
    /// The headline; every channel without words of its own gets it.
    pub default: String,
    /// The text message: the GSM 7 bit alphabet, at most [`SMS_SEPTETS_MAX`].
    pub sms: String,
    /// Body of the e-mail.
    pub email: String,
    /// What a webhook gets: JSON of the schema [`WEBHOOK_SCHEMA`].
    pub webhook: String,
    /// Payload for Apple's push service.
    pub apns: String,
    /// Payload for Google's push service.
    pub gcm: String,
}

impl AlertTexts {
    /// The texts as SNS wants them with `MessageStructure: json`.
    pub fn message(&self) -> String {
        let texts = json!({
            "default": self.default,
            "sms": self.sms,
            "email": self.email,
            "http": self.webhook,
            "https": self.webhook,
            "APNS": self.apns,
            "APNS_SANDBOX": self.apns,
            "GCM": self.gcm,
        });
        texts.to_string()
    }
}

/// Writes an alert in the words of every channel.
pub fn texts(facts: &AlertFacts, wording: &Wording) -> AlertTexts {
    let headline = words::headline(facts, wording);
    AlertTexts {
        subject: words::subject(facts, wording),
        sms: sms::sms(facts, wording),
        email: words::email(&headline, facts, wording),
        webhook: webhook(&headline, facts),
        apns: apns(&headline, facts),
        gcm: gcm(&headline, facts),
        default: headline,
    }
}

/// Fields: `schema`, `text`, `case_id`, `priority`, `event_type`, `store` and `store_name`, `at`
/// (RFC 3339 in UTC), `local_time`, `timezone`, `rule`; `aisle_name`, `camera` and `confidence`
/// where they are known.
fn webhook(headline: &str, facts: &AlertFacts) -> String {
    let mut fields = Map::new();
    let mut field = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    field("schema", json!(WEBHOOK_SCHEMA));
    field("text", json!(headline));
    field("case_id", json!(facts.case_id));
    field("priority", json!(facts.priority));
    field("event_type", json!(facts.event_type));
    field("store", json!(facts.store.id));
    field("store_name", json!(facts.store.name));
    field("at", json!(words::instant(facts).map_or_else(String::new, |at| format!("{at:.3}"))));
    field("local_time", json!(words::local_time(facts, "%Y-%m-%d %H:%M:%S %Z")));
    field("timezone", json!(facts.store.timezone));
    field("rule", json!(facts.rule));
    let optional = [("aisle_name", &facts.aisle_name), ("camera", &facts.camera)];
    for (name, value) in optional {
        if let Some(value) = value {
            field(name, json!(value));
        }
    }
    if let Some(confidence) = facts.confidence {
        field("confidence", json!(confidence));
    }
    Value::Object(fields).to_string()
}

fn apns(headline: &str, facts: &AlertFacts) -> String {
    let payload = json!({
        "aps": {
            "alert": { "title": headline, "body": push_body(facts) },
            "sound": "default",
            "interruption-level": "time-sensitive",
        },
        "case_id": facts.case_id,
    });
    payload.to_string()
}

fn gcm(headline: &str, facts: &AlertFacts) -> String {
    let payload = json!({
        "fcmV1Message": {
            "message": {
                "notification": { "title": headline, "body": push_body(facts) },
                "android": { "priority": "high" },
                "data": { "case_id": facts.case_id },
            },
        },
    });
    payload.to_string()
}

/// The second line of a push.
fn push_body(facts: &AlertFacts) -> String {
    let time = words::local_time(facts, "%H:%M %Z");
    let store = words::store_name(&facts.store);
    ascii::shortened(&format!("{store}, {time}. Case {}", facts.case_id), HEADLINE_CHARACTERS_MAX)
}

#[cfg(test)]
mod tests;
