//! The picture of diagnostics for people, as compilers draw it: the line, a caret, and what to do.
//!
//! It never relies on colour alone. To change what is said, change the diagnostic; here is only how
//! it is drawn.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::excerpt::{self, Excerpt};
use super::{Diagnostic, Place, Severity, Sources};
use crate::paragraph::first_of;

/// Whether a picture may have colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Plain,
    Ansi,
}

/// Draws diagnostics for people, with a blank line after each.
pub fn render(sources: &Sources, diagnostics: &[Diagnostic], colour: Colour) -> String {
    let renderer = match colour {
        Colour::Plain => Renderer::plain(),
        Colour::Ansi => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let shown = super::shown(diagnostics);
    shown.iter().map(|it| renderer.render(&report(sources, it)) + "\n\n").collect()
}

fn report<'a>(sources: &'a Sources, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = diagnostic.place.file;
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        diagnostic.related.iter().partition(|(place, _)| place.file == file);
    let note = in_stores(sources, diagnostic);
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let primary = (AnnotationKind::Primary, &diagnostic.place, diagnostic.label.as_str());
    let context =
        |(place, label): &&'a (Place, String)| (AnnotationKind::Context, place, label.as_str());
    let here: Vec<_> = std::iter::once(primary).chain(here.iter().map(context)).collect();
    let mut group = draw(sources, Group::with_title(title), &here);
    for related in &elsewhere {
        group = draw(sources, group, &[context(related)]);
    }
    if !note.is_empty() {
        group = group.element(Level::NOTE.message(note));
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(diagnostic.help.as_str()));
    }
    vec![group]
}

/// Draws marks in one file: in one picture, or each for itself where they are far apart.
fn draw<'a>(
    sources: &'a Sources,
    group: Group<'a>,
    marks: &[(AnnotationKind, &'a Place, &'a str)],
) -> Group<'a> {
    let Some((_, place, _)) = marks.first() else { return group };
    let (file, text) = (place.file, sources.shown(place.file));
    let annotation = |excerpt: &Excerpt<'_>, (kind, place, label): &(_, &Place, &'a str)| {
        let mark = AnnotationKind::span(*kind, excerpt.span(&place.span));
        if label.is_empty() { mark } else { mark.label(*label) }
    };
    // A file that could not be read has a name, and nothing to draw.
    if text.is_empty() {
        return group.element(Origin::path(sources.name(file)));
    }
    let spans = marks.iter().map(|(_, place, _)| place.span.clone());
    if let Some(excerpt) = excerpt::together(text, spans) {
        let snippet = Snippet::source(excerpt.text)
            .path(sources.name(file))
            .line_start(sources.line_at(file, excerpt.start));
        let annotations = marks.iter().map(|mark| annotation(&excerpt, mark));
        return group.element(snippet.annotations(annotations));
    }
    marks.iter().fold(group, |group, mark| {
        let excerpt = excerpt::around(text, &mark.1.span);
        let (line, column) = sources.line_column(mark.1);
        let snippet = Snippet::source(excerpt.text).line_start(line);
        let snippet = if excerpt.is_whole { snippet.path(sources.name(file)) } else { snippet };
        let snippet = snippet.annotation(annotation(&excerpt, mark));
        if excerpt.is_whole {
            return group.element(snippet);
        }
        let origin = Origin::path(sources.name(file)).line(line).char_column(column);
        group.element(origin).element(snippet)
    })
}

/// Whether a file is that of a store.
fn is_file_of(file: &str, store: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".yaml") == Some(store)
}

/// In which stores it shows, unless it stands in the store's own file.
fn in_stores(sources: &Sources, diagnostic: &Diagnostic) -> String {
    /// Stores that are named; our choice, to keep it on one line.
    const NAMED_MAX: usize = 4;
    let stores = &diagnostic.stores;
    let named: Vec<_> = stores.iter().map(|store| format!("`{store}`")).collect();
    let named = first_of(&named, NAMED_MAX);
    let file = sources.name(diagnostic.place.file);
    match &stores[..] {
        [] => String::new(),
        [only] if is_file_of(file, only) => String::new(),
        [_] => format!("in the store {named}"),
        all => format!("in {} stores: {named}", all.len()),
    }
}
