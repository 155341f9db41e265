//! Warnings about the order of rules: earlier ones take what later ones ask for.
//!
//! What is said follows from `rules`, which tried every order that is advised here. The rule to keep:
//! the help names a place where the rule can really stand, in the file where it must, or says that
//! there is none. To change what is advised, start in `rules/order.rs`; for the words, at [`Written::advice`].

use crate::config::FleetConfig;
use crate::diagnostic::{Diagnostic, Place};
use crate::model::{Id, Rule, Store};
use crate::rules::{self, PartlyShadowed, Remedy, RuleSet, Taker, Unreachable};

/// Where the rules of one store were written.
pub(super) struct Written<'w> {
    /// The place of a rule, by its name.
    pub(super) place: &'w dyn Fn(&str) -> Place,
    pub(super) config: &'w FleetConfig,
    /// Somewhere in the store's own file.
    pub(super) own: Option<&'w Place>,
}

/// Own rules first, then the format's, then the defaults'.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Layer {
    Own,
    Format(String),
    Defaults,
}

impl Layer {
    fn number(&self) -> usize {
        match self {
            Self::Own => 0,
            Self::Format(_) => 1,
            Self::Defaults => 2,
        }
    }

    /// Where a rule of this layer stands.
    fn words(&self) -> String {
        match self {
            Self::Own => "the `rules` of the store".to_owned(),
            Self::Format(name) => format!("the `rules` of the format `{name}`"),
            Self::Defaults => "the `rules` of the defaults".to_owned(),
        }
    }
}

impl Written<'_> {
    fn layer(&self, rule: &str) -> Layer {
        let place = (self.place)(rule);
        if self.own.is_some_and(|own| own.file == place.file) {
            return Layer::Own;
        }
        let holds = |layer: &crate::config::Layer| {
            layer.rules.iter().filter_map(|rule| rule.name.as_ref()).any(|it| it.place == place)
        };
        let format = self.config.formats.iter().find(|(_, layer)| holds(layer));
        format.map_or(Layer::Defaults, |(name, _)| Layer::Format(name.value.clone()))
    }

    fn layers(&self, store: &Store) -> Vec<usize> {
        store.rules.iter().map(|rule| self.layer(rule.name.as_str()).number()).collect()
    }

    /// What to do, in words; `None` where no order serves all rules.
    fn advice(&self, remedy: &Remedy) -> Option<String> {
        match remedy {
            Remedy::Up { rules, above } => {
                let layer = self.layer(above);
                let ordered = if rules.len() > 1 { ", in this order," } else { "" };
                let what = format!("{}{ordered}", listed(rules));
                if rules.iter().all(|rule| self.layer(rule) == layer) {
                    return Some(format!("move {what} above `{above}`"));
                }
                let (again, there) = match rules.len() {
                    1 => ("again under its name", "it replaces the inherited one"),
                    _ => (
                        "again, in this order and under their names,",
                        "they replace the inherited ones",
                    ),
                };
                Some(format!(
                    "write {} {again} above `{above}` in {}: there {there}",
                    listed(rules),
                    layer.words()
                ))
            }
            Remedy::Down { rules, below } => {
                let ordered = if rules.len() > 1 { ", in this order," } else { "" };
                Some(format!("move {}{ordered} below `{below}`", listed(rules)))
            }
            Remedy::None => None,
        }
    }
}

/// Warns of rules that can never match, and of those from which earlier rules take what is more
/// urgent, or what nobody else tells.
pub(super) fn warnings(store: &Store, set: &RuleSet, written: &Written<'_>) -> Vec<Diagnostic> {
    let own = store.rules.iter().take_while(|it| written.layer(it.name.as_str()) == Layer::Own);
    let here = rules::unreachable_here(store, own.count(), set);
    let nowhere = set.unreachable.iter().map(|never| unreachable(store, set, written, (never, "")));
    let told_here = here.iter().map(|it| unreachable(store, set, written, (it, " in this store")));
    let mut warnings: Vec<_> = nowhere.chain(told_here).collect();
    let layers = written.layers(store);
    let partly = rules::partly_shadowed(store, &layers);
    // A rule that gets nothing is told of once.
    let partly = partly.iter().filter(|it| here.iter().all(|never| never.rule != it.rule));
    warnings.extend(partly.filter_map(|it| partly_shadowed(store, written, it)));
    warnings
}

fn unreachable(
    store: &Store,
    set: &RuleSet,
    written: &Written<'_>,
    (never, place): (&Unreachable, &str),
) -> Diagnostic {
    let Unreachable { rule, shadowed_by } = never;
    let message = format!("the rule `{rule}` can never match{place}");
    let verb = if shadowed_by.len() == 1 { "takes" } else { "take" };
    let what = if place.is_empty() {
        "all that it would match"
    } else {
        "all that any camera here can make of it"
    };
    let untold = untold(store, set, rule);
    let advice = written.advice(&rules::remedy_of(store, &written.layers(store), never));
    let help = match (advice, &shadowed_by[..]) {
        (Some(advice), _) => format!("{advice}, or delete it"),
        (None, [only]) => {
            format!("delete it or `{only}`: in either order, one of the two gets nothing")
        }
        (None, some) => {
            format!("delete it, or one of {}: no order leaves something to each", listed(some))
        }
    };
    let by: Vec<_> = shadowed_by.iter().map(|it| taker(store, it)).collect();
    let by = joined(&by);
    Diagnostic::warning("unreachable-rule", &(written.place)(rule), message)
        .label(format!("{by} {verb} {what}"))
        .help(format!("{help}{untold}"))
        .about(store.id.as_str(), rule)
}

/// A rule that takes from another, with a word where nobody is told of it.
fn taker(store: &Store, name: &str) -> String {
    match store.rules.iter().find(|it| it.name.as_str() == name) {
        Some(rule) if rule.shadow => format!("`{name}` (a shadow, tells nobody)"),
        Some(rule) if rule.notify.is_empty() => format!("`{name}` (tells nobody)"),
        _ => format!("`{name}`"),
    }
}

/// That audiences of a rule that can never match are told by no other.
fn untold(store: &Store, set: &RuleSet, never: &str) -> String {
    let is_never = |rule: &Rule| {
        let name = rule.name.as_str();
        name == never || set.unreachable.iter().any(|it| it.rule == name)
    };
    let tells = |audience: &Id| {
        let mut telling = store.rules.iter().filter(|rule| !rule.shadow && !is_never(rule));
        telling.any(|rule| rule.notify.contains(audience))
    };
    let rule = store.rules.iter().find(|it| it.name.as_str() == never && !it.shadow);
    let untold = rule.iter().flat_map(|it| &it.notify).filter(|audience| !tells(audience));
    let untold: Vec<_> = untold.map(Id::to_string).collect();
    if untold.is_empty() {
        return String::new();
    }
    let are = if untold.len() == 1 { "is" } else { "are" };
    format!("; as it is, {} {are} never told anything", listed(&untold))
}

fn partly_shadowed(
    store: &Store,
    written: &Written<'_>,
    shadowed: &PartlyShadowed,
) -> Option<Diagnostic> {
    let PartlyShadowed { rule, priority, takers, remedy } = shadowed;
    let first = takers.first()?;
    let says = first.priority.as_str();
    let says = match (first.shadow, first.tells) {
        (true, _) => format!("{says}, a shadow, tells nobody"),
        (false, false) => format!("{says}, tells nobody"),
        (false, true) => says.to_owned(),
    };
    let message = format!(
        "{} is taken by `{}` ({says}) before `{rule}` ({})",
        first.example,
        first.rule,
        priority.as_str()
    );
    let names: Vec<_> = takers.iter().map(|taker| taker.rule.clone()).collect();
    let help = match written.advice(remedy) {
        Some(advice) => advice,
        None if first.shadow => format!(
            "try `{}` with `arm simulate` instead, or accept this with `allow` while it is tried: a shadow rule takes its detections from the rules below it, and nobody is told of them",
            first.rule
        ),
        None => "compare these rules in `arm explain`, which shows what each takes, or accept this with `allow`: no order was found that takes nothing from another rule".to_owned(),
    };
    let problem = Diagnostic::warning("partly-shadowed", &(written.place)(rule), message)
        .label(format!("comes after {}", listed(&names)))
        .help(help)
        .about(store.id.as_str(), rule);
    let taken = |problem: Diagnostic, taker: &Taker| {
        problem.related(&(written.place)(&taker.rule), format!("`{}` comes first", taker.rule))
    };
    Some(takers.iter().fold(problem, taken))
}

/// Names of rules in a sentence.
pub(super) fn listed(rules: &[String]) -> String {
    joined(&rules.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

fn joined(all: &[String]) -> String {
    match all.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}
