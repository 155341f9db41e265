//! Scenarios: what must become of detections on a store, and whether it does.
//!
//! ```text
//! files -read-> ScenarioFiles -check-> [Scenario] -run-> [Verdict]
//! ```
//!
//! A detection is tried by `trial`, so by the patterns that are deployed and the code of the function
//! `respond`. Pure. To add an expectation, start in `schema/scenario.rs`; what it is compared with
//! stands in `scenario/verdict.rs`.

mod check;
mod expectation;
mod follow;
mod junit;
mod note;
mod verdict;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::config::{self, ExpectConfig, ScenariosConfig};
use crate::decode::Decoder;
use crate::diagnostic::{At, Diagnostic, FileId, Place, Sources};
use crate::inherit;
use crate::input::{self, CompiledFleet, Content, Input, InputFile};
use crate::model::{Id, Store};
use crate::rules::RuleSet;
use crate::trial::Event;
use crate::yaml;

pub use check::{Checked, check};
pub use expectation::Unmet;
pub use junit::{junit, junit_of_nothing, junit_of_problems};
pub use verdict::{Verdict, run};

/// The scenario files as written.
#[derive(Debug, Default)]
pub struct ScenarioFiles(Vec<ScenarioFile>);

#[derive(Debug)]
struct ScenarioFile {
    /// Its name without the ending.
    stem: String,
    /// `None` where it could not be read.
    config: Option<ScenariosConfig>,
    problems: Vec<Diagnostic>,
}

/// Reads scenario files; their texts go among the sources.
pub fn read(files: Vec<InputFile>, sources: &mut Sources) -> ScenarioFiles {
    let files = files.into_iter().map(|file| {
        let stem = file.stem.clone();
        let mut decoder = Decoder::default();
        let node = match open(sources, file) {
            Ok(file) => {
                let (node, problems) = yaml::parse(file, sources.text(file));
                decoder.problems = problems;
                node
            }
            Err(problem) => {
                decoder.report(*problem);
                None
            }
        };
        let config = node.and_then(|node| config::scenarios(&mut decoder, &node));
        ScenarioFile { stem, config, problems: decoder.problems }
    });
    ScenarioFiles(files.collect())
}

impl ScenarioFiles {
    /// Leaves out the files that are about none of the chosen stores, so that a mistake in them stops
    /// nobody else. A file that names no store that is known is about the one that its own name says;
    /// if that is none either, it stays. `known` are the ids of all stores.
    pub fn keep_about(&mut self, chosen: &[String], known: &[&str]) {
        let is_chosen = |id: &str| chosen.iter().any(|it| it == id);
        self.0.retain(|file| {
            let named = file.config.iter().flat_map(|config| &config.stores);
            let mut named = named.map(|store| store.value.as_str()).chain([file.stem.as_str()]);
            let is_of_another = named.clone().any(|id| known.contains(&id));
            named.any(is_chosen) || !is_of_another
        });
    }

    /// What is wrong with the files by themselves.
    pub fn problems(&self) -> Vec<Diagnostic> {
        self.0.iter().flat_map(|file| file.problems.clone()).collect()
    }

    fn configs(&self) -> impl Iterator<Item = &ScenariosConfig> {
        self.0.iter().filter_map(|file| file.config.as_ref())
    }
}

fn open(sources: &mut Sources, file: InputFile) -> Result<FileId, Box<Diagnostic>> {
    let is_named_wrong = matches!(file.content, Content::NotYamlSuffix);
    input::open(sources, file).map_err(|mut problem| {
        if is_named_wrong {
            "a scenario file ends in `.yaml`, in these letters".clone_into(&mut problem.message);
            "rename it, or delete it".clone_into(&mut problem.help);
        }
        problem
    })
}

/// A store that scenarios are tried on.
#[derive(Debug)]
pub struct Tested<'a> {
    pub store: &'a Store,
    pub rules: &'a RuleSet,
    /// Where each of its rules was written, by name.
    places: HashMap<&'a str, &'a Place>,
    /// Everybody whom its rules could name.
    audiences: BTreeSet<&'a str>,
}

impl<'a> Tested<'a> {
    fn new(input: &'a Input, fleet: &'a CompiledFleet, store: &'a Store) -> Self {
        let config = input.store_configs.iter().find(|(stem, _)| stem == store.id.as_str());
        let inherited = config.map(|(_, config)| inherit::resolve(&input.fleet_config, config));
        let rules = inherited.map(|it| it.rules).unwrap_or_default();
        let names = rules.iter().filter_map(|(_, rule)| rule.name.as_ref());
        let places = names.map(|name| (name.value.as_str(), &name.place)).collect();
        let of_rules = store.rules.iter().flat_map(|rule| &rule.notify);
        let of_subscribers = store.subscribers.iter().map(|it| &it.audience);
        let used = of_rules.chain(of_subscribers).map(Id::as_str);
        let declared = input.fleet_config.audiences.iter().map(|it| it.value.as_str());
        let audiences = used.chain(declared).collect();
        Self { store, rules: fleet.rules_of(store), places, audiences }
    }

    /// The rules that can match anything, in order, `unrouted` last.
    fn rule_names(&self) -> Vec<&'a str> {
        let mut names: Vec<_> = self.rules.rules.iter().map(|it| it.rule.as_str()).collect();
        names.dedup();
        names
    }
}

/// One scenario on one store, with every name in it known.
#[derive(Debug)]
pub struct Scenario<'a> {
    pub tested: &'a Tested<'a>,
    pub name: &'a At<String>,
    /// At least one, in order.
    given: Vec<Event>,
    expect: &'a ExpectConfig,
}

/// The rules of each tested store that no scenario reached, by store; none where all were.
pub fn unreached<'a>(verdicts: &[Verdict<'a>]) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut left: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for verdict in verdicts {
        let tested = verdict.scenario.tested;
        let rules = left.entry(tested.store.id.as_str()).or_insert_with(|| tested.rule_names());
        rules.retain(|rule| !verdict.reached.contains(rule));
    }
    left.retain(|_, rules| !rules.is_empty());
    left
}
