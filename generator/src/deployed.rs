//! What is deployed of a cell: the earlier side of a review, over a small trait.
//!
//! One paged list of stacks says which are of the cell, in which state, and from what each was made;
//! only templates that may differ are read, one after the other. Nothing is changed here: what asks
//! CloudFormation for change sets is `deployed/change_set.rs`. To see more of a stack, add it to
//! [`DeployedStack`].

mod change_set;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use change_set::{Answers, ChangeSetRequest, Worked, ask};

use crate::deploy::CloudError;
use crate::model::{Cell, Id};
use crate::name::CellNames;
use crate::paragraph::first_of;
use crate::release::{CELL_TAG, FUNCTIONS_KEY, STORE_TAG, StackPlan};
use crate::review::side::{Scope, StackId};
use crate::review::{Omission, Subject};
use crate::stack_status;
use crate::template::Template;

/// Names that a sentence lists. Our choice: more are alike.
const NAMES_MAX: usize = 3;

/// What reading needs of AWS, in its own words; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait DeployedServices {
    /// Every stack of the account and region that is not deleted.
    async fn stacks(&self) -> Result<Vec<DeployedStack>, CloudError>;
    /// The template as it was given; `None` when the stack is gone meanwhile.
    async fn template(&self, stack: &str) -> Result<Option<String>, CloudError>;
    /// Starts a change set of a stack that exists; never makes a stack. The inner error is why
    /// CloudFormation refuses what is asked.
    async fn create_change_set(
        &self,
        request: &ChangeSetRequest<'_>,
    ) -> Result<Result<(), String>, CloudError>;
    async fn change_set(&self, stack: &str, name: &str) -> Result<Worked, CloudError>;
    /// Deletes a change set; that there is none is fine.
    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError>;
    /// Waits between two looks.
    async fn pause(&self, time: Duration);
    /// Whether the person has asked to stop.
    fn is_stopped(&self) -> bool;
}

/// A stack as the list of stacks tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeployedStack {
    pub name: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    /// Digest of what it was deployed from, if `arm` deployed it.
    pub digest: Option<String>,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

/// Of which cell, and which of its stacks, is to be read.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub cell: &'a Cell,
    pub scope: Scope<'a>,
    /// The fleet's cells, by their ids: stacks of others are nobody's.
    pub cells: BTreeSet<&'a str>,
    /// What the stacks shall be, by the later side; of other cells too.
    pub templates: &'a BTreeMap<StackId, Template>,
}

/// A stack that differs and can be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub id: StackId,
    /// As `arm deploy` would have it.
    pub plan: StackPlan,
    pub before: Template,
    pub after: Template,
    /// Names of the parameters that have a value.
    pub parameters: BTreeSet<String>,
}

/// What is deployed of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deployed {
    pub templates: BTreeMap<StackId, Template>,
    /// Stacks that are there, and with which nothing can be compared.
    pub unknown: Vec<StackId>,
    pub standing: Vec<Standing>,
    /// What cannot be known of it.
    pub omissions: Vec<Omission>,
}

/// Reads what is deployed of a cell; `tell` hears how many templates are read, and of how many stacks.
pub async fn read(
    services: &impl DeployedServices,
    wanted: &Wanted<'_>,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Deployed, CloudError> {
    let mut deployed = Deployed::default();
    let ours = wanted.choose(services.stacks().await?, &mut deployed.omissions);
    let (same, other): (Vec<_>, Vec<_>) =
        ours.into_iter().partition(|(id, stack)| wanted.is_in_step(id, stack));
    tell(other.len(), same.len() + other.len());
    for (id, _) in same {
        if let Some(template) = wanted.templates.get(&id) {
            deployed.templates.insert(id, template.clone());
        }
    }
    for (id, stack) in other {
        let Some(text) = services.template(&stack.name).await? else { continue };
        match Template::parse(&text) {
            Ok(before) => {
                deployed.standing.extend(wanted.standing(&id, &stack, &before));
                deployed.templates.insert(id, before);
            }
            Err(error) => {
                let text = format!("the template of `{}` cannot be read: {error}", stack.name);
                deployed.omissions.push(Omission::gap(text));
                deployed.unknown.push(id);
            }
        }
    }
    Ok(deployed)
}

impl Wanted<'_> {
    /// The stacks of the cell that are there; what else is to be said of them and of others goes to
    /// `omissions`.
    fn choose(
        &self,
        stacks: Vec<DeployedStack>,
        omissions: &mut Vec<Omission>,
    ) -> Vec<(StackId, DeployedStack)> {
        let mut ours = Vec::new();
        let mut said: BTreeMap<Omission, Vec<String>> = BTreeMap::new();
        for stack in stacks {
            let state = stack_status::Standing::of(&stack.status);
            if matches!(state, stack_status::Standing::Absent | stack_status::Standing::Shell) {
                continue;
            }
            match self.identify(&stack) {
                Ok(id) if self.scope.holds(&id) => {
                    if let Some(omission) = omission(state, &stack.status) {
                        said.entry(omission).or_default().push(format!("`{}`", stack.name));
                    }
                    if state != stack_status::Standing::Void {
                        ours.push((id, stack));
                    }
                }
                Err(Some(sentence)) => {
                    said.entry(Omission::known(sentence))
                        .or_default()
                        .push(format!("`{}`", stack.name));
                }
                Ok(_) | Err(None) => {}
            }
        }
        omissions.extend(said.into_iter().map(|(it, names)| Omission {
            text: it.text.replace("{}", &first_of(&names, NAMES_MAX)),
            ..it
        }));
        ours
    }

    /// Which stack of the cell this is; otherwise what is to be said of it, if anything.
    fn identify(&self, stack: &DeployedStack) -> Result<StackId, Option<String>> {
        let names = CellNames::new(self.cell);
        let cell = self.cell.id.as_str();
        let tag = stack.tags.get(CELL_TAG).map(String::as_str);
        let is_store = |id: &Id| {
            let store = stack.tags.get(STORE_TAG);
            tag == Some(cell) && store.is_none_or(|it| it == id.as_str())
        };
        let shared = |name: String| name == stack.name && tag.is_none_or(|it| it == cell);
        let subject = if shared(names.artifacts_stack()) {
            Some(Subject::Artifacts(cell.to_owned()))
        } else if shared(names.platform_stack()) {
            Some(Subject::Platform(cell.to_owned()))
        } else {
            let store = names.store_of_stack(&stack.name);
            let subject = |id: &Id| Subject::Store(id.to_string());
            let id = |it: &Id| StackId { cell: cell.to_owned(), subject: subject(it) };
            // A store that we know goes by its name alone: `arm deploy` would take it, too.
            let is_known = |it: &Id| tag.is_none() && self.templates.contains_key(&id(it));
            store.filter(|it| is_store(it) || is_known(it)).map(|it| subject(&it))
        };
        if let Some(subject) = subject {
            return Ok(StackId { cell: cell.to_owned(), subject });
        }
        Err(match tag {
            Some(tag) if tag == cell => Some(format!(
                "{{}}: tagged {CELL_TAG}={cell}, with no name that `arm` gives; not compared"
            )),
            Some(tag) if !self.cells.contains(tag) => Some(format!(
                "{{}}: of the cell {tag}, which is not in fleet.yaml; not compared, and left alone by `arm deploy`"
            )),
            _ => None,
        })
    }

    /// Whether a stack was deployed from what it shall be: its digest is of template, parameters and
    /// tags, and can be worked out here, because the one parameter that a bundle gives is that of the
    /// stack. `arm deploy` would not touch such a stack, so that its template need not be read.
    fn is_in_step(&self, id: &StackId, stack: &DeployedStack) -> bool {
        let plan = self.templates.get(id).and_then(|it| self.plan(id, stack, it));
        let digest = plan.map(|it| it.digest());
        is_settled(stack) && digest.is_some() && digest == stack.digest
    }

    /// What `arm deploy` would ask for, with the function bundle that is deployed.
    fn plan(&self, id: &StackId, stack: &DeployedStack, template: &Template) -> Option<StackPlan> {
        Some(match &id.subject {
            Subject::Artifacts(_) => StackPlan::of_artifacts(self.cell, template),
            Subject::Platform(_) => {
                let key = stack.parameters.get(FUNCTIONS_KEY)?.clone();
                StackPlan::of_platform(self.cell, template, key)
            }
            Subject::Store(store) => StackPlan::of_store(self.cell, &Id::new(store)?, template),
            Subject::Home(_) => return None,
        })
    }

    /// A stack for which a change set can be asked: it exists, is to stay, and can be updated.
    fn standing(&self, id: &StackId, stack: &DeployedStack, before: &Template) -> Option<Standing> {
        let after = self.templates.get(id)?;
        let plan = self.plan(id, stack, after)?;
        is_settled(stack).then(|| Standing {
            id: id.clone(),
            plan,
            before: before.clone(),
            after: after.clone(),
            parameters: stack.parameters.keys().cloned().collect(),
        })
    }
}

/// Whether a stack is what its template says, and can be updated.
fn is_settled(stack: &DeployedStack) -> bool {
    stack_status::Standing::of(&stack.status) == stack_status::Standing::Settled
}

/// What a reader must know of a stack in a status; `{}` stands for its name. Where what is there may be
/// other than its template, so may be what a change does to it.
fn omission(standing: stack_status::Standing, status: &str) -> Option<Omission> {
    use stack_status::Standing::{Absent, Moving, Settled, Shell, Stuck, Void};
    let text = match standing {
        Absent | Shell | Settled => return None,
        Void => {
            "with nothing in it; counts as new, and must be deleted before `arm deploy` can make it"
        }
        Moving => "something is at work there, and what is there may not be what its template says",
        Stuck => "only its template is compared, and what is there may be other; see its events",
    };
    let text = format!("{{}}: in {status}; {text}");
    Some(if standing == Void { Omission::known(text) } else { Omission::gap(text) })
}

#[cfg(test)]
mod tests;
