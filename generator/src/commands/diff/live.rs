//! `arm diff --live`: the folder beside what is deployed, cell by cell.
//!
//! Credentials are checked for every cell before the first stack is read. Nothing in AWS is changed;
//! with `--change-sets`, what CloudFormation is asked is deleted again, also at Ctrl-C.

use crate::aws::deployed::Deployment;
use crate::commands::{self, stack_error};
use crate::console::{Console, count};
use crate::deploy::CloudError;
use crate::deployed::{self, Answers, Deployed, Standing, Wanted};
use crate::error::{CommandError, describe};
use crate::model::Cell;
use crate::review::side::{Base, Scope, Written};
use crate::review::{self, Names, Subject, opinion};

use super::{DiffArgs, check_names, conclude};

/// What no template says, because it is a parameter.
const NO_BUNDLE: &str =
    "the function bundle is not compared: `arm deploy` brings the one that `arm bundle` built";

/// A cell's stacks, and those of them that CloudFormation can be asked about.
type Place = (Deployment, Vec<Standing>);

pub(super) fn run(
    args: &DiffArgs,
    head: Written<'_>,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let cells = chosen(args, head)?;
    let ids: Vec<String> = cells.iter().map(|it| it.id.to_string()).collect();
    let scope = Scope { stores: &args.only, cells: &ids, unknown: &[] };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (all, places) = runtime.block_on(read(&cells, head, scope, console))?;
    let Deployed { templates, unknown, mut omissions, .. } = all;
    let has_platform = templates.keys().any(|it| matches!(it.subject, Subject::Platform(_)));
    omissions.extend(has_platform.then(|| NO_BUNDLE.to_owned()));
    let base = Base::Made(templates);
    check_names(&args.only, &base, head)?;
    let folder = args.stores.folder.stores.display().to_string();
    let names = Names { base: "what is deployed", head: &folder };
    let scope = Scope { unknown: &unknown, ..scope };
    let mut review = review::review(&base, head, &scope, names).map_err(stack_error)?;
    let mut asked = Ok(());
    if args.change_sets {
        let mut answers = Answers::default();
        asked = runtime.block_on(ask(&places, &mut answers, console));
        opinion::add(&mut review, &answers.opinions);
        omissions.append(&mut answers.omissions);
        if asked.is_err() {
            let stacks = count(answers.opinions.len(), "stack");
            omissions.push(format!("CloudFormation was asked about no more than {stacks}"));
        }
    }
    review.omissions.append(&mut omissions);
    let concluded = conclude(args, &review, console);
    asked?;
    concluded
}

/// The cells that the arguments name: those of the stores, where stores are named that the folder has.
fn chosen<'a>(args: &DiffArgs, head: Written<'a>) -> Result<Vec<&'a Cell>, CommandError> {
    let fleet = &head.fleet.fleet;
    if let Some(id) = &args.cell {
        return Ok(vec![commands::cell_of(fleet, id)?]);
    }
    let named: Vec<_> = args.only.iter().map(|id| head.store(id)).collect();
    let is_of = |cell: &Cell| named.iter().flatten().any(|(it, _)| it.id == cell.id);
    // A store that is in no file may be deployed in any cell.
    let is_every = named.is_empty() || named.iter().any(Option::is_none);
    Ok(fleet.cells.iter().filter(|cell| is_every || is_of(cell)).collect())
}

/// What is deployed of these cells.
async fn read(
    cells: &[&Cell],
    head: Written<'_>,
    scope: Scope<'_>,
    console: &mut Console<'_>,
) -> Result<(Deployed, Vec<Place>), CommandError> {
    let templates = head.templates(&scope).map_err(stack_error)?;
    let mut targets = Vec::new();
    for cell in cells {
        targets.push(commands::target_of(cell, console).await?);
    }
    let (mut all, mut places) = (Deployed::default(), Vec::new());
    for (cell, target) in cells.iter().zip(&targets) {
        let services = Deployment::connect(target).await;
        let cells = head.fleet.fleet.cells.iter().map(|it| it.id.as_str()).collect();
        let wanted = Wanted { cell, scope, cells, templates: &templates };
        let mut tell = |read: usize, of: usize| {
            let stacks = count(of, "stack");
            let rest = match of - read {
                0 => String::new(),
                same => format!("; {same} in step"),
            };
            // Nobody need read that for the answer to be right.
            drop(writeln!(console.err, "reading {read} of {stacks} of {}{rest}", cell.id));
        };
        let found = deployed::read(&services, &wanted, &mut tell).await;
        let found = found.map_err(CommandError::environment)?;
        all.templates.extend(found.templates);
        all.unknown.extend(found.unknown);
        all.omissions.extend(found.omissions);
        places.push((services, found.standing));
    }
    all.omissions.sort();
    all.omissions.dedup();
    Ok((all, places))
}

/// Asks CloudFormation about every stack that differs. A second signal ends even the call that is under
/// way; then the change set that may be left is named.
async fn ask(
    places: &[Place],
    answers: &mut Answers,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    for (services, standing) in places {
        let mut tell = |stack: &str| {
            // Nobody need read that for the answer to be right.
            drop(writeln!(console.err, "asking CloudFormation about {stack}"));
        };
        let done = tokio::select! {
            biased;
            () = services.hear_signals() => None,
            done = deployed::ask(services, standing, answers, &mut tell) => Some(done),
        };
        answers.is_stopped |= done.is_none();
        ended(done.unwrap_or(Ok(())), answers)?;
    }
    Ok(())
}

/// How the asking ended, with the change set that may be left.
fn ended(done: Result<(), CloudError>, answers: &Answers) -> Result<(), CommandError> {
    let left = answers.open.as_ref().map(|(stack, name)| {
        format!(
            "\n  help: the change set {name} of the stack {stack} may be left; delete it \
             (`aws cloudformation delete-change-set --stack-name {stack} --change-set-name {name}`)"
        )
    });
    match (done, left) {
        (Ok(()), left) if answers.is_stopped => {
            let help = left.unwrap_or_else(|| "\n  help: run it again".to_owned());
            let text = "stopped; CloudFormation was not asked about every stack";
            Err(CommandError::Partly(format!("{text}{help}")))
        }
        (Ok(()), _) => Ok(()),
        (Err(error), None) => Err(CommandError::environment(error)),
        (Err(error), Some(left)) => {
            let text = describe(&CommandError::environment(error));
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            Err(CommandError::Environment(format!("{text}{left}").into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (String, String) {
        ("arm-us-west-store-a-1".to_owned(), "arm-diff-0a".to_owned())
    }

    fn failed() -> Result<(), CloudError> {
        Err(CloudError::other("delete the change set", "throttled"))
    }

    #[test]
    fn however_the_asking_ends_a_change_set_that_may_be_left_is_named() {
        let delete = "delete it (`aws cloudformation delete-change-set --stack-name \
                      arm-us-west-store-a-1 --change-set-name arm-diff-0a`)";
        let stopped = Answers { is_stopped: true, open: Some(open()), ..Answers::default() };
        let error = ended(Ok(()), &stopped).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(describe(&error).contains(delete), "{error}");
        let error =
            ended(failed(), &Answers { open: Some(open()), ..Answers::default() }).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let text = describe(&error);
        assert!(text.starts_with("error: cannot delete the change set\n  caused by: throttled\n"));
        assert!(text.contains(delete), "{text}");
    }

    #[test]
    fn what_ended_in_order_is_no_failure_and_what_was_stopped_says_so() {
        ended(Ok(()), &Answers::default()).unwrap();
        let stopped = Answers { is_stopped: true, ..Answers::default() };
        let error = ended(Ok(()), &stopped).unwrap_err();
        assert!(describe(&error).ends_with("help: run it again\n"), "{error}");
        assert_eq!(ended(failed(), &Answers::default()).unwrap_err().exit_code(), 3);
    }
}
