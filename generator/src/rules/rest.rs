//! What rules leave to each other, for people: what falls to `unrouted`, and who takes from whom.
//!
//! The rule to keep: what is said here follows from the boxes that the patterns are made of, in the
//! words of the YAML, and is short however many rules there are. To change the words, start at
//! [`words`].

use crate::model::{Rule, Store};

use super::cut::{self, STEPS_MAX, Steps};
use super::sight::Sight;
use super::space::{CONFIDENCE, EVENT_TYPE, FIELDS, PERIOD, Region, Space};
use super::{Compiler, RuleSet, last_rule, reach};

/// Most parts, and most names in a part, that are told of one event type. Our choice: they stay
/// within two lines.
const TOLD_MAX: usize = 4;

/// What no rule takes of an event type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrouted {
    pub event_type: String,
    /// Such as "outside `aisle_kind: high-value`; below confidence 0.8", each part on its own.
    pub what: String,
}

/// What becomes of one rule, `unrouted` included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    pub rule: String,
    /// How many EventBridge rules it is.
    pub patterns: usize,
    /// The earlier rules that take something of what it asks for that a camera of the store can
    /// make, in the order of the YAML; of a rule that can never match, those that take all.
    pub taken_by: Vec<String>,
}

/// What falls to `unrouted`, of each event type that some rule names, sorted. A type of which the
/// rules take all is left out, and so is one whose rest is in too many pieces to say.
pub fn unrouted(store: &Store) -> Vec<Unrouted> {
    let rules: Vec<_> = store.rules.iter().collect();
    let Some(compiler) = Compiler::new(rules) else { return Vec::new() };
    let space = &compiler.space;
    let told = space.names(space.all(), EVENT_TYPE).into_iter().filter_map(|event_type| {
        let what = rest(&compiler, Some(event_type))?;
        (!what.is_empty()).then(|| Unrouted { event_type: event_type.to_owned(), what })
    });
    told.collect()
}

/// The same of an event type that no rule names: the words of [`Unrouted::what`]; `None`: nothing.
pub fn unrouted_other(store: &Store) -> Option<String> {
    let compiler = Compiler::new(store.rules.iter().collect());
    let what = compiler.and_then(|compiler| rest(&compiler, None));
    // In too many pieces to say.
    let what = what.unwrap_or_else(|| "what no rule asks for".to_owned());
    (!what.is_empty()).then_some(what)
}

/// What no rule takes of an event type, or of one that none names, in words; `None` where it is in too
/// many pieces.
fn rest(compiler: &Compiler<'_>, event_type: Option<&str>) -> Option<String> {
    let space = &compiler.space;
    let atom = space.atom_of(EVENT_TYPE, event_type);
    let region = space.with(space.all(), EVENT_TYPE, [atom]);
    let left = cut::left(space, &region, compiler.rules.len(), &mut Steps(STEPS_MAX))?;
    let what = widest(compiler, &left);
    let what: Vec<_> = what.iter().map(|region| words(space, region)).collect();
    Some(shortened(&what, "; "))
}

/// How each rule of a store became patterns.
pub fn routed(store: &Store, set: &RuleSet) -> Vec<Routed> {
    let last = last_rule();
    let Some(compiler) = Compiler::new(store.rules.iter().chain([&last]).collect()) else {
        return Vec::new();
    };
    let sight = Sight::new(store, &compiler.space);
    let routed = |(at, rule): (usize, &&Rule)| {
        let never = set.unreachable.iter().find(|it| it.rule == rule.name.as_str());
        let taken_by = match never {
            Some(never) => never.shadowed_by.clone(),
            None => reach::takers(&compiler, at, |it| sight.is_blind() || sight.sees(it)),
        };
        let patterns = set.rules.iter().filter(|it| it.rule == rule.name.as_str()).count();
        Routed { rule: rule.name.to_string(), patterns, taken_by }
    };
    compiler.rules.iter().enumerate().map(routed).collect()
}

/// The same as overlapping boxes, each as wide as no rule meets it: shorter to say.
fn widest(compiler: &Compiler<'_>, left: &[Region]) -> Vec<Region> {
    let space = &compiler.space;
    let free = |region: &Region| !compiler.regions.iter().any(|rule| space.meet(region, rule));
    let widen = |region: &Region| {
        let fields = (0..FIELDS.len()).filter(|field| *field != EVENT_TYPE);
        fields.fold(region.clone(), |region, field| {
            let atoms = space.atoms(space.all(), field);
            let wider = space.with(&region, field, atoms);
            if free(&wider) { wider } else { region }
        })
    };
    let mut widest: Vec<Region> = Vec::new();
    for region in left.iter().map(widen) {
        if !widest.iter().any(|it| region.is_within(it)) {
            widest.push(region);
        }
    }
    widest
}

/// A box of one event type in the words of the YAML.
fn words(space: &Space, region: &Region) -> String {
    let limited = (0..FIELDS.len()).filter(|it| *it != EVENT_TYPE && !space.is_any(region, *it));
    let said = limited.filter_map(|field| {
        if field == CONFIDENCE {
            return Some(confidence(space, region));
        }
        let name = FIELDS.get(field)?;
        let named = space.names(space.all(), field);
        let own = space.names(region, field);
        // There is no third.
        if field == PERIOD && own.is_empty() && named.len() == 2 {
            return Some("without a period".to_owned());
        }
        let (word, list) = if space.has(region, field, 0) {
            ("outside", named.into_iter().filter(|it| !own.contains(it)).collect())
        } else {
            ("with", own)
        };
        Some(format!("{word} `{name}: {}`", shortened(&list, ", ")))
    });
    let said: Vec<_> = said.collect();
    if said.is_empty() { "all".to_owned() } else { said.join(" and ") }
}

fn confidence(space: &Space, region: &Region) -> String {
    let stretch = |(low, high): (Option<f64>, Option<f64>)| match (low, high) {
        (None, Some(high)) => format!("below confidence {high}"),
        (Some(low), Some(high)) => format!("confidence {low} to below {high}"),
        (Some(low), None) => format!("confidence {low} and above"),
        (None, None) => "any confidence".to_owned(),
    };
    let stretches: Vec<_> = space.stretches(region).into_iter().map(stretch).collect();
    stretches.join(" or ")
}

/// The first few, and how many more there are.
fn shortened<T: AsRef<str>>(all: &[T], between: &str) -> String {
    let first: Vec<_> = all.iter().take(TOLD_MAX).map(AsRef::as_ref).collect();
    let first = first.join(between);
    match all.len().saturating_sub(TOLD_MAX) {
        0 => first,
        more => format!("{first}{between}{more} more"),
    }
}
