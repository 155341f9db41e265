//! The few lines of a file that a picture of a diagnostic needs: drawing takes time with the size
//! of what it is given, and a line may have megabytes.

use std::ops::Range;

/// Largest stretch that is drawn whole, in bytes. Our choice: a screenful.
const WHOLE_BYTES_MAX: usize = 4_000;
/// Bytes that are drawn on either side of a place in a line that is too long.
const AROUND_BYTES: usize = 100;

/// A stretch of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt<'t> {
    pub(super) text: &'t str,
    /// Where it begins in the file, in bytes.
    pub(super) start: usize,
    /// Whether it begins with a line.
    pub(super) is_whole: bool,
}

impl Excerpt<'_> {
    /// A stretch of the file as one of the excerpt, as far as it lies inside.
    pub(super) fn span(&self, span: &Range<usize>) -> Range<usize> {
        let inside = |at: usize| at.saturating_sub(self.start).min(self.text.len());
        inside(span.start)..inside(span.end)
    }
}

/// The whole lines of several stretches together; `None` when they are too much.
pub(super) fn together(
    text: &str,
    spans: impl Iterator<Item = Range<usize>>,
) -> Option<Excerpt<'_>> {
    let (start, end) = spans
        .fold((usize::MAX, 0), |(start, end), span| (start.min(span.start), end.max(span.end)));
    if end.saturating_sub(start) > WHOLE_BYTES_MAX {
        return None;
    }
    let before = text.get(..start)?;
    let after = text.get(end..)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = end + after.find('\n').unwrap_or(after.len());
    let fits = end - start <= WHOLE_BYTES_MAX;
    let text = text.get(start..end)?;
    fits.then_some(Excerpt { text, start, is_whole: true })
}

/// What stands around the beginning of one stretch, in its own line.
pub(super) fn around<'t>(text: &'t str, span: &Range<usize>) -> Excerpt<'t> {
    let at = span.start.min(text.len());
    let line_start = text.get(..at).and_then(|it| it.rfind('\n')).map_or(0, |at| at + 1);
    let line_end = text.get(at..).and_then(|it| it.find('\n')).map_or(text.len(), |it| at + it);
    let near = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = near(at.saturating_sub(AROUND_BYTES)).max(line_start);
    let end = near((at + AROUND_BYTES).min(line_end)).max(start);
    let text = text.get(start..end).unwrap_or_default();
    Excerpt { text, start, is_whole: start == line_start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_stretches_are_shown_with_their_whole_lines() {
        let text = "a: 1\nb: é\nc: 3\n";
        let excerpt = together(text, [5..6, 8..10].into_iter()).unwrap();
        assert_eq!((excerpt.text, excerpt.start, excerpt.span(&(8..10))), ("b: é", 5, 3..5));
        let end = together(text, std::iter::once(16..16)).unwrap();
        assert_eq!((end.text, end.start), ("", 16));
    }

    #[test]
    fn of_a_long_line_only_what_is_around_is_shown() {
        let text = format!("a: 1\nb: {}!{}\nc: 3\n", "é".repeat(5_000), "x".repeat(5_000));
        let at = text.find('!').unwrap();
        assert_eq!(together(&text, std::iter::once(at..at + 1)), None);
        let excerpt = around(&text, &(at..text.len()));
        assert_eq!((excerpt.text.chars().count(), excerpt.is_whole), (150, false));
        assert_eq!(&excerpt.text[excerpt.span(&(at..at + 1))], "!");
    }
}
