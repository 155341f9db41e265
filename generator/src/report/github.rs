//! Workflow commands of GitHub Actions: a line on standard output that becomes a note at the line of
//! a pull request. Source: GitHub documentation, "Workflow commands for GitHub Actions".
//!
//! A command is one line, so every character that could end it or one of its properties is escaped.

use crate::diagnostic::{self, Diagnostic, Sources};

/// One command per problem.
pub fn github(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let shown = diagnostic::few(diagnostics);
    shown.iter().map(|it| command(sources, it)).collect()
}

fn command(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let place = &diagnostic.place;
    let (line, column) = sources.line_column(place);
    let (end_line, end_column) = sources.end_line_column(place);
    let file = property(super::file(sources, place));
    // GitHub takes columns only where the place begins and ends on one line.
    let columns = if line == end_line {
        format!(",col={column},endColumn={end_column}")
    } else {
        String::new()
    };
    format!(
        "::{} file={file},line={line},endLine={end_line}{columns},title={}::{}\n",
        diagnostic.severity.as_str(),
        property(diagnostic.code),
        message(&super::text(diagnostic)),
    )
}

/// A text as the message of a command.
pub(crate) fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text as a property of a command.
pub(crate) fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
