//! Tables for terminals: columns of cells, and what stands in a cell.
//!
//! Every line fits the page as long as its cells do; what is too long for a cell is cut in the
//! middle. What a table says is for `page` and `beside`.

use crate::paragraph::shortened;
use crate::quota::thousands;
use crate::simulation::hours::Row;

/// Columns as wide as their widest cell with a gap between, the first of them flush left and the
/// others right.
pub(super) fn table(rows: &[Vec<String>], left: usize, gap: &str) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(index, (cell, width))| {
            if index < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let line = cells.collect::<Vec<_>>().join(gap);
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

pub(super) fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// A number; a dot for none, which the eye passes over.
pub(super) fn number_or_dot(number: u64) -> String {
    if number == 0 { ".".to_owned() } else { thousands(number) }
}

/// Audience, channel and address of each row, in so many characters.
pub(super) fn names_of(rows: &[Row<'_>], width: usize) -> Vec<String> {
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let audience = longest(&mut rows.iter().map(|row| row.audiences().len())).min(width / 2);
    let channel = longest(&mut rows.iter().map(|row| row.channel.as_str().len()));
    let left = width.saturating_sub(audience + channel + 4);
    let name = |row: &Row<'_>| {
        let audiences = shortened(&row.audiences(), audience);
        // What is cut from a long address is first what all of its channel have.
        let whole = row.endpoint.to_string();
        let bare = whole.strip_prefix("https://").filter(|_| whole.chars().count() > left);
        let endpoint = shortened(bare.unwrap_or(&whole), left);
        format!("{audiences:<audience$}  {:<channel$}  {endpoint}", row.channel.as_str())
    };
    rows.iter().map(name).collect()
}
