//! The rule compiler: ordered rules -> mutually exclusive EventBridge patterns.
//!
//! In the YAML the first rule that matches wins; EventBridge has no order and fires every rule
//! that matches. So each rule's pattern covers its condition minus the conditions of all rules
//! before it, and the implicit last rule `unrouted` covers the rest: every event whose fields are
//! scalars matches exactly one. What is left of a condition is a few boxes (`cut`), which share a
//! pattern as branches of an `$or` (`pack`). Where one pattern is too short for them, a rule becomes
//! several EventBridge rules, whose names end in `.2`, `.3` and so on. The order of the output is
//! the order of the YAML.
//!
//! Pure. To change what a rule can express, start in `rules/space.rs`.

mod cut;
mod order;
mod overlap;
mod pack;
mod reach;
mod rest;
mod sight;
mod space;

use contract::incident::UNROUTED;
use contract::priority::Priority;

use crate::model::{Condition, Id, Rule, Store};
use crate::pattern::CHARACTERS_MAX;
use cut::{STEPS_MAX, Steps};
pub use order::{Remedy, remedy_of};
pub use overlap::{PartlyShadowed, Taker, partly_shadowed};
use pack::Packer;
pub use reach::unreachable_here;
pub use rest::{Routed, Unrouted, routed, unrouted, unrouted_other};
use space::{Region, RuleBits, Space};

/// Most rules of a bus. Source: EventBridge quotas, "Rules",
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>.
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
    /// The event pattern, at most [`CHARACTERS_MAX`] characters as compact JSON.
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
    /// The earlier rules that take what it would match; without one of them, something would be left.
    pub shadowed_by: Vec<String>,
}

/// Why rules cannot be expressed in EventBridge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    #[error(
        "what the rule `{rule}` and others name takes a pattern of {characters} characters, and EventBridge takes {CHARACTERS_MAX}"
    )]
    PatternTooLong {
        /// The one that names the most.
        rule: String,
        characters: usize,
    },
    #[error(
        "what is left for the rule `{rule}` takes more patterns than the {BUS_RULES_MAX} EventBridge rules of a bus hold"
    )]
    TooManyPatterns {
        /// The one that needs the most patterns; `unrouted` for the implicit last one.
        rule: String,
        /// The earlier rules that cut it up most, worst first.
        cut_by: Vec<String>,
    },
}

impl RulesError {
    /// Name of the rule that is to be changed.
    pub fn rule(&self) -> &str {
        match self {
            Self::PatternTooLong { rule, .. } | Self::TooManyPatterns { rule, .. } => rule,
        }
    }
}

/// Compiles the rules of one store, the implicit last one included.
pub fn compile(store: &Store) -> Result<RuleSet, RulesError> {
    let last = last_rule();
    // Each takes one at least, and `unrouted` the last.
    if let Some(over) = store.rules.get(BUS_RULES_MAX - 1) {
        let rule = over.name.to_string();
        return Err(RulesError::TooManyPatterns { rule, cut_by: Vec::new() });
    }
    let compiler = Compiler::new(store.rules.iter().chain([&last]).collect())
        .expect("there is room for as many rules as a bus holds");
    let mut set = RuleSet::default();
    let lefts = compiler.lefts()?;
    let mut packer = Packer::new(&compiler.space);
    for (at, (rule, left)) in compiler.rules.iter().zip(&lefts).enumerate() {
        if left.is_empty() && at < store.rules.len() {
            let shadowed_by = reach::needed(&compiler, at, |_| true);
            set.unreachable.push(Unreachable { rule: rule.name.to_string(), shadowed_by });
        }
        let patterns =
            packer.patterns(left).map_err(|characters| compiler.too_long(at, characters))?;
        let numbered = patterns.into_iter().enumerate();
        set.rules.extend(numbered.map(|(index, pattern)| compiled(rule, index, pattern)));
    }
    if set.rules.len() > BUS_RULES_MAX {
        let number =
            |rule: &Rule| set.rules.iter().filter(|it| it.rule == rule.name.as_str()).count();
        let most = compiler.rules.iter().enumerate().max_by_key(|(_, rule)| number(rule));
        return Err(compiler.too_many(most.map_or(0, |(at, _)| at)));
    }
    Ok(set)
}

/// The implicit last rule.
fn last_rule() -> Rule {
    Rule {
        name: Id::new(UNROUTED).expect("`unrouted` is an id"),
        when: Condition::default(),
        priority: Priority::Low,
        notify: Vec::new(),
        cooldown_s: UNROUTED_COOLDOWN_SECONDS,
        shadow: false,
    }
}

/// Whether a rule tells anybody.
fn is_told(rule: &Rule) -> bool {
    !rule.shadow && !rule.notify.is_empty()
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

/// The rules of a store, the implicit last one included, with what each asks for.
struct Compiler<'r> {
    space: Space,
    rules: Vec<&'r Rule>,
    /// Parallel to the rules.
    regions: Vec<Region>,
}

impl<'r> Compiler<'r> {
    /// `None` when there are more rules than a bus could hold.
    fn new(rules: Vec<&'r Rule>) -> Option<Self> {
        if rules.len() > RuleBits::MAX {
            return None;
        }
        let (space, regions) = Space::new(&rules.iter().map(|rule| &rule.when).collect::<Vec<_>>());
        Some(Self { space, rules, regions })
    }

    /// What the rules before each leave of it.
    fn lefts(&self) -> Result<Vec<Vec<Region>>, RulesError> {
        let mut steps = Steps(STEPS_MAX);
        let left = |at| self.left_by(at, at, &mut steps).ok_or_else(|| self.too_many(at));
        (0..self.rules.len()).map(left).collect()
    }

    /// What so many of the first rules leave of one.
    fn left_by(&self, at: usize, first: usize, steps: &mut Steps) -> Option<Vec<Region>> {
        cut::left(&self.space, self.regions.get(at)?, first, steps)
    }

    fn name(&self, at: usize) -> Option<String> {
        self.rules.get(at).map(|rule| rule.name.to_string())
    }

    /// Names the earlier rules after each of which a rule is in the most pieces, compared to before.
    fn too_many(&self, at: usize) -> RulesError {
        /// Most earlier rules that are named. Our choice: one begins with the worst.
        const NAMED_MAX: usize = 3;
        let mut growths = Vec::new();
        let mut steps = Steps(STEPS_MAX);
        let mut before = 1;
        for first in 1..=at {
            let pieces = self.left_by(at, first, &mut steps).map(|left| left.len());
            let after = pieces.unwrap_or(usize::MAX);
            // In thousandths.
            growths.push((after.saturating_mul(1_000) / before.max(1), first - 1));
            if pieces.is_none() {
                break;
            }
            before = after;
        }
        growths.sort_by(|a, b| b.cmp(a));
        let cut_by = growths.iter().filter(|(growth, _)| *growth > 1_000).take(NAMED_MAX);
        RulesError::TooManyPatterns {
            rule: self.name(at).unwrap_or_default(),
            cut_by: cut_by.filter_map(|(_, at)| self.name(*at)).collect(),
        }
    }

    /// Names the rule that names the most, of one and those before it: what a later rule must leave
    /// out, an earlier one has named.
    fn too_long(&self, at: usize, characters: usize) -> RulesError {
        let mut packer = Packer::new(&self.space);
        let first = self.regions.iter().take(at + 1).enumerate();
        let wordiest = first.max_by_key(|(_, region)| packer.characters(region));
        let rule = wordiest.and_then(|(at, _)| self.name(at)).unwrap_or_default();
        RulesError::PatternTooLong { rule, characters }
    }
}

#[cfg(test)]
mod tests;
