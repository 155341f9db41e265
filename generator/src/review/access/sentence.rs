//! What became possible or impossible, in sentences: as few as say everything.
//!
//! Pieces that differ only in their action or only in their resource are one sentence. The rule: a
//! sentence says who, what, on what and under which condition, and why it is dangerous. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::super::noun::{Nouns, listed};
use super::super::{Finding, Weight};
use super::atom::{Effect, Scope};
use super::{News, Turn, finding};

/// What the pieces of one sentence have in common, but for actions and resources.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Frame {
    turn: Turn,
    effect: Effect,
    who: String,
    also: bool,
    condition: String,
    others: BTreeSet<String>,
    dangers: BTreeSet<String>,
    /// Actions that are refused still.
    left: BTreeSet<String>,
    label: Option<String>,
}

pub(super) fn sentences(news: &[News<'_>], nouns: &Nouns<'_>) -> Vec<Finding> {
    let mut frames: BTreeMap<Frame, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for one in news {
        let actions = frames.entry(frame(one, nouns)).or_default();
        actions
            .entry(resource(&one.atom.resource, nouns))
            .or_default()
            .insert(action(&one.atom.action));
    }
    let mut findings = Vec::new();
    for (frame, resources) in frames {
        let mut alike: BTreeMap<BTreeSet<String>, Vec<String>> = BTreeMap::new();
        for (resource, actions) in resources {
            alike.entry(actions).or_default().push(resource);
        }
        findings.extend(alike.into_iter().map(|(actions, on)| told(&frame, actions, &on)));
    }
    findings
}

fn frame(news: &News<'_>, nouns: &Nouns<'_>) -> Frame {
    let is_refusal = news.atom.effect == Effect::Deny;
    let own = &news.atom.condition;
    let (condition, others) = match &news.others[..] {
        // What both ask for goes without saying.
        [other] => {
            (own.without(other).words(nouns), BTreeSet::from([other.without(own).words(nouns)]))
        }
        all => (own.words(nouns), all.iter().map(|it| it.words(nouns)).collect()),
    };
    let left = news.left.iter().map(|it| action(&it.action));
    Frame {
        turn: news.turn,
        effect: news.atom.effect,
        who: who(&news.atom.principal, nouns),
        also: news.also,
        condition,
        others,
        left: if is_refusal { left.collect() } else { BTreeSet::new() },
        dangers: news.dangers.clone(),
        label: news.source.label.clone().filter(|_| is_refusal),
    }
}

fn told(frame: &Frame, actions: BTreeSet<String>, on: &[String]) -> Finding {
    let actions: Vec<_> = actions.into_iter().collect();
    let what = format!("{} on {}", listed(&actions), listed(on));
    let who = &frame.who;
    let when = condition(", if ", &frame.condition);
    let other = frame.others.iter().cloned().collect::<Vec<_>>().join(", or if ");
    let name = frame.label.as_ref().map(|it| format!(" (`{it}`)")).unwrap_or_default();
    let now = &frame.condition;
    let also = if frame.also { "also " } else { "" };
    let is_told_apart = !frame.others.is_empty();
    let text = match (frame.turn, frame.effect) {
        (Turn::Gained, Effect::Allow) if is_told_apart => match now.as_str() {
            "" => format!("{who} may now {what} not only if {other}"),
            now => format!("{who} may now {what} if {now}, so far {}", only(&other)),
        },
        (Turn::Gained, Effect::Allow) => format!("{who} may now {also}{what}{when}"),
        (Turn::Lost, Effect::Allow) if is_told_apart => {
            format!("{who} may {what} {} now{}", only(&other), condition(", so far if ", now))
        }
        (Turn::Lost, Effect::Allow) => format!("{who} may no longer {what}{when}"),
        (Turn::Lost, Effect::Deny) if is_told_apart => format!(
            "a refusal is weaker{name}: {who} is refused {what} {} now{}",
            only(&other),
            condition(", so far if ", now),
        ),
        (Turn::Lost, Effect::Deny) if !frame.left.is_empty() => {
            let left: Vec<_> = frame.left.iter().cloned().collect();
            format!(
                "a refusal is narrower{name}: {who} was refused {what}{when}, and is refused {} still",
                listed(&left),
            )
        }
        (Turn::Lost, Effect::Deny) => {
            format!("a refusal is gone{name}: {who} was refused {what}{when}")
        }
        (Turn::Gained, Effect::Deny) => format!("{who} is now refused {what}{when}{name}"),
    };
    let is_more = matches!(
        (frame.turn, frame.effect),
        (Turn::Gained, Effect::Allow) | (Turn::Lost, Effect::Deny)
    );
    let dangers: Vec<_> = frame.dangers.iter().cloned().collect();
    let text = text + &condition(": ", &dangers.join("; "));
    let mut finding = finding(if is_more { Weight::Loud } else { Weight::Quiet }, text);
    finding.details = [("actions", &actions[..]), ("on", on)]
        .iter()
        .filter(|(_, all)| listed(all).contains(" more"))
        .map(|(word, all)| format!("{word}: {}", all.join(", ")))
        .collect();
    finding
}

/// "only if" something; of nothing, "always".
fn only(condition: &str) -> String {
    if condition.is_empty() { "always".to_owned() } else { format!("only if {condition}") }
}

fn condition(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}

fn action(action: &Scope) -> String {
    match action {
        Scope::Only(name) if name == "*" => "do everything".to_owned(),
        Scope::Only(name) => format!("`{name}`"),
        Scope::AllBut(these) => format!("do everything but {}", quoted(these)),
    }
}

fn quoted(names: &BTreeSet<String>) -> String {
    let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
    names.join(" and ")
}

fn resource(resource: &Scope, nouns: &Nouns<'_>) -> String {
    match resource {
        Scope::Only(text) => nouns.of_text(text),
        Scope::AllBut(these) => {
            let these: Vec<_> = these.iter().map(|it| nouns.of_text(it)).collect();
            format!("every resource but {}", these.join(" and "))
        }
    }
}

/// A principal as people call it.
fn who(principal: &Scope, nouns: &Nouns<'_>) -> String {
    let name = match principal {
        Scope::Only(name) => name,
        Scope::AllBut(these) => {
            let these = these.iter().map(|it| who(&Scope::Only(it.clone()), nouns));
            return format!("everyone but {}", these.collect::<Vec<_>>().join(" and "));
        }
    };
    let (kind, rest) = name.split_once(':').unwrap_or(("", name));
    match kind {
        "Service" => format!("the service `{rest}`"),
        "Federated" => format!("whoever `{}` vouches for", nouns.shown(rest)),
        "Certificate" => format!("a gateway with {}", nouns.of_text(rest)),
        "Policy" => format!("whoever gets the policy `{rest}`"),
        "AWS" => match rest.strip_suffix(":root").and_then(|it| it.rsplit(':').next()) {
            Some(account) if nouns.is_foreign(account) => format!("the account `{account}`"),
            _ => nouns.of_text(rest),
        },
        _ if name == "*" => "anyone".to_owned(),
        _ => format!("`{}`", nouns.shown(name)),
    }
}
