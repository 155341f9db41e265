//! Other words in alerts, with an example of each text before and after.
//!
//! The example is of a made-up case, so that it is the same in every store; it is written by the code
//! that writes alerts. Names of the store and of its aisles stand in every alert, so they count as words.
//! Pure. To compare one more text, add it to [`TEXTS`].

use contract::alert::{AlertFacts, AlertTexts, texts};
use contract::priority::Priority;
use contract::store::StoreRef;
use contract::wording::{Wording, WordingKey};

use super::{Finding, Weight, finding, path};
use crate::review::STORE;
use crate::review::hearing::Side;

type Text = fn(&AlertTexts) -> &str;

/// Each text, who reads it, and where it is in an alert.
const TEXTS: [(WordingKey, &str, Text); 4] = [
    (WordingKey::Headline, "alerts have another headline", |it| &it.default),
    (WordingKey::Sms, "text messages have other words", |it| &it.sms),
    (WordingKey::EmailSubject, "e-mails have another subject", |it| &it.subject),
    (WordingKey::Email, "e-mails have other words", |it| &it.email),
];

pub(super) fn findings(before: &Side, after: &Side) -> Vec<Finding> {
    let mut findings = names(before, after);
    if let (Some(was), Some(is)) = (before.message(), after.message()) {
        findings.extend(words(&was.wording, &is.wording));
    }
    findings
}

fn names(before: &Side, after: &Side) -> Vec<Finding> {
    let (Some(was), Some(is)) = (&before.watch, &after.watch) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut renamed = |was: &str, is: &str, about: &[&str]| {
        if was != is {
            let text = format!("alerts say `{is}` instead of `{was}`");
            findings.push(finding(Weight::Quiet, text, vec![path(about)]));
        }
    };
    renamed(&was.store.name, &is.store.name, &["name"]);
    for aisle in &is.aisles {
        if let Some(old) = was.aisles.iter().find(|it| it.id == aisle.id) {
            renamed(&old.name, &aisle.name, &["aisles", &aisle.id, "name"]);
        }
    }
    findings
}

fn words(before: &Wording, after: &Wording) -> Vec<Finding> {
    let changed = TEXTS.iter().filter(|(key, ..)| before.text(*key) != after.text(*key));
    if before == after {
        return Vec::new();
    }
    let (was, is) = (texts(&example(), before), texts(&example(), after));
    let sentence = |(key, what, text): &(WordingKey, &str, Text)| {
        let (was, is) = first_difference(text(&was), text(&is));
        let text = format!("{what}: \"{is}\" instead of \"{was}\"");
        finding(Weight::Quiet, text, vec![path(&["alerts", key.as_str()])])
    };
    changed.map(sentence).collect()
}

/// The first line that is not the same.
fn first_difference<'t>(before: &'t str, after: &'t str) -> (&'t str, &'t str) {
    let lines = before.lines().chain(std::iter::repeat(""));
    let mut pairs = lines.zip(after.lines().chain(std::iter::repeat("")));
    let longest = before.lines().count().max(after.lines().count());
    let found = pairs.by_ref().take(longest).find(|(was, is)| was != is);
    found.unwrap_or((before, after))
}

/// A case that nobody had.
fn example() -> AlertFacts {
    AlertFacts {
        priority: Priority::High,
        event_type: "shelf_sweep".to_owned(),
        store: StoreRef {
            id: STORE.to_owned(),
            name: STORE.to_owned(),
            cell: String::new(),
            timezone: "UTC".to_owned(),
        },
        aisle_name: Some("Aisle 5".to_owned()),
        camera: Some("aisle-5-a".to_owned()),
        // 2026-11-22, 14:03 UTC.
        start_ms: 1_795_356_180_000,
        case_id: "7c9e6a1b2d3f4e50".to_owned(),
        confidence: Some(0.93),
        rule: "shelf-sweep".to_owned(),
    }
}
