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
use crate::review::{self, Names, Omission, Subject, opinion};

use super::{DiffArgs, check_names, conclude};

/// What no template says, because it is a parameter.
const NO_BUNDLE: &str =
    "the function bundle is not compared: `arm deploy` brings the one that `arm bundle` built";

/// A cell's stacks, and those of them that CloudFormation can be asked about.
pub(in crate::commands) type Place = (Deployment, Vec<Standing>);

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
    omissions.extend(has_platform.then(|| Omission::known(NO_BUNDLE)));
    omissions.extend(not_read(args, &cells, head));
    let base = Base::Made(templates);
    check_names(args, &base, head)?;
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
            let text = format!("CloudFormation was asked about no more than {stacks}");
            omissions.push(Omission::known(text));
        }
    }
    review.omissions.append(&mut omissions);
    both(asked, conclude(args, &review, console), console)
}

/// What came of asking and of the gates. Where both went wrong, the answer is the gates' no, which
/// holds whatever CloudFormation would have said; the other is told before it.
fn both(
    asked: Result<(), CommandError>,
    concluded: Result<(), CommandError>,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let Err(error) = asked else { return concluded };
    if concluded.is_err() {
        // Nobody need read that for the answer to be right.
        drop(write!(console.err, "{}", describe(&error)));
        return concluded;
    }
    Err(error)
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

/// The cells in which stores that are named may be deployed, too, and of which nothing was read. The
/// person chose so: it is no gap.
fn not_read(args: &DiffArgs, cells: &[&Cell], head: Written<'_>) -> Option<Omission> {
    if args.only.is_empty() || args.cell.is_some() {
        return None;
    }
    let is_read = |it: &Cell| cells.iter().any(|cell| cell.id == it.id);
    let others = head.fleet.fleet.cells.iter().filter(|it| !is_read(it));
    let names: Vec<_> = others.map(|it| format!("`{}`", it.id)).collect();
    let noun = if names.len() == 1 { "the cell" } else { "the cells" };
    let text = "not read, as the stores that are named are in none of them by their files; one that moved is deployed there still";
    (!names.is_empty()).then(|| Omission::known(format!("{noun} {}: {text}", names.join(", "))))
}

/// What is deployed of these cells.
pub(in crate::commands) async fn read(
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

/// What failed while a change set was there that may be there still.
#[derive(Debug, thiserror::Error)]
#[error("{left}")]
struct Left {
    left: String,
    source: CloudError,
}

/// How the asking ended, with the change set that may be left.
fn ended(done: Result<(), CloudError>, answers: &Answers) -> Result<(), CommandError> {
    let left = answers.open.as_ref().map(|(stack, name)| {
        format!(
            "the change set {name} of the stack {stack} may be left\n  help: delete it (`aws \
             cloudformation delete-change-set --stack-name {stack} --change-set-name {name}`)"
        )
    });
    match (done, left) {
        (Ok(()), left) if answers.is_stopped => {
            let text = "stopped; CloudFormation was not asked about every stack";
            Err(CommandError::Partly(match left {
                Some(left) => format!("{text}, and {left}"),
                None => format!("{text}\n  help: run it again"),
            }))
        }
        (Ok(()), _) => Ok(()),
        (Err(error), None) => Err(CommandError::environment(error)),
        (Err(source), Some(left)) => Err(CommandError::environment(Left { left, source })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Colour;

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
        assert!(text.starts_with("error: the change set arm-diff-0a of the stack"), "{text}");
        let causes = "\n  caused by: cannot delete the change set\n  caused by: throttled\n";
        assert!(text.ends_with(&format!("{delete}{causes}")), "{text}");
    }

    #[test]
    fn a_gate_s_no_is_the_answer_also_where_cloudformation_could_not_be_asked() {
        let asked = || CommandError::Partly("stopped".to_owned());
        let no = || CommandError::Configuration("this change loses data".to_owned());
        let of = |asked: Result<_, _>, concluded: Result<_, _>| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut console = Console {
                out: &mut out,
                err: &mut err,
                out_colour: Colour::Plain,
                colour: Colour::Plain,
                place: crate::console::Place::Elsewhere,
                input: None,
            };
            let code =
                both(asked, concluded, &mut console).map_or_else(|it| it.exit_code(), |()| 0);
            (code, String::from_utf8(err).unwrap())
        };
        assert_eq!(of(Err(asked()), Err(no())), (1, "error: stopped\n".to_owned()));
        assert_eq!(of(Err(asked()), Ok(())), (4, String::new()));
        assert_eq!(of(Ok(()), Err(no())), (1, String::new()));
        assert_eq!(of(Ok(()), Ok(())), (0, String::new()));
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
