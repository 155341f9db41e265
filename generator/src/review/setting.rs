//! Which settings of a store or a cell are not the same on both sides, and where they stand.
//!
//! A setting is a line of the effective store, so what a store inherits counts as what it writes
//! itself, and its cause is the line of the format that reached it. Whoever finds something names
//! settings ([`About`]); [`Settings::causes`] turns them into lines. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{About, Cause};
use crate::config::{CellConfig, FleetConfig, ModelConfig, StoreConfig};
use crate::diagnostic::{At, Place, cover};
use crate::effective::{self, Origin};
use crate::inherit;
use crate::input::Input;
use crate::schema::Unit;

/// Stands for any name in an [`About`].
pub const ANY: &str = "*";
/// Lists whose entries have a name, and the key that holds it.
const NAMED: [(&str, &str); 4] =
    [("aisles", "id"), ("cameras", "id"), ("rules", "name"), ("cells", "id")];

/// One setting that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    path: About,
    before: Option<Written>,
    after: Option<Written>,
}

/// A value as people wrote it, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    value: String,
    /// File and line; `None` when the value is built in.
    place: Option<(String, usize)>,
}

/// The settings that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    changes: Vec<Change>,
    /// Rules whose place in the order changed, with their lines on the later side.
    moved: Vec<(String, Option<(String, usize)>)>,
}

/// A side as people wrote it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    pub input: &'a Input,
    /// The commit by whose name its files are called, such as `main`; `None`: they are of the folder.
    pub reference: Option<&'a str>,
}

/// Every setting of one side.
#[derive(Default)]
struct Lines {
    /// By path; several where a list may name one twice.
    values: BTreeMap<About, Vec<Written>>,
    /// The names of the rules in their order, with file and line.
    rules: Vec<(String, Option<(String, usize)>)>,
}

impl Settings {
    /// Compares what a store has on both sides; `None`: it is not there.
    pub fn of_store(
        before: Option<(Text<'_>, &StoreConfig)>,
        after: Option<(Text<'_>, &StoreConfig)>,
    ) -> Self {
        let lines = |side: Option<(Text<'_>, &StoreConfig)>| {
            side.map(|(text, store)| store_lines(text, store)).unwrap_or_default()
        };
        let (before, after) = (lines(before), lines(after));
        Self { changes: changes(&before, &after), moved: moved(&before.rules, after.rules) }
    }

    /// The same of a cell, with the model that it shares with others.
    pub fn of_cell(before: Option<Text<'_>>, after: Option<Text<'_>>, cell: &str) -> Self {
        let lines = |side: Option<Text<'_>>| {
            side.map(|text| cell_lines(text, &text.input.fleet_config, cell)).unwrap_or_default()
        };
        Self { changes: changes(&lines(before), &lines(after)), moved: Vec::new() }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.moved.is_empty()
    }

    /// The lines that stand behind some settings; of an entry that is new or gone only its name.
    pub fn causes(&self, about: &[About]) -> Vec<Cause> {
        let asked = |path: &About| about.iter().any(|about| is_below(path, about));
        let mut causes = BTreeSet::new();
        let entries = self.whole_entries();
        for change in self.changes.iter().filter(|it| asked(&it.path)) {
            let entry = entry_of(&change.path).filter(|entry| entries.contains_key(*entry));
            match entry.and_then(|entry| entries.get(entry)) {
                Some(named) => causes.extend(cause(named, true)),
                None => causes.extend(cause(change, false)),
            }
        }
        for (rule, place) in &self.moved {
            if asked(&vec!["rules".to_owned(), rule.clone()])
                && let Some((file, line)) = place
            {
                let text = format!("rules.{rule}: moved");
                causes.insert(Cause { file: file.clone(), line: *line, is_before: false, text });
            }
        }
        causes.into_iter().collect()
    }

    /// Rules whose conditions changed, so that something else may be left for those after them.
    pub fn cutting_rules(&self) -> impl Iterator<Item = &str> {
        let cuts = |change: &&Change| {
            let key = change.path.get(2).map(String::as_str);
            change.path.first().is_some_and(|it| it == "rules")
                && matches!(key, Some("when" | "name"))
        };
        self.changes.iter().filter(cuts).filter_map(|it| it.path.get(1)).map(String::as_str)
    }

    /// Rules that stand elsewhere among the others.
    pub fn moved_rules(&self) -> impl Iterator<Item = &str> {
        self.moved.iter().map(|(rule, _)| rule.as_str())
    }

    /// Entries that are new or gone: the change of their name, by their path.
    fn whole_entries(&self) -> HashMap<&[String], &Change> {
        let named = self.changes.iter().filter(|change| {
            let [list, _, key] = &change.path[..] else { return false };
            NAMED.iter().any(|(it, name)| it == list && name == key)
                && (change.before.is_none() || change.after.is_none())
        });
        named.filter_map(|change| Some((entry_of(&change.path)?, change))).collect()
    }
}

/// The part of a path that names an entry of a list.
fn entry_of(path: &About) -> Option<&[String]> {
    path.get(..2).filter(|_| path.len() > 2)
}

fn is_below(path: &About, about: &About) -> bool {
    about.len() <= path.len()
        && about.iter().zip(path).all(|(asked, name)| asked == ANY || asked == name)
}

fn cause(change: &Change, is_entry: bool) -> Option<Cause> {
    let path = if is_entry { entry_of(&change.path)? } else { &change.path[..] };
    let path = path.join(".");
    let place = |it: &Option<Written>| it.as_ref().and_then(|it| it.place.clone());
    let (place, is_before) = match (place(&change.after), place(&change.before)) {
        (Some(place), _) => (place, false),
        (None, place) => (place?, true),
    };
    let text = match (&change.before, &change.after) {
        (Some(_), None) if is_entry => format!("{path}: removed"),
        (None, Some(_)) if is_entry => format!("{path}: new"),
        (Some(before), None) => format!("{path}: {} removed", before.value),
        (None, Some(after)) => format!("{path}: {}", after.value),
        (Some(before), Some(after)) => {
            let built_in = if after.place.is_none() { " (built in)" } else { "" };
            format!("{path}: {} -> {}{built_in}", before.value, after.value)
        }
        (None, None) => return None,
    };
    let (file, line) = place;
    Some(Cause { file, line, is_before, text })
}

/// What is on one side only, or says other than on the other side.
fn changes(before: &Lines, after: &Lines) -> Vec<Change> {
    let paths: BTreeSet<&About> = before.values.keys().chain(after.values.keys()).collect();
    let mut changes = Vec::new();
    for path in paths {
        let of = |lines: &Lines| lines.values.get(path).cloned().unwrap_or_default();
        let (mut before, mut after) = (of(before), of(after));
        // What is on both sides is no change, whatever its order.
        after.retain(|new| match before.iter().position(|old| old.value == new.value) {
            Some(at) => {
                before.remove(at);
                false
            }
            None => true,
        });
        let pairs = before.len().max(after.len());
        let (mut before, mut after) = (before.into_iter(), after.into_iter());
        changes.extend((0..pairs).map(|_| Change {
            path: path.clone(),
            before: before.next(),
            after: after.next(),
        }));
    }
    changes
}

fn store_lines(text: Text<'_>, store: &StoreConfig) -> Lines {
    let mut lines = Lines::default();
    for shown in effective::values(&inherit::resolve(&text.input.fleet_config, store)) {
        let place = match &shown.origin {
            Origin::Written(place) => Some(text.location(place)),
            // A list of more lines is no value, an empty one is.
            Origin::None if shown.value.is_empty() => continue,
            Origin::BuiltIn | Origin::None => None,
        };
        match &shown.path[..] {
            [list, ..] if list == "allow" => continue,
            [list, rule, key] if list == "rules" && key == "name" => {
                lines.rules.push((rule.clone(), place.clone()));
            }
            _ => {}
        }
        let written = Written { value: shown.value, place };
        lines.values.entry(shown.path).or_default().push(written);
    }
    lines
}

/// The fewest rules of both sides that stand elsewhere among the others.
fn moved(
    before: &[(String, Option<(String, usize)>)],
    after: Vec<(String, Option<(String, usize)>)>,
) -> Vec<(String, Option<(String, usize)>)> {
    let rank: HashMap<&str, usize> =
        before.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at)).collect();
    let mut common: Vec<_> = Vec::new();
    for (name, place) in after {
        if let Some(rank) = rank.get(name.as_str()) {
            common.push((*rank, name, place));
        }
    }
    // Of the rules up to each, the longest row that kept its order: its length, and the one before.
    let mut rows: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, (rank, ..)) in common.iter().enumerate() {
        let earlier = rows.iter().zip(&common).enumerate().take(at);
        let best = earlier.filter(|(_, (_, (other, ..)))| other < rank);
        let best = best.max_by_key(|(index, ((length, _), _))| (*length, usize::MAX - index));
        rows.push(best.map_or((1, None), |(index, ((length, _), _))| (length + 1, Some(index))));
    }
    let mut kept = HashSet::new();
    let mut next = (0..rows.len()).max_by_key(|at| rows.get(*at).map(|row| row.0));
    while let Some(at) = next {
        kept.insert(at);
        next = rows.get(at).and_then(|row| row.1);
    }
    let moved = common.into_iter().enumerate().filter(|(at, _)| !kept.contains(at));
    moved.map(|(_, (_, name, place))| (name, place)).collect()
}

fn cell_lines(text: Text<'_>, fleet: &FleetConfig, cell: &str) -> Lines {
    let mut page = CellPage { text, cell, lines: Lines::default() };
    let Some(config) = fleet.cells.iter().find(|it| it.id.value == cell) else { return page.lines };
    let CellConfig { id, account, region, architecture, model, ops_email, log_days, .. } = config;
    page.add("id", Some(id), Clone::clone);
    page.add("account", account.as_ref(), Clone::clone);
    page.add("region", region.as_ref(), Clone::clone);
    page.add("architecture", architecture.as_ref(), |it| it.as_str().to_owned());
    page.add("log_days", log_days.as_ref(), |days| Unit::Days.shown(*days));
    for email in ops_email {
        page.add("ops_email", Some(email), |it| cover(it).into_owned());
    }
    if let Some(model) = model.as_ref().or(fleet.model.as_ref()) {
        page.model(&model.value);
    }
    page.lines
}

struct CellPage<'a> {
    text: Text<'a>,
    cell: &'a str,
    lines: Lines,
}

impl CellPage<'_> {
    fn add<T>(&mut self, key: &str, at: Option<&At<T>>, show: impl Fn(&T) -> String) {
        let Some(at) = at else { return };
        let mut path = vec!["cells".to_owned(), self.cell.to_owned()];
        path.extend(key.split('.').map(str::to_owned));
        let place = Some(self.text.location(&at.place));
        self.lines.values.entry(path).or_default().push(Written { value: show(&at.value), place });
    }

    fn model(&mut self, model: &ModelConfig) {
        self.add("model.endpoint", model.endpoint.as_ref(), Clone::clone);
        self.add("model.image", model.image.as_ref(), Clone::clone);
        self.add("model.data", model.data.as_ref(), Clone::clone);
        self.add("model.instance", model.instance.as_ref(), Clone::clone);
        self.add("model.instances", model.instances.as_ref(), |(least, most)| {
            format!("{least}-{most}")
        });
        self.add("model.concurrency", model.concurrency.as_ref(), ToString::to_string);
    }
}

impl Text<'_> {
    /// File and line, without what a file of a commit is called besides.
    pub fn location(self, place: &Place) -> (String, usize) {
        let sources = &self.input.sources;
        let name = sources.name(place.file);
        let name =
            self.reference.and_then(|it| name.strip_suffix(it)?.strip_suffix('@')).unwrap_or(name);
        (name.strip_prefix("./").unwrap_or(name).to_owned(), sources.line_column(place).0)
    }
}
