//! `--fail-on`: what a change may not do without more than a merge. Pure.

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
        let gated = Class::ALL.into_iter().filter(|it| !matches!(it, Class::Cost | Class::Other));
        let mut words = gated.clone().map(Class::as_str);
        match gated.clone().find(|it| it.as_str() == text) {
            Some(class) => Ok(Self::Class(class)),
            None if text == "cost" => {
                Err("say from how much on, in quotes because of the shell: 'cost>200'".to_owned())
            }
            None => {
                let all: Vec<_> = words.by_ref().collect();
                Err(format!("write one of {}, cost>DOLLARS", all.join(", ")))
            }
        }
    }
}

/// What the change does that the gates do not let through, each as the rest of a sentence.
pub(super) fn refusals(gates: &[Gate], review: &Review) -> Vec<String> {
    gates.iter().filter_map(|gate| refusal(*gate, review)).collect()
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
        Class::Cost | Class::Other => "does more",
    }
}

fn is_loud(group: &crate::review::Group<crate::review::Finding>, class: Class) -> bool {
    group.what.class == class && group.what.weight == Weight::Loud
}
