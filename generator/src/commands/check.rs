//! `arm check`: says what is wrong with the stores, all of it at once.

use crate::commands::show::{self, Warnings};
use crate::commands::{AnswerFormat, StoresArgs, summary};
use crate::console::Console;
use crate::diagnostic::{self, Colour, Diagnostic};
use crate::error::CommandError;
use crate::explanation::{self, Explanation};
use crate::input::CompiledFleet;
use crate::report;
use crate::stack::{self, StackError};

/// Check every store, and say what is wrong with file, line, column and remedy
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    stores: StoresArgs,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human")]
    format: CheckFormat,
    /// Let warnings fail as errors do
    #[arg(long)]
    deny_warnings: bool,
    /// Explain a diagnostic's code, such as `unknown-aisle`, with an example; reads no stores
    #[arg(long, value_name = "CODE", value_parser = code, exclusive = true)]
    explain: Option<&'static Explanation>,
    /// Show one store with all that it inherits, and the file and line of every value
    #[arg(long, value_name = "STORE")]
    show: Option<String>,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum CheckFormat {
    /// For people
    Human,
    /// For programs: schema `arm.check/1`
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: notes at the lines of a pull request
    Github,
}

impl CheckFormat {
    /// How a store is shown; the other formats have words for problems alone.
    fn of_answer(self) -> Result<AnswerFormat, CommandError> {
        match self {
            Self::Human => Ok(AnswerFormat::Human),
            Self::Json => Ok(AnswerFormat::Json),
            Self::Sarif | Self::Github => Err(CommandError::Usage(
                "`--show` cannot be written in this format\n  help: use `--format human` or `--format json`"
                    .to_owned(),
            )),
        }
    }
}

pub fn run(args: &CheckArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    if let Some(explanation) = args.explain {
        let shown = match console.out_colour {
            Colour::Plain => explanation.text.to_owned(),
            Colour::Ansi => explanation::coloured(explanation.text),
        };
        return Ok(write!(console.out, "{shown}")?);
    }
    let show = match &args.show {
        Some(store) => Some((store, args.format.of_answer()?)),
        None => None,
    };
    let mut loaded = args.stores.load()?;
    let over =
        loaded.fleet.as_ref().or(loaded.over_quota.as_ref()).map(over_limits).unwrap_or_default();
    if !over.is_empty() {
        loaded.problems.extend(over);
        diagnostic::sort(&mut loaded.problems);
        loaded.fleet = None;
    }
    if let Some((store, format)) = show {
        let warnings = if args.deny_warnings { Warnings::Fail } else { Warnings::Pass };
        return show::run(&loaded, store, format, warnings, console);
    }
    let summary = summary(&loaded);
    let (sources, problems) = (&loaded.sources, &loaded.problems);
    let denied = args.deny_warnings && !problems.is_empty();
    let passed = loaded.fleet.is_some() && !denied;
    let summarised = if passed { format!("{summary}\n") } else { String::new() };
    let answer = match args.format {
        CheckFormat::Human => {
            let shown = diagnostic::render(sources, problems, console.colour);
            // A reader that is gone changes nothing about the answer.
            drop(write!(console.err, "{shown}"));
            if let Some(first) = problems.first() {
                let code = first.code;
                drop(writeln!(console.err, "for more about a code: arm check --explain {code}"));
            }
            summarised
        }
        CheckFormat::Json => format!("{}\n", diagnostic::to_json(sources, problems)),
        CheckFormat::Sarif => format!("{:#}\n", report::sarif(sources, problems)),
        CheckFormat::Github => report::github(sources, problems) + &summarised,
    };
    let written = write!(console.out, "{answer}");
    // A "no" stays a "no", whether or not anybody reads on.
    if !passed {
        return Err(CommandError::Configuration(summary));
    }
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
pub(super) fn over_limits(fleet: &CompiledFleet) -> Vec<Diagnostic> {
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
