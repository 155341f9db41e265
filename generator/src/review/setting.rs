//! Which settings of a store or a cell are not the same on both sides, and where they stand.
//!
//! A setting is a line of the effective store, so what a store inherits counts as what it writes
//! itself, and its cause is the line of the format that reached it. Whoever finds something names
//! settings ([`About`]); [`Settings::causes`] turns them into lines: those that were edited, and beside
//! what comes from another format now also the line that names the format. Pure.

mod cell;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{About, Cause};
use crate::config::StoreConfig;
use crate::diagnostic::{FileId, Place};
use crate::effective::{self, Origin};
use crate::inherit;
use crate::input::Input;

/// Stands for any name in an [`About`].
pub const ANY: &str = "*";
/// Lists whose entries have a name, and the key that holds it.
const NAMED: [(&str, &str); 4] =
    [("aisles", "id"), ("cameras", "id"), ("rules", "name"), ("cells", "id")];

/// Settings that decide what else a store inherits.
const LAYERS: [&str; 3] = ["store", "cell", "format"];

/// One setting that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    path: About,
    before: Option<Written>,
    after: Option<Written>,
    /// Which of its lines were edited; the others stand on both sides as they are.
    is_edited: Sides,
}

/// Something of the earlier and of the later side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sides {
    before: bool,
    after: bool,
}

/// A value as people wrote it, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    value: String,
    /// File and line; `None` when the value is built in.
    place: Option<(String, usize)>,
    file: Option<FileId>,
    is_inherited: bool,
}

/// The settings that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    changes: Vec<Change>,
    /// Rules whose place in the order changed, with their lines on the later side.
    moved: Vec<(String, Option<(String, usize)>)>,
    /// Where the earlier side is templates: every setting of the later one, as nothing can be compared.
    standing: BTreeMap<About, Vec<Written>>,
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
        let (old, new) = (lines(before), lines(after));
        let mut changes = changes(&old, &new);
        let texts = [before, after].map(|side| side.map(|(text, store)| (text, store.place.file)));
        for change in &mut changes {
            change.is_edited = Sides {
                before: change.before.as_ref().is_some_and(|it| is_edited(it, texts)),
                after: change.after.as_ref().is_some_and(|it| {
                    let [before, after] = texts;
                    is_edited(it, [after, before])
                }),
            };
        }
        Self { changes, moved: moved(&old.rules, new.rules), ..Self::default() }
    }

    /// The settings of a store of which no other side is known: a cause is where a setting stands.
    pub fn of_store_alone((text, store): (Text<'_>, &StoreConfig)) -> Self {
        Self { standing: store_lines(text, store).values, ..Self::default() }
    }

    /// The same of a cell.
    pub fn of_cell_alone(text: Text<'_>, cell: &str) -> Self {
        let lines = cell::lines(text, &text.input.fleet_config, cell);
        Self { standing: lines.values, ..Self::default() }
    }

    /// The same of a cell, with the model that it shares with others.
    pub fn of_cell(before: Option<Text<'_>>, after: Option<Text<'_>>, cell: &str) -> Self {
        let lines = |side: Option<Text<'_>>| {
            side.map(|text| cell::lines(text, &text.input.fleet_config, cell)).unwrap_or_default()
        };
        let mut changes = changes(&lines(before), &lines(after));
        for change in &mut changes {
            change.is_edited = Sides { before: true, after: true };
        }
        Self { changes, ..Self::default() }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.moved.is_empty()
    }

    /// The lines that stand behind some settings; of an entry that is new or gone only its name.
    pub fn causes(&self, about: &[About]) -> Vec<Cause> {
        if !self.standing.is_empty() {
            return self.standing(about);
        }
        let asked = |path: &About| about.iter().any(|about| is_below(path, about));
        let asked_changes = || self.changes.iter().filter(|it| asked(&it.path));
        let edited = self.lines(asked_changes(), |change| change.is_edited);
        let is_layer = |change: &&Change| change.path.len() == 1 && is_layer(change);
        let layers = self.lines(self.changes.iter().filter(is_layer), |change| change.is_edited);
        let is_inherited = |change: &Change| change.is_edited == Sides::default();
        let mut causes = edited;
        if causes.is_empty() || (!layers.is_empty() && asked_changes().any(is_inherited)) {
            let all = |change: &Change| Sides { before: change.after.is_none(), after: true };
            causes.extend(self.lines(asked_changes().filter(|it| is_inherited(it)), all));
            if asked_changes().next().is_some() {
                causes.extend(layers);
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

    /// Where settings stand; of a whole entry its name, and nothing of what names no setting at all.
    fn standing(&self, about: &[About]) -> Vec<Cause> {
        let is_asked = |path: &About| {
            let is_name = NAMED.iter().any(
                |(list, key)| matches!(&path[..], [first, _, last] if first == list && last == key),
            );
            about.iter().any(|about| {
                let names_one = about.len() > 2 || about.len() == path.len();
                is_below(path, about) && (names_one || (about.len() == 2 && is_name))
            })
        };
        let asked = self.standing.iter().filter(|(path, _)| is_asked(path));
        let causes: BTreeSet<Cause> = asked
            .flat_map(|(path, written)| written.iter().map(move |it| (path, it)))
            .filter_map(|(path, written)| {
                let (file, line) = written.place.clone()?;
                let text = format!("{}: {}", path.join("."), written.value);
                Some(Cause { file, line, is_before: false, text })
            })
            .collect();
        causes.into_iter().collect()
    }

    /// The lines of changes that stand on these of their sides; of an entry that is new or gone its name.
    fn lines<'a>(
        &self,
        changes: impl Iterator<Item = &'a Change>,
        sides: impl Fn(&Change) -> Sides,
    ) -> BTreeSet<Cause> {
        let entries = self.whole_entries();
        let mut causes = BTreeSet::new();
        for change in changes {
            let sides = sides(change);
            let entry = entry_of(&change.path).and_then(|entry| entries.get(entry));
            let (change, is_entry) = entry.map_or((change, false), |named| (*named, true));
            if sides.after {
                causes.extend(cause(change, change.after.as_ref(), is_entry));
            }
            if sides.before && !(sides.after && change.after.is_some()) {
                let before = cause(change, change.before.as_ref(), is_entry);
                causes.extend(before.map(|it| Cause { is_before: true, ..it }));
            }
        }
        causes
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

fn is_layer(change: &Change) -> bool {
    change.path.first().is_some_and(|it| LAYERS.contains(&it.as_str()))
}

/// Whether a line does not stand in the same file of the other side, too. Of a store that the other side
/// has not, its own file was edited.
fn is_edited(written: &Written, sides: [Option<(Text<'_>, FileId)>; 2]) -> bool {
    let (Some((_, line)), Some(file), [Some((text, own)), other]) =
        (&written.place, written.file, sides)
    else {
        return false;
    };
    let Some((other, others)) = other else { return file == own };
    let fleet = other.input.fleet_config.cells.first().map(|it| it.id.place.file);
    let twin = if file == own { others } else { fleet.unwrap_or(others) };
    let source = text.input.sources.text(file).lines().nth(line.saturating_sub(1));
    let source = source.unwrap_or_default().trim();
    !other.input.sources.text(twin).lines().any(|it| it.trim() == source)
}

/// The line where one side of a change stands.
fn cause(change: &Change, written: Option<&Written>, is_entry: bool) -> Option<Cause> {
    let path = if is_entry { entry_of(&change.path)? } else { &change.path[..] };
    let written = written?;
    // What all cameras inherit stands below `camera`.
    let path = match path {
        [cameras, _, key @ ..] if written.is_inherited && cameras == "cameras" => {
            format!("camera.{}", key.join("."))
        }
        path => path.join("."),
    };
    let (file, line) = written.place.clone()?;
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
    Some(Cause { file, line, is_before: false, text })
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
            is_edited: Sides::default(),
        }));
    }
    changes
}

fn store_lines(text: Text<'_>, store: &StoreConfig) -> Lines {
    let mut lines = Lines::default();
    for shown in effective::values(&inherit::resolve(&text.input.fleet_config, store)) {
        let (place, file) = match &shown.origin {
            Origin::Written(place) => (Some(text.location(place)), Some(place.file)),
            // A list of more lines is no value, an empty one is.
            Origin::None if shown.value.is_empty() => continue,
            Origin::BuiltIn | Origin::None => (None, None),
        };
        match &shown.path[..] {
            [list, ..] if list == "allow" => continue,
            // The line of the address says it, too.
            [list, _, key] if list == "subscribers" && key == "audience" => continue,
            [list, rule, key] if list == "rules" && key == "name" => {
                lines.rules.push((rule.clone(), place.clone()));
            }
            _ => {}
        }
        let is_inherited = file.is_some_and(|it| it != store.place.file);
        let written = Written { value: shown.value, place, file, is_inherited };
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
