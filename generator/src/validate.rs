//! From configuration to model: inheritance resolved, every reference followed, every value in
//! range; every problem of every file in one run.
//!
//! A store's values come from its own file, then its format, then the fleet's defaults: the nearest
//! wins. Rules add up in that order; a nearer rule replaces an inherited one of the same name.
//! One file per noun below; to add a check, find the noun.

mod cell;
mod hours;
mod region;
mod rule;
mod store;
mod subscriber;

use std::collections::HashMap;

use crate::config::{FleetConfig, Layer, StoreConfig};
use crate::diagnostic::{self, At, Diagnostic, Place, suggest};
use crate::model::{Cell, Fleet, Id, Store};

/// What validating found out.
#[derive(Debug)]
pub struct Checked {
    /// `None` when there was any error.
    pub fleet: Option<Fleet>,
    /// Sorted by place.
    pub problems: Vec<Diagnostic>,
    /// Where each rule of each store was written, by store and rule name.
    pub rule_places: HashMap<(String, String), Place>,
}

/// Collects what is wrong while one store is read.
struct Context<'a> {
    fleet: &'a FleetConfig,
    problems: Vec<Diagnostic>,
    rule_places: HashMap<(String, String), Place>,
}

/// Validates everything that was read. `stores` holds each file's stem, which must be the id.
///
/// `problems` are those that reading found; they make the result an error as well.
pub fn validate(
    fleet: &FleetConfig,
    stores: &[(String, StoreConfig)],
    problems: Vec<Diagnostic>,
) -> Checked {
    let mut context = Context { fleet, problems, rule_places: HashMap::new() };
    let mut cells: Vec<_> =
        fleet.cells.iter().filter_map(|config| cell::validate(&mut context, config)).collect();
    cell::check_collisions(&mut context, &cells);
    cells.sort_by(|a, b| a.id.cmp(&b.id));
    context.check_ids("format", fleet.formats.iter().map(|(id, _)| id));
    context.check_ids("audience", fleet.audiences.iter());
    let mut stores: Vec<_> = stores
        .iter()
        .filter_map(|(stem, config)| store::validate(&mut context, stem, config))
        .collect();
    stores.sort_by(|a, b| a.id.cmp(&b.id));
    context.check_cells(&cells, &stores);
    let Context { mut problems, rule_places, .. } = context;
    diagnostic::sort(&mut problems);
    let failed = problems.iter().any(Diagnostic::is_error);
    let fleet = (!failed).then_some(Fleet { cells, stores });
    Checked { fleet, problems, rule_places }
}

impl Context<'_> {
    fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
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

    /// Reads an id, or reports why it is none.
    fn id(&mut self, text: &At<String>, what: &str) -> Option<Id> {
        let id = Id::new(&text.value);
        if id.is_none() {
            let message = format!("`{}` cannot be the id of {what}", text.value);
            let help = format!(
                "use lower-case letters, digits and single hyphens, at most {} characters, such as `{}`",
                Id::MAX,
                nearest_id(&text.value),
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
                    .help(format!("give each {what} an id of its own, or delete one"));
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
        let help = suggest(&name.value, known);
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
        if length > NAME_MAX || text.value.trim() != text.value || length == 0 {
            let message = format!("{what} has {length} characters, or begins or ends with a space");
            let help = format!("write 1 to {NAME_MAX} characters, without a space at either end");
            self.report(Diagnostic::error("bad-name", &text.place, message).help(help));
        }
    }

    /// The format's layer, if the store names one that exists.
    fn format_layer(&self, format: Option<&At<String>>) -> Option<&Layer> {
        let name = &format?.value;
        self.fleet.formats.iter().find(|(id, _)| &id.value == name).map(|(_, layer)| layer)
    }
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// An id made from a text that is none.
fn nearest_id(text: &str) -> String {
    let folded: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let words: Vec<_> = folded.split('-').filter(|word| !word.is_empty()).collect();
    let id: String = words.join("-").chars().take(Id::MAX).collect();
    let id = id.trim_end_matches('-');
    if id.is_empty() { "aisle-5".to_owned() } else { id.to_owned() }
}
