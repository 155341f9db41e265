//! How a plan looks to people: what the change does, then who gets it when.

use std::fmt::Write;

use super::prepare::Prepared;
use crate::console::count;
use crate::deploy::plan::{Action, CellPlan, Plan, Step, WavePlan};
use crate::diagnostic::Colour;
use crate::paragraph::{first_of, shortened};
use crate::preflight;
use crate::review::{self, Detail};

/// Stores that a wave's line names. Our choice: what fits a line.
const NAMES_MAX: usize = 4;
/// Longest sentence about a loss, in characters. Our choice: three lines.
const LOSS_MAX: usize = 240;

/// The report: the review, the waves, the losses, what is stuck.
pub fn of(prepared: &Prepared, detail: Detail, colour: Colour) -> String {
    let plan = &prepared.plan;
    let mut page = String::new();
    if let Some(review) = &prepared.review {
        page.push_str(&review::human(review, detail, colour));
        page.push('\n');
    }
    page.push_str(&beforehand(prepared));
    page.push_str(&steps(plan));
    page.push_str(&left(prepared));
    page
}

/// The stacks that nobody touches, and that somebody may have forgotten.
pub fn left(prepared: &Prepared) -> String {
    let Some((cell, store)) = prepared.left.first() else { return String::new() };
    let names: Vec<_> =
        prepared.left.iter().map(|(cell, store)| format!("{store} in {cell}")).collect();
    let names = first_of(&names, NAMES_MAX);
    format!(
        "\nleft as they are  stacks of stores that are in no file of their cell: {names}\n  a store is \
         deleted by `arm destroy STORE --cell CELL`, such as `arm destroy {store} --cell {cell}`\n"
    )
}

/// What was found when it was looked whether it can succeed.
pub fn beforehand(prepared: &Prepared) -> String {
    if prepared.reports.is_empty() {
        return String::new();
    }
    format!("preflight\n{}\n", preflight::page(&prepared.reports))
}

/// Who gets it when, what is lost, what is stuck.
pub fn steps(plan: &Plan) -> String {
    if plan.is_empty() {
        let stacks: usize = plan.cells.iter().map(|it| it.stacks.len()).sum();
        return format!("nothing to deploy: {} as they shall be\n", count(stacks, "stack"));
    }
    let mut page = String::from("plan\n");
    for cell in &plan.cells {
        writeln!(page, "  cell {}  {}", cell.cell, of_cell(cell)).expect("a text takes more");
    }
    for wave in &plan.waves {
        if let Some(line) = of_wave(plan, wave) {
            writeln!(page, "  {line}").expect("a text takes more");
        }
    }
    let stuck: Vec<_> = plan.steps(Action::Blocked).collect();
    if !stuck.is_empty() {
        page.push_str("\nstuck  cannot be deployed before it is recovered\n");
    }
    for (cell, step) in stuck {
        let status = step.base.as_ref().map_or("", |it| it.status.as_str());
        writeln!(page, "  {}  in {status}: {}", step.stack, recover(cell, step))
            .expect("a text takes more");
    }
    if !plan.losses.is_empty() {
        page.push_str("\nlost for good  carried out only with --accept-loss\n");
    }
    for loss in &plan.losses {
        writeln!(page, "  {}  {}", loss.of, shortened(&loss.text, LOSS_MAX))
            .expect("a text takes more");
    }
    writeln!(page, "\ndigest {}", plan.digest).expect("a text takes more");
    page
}

/// What is done to a cell's stacks.
fn of_cell(cell: &CellPlan) -> String {
    let shared = cell.stacks.iter().filter(|it| it.store.is_none() && it.action != Action::Leave);
    let mut parts: Vec<_> = shared
        .map(|it| {
            let verb = if it.action == Action::Create { "create" } else { "update" };
            format!("{verb} {}", it.stack)
        })
        .collect();
    let stores: Vec<_> = cell.stacks.iter().filter(|it| it.store.is_some()).collect();
    for (action, verb) in
        [(Action::Create, "new"), (Action::Update, "to update"), (Action::Leave, "unchanged")]
    {
        let number = stores.iter().filter(|it| it.action == action).count();
        if number > 0 {
            parts.push(format!("{} {verb}", count(number, "store")));
        }
    }
    parts.join(", ")
}

/// A wave in which something changes: `wave canary  3 stores: a, b and c; watched 30 min; 0 may fail`.
fn of_wave(plan: &Plan, wave: &WavePlan) -> Option<String> {
    let steps = plan.cells.iter().flat_map(|it| &it.stacks).filter(|it| it.action != Action::Leave);
    let changing: Vec<_> = steps.filter_map(|it| it.store.as_ref()).collect();
    let stores: Vec<_> = wave.stores.iter().filter(|it| changing.contains(it)).collect();
    if stores.is_empty() {
        return None;
    }
    let names: Vec<_> = stores.iter().take(NAMES_MAX).map(|it| it.as_str()).collect();
    let mut names = names.join(", ");
    if stores.len() > NAMES_MAX {
        write!(names, " and {} more", stores.len() - NAMES_MAX).expect("a text takes more");
    }
    let bake = match wave.bake_seconds {
        0 => String::new(),
        seconds if seconds % 60 == 0 => format!("; alarms watched for {} min", seconds / 60),
        seconds => format!("; alarms watched for {seconds} s"),
    };
    let stores = count(stores.len(), "store");
    let may = wave.failures_max;
    Some(format!("wave {}  {stores}: {names}{bake}; {may} may fail", wave.wave))
}

/// The command for a stack that is stuck.
fn recover(cell: &CellPlan, step: &Step) -> String {
    match &step.store {
        Some(store) => format!("arm recover {store}"),
        None if step.stack.ends_with("-artifacts") => {
            format!("arm recover --artifacts {}", cell.cell)
        }
        None => format!("arm recover --platform {}", cell.cell),
    }
}
