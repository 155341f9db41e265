//! A review for a terminal: what the change does in one sentence, then what must not be overlooked,
//! class by class, then what it costs, then the resources, property by property.
//!
//! Each thing is told once. Colour only repeats what a mark or a word says. What a page leaves out it
//! counts. The words are in `words.rs`; what is told as one entry is decided in `summed.rs`.

use super::bill::cost_rows;
use super::summed::{self, Entry};
use super::words::{
    self, Detail, count, difference, dollars, done, headline, is_empty, loud, meaning, of_class,
    path, place, places, plain, text_for, title, values, verb,
};
use super::{Cause, Class, Costs, Finding, Group, Review, Subject, Weight};
use crate::change::Action;
use crate::diagnostic::Colour;
use crate::paragraph::wrapped_to;

/// Widest line, in characters. Our choice: a terminal beside an editor.
const WIDTH: usize = 100;
/// Lines of YAML that are named as causes of one thing. Our choice: more are alike.
const CAUSES_MAX: usize = 3;
/// Quiet findings of one class, and entries of resources, that are shown. Our choice: half a page.
const SHOWN_MAX: usize = 15;
/// Properties of one resource that are shown, for the same reason.
const PROPERTIES_MAX: usize = 8;
/// Stacks whose cost is shown for themselves, for the same reason.
const COSTS_MAX: usize = 8;

/// The whole page.
pub fn human(review: &Review, detail: Detail, colour: Colour) -> String {
    let page = Page { review, detail, colour };
    let mut text = page.paint(BOLD, &wrapped_to(WIDTH, "", &headline(review)));
    if !is_empty(review) {
        let sides = format!("{} -> {}", plain(&review.base), plain(&review.head));
        text.push_str(&page.paint(FAINT, &wrapped_to(WIDTH, "", &sides)));
        for class in Class::ALL {
            text.push_str(&page.class(class));
        }
        text.push_str(&page.nothing());
        text.push_str(&page.resources());
    }
    text.push_str(&page.omissions());
    text
}

/// How a part is painted: SGR parameters, ECMA-48.
type Paint = &'static str;
const BOLD: Paint = "1";
const FAINT: Paint = "2";
const RED: Paint = "1;31";
const GREEN: Paint = "32";
const YELLOW: Paint = "33";

struct Page<'a> {
    review: &'a Review,
    detail: Detail,
    colour: Colour,
}

impl Page<'_> {
    /// Paints all but the line break at the end.
    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour == Colour::Plain || text.is_empty() {
            return text.to_owned();
        }
        match text.strip_suffix('\n') {
            Some(line) => format!("\x1b[{paint}m{line}\x1b[0m\n"),
            None => format!("\x1b[{paint}m{text}\x1b[0m"),
        }
    }

    fn most(&self, most: usize) -> usize {
        if self.detail == Detail::All { usize::MAX } else { most }
    }

    /// That so many more are not shown; nothing for none.
    fn more(&self, indent: &str, number: usize, noun: &str) -> String {
        if number == 0 {
            return String::new();
        }
        let text = format!("{indent}and {} more; --all shows them\n", count(number, noun));
        self.paint(FAINT, &text)
    }

    /// A class's findings under its title.
    fn class(&self, class: Class) -> String {
        let findings = of_class(self.review, class);
        let costs = self
            .review
            .costs
            .as_ref()
            .filter(|it| class == Class::Cost && !it.by_subject.is_empty());
        if findings.is_empty() && costs.is_none() {
            return String::new();
        }
        let loud = loud(&findings);
        let mut text = self.title(title(class), meaning(class));
        let shown = findings.len().min(self.most(loud + SHOWN_MAX));
        for group in findings.iter().take(shown) {
            text.push_str(&self.finding(group));
        }
        text.push_str(&self.more("  ", findings.len() - shown, "finding"));
        text + &costs.map(|it| self.costs(it)).unwrap_or_default()
    }

    fn title(&self, title: &str, meaning: &str) -> String {
        let meaning = if meaning.is_empty() { String::new() } else { format!("  {meaning}") };
        format!("\n{}{}\n", self.paint(BOLD, title), self.paint(FAINT, &meaning))
    }

    fn finding(&self, group: &Group<Finding>) -> String {
        let text = text_for(&group.what.text, &group.subjects);
        let mark = if group.what.weight == Weight::Loud { "  ! " } else { "  - " };
        let mut lines = wrapped_to(WIDTH, mark, &text);
        if group.what.weight == Weight::Loud {
            lines = lines.replacen("  ! ", &format!("  {} ", self.paint(RED, "!")), 1);
        }
        if self.detail == Detail::All {
            for detail in &group.what.details {
                lines.push_str(&wrapped_to(WIDTH, "      ", &text_for(detail, &group.subjects)));
            }
        }
        lines
            + &self.places(&group.subjects)
            + &self.causes(&group.causes.iter().collect::<Vec<_>>())
    }

    fn places(&self, subjects: &[Subject]) -> String {
        match places(subjects, self.detail).as_str() {
            "" => String::new(),
            text => wrapped_to(WIDTH, "    ", text),
        }
    }

    fn causes(&self, causes: &[&Cause]) -> String {
        let shown = causes.len().min(self.most(CAUSES_MAX));
        let mut text = String::new();
        for cause in causes.iter().take(shown) {
            let line = format!("{}  {}", place(cause), done(cause));
            text.push_str(&self.paint(FAINT, &wrapped_to(WIDTH, "    ", line.trim_end())));
        }
        text + &self.more("    ", causes.len() - shown, "line")
    }

    fn costs(&self, costs: &Costs) -> String {
        let rows = cost_rows(costs, self.most(COSTS_MAX));
        let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or_default();
        let mut text = String::new();
        for (name, before, after) in &rows {
            let (cents, from, to) =
                (difference(after.saturating_sub(*before)), dollars(*before), dollars(*after));
            text.extend([format!("  {name:<width$}  {from:>9} -> {to:>9}  {cents}\n")]);
        }
        if self.detail == Detail::All {
            for assumption in &costs.assumptions {
                text.push_str(&wrapped_to(WIDTH, "  - ", &plain(assumption)));
            }
        } else if !costs.assumptions.is_empty() {
            text.push_str(
                &self.paint(FAINT, "  list prices and stated assumptions; --all shows them\n"),
            );
        }
        text
    }

    /// The classes on which there is nothing to say: that it was looked at is news, too.
    fn nothing(&self) -> String {
        let found = |class: &Class| !self.class(*class).is_empty();
        let is_looked_at = |class: &Class| *class != Class::Other && self.review.compares(*class);
        let none: Vec<_> =
            Class::ALL.into_iter().filter(|it| is_looked_at(it) && !found(it)).collect();
        let none: Vec<_> = none.into_iter().map(title).collect();
        if none.is_empty() {
            return String::new();
        }
        format!("\n{}", wrapped_to(WIDTH, "nothing to say on  ", &none.join(", ")))
    }

    fn resources(&self) -> String {
        let entries = summed::entries(self.review, self.detail);
        if entries.is_empty() {
            return String::new();
        }
        let shown = entries.len().min(self.most(SHOWN_MAX));
        let mut text = self.title("resources", "");
        for entry in entries.iter().take(shown) {
            text.push_str(&self.entry(entry));
        }
        text + &self.more("  ", entries.len() - shown, "change")
    }

    fn entry(&self, entry: &Entry<'_>) -> String {
        let verb = verb(entry.action);
        let paint = match entry.action {
            Action::Replace | Action::MayReplace | Action::Remove => RED,
            Action::Update | Action::Attributes => YELLOW,
            Action::Add => GREEN,
        };
        let mark = format!("  {verb}  ");
        let text = wrapped_to(WIDTH, &mark, &entry.what(self.detail));
        let mut text = text.replacen(verb, &self.paint(paint, verb), 1);
        text.push_str(&self.places(entry.subjects));
        let shown = entry.properties.len().min(self.most(PROPERTIES_MAX));
        for property in entry.properties.iter().take(shown) {
            let values = values(property, self.detail);
            text.push_str(&wrapped_to(WIDTH, "      ", &format!("{}  {values}", path(property))));
        }
        text.push_str(&self.more("      ", entry.properties.len() - shown, "value"));
        text + &self.causes(&entry.causes)
    }

    fn omissions(&self) -> String {
        if self.review.omissions.is_empty() {
            return String::new();
        }
        let mut text = self.title("not compared", "");
        for omission in &self.review.omissions {
            text.push_str(&wrapped_to(WIDTH, "  ! ", &words::plain(&omission.text)));
        }
        text
    }
}
