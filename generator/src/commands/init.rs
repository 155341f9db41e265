//! `arm init`: a fleet from nothing, one file for what stores share and one for the first store.
//!
//! What the options do not say is asked, if somebody is there to answer; each answer is judged at
//! once. Nothing that exists is overwritten. What the files hold stands in `starter`.

use std::path::{Path, PathBuf};

use crate::commands::schema;
use crate::console::Console;
use crate::error::CommandError;
use crate::files;
use crate::load::FLEET_FILE;
use crate::starter::{Answers, Field};

/// Make a fleet with its first store; asks for what the options leave open
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Folder in which `stores/` is made
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Id of the first cell: an account and region
    #[arg(long, value_name = "ID")]
    cell: Option<String>,
    /// Its AWS account, twelve digits
    #[arg(long, value_name = "DIGITS")]
    account: Option<String>,
    /// Its AWS region
    #[arg(long)]
    region: Option<String>,
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "image",
        help = "SageMaker endpoint that watches the video"
    )]
    endpoint: Option<String>,
    /// Container image of a model to host instead, in Amazon ECR
    #[arg(long, value_name = "URI")]
    image: Option<String>,
    /// Type of the instances that run the image
    #[arg(long, value_name = "TYPE", requires = "image")]
    instance: Option<String>,
    /// Time zone of the stores, such as `America/Los_Angeles`
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Who is told of errors; nobody without it
    #[arg(long, value_name = "ADDRESS")]
    ops_email: Option<String>,
    /// Id of the first store
    #[arg(long, value_name = "ID")]
    store: Option<String>,
    /// Its name, as people say it
    #[arg(long)]
    name: Option<String>,
    /// Who is alerted in this store
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

impl InitArgs {
    fn answer(&self, field: Field) -> Option<&str> {
        let answer = match field {
            Field::Account => &self.account,
            Field::Region => &self.region,
            Field::Cell => &self.cell,
            Field::Endpoint => &self.endpoint,
            Field::Image => &self.image,
            Field::Instance => &self.instance,
            Field::Timezone => &self.timezone,
            Field::OpsEmail => &self.ops_email,
            Field::Store => &self.store,
            Field::Name => &self.name,
            Field::Email => &self.email,
        };
        answer.as_deref()
    }
}

pub fn run(args: &InitArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let here = args.dir == Path::new(".");
    let folder = if here { PathBuf::from("stores") } else { args.dir.join("stores") };
    let fleet = folder.join(FLEET_FILE);
    refuse_existing(&fleet, "`arm new STORE --like OTHER` adds a store to a fleet")?;
    let answers = answers(args, console)?;
    let id = answers.find(Field::Store).unwrap_or_default();
    let store = folder.join(format!("{id}.yaml"));
    refuse_existing(&store, "choose another `--store`, or delete the file")?;
    let mut made = vec![(fleet, answers.fleet_text()), (store, answers.store_text())];
    // A schema that is there is left: `arm schema --write` makes it that of this `arm`.
    made.extend(schema::files(&folder).into_iter().filter(|(path, _)| !files::exists(path)));
    for (path, text) in made {
        files::save_new(&path, text.as_bytes())?;
        writeln!(console.out, "made {}", path.display())?;
    }
    let at = if here { String::new() } else { format!(" --stores {}", folder.display()) };
    writeln!(console.out, "next: arm check{at}\nthen: arm generate{at}")?;
    Ok(())
}

fn refuse_existing(path: &Path, help: &str) -> Result<(), CommandError> {
    if !files::exists(path) {
        return Ok(());
    }
    let message = format!("{} is there already\n  help: {help}", path.display());
    Err(CommandError::Configuration(message))
}

/// Takes the answers of the options, and asks for the others.
fn answers(args: &InitArgs, console: &mut Console<'_>) -> Result<Answers, CommandError> {
    let mut answers = Answers::default();
    for field in Field::ALL {
        let Some(answer) = args.answer(field) else { continue };
        answers.tell(field, answer).map_err(|problem| {
            CommandError::Usage(format!("cannot take `{}`: {problem}", field.flag()))
        })?;
    }
    if console.input.is_none() {
        let lacking: Vec<_> = Field::ALL
            .into_iter()
            .filter(|field| answers.lack(*field) && *field != Field::OpsEmail)
            .filter(|field| answers.find(Field::Image).is_some() || !is_hosted(*field))
            .map(|field| match field {
                Field::Endpoint => "--endpoint (or --image and --instance)",
                field => field.flag(),
            })
            .collect();
        if !lacking.is_empty() {
            let message = format!("these options are missing: {}", lacking.join(", "));
            let help = "give them all, or run it on a terminal to be asked";
            return Err(CommandError::Usage(format!("{message}\n  help: {help}")));
        }
    }
    if console.input.is_some() {
        ask_all(&mut answers, console)?;
    }
    Ok(answers)
}

fn is_hosted(field: Field) -> bool {
    matches!(field, Field::Image | Field::Instance)
}

/// Asks for all that is lacking.
fn ask_all(answers: &mut Answers, console: &mut Console<'_>) -> Result<(), CommandError> {
    for field in Field::ALL {
        while answers.lack(field) {
            ask(field, answers, console)?;
            // Whoever wanted an image and has none goes back, until there is one of both.
            if field != Field::Image || !answers.lack(field) {
                break;
            }
            ask(Field::Endpoint, answers, console)?;
        }
    }
    Ok(())
}

/// Asks until the answer is good, or is nothing where that is an answer.
fn ask(field: Field, answers: &mut Answers, console: &mut Console<'_>) -> Result<(), CommandError> {
    let default = answers.usual(field);
    let mut shown = default.as_ref().map_or_else(String::new, |default| format!(" [{default}]"));
    if let Some(example) = answers.example(field) {
        shown = format!("{shown}, such as {example}");
    }
    loop {
        write!(console.err, "{}{shown}: ", field.question())?;
        console.err.flush()?;
        let Some(line) = console.read_line()? else {
            let message = format!("no answer: {}", field.question());
            return Err(CommandError::Usage(format!("{message}\n  help: give `{}`", field.flag())));
        };
        let answer = match (line.trim(), &default) {
            ("", Some(default)) => default,
            ("", None) if field.may_be_empty() => return Ok(()),
            (answer, _) => answer,
        };
        match answers.tell(field, answer) {
            Ok(()) => return Ok(()),
            Err(problem) => writeln!(console.err, "  {problem}")?,
        }
    }
}
