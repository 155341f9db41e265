//! From configuration to model: inheritance resolved, every reference followed, every value in
//! range; every problem of every file in one run.
//!
//! One file per noun below; to add a check, find the noun. What is legal and unwise is in `unwise`.

mod cell;
mod hours;
mod instance;
mod layer;
mod region;
mod role;
pub mod rtsp;
mod rule;
mod store;
mod subscriber;
mod unwise;
mod wave;
mod wording;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::config::{FleetConfig, StoreConfig};
use crate::diagnostic::{At, Diagnostic, FileId, Place, SHOWN_PER_FILE, Sources, suggest};
use crate::inherit::Level;
use crate::model::{Cell, Fleet, Id, Store};

/// What validating found out.
#[derive(Debug)]
pub struct Checked {
    /// `None` when there was any error, in reading or here.
    pub fleet: Option<Fleet>,
    /// In no order.
    pub problems: Vec<Diagnostic>,
    /// Where the rules of each store were written, by store; parallel to its rules.
    pub rule_places: BTreeMap<String, Vec<Place>>,
}

/// Collects what is wrong while one store after the other is read.
struct Context<'a> {
    fleet: &'a FleetConfig,
    sources: &'a Sources,
    problems: Vec<Diagnostic>,
    /// Errors of each file that has any: what would be unwise there may come from the error.
    errors: HashMap<FileId, usize>,
    /// The errors that were reported, to report each once.
    told: HashSet<(Place, &'static str, String)>,
    /// The audiences that fleet.yaml declares.
    audiences: HashSet<&'a str>,
    rule_places: BTreeMap<String, Vec<Place>>,
    /// Names that inherited rules use: by place, whether any store has such a thing.
    followed: HashMap<Place, Followed>,
    /// Where each event type stands in rules.
    event_types: HashMap<String, HashSet<Place>>,
    /// The names of the stores' files.
    stems: HashSet<&'a str>,
    /// Time zones by the name as written: the database's spelling, or what to do.
    timezones: HashMap<String, Result<String, String>>,
}

/// Most errors of one file that are kept; our choice: some are told twice and shown once.
const KEPT_PER_FILE: usize = 5 * SHOWN_PER_FILE;

/// What a rule can name.
struct Things<'a> {
    /// Of the problem when there is none of that name.
    code: &'static str,
    what: &'static str,
    /// The names of those that the store has, in the order in which they are suggested.
    known: Vec<&'a str>,
    /// The same, to look one up.
    set: HashSet<&'a str>,
}

impl<'a> Things<'a> {
    fn new(code: &'static str, what: &'static str, known: impl Iterator<Item = &'a str>) -> Self {
        let mut set = HashSet::new();
        let known = known.filter(|name| set.insert(*name)).collect();
        Self { code, what, known, set }
    }
}

/// A name that an inherited rule uses.
struct Followed {
    name: String,
    what: &'static str,
    known_somewhere: bool,
}

/// Validates everything that was read. `stores` holds each file's stem, which must be the id;
/// `sources` the texts of the files, for places inside a value.
///
/// `problems` are those that reading found; they make the result an error as well.
pub fn validate(
    fleet: &FleetConfig,
    stores: &[(String, StoreConfig)],
    sources: &Sources,
    problems: Vec<Diagnostic>,
) -> Checked {
    let mut context = Context {
        fleet,
        sources,
        errors: HashMap::new(),
        told: HashSet::new(),
        audiences: fleet.audiences.iter().map(|it| it.value.as_str()).collect(),
        problems: Vec::new(),
        rule_places: BTreeMap::new(),
        followed: HashMap::new(),
        event_types: HashMap::new(),
        stems: stores.iter().map(|(stem, _)| stem.as_str()).collect(),
        timezones: HashMap::new(),
    };
    for problem in problems {
        context.report(problem);
    }
    let mut cells: Vec<_> =
        fleet.cells.iter().filter_map(|config| cell::validate(&mut context, config)).collect();
    cell::check_collisions(&mut context, &cells);
    cells.sort_by(|a, b| a.id.cmp(&b.id));
    context.check_ids("format", fleet.formats.iter().map(|(id, _)| id));
    context.check_ids("audience", fleet.audiences.iter());
    context.check_unique("duplicate-audience", "audience", fleet.audiences.iter());
    for layer in fleet.formats.iter().map(|(_, layer)| layer).chain([&fleet.defaults]) {
        layer::validate(&mut context, layer);
    }
    if let Some(model) = &fleet.model {
        cell::detector(&mut context, model, None);
    }
    let configs = stores;
    let mut stores: Vec<_> = stores
        .iter()
        .filter_map(|(stem, config)| store::validate(&mut context, stem, config))
        .collect();
    stores.sort_by(|a, b| a.id.cmp(&b.id));
    context.check_cells(&cells, &stores);
    let waves = wave::validate(&mut context, configs);
    // Where something could not be read, what seems to be nowhere may stand there.
    if context.errors.is_empty() {
        context.warn_of_names_nowhere();
        context.warn_of_spellings();
    }
    let Context { problems, rule_places, .. } = context;
    let failed = problems.iter().any(Diagnostic::is_error);
    let fleet = waves.filter(|_| !failed).map(|waves| Fleet { cells, stores, waves });
    Checked { fleet, problems, rule_places }
}

impl Context<'_> {
    fn report(&mut self, problem: Diagnostic) {
        if problem.is_error() {
            // What is inherited is met in every store, and is one mistake.
            let words = (problem.place.clone(), problem.code, problem.message.clone());
            if !self.told.insert(words) {
                return;
            }
            let errors = self.errors.entry(problem.place.file).or_default();
            *errors += 1;
            // What is far beyond what is shown only takes memory.
            if *errors > KEPT_PER_FILE {
                return;
            }
        }
        self.problems.push(problem);
    }

    /// Whether a file has an error, so far.
    fn has_error(&self, file: FileId) -> bool {
        self.errors.contains_key(&file)
    }

    /// Reports cells with more stores than one holds.
    fn check_cells(&mut self, cells: &[Cell], stores: &[Store]) {
        for cell in cells {
            let number = stores.iter().filter(|store| store.cell == cell.id).count();
            let config = self.fleet.cells.iter().find(|it| it.id.value == cell.id.as_str());
            let Some(config) = config.filter(|_| number > Cell::STORES_MAX) else { continue };
            let message = format!(
                "the cell `{}` has {number} stores, and holds {}",
                cell.id,
                Cell::STORES_MAX
            );
            let help = "add a cell in another account or region, and move stores to it";
            self.report(Diagnostic::error("too-many-stores", &config.id.place, message).help(help));
        }
    }

    /// Looks for the thing that a rule names. A store's own rule must find it; an inherited one
    /// may be meant for other stores.
    fn follow(&mut self, level: Level, things: &Things<'_>, name: &At<String>) {
        let Things { code, what, known, set } = things;
        let found = set.contains(name.value.as_str());
        match level {
            Level::Own if found => {}
            Level::Own => {
                let message = format!("this store has no {what} `{}`", name.value);
                self.unknown(code, name, message, known.iter().copied());
            }
            Level::Inherited => {
                let entry = self.followed.entry(name.place.clone());
                let name = || name.value.clone();
                entry
                    .or_insert_with(|| Followed { name: name(), what, known_somewhere: false })
                    .known_somewhere |= found;
            }
        }
    }

    /// Warns of names in inherited rules that no store has.
    fn warn_of_names_nowhere(&mut self) {
        for (place, followed) in std::mem::take(&mut self.followed) {
            if followed.known_somewhere {
                continue;
            }
            let Followed { name, what, .. } = followed;
            let article = article(what);
            let message = format!("no store that inherits this rule has {article} {what} `{name}`");
            let help = "correct the name, or delete it; until a store has it, this part of the rule matches nothing";
            let mut problem = Diagnostic::warning("rule-never-applies", &place, message).help(help);
            problem.of = name;
            self.report(problem);
        }
    }

    /// Warns of an event type that differs by a letter or two from one that is used more often.
    fn warn_of_spellings(&mut self) {
        /// Shortest word that is looked at: of shorter ones, many differ by two letters.
        const LENGTH_MIN: usize = 6;
        /// Letters that may differ.
        const DISTANCE_MAX: usize = 2;
        let all = std::mem::take(&mut self.event_types);
        for (word, places) in all.iter().filter(|(word, _)| word.len() >= LENGTH_MIN) {
            let meant = all.iter().filter(|(other, more)| {
                more.len() > places.len()
                    && other.len().abs_diff(word.len()) <= DISTANCE_MAX
                    && strsim::damerau_levenshtein(word, other) <= DISTANCE_MAX
            });
            let Some((meant, _)) = meant.min_by_key(|(other, _)| (*other).clone()) else {
                continue;
            };
            for place in places {
                let message = format!("the event type `{word}` is almost `{meant}`");
                let help = format!(
                    "did you mean `{meant}`, as other rules say? a type that the model does not know is never seen"
                );
                let mut problem =
                    Diagnostic::warning("event-type-spelling", place, message).help(help);
                problem.of.clone_from(word);
                self.report(problem);
            }
        }
    }

    /// Looks for a cell; reports one that does not exist.
    fn check_cell(&mut self, cell: &At<String>) -> Option<Id> {
        let cells = &self.fleet.cells;
        if !cells.iter().any(|it| it.id.value == cell.value) {
            let known: Vec<_> = cells.iter().map(|cell| cell.id.value.as_str()).collect();
            let message = format!("fleet.yaml has no cell `{}`", cell.value);
            self.unknown("unknown-cell", cell, message, known);
            return None;
        }
        Id::new(&cell.value)
    }

    /// Reads an id, or reports why it is none.
    fn id(&mut self, text: &At<String>, what: &str) -> Option<Id> {
        self.id_within(text, what, 1, Id::MAX)
    }

    /// Reads an id of so many characters, or reports why it is none.
    fn id_within(&mut self, text: &At<String>, what: &str, min: usize, max: usize) -> Option<Id> {
        let id = Id::new(&text.value).filter(|id| (min..=max).contains(&id.as_str().len()));
        if id.is_none() {
            let message = format!("`{}` cannot be the id of {what}", text.value);
            let range = if min > 1 { format!("{min} to {max}") } else { format!("at most {max}") };
            let near = nearest_id(&text.value, max);
            let such = match near {
                Some(near) if near != text.value && near.len() >= min => {
                    format!(", such as `{near}`")
                }
                _ => String::new(),
            };
            let help = format!(
                "use {range} lower-case letters, digits and single hyphens, none at either end{such}"
            );
            self.report(Diagnostic::error("bad-id", &text.place, message).help(help));
        }
        id
    }

    fn check_ids<'b>(&mut self, what: &str, ids: impl Iterator<Item = &'b At<String>>) {
        for id in ids {
            self.id(id, &format!("{} {what}", article(what)));
        }
    }

    /// Reports the second of two things that have one id.
    fn check_unique<'b>(
        &mut self,
        code: &'static str,
        what: &str,
        ids: impl Iterator<Item = &'b At<String>>,
    ) {
        let mut seen: HashMap<&str, &Place> = HashMap::new();
        for id in ids {
            if let Some(first) = seen.get(id.value.as_str()) {
                let message = format!("there are two {what}s `{}`", id.value);
                let problem = Diagnostic::error(code, &id.place, message)
                    .label("again here")
                    .related(first, "first here")
                    .help("rename one of the two, or delete it");
                self.report(problem);
            } else {
                seen.insert(&id.value, &id.place);
            }
        }
    }

    /// Reports a name that does not exist.
    fn unknown<'b>(
        &mut self,
        code: &'static str,
        name: &At<String>,
        message: String,
        known: impl IntoIterator<Item = &'b str>,
    ) {
        // What will not be shown needs no suggestion, which takes the time of all names.
        let shown = self.errors.get(&name.place.file).is_none_or(|it| *it < SHOWN_PER_FILE);
        let mut help = if shown { suggest(&name.value, known) } else { String::new() };
        if shown && help.is_empty() {
            "none is defined: define it first, or take this name out".clone_into(&mut help);
        }
        self.report(
            Diagnostic::error(code, &name.place, message).label("not known here").help(help),
        );
    }

    /// Checks a text that people read in alerts: 1 to 64 printable characters, none that a
    /// template or an alert's transformer could take for its own.
    fn display_text(&mut self, text: &At<String>, what: &str) {
        /// Longest name. Our choice: with the longest event type an SMS still fits one segment.
        const NAME_MAX: usize = 64;
        // Marks that show nothing, or turn what follows around.
        let invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        let forbidden =
            |c: char| c.is_control() || invisible(c) || matches!(c, '<' | '>' | '"' | '\\');
        if let Some(c) = text.value.chars().find(|c| forbidden(*c)) {
            let shown = if invisible(c) || c.is_control() {
                format!("U+{:04X}", u32::from(c))
            } else {
                format!("`{c}`")
            };
            let message = format!("{what} holds the character {shown}");
            let help =
                "leave out control characters, marks that show nothing, and `<`, `>`, `\"`, `\\`";
            self.report(Diagnostic::error("bad-name", &text.place, message).help(help));
        }
        let length = text.value.chars().count();
        let wrong = match length {
            0 => Some("is empty".to_owned()),
            _ if length > NAME_MAX => Some(format!("has {length} characters")),
            _ if text.value.trim() != text.value => Some("begins or ends with a space".to_owned()),
            _ => None,
        };
        if let Some(wrong) = wrong {
            let message = format!("{what} {wrong}");
            let help = format!("write 1 to {NAME_MAX} characters, without a space at either end");
            self.report(Diagnostic::error("bad-name", &text.place, message).help(help));
        }
    }
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// An id made from a text that is none; `None` when nothing is left of it.
fn nearest_id(text: &str, max: usize) -> Option<String> {
    let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let folded: String = text.chars().map(fold).collect();
    let words: Vec<_> = folded.split('-').filter(|word| !word.is_empty()).collect();
    let id: String = words.join("-").chars().take(max).collect();
    let id = id.trim_end_matches('-');
    (!id.is_empty()).then(|| id.to_owned())
}
