//! Kinds of change: a fleet of four stores, edits of it, and what a review of each must say.
//!
//! `changes/fleet` is the fleet, the other files of `changes` are the kinds, each written as a pull
//! request shows it: lines with `-`, `+` or a space in front, below the file's name. Below them stands
//! what must be found, all of it: `=> class weight stacks @ causes : part of the text`, and what is
//! done to resources, all of it: `-> action type stacks @ causes`. To add a kind, write it there.

use std::collections::BTreeMap;

use generator::input::{self, CompiledFleet, Content, Input, InputFile};
use generator::review::setting::Text;
use generator::review::side::{Base, Scope, Written};
use generator::review::{Cause, Names, Review, Subject, Weight, review};

/// Files with their texts, by name.
pub type Files = BTreeMap<String, String>;

/// One kind of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// A sentence.
    pub name: String,
    pub edits: Vec<Edit>,
    /// The lines that begin with `=>` and `->`.
    pub expected: Vec<String>,
}

/// Something done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// These lines become those.
    Lines {
        file: String,
        before: String,
        after: String,
    },
    New {
        file: String,
        text: String,
    },
    Delete {
        file: String,
    },
    /// From one name to another.
    Move {
        from: String,
        to: String,
    },
}

/// The texts of all kinds.
const TABLES: [&str; 7] = [
    include_str!("changes/cameras.diff"),
    include_str!("changes/aisles.diff"),
    include_str!("changes/rules.diff"),
    include_str!("changes/people.diff"),
    include_str!("changes/stores.diff"),
    include_str!("changes/cells.diff"),
    NOTHING,
];
/// Those that mean nothing.
pub const NOTHING: &str = include_str!("changes/nothing.diff");

/// The fleet before every change.
pub fn fleet() -> Files {
    let files = [
        ("fleet.yaml", include_str!("changes/fleet/fleet.yaml")),
        ("ballard.yaml", include_str!("changes/fleet/ballard.yaml")),
        ("fremont.yaml", include_str!("changes/fleet/fremont.yaml")),
        ("queens.yaml", include_str!("changes/fleet/queens.yaml")),
        ("soho.yaml", include_str!("changes/fleet/soho.yaml")),
    ];
    files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// Every kind.
pub fn all() -> Vec<Kind> {
    TABLES.into_iter().flat_map(of).collect()
}

/// The kinds of one table.
pub fn of(table: &str) -> Vec<Kind> {
    table.split("\n# ").skip(1).map(Kind::parse).collect()
}

impl Kind {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let name = lines.next().unwrap_or_default().to_owned();
        let mut kind = Self { name, edits: Vec::new(), expected: Vec::new() };
        let mut file = String::new();
        let (mut before, mut after) = (String::new(), String::new());
        for line in lines.chain(["."]) {
            let end = |text: &str| format!("{text}\n");
            match line.split_at_checked(1) {
                Some((" ", rest)) => {
                    before.push_str(&end(rest));
                    after.push_str(&end(rest));
                    continue;
                }
                Some(("-", rest)) if !rest.starts_with('>') => {
                    before.push_str(&end(rest));
                    continue;
                }
                Some(("+", rest)) => {
                    after.push_str(&end(rest));
                    continue;
                }
                _ => {}
            }
            let (old, new) = (std::mem::take(&mut before), std::mem::take(&mut after));
            kind.edits.extend(match (old.is_empty(), new.is_empty()) {
                (true, true) => None,
                (true, false) => Some(Edit::New { file: file.clone(), text: new }),
                _ => Some(Edit::Lines { file: file.clone(), before: old, after: new }),
            });
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["delete", name] => kind.edits.push(Edit::Delete { file: name.to_owned() }),
                ["move", from, to] => {
                    kind.edits.push(Edit::Move { from: from.to_owned(), to: to.to_owned() });
                }
                ["=>" | "->", ..] => kind.expected.push(line.to_owned()),
                [name] if name.contains('.') && name != "." => name.clone_into(&mut file),
                ["" | "." | "@@"] => {}
                _ => panic!("{}: `{line}` is no line of a kind", kind.name),
            }
        }
        kind
    }

    /// The fleet after this change; `None`: it has not what this one changes.
    pub fn made(&self, files: &Files) -> Option<Files> {
        let mut files = files.clone();
        for edit in &self.edits {
            match edit {
                Edit::Lines { file, before, after } => {
                    let text = files.get_mut(file)?;
                    let whole = format!("\n{text}");
                    let at = format!("\n{before}");
                    if whole.matches(&at).count() != 1 {
                        return None;
                    }
                    let changed = whole.replacen(&at, &format!("\n{after}"), 1);
                    changed.strip_prefix('\n')?.clone_into(text);
                }
                Edit::New { file, text } => {
                    files.insert(file.clone(), text.clone()).map_or(Some(()), |_| None)?;
                }
                Edit::Delete { file } => drop(files.remove(file)?),
                Edit::Move { from, to } => {
                    let text = files.remove(from)?;
                    files.insert(to.clone(), text);
                }
            }
        }
        Some(files)
    }
}

/// Reads a fleet as `arm` does; `name` says how a file is called.
pub fn read(files: &Files, name: impl Fn(&str) -> String) -> Input {
    let file = |(file, text): (&String, &String)| InputFile {
        name: name(file),
        stem: file.trim_end_matches(".yaml").to_owned(),
        content: Content::Bytes(text.clone().into_bytes()),
    };
    let is_fleet = |it: &(&String, &String)| it.0 == "fleet.yaml";
    let fleet = files.iter().find(is_fleet).map(file).expect("there is a fleet.yaml");
    let stores = files.iter().filter(|it| !is_fleet(it)).map(file).collect();
    input::read(fleet, stores, "2026-11-22".parse().expect("it is a date"))
}

/// Reviews a change; `None`: a side is refused.
pub fn compare(before: &Files, after: &Files) -> Option<Review> {
    let base = read(before, |file| format!("{file}@main"));
    let head = read(after, str::to_owned);
    let base =
        Written { text: Text { input: &base, reference: Some("main") }, fleet: whole(&base)? };
    let head = Written { text: Text { input: &head, reference: None }, fleet: whole(&head)? };
    let names = Names { base: "main", head: "stores" };
    let (base, scope) = (Base::Written(base), Scope::default());
    Some(review(&base, head, &scope, names).expect("every template is made"))
}

/// The fleet of a side, also one that needs more than its quotas.
fn whole(input: &Input) -> Option<&CompiledFleet> {
    input.fleet.as_ref().or(input.over_quota.as_ref())
}

/// What a review says, in the lines of the tables.
pub fn told(review: &Review) -> Vec<String> {
    let mut lines = Vec::new();
    for group in &review.findings {
        let weight = if group.what.weight == Weight::Loud { "loud" } else { "quiet" };
        let class = group.what.class.as_str();
        let at = at(&group.subjects, &group.causes);
        lines.push(format!("=> {class} {weight} {at} : {}", group.what.text));
    }
    let mut resources = BTreeMap::new();
    for group in &review.changes {
        let kind = group.what.resource_type.trim_start_matches("AWS::");
        let line = format!("-> {} {kind} ", group.what.action.as_str());
        *resources.entry(line + &at(&group.subjects, &group.causes)).or_insert(0) += 1;
    }
    lines.extend(resources.into_iter().map(|(line, number)| match number {
        1 => line,
        number => format!("{line} : {number} of them"),
    }));
    lines
}

fn at(subjects: &[Subject], causes: &[Cause]) -> String {
    let subjects: Vec<_> = subjects.iter().map(subject).collect();
    let mut causes: Vec<_> = causes.iter().map(place).collect();
    causes.dedup();
    let causes = if causes.is_empty() { "nothing".to_owned() } else { causes.join(", ") };
    format!("{} @ {causes}", subjects.join(", "))
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Store(id) => id.clone(),
        Subject::Platform(id) => format!("platform {id}"),
        Subject::Artifacts(id) => format!("artifacts {id}"),
        Subject::Home(home) => format!("home {home}"),
    }
}

fn place(cause: &Cause) -> String {
    let base = if cause.is_before { "main:" } else { "" };
    format!("{base}{}:{}", cause.file, cause.line)
}
