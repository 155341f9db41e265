//! What the template of a store says of its people and its rules: who is told, of what, what is
//! watched.
//!
//! Nothing is guessed: what is no template of ours is named in [`Side::unread`], and whoever compares
//! says so instead of comparing. Pure. To read one more thing from a template, start in [`Side::read`].

use std::collections::{BTreeMap, BTreeSet};

use contract::alert::ATTRIBUTE_AUDIENCE;
use contract::incident::{IncidentMessage, UNROUTED};
use contract::priority::Priority;
use contract::watch::WatchInput;
use serde_json::Value;

use super::STORE;
use super::noun::{kind, replaced};
use crate::stack::{read_incident_message, read_watch_input};
use crate::template::Template;

/// One EventBridge rule.
#[derive(Clone, Debug)]
pub(super) struct ReadRule {
    pub(super) pattern: Value,
    pub(super) message: IncidentMessage,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadAddress {
    /// The word as YAML has it.
    pub(super) channel: String,
    /// As YAML has it, with [`STORE`] for the store's id.
    pub(super) endpoint: String,
    pub(super) audiences: BTreeSet<String>,
}

/// What becomes of the detections of one rule of the YAML.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Treatment {
    pub(super) rule: String,
    pub(super) priority: Priority,
    pub(super) notify: BTreeSet<String>,
    pub(super) shadow: bool,
    pub(super) cooldown_s: u32,
}

impl Treatment {
    pub(super) fn of(message: &IncidentMessage) -> Self {
        Self {
            rule: message.rule.clone(),
            priority: message.priority,
            notify: message.notify.iter().cloned().collect(),
            shadow: message.shadow,
            cooldown_s: message.cooldown_s,
        }
    }

    /// The audiences that are told.
    pub(super) fn told(&self) -> BTreeSet<&str> {
        let notify = self.notify.iter().filter(|_| !self.shadow);
        notify.map(String::as_str).collect()
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    pub(super) rules: Vec<ReadRule>,
    /// Sorted.
    pub(super) addresses: Vec<ReadAddress>,
    pub(super) watch: Option<WatchInput>,
    /// The logical ids of rules, subscriptions and watches that are not as we write them.
    pub(super) unread: Vec<String>,
}

impl Side {
    pub(super) fn read(template: &Template) -> Self {
        let mut side = Self::default();
        for (id, resource) in template.resources() {
            let is_read = match kind(resource) {
                "AWS::Events::Rule" => read_rule(resource).map(|it| side.rules.push(it)),
                "AWS::SNS::Subscription" => address(resource).map(|it| side.addresses.push(it)),
                "AWS::Scheduler::Schedule" => {
                    read_watch_input(resource).map(|it| side.watch = Some(it))
                }
                _ => continue,
            };
            if is_read.is_none() {
                side.unread.push(id.to_owned());
            }
        }
        let id = side.store().to_owned();
        for address in &mut side.addresses {
            address.endpoint = replaced(&address.endpoint, &id, STORE);
        }
        side.addresses.sort();
        side
    }

    /// The store's id; empty where nothing says it.
    pub(super) fn store(&self) -> &str {
        let watched = self.watch.as_ref().map(|it| &it.store.id);
        let routed = || self.rules.first().map(|it| &it.message.store.id);
        watched.or_else(routed).map_or("", String::as_str)
    }

    /// What each rule of the YAML does, by its name, `unrouted` left out.
    pub(super) fn treatments(&self) -> BTreeMap<&str, Treatment> {
        let rules = self.rules.iter().filter(|it| it.message.rule != UNROUTED);
        rules.map(|it| (it.message.rule.as_str(), Treatment::of(&it.message))).collect()
    }

    /// The patterns of a rule of the YAML.
    pub(super) fn patterns(&self, rule: &str) -> Vec<&Value> {
        self.rules.iter().filter(|it| it.message.rule == rule).map(|it| &it.pattern).collect()
    }

    /// Any message: what is the store's stands in every one.
    pub(super) fn message(&self) -> Option<&IncidentMessage> {
        self.rules.first().map(|it| &it.message)
    }
}

/// Whether two templates say the same of people, rules and what is watched.
pub(super) fn same(before: &Template, after: &Template) -> bool {
    before == after || said(before) == said(after)
}

fn said(template: &Template) -> BTreeMap<&str, &Value> {
    let kinds = ["AWS::Events::Rule", "AWS::SNS::Subscription", "AWS::Scheduler::Schedule"];
    template.resources().filter(|(_, it)| kinds.contains(&kind(it))).collect()
}

fn read_rule(resource: &Value) -> Option<ReadRule> {
    let pattern = resource.pointer("/Properties/EventPattern")?.clone();
    Some(ReadRule { pattern, message: read_incident_message(resource)? })
}

fn address(resource: &Value) -> Option<ReadAddress> {
    let text = |name: &str| resource.pointer(name).and_then(Value::as_str);
    let protocol = text("/Properties/Protocol")?;
    // SNS's word for a push is another than ours.
    let channel = if protocol == "application" { "push" } else { protocol };
    let endpoint = text("/Properties/Endpoint")?;
    let filter = resource.pointer("/Properties/FilterPolicy")?.get(ATTRIBUTE_AUDIENCE)?;
    let audiences: Option<_> =
        filter.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect();
    Some(ReadAddress {
        channel: channel.to_owned(),
        endpoint: kept(endpoint).unwrap_or_else(|| endpoint.to_owned()),
        audiences: audiences?,
    })
}

/// Where an address is kept, as YAML has it.
pub(super) fn kept(endpoint: &str) -> Option<String> {
    let reference = endpoint.strip_prefix("{{resolve:")?.strip_suffix("}}")?;
    let (service, name) = reference.split_once(':')?;
    match service {
        "ssm" => Some(format!("ssm:{name}")),
        "secretsmanager" => Some(format!("secret:{name}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_address_is_shown_as_yaml_has_it() {
        assert_eq!(kept("{{resolve:ssm:/arm/phone}}").as_deref(), Some("ssm:/arm/phone"));
        assert_eq!(kept("{{resolve:secretsmanager:lp}}").as_deref(), Some("secret:lp"));
        assert_eq!(kept("+12065550100"), None);
    }
}
