//! `arm check --show STORE`: one store with all that it inherits, and where each value comes from.

use std::path::Path;

use serde_json::{Value, json};

use crate::commands::{AnswerFormat, summary};
use crate::console::Console;
use crate::diagnostic::{self, suggest};
use crate::effective::{self, Origin, Shown};
use crate::error::CommandError;
use crate::inherit;
use crate::input::Input;

/// What warnings do to the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warnings {
    Pass,
    Fail,
}

/// Shows one store; what is wrong with the fleet is told as well.
pub fn run(
    input: &Input,
    store: &str,
    format: AnswerFormat,
    warnings: Warnings,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let problems = diagnostic::render(&input.sources, &input.problems, console.colour);
    // A reader that is gone changes nothing about the answer.
    drop(write!(console.err, "{problems}"));
    let config = input.store_configs.iter().find(|(stem, _)| stem == store);
    let Some((_, config)) = config else {
        return Err(CommandError::Configuration(not_there(input, store)));
    };
    let values = effective::values(&inherit::resolve(&input.fleet_config, config));
    match format {
        AnswerFormat::Json => writeln!(console.out, "{}", to_json(input, store, &values))?,
        AnswerFormat::Human => {
            let page = effective::page(&values, |origin| in_words(input, origin));
            write!(console.out, "{page}")?;
        }
    }
    let denied = warnings == Warnings::Fail && !input.problems.is_empty();
    let failed = input.fleet.is_none() || denied;
    if failed { Err(CommandError::Configuration(summary(input))) } else { Ok(()) }
}

/// Why a store cannot be shown, and what to do.
fn not_there(input: &Input, store: &str) -> String {
    let names = input.problems.iter().map(|problem| input.sources.name(problem.place.file));
    let of_store = |name: &&str| Path::new(name).file_stem().is_some_and(|stem| stem == store);
    // The fleet's own file is no store's, whatever is wrong with it.
    if store != "fleet"
        && let Some(name) = names.into_iter().find(of_store)
    {
        let help = "mend what is said of the file above";
        return format!("cannot show `{store}`: {name} cannot be read\n  help: {help}");
    }
    let help = suggest(store, input.store_configs.iter().map(|(stem, _)| stem.as_str()));
    let help = if help.is_empty() {
        "name a store whose file can be read; `arm new` makes one like another".to_owned()
    } else {
        help
    };
    format!("there is no store `{store}` that can be read\n  help: {help}")
}

fn in_words(input: &Input, origin: &Origin) -> Option<String> {
    match origin {
        Origin::Written(place) => {
            let (line, _) = input.sources.line_column(place);
            Some(format!("{}:{line}", input.sources.name(place.file)))
        }
        Origin::BuiltIn => Some("built in".to_owned()),
        Origin::None => None,
    }
}

/// Schema `arm.show/1`: every value by its path; `file` and `line` are null for what is built in.
fn to_json(input: &Input, store: &str, values: &[Shown]) -> Value {
    let values = values.iter().filter(|it| it.origin != Origin::None).map(|it| {
        let place = match &it.origin {
            Origin::Written(place) => Some(place),
            Origin::BuiltIn | Origin::None => None,
        };
        json!({
            "path": it.path,
            "value": it.value,
            "file": place.map(|place| input.sources.name(place.file)),
            "line": place.map(|place| input.sources.line_column(place).0),
        })
    });
    json!({ "schema": "arm.show/1", "store": store, "values": values.collect::<Vec<_>>() })
}
