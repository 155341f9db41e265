//! Redraws a picture in place, and leaves the terminal as it was found.
//!
//! The cursor is hidden while there is a picture, and stands below it, so that what is typed or
//! reported meanwhile does not break a row. Whatever is written is one text: no half picture is
//! seen. Pure: texts for a terminal come out. Source of the sequences: ECMA-48, and DEC's `?25`.

use super::row::width_of;

const HIDE: &str = "\u{1b}[?25l";
const SHOW: &str = "\u{1b}[?25h";
const ERASE_LINE: &str = "\u{1b}[K";
const ERASE_BELOW: &str = "\u{1b}[J";

/// What a terminal shows of ours.
#[derive(Debug, Default)]
pub(super) struct Screen {
    rows: Vec<String>,
    /// Columns of the terminal when it was drawn.
    columns: usize,
    is_hidden: bool,
}

impl Screen {
    /// What brings the terminal to show these rows instead; nothing if it does already.
    pub(super) fn redraw(&mut self, rows: Vec<String>, columns: usize) -> String {
        if self.rows == rows && self.columns == columns {
            return String::new();
        }
        let mut text = String::new();
        if !self.is_hidden {
            text += HIDE;
        }
        text += &self.up(columns);
        for row in &rows {
            text.extend([row, ERASE_LINE, "\r\n"]);
        }
        text += ERASE_BELOW;
        (self.rows, self.columns, self.is_hidden) = (rows, columns, true);
        text
    }

    /// What takes the picture away and gives the cursor back.
    pub(super) fn clear(&mut self, columns: usize) -> String {
        let up = self.up(columns);
        let text = if self.is_hidden { format!("{up}{ERASE_BELOW}{SHOW}") } else { String::new() };
        *self = Self::default();
        text
    }

    /// What gives the cursor back and leaves the picture: something else was written below it.
    pub(super) fn leave(&mut self) -> String {
        let text = if self.is_hidden { SHOW.to_owned() } else { String::new() };
        *self = Self::default();
        text
    }

    /// To the first row. A terminal that became narrower broke the rows that it had no room for.
    fn up(&self, columns: usize) -> String {
        let columns = columns.max(1);
        let rows: usize =
            self.rows.iter().map(|row| width_of(&plain(row)).div_ceil(columns).max(1)).sum();
        if rows == 0 { "\r".to_owned() } else { format!("\r\u{1b}[{rows}A") }
    }
}

/// A row without its colours.
fn plain(row: &str) -> String {
    let mut parts = row.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn a_picture_is_drawn_over_the_one_before_and_taken_away_at_the_end() {
        let mut screen = Screen::default();
        let first = screen.redraw(rows(&["a", "b"]), 80);
        assert_eq!(first, "\u{1b}[?25l\ra\u{1b}[K\r\nb\u{1b}[K\r\n\u{1b}[J");
        let second = screen.redraw(rows(&["c"]), 80);
        assert_eq!(second, "\r\u{1b}[2Ac\u{1b}[K\r\n\u{1b}[J");
        assert_eq!(screen.clear(80), "\r\u{1b}[1A\u{1b}[J\u{1b}[?25h");
        assert_eq!(screen.clear(80), "");
    }

    #[test]
    fn the_same_picture_is_not_drawn_twice() {
        let mut screen = Screen::default();
        screen.redraw(rows(&["a"]), 80);
        assert_eq!(screen.redraw(rows(&["a"]), 80), "");
    }

    #[test]
    fn a_terminal_that_became_narrower_is_cleared_as_a_whole() {
        let mut screen = Screen::default();
        let row = format!("\u{1b}[1m{}\u{1b}[0m", "x".repeat(70));
        screen.redraw(vec![row, String::new()], 80);
        assert_eq!(screen.clear(40), "\r\u{1b}[3A\u{1b}[J\u{1b}[?25h");
    }

    #[test]
    fn the_cursor_comes_back_below_what_is_left() {
        let mut screen = Screen::default();
        assert_eq!(screen.leave(), "");
        screen.redraw(rows(&["a"]), 80);
        assert_eq!(screen.leave(), "\u{1b}[?25h");
    }
}
