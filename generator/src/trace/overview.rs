//! The rules of a store at a glance: what each asks for, what earlier ones take of it, whom it tells,
//! and what falls to `unrouted`. For people ([`Overview::page`]) and programs ([`Overview::json`]).

use contract::incident::UNROUTED;
use serde_json::{Value, json};

use super::page::{section, within};
use crate::model::{Condition, Id, Rule, Store};
use crate::rules::{self, CompiledRule, Routed, RuleSet, Unrouted};
use crate::schema::Unit;

/// Most words of a list that are named.
const WORDS_MAX: usize = 8;

/// The rules of a store, with what the compiler made of them.
#[derive(Debug)]
pub struct Overview<'a> {
    store: &'a Store,
    compiled: &'a [CompiledRule],
    /// One for each rule, in the order of the YAML, and `unrouted`.
    routed: Vec<Routed>,
    unrouted: Vec<Unrouted>,
    /// What no rule takes of an event type that no rule names.
    other: Option<String>,
}

impl<'a> Overview<'a> {
    pub fn new(store: &'a Store, set: &'a RuleSet) -> Self {
        let (routed, unrouted) = (rules::routed(store, set), rules::unrouted(store));
        Self { store, compiled: &set.rules, routed, unrouted, other: rules::unrouted_other(store) }
    }

    /// Draws the overview; every line ends with a line break.
    pub fn page(&self) -> String {
        let Self { store, .. } = self;
        let mut text = String::new();
        let head = format!(
            "{} ({}): {} rules as {} EventBridge rules; the first that matches wins",
            store.id,
            store.name,
            store.rules.len(),
            self.compiled.len()
        );
        section(&mut text, "store", &within("", &head));
        let width = store.rules.iter().map(|rule| rule.name.as_str().len()).max();
        let width = width.unwrap_or_default();
        let digits = store.rules.len().to_string().len();
        for (index, rule) in store.rules.iter().enumerate() {
            let mark = format!("{:>digits$}. {:<width$}  ", index + 1, rule.name.as_str());
            let below = " ".repeat(mark.len());
            let mut lines = within(&mark, &format!("{}: {}", rule.priority, wanted(&rule.when)));
            lines.push_str(&within(&below, &format!("{}; {}", tells(rule), cooldown(rule))));
            lines.push_str(&self.taken(rule).map_or(String::new(), |it| within(&below, &it)));
            section(&mut text, if index == 0 { "rules" } else { "" }, &lines);
        }
        let mut left = String::new();
        for unrouted in &self.unrouted {
            left.push_str(&within("", &format!("{}: {}", unrouted.event_type, unrouted.what)));
        }
        left.push_str(&match (&self.other, self.unrouted.is_empty()) {
            (Some(what), _) => within("", &format!("other event types: {what}")),
            (None, true) => "nothing\n".to_owned(),
            (None, false) => String::new(),
        });
        section(&mut text, UNROUTED, &left);
        text
    }

    /// Writes the overview as JSON: schema `arm.rules/1`.
    pub fn json(&self) -> Value {
        let rules = self.store.rules.iter().map(|rule| {
            let routed = self.routed_of(rule);
            json!({
                "rule": rule.name.as_str(), "wanted": wanted(&rule.when), "priority": rule.priority,
                "notify": rule.notify.iter().map(Id::as_str).collect::<Vec<_>>(),
                "shadow": rule.shadow, "cooldown_s": rule.cooldown_s,
                "taken_by": routed.map(|it| &it.taken_by),
                "patterns": self.patterns(rule.name.as_str()),
            })
        });
        let unrouted = self.unrouted.iter();
        let unrouted = unrouted.map(|it| json!({ "event_type": it.event_type, "what": it.what }));
        json!({
            "schema": "arm.rules/1",
            "store": self.store.id.as_str(),
            "rules": rules.collect::<Vec<_>>(),
            "unrouted": { "of": unrouted.collect::<Vec<_>>(), "other": self.other, "patterns": self.patterns(UNROUTED) },
        })
    }

    fn patterns(&self, rule: &str) -> Vec<&Value> {
        self.compiled.iter().filter(|it| it.rule == rule).map(|it| &it.pattern).collect()
    }

    fn routed_of(&self, rule: &Rule) -> Option<&Routed> {
        self.routed.iter().find(|it| it.rule == rule.name.as_str())
    }

    fn taken(&self, rule: &Rule) -> Option<String> {
        let routed = self.routed_of(rule)?;
        let takers = routed.taken_by.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>();
        let what = if routed.patterns == 0 { "all" } else { "some" };
        (!takers.is_empty()).then(|| format!("of this, {} took {what} before", takers.join(", ")))
    }
}

/// A condition in the words of the YAML.
fn wanted(when: &Condition) -> String {
    let texts = when.texts();
    let mut parts: Vec<String> =
        texts.iter().map(|(field, texts)| format!("{field} {}", one_of(texts))).collect();
    let least = when.min_confidence.map(|least| format!("confidence {} and above", least.value()));
    parts.extend(least);
    if parts.is_empty() { "every detection".to_owned() } else { parts.join(", ") }
}

fn one_of(list: &[&str]) -> String {
    let named = list.iter().take(WORDS_MAX).copied().collect::<Vec<_>>().join(" or ");
    match list.len().saturating_sub(WORDS_MAX) {
        0 => named,
        more => format!("{named} or {more} more"),
    }
}

fn tells(rule: &Rule) -> String {
    if rule.shadow {
        return "a shadow, tells nobody".to_owned();
    }
    if rule.notify.is_empty() {
        return "tells nobody".to_owned();
    }
    let told = rule.notify.iter().map(Id::as_str).collect::<Vec<_>>();
    format!("tells {}", told.join(", "))
}

fn cooldown(rule: &Rule) -> String {
    format!("cooldown {}", Unit::Seconds.shown(rule.cooldown_s))
}
