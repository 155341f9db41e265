//! Loads a fleet: reads every file of a folder of stores, validates all of it, compiles the rules.
//!
//! The one way from files to a model: `check`, `generate` and `deploy` all take it, so none can
//! accept what another refuses.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::{self, FleetConfig, StoreConfig};
use crate::decode::Decoder;
use crate::diagnostic::{self, Diagnostic, FileId, Place, Sources};
use crate::files::{self, FileError};
use crate::model::{Fleet, Store};
use crate::rules::{self, RuleSet};
use crate::validate;
use crate::yaml;

/// Name of the file that stores share.
pub const FLEET_FILE: &str = "fleet.yaml";

/// What was read, and what is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    pub sources: Sources,
    /// Sorted by file and place.
    pub problems: Vec<Diagnostic>,
    /// `None` when there is any error.
    pub fleet: Option<CompiledFleet>,
    /// How many store files there are.
    pub store_files: usize,
}

/// A valid fleet, with the rules of each of its stores.
#[derive(Debug)]
pub struct CompiledFleet {
    pub fleet: Fleet,
    /// By store id.
    rules: BTreeMap<String, RuleSet>,
    /// Where each store begins, by its id.
    places: BTreeMap<String, Place>,
}

impl CompiledFleet {
    /// Where a store was written.
    pub fn place_of(&self, store: &Store) -> &Place {
        self.places.get(store.id.as_str()).expect("load noted where every store stands")
    }

    /// The compiled rules of one store.
    pub fn rules_of(&self, store: &Store) -> &RuleSet {
        self.rules.get(store.id.as_str()).expect("load compiled the rules of every store")
    }
}

/// Loads the fleet in a folder.
pub fn load(folder: &Path) -> Result<Loaded, FileError> {
    let mut reader = Reader::default();
    let fleet_path = folder.join(FLEET_FILE);
    files::expect(
        &fleet_path,
        "run in the folder that holds `stores/`, or name it with `--stores DIR`",
    )?;
    let fleet_config = reader.fleet(&fleet_path);
    let mut stores = Vec::new();
    let paths: Vec<_> =
        files::list_yaml(folder)?.into_iter().filter(|path| *path != fleet_path).collect();
    for path in &paths {
        let config = reader.store(path)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        stores.extend(config.map(|config| (stem, config)));
    }
    let Reader { sources, decoder } = reader;
    let Some(fleet_config) = fleet_config? else {
        let mut problems = decoder.problems;
        diagnostic::sort(&mut problems);
        return Ok(Loaded { sources, problems, fleet: None, store_files: paths.len() });
    };
    let checked = validate::validate(&fleet_config, &stores, decoder.problems);
    let mut problems = checked.problems;
    let fleet = checked.fleet.and_then(|fleet| {
        let place = |store: &Store, rule: &str| {
            let key = (store.id.to_string(), rule.to_owned());
            let own = stores.iter().find(|(stem, _)| stem == store.id.as_str());
            let written = checked.rule_places.get(&key).cloned();
            written.or_else(|| {
                own.map(|(_, config)| {
                    config.store.as_ref().map_or(&config.place, |id| &id.place).clone()
                })
            })
        };
        compile(fleet, place, &mut problems)
    });
    diagnostic::sort(&mut problems);
    Ok(Loaded { sources, problems, fleet, store_files: paths.len() })
}

/// Compiles every store's rules; reports rules that can never match or cannot be expressed.
fn compile(
    fleet: Fleet,
    place: impl Fn(&Store, &str) -> Option<Place>,
    problems: &mut Vec<Diagnostic>,
) -> Option<CompiledFleet> {
    let mut compiled = BTreeMap::new();
    let mut failed = false;
    for store in &fleet.stores {
        match rules::compile(store) {
            Ok(set) => {
                for never in &set.unreachable {
                    let place = place(store, &never.rule).expect("every rule has a place");
                    let by: Vec<_> = never.shadowed_by.iter().map(|it| format!("`{it}`")).collect();
                    let message = format!(
                        "the rule `{}` can never match in the store `{}`",
                        never.rule, store.id
                    );
                    let help = format!("move it above {}, or delete it", by.join(", "));
                    let label = format!("{} take all that it would match", by.join(", "));
                    problems.push(
                        Diagnostic::warning("unreachable-rule", &place, message)
                            .label(label)
                            .help(help),
                    );
                }
                compiled.insert(store.id.to_string(), set);
            }
            Err(error) => {
                failed = true;
                let place = place(store, error.rule()).expect("every store has a place");
                let help = "name fewer cameras, aisles or zones in one rule, or group aisles by `aisle_kind`";
                problems.push(
                    Diagnostic::error("rules-too-large", &place, error.to_string()).help(help),
                );
            }
        }
    }
    let places = fleet.stores.iter().filter_map(|it| Some((it.id.to_string(), place(it, "")?)));
    let places = places.collect();
    (!failed).then_some(CompiledFleet { fleet, rules: compiled, places })
}

#[derive(Default)]
struct Reader {
    sources: Sources,
    decoder: Decoder,
}

impl Reader {
    fn fleet(&mut self, path: &Path) -> Result<Option<FleetConfig>, FileError> {
        let node = self.tree(path)?;
        Ok(node.and_then(|node| config::fleet(&mut self.decoder, &node)))
    }

    fn store(&mut self, path: &Path) -> Result<Option<StoreConfig>, FileError> {
        let Some(node) = self.tree(path)? else { return Ok(None) };
        Ok(config::store(&mut self.decoder, &node))
    }

    fn tree(&mut self, path: &Path) -> Result<Option<yaml::Node>, FileError> {
        let name = path.display().to_string();
        if !files::is_file(path) {
            let file = self.sources.add(name, String::new());
            let place = Place { file, span: 0..0 };
            let problem =
                Diagnostic::error("not-a-file", &place, "this is no file that can be read");
            self.decoder.report(problem.help("delete the folder, link or pipe, or rename it"));
            return Ok(None);
        }
        let bytes = files::load(path)?;
        if path.extension().is_some_and(|it| it != "yaml") {
            let file = self.sources.add(name, String::new());
            let place = Place { file, span: 0..0 };
            let message = "a store's file ends in `.yaml`, in these letters";
            let problem = Diagnostic::error("not-yaml-suffix", &place, message);
            self.decoder.report(problem.help("rename it, or delete it if the store has a `.yaml`"));
            return Ok(None);
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let file = self.sources.add(name, text);
                self.decoder.report(not_utf8(file, valid));
                return Ok(None);
            }
        };
        // Some editors put a byte order mark in front; it means nothing in UTF-8.
        let text = text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned);
        let file = self.sources.add(name, text.clone());
        let (node, problems) = yaml::parse(file, &text);
        self.decoder.problems.extend(problems);
        Ok(node)
    }
}

fn not_utf8(file: FileId, valid: usize) -> Diagnostic {
    let place = Place { file, span: valid..valid };
    Diagnostic::error("not-utf-8", &place, "the file is not UTF-8 text")
        .help("save it as UTF-8, without UTF-16 or a code page")
}
