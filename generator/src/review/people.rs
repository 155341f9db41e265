//! Who is told of what on both sides of a comparison: address by address, said together where all of
//! an audience change alike.
//!
//! A person hears a rule when an address is in an audience that the rule notifies, and the rule is no
//! shadow; the audience `ops` hears of cameras that ail. What hits a whole audience is said of the
//! audience, without addresses, so that it is the same sentence in every store. Addresses that come and
//! go are in `people/address.rs`, other words in `people/wording.rs`. Pure. To change what is loud, start
//! at [`Difference::weight`].

mod address;
#[cfg(test)]
mod tests;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

use contract::health::OPS_AUDIENCE;
use contract::priority::Priority;

use super::hearing::{ReadAddress, Side, same};
use super::{About, Class, Finding, Weight, path};
use crate::template::Template;

/// Returns who is told otherwise, what is missed first.
pub(super) fn people(before: Option<&Template>, after: Option<&Template>) -> Vec<Finding> {
    if before.zip(after).is_some_and(|(before, after)| same(before, after)) {
        return Vec::new();
    }
    let read = |template: Option<&Template>| template.map(Side::read).unwrap_or_default();
    let (before_side, after_side) = (read(before), read(after));
    if let Some(id) = before_side.unread.iter().chain(&after_side.unread).next() {
        let text =
            format!("`{id}` is not as `arm` writes it, so it is not compared who is told of what");
        return vec![finding(Weight::Loud, text, Vec::new())];
    }
    let sides = Sides::new(&before_side, &after_side);
    let mut findings = sides.unheard();
    findings.extend(sides.changed());
    findings.extend(address::findings(&sides));
    if before.is_some() && after.is_some() {
        findings.extend(wording::findings(&before_side, &after_side));
    }
    findings.sort_by_key(|it| it.weight);
    findings
}

fn finding(weight: Weight, text: String, about: Vec<About>) -> Finding {
    Finding { about, ..Finding::new(Class::People, weight, text) }
}

/// What one is told of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    /// Cases of a rule, by the name that it has now.
    Rule(String),
    /// Cameras that ail.
    Cameras,
}

impl Topic {
    fn words(&self, priority: Option<Priority>) -> String {
        match (self, priority) {
            (Self::Rule(name), Some(priority)) => format!("`{name}` ({priority})"),
            (Self::Rule(name), None) => format!("`{name}`"),
            (Self::Cameras, _) => "cameras that ail".to_owned(),
        }
    }
}

/// All that one is told of, with the priority that a rule gives.
type Hears = BTreeMap<Topic, Option<Priority>>;

/// What one is told of otherwise: nothing twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    lost: BTreeMap<Topic, Option<Priority>>,
    gained: BTreeMap<Topic, Option<Priority>>,
    /// Before and after.
    other: BTreeMap<Topic, (Priority, Priority)>,
}

impl Difference {
    fn new(before: &Hears, after: &Hears) -> Self {
        let only = |of: &Hears, other: &Hears| -> Hears {
            let only = of.iter().filter(|(topic, _)| !other.contains_key(topic));
            only.map(|(topic, priority)| (topic.clone(), *priority)).collect()
        };
        let other = before.iter().filter_map(|(topic, was)| {
            let pair = was.zip(*after.get(topic)?).filter(|(was, is)| was != is);
            Some((topic.clone(), pair?))
        });
        Self { lost: only(before, after), gained: only(after, before), other: other.collect() }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the other says all of this.
    fn is_within(&self, other: &Self) -> bool {
        self.lost.iter().all(|(topic, it)| other.lost.get(topic) == Some(it))
            && self.gained.iter().all(|(topic, it)| other.gained.get(topic) == Some(it))
            && self.other.iter().all(|(topic, it)| other.other.get(topic) == Some(it))
    }

    fn with(mut self, other: &Self) -> Self {
        self.lost.extend(other.lost.clone());
        self.gained.extend(other.gained.clone());
        self.other.extend(other.other.clone());
        self
    }

    /// Without what has a sentence of its own.
    fn without(mut self, said: &BTreeSet<Topic>) -> Self {
        self.lost.retain(|topic, _| !said.contains(topic));
        self
    }

    fn weight(&self) -> Weight {
        let is_lower = self.other.values().any(|(was, is)| is < was);
        if !self.lost.is_empty() || is_lower { Weight::Loud } else { Weight::Quiet }
    }

    /// Such as "is no longer told of `x` (high), is told of `y` (low) too".
    fn words(&self) -> String {
        let list = |topics: &Hears| told_of(topics);
        let mut parts = Vec::new();
        if !self.lost.is_empty() {
            parts.push(format!("is no longer told of {}", list(&self.lost)));
        }
        if !self.gained.is_empty() {
            parts.push(format!("is told of {} now", list(&self.gained)));
        }
        parts.extend(self.other.iter().map(|(topic, (was, is))| {
            format!("is told of {} as {is} instead of {was}", topic.words(None))
        }));
        parts.join(", ")
    }

    /// The settings of the rules that this is about.
    fn about(&self) -> Vec<About> {
        let topics = self.lost.keys().chain(self.gained.keys()).chain(self.other.keys());
        let rules = topics.filter_map(|topic| match topic {
            Topic::Rule(name) => Some(path(&["rules", name])),
            Topic::Cameras => None,
        });
        rules.collect()
    }
}

/// The most urgent first.
fn told_of(topics: &Hears) -> String {
    let mut all: Vec<_> = topics.iter().collect();
    all.sort_by_key(|(topic, priority)| (std::cmp::Reverse(**priority), (*topic).clone()));
    let all: Vec<_> = all.into_iter().map(|(topic, priority)| topic.words(*priority)).collect();
    all.join(", ")
}

/// What each audience is told of, on one side.
#[derive(Debug, Default)]
struct Hearing {
    by_audience: BTreeMap<String, Hears>,
    /// Every rule, also those that tell nobody.
    rules: BTreeMap<String, (Priority, BTreeSet<String>)>,
}

impl Hearing {
    /// `name` says under which name a rule is known.
    fn new(side: &Side, name: impl Fn(&str) -> String) -> Self {
        let mut hearing = Self::default();
        for (rule, treatment) in side.treatments() {
            let topic = Topic::Rule(name(rule));
            for audience in treatment.told() {
                let hears = hearing.by_audience.entry(audience.to_owned()).or_default();
                hears.insert(topic.clone(), Some(treatment.priority));
            }
            let told = treatment.told().into_iter().map(str::to_owned).collect();
            hearing.rules.insert(name(rule), (treatment.priority, told));
        }
        let ops = hearing.by_audience.entry(OPS_AUDIENCE.to_owned()).or_default();
        ops.insert(Topic::Cameras, None);
        hearing
    }

    fn of<'a>(&self, audiences: impl IntoIterator<Item = &'a String>) -> Hears {
        let all = audiences.into_iter().filter_map(|it| self.by_audience.get(it)).flatten();
        all.map(|(topic, priority)| (topic.clone(), *priority)).collect()
    }
}

/// Both sides, read.
struct Sides<'a> {
    before: &'a Side,
    after: &'a Side,
    was: Hearing,
    is: Hearing,
}

impl<'a> Sides<'a> {
    fn new(before: &'a Side, after: &'a Side) -> Self {
        let (old, new) = (before.treatments(), after.treatments());
        // A rule of another name that matches the same is the same rule.
        let renamed = |name: &str| {
            let gone = !new.contains_key(name);
            let patterns = before.patterns(name);
            let is_same = |it: &&&str| !old.contains_key(**it) && after.patterns(it) == patterns;
            let found = new.keys().filter(|_| gone).find(is_same);
            found.map_or(name, |it| it).to_owned()
        };
        let was = Hearing::new(before, renamed);
        let is = Hearing::new(after, str::to_owned);
        Self { before, after, was, is }
    }

    /// The addresses that are on both sides.
    fn kept(&self) -> Vec<(&'a ReadAddress, &'a ReadAddress)> {
        let key = |it: &&ReadAddress, other: &ReadAddress| {
            (&it.channel, &it.endpoint) == (&other.channel, &other.endpoint)
        };
        let find = |is: &'a ReadAddress| {
            let was = self.before.addresses.iter().find(|it| key(it, is));
            was.map(|was| (was, is))
        };
        self.after.addresses.iter().filter_map(find).collect()
    }

    /// Rules and audiences that tell somebody on one side, and nobody on the other.
    fn unheard(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (topic, was, priority) in self.silenced() {
            let Topic::Rule(name) = &topic else {
                let text = "nobody is told of cameras that ail any more".to_owned();
                findings.push(finding(
                    Weight::Loud,
                    text,
                    vec![path(&["subscribers", OPS_AUDIENCE])],
                ));
                continue;
            };
            let text =
                format!("a {priority} case of `{name}` tells nobody now; before, it told {was}");
            let about = [path(&["rules", name]), path(&["subscribers"])];
            findings.push(finding(Weight::Loud, text, about.into()));
        }
        findings
    }

    /// What somebody was told of, and nobody is now, though it is still there; who was told.
    fn silenced(&self) -> Vec<(Topic, String, String)> {
        let heard = |side: &Side, audiences: &BTreeSet<String>| {
            side.addresses.iter().any(|it| !it.audiences.is_disjoint(audiences))
        };
        let mut found = Vec::new();
        for (name, (priority, told)) in &self.is.rules {
            let Some((_, was)) = self.was.rules.get(name) else { continue };
            if heard(self.before, was) && !heard(self.after, told) {
                found.push((Topic::Rule(name.clone()), audiences(was), priority.to_string()));
            }
        }
        let ops = BTreeSet::from([OPS_AUDIENCE.to_owned()]);
        if heard(self.before, &ops) && !heard(self.after, &ops) && self.after.watch.is_some() {
            found.push((Topic::Cameras, String::new(), String::new()));
        }
        found
    }

    /// People who stay, and are told otherwise.
    fn changed(&self) -> Vec<Finding> {
        let silenced: BTreeSet<_> = self.silenced().into_iter().map(|(topic, ..)| topic).collect();
        let kept: Vec<_> = self.kept();
        let differs = |was: &ReadAddress, is: &ReadAddress| {
            let (was, is) = (self.was.of(&was.audiences), self.is.of(&is.audiences));
            Difference::new(&was, &is).without(&silenced)
        };
        let kept: Vec<_> = kept.into_iter().map(|(was, is)| (was, is, differs(was, is))).collect();
        let mut by_audience: BTreeMap<&String, Difference> = BTreeMap::new();
        for audience in
            kept.iter().flat_map(|(was, is, _)| was.audiences.intersection(&is.audiences))
        {
            let difference = Difference::new(&self.was.of([audience]), &self.is.of([audience]));
            by_audience.insert(audience, difference.without(&silenced));
        }
        // Where each of its addresses changes with it, the audience is told.
        by_audience.retain(|audience, difference| {
            let mut own = kept.iter().filter(|(_, is, _)| is.audiences.contains(*audience));
            !difference.is_empty() && own.all(|(_, _, own)| difference.is_within(own))
        });
        let mut alike: BTreeMap<Difference, BTreeSet<String>> = BTreeMap::new();
        for (audience, difference) in &by_audience {
            alike.entry(difference.clone()).or_default().insert((*audience).clone());
        }
        let whole = alike.iter().map(|(difference, names)| {
            let who = if names.len() == 1 {
                audiences(names)
            } else {
                format!("each of {}", audiences(names))
            };
            finding(
                difference.weight(),
                format!("{who} {}", difference.words()),
                difference.about(),
            )
        });
        let mut findings: Vec<_> = whole.collect();
        for (was, is, difference) in &kept {
            let said = is.audiences.iter().filter_map(|it| by_audience.get(it));
            let said = said.fold(Difference::default(), Difference::with);
            findings.extend(address::changed(was, is, difference, &said));
        }
        findings
    }
}

/// `` `floor`, `loss-prevention` ``
fn audiences(names: &BTreeSet<String>) -> String {
    names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}
