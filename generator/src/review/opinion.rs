//! What CloudFormation itself says of a change, beside what a review says of it.
//!
//! A change set is asked for where the person wants it. Where it says the same, that is one sentence;
//! where it would replace or delete what we did not say, that must not be overlooked. What it cannot
//! know before it deploys is no contradiction. To compare something more, add it to [`contradiction`].

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::group::Groups;
use super::side::StackId;
use super::{Class, Finding, Review, Weight, judge, loss};
use crate::change::{Action, Fate, ResourceChange};
use crate::template::Template;

/// What a change set says of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub logical_id: String,
    /// Such as `AWS::SNS::Topic`.
    pub resource_type: String,
    pub action: Action,
    /// What becomes of the resource that leaves the stack, if one does.
    pub fate: Option<Fate>,
    /// False where nothing differs but what the resource refers to: whether that changes it is known
    /// only when it is deployed.
    pub is_certain: bool,
    /// What makes CloudFormation replace it: a property, with its values where they are told.
    pub reasons: Vec<String>,
}

/// What is known of one stack from both.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    pub id: StackId,
    /// The stack as it is: what its resources hold.
    pub before: Template,
    /// What we say.
    pub ours: Vec<ResourceChange>,
    /// What CloudFormation says; or why it refuses the change.
    pub theirs: Result<Vec<Said>, String>,
}

/// Adds to a review what CloudFormation says of it.
pub fn add(review: &mut Review, opinions: &[Opinion]) {
    let mut groups: Groups<Finding> = Groups::default();
    for opinion in opinions {
        let mut found = findings(opinion);
        if found.is_empty() {
            let text = "CloudFormation's change sets say the same".to_owned();
            found.push(Finding::new(Class::Other, Weight::Quiet, text));
        }
        for finding in found {
            groups.add(finding, &opinion.id, Vec::new());
        }
    }
    review.findings.extend(groups.finish());
    judge::sort(&mut review.findings);
}

/// What CloudFormation says otherwise of one stack.
fn findings(opinion: &Opinion) -> Vec<Finding> {
    let said = match &opinion.theirs {
        Ok(said) => said,
        Err(reason) => {
            let text = format!("CloudFormation refuses the change: {reason}");
            return vec![Finding::new(Class::Other, Weight::Loud, text)];
        }
    };
    let ours: BTreeMap<&str, &ResourceChange> =
        opinion.ours.iter().map(|it| (it.logical_id.as_str(), it)).collect();
    let theirs: BTreeMap<&str, &Said> =
        said.iter().map(|it| (it.logical_id.as_str(), it)).collect();
    let earlier: BTreeMap<&str, &Value> = opinion.before.resources().collect();
    let ids: BTreeSet<&str> = ours.keys().chain(theirs.keys()).copied().collect();
    let of = |id: &str| {
        let theirs = theirs.get(id).copied();
        let lost = theirs.zip(earlier.get(id)).and_then(|(said, it)| lost(said, it));
        contradiction(ours.get(id).copied(), theirs, lost)
    };
    ids.into_iter().flat_map(of).collect()
}

/// What is lost with a resource that is there, should it leave the stack as a change set says.
fn lost(said: &Said, resource: &Value) -> Option<String> {
    let Some(fate) = said.fate else {
        let held = loss::held(&said.logical_id, resource)?;
        return Some(format!("it holds {held}, and of that the change set says nothing"));
    };
    let end = loss::end(&said.logical_id, resource, fate)?;
    Some(format!("the old one {end}"))
}

/// How CloudFormation and we differ about one resource: nothing, or what it does, and what is lost with
/// it.
fn contradiction(
    ours: Option<&ResourceChange>,
    theirs: Option<&Said>,
    lost: Option<String>,
) -> Vec<Finding> {
    let (id, resource_type) = match (ours, theirs) {
        (_, Some(it)) => (&it.logical_id, &it.resource_type),
        (Some(it), None) => (&it.logical_id, &it.resource_type),
        (None, None) => return Vec::new(),
    };
    let (our, their) = (ours.map(|it| it.action), theirs.map(|it| it.action));
    let name = format!("`{id}` ({resource_type})");
    if is_same(our, theirs) {
        let fates = ours.and_then(ResourceChange::fate).zip(theirs.and_then(|it| it.fate));
        return fates.and_then(|it| other_fate(&name, it, lost)).into_iter().collect();
    }
    let is_replacement =
        |it: Option<Action>| matches!(it, Some(Action::Replace | Action::MayReplace));
    let class = if is_replacement(our) || is_replacement(their) {
        Class::Replacement
    } else {
        Class::Other
    };
    let is_loss = matches!(their, Some(Action::Replace | Action::Remove));
    let weight = if is_loss { Weight::Loud } else { Weight::Quiet };
    let text = format!(
        "CloudFormation's change set says that {name} {}; by the templates it {}",
        done(their),
        done(our)
    );
    let details = theirs.map(|it| it.reasons.clone()).unwrap_or_default();
    let data_loss = lost.filter(|_| is_loss).map(|lost| Finding {
        details: details.clone(),
        ..Finding::new(Class::DataLoss, Weight::Loud, format!("{text}; {lost}"))
    });
    // A replacement is one whatever is lost with it; anything else is told once.
    let is_told = data_loss.is_some() && class != Class::Replacement;
    let told = (!is_told).then(|| Finding { details, ..Finding::new(class, weight, text) });
    data_loss.into_iter().chain(told).collect()
}

/// Whether both say the same, as far as CloudFormation can know it.
fn is_same(ours: Option<Action>, theirs: Option<&Said>) -> bool {
    use Action::{Add, Attributes, MayReplace, Remove, Replace, Update};
    let Some(said) = theirs else {
        // Change sets say nothing of some attributes, such as a `DeletionPolicy` by itself. Source:
        // CloudFormation template reference, "`DeletionPolicy` attribute".
        return matches!(ours, Some(Attributes) | None);
    };
    match (ours, said.action) {
        (None, Update | Attributes) => !said.is_certain || said.action == Attributes,
        (Some(Update | Attributes), Update | Attributes)
        | (Some(Replace), Replace | MayReplace)
        | (Some(MayReplace), MayReplace)
        | (Some(Add), Add)
        | (Some(Remove), Remove) => true,
        _ => false,
    }
}

/// What is said of a resource that leaves its stack by both, and becomes something else.
fn other_fate(name: &str, (ours, theirs): (Fate, Fate), lost: Option<String>) -> Option<Finding> {
    let (our, their) = (left(ours), left(theirs));
    let text = format!(
        "CloudFormation's change set says that the old {name} {their}; by the templates it {our}"
    );
    Some(match (theirs.cmp(&ours), lost) {
        (Ordering::Greater, Some(lost)) => {
            Finding::new(Class::DataLoss, Weight::Loud, format!("{text}; {lost}"))
        }
        (Ordering::Greater, None) => Finding::new(Class::Other, Weight::Loud, text),
        (Ordering::Less, _) => Finding::new(Class::Other, Weight::Quiet, text),
        (Ordering::Equal, _) => return None,
    })
}

/// Completes "it ...".
fn left(fate: Fate) -> &'static str {
    match fate {
        Fate::Retained => "stays, outside every stack",
        Fate::Snapshot => "leaves a snapshot",
        Fate::Deleted => "is deleted",
    }
}

/// Completes "it ...".
fn done(action: Option<Action>) -> &'static str {
    match action {
        None => "stays as it is",
        Some(Action::Add) => "is made",
        Some(Action::Remove) => "leaves the stack",
        Some(Action::Replace) => "is replaced",
        Some(Action::MayReplace) => "may be replaced",
        Some(Action::Update | Action::Attributes) => "is changed in place",
    }
}

#[cfg(test)]
mod tests;
