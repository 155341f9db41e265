//! From YAML nodes to typed values: the small readers that `config` is made of.
//!
//! Every reader reports what is wrong and goes on, so that one run shows every problem of a file.
//! A reader that returns `None` has reported why.

use std::ops::RangeInclusive;

use crate::diagnostic::{At, Diagnostic, Place, suggest};
use crate::yaml::{Node, Value};

/// Collects problems while a file is read.
#[derive(Debug, Default)]
pub struct Decoder {
    pub problems: Vec<Diagnostic>,
}

/// The entries of one mapping.
#[derive(Debug)]
pub struct Fields<'n> {
    pub place: &'n Place,
    what: &'static str,
    entries: &'n [(Node, Node)],
}

impl<'n> Fields<'n> {
    /// The value of a key; `None` when it is absent or null.
    pub fn find(&self, key: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|(name, _)| name.text() == Some(key));
        entry.map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// Every entry, for mappings whose keys people choose.
    pub fn entries(&self) -> impl Iterator<Item = (&'n Node, &'n Node)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }
}

impl Decoder {
    /// Reports a problem.
    pub fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Reads a mapping whose keys are all in `known`.
    pub fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &'static str,
        known: &[&str],
    ) -> Option<Fields<'n>> {
        let fields = self.open_fields(node, what)?;
        for (key, _) in fields.entries() {
            let name = key.text().unwrap_or_default();
            if !known.contains(&name) {
                let message = format!("{what} has no key `{name}`");
                let help = suggest(name, known.iter().copied());
                self.report(Diagnostic::error("unknown-key", &key.place, message).help(help));
            }
        }
        Some(fields)
    }

    /// Reads a mapping whose keys people choose.
    pub fn open_fields<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        let Value::Mapping(entries) = &node.value else {
            self.wrong_kind(node, what, "a mapping of keys to values");
            return None;
        };
        Some(Fields { place: &node.place, what, entries })
    }

    /// The value of a key that must be there.
    pub fn require<'n>(
        &mut self,
        fields: &Fields<'n>,
        key: &str,
        example: &str,
    ) -> Option<&'n Node> {
        let found = fields.find(key);
        if found.is_none() {
            let message = format!("{} lacks `{key}`", fields.what);
            let start = fields.place.span.start;
            let place = Place { file: fields.place.file, span: start..start };
            self.report(
                Diagnostic::error("missing-key", &place, message)
                    .help(format!("add `{key}: {example}`")),
            );
        }
        found
    }

    /// Reads every item of a list.
    pub fn list<'n>(&mut self, node: &'n Node, what: &'static str) -> &'n [Node] {
        if let Value::Sequence(items) = &node.value {
            return items;
        }
        self.wrong_kind(node, what, "a list");
        &[]
    }

    /// Reads one scalar or a list of scalars.
    pub fn one_or_many(&mut self, node: &Node, what: &'static str) -> Vec<At<String>> {
        match &node.value {
            Value::Sequence(items) => {
                items.iter().filter_map(|item| self.text(item, what)).collect()
            }
            _ => self.text(node, what).into_iter().collect(),
        }
    }

    /// Reads text as it stands.
    pub fn text(&mut self, node: &Node, what: &'static str) -> Option<At<String>> {
        let Some(text) = node.text() else {
            self.wrong_kind(node, what, "text");
            return None;
        };
        Some(At { place: node.place.clone(), value: text.to_owned() })
    }

    /// Reads `true` or `false`; `yes`, `on` and their like are refused.
    pub fn boolean(&mut self, node: &Node, what: &'static str) -> Option<bool> {
        match node.text() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => {
                self.wrong_value(node, what, "write `true` or `false`");
                None
            }
        }
    }

    /// Reads a whole number within a range.
    pub fn integer(
        &mut self,
        node: &Node,
        what: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let number = node.text().and_then(|text| text.parse::<u32>().ok());
        let number = number.filter(|number| range.contains(number));
        let help = format!("write a whole number from {} to {}", range.start(), range.end());
        self.or_wrong(node, what, number, help)
    }

    /// Reads a number such as `0.8`; infinities and NaN are refused.
    pub fn number(&mut self, node: &Node, what: &'static str) -> Option<f64> {
        let text = node.text().filter(|text| text.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        let number = text.and_then(|text| text.parse::<f64>().ok());
        if number.is_none() {
            self.wrong_value(node, what, "write a number such as 0.8");
        }
        number
    }

    /// Reads a length of time, such as `15s`, `5m`, `24h` or `90d`, in whole `unit`s.
    pub fn duration(
        &mut self,
        node: &Node,
        what: &'static str,
        unit: Unit,
        range: RangeInclusive<u32>,
    ) -> Option<At<u32>> {
        let help = format!(
            "write a length of time from {}{letter} to {}{letter}, in whole {}",
            range.start(),
            range.end(),
            unit.word(),
            letter = unit.letter(),
        );
        let value = node.text().and_then(|text| duration_in(text, unit));
        let value = value.filter(|value| range.contains(value));
        let value = self.or_wrong(node, what, value, help)?;
        Some(At { place: node.place.clone(), value })
    }

    /// Reads a rate such as `1Mbps` or `800kbps`, in kbit/s.
    pub fn bitrate(
        &mut self,
        node: &Node,
        what: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<At<u32>> {
        let value = node.text().and_then(bitrate_kbps);
        let help = format!("write a rate from {}kbps to {}Mbps", range.start(), range.end() / 1000);
        let value = value.filter(|value| range.contains(value));
        let value = self.or_wrong(node, what, value, help)?;
        Some(At { place: node.place.clone(), value })
    }

    /// The value, or a report that the scalar is none.
    fn or_wrong(
        &mut self,
        node: &Node,
        what: &'static str,
        value: Option<u32>,
        help: String,
    ) -> Option<u32> {
        if value.is_none() {
            self.wrong_value(node, what, help);
        }
        value
    }

    /// Reports a scalar that is not what the field takes.
    pub fn wrong_value(&mut self, node: &Node, what: &'static str, help: impl Into<String>) {
        let shown = node.text().map_or_else(|| node.kind().to_owned(), |text| format!("`{text}`"));
        let message = format!("{what} cannot be {shown}");
        self.report(Diagnostic::error("wrong-value", &node.place, message).help(help));
    }

    fn wrong_kind(&mut self, node: &Node, what: &'static str, wanted: &str) {
        let message = format!("{what} must be {wanted}, not {}", node.kind());
        let span = node.place.span.start..node.place.span.end.max(node.place.span.start);
        let place = Place { file: node.place.file, span };
        let help = format!("write {wanted}, or delete the key");
        self.report(Diagnostic::error("wrong-type", &place, message).help(help));
    }
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Hours,
    Days,
}

impl Unit {
    fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Hours => 3_600,
            Self::Days => 86_400,
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Seconds => 's',
            Self::Hours => 'h',
            Self::Days => 'd',
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }
}

fn duration_in(text: &str, unit: Unit) -> Option<u32> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, suffix) = text.split_at(digits);
    let factor: u64 = match suffix.trim_start() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(factor)?;
    let whole = seconds % unit.seconds() == 0;
    whole.then(|| u32::try_from(seconds / unit.seconds()).ok()).flatten()
}

fn bitrate_kbps(text: &str) -> Option<u32> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, suffix) = text.split_at(digits);
    let decimals = number.split_once('.').map_or("", |(_, decimals)| decimals);
    let factor = match suffix.trim_start() {
        "kbps" if decimals.is_empty() => 1,
        "Mbps" if decimals.len() <= 3 => 1_000,
        _ => return None,
    };
    let (whole, _) = number.split_once('.').unwrap_or((number, ""));
    let thousandths = format!("{decimals:0<3}").parse::<u32>().ok()?;
    let whole = whole.parse::<u32>().ok()?.checked_mul(factor)?;
    whole.checked_add(if factor == 1 { 0 } else { thousandths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_whole_units() {
        assert_eq!(duration_in("15s", Unit::Seconds), Some(15));
        assert_eq!(duration_in("2m", Unit::Seconds), Some(120));
        assert_eq!(duration_in("90d", Unit::Days), Some(90));
        assert_eq!(duration_in("48h", Unit::Days), Some(2));
        for wrong in ["36h", "15", "1.5d", "-1d", "d", "1w", "99999999999999999999d", ""] {
            assert_eq!(duration_in(wrong, Unit::Days), None, "{wrong}");
        }
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!(bitrate_kbps("1Mbps"), Some(1_000));
        assert_eq!(bitrate_kbps("1.5Mbps"), Some(1_500));
        assert_eq!(bitrate_kbps("800kbps"), Some(800));
        for wrong in ["1", "1mbps", "1.2345Mbps", "1.5kbps", "99999999999Mbps", ".Mbps", "Mbps"] {
            assert_eq!(bitrate_kbps(wrong), None, "{wrong}");
        }
    }
}
