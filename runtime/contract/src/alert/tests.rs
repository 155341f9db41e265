//! What people read on each channel, by the built-in words and by a store's own.
//!
//! The built-in texts are a promise: they stay to the letter. Sizes hold for texts of any kind.

use proptest::prelude::*;

use super::gsm::width;
use super::*;
use crate::wording::{Placeholder, WordingKey};

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
    texts(&facts, &Wording::default())
}

/// The texts of these words.
fn worded(words: &[(WordingKey, &str)], change: impl FnOnce(&mut AlertFacts)) -> AlertTexts {
    let mut facts = facts();
    change(&mut facts);
    let wording = words.iter().fold(Wording::default(), |all, (key, text)| all.with(*key, text));
    texts(&facts, &wording)
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
    assert_eq!(camera.default, "Critical-Priority Alert: After Hours Motion at camera front-door");
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
    assert_eq!(check(|_| ()).subject, "High-Priority Alert: Shelf Sweep at Aisle 5 (Pike Place)");
    let hostile = check(|facts| {
        facts.aisle_name = Some(format!("Allée\r\nBcc: all {}", "x".repeat(200)));
    });
    assert_eq!(hostile.subject.len(), SUBJECT_CHARACTERS_MAX);
    assert!(hostile.subject.starts_with("High-Priority Alert: Shelf Sweep at Allee Bcc: all x"));
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

#[test]
fn a_store_has_its_own_words_in_its_own_language() {
    let words = [
        (WordingKey::Headline, "{priority}: {behaviour} bei {place} ({confidence})"),
        (WordingKey::Sms, "{headline}, {store} {date} {time}. Fall {case}"),
        (WordingKey::EmailSubject, "[{store_id}] {headline}"),
        (
            WordingKey::Email,
            "{headline}\n\nKamera:  {camera}\nGang:    {aisle}\nWann:    {date}, {time}\nFall:    {case} {{{rule}}}",
        ),
    ];
    let texts = worded(&words, |facts| facts.aisle_name = Some("Käse & Öl".to_owned()));
    assert_eq!(texts.default, "High: Shelf Sweep bei Käse & Öl (93 %)");
    assert_eq!(
        texts.sms,
        "High: Shelf Sweep bei Käse & Öl (93 %), Pike Place 2026-11-22 10:03. Fall K7Q2M4XB9TZC0H5R"
    );
    assert_eq!(texts.subject, "[seattle-001] High: Shelf Sweep bei Kase & Ol (93 %)");
    let expected = "\
High: Shelf Sweep bei Käse & Öl (93 %)

Kamera:  aisle-5-a
Gang:    Käse & Öl
Wann:    Sun 22 Nov 2026, 10:03:03 PST
Fall:    K7Q2M4XB9TZC0H5R {shelf-sweep}";
    assert_eq!(texts.email, expected);
    let webhook: Value = serde_json::from_str(&texts.webhook).unwrap();
    let apns: Value = serde_json::from_str(&texts.apns).unwrap();
    assert_eq!(webhook["text"], texts.default.as_str());
    assert_eq!(apns["aps"]["alert"]["title"], texts.default.as_str());
}

#[test]
fn an_empty_value_takes_with_it_what_stood_for_it_alone() {
    let bare = |facts: &mut AlertFacts| {
        (facts.aisle_name, facts.camera, facts.confidence) = (None, None, None);
    };
    for (text, expected) in [
        ("{behaviour} ({confidence})", "Shelf Sweep"),
        ("{behaviour} ({confidence}) at {place}", "Shelf Sweep at Pike Place"),
        ("{behaviour} {aisle} {camera} {store}", "Shelf Sweep Pike Place"),
        ("{aisle} {behaviour}", "Shelf Sweep"),
        ("{behaviour} {aisle} {store}", "Shelf Sweep Pike Place"),
        ("{behaviour} ({confidence}) {aisle}.", "Shelf Sweep."),
        ("{behaviour} at {aisle}. {store}", "Shelf Sweep at. Pike Place"),
        ("{behaviour} - {aisle} - {store}", "Shelf Sweep - - Pike Place"),
    ] {
        assert_eq!(worded(&[(WordingKey::Headline, text)], bare).default, expected);
    }
    let email = "{headline}\n\nAisle {aisle}, camera {camera}\nSure: {confidence}\n--\n{case}";
    assert_eq!(
        worded(&[(WordingKey::Email, email)], bare).email,
        "High-Priority Alert: Shelf Sweep at Pike Place\n\n--\nK7Q2M4XB9TZC0H5R"
    );
}

#[test]
fn words_that_say_nothing_give_way_to_the_built_in_ones() {
    let words = WordingKey::ALL.map(|key| (key, "{confidence}"));
    let silent = worded(&words, |facts| facts.confidence = None);
    assert_eq!(silent, check(|facts| facts.confidence = None));
}

#[test]
fn what_check_refuses_is_said_as_it_stands() {
    let words = [(WordingKey::Headline, "{plase} } {headline}{ at {place}")];
    assert_eq!(worded(&words, |_| ()).default, "{plase} } { at Aisle 5");
}

#[test]
fn of_a_text_message_the_longest_values_are_cut_and_the_case_never() {
    let words =
        [(WordingKey::Sms, "{case}: {aisle} / {behaviour}. Please go there now, two by two.")];
    let long = worded(&words, |facts| {
        facts.aisle_name = Some("Wine and spirits, second shelf ".repeat(3));
        facts.event_type = "conceal_".repeat(8);
    });
    assert_eq!(
        long.sms,
        "K7Q2M4XB9TZC0H5R: Wine and spirits, second shelf Wine and spirits, s... / Conceal Conceal \
         Conceal Conceal Conceal Conceal C.... Please go there now, two by two."
    );
}

#[test]
fn of_a_text_message_no_more_is_cut_than_is_needed_and_the_place_last_of_all() {
    let fixed = "Please go there at once, two by two, keep your distance, touch nobody, call \
                 the guard, and stay on the line";
    let said = |text: &str| {
        worded(&[(WordingKey::Sms, text)], |facts| facts.case_id = "K7Q2M4XB9TZC0H5R".to_owned())
            .sms
    };
    assert_eq!(
        said(&format!("{{place}} {{behaviour}} {{time}} {{rule}} {{case}} {fixed}")),
        format!("Aisle 5 Shelf S... 10:03 shelf-s... K7Q2M4XB9TZC0H5R {fixed}")
    );
    assert_eq!(
        said(&format!(
            "{{place}} {{behaviour}} {{time}} {{rule}} {{case}} {fixed}. Do not run!!!!!"
        )),
        format!("Aisle 5 10:03 K7Q2M4XB9TZC0H5R {fixed}. Do not run!!!!!")
    );
    let sms = format!("{{behaviour}} {{place}} {{case}} {fixed}. Do not run, do not run!!!!!");
    let loss = sms_loss(&facts(), &Wording::default().with(WordingKey::Sms, &sms));
    assert_eq!(loss, Some(SmsLoss::NoPlace(153)));
    let words = "Go there. ".repeat(30);
    let id = "K7Q2M4XB9TZC0H5R";
    let long = said(&format!("{words}{{case}} {words}{{place}}"));
    assert!(long.contains(id) && long.ends_with(&format!("... {id}")), "{long}");
    let behind = said(&format!("{{place}} {{case}} {words}"));
    assert!(behind.starts_with(&format!("{id} Go there. ")), "{behind}");
    assert!(behind.ends_with("..."), "{behind}");
}

#[test]
fn a_subject_that_no_letter_is_left_of_says_the_built_in_headline() {
    let foreign = |facts: &mut AlertFacts| {
        facts.aisle_name = Some("剃刀".to_owned());
        facts.camera = None;
        facts.store.name = "東京".to_owned();
    };
    let texts = worded(&[(WordingKey::Headline, "警報：{aisle}")], foreign);
    assert_eq!(texts.default, "警報：剃刀");
    assert_eq!(texts.subject, "High-Priority Alert: Shelf Sweep at seattle-001");
    assert!(texts.sms.starts_with("High-Priority Alert: Shelf Sweep at seattle-001"));
    let number = worded(&[(WordingKey::Headline, "警報：{confidence}")], |_| ());
    assert_eq!(number.subject, "High-Priority Alert: Shelf Sweep at Aisle 5 (Pike Place)");
    let own = [(WordingKey::Headline, "警報"), (WordingKey::EmailSubject, "{aisle}")];
    assert_eq!(worded(&own, foreign).subject, texts.subject);
    let plain = worded(&[(WordingKey::Headline, "警報：{place}")], |_| ());
    assert_eq!(plain.subject, "Aisle 5 (Pike Place)");
}

#[test]
fn a_place_that_a_text_message_cannot_write_gives_way_to_the_camera() {
    let texts = check(|facts| facts.aisle_name = Some("日本酒".to_owned()));
    assert_eq!(texts.default, "High-Priority Alert: Shelf Sweep at 日本酒");
    assert_eq!(
        texts.sms,
        "High-Priority Alert: Shelf Sweep at camera aisle-5-a. Pike Place 10:03. Case K7Q2M4XB9TZC0H5R"
    );
    let facts = AlertFacts { aisle_name: Some("日本酒".to_owned()), ..facts() };
    let loss = sms_loss(&facts, &Wording::default());
    assert_eq!(loss, Some(SmsLoss::Characters("日本酒".to_owned())));
}

#[test]
fn pushes_have_the_fields_that_their_services_want() {
    let texts = check(|_| ());
    let body = "Pike Place, 10:03 PST. Case K7Q2M4XB9TZC0H5R";
    let alert = json!({ "title": "High-Priority Alert: Shelf Sweep at Aisle 5", "body": body });
    let apns = json!({
        "aps": { "alert": alert, "sound": "default", "interruption-level": "time-sensitive" },
        "case_id": "K7Q2M4XB9TZC0H5R",
    });
    let fcm = json!({ "fcmV1Message": { "message": {
        "notification": alert,
        "android": { "priority": "high" },
        "data": { "case_id": "K7Q2M4XB9TZC0H5R" },
    } } });
    assert_eq!(serde_json::from_str::<Value>(&texts.apns).unwrap(), apns);
    assert_eq!(serde_json::from_str::<Value>(&texts.gcm).unwrap(), fcm);
}

/// Any words, most of which hold placeholders.
fn any_words(key: WordingKey) -> impl Strategy<Value = String> {
    let value = prop::sample::select(Placeholder::ALL.to_vec())
        .prop_map(|placeholder| format!("{{{}}}", placeholder.as_str()));
    let part =
        prop_oneof![3 => value, 1 => "[一-鿿]{1,9}", 1 => "\\PC{0,12}", 1 => "[ ().,{}\n]{1,3}"];
    prop::collection::vec(part, 0..40)
        .prop_map(move |parts| parts.concat().chars().take(key.characters_max()).collect())
}

fn any_wording() -> impl Strategy<Value = Wording> {
    let [headline, sms, subject, email] =
        WordingKey::ALL.map(|key| prop::option::of(any_words(key)));
    (headline, sms, subject, email).prop_map(|(headline, sms, email_subject, email)| Wording {
        headline,
        sms,
        email_subject,
        email,
    })
}

/// Facts as `respond` lets them through: texts of an event are cut there.
fn any_facts() -> impl Strategy<Value = AlertFacts> {
    let name = |most: usize| {
        prop_oneof![
            "\\PC{0,20}",
            "[一-鿿]{1,9}",
            prop::char::any().prop_map(move |c| c.to_string().repeat(most)),
        ]
    };
    let places = (prop::option::of(name(128)), prop::option::of("[a-z0-9-]{0,200}"), name(64));
    let rest = (prop::option::of(0.0..=1.0), any::<i64>(), prop::sample::select(&Priority::ALL));
    (places, name(64), rest).prop_map(|((aisle_name, camera, store), event_type, rest)| {
        let (confidence, start_ms, priority) = rest;
        let store = StoreRef { name: store, ..facts().store };
        let more = facts();
        AlertFacts { priority, event_type, store, aisle_name, camera, start_ms, confidence, ..more }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_fits_its_channel(facts in any_facts(), wording in any_wording()) {
        // Payloads of pushes. Source: Apple, "Generating a remote notification", 4 KB; Firebase,
        // "About FCM messages", 4,096 bytes.
        const PUSH_BYTES_MAX: usize = 4_096;
        // Source: SNS API reference, Publish, `Message`.
        const MESSAGE_BYTES_MAX: usize = 262_144;
        let texts = texts(&facts, &wording);
        prop_assert!(texts.sms.chars().all(|c| width(c).is_some()), "{}", texts.sms);
        prop_assert!((1..=SMS_SEPTETS_MAX).contains(&septets(&texts.sms)), "{}", texts.sms);
        prop_assert!(texts.subject.chars().all(|c| matches!(c, ' '..='~')), "{}", texts.subject);
        prop_assert!((1..=SUBJECT_CHARACTERS_MAX).contains(&texts.subject.len()));
        prop_assert!(!texts.default.trim().is_empty() && !texts.default.contains('\n'));
        prop_assert!(!texts.email.trim().is_empty());
        prop_assert!(texts.apns.len() <= PUSH_BYTES_MAX, "{}", texts.apns.len());
        prop_assert!(texts.gcm.len() <= PUSH_BYTES_MAX, "{}", texts.gcm.len());
        prop_assert!(texts.message().len() <= MESSAGE_BYTES_MAX);
    }

    #[test]
    fn the_case_stands_in_every_built_in_text_message(facts in any_facts()) {
        let texts = texts(&facts, &Wording::default());
        prop_assert!(texts.sms.ends_with(". Case K7Q2M4XB9TZC0H5R"), "{}", texts.sms);
    }

    #[test]
    fn a_text_message_whose_words_hold_the_case_says_it_whole(
        facts in any_facts(),
        wording in any_wording(),
        around in prop::array::uniform2("[a-z一-鿿 {}]{0,200}"),
    ) {
        let [before, behind] = around;
        let sms = format!("{before} {{case}} {behind}");
        let texts = texts(&facts, &wording.with(WordingKey::Sms, &sms));
        prop_assert!(texts.sms.contains("K7Q2M4XB9TZC0H5R"), "{}", texts.sms);
        prop_assert!(septets(&texts.sms) <= SMS_SEPTETS_MAX, "{}", texts.sms);
    }
}
