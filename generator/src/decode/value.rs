//! Readers of single values: yes or no, words, numbers, lengths of time, rates, dates.
//!
//! Each takes the forms that `scalar` reads and the range of the key's table. Its help names them,
//! or what was probably meant (`near`), which is always a value that the reader takes.

use std::ops::RangeInclusive;

use crate::diagnostic::{At, Diagnostic};
use crate::model::Portion;
use crate::schema::Kind;
use crate::yaml::{Node, Value};

use super::{Decoder, Fields, near, scalar};

impl Decoder {
    /// Reads `true` or `false`; `yes`, `on` and their like are refused.
    pub fn flag(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<bool>> {
        let node = fields.find(key)?;
        let found = match node.text() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let help = || match node.text().map(str::to_ascii_lowercase).as_deref() {
            Some("yes" | "on" | "true" | "y" | "1") => "did you mean `true`?".to_owned(),
            Some("no" | "off" | "false" | "n" | "0") => "did you mean `false`?".to_owned(),
            _ => "write `true` or `false`".to_owned(),
        };
        self.or_wrong(node, key, found, help)
    }

    /// Reads a word of a choice as the value that `of` has for it.
    pub fn choice<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        of: impl Fn(&str) -> Option<T>,
    ) -> Option<At<T>> {
        let node = fields.find(key)?;
        let Kind::Choice(words) = fields.key(key).kind else { return None };
        let found = node.text().and_then(of);
        if found.is_some() {
            return found.map(|value| At { place: node.place.clone(), value });
        }
        let help =
            self.suggest(node.text().unwrap_or_default(), words.iter().map(|(word, _)| *word));
        self.or_wrong(node, key, None, || help)
    }

    /// Reads a whole number.
    pub fn whole(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<u32>> {
        let node = fields.find(key)?;
        let Kind::Whole { min, max } = fields.key(key).kind else { return None };
        self.plain_whole(node, key, min..=max)
    }

    /// Reads a whole number that has no table.
    pub fn plain_whole(
        &mut self,
        node: &Node,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Option<At<u32>> {
        let number = node.text().and_then(scalar::whole).filter(|it| range.contains(it));
        let help = || format!("write a whole number from {} to {}", range.start(), range.end());
        self.or_wrong(node, key, number, help)
    }

    /// Reads dollars that have no table, in micro-dollars.
    pub fn plain_dollars(&mut self, node: &Node, key: &str, max: u64) -> Option<At<u64>> {
        let fits = |text: &str| scalar::micros(text).filter(|it| *it <= max);
        let help = || {
            let meant = node.text().unwrap_or_default().trim();
            let meant = meant.trim_start_matches('$').trim_end_matches("USD").trim();
            let meant = meant.replace(',', ".");
            match fits(&meant) {
                Some(_) => format!("did you mean `{meant}`? dollars alone"),
                None => "write dollars with at most six decimals, such as `0.0085`".to_owned(),
            }
        };
        self.or_wrong(node, key, node.text().and_then(fits), help)
    }

    /// Reads a whole number, or a range of them.
    pub fn whole_or_range(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<(u32, u32)>> {
        let node = fields.find(key)?;
        let Kind::WholeOrRange { min, max } = fields.key(key).kind else { return None };
        let range = node.text().and_then(scalar::range);
        let range = range.filter(|(from, to)| min <= *from && from <= to && *to <= max);
        let help =
            || format!("write a number such as `2`, or a range such as `1-8`, from {min} to {max}");
        self.or_wrong(node, key, range, help)
    }

    /// Reads a whole number, or a percentage.
    pub fn whole_or_percent(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<Portion>> {
        let node = fields.find(key)?;
        let Kind::WholeOrPercent { min, max } = fields.key(key).kind else { return None };
        let fits = |text: &str| {
            text.parse().ok().filter(|portion| match portion {
                Portion::Count(count) => {
                    u32::try_from(*count).is_ok_and(|it| (min..=max).contains(&it))
                }
                Portion::Percent(percent) => u32::from(*percent) >= min,
            })
        };
        let help = || match node.text().map(near::percent) {
            Some(near) if fits(&near).is_some() => format!("did you mean `{near}`?"),
            _ => format!(
                "write a number such as `20`, from {min} to {max}, or a percentage such as `10%`, from {min}% to 100%"
            ),
        };
        self.or_wrong(node, key, node.text().and_then(fits), help)
    }

    /// Reads a number such as `0.8`; infinities and NaN are refused, its range is not looked at.
    pub fn number(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<f64>> {
        self.plain_number(fields.find(key)?, key)
    }

    /// Reads an area of a picture. One that cannot be read is reported once and stands as the
    /// whole picture, so that nothing else is told about it.
    pub fn numbers(&mut self, fields: &Fields<'_>, key: &str) -> Vec<f64> {
        let whole_picture = vec![0.0, 0.0, 1.0, 1.0];
        let Some(node) = fields.find(key) else { return Vec::new() };
        if let (Some(text), false) = (node.text(), matches!(node.value, Value::Sequence(_))) {
            let near = near::numbers(text.split([' ', ',', ';']).filter(|it| !it.is_empty()));
            let help = near.unwrap_or_else(|| fields.key(key).example.to_owned());
            let help = format!("put the numbers in brackets: `{key}: {help}`");
            self.wrong_kind(node, &format!("`{key}`"), "a list", help);
            return whole_picture;
        }
        if !matches!(node.value, Value::Sequence(_)) {
            self.items(fields, key);
            return whole_picture;
        }
        let items = self.items(fields, key);
        let number = |node: &Node| node.text().and_then(scalar::number);
        let Some(wrong) = items.iter().find(|it| number(it).is_none()) else {
            return items.iter().filter_map(number).collect();
        };
        let help = near::numbers(items.iter().map(|it| it.text().unwrap_or_default()));
        let help = match help {
            Some(all) => format!("did you mean `{key}: {all}`?"),
            None => format!("write numbers, such as `{key}: {}`", fields.key(key).example),
        };
        self.or_wrong::<f64>(wrong, key, None, || help);
        whole_picture
    }

    fn plain_number(&mut self, node: &Node, key: &str) -> Option<At<f64>> {
        let number = node.text().and_then(scalar::number);
        let help = || match node.text().and_then(near::number) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a number such as 0.8".to_owned(),
        };
        self.or_wrong(node, key, number, help)
    }

    /// Reads a length of time, such as `15s`, `5m`, `24h` or `90d`, in the key's unit.
    pub fn duration(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<u32>> {
        let node = fields.find(key)?;
        let Kind::Duration { unit, min, max } = fields.key(key).kind else { return None };
        let text = node.text();
        let value = text.and_then(|text| scalar::duration_in(text, unit));
        let letter = unit.letter();
        let help = || {
            let range =
                format!("from {min}{letter} to {}, in whole {}", unit.shown(max), unit.word());
            if let Some(near) = text.and_then(|text| near::duration(text, unit, &(min..=max))) {
                return format!("did you mean `{near}`? a length of time {range}");
            }
            format!("write a length of time {range}, such as `{}`", fields.key(key).example)
        };
        self.or_wrong(node, key, value.filter(|value| (min..=max).contains(value)), help)
    }

    /// Reads a rate such as `1Mbps` or `800kbps`, in kbit/s.
    pub fn rate(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<u32>> {
        let node = fields.find(key)?;
        let Kind::Rate { min, max } = fields.key(key).kind else { return None };
        let value = node.text().and_then(scalar::rate_kbps);
        let help = || {
            let range = format!("from {min}kbps to {}Mbps", max / 1_000);
            match node.text().and_then(|text| near::rate(text, &(min..=max))) {
                Some(near) => format!("did you mean `{near}`? a rate {range}"),
                None => format!("write a rate {range}, such as `1.5Mbps`"),
            }
        };
        self.or_wrong(node, key, value.filter(|value| (min..=max).contains(value)), help)
    }

    /// Reads a calendar date such as `2027-03-31`.
    pub fn date(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<jiff::civil::Date>> {
        let node = fields.find(key)?;
        let date = node.text().and_then(scalar::date);
        let help = || {
            let near = node.text().and_then(near::date);
            near.unwrap_or_else(|| "write a date such as `2027-03-31`".to_owned())
        };
        self.or_wrong(node, key, date, help)
    }

    /// Reads a mapping as JSON has it; its keys are for whoever reads it.
    pub fn json(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<serde_json::Value>> {
        let node = fields.find(key)?;
        if !node.is_mapping() {
            let help = format!("write its keys and values: `{key}: {}`", fields.key(key).example);
            self.wrong_kind(node, &format!("`{key}`"), "a mapping of keys to values", help);
            return None;
        }
        Some(At { place: node.place.clone(), value: scalar::json(node) })
    }

    /// The value with its place, or a report that the node is none.
    fn or_wrong<T>(
        &mut self,
        node: &Node,
        key: &str,
        value: Option<T>,
        help: impl FnOnce() -> String,
    ) -> Option<At<T>> {
        if value.is_none() {
            let shown =
                node.text().map_or_else(|| node.kind().to_owned(), |text| format!("`{text}`"));
            let message = format!("`{key}` cannot be {shown}");
            self.report(Diagnostic::error("wrong-value", &node.place, message).help(help()));
        }
        value.map(|value| At { place: node.place.clone(), value })
    }

    pub(super) fn wrong_kind(&mut self, node: &Node, what: &str, wanted: &str, help: String) {
        let message = format!("{what} must be {wanted}, not {}", node.kind());
        self.report(Diagnostic::error("wrong-type", &node.place, message).help(help));
    }
}
