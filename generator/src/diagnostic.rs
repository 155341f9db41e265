//! A problem in what a person wrote: its place, a stable code, what is wrong, and what to do.
//!
//! Diagnostics are data; [`render`] is the one picture of them for people, [`to_json`] the one for
//! programs, and `report` has those for code review. Reading and validating collect as many as they
//! can: nobody should have to run the tool ten times to see ten problems. To add a code, add it
//! where it is found and its explanation (`explanation.rs`).

mod cover;
mod excerpt;
mod json;
mod render;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

pub use cover::cover;
pub use json::to_json;
pub use render::{Colour, render};

/// The files that were read, so that a [`Place`] can be shown.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

#[derive(Clone, Debug)]
struct SourceFile {
    name: String,
    text: String,
    /// The text without passwords, where it has any.
    covered: Option<String>,
    /// Where each line but the first begins, in bytes.
    lines: Vec<usize>,
}

impl Sources {
    /// Takes a file's name, as people should see it, and its text.
    pub fn add(&mut self, name: String, text: String) -> FileId {
        let lines = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let covered = match cover(&text) {
            Cow::Owned(covered) if covered != text => Some(covered),
            _ => None,
        };
        self.files.push(SourceFile { name, text, covered, lines });
        FileId(self.files.len() - 1)
    }

    /// The name under which a file was added.
    pub fn name(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |file| &file.name)
    }

    /// Its text.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |file| &file.text)
    }

    /// Its text as it may be shown, without passwords; byte for byte as long.
    pub fn shown(&self, file: FileId) -> &str {
        let file = self.files.get(file.0);
        file.map_or("", |file| file.covered.as_deref().unwrap_or(&file.text))
    }

    /// Line and column of a place's start, both from 1; columns count characters.
    pub fn line_column(&self, place: &Place) -> (usize, usize) {
        let text = self.text(place.file);
        let before = text.get(..place.span.start).unwrap_or(text);
        let line = self.line_at(place.file, before.len());
        let lines = self.files.get(place.file.0).map_or(&[][..], |file| &file.lines);
        let line_start = line.checked_sub(2).and_then(|it| lines.get(it)).copied().unwrap_or(0);
        let column = before.get(line_start..).map_or(0, |line| line.chars().count()) + 1;
        (line, column)
    }

    /// Line of a byte, from 1.
    fn line_at(&self, file: FileId, at: usize) -> usize {
        let lines = self.files.get(file.0).map_or(&[][..], |file| &file.lines);
        lines.partition_point(|start| *start <= at) + 1
    }

    /// Line and column just behind a place, counted as its start is.
    pub fn end_line_column(&self, place: &Place) -> (usize, usize) {
        self.line_column(&Place { file: place.file, span: place.span.end..place.span.end })
    }
}

/// A file in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(usize);

/// A stretch of a file, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub file: FileId,
    pub span: Range<usize>,
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    pub place: Place,
    pub value: T,
}

/// Whether a problem stops the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is generated or deployed.
    Error,
    /// Legal and unwise.
    Warning,
}

impl Severity {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable name for searching and for silencing, such as `unknown-aisle`.
    pub code: &'static str,
    pub message: String,
    pub place: Place,
    /// A few words beside the caret; may be empty.
    pub label: String,
    /// Other places that belong to it, each with a few words, such as "first defined here".
    pub related: Vec<(Place, String)>,
    /// A sentence that starts with a verb; empty only when the message already says it all.
    pub help: String,
    /// The stores in which it shows, by id; none where it is about one file alone.
    pub stores: Vec<String>,
    /// The id of the thing that it is about, such as an aisle's; often empty.
    pub of: String,
}

impl Diagnostic {
    /// An error without label, related places or help.
    pub fn error(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        /// Longest message in characters; what follows is a value that somebody pasted.
        const MESSAGE_MAX: usize = 400;
        let mut message = cover::clean(&message.into());
        if let Some((at, _)) = message.char_indices().nth(MESSAGE_MAX) {
            message.truncate(at);
            message.push_str(" ...");
        }
        Self {
            severity: Severity::Error,
            code,
            message,
            place: place.clone(),
            label: String::new(),
            related: Vec::new(),
            help: String::new(),
            stores: Vec::new(),
            of: String::new(),
        }
    }

    /// The same as a warning.
    pub fn warning(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = cover::clean(&label.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = cover::clean(&help.into());
        self
    }

    #[must_use]
    pub fn related(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.related.push((place.clone(), cover::clean(&label.into())));
        self
    }

    /// Names the store in which it shows, and the thing that it is about.
    #[must_use]
    pub fn about(mut self, store: &str, of: &str) -> Self {
        self.stores = vec![store.to_owned()];
        of.clone_into(&mut self.of);
        self
    }

    /// True for errors.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts by file and place, and tells once what shows in many stores: a mistake of a format is seen
/// through each store that uses it.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    let key = |it: &Diagnostic| (it.place.file, it.place.span.start, it.severity, it.code);
    diagnostics.sort_by(|a, b| {
        key(a).cmp(&key(b)).then_with(|| (&a.message, &a.help).cmp(&(&b.message, &b.help)))
    });
    diagnostics.dedup_by(|next, first| {
        let same = (&next.place, next.code, &next.message, &next.label, &next.help)
            == (&first.place, first.code, &first.message, &first.label, &first.help);
        if same {
            first.stores.append(&mut next.stores);
            first.stores.sort();
            first.stores.dedup();
        }
        same
    });
}

/// Most problems of one file that are shown. Our choice: nobody mends more in one go, and a file
/// of megabytes that is no store would otherwise be told line by line.
pub const SHOWN_PER_FILE: usize = 200;

/// What people are shown of many: the same words about many files once, and of each file at most
/// [`SHOWN_PER_FILE`].
pub fn shown(diagnostics: &[Diagnostic]) -> Cow<'_, [Diagnostic]> {
    match once(diagnostics) {
        Cow::Borrowed(all) => few(all),
        Cow::Owned(all) => Cow::Owned(few(&all).into_owned()),
    }
}

/// The same words about more files than [`SAME_FILES_MAX`] in one of them: a mistake in fleet.yaml is
/// met in every store.
fn once(diagnostics: &[Diagnostic]) -> Cow<'_, [Diagnostic]> {
    /// Our choice: so many pictures of the same still fit one screen.
    const SAME_FILES_MAX: usize = 4;
    let key = |it: &Diagnostic| (it.code, it.message.clone(), it.help.clone());
    let mut files: HashMap<_, BTreeSet<FileId>> = HashMap::new();
    for it in diagnostics {
        files.entry(key(it)).or_default().insert(it.place.file);
    }
    files.retain(|_, files| files.len() > SAME_FILES_MAX);
    if files.is_empty() {
        return Cow::Borrowed(diagnostics);
    }
    let mut all = diagnostics.to_vec();
    all.retain_mut(|it| {
        let Some(files) = files.get(&key(it)) else { return true };
        let first = files.first() == Some(&it.place.file);
        if first {
            let more = files.len() - 1;
            it.message = format!("{} (and the same in {more} more files)", it.message);
        }
        first
    });
    Cow::Owned(all)
}

/// Of each file at most [`SHOWN_PER_FILE`], errors before warnings; the last one says how many more
/// there are.
pub fn few(diagnostics: &[Diagnostic]) -> Cow<'_, [Diagnostic]> {
    let mut counts: HashMap<FileId, (usize, usize)> = HashMap::new();
    for it in diagnostics {
        let (errors, all) = counts.entry(it.place.file).or_default();
        *errors += usize::from(it.is_error());
        *all += 1;
    }
    if counts.values().all(|(_, all)| *all <= SHOWN_PER_FILE) {
        return Cow::Borrowed(diagnostics);
    }
    let mut left: HashMap<FileId, (usize, usize)> = HashMap::new();
    for (file, (errors, _)) in &counts {
        let errors = (*errors).min(SHOWN_PER_FILE);
        left.insert(*file, (errors, SHOWN_PER_FILE - errors));
    }
    let keep = |it: &&Diagnostic| {
        let Some((errors, warnings)) = left.get_mut(&it.place.file) else { return true };
        let budget = if it.is_error() { errors } else { warnings };
        let kept = *budget > 0;
        *budget = budget.saturating_sub(1);
        kept
    };
    let mut kept: Vec<_> = diagnostics.iter().filter(keep).cloned().collect();
    for it in kept.iter_mut().rev() {
        // The last one of each file is met first.
        let all = counts.remove(&it.place.file).map_or(0, |(_, all)| all);
        if all > SHOWN_PER_FILE {
            let more = all - SHOWN_PER_FILE;
            it.message = format!("{} (and {more} more problems in this file)", it.message);
        }
    }
    Cow::Owned(kept)
}

/// Returns "did you mean `x`?" and the list of what exists, or only the list.
pub fn suggest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    /// Longest list of alternatives in a message; our choice, to keep it on one line.
    const LISTED_MAX: usize = 8;
    /// Most names that are compared; our choice: no store has more of anything.
    const NAMES_MAX: usize = 1_000;
    let known: Vec<&str> = known.into_iter().collect();
    if known.is_empty() {
        return String::new();
    }
    let near = known
        .iter()
        .take(NAMES_MAX)
        .filter_map(|it| distance(wrong, it).map(|distance| (distance, *it)));
    let nearest = near.min();
    let mut listed: Vec<_> = known.iter().take(LISTED_MAX).map(|it| format!("`{it}`")).collect();
    if known.len() > LISTED_MAX {
        listed.push(format!("{} more", known.len() - LISTED_MAX));
    }
    let listed = listed.join(", ");
    match nearest {
        Some((_, nearest)) if known.len() == 1 || known.len() > LISTED_MAX => {
            format!("did you mean `{nearest}`?")
        }
        Some((_, nearest)) => format!("did you mean `{nearest}`? known: {listed}"),
        None => format!("use one of: {listed}"),
    }
}

/// True for two spellings of which one was probably meant as the other.
pub fn is_near(wrong: &str, known: &str) -> bool {
    distance(wrong, known).is_some()
}

/// How far two spellings are apart, if little; case and `_` for `-` count for nothing.
fn distance(wrong: &str, known: &str) -> Option<usize> {
    /// Longest text that is compared: no name is longer, and comparing is quadratic.
    const COMPARED_MAX: usize = 64;
    if wrong.len() > COMPARED_MAX {
        return None;
    }
    let folded = |text: &str| text.to_lowercase().replace('_', "-");
    let distance = strsim::damerau_levenshtein(&folded(wrong), &folded(known));
    (distance <= 1 + known.len() / 5 && distance < known.len()).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_names_the_nearest_and_lists_the_rest() {
        let known = ["aisle-5", "aisle-6", "checkout"];
        assert_eq!(
            suggest("aisle5", known),
            "did you mean `aisle-5`? known: `aisle-5`, `aisle-6`, `checkout`"
        );
        assert_eq!(suggest("bakery", known), "use one of: `aisle-5`, `aisle-6`, `checkout`");
        assert_eq!(suggest("chekout", ["checkout"]), "did you mean `checkout`?");
        assert_eq!(suggest("x", []), "");
    }

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml".to_owned(), "é: 1\nname: ø b\n".to_owned());
        let place = Place { file, span: "é: 1\nname: ø ".len().."é: 1\nname: ø b".len() };
        assert_eq!(sources.line_column(&place), (2, 9));
    }
}
