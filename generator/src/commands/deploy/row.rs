//! One row of the board: texts with tones, never wider than the terminal.
//!
//! Texts come from anywhere, also from reasons that AWS gives: what a terminal would obey is not
//! shown. A tone is a colour where colour may be, and never says anything that no word says. Pure.

use unicode_width::UnicodeWidthChar;

use crate::dead_letter::printable;
use crate::diagnostic::Colour;

/// How a piece of a row looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Quiet,
    Good,
    Busy,
    Warning,
    Bad,
}

/// Most characters of one piece; marks take no column, so that columns are no bound. Our choice: wider
/// than any terminal.
const PIECE_MAX: usize = 1_000;

/// A row, from left to right.
#[derive(Clone, Debug, Default)]
pub(super) struct Row(Vec<(Tone, String)>);

impl Row {
    /// A row that begins with a text.
    pub(super) fn of(tone: Tone, text: &str) -> Self {
        Self::default().then(tone, text)
    }

    /// The row with a further text.
    pub(super) fn then(mut self, tone: Tone, text: &str) -> Self {
        self.0.push((tone, printable(text).chars().take(PIECE_MAX).collect()));
        self
    }

    /// Columns that it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width_of(text)).sum()
    }

    /// The row for a terminal of this width; what does not fit ends with dots.
    pub(super) fn render(&self, width: usize, colour: Colour) -> String {
        let mut shown = String::new();
        let mut room = width;
        let mut rest = self.width();
        for (tone, text) in &self.0 {
            let own = width_of(text);
            let text = if rest <= room { text.clone() } else { clipped(text, room, own < rest) };
            let used = width_of(&text);
            shown += &painted(*tone, &text, colour);
            if used < own || room == 0 {
                break;
            }
            (room, rest) = (room.saturating_sub(used), rest - own);
        }
        shown
    }
}

/// Columns that a text takes.
pub(super) fn width_of(text: &str) -> usize {
    text.chars().map(|it| it.width().unwrap_or(0)).sum()
}

/// A text with spaces up to this width.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(width_of(text))))
}

/// A text in at most so many columns; dots say that something is left out, of it or behind it.
fn clipped(text: &str, width: usize, has_more: bool) -> String {
    /// Dots, and the least that stands before them.
    const DOTS: usize = 3;
    if width_of(text) <= width && (!has_more || width_of(text) + DOTS <= width) {
        return text.to_owned();
    }
    let dots = if width >= DOTS { DOTS } else { 0 };
    let (mut kept, mut room) = (String::new(), width - dots);
    for letter in text.chars() {
        let own = letter.width().unwrap_or(0);
        if own > room {
            break;
        }
        room -= own;
        kept.push(letter);
    }
    kept + &".".repeat(dots)
}

/// Source of the numbers: ECMA-48, "Select graphic rendition".
fn painted(tone: Tone, text: &str, colour: Colour) -> String {
    let code = match (colour, tone) {
        (Colour::Plain, _) | (_, Tone::Plain) => return text.to_owned(),
        (_, Tone::Strong) => "1",
        (_, Tone::Quiet) => "2",
        (_, Tone::Good) => "32",
        (_, Tone::Busy) => "36",
        (_, Tone::Warning) => "33",
        (_, Tone::Bad) => "1;31",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_wider_than_the_terminal_whatever_it_says() {
        let texts = ["abc", "商店の名前", "e\u{301}\u{301}e", "\u{1b}[2J\nx", "👩‍👩‍👧", ""];
        for width in 0..24 {
            for first in texts {
                for second in texts {
                    let row = Row::of(Tone::Plain, first).then(Tone::Bad, second);
                    let shown = row.render(width, Colour::Plain);
                    assert!(width_of(&shown) <= width, "{shown:?} in {width}");
                    assert!(!shown.contains(char::is_control), "{shown:?}");
                    if row.width() <= width {
                        assert_eq!(width_of(&shown), row.width(), "nothing is left out");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_left_out_leaves_dots_behind() {
        let row = Row::of(Tone::Plain, "store-0042  ").then(Tone::Plain, "camera streams");
        assert_eq!(row.render(20, Colour::Plain), "store-0042  camer...");
        assert_eq!(row.render(12, Colour::Plain), "store-004...");
        assert_eq!(row.render(26, Colour::Plain), "store-0042  camera streams");
        assert_eq!(Row::of(Tone::Plain, "商店の名前").render(8, Colour::Plain), "商店...");
    }

    #[test]
    fn a_heap_of_marks_has_a_bound() {
        let row = Row::of(Tone::Plain, &format!("e{}", "\u{301}".repeat(100_000)));
        assert!(row.render(80, Colour::Plain).len() <= 2 * PIECE_MAX);
    }

    #[test]
    fn colour_is_only_where_it_may_be() {
        let row = Row::of(Tone::Bad, "FAILED");
        assert_eq!(row.render(80, Colour::Plain), "FAILED");
        assert_eq!(row.render(80, Colour::Ansi), "\u{1b}[1;31mFAILED\u{1b}[0m");
    }
}
