//! `--fail-on`: what a change may not do without more than a merge. Pure.

use std::fmt;
use std::str::FromStr;

use crate::console::count;
use crate::cost::in_dollars;
use crate::review::{Class, Review, Weight};

/// One thing that a change may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Anything loud of this class.
    Class(Class),
    /// Costing more than so many cents a month.
    Cost(i64),
}

impl Gate {
    /// Whether it is about what templates alone do not tell: what cameras send.
    pub(super) fn needs_sums(self) -> bool {
        matches!(self, Self::Cost(_) | Self::Class(Class::Cost | Class::Quota))
    }
}

/// As it was asked for.
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => f.write_str(class.as_str()),
            Self::Cost(cents) => write!(f, "cost>{}", cents / 100),
        }
    }
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(limit) = text.strip_prefix("cost>") {
            let dollars: Option<i64> =
                limit.parse().ok().filter(|it| (0..=1_000_000_000).contains(it));
            let cents = dollars.map(|it| Self::Cost(it * 100));
            return cents
                .ok_or_else(|| "write whole dollars a month, such as `cost>200`".to_owned());
        }
        let mut gated = Class::ALL.into_iter().filter(|it| *it != Class::Cost);
        match gated.clone().find(|it| it.as_str() == text) {
            Some(class) => Ok(Self::Class(class)),
            None if text == "cost" => {
                Err("say from how much on, in quotes because of the shell: 'cost>200'".to_owned())
            }
            None => {
                let all: Vec<_> = gated.by_ref().map(Class::as_str).collect();
                Err(format!("write one of {}, cost>DOLLARS", all.join(", ")))
            }
        }
    }
}

/// What the change does that the gates do not let through, each as the rest of a sentence. What nobody
/// could look at is let through by no gate.
pub(super) fn refusals(gates: &[Gate], review: &Review) -> Vec<String> {
    let mut refusals: Vec<_> = gates.iter().filter_map(|gate| refusal(*gate, review)).collect();
    let gaps = review.omissions.iter().filter(|it| it.is_gap && !gates.is_empty());
    let gaps: Vec<_> = gaps.map(|it| it.text.as_str()).collect();
    if !gaps.is_empty() {
        refusals.push(format!("may do more than could be compared ({})", gaps.join("; ")));
    }
    refusals
}

fn refusal(gate: Gate, review: &Review) -> Option<String> {
    match gate {
        Gate::Class(class) => {
            let loud = |it: &&_| is_loud(it, class);
            let number = review.findings.iter().filter(loud).count();
            let findings = count(number, "finding");
            (number > 0).then(|| format!("{} ({}: {findings})", does(class), class.as_str()))
        }
        Gate::Cost(limit) => {
            let costs = review.costs.as_ref()?;
            let more = costs.after_cents - costs.before_cents;
            (more > limit).then(|| {
                format!(
                    "costs {} a month more, over the limit of {}",
                    in_dollars(more),
                    in_dollars(limit)
                )
            })
        }
    }
}

/// What a change of this class does.
fn does(class: Class) -> &'static str {
    match class {
        Class::DataLoss => "loses data",
        Class::Replacement => "makes resources anew",
        Class::Access => "widens access",
        Class::People => "changes who is told",
        Class::Rules => "treats detections otherwise",
        Class::Quota => "needs more than there is",
        Class::Cost | Class::Other => "does what must not be overlooked",
    }
}

fn is_loud(group: &crate::review::Group<crate::review::Finding>, class: Class) -> bool {
    group.what.class == class && group.what.weight == Weight::Loud
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{Finding, Group, Omission, Tally};

    fn review(findings: &[(Class, Weight)], omissions: Vec<Omission>) -> Review {
        let finding = |(class, weight): &(Class, Weight)| Group {
            what: Finding {
                class: *class,
                weight: *weight,
                text: String::new(),
                details: Vec::new(),
                about: Vec::new(),
            },
            subjects: Vec::new(),
            causes: Vec::new(),
        };
        Review {
            base: String::new(),
            head: String::new(),
            stacks: Tally::default(),
            resources: Tally::default(),
            findings: findings.iter().map(finding).collect(),
            changes: Vec::new(),
            costs: None,
            omissions,
        }
    }

    #[test]
    fn a_loud_finding_of_every_class_but_cost_is_refused_by_the_gate_of_its_class_alone() {
        for class in Class::ALL.into_iter().filter(|it| *it != Class::Cost) {
            let gate: Gate = class.as_str().parse().unwrap();
            assert_eq!(gate.to_string(), class.as_str());
            for other in Class::ALL {
                let loud = review(&[(other, Weight::Loud)], Vec::new());
                assert_eq!(refusals(&[gate], &loud).len(), usize::from(other == class), "{gate}");
                let quiet = review(&[(other, Weight::Quiet)], Vec::new());
                assert_eq!(refusals(&[gate], &quiet), Vec::<String>::new());
            }
        }
        assert_eq!("cost>200".parse::<Gate>().unwrap().to_string(), "cost>200");
    }

    #[test]
    fn no_gate_lets_through_what_could_not_be_compared_and_what_is_only_told_stops_none() {
        let gate: Gate = "data-loss".parse().unwrap();
        let gap = || review(&[], vec![Omission::gap("`a`: in DELETE_FAILED")]);
        assert_eq!(
            refusals(&[gate], &gap()),
            ["may do more than could be compared (`a`: in DELETE_FAILED)"]
        );
        assert_eq!(refusals(&[], &gap()), Vec::<String>::new());
        let known = review(&[], vec![Omission::known("the function bundle is not compared")]);
        assert_eq!(refusals(&[gate], &known), Vec::<String>::new());
    }
}
