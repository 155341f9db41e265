//! Every sentence, whole, of small changes of people and of whom rules notify.

use contract::wording::{Wording, WordingKey};

use super::*;
use crate::model::{Channel, Condition, Endpoint, Rule, Store, Subscriber};
use crate::rules::compile;
use crate::stack::{self, fixture};

fn template(store: &Store) -> Template {
    let rules = compile(store).unwrap().rules;
    stack::store(&fixture::cell(), store, &rules).unwrap()
}

fn rule(name: &str, priority: Priority, notify: &[&str]) -> Rule {
    let when =
        Condition { event_types: Some(vec![name.replace('-', "_")]), ..Condition::default() };
    let notify = notify.iter().map(|it| fixture::id(it)).collect();
    Rule { name: fixture::id(name), when, priority, notify, cooldown_s: 60, shadow: false }
}

fn subscriber(audience: &str, channel: Channel, endpoint: &str) -> Subscriber {
    let endpoint = Endpoint::Literal(endpoint.to_owned());
    Subscriber { audience: fixture::id(audience), channel, endpoint }
}

fn store() -> Store {
    Store {
        rules: vec![
            rule("after-hours", Priority::Critical, &["guards", "floor"]),
            rule("shelf-sweep", Priority::High, &["guards"]),
            rule("loitering", Priority::Medium, &["floor"]),
        ],
        subscribers: vec![
            subscriber("guards", Channel::Sms, "+12065550100"),
            subscriber("guards", Channel::Email, "guards@example.com"),
            subscriber("floor", Channel::Https, "https://hooks.example.com/seattle-001/floor"),
            subscriber("floor", Channel::Email, "floor@example.com"),
            subscriber("ops", Channel::Email, "cameras@example.com"),
        ],
        ..fixture::store()
    }
}

fn said(findings: Vec<Finding>) -> String {
    let lines = findings.into_iter().map(|it| {
        assert_eq!(it.class, Class::People);
        let sign = if it.weight == Weight::Loud { "!" } else { "-" };
        let details: Vec<_> = it.details.iter().map(|it| format!("\n    {it}")).collect();
        let details = details.concat();
        let about: Vec<_> = it.about.iter().map(|it| it.join(".")).collect();
        format!("{sign} {}{details}\n    <- {}\n", it.text, about.join(" "))
    });
    lines.collect()
}

/// Every sentence of a change, loud ones with `!`, details and causes below.
fn check(change: impl FnOnce(&mut Store)) -> String {
    let before = store();
    let mut after = before.clone();
    change(&mut after);
    said(people(Some(&template(&before)), Some(&template(&after))))
}

#[test]
fn a_rule_that_notifies_others_is_told_by_audience() {
    insta::assert_snapshot!(check(|store| {
        store.rules[0].notify.pop();
        store.rules[1].notify.push(fixture::id("floor"));
    }));
}

#[test]
fn a_rule_of_another_priority_is_heard_as_such() {
    insta::assert_snapshot!(check(|store| {
        store.rules[0].priority = Priority::Medium;
        store.rules[2].priority = Priority::High;
    }));
}

#[test]
fn a_rule_that_tells_nobody_any_more_is_loud() {
    insta::assert_snapshot!(check(|store| {
        store.rules[0].notify.clear();
        store.rules[1].shadow = true;
    }));
}

#[test]
fn an_audience_that_nobody_is_in_any_more_is_loud() {
    insta::assert_snapshot!(check(|store| {
        store.subscribers.retain(|it| ["guards"].contains(&it.audience.as_str()));
    }));
}

#[test]
fn rules_that_come_go_and_are_renamed() {
    insta::assert_snapshot!(check(|store| {
        store.rules.remove(1);
        store.rules[0].name = fixture::id("night");
        store.rules.push(rule("exit-run", Priority::High, &["floor"]));
    }));
}

#[test]
fn another_address_must_confirm_where_sns_asks() {
    insta::assert_snapshot!(check(|store| {
        store.subscribers[0].endpoint = Endpoint::Ssm("/arm/guards-phone".to_owned());
        store.subscribers[3].endpoint = Endpoint::Literal("night@example.com".to_owned());
    }));
}

#[test]
fn addresses_that_come_and_go_share_a_sentence() {
    insta::assert_snapshot!(check(|store| {
        let new = (0..5).map(|it| subscriber("guards", Channel::Sms, &format!("+1206555020{it}")));
        store.subscribers.extend(new);
        store.subscribers.push(subscriber("guards", Channel::Email, "new@example.com"));
        store.subscribers.remove(2);
    }));
}

#[test]
fn an_address_in_other_audiences_says_what_it_hears() {
    insta::assert_snapshot!(check(|store| {
        store.subscribers[0].audience = fixture::id("floor");
        store.subscribers.push(subscriber("floor", Channel::Email, "guards@example.com"));
    }));
}

#[test]
fn an_address_of_two_audiences_loses_nothing_that_the_other_still_hears() {
    let mut before = store();
    before.subscribers.push(subscriber("floor", Channel::Sms, "+12065550100"));
    let mut after = before.clone();
    after.rules[0].notify.remove(0);
    let findings = people(Some(&template(&before)), Some(&template(&after)));
    insta::assert_snapshot!(said(findings));
}

#[test]
fn other_words_come_with_an_example() {
    insta::assert_snapshot!(check(|store| {
        let words = Wording::default().with(WordingKey::Headline, "{behaviour}: go to {place}");
        let words = words.with(WordingKey::Sms, "{headline} ({store}, {time})");
        let words = words.with(WordingKey::EmailSubject, "[{priority}] {headline}");
        store.wording = words.with(WordingKey::Email, "{headline}\n{store_id} {date}\n");
        store.name = "Pike Street".to_owned();
        store.aisles[0].name = "Razors".to_owned();
    }));
}

#[test]
fn a_new_store_and_one_that_is_gone_tell_of_everybody() {
    let template = template(&store());
    insta::assert_snapshot!(said(people(None, Some(&template))));
    insta::assert_snapshot!(said(people(Some(&template), None)));
}

#[test]
fn nothing_is_told_of_what_is_the_same() {
    assert_eq!(check(|_| {}), "");
    assert_eq!(check(|store| store.subscribers.reverse()), "");
    assert_eq!(check(|store| store.cameras[0].window_s = 20), "");
}

#[test]
fn what_is_not_as_we_write_it_is_said_and_not_compared() {
    let before = template(&store());
    let text =
        before.to_json().replacen(r#""FilterPolicy":{"audience":"#, r#""FilterPolicy":{"x":"#, 1);
    let after = Template::parse(&text).unwrap();
    let findings = people(Some(&before), Some(&after));
    assert_eq!(findings.len(), 1);
    assert!(findings[0].text.contains("not compared"), "{findings:?}");
}
