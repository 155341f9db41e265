//! What the audience `ops` gets about cameras that ail: one sentence, in the shape of each channel.
//!
//! Built in and English, unlike the words about cases: who maintains cameras serves many stores. A
//! message names the store, the cameras, since when in the store's time, and nothing about a person.
//! A text message stays one piece: names of aisles go first, then the end of a list. Pure. To add a
//! trouble, say it in [`predicate`].

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::ascii::{ascii, one_line, shortened};
use super::gsm::{self, gsm, septets};
use super::words::store_name;
use super::{AlertTexts, EMAIL_CHARACTERS_MAX, HEADLINE_CHARACTERS_MAX};
use super::{SMS_SEPTETS_MAX, SUBJECT_CHARACTERS_MAX};
use crate::health::Ailment;
use crate::store::StoreRef;

/// Name and version of the JSON that webhooks get about cameras.
pub const HEALTH_SCHEMA: &str = "arm.health/1";

/// The JSON Schema of that JSON, which `arm schema health` prints. A new field of `webhook` below
/// stands there too.
pub const HEALTH_JSON_SCHEMA: &str = include_str!("../../schema/health.json");

/// Most septets of a store's name in a text message, as in those about cases.
const STORE_SEPTETS_MAX: usize = 24;

/// Fewest septets of an aisle's name that say something. Our choice: three letters and `...`.
const AISLE_SEPTETS_MIN: usize = 6;

/// So many cameras are listed even where they are most of the store's. Our choice: as many as people
/// keep in mind.
const LISTED_MAX: usize = 4;

/// What a message about cameras says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthFacts {
    /// What ails the cameras.
    pub ailment: Ailment,
    /// `Some`: it is over, and lasted so many milliseconds.
    pub lasted_ms: Option<i64>,
    /// Where, and in which time zone.
    pub store: StoreRef,
    /// The cameras, at least one.
    pub cameras: Vec<CameraRef>,
    /// How many cameras of the store are on watch.
    pub watched: usize,
    /// Since when, milliseconds since the epoch; of several cameras the first.
    pub since_ms: i64,
    /// When the message is written.
    pub now_ms: i64,
    /// By how much the clocks are behind, in milliseconds; negative: ahead. Absent where cameras
    /// differ, and for other troubles.
    pub delay_ms: Option<i64>,
    /// True: it is not the clock that is wrong; the video comes late.
    pub is_late: bool,
}

/// A camera, and the aisle that it looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraRef {
    /// The camera's id.
    pub id: String,
    /// The aisle's name.
    pub aisle_name: String,
}

/// Writes a message about cameras in the words of every channel.
pub fn health_texts(facts: &HealthFacts) -> AlertTexts {
    let sentence = shortened(&said(facts, one_line, usize::MAX), HEADLINE_CHARACTERS_MAX);
    let body = format!("{}, {}", store_name(&facts.store), local(facts, facts.now_ms, "%H:%M %Z"));
    let body = shortened(&body, HEADLINE_CHARACTERS_MAX);
    let data = json!({ "event_type": facts.ailment.event_type(), "store": facts.store.id });
    let apns = json!({
        "aps": { "alert": { "title": sentence, "body": body }, "sound": "default" },
        "event_type": facts.ailment.event_type(),
    });
    let notification = json!({ "title": sentence, "body": body });
    let gcm =
        json!({ "fcmV1Message": { "message": { "notification": notification, "data": data } } });
    AlertTexts {
        subject: shortened(&ascii(&said(facts, ascii, usize::MAX)), SUBJECT_CHARACTERS_MAX),
        sms: sms(facts),
        email: email(facts),
        webhook: webhook(&sentence, facts),
        apns: apns.to_string(),
        gcm: gcm.to_string(),
        default: sentence,
    }
}

/// The sentence in the letters of a channel, with at most so many characters of it for the name of an
/// aisle.
fn said(facts: &HealthFacts, folded: impl Fn(&str) -> String, aisle_max: usize) -> String {
    let store = folded(&store_name(&facts.store));
    let store = if store.is_empty() { folded(&facts.store.id) } else { store };
    let (who, list) = who(facts, folded, aisle_max);
    format!("{who} at {store} {}{list}", predicate(facts))
}

/// The camera, or how many; and a list of these where they are not most of the store's.
fn who(facts: &HealthFacts, folded: impl Fn(&str) -> String, aisle_max: usize) -> (String, String) {
    if let [camera] = facts.cameras.as_slice() {
        let aisle = gsm::shortened(&folded(&camera.aisle_name), aisle_max);
        let says = !aisle.is_empty() && aisle_max >= AISLE_SEPTETS_MIN && aisle != camera.id;
        let aisle = if says { format!(" ({aisle})") } else { String::new() };
        return (format!("Camera {}{aisle}", camera.id), String::new());
    }
    let count = facts.cameras.len();
    let watched = facts.watched.max(count);
    let ids: Vec<_> = facts.cameras.iter().map(|it| it.id.as_str()).collect();
    let is_most = count * 2 > watched && count > LISTED_MAX;
    let list = if is_most { String::new() } else { format!(": {}", ids.join(", ")) };
    (format!("{count} of {watched} cameras"), list)
}

/// What is said of the cameras.
fn predicate(facts: &HealthFacts) -> String {
    let is_one = facts.cameras.len() == 1;
    let number = |one: &'static str, many: &'static str| if is_one { one } else { many };
    if let Some(lasted_ms) = facts.lasted_ms {
        let after = format!("again, after {}", length(lasted_ms));
        return match facts.ailment {
            Ailment::Offline => format!("{} video {after}", number("sends", "send")),
            Ailment::Skewed if facts.is_late => {
                format!("{} in time {after}", number("sends its video", "send their video"))
            }
            Ailment::Skewed => format!("{} the right time {after}", number("has", "have")),
            Ailment::Frozen => format!("{} a live picture {after}", number("shows", "show")),
        };
    }
    let has = number("has", "have");
    let since = since(facts);
    let delay = |delay_ms: i64| length(delay_ms.saturating_abs());
    match (facts.ailment, facts.delay_ms) {
        (Ailment::Offline, _) => format!("{has} sent no video since {since}"),
        (Ailment::Frozen, _) => format!("{has} shown the same picture since {since}"),
        (Ailment::Skewed, _) if facts.is_late => {
            format!("{has} sent {} late since {since}", number("its video", "their video"))
        }
        (Ailment::Skewed, None) => {
            format!("{has} had {} since {since}", number("a wrong clock", "wrong clocks"))
        }
        (Ailment::Skewed, Some(delay_ms)) => {
            let direction = if delay_ms < 0 { "ahead" } else { "behind" };
            let clock = number("its clock", "their clocks");
            format!("{has} had {clock} {} {direction} since {since}", delay(delay_ms))
        }
    }
}

/// Since when, with the day where that is another one.
fn since(facts: &HealthFacts) -> String {
    let day = |ms| local(facts, ms, "%Y-%m-%d");
    let is_today = day(facts.since_ms) == day(facts.now_ms);
    local(facts, facts.since_ms, if is_today { "%H:%M" } else { "%-d %b %H:%M" })
}

/// The store's local time; a zone that the bundled database lacks counts as UTC.
fn local(facts: &HealthFacts, at_ms: i64, format: &str) -> String {
    let zone = TimeZone::get(&facts.store.timezone).unwrap_or(TimeZone::UTC);
    let at = Timestamp::from_millisecond(at_ms).ok();
    at.map_or_else(String::new, |at| at.to_zoned(zone).strftime(format).to_string())
}

/// A length of time as people say it: `45 s`, `25 min`, `2 h 5 min`, `3 d 4 h`.
fn length(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0..=1) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

fn sms(facts: &HealthFacts) -> String {
    let store = gsm(&store_name(&facts.store));
    let store = if store.is_empty() { gsm(&facts.store.id) } else { store };
    let name = gsm::shortened(&store, STORE_SEPTETS_MAX);
    let facts = HealthFacts { store: StoreRef { name, ..facts.store.clone() }, ..facts.clone() };
    let whole = said(&facts, gsm, usize::MAX);
    let over = septets(&whole).saturating_sub(SMS_SEPTETS_MAX);
    if over == 0 {
        return whole;
    }
    let aisle = facts.cameras.first().map_or(0, |it| septets(&gsm(&it.aisle_name)));
    gsm::shortened(&said(&facts, gsm, aisle.saturating_sub(over)), SMS_SEPTETS_MAX)
}

fn email(facts: &HealthFacts) -> String {
    let mut lines = vec![format!("{}.", said(facts, one_line, usize::MAX)), String::new()];
    let camera = |it: &CameraRef| format!("- {} ({})", it.id, one_line(&it.aisle_name));
    lines.extend(facts.cameras.iter().map(camera));
    lines.push(String::new());
    lines.push(match (facts.lasted_ms, facts.ailment) {
        (Some(_), _) => "Nothing is left to do.".to_owned(),
        (None, Ailment::Offline) => {
            "While it lasts nobody watches there, and there is no evidence. Look at the power, the \
             network and the store's gateway."
                .to_owned()
        }
        (None, Ailment::Skewed) if facts.is_late => {
            "What comes late is kept as evidence, but nobody is alerted in time. Look at the store's \
             uplink."
                .to_owned()
        }
        (None, Ailment::Skewed) => {
            "Cases have the camera's time, and windows miss video. Let the camera and the store's \
             gateway set their clocks by NTP."
                .to_owned()
        }
        (None, Ailment::Frozen) => {
            "Its video goes on with pictures that do not change. Look at its live picture, and \
             restart it."
                .to_owned()
        }
    });
    lines.push(String::new());
    lines.push(format!("Store: {} ({})", store_name(&facts.store), facts.store.id));
    let since = local(facts, facts.since_ms, "%a %-d %b %Y %H:%M:%S %Z");
    lines.push(format!("Since: {since}"));
    shortened(&lines.join("\n"), EMAIL_CHARACTERS_MAX)
}

/// Fields: `schema`, `text`, `event_type`, `state` (`begun` or `over`), `store`, `store_name`,
/// `cameras` (ids), `watched` (how many cameras are on watch), `since` (RFC 3339 in UTC),
/// `local_time`, `timezone`; `lasted_s` when it is over, `delay_s` of clocks that are all off by the
/// same.
fn webhook(sentence: &str, facts: &HealthFacts) -> String {
    let at = Timestamp::from_millisecond(facts.since_ms).ok();
    let ids: Vec<_> = facts.cameras.iter().map(|it| it.id.as_str()).collect();
    let mut fields = json!({
        "schema": HEALTH_SCHEMA,
        "text": sentence,
        "event_type": facts.ailment.event_type(),
        "state": if facts.lasted_ms.is_some() { "over" } else { "begun" },
        "store": facts.store.id,
        "store_name": facts.store.name,
        "cameras": ids,
        "watched": facts.watched,
        "since": at.map_or_else(String::new, |at| format!("{at:.3}")),
        "local_time": local(facts, facts.since_ms, "%Y-%m-%d %H:%M:%S %Z"),
        "timezone": facts.store.timezone,
    });
    if let Some(fields) = fields.as_object_mut() {
        let lasted = facts.lasted_ms.map(|ms| ("lasted_s", json!(ms / 1_000)));
        let delay = facts.delay_ms.filter(|_| !facts.is_late);
        let delay = delay.map(|ms| ("delay_s", json!(ms / 1_000)));
        fields.extend(lasted.into_iter().chain(delay).map(|(name, it)| (name.to_owned(), it)));
    }
    fields.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// 10:03 in Seattle on 2026-11-22.
    const SINCE_MS: i64 = 1_795_370_583_200;

    fn facts(ailment: Ailment, cameras: &[&str], watched: usize) -> HealthFacts {
        let camera =
            |id: &&str| CameraRef { id: (*id).to_owned(), aisle_name: "Aisle 5".to_owned() };
        HealthFacts {
            ailment,
            lasted_ms: None,
            store: StoreRef {
                id: "seattle-001".to_owned(),
                name: "Pike Place".to_owned(),
                cell: "us-west".to_owned(),
                timezone: "America/Los_Angeles".to_owned(),
            },
            cameras: cameras.iter().map(camera).collect(),
            watched,
            since_ms: SINCE_MS,
            now_ms: SINCE_MS + 180_000,
            delay_ms: None,
            is_late: false,
        }
    }

    fn check(facts: &HealthFacts) -> String {
        let texts = health_texts(facts);
        assert_eq!(texts.sms, texts.default);
        texts.sms
    }

    const ONE: &[&str] = &["aisle-5-a"];
    const TWO: &[&str] = &["aisle-5-a", "aisle-5-b"];
    const FIVE: &[&str] = &["a", "b", "c", "d", "e"];

    #[test]
    fn a_sentence_names_the_cameras_the_store_and_since_when() {
        use Ailment::{Frozen, Offline, Skewed};
        let behind = |delay_ms, is_late| HealthFacts {
            delay_ms: Some(delay_ms),
            is_late,
            ..facts(Skewed, ONE, 42)
        };
        let before = HealthFacts { now_ms: SINCE_MS + 86_400_000, ..facts(Offline, ONE, 42) };
        for (facts, expected) in [
            (
                facts(Offline, ONE, 42),
                "Camera aisle-5-a (Aisle 5) at Pike Place has sent no video since 10:03",
            ),
            (
                before,
                "Camera aisle-5-a (Aisle 5) at Pike Place has sent no video since 22 Nov 10:03",
            ),
            (
                facts(Offline, TWO, 42),
                "2 of 42 cameras at Pike Place have sent no video since 10:03: aisle-5-a, aisle-5-b",
            ),
            (
                facts(Offline, FIVE, 9),
                "5 of 9 cameras at Pike Place have sent no video since 10:03",
            ),
            (
                facts(Frozen, ONE, 42),
                "Camera aisle-5-a (Aisle 5) at Pike Place has shown the same picture since 10:03",
            ),
            (
                facts(Skewed, TWO, 2),
                "2 of 2 cameras at Pike Place have had wrong clocks since 10:03: aisle-5-a, aisle-5-b",
            ),
            (
                behind(45_400, false),
                "Camera aisle-5-a (Aisle 5) at Pike Place has had its clock 45 s behind since 10:03",
            ),
            (
                behind(-3_600_000, false),
                "Camera aisle-5-a (Aisle 5) at Pike Place has had its clock 1 h 0 min ahead since 10:03",
            ),
            (
                behind(45_400, true),
                "Camera aisle-5-a (Aisle 5) at Pike Place has sent its video late since 10:03",
            ),
        ] {
            assert_eq!(check(&facts), expected);
        }
    }

    #[test]
    fn the_end_is_told_with_how_long_it_lasted() {
        let over = |ailment, is_late, lasted_s: i64| {
            let lasted_ms = Some(lasted_s * 1_000);
            check(&HealthFacts { lasted_ms, is_late, ..facts(ailment, ONE, 42) })
        };
        let camera = "Camera aisle-5-a (Aisle 5) at Pike Place";
        for (told, expected) in [
            (over(Ailment::Offline, false, 1_500), "sends video again, after 25 min"),
            (over(Ailment::Offline, false, 200_000), "sends video again, after 2 d 7 h"),
            (over(Ailment::Skewed, false, 90), "has the right time again, after 90 s"),
            (over(Ailment::Skewed, true, 7_500), "sends its video in time again, after 2 h 5 min"),
            (over(Ailment::Frozen, false, 300), "shows a live picture again, after 5 min"),
        ] {
            assert_eq!(told, format!("{camera} {expected}"));
        }
    }

    #[test]
    fn a_text_message_loses_the_aisle_before_anything_else() {
        let mut long = facts(Ailment::Offline, ONE, 42);
        long.cameras[0].aisle_name = "Frozen food, ready meals and ice cream on the left".repeat(3);
        let sms = health_texts(&long).sms;
        let expected = "Camera aisle-5-a (Frozen food, ready meals and ice cream on the leftFrozen \
                        food, ready meals and ice cream on th...) at Pike Place has sent no video \
                        since 10:03";
        assert_eq!((sms.as_str(), septets(&sms)), (expected, 160));
    }

    #[test]
    fn an_e_mail_names_every_camera_and_what_to_look_at() {
        let email = health_texts(&facts(Ailment::Offline, TWO, 3)).email;
        let expected = "2 of 3 cameras at Pike Place have sent no video since 10:03: aisle-5-a, \
                        aisle-5-b.\n\n\
                        - aisle-5-a (Aisle 5)\n- aisle-5-b (Aisle 5)\n\n\
                        While it lasts nobody watches there, and there is no evidence. Look at the \
                        power, the network and the store's gateway.\n\n\
                        Store: Pike Place (seattle-001)\nSince: Sun 22 Nov 2026 10:03:03 PST";
        assert_eq!(email, expected);
    }

    #[test]
    fn a_webhook_gets_every_fact() {
        let skewed = HealthFacts { delay_ms: Some(45_400), ..facts(Ailment::Skewed, ONE, 42) };
        let webhook: Value = serde_json::from_str(&health_texts(&skewed).webhook).unwrap();
        let expected = json!({
            "schema": "arm.health/1",
            "text": "Camera aisle-5-a (Aisle 5) at Pike Place has had its clock 45 s behind since 10:03",
            "event_type": "camera_skewed", "state": "begun",
            "store": "seattle-001", "store_name": "Pike Place",
            "cameras": ["aisle-5-a"], "watched": 42,
            "since": "2026-11-22T18:03:03.200Z", "local_time": "2026-11-22 10:03:03 PST",
            "timezone": "America/Los_Angeles", "delay_s": 45,
        });
        assert_eq!(webhook, expected);
    }

    #[test]
    fn the_schema_has_every_field_of_a_webhook_and_requires_those_that_are_always_there() {
        let schema: Value = serde_json::from_str(HEALTH_JSON_SCHEMA).unwrap();
        let names = |webhook: &HealthFacts| -> BTreeSet<String> {
            let fields: Value = serde_json::from_str(&health_texts(webhook).webhook).unwrap();
            fields.as_object().unwrap().keys().cloned().collect()
        };
        let least = facts(Ailment::Offline, ONE, 42);
        let most = HealthFacts { lasted_ms: Some(1), delay_ms: Some(1), ..least.clone() };
        let known: BTreeSet<_> =
            schema["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(names(&most), known);
        let required = schema["required"].as_array().unwrap().iter();
        let required: BTreeSet<_> = required.map(|it| it.as_str().unwrap().to_owned()).collect();
        assert_eq!(names(&least), required);
        assert_eq!(schema["title"], HEALTH_SCHEMA);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_the_names_are_every_text_has_its_size_and_says_something(
            store in "\\PC{0,60}",
            aisle in "\\PC{0,120}",
            ailment in proptest::sample::select(Ailment::ALL.to_vec()),
            cameras in 1_usize..200,
            delay_ms in proptest::option::of(any::<i64>()),
            lasted_ms in proptest::option::of(any::<i64>()),
            is_late: bool,
        ) {
            let ids: Vec<_> = (0..cameras).map(|it| format!("{}-{it}", "c".repeat(20))).collect();
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            let mut facts = facts(ailment, &ids, cameras * 3);
            facts.store.name = store;
            facts.cameras[0].aisle_name = aisle;
            let texts = health_texts(&HealthFacts { lasted_ms, delay_ms, is_late, ..facts });
            prop_assert!(septets(&texts.sms) <= SMS_SEPTETS_MAX, "{}", texts.sms);
            prop_assert!(texts.sms.chars().all(|c| gsm::width(c).is_some()), "{}", texts.sms);
            prop_assert!(texts.subject.is_ascii() && texts.subject.len() <= SUBJECT_CHARACTERS_MAX);
            prop_assert!(texts.default.chars().count() <= HEADLINE_CHARACTERS_MAX);
            prop_assert!(texts.email.chars().count() <= EMAIL_CHARACTERS_MAX);
            prop_assert!(texts.sms.contains("amera"), "{}", texts.sms);
        }
    }
}
