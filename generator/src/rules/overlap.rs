//! Rules that take from a later one what should be looked at sooner, or told to somebody.
//!
//! An earlier rule that is narrower than the later one is an exception, and meant; one that is wider
//! leaves nothing, which is told as unreachable. What is told here is two rules that cross: somebody
//! who reads the later one alone expects more of it than it gets. The rule to keep: told only with an
//! example that a camera of the store can really make, in the words of the YAML. To change what
//! counts, start at [`is_held_back`].

use contract::hours::Period;
use contract::priority::Priority;
use contract::watch::WatchWhen;

use crate::model::{Camera, Id, Rule, Store};

use super::space::{
    AISLE, AISLE_KIND, CAMERA, CONFIDENCE, EVENT_TYPE, PERIOD, Region, Space, ZONE,
};
use super::{Compiler, cut};

/// Most earlier rules that are named for one rule. Our choice: to mend it, one is looked at first.
const TAKERS_MAX: usize = 3;

/// A rule from which earlier rules take what they should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartlyShadowed {
    pub rule: String,
    pub priority: Priority,
    /// In the order of the YAML; one or more.
    pub takers: Vec<Taker>,
}

/// An earlier rule that takes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    pub rule: String,
    pub priority: Priority,
    /// Whether it tells anybody.
    pub tells: bool,
    /// A detection that it takes, such as `a concealment 0.9 in Pharmacy while closed`.
    pub example: String,
}

/// The rules of a store from which others take what they should not.
pub fn partly_shadowed(store: &Store) -> Vec<PartlyShadowed> {
    let rules: Vec<_> = store.rules.iter().collect();
    let held_back = |later: usize| {
        let rule = rules.get(later)?;
        let earlier = rules.iter().take(later).enumerate();
        let outranked: Vec<_> =
            earlier.filter(|(_, it)| is_held_back(rule, it)).map(|(at, _)| at).collect();
        (!outranked.is_empty()).then_some((later, outranked))
    };
    let candidates: Vec<_> = (0..rules.len()).filter_map(held_back).collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let Some(compiler) = Compiler::new(rules) else { return Vec::new() };
    let sight = Sight { store, space: &compiler.space };
    let shadowed = candidates.into_iter().filter_map(|(later, outranked)| {
        let takers =
            outranked.into_iter().filter_map(|earlier| taker(&compiler, &sight, earlier, later));
        let takers: Vec<_> = takers.take(TAKERS_MAX).collect();
        let rule = compiler.rules.get(later).filter(|_| !takers.is_empty())?;
        Some(PartlyShadowed { rule: rule.name.to_string(), priority: rule.priority, takers })
    });
    shadowed.collect()
}

fn tells(rule: &Rule) -> bool {
    !rule.shadow && !rule.notify.is_empty()
}

/// Whether a rule loses by what an earlier one takes: what it says is more urgent, or only it tells
/// anybody. A rule that tells nobody takes no detection from one that does.
fn is_held_back(rule: &Rule, earlier: &Rule) -> bool {
    match (tells(earlier), tells(rule)) {
        (true, false) => false,
        (false, true) => true,
        _ => earlier.priority < rule.priority,
    }
}

/// The earlier of two rules, if they cross and it takes what a camera can see.
fn taker(
    compiler: &Compiler<'_>,
    sight: &Sight<'_>,
    earlier: usize,
    later: usize,
) -> Option<Taker> {
    let (taking, asking) = (compiler.regions.get(earlier)?, compiler.regions.get(later)?);
    let cross = compiler.space.meet(taking, asking)
        && !taking.is_within(asking)
        && !asking.is_within(taking);
    if !cross {
        return None;
    }
    let both = taking.intersect(asking);
    let seen = |region: &Region| sight.example(region).is_some();
    let example = sight.example(&cut::find_left(&compiler.space, &both, earlier, seen)?)?;
    let rule = compiler.rules.get(earlier)?;
    let (name, priority) = (rule.name.to_string(), rule.priority);
    Some(Taker { rule: name, priority, tells: tells(rule), example })
}

/// What the cameras of a store can see.
struct Sight<'s> {
    store: &'s Store,
    space: &'s Space,
}

impl Sight<'_> {
    /// A detection of this box that a camera can make, in words that say what the box limits.
    fn example(&self, region: &Region) -> Option<String> {
        let event_type = self.event_type(region)?;
        let confidence = self.confidence(region)?;
        let watched = self.store.cameras.iter().filter(|it| it.when != WatchWhen::Never);
        let mut seen = watched.filter_map(|camera| {
            let place = self.place(region, camera)?;
            Some((place, self.period(region, camera)?))
        });
        let (place, period) = seen.next()?;
        Some(format!("{event_type}{confidence}{place}{period}"))
    }

    /// An event type that some rule names; of rules that name none, any.
    fn event_type(&self, region: &Region) -> Option<String> {
        if self.space.names(self.space.all(), EVENT_TYPE).is_empty() {
            return Some("a detection".to_owned());
        }
        let name = *self.space.names(region, EVENT_TYPE).first()?;
        let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        Some(format!("{article} {name}"))
    }

    /// The surest that the box has, as far as rules tell confidences apart.
    fn confidence(&self, region: &Region) -> Option<String> {
        if self.space.is_any(region, CONFIDENCE) {
            return Some(String::new());
        }
        match *self.space.stretches(region).last()? {
            (Some(low), _) => Some(format!(" {low}")),
            // No confidence is below zero.
            (None, high) => high.filter(|high| *high > 0.0).map(|high| format!(" below {high}")),
        }
    }

    fn place(&self, region: &Region, camera: &Camera) -> Option<String> {
        let aisle = self.store.aisle(&camera.aisle);
        let kind = aisle.kind.as_ref().map(Id::as_str);
        let here = [
            (CAMERA, Some(camera.id.as_str())),
            (AISLE, Some(aisle.id.as_str())),
            (AISLE_KIND, kind),
        ];
        let space = self.space;
        let holds = |(field, name)| space.has(region, field, space.atom_of(field, name));
        if !here.into_iter().all(holds) {
            return None;
        }
        let zones = camera.zones.iter().map(|zone| Some(zone.id.as_str()));
        let zone = zones.chain([None]).find(|zone| holds((ZONE, *zone)))?;
        let zone = match zone.filter(|_| !space.is_any(region, ZONE)) {
            Some(zone) => format!(" in the zone `{zone}`"),
            None => String::new(),
        };
        let place = if !space.is_any(region, CAMERA) {
            format!(" before the camera `{}`", camera.id)
        } else if !space.is_any(region, AISLE) {
            format!(" in {}", aisle.name)
        } else {
            match kind.filter(|_| !space.is_any(region, AISLE_KIND)) {
                Some(kind) => format!(" in an aisle of kind `{kind}`"),
                None => String::new(),
            }
        };
        Some(place + &zone)
    }

    /// When the store has such a time, and the camera is watched in it.
    fn period(&self, region: &Region, camera: &Camera) -> Option<String> {
        let hours = &self.store.hours;
        let never_open = !hours.is_always_open()
            && hours.week.iter().all(Vec::is_empty)
            && hours.dates.values().all(Vec::is_empty);
        let comes = |period: &Period| match period {
            Period::Open => !never_open && camera.when != WatchWhen::Closed,
            Period::Closed => !hours.is_always_open() && camera.when != WatchWhen::Open,
        };
        let holds = |period: &Period| {
            let atom = self.space.atom_of(PERIOD, Some(period.as_str()));
            self.space.has(region, PERIOD, atom)
        };
        let period = [Period::Open, Period::Closed].into_iter().filter(comes).find(holds)?;
        let said = !self.space.is_any(region, PERIOD);
        Some(if said { format!(" while {}", period.as_str()) } else { String::new() })
    }
}
