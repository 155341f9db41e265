//! From the bytes of the files to a compiled fleet, or every problem in them. Pure.
//!
//! The one way from what people wrote to a model: `check`, `generate` and `deploy` all take it, so
//! none can accept what another refuses. `load` finds the files; a new stage of reading belongs
//! here, in [`read`].

mod order;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::civil::Date;

use crate::allow;
use crate::config::{self, FleetConfig, StoreConfig};
use crate::decode::Decoder;
use crate::demand::{self, Home};
use crate::diagnostic::{self, Diagnostic, FileId, Place, Sources};
use crate::model::{Fleet, Rule, Store};
use crate::rollout;
use crate::rules::{self, RuleSet, RulesError};
use crate::validate;
use crate::yaml;

use order::{Written, listed};

/// One file as it was found.
#[derive(Debug)]
pub struct InputFile {
    /// As people should see it.
    pub name: String,
    /// The name without folder and suffix.
    pub stem: String,
    pub content: Content,
}

/// What a file holds.
#[derive(Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    /// A folder, a pipe, a link to nothing.
    NotAFile,
    /// `.yml`, `.YAML`: it would be read by nobody.
    NotYamlSuffix,
}

/// What was read, and what is wrong with it.
#[derive(Debug)]
pub struct Input {
    pub sources: Sources,
    /// Sorted by file and place.
    pub problems: Vec<Diagnostic>,
    /// `None` when there is any error.
    pub fleet: Option<CompiledFleet>,
    /// The fleet when it is whole but needs more than its quotas allow.
    pub over_quota: Option<CompiledFleet>,
    /// As written; what could not be read is left out.
    pub fleet_config: FleetConfig,
    /// By file stem.
    pub store_configs: Vec<(String, StoreConfig)>,
    /// How many store files there are.
    pub store_files: usize,
}

/// A valid fleet, with the rules of each of its stores.
#[derive(Debug)]
pub struct CompiledFleet {
    pub fleet: Fleet,
    /// What it needs of every quota, by account and region.
    pub homes: Vec<Home>,
    /// By store id.
    rules: BTreeMap<String, Arc<RuleSet>>,
    /// Where each store begins, by its id.
    places: BTreeMap<String, Place>,
}

impl CompiledFleet {
    /// Where a store was written.
    pub fn place_of(&self, store: &Store) -> &Place {
        self.places.get(store.id.as_str()).expect("input noted where every store stands")
    }

    /// The compiled rules of one store.
    pub fn rules_of(&self, store: &Store) -> &RuleSet {
        self.rules.get(store.id.as_str()).expect("input compiled the rules of every store")
    }

    /// Counts what the fleet needs of its quotas, and returns what is wrong with that.
    fn count(&mut self, config: &FleetConfig) -> Vec<Diagnostic> {
        self.homes = demand::homes(&self.fleet, config, |store| self.rules_of(store));
        demand::problems(&self.fleet, config, &self.homes)
    }
}

/// Reads a fleet: `fleet.yaml` and the files of its stores. What `allow` accepts ends with a day;
/// `today` is the day that counts.
pub fn read(fleet_file: InputFile, store_files: Vec<InputFile>, today: Date) -> Input {
    let mut reader = Reader::default();
    let number = store_files.len();
    let fleet_config =
        reader.tree(fleet_file).and_then(|node| config::fleet(&mut reader.decoder, &node));
    let mut store_configs = Vec::new();
    for file in store_files {
        let stem = file.stem.clone();
        let store = reader.tree(file).and_then(|node| config::store(&mut reader.decoder, &node));
        store_configs.extend(store.map(|store| (stem, store)));
    }
    let Reader { sources, decoder, stems } = reader;
    let (problems, fleet, fleet_config) = match fleet_config {
        // Without a fleet, every name in the stores would be unknown.
        None => (decoder.problems, None, FleetConfig::default()),
        Some(config) => {
            let (problems, fleet) = validate(&config, &store_configs, &sources, decoder.problems);
            (problems, fleet, config)
        }
    };
    let (mut problems, mut fleet) = (problems, fleet);
    let over = fleet.as_mut().map(|fleet| fleet.count(&fleet_config)).unwrap_or_default();
    let over_quota = fleet.take_if(|_| over.iter().any(Diagnostic::is_error));
    problems.extend(over);
    let whole = fleet.as_ref().or(over_quota.as_ref());
    problems.extend(whole.into_iter().flat_map(|it| rollout::problems(&it.fleet, &fleet_config)));
    if number == 0 && fleet.is_some() {
        problems.extend(no_stores(&fleet_config));
    }
    name_stores(&mut problems, &stems);
    let mut problems = allow::apply(problems, &fleet_config, &store_configs, today);
    // An entry of `allow` that is wrong is an error like any other.
    fleet.take_if(|_| problems.iter().any(Diagnostic::is_error));
    diagnostic::sort(&mut problems);
    Input { sources, problems, fleet, over_quota, fleet_config, store_configs, store_files: number }
}

fn validate(
    config: &FleetConfig,
    stores: &[(String, StoreConfig)],
    sources: &Sources,
    problems: Vec<Diagnostic>,
) -> (Vec<Diagnostic>, Option<CompiledFleet>) {
    let checked = validate::validate(config, stores, sources, problems);
    let mut problems = checked.problems;
    let Some(fleet) = checked.fleet else { return (problems, None) };
    let places: BTreeMap<String, Place> = stores
        .iter()
        .map(|(stem, store)| {
            let place = store.store.as_ref().map_or(&store.place, |id| &id.place);
            (stem.clone(), place.clone())
        })
        .collect();
    let mut rules = BTreeMap::new();
    let mut known = Known::default();
    for store in &fleet.stores {
        let id = store.id.as_str();
        let written = checked.rule_places.get(id).map_or(&[][..], Vec::as_slice);
        let by_name: HashMap<_, _> =
            store.rules.iter().map(|rule| rule.name.as_str()).zip(written).collect();
        let place = &|rule: &str| {
            let place = by_name.get(rule).copied().or_else(|| places.get(id));
            place.expect("every store has a place").clone()
        };
        match known.compile(store) {
            Ok(set) => {
                let written = Written { place, config, own: places.get(id) };
                problems.extend(order::warnings(store, &set, &written));
                rules.insert(id.to_owned(), set);
            }
            Err(error) => problems.push(too_large(store, &error, &place(error.rule()))),
        }
    }
    let whole = rules.len() == fleet.stores.len();
    (problems, whole.then_some(CompiledFleet { fleet, homes: Vec::new(), rules, places }))
}

/// Most rule lists that are remembered. Our choice: a fleet has a few formats, and looking through
/// more would cost what it saves.
const KNOWN_MAX: usize = 8;

/// The rules that were compiled last: most stores of a format have no other.
#[derive(Default)]
struct Known<'a>(VecDeque<(&'a [Rule], Arc<RuleSet>)>);

impl<'a> Known<'a> {
    fn compile(&mut self, store: &'a Store) -> Result<Arc<RuleSet>, RulesError> {
        if let Some((_, set)) = self.0.iter().find(|(rules, _)| *rules == store.rules) {
            return Ok(Arc::clone(set));
        }
        let set = Arc::new(rules::compile(store)?);
        self.0.truncate(KNOWN_MAX - 1);
        self.0.push_front((&store.rules, Arc::clone(&set)));
        Ok(set)
    }
}

/// Names the store of what stands in a store's own file.
fn name_stores(problems: &mut [Diagnostic], stems: &HashMap<FileId, String>) {
    for problem in problems.iter_mut().filter(|problem| problem.stores.is_empty()) {
        let stem = stems.get(&problem.place.file).filter(|stem| *stem != "fleet");
        problem.stores.extend(stem.cloned());
    }
}

/// Warns of a folder that holds the fleet alone.
fn no_stores(fleet: &FleetConfig) -> Option<Diagnostic> {
    let place = &fleet.cells.first()?.id.place;
    let help = "write `STORE.yaml` beside fleet.yaml; `arm new` makes one like another";
    Some(Diagnostic::warning("no-stores", place, "there is no store beside fleet.yaml").help(help))
}

fn too_large(store: &Store, error: &RulesError, place: &Place) -> Diagnostic {
    let help = match error {
        RulesError::TooManyPatterns { cut_by, .. } if !cut_by.is_empty() => format!(
            "let the rules before it that cut it up most, {}, name fewer different fields, or delete some",
            listed(cut_by)
        ),
        RulesError::TooManyPatterns { .. } => "use fewer rules".to_owned(),
        RulesError::PatternTooLong { .. } => {
            "name fewer cameras, aisles or zones in one rule, or group aisles by `aisle_kind`"
                .to_owned()
        }
    };
    Diagnostic::error("rules-too-large", place, error.to_string())
        .help(help)
        .about(store.id.as_str(), error.rule())
}

#[derive(Default)]
struct Reader {
    sources: Sources,
    decoder: Decoder,
    /// Of every file whose suffix is right.
    stems: HashMap<FileId, String>,
}

impl Reader {
    fn tree(&mut self, file: InputFile) -> Option<yaml::Node> {
        let is_yaml = !matches!(file.content, Content::NotYamlSuffix);
        let stem = is_yaml.then(|| file.stem.clone());
        let opened = open(&mut self.sources, file);
        let id = opened.as_ref().map_or_else(|problem| problem.place.file, |file| *file);
        self.stems.extend(stem.map(|stem| (id, stem)));
        let file = match opened {
            Ok(file) => file,
            Err(problem) => {
                self.decoder.report(*problem);
                return None;
            }
        };
        let (node, problems) = yaml::parse(file, self.sources.text(file));
        self.decoder.problems.extend(problems);
        node
    }
}

/// Takes a file among the sources, if it is text that can be read.
pub fn open(sources: &mut Sources, file: InputFile) -> Result<FileId, Box<Diagnostic>> {
    let refuse = |sources: &mut Sources, name, code, message: &str, help: &str| {
        let place = Place { file: sources.add(name, String::new()), span: 0..0 };
        Err(Box::new(Diagnostic::error(code, &place, message).help(help)))
    };
    let bytes = match file.content {
        Content::Bytes(bytes) => bytes,
        Content::NotAFile => {
            let message = "this is no file that can be read";
            let help = "delete the folder, link or pipe, or rename it";
            return refuse(sources, file.name, "not-a-file", message, help);
        }
        Content::NotYamlSuffix => {
            let message = "a store's file ends in `.yaml`, in these letters";
            let help = "rename it, or delete it if the store has a `.yaml`";
            return refuse(sources, file.name, "not-yaml-suffix", message, help);
        }
    };
    if bytes.len() > yaml::FILE_BYTES_MAX {
        return Err(Box::new(yaml::too_large(sources.add(file.name, String::new()))));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            return Err(Box::new(not_utf8(sources.add(file.name, text), valid)));
        }
    };
    // Some editors put a byte order mark in front; it means nothing in UTF-8.
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(sources.add(file.name, text))
}

fn not_utf8(file: FileId, valid: usize) -> Diagnostic {
    let place = Place { file, span: valid..valid };
    Diagnostic::error("not-utf-8", &place, "the file is not UTF-8 text")
        .help("save it as UTF-8, without UTF-16 or a code page")
}
