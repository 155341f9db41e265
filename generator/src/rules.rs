//! The rule compiler: ordered rules -> mutually exclusive EventBridge patterns.
//!
//! In the YAML the first rule that matches wins; EventBridge has no order and fires every rule
//! that matches. So each rule's pattern covers its condition minus the conditions of all rules
//! before it, and the implicit last rule `unrouted` covers the rest: every event whose fields are
//! scalars matches exactly one. Where one pattern is not enough, a rule becomes several
//! EventBridge rules, whose names end in `.2`, `.3` and so on. The order of the output is the
//! order of the YAML.
//!
//! Pure. To change what a rule can express, start in `rules/region.rs`.

mod region;

use contract::hours::Period;
use contract::incident::UNROUTED;
use contract::priority::Priority;

use crate::model::{Condition, Id, Rule, Store};
use region::{Numbers, Region, Texts};

/// Longest event pattern in characters. Source: EventBridge quotas, "Event pattern size",
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>.
pub const PATTERN_CHARACTERS_MAX: usize = 2_048;
/// Most rules of a bus. Source: the same page, "Rules".
pub const BUS_RULES_MAX: usize = 300;
/// Seconds within which unrouted detections are one case; nobody is told of them, so it only
/// keeps the case log short. Our choice.
const UNROUTED_COOLDOWN_SECONDS: u32 = 60;

/// One EventBridge rule of a store's bus.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledRule {
    /// Unique on the bus, at most 64 characters: the YAML rule's name, with `.2`, `.3` ... where
    /// one pattern is not enough.
    pub id: String,
    /// Name of the YAML rule; `unrouted` for the implicit last one.
    pub rule: String,
    /// The event pattern, at most [`PATTERN_CHARACTERS_MAX`] characters as compact JSON.
    pub pattern: serde_json::Value,
    pub priority: Priority,
    pub notify: Vec<String>,
    pub cooldown_s: u32,
    pub shadow: bool,
}

/// The rules of one store, compiled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSet {
    pub rules: Vec<CompiledRule>,
    /// Rules that can never match.
    pub unreachable: Vec<Unreachable>,
}

/// A rule that earlier rules leave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    pub rule: String,
    /// The earlier rules that take what it would match.
    pub shadowed_by: Vec<String>,
}

/// Why rules cannot be expressed in EventBridge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The first field names the rule that names the most.
    #[error(
        "the rule `{0}` names so much that a pattern needs {1} characters, over the {PATTERN_CHARACTERS_MAX} that EventBridge takes"
    )]
    PatternTooLong(String, usize),
    /// The first field names the rule whose patterns went over the limit.
    #[error(
        "with the rule `{0}` the store needs more than the {BUS_RULES_MAX} EventBridge rules that a bus holds"
    )]
    TooManyPatterns(String),
}

impl RulesError {
    /// Name of the rule that is to be changed.
    pub fn rule(&self) -> &str {
        match self {
            Self::PatternTooLong(rule, _) | Self::TooManyPatterns(rule) => rule,
        }
    }
}

/// Compiles the rules of one store, the implicit last one included.
pub fn compile(store: &Store) -> Result<RuleSet, RulesError> {
    let unrouted = Rule {
        name: Id::new(UNROUTED).expect("`unrouted` is an id"),
        when: Condition::default(),
        priority: Priority::Low,
        notify: Vec::new(),
        cooldown_s: UNROUTED_COOLDOWN_SECONDS,
        shadow: false,
    };
    let mut set = RuleSet::default();
    let mut earlier: Vec<(&Rule, Region)> = Vec::new();
    for rule in store.rules.iter().chain([&unrouted]) {
        let region = region_of(&rule.when);
        let (left, shadowed_by) = subtract(rule, region.clone(), &earlier)?;
        if left.is_empty() && rule.name != unrouted.name {
            set.unreachable.push(Unreachable { rule: rule.name.to_string(), shadowed_by });
        }
        let patterns = patterns(left).map_err(|length| {
            RulesError::PatternTooLong(wordiest(rule, &region, &earlier).to_string(), length)
        })?;
        if set.rules.len() + patterns.len() > BUS_RULES_MAX {
            return Err(RulesError::TooManyPatterns(rule.name.to_string()));
        }
        set.rules.extend(
            patterns.into_iter().enumerate().map(|(index, pattern)| compiled(rule, index, pattern)),
        );
        earlier.push((rule, region));
    }
    Ok(set)
}

fn compiled(rule: &Rule, index: usize, pattern: serde_json::Value) -> CompiledRule {
    let id =
        if index == 0 { rule.name.to_string() } else { format!("{}.{}", rule.name, index + 1) };
    CompiledRule {
        id,
        rule: rule.name.to_string(),
        pattern,
        priority: rule.priority,
        notify: rule.notify.iter().map(Id::to_string).collect(),
        cooldown_s: rule.cooldown_s,
        shadow: rule.shadow,
    }
}

fn region_of(condition: &Condition) -> Region {
    let ids = |ids: &Option<Vec<Id>>| {
        ids.as_ref().map(|ids| ids.iter().map(Id::to_string).collect::<Vec<_>>())
    };
    let period = condition.period.map(Period::as_str).map(|period| vec![period.to_owned()]);
    // In the order of `region::TEXT_FIELDS`.
    let lists = [
        condition.event_types.clone(),
        ids(&condition.cameras),
        ids(&condition.aisles),
        ids(&condition.aisle_kinds),
        condition.zones.clone(),
        period,
    ];
    let mut region = Region::any();
    for (texts, list) in region.texts.iter_mut().zip(lists) {
        if let Some(list) = list {
            *texts = Texts::In(list.into_iter().collect());
        }
    }
    if let Some(least) = condition.min_confidence {
        region.confidence = Numbers::at_least(least.value());
    }
    region
}

/// What the earlier rules leave of a region, and which of them took something.
fn subtract(
    rule: &Rule,
    region: Region,
    earlier: &[(&Rule, Region)],
) -> Result<(Vec<Region>, Vec<String>), RulesError> {
    let mut left = vec![region];
    let mut took = Vec::new();
    for (other, condition) in earlier {
        if left.is_empty() {
            break;
        }
        let before = left.clone();
        let pieces: Vec<_> = left.into_iter().flat_map(|it| it.minus(condition)).collect();
        // Before joining, which takes the square of their number.
        if pieces.len() > 2 * BUS_RULES_MAX {
            return Err(RulesError::TooManyPatterns(rule.name.to_string()));
        }
        left = merge(pieces);
        if left != before {
            took.push(other.name.to_string());
        }
        if left.len() > BUS_RULES_MAX {
            return Err(RulesError::TooManyPatterns(rule.name.to_string()));
        }
    }
    Ok((left, took))
}

/// Joins boxes that differ in one field, until no two do.
fn merge(mut regions: Vec<Region>) -> Vec<Region> {
    'again: loop {
        for first in 0..regions.len() {
            for second in first + 1..regions.len() {
                let pair = regions.get(first).zip(regions.get(second));
                if let Some(merged) = pair.and_then(|(a, b)| a.merge(b)) {
                    regions.remove(second);
                    if let Some(slot) = regions.get_mut(first) {
                        *slot = merged;
                    }
                    continue 'again;
                }
            }
        }
        return regions;
    }
}

/// Of a rule and those before it, the one whose own condition is the longest: what a later rule
/// must leave out, an earlier one has named.
fn wordiest<'r>(rule: &'r Rule, region: &Region, earlier: &[(&'r Rule, Region)]) -> &'r Id {
    let all = earlier.iter().map(|(rule, region)| (*rule, region)).chain([(rule, region)]);
    let length = |region: &Region| region.pattern().to_string().len();
    let wordiest = all.max_by_key(|(_, region)| length(region));
    wordiest.map_or(&rule.name, |(rule, _)| &rule.name)
}

/// One pattern per box, and several where a list of names is too long for one; the length of a
/// pattern that is too long all the same.
fn patterns(regions: Vec<Region>) -> Result<Vec<serde_json::Value>, usize> {
    let mut patterns = Vec::new();
    let mut waiting: Vec<_> = regions.into_iter().rev().collect();
    while let Some(region) = waiting.pop() {
        let pattern = region.pattern();
        let length = pattern.to_string().chars().count();
        if length <= PATTERN_CHARACTERS_MAX {
            patterns.push(pattern);
            continue;
        }
        let Some([first, second]) = region.halves() else {
            return Err(length);
        };
        waiting.extend([second, first]);
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests;
