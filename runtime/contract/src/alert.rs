//! The words that people get. `respond` publishes them; `arm` shows them beforehand.
//!
//! One alert has one headline, such as `High-Priority Alert: Shelf Sweep at Aisle 5`, and each
//! channel says it in its own shape and size. Texts name the store, the place, the time and the
//! case, and nothing about a person; they hold no token and no link that opens a video.
//!
//! Pure. To add a channel, add a field to [`AlertTexts`] and its key to [`AlertTexts::message`].

mod ascii;
mod gsm;

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::priority::Priority;
use crate::store::StoreRef;

use ascii::{ascii, one_line, shortened};
use gsm::{gsm, septets};

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

/// Most septets of a text message: 140 bytes of the GSM 7 bit alphabet, so that it arrives as one
/// piece at one price. A character is one septet; those of the extension, such as `€`, are two.
/// Source: 3GPP TS 23.040, section 9.2.3.24, and SNS developer guide, "Mobile text messaging",
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-phone-number-as-subscriber.html>.
pub const SMS_SEPTETS_MAX: usize = 160;

/// Most characters of a subject: "less than 100". Source: SNS API reference, Publish, `Subject`,
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
pub const SUBJECT_CHARACTERS_MAX: usize = 99;

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
pub fn texts(facts: &AlertFacts) -> AlertTexts {
    let headline = headline(facts);
    AlertTexts {
        subject: subject(&headline, facts),
        sms: sms(&headline, facts),
        email: email(&headline, facts),
        webhook: webhook(&headline, facts),
        apns: apns(&headline, facts),
        gcm: gcm(&headline, facts),
        default: headline,
    }
}

/// The one sentence, such as `High-Priority Alert: Shelf Sweep at Aisle 5`.
pub fn headline(facts: &AlertFacts) -> String {
    let priority = capitalised(facts.priority.as_str());
    let behaviour = title(&facts.event_type);
    format!("{priority}-Priority Alert: {behaviour} at {}", place(facts))
}

/// The aisle as staff call it, else the camera, else the store.
fn place(facts: &AlertFacts) -> String {
    match (&facts.aisle_name, &facts.camera) {
        (Some(aisle), _) if !one_line(aisle).is_empty() => one_line(aisle),
        (_, Some(camera)) if !one_line(camera).is_empty() => format!("camera {}", one_line(camera)),
        _ => store_name(&facts.store),
    }
}

fn store_name(store: &StoreRef) -> String {
    let name = one_line(&store.name);
    if name.is_empty() { store.id.clone() } else { name }
}

/// The words of an event type, each with a capital: `shelf_sweep` gives `Shelf Sweep`.
fn title(event_type: &str) -> String {
    let words = event_type.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(capitalised).collect::<Vec<_>>().join(" ")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn subject(headline: &str, facts: &AlertFacts) -> String {
    let headline = ascii(headline);
    let full = match ascii(&store_name(&facts.store)) {
        name if name.is_empty() || headline.ends_with(&name) => headline,
        name => format!("{headline} ({name})"),
    };
    shortened(&full, SUBJECT_CHARACTERS_MAX)
}

fn sms(headline: &str, facts: &AlertFacts) -> String {
    let tail = sms_tail(facts);
    let room = SMS_SEPTETS_MAX.saturating_sub(septets(&tail));
    gsm::shortened(&(gsm::shortened(&gsm(headline), room) + &tail), SMS_SEPTETS_MAX)
}

/// What follows the headline: the store, the time, the case.
fn sms_tail(facts: &AlertFacts) -> String {
    let time = local_time(facts, "%H:%M");
    let store = match gsm(&store_name(&facts.store)) {
        name if name.is_empty() => gsm(&facts.store.id),
        name => name,
    };
    format!(". {} {time}. Case {}", gsm::shortened(&store, 24), facts.case_id)
}

/// What the text message loses of its headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsLoss {
    /// So many characters more than there is room for.
    TooLong(usize),
    /// These characters, which have no likeness in its alphabet.
    Characters(String),
}

impl fmt::Display for SmsLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(over) => write!(f, "is {over} characters too long, and is cut"),
            Self::Characters(lost) => write!(f, "cannot hold the characters `{lost}`"),
        }
    }
}

/// Returns what the text message of an alert loses; `None` when it says the whole headline.
pub fn sms_loss(facts: &AlertFacts) -> Option<SmsLoss> {
    let headline = one_line(&headline(facts));
    let lost: String = headline.chars().filter(|c| gsm::likeness(*c).is_empty()).collect();
    if !lost.is_empty() {
        return Some(SmsLoss::Characters(lost));
    }
    let room = SMS_SEPTETS_MAX.saturating_sub(septets(&sms_tail(facts)));
    let over = septets(&gsm(&headline)).saturating_sub(room);
    (over > 0).then_some(SmsLoss::TooLong(over))
}

fn email(headline: &str, facts: &AlertFacts) -> String {
    let StoreRef { id, .. } = &facts.store;
    let mut lines = vec![
        headline.to_owned(),
        String::new(),
        format!("Store:       {} ({id})", store_name(&facts.store)),
    ];
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{:<13}{value}", format!("{name}:"))));
    };
    line("Aisle", facts.aisle_name.as_deref().map(one_line));
    line("Camera", facts.camera.as_deref().map(one_line));
    line("When", Some(local_time(facts, "%a %-d %b %Y, %H:%M:%S %Z")));
    line("Confidence", facts.confidence.map(|value| format!("{:.0} %", value * 100.0)));
    line("Rule", Some(one_line(&facts.rule)));
    line("Case", Some(facts.case_id.clone()));
    lines.push(String::new());
    lines.push("The case log holds the case, and its clip once the clip is kept.".to_owned());
    lines.join("\n")
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
    field("at", json!(instant(facts).map_or_else(String::new, |at| format!("{at:.3}"))));
    field("local_time", json!(local_time(facts, "%Y-%m-%d %H:%M:%S %Z")));
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

fn push_body(facts: &AlertFacts) -> String {
    let time = local_time(facts, "%H:%M %Z");
    format!("{}, {time}. Case {}", store_name(&facts.store), facts.case_id)
}

fn instant(facts: &AlertFacts) -> Option<Timestamp> {
    Timestamp::from_millisecond(facts.start_ms).ok()
}

/// The store's local time; a zone that the bundled database lacks counts as UTC.
fn local_time(facts: &AlertFacts, format: &str) -> String {
    let zone = TimeZone::get(&facts.store.timezone).unwrap_or(TimeZone::UTC);
    instant(facts).map_or_else(String::new, |at| at.to_zoned(zone).strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> AlertFacts {
        AlertFacts {
            priority: Priority::High,
            event_type: "shelf_sweep".to_owned(),
            store: StoreRef {
                id: "seattle-001".to_owned(),
                name: "Pike Place".to_owned(),
                cell: "us-west".to_owned(),
                timezone: "America/Los_Angeles".to_owned(),
            },
            aisle_name: Some("Aisle 5".to_owned()),
            camera: Some("aisle-5-a".to_owned()),
            start_ms: 1_795_370_583_200,
            case_id: "K7Q2M4XB9TZC0H5R".to_owned(),
            confidence: Some(0.93),
            rule: "shelf-sweep".to_owned(),
        }
    }

    fn check(change: impl FnOnce(&mut AlertFacts)) -> AlertTexts {
        let mut facts = facts();
        change(&mut facts);
        texts(&facts)
    }

    #[test]
    fn the_headline_names_the_aisle_else_the_camera_else_the_store() {
        assert_eq!(check(|_| ()).default, "High-Priority Alert: Shelf Sweep at Aisle 5");
        let camera = check(|facts| {
            facts.aisle_name = None;
            facts.camera = Some("front-door".to_owned());
            facts.priority = Priority::Critical;
            facts.event_type = "after-hours.motion".to_owned();
        });
        assert_eq!(
            camera.default,
            "Critical-Priority Alert: After Hours Motion at camera front-door"
        );
        let store = check(|facts| (facts.aisle_name, facts.camera) = (None, None));
        assert_eq!(store.default, "High-Priority Alert: Shelf Sweep at Pike Place");
    }

    #[test]
    fn a_text_message_is_one_segment_however_long_the_names() {
        assert_eq!(
            check(|_| ()).sms,
            "High-Priority Alert: Shelf Sweep at Aisle 5. Pike Place 10:03. Case K7Q2M4XB9TZC0H5R"
        );
        let long = check(|facts| {
            facts.aisle_name = Some("Käse & Wurst [Süd] – ".repeat(20));
            facts.store.name = "Zürich “Hauptbahnhof” 東京 Untergeschoss Süd".to_owned();
        });
        assert_eq!(
            long.sms,
            "High-Priority Alert: Shelf Sweep at Käse & Wurst [Süd] - Käse & Wurst [Süd] - Käse & \
             Wurst [Süd].... Zürich \"Hauptbahnhof\"... 10:03. Case K7Q2M4XB9TZC0H5R"
        );
        assert!(septets(&long.sms) <= SMS_SEPTETS_MAX);
    }

    #[test]
    fn a_subject_is_one_ascii_line_of_less_than_100_characters() {
        assert_eq!(
            check(|_| ()).subject,
            "High-Priority Alert: Shelf Sweep at Aisle 5 (Pike Place)"
        );
        let hostile = check(|facts| {
            facts.aisle_name = Some(format!("Allée\r\nBcc: all {}", "x".repeat(200)));
        });
        assert_eq!(hostile.subject.len(), SUBJECT_CHARACTERS_MAX);
        assert!(
            hostile.subject.starts_with("High-Priority Alert: Shelf Sweep at Allee Bcc: all x")
        );
    }

    #[test]
    fn a_mail_says_where_when_and_which_case() {
        let expected = "\
High-Priority Alert: Shelf Sweep at Aisle 5

Store:       Pike Place (seattle-001)
Aisle:       Aisle 5
Camera:      aisle-5-a
When:        Sun 22 Nov 2026, 10:03:03 PST
Confidence:  93 %
Rule:        shelf-sweep
Case:        K7Q2M4XB9TZC0H5R

The case log holds the case, and its clip once the clip is kept.";
        assert_eq!(check(|_| ()).email, expected);
    }

    #[test]
    fn a_webhook_gets_the_documented_fields() {
        let expected = json!({
            "schema": "arm.alert/1",
            "text": "High-Priority Alert: Shelf Sweep at Aisle 5",
            "case_id": "K7Q2M4XB9TZC0H5R",
            "priority": "high",
            "event_type": "shelf_sweep",
            "store": "seattle-001",
            "store_name": "Pike Place",
            "at": "2026-11-22T18:03:03.200Z",
            "local_time": "2026-11-22 10:03:03 PST",
            "timezone": "America/Los_Angeles",
            "rule": "shelf-sweep",
            "aisle_name": "Aisle 5",
            "camera": "aisle-5-a",
            "confidence": 0.93,
        });
        assert_eq!(serde_json::from_str::<Value>(&check(|_| ()).webhook).unwrap(), expected);
    }

    #[test]
    fn the_message_has_a_text_for_every_channel() {
        let message: Map<String, Value> = serde_json::from_str(&check(|_| ()).message()).unwrap();
        let channels: Vec<_> = message.keys().map(String::as_str).collect();
        let expected = ["default", "sms", "email", "http", "https", "APNS", "APNS_SANDBOX", "GCM"];
        assert_eq!(channels, expected);
        assert!(message.values().all(Value::is_string), "SNS takes nothing but strings");
    }
}
