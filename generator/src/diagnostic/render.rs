//! The picture of diagnostics for people, as compilers draw it: the line, a caret, and what to do.
//!
//! It never relies on colour alone. To change what is said, change the diagnostic; here is only how
//! it is drawn.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Place, Severity, Sources};

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
    diagnostics.iter().map(|it| renderer.render(&report(sources, it)) + "\n\n").collect()
}

fn report<'a>(sources: &'a Sources, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = diagnostic.place.file;
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        diagnostic.related.iter().partition(|(place, _)| place.file == file);
    let context = |(place, label): &&'a (Place, String)| {
        AnnotationKind::Context.span(place.span.clone()).label(label.as_str())
    };
    let caret = AnnotationKind::Primary.span(diagnostic.place.span.clone());
    let caret =
        if diagnostic.label.is_empty() { caret } else { caret.label(diagnostic.label.as_str()) };
    let snippet = |file| Snippet::source(sources.text(file)).path(sources.name(file));
    let note = in_stores(sources, diagnostic);
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group =
        title.element(snippet(file).annotation(caret).annotations(here.iter().map(context)));
    for related in &elsewhere {
        group = group.element(snippet(related.0.file).annotation(context(related)));
    }
    if !note.is_empty() {
        group = group.element(Level::NOTE.message(note));
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(diagnostic.help.as_str()));
    }
    vec![group]
}

/// In which stores it shows, unless it stands in the store's own file.
fn in_stores(sources: &Sources, diagnostic: &Diagnostic) -> String {
    /// Stores that are named; our choice, to keep it on one line.
    const NAMED_MAX: usize = 4;
    let stores = &diagnostic.stores;
    let named: Vec<_> = stores.iter().take(NAMED_MAX).map(|store| format!("`{store}`")).collect();
    let file = sources.name(diagnostic.place.file);
    match &stores[..] {
        [] => String::new(),
        [only] if file.strip_suffix(".yaml").is_some_and(|it| it.ends_with(only)) => String::new(),
        [_] => format!("in the store {}", named.join(", ")),
        all if all.len() > NAMED_MAX => {
            let more = all.len() - NAMED_MAX;
            format!("in {} stores: {} and {more} more", all.len(), named.join(", "))
        }
        all => format!("in {} stores: {}", all.len(), named.join(", ")),
    }
}
