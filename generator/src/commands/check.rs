//! `arm check`: says what is wrong with the stores, all of it at once.

use crate::commands::{AnswerFormat, StoresArgs, show, summary};
use crate::console::Console;
use crate::diagnostic::{self, Colour, Diagnostic};
use crate::error::CommandError;
use crate::explanation::{self, Explanation};
use crate::input::CompiledFleet;
use crate::stack::{self, StackError};

/// Check every store, and say what is wrong with file, line, column and remedy
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    stores: StoresArgs,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
    /// Explain a diagnostic's code, such as `unknown-aisle`, with an example; reads no stores
    #[arg(long, value_name = "CODE", value_parser = code, exclusive = true)]
    explain: Option<&'static Explanation>,
    /// Show one store with all that it inherits, and the file and line of every value
    #[arg(long, value_name = "STORE")]
    show: Option<String>,
}

pub fn run(args: &CheckArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    if let Some(explanation) = args.explain {
        let shown = match console.out_colour {
            Colour::Plain => explanation.text.to_owned(),
            Colour::Ansi => explanation::coloured(explanation.text),
        };
        return Ok(write!(console.out, "{shown}")?);
    }
    let mut loaded = args.stores.load()?;
    let over =
        loaded.fleet.as_ref().or(loaded.over_quota.as_ref()).map(over_limits).unwrap_or_default();
    if !over.is_empty() {
        loaded.problems.extend(over);
        diagnostic::sort(&mut loaded.problems);
        loaded.fleet = None;
    }
    if let Some(store) = &args.show {
        return show::run(&loaded, store, args.format, console);
    }
    let summary = summary(&loaded);
    let written = match args.format {
        AnswerFormat::Human => {
            let shown = diagnostic::render(&loaded.sources, &loaded.problems, console.colour);
            // A reader that is gone changes nothing about the answer.
            drop(write!(console.err, "{shown}"));
            let passed = loaded.fleet.is_some();
            if passed { writeln!(console.out, "{summary}") } else { Ok(()) }
        }
        AnswerFormat::Json => {
            writeln!(console.out, "{}", diagnostic::to_json(&loaded.sources, &loaded.problems))
        }
    };
    // A "no" stays a "no", whether or not anybody reads on.
    loaded.fleet.map(|_| ()).ok_or(CommandError::Configuration(summary))?;
    Ok(written?)
}

/// Reads a code of a diagnostic.
fn code(text: &str) -> Result<&'static Explanation, String> {
    explanation::find(text).ok_or_else(|| match explanation::nearest(text) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "codes stand in brackets, such as `unknown-aisle` in `error[unknown-aisle]`".to_owned()
        }
    })
}

/// What goes over CloudFormation's limits, which shows only in the templates.
fn over_limits(fleet: &CompiledFleet) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for store in &fleet.fleet.stores {
        let cell = fleet.fleet.cell_of(store);
        let checked = stack::check_store(cell, store, &fleet.rules_of(store).rules);
        if let Err(error @ StackError::Limit { .. }) = checked {
            let help = "split the store, or use fewer cameras, zones, rules or stored addresses";
            let problem =
                Diagnostic::error("stack-too-large", fleet.place_of(store), error.to_string());
            problems.push(problem.help(help));
        }
    }
    problems
}
