//! From YAML nodes to typed values: the small readers that `config` is made of.
//!
//! Readers go by the tables of `schema`: a key's kind, range and example stand there alone. Every
//! reader reports what is wrong and goes on, so that one run shows every problem of a file; one
//! that returns `None` has reported why, or the key is absent.

mod scalar;

use std::ops::RangeInclusive;

use crate::diagnostic::{At, Diagnostic, Place, SHOWN_PER_FILE, is_near, suggest};
use crate::schema::{Key, Kind, Noun, Presence};
use crate::yaml::{Node, Value};

/// Collects problems while a file is read.
#[derive(Debug, Default)]
pub struct Decoder {
    pub problems: Vec<Diagnostic>,
}

/// The entries of one mapping whose keys are in a table.
#[derive(Debug)]
pub struct Fields<'n> {
    pub place: &'n Place,
    noun: &'static Noun,
    entries: &'n [(Node, Node)],
}

impl<'n> Fields<'n> {
    /// The value of a key; `None` when it is absent or has no value.
    pub fn find(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    fn entry(&self, key: &str) -> Option<&'n (Node, Node)> {
        self.entries.iter().find(|(name, _)| name.text() == Some(key))
    }

    /// Where a key that is there stands.
    pub fn key_place(&self, key: &str) -> Option<&'n Place> {
        self.entry(key).map(|(key, _)| &key.place)
    }

    fn key(&self, name: &str) -> &'static Key {
        self.noun.key(name).expect("config reads keys of the noun's table")
    }
}

impl Decoder {
    /// Reports a problem.
    pub fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Opens a mapping of the given kind: its keys are those of the table, and all that must be
    /// there are there, or it is reported.
    pub fn fields<'n>(&mut self, node: &'n Node, noun: &'static Noun) -> Option<Fields<'n>> {
        let Value::Mapping(entries) = &node.value else {
            let example = noun.keys.first().map_or("key", |key| key.name);
            let help = format!("write its keys and values, such as `{example}: ...`");
            self.wrong_kind(node, noun.what, "a mapping of keys to values", help);
            return None;
        };
        let fields = Fields { place: &node.place, noun, entries };
        let absent: Vec<_> =
            noun.keys.iter().filter(|key| fields.entry(key.name).is_none()).collect();
        let mut meant: Vec<&str> = Vec::new();
        let mut unknown = 0;
        for (key, value) in entries {
            let name = key.text().unwrap_or_default();
            match noun.key(name) {
                // What will not be shown needs no suggestion, which takes the time of all names.
                None if unknown >= SHOWN_PER_FILE => self.unknown_name(noun.what, key, []),
                None => {
                    unknown += 1;
                    meant.extend(self.unknown_key(noun, &absent, key));
                }
                Some(known) if value.is_null() => self.empty_value(known, key),
                Some(_) => {}
            }
        }
        for key in absent.iter().filter(|key| key.presence == Presence::Required) {
            if !meant.contains(&key.name) {
                self.missing_key(&fields, key);
            }
        }
        Some(fields)
    }

    /// Reports a key that the table lacks; returns the one that was probably meant.
    fn unknown_key(
        &mut self,
        noun: &'static Noun,
        absent: &[&'static Key],
        key: &Node,
    ) -> Option<&'static str> {
        let name = key.text().unwrap_or_default();
        let meant = absent.iter().map(|key| key.name).find(|known| is_near(name, known));
        let inside = noun.keys.iter().find_map(|outer| match outer.kind {
            Kind::Mapping(inner) => inner.key(name).map(|it| (outer.name, it)),
            _ => None,
        });
        let help = match (meant, inside) {
            (None, Some((outer, it))) => {
                format!("it stands inside `{outer}`: `{outer}: {{ {name}: {} }}`", it.example)
            }
            _ => suggest(name, noun.names()),
        };
        let message = format!("{} has no key `{name}`", noun.what);
        self.report(Diagnostic::error("unknown-key", &key.place, message).help(help));
        meant
    }

    fn empty_value(&mut self, known: &Key, key: &Node) {
        let message = format!("`{}` has no value", known.name);
        let help = match known.presence {
            Presence::Required => format!("write a value, such as `{}`", known.example),
            _ => format!("write a value, such as `{}`, or delete the key", known.example),
        };
        self.report(Diagnostic::error("empty-value", &key.place, message).help(help));
    }

    fn missing_key(&mut self, fields: &Fields<'_>, key: &Key) {
        let start = fields.place.span.start;
        let place = Place { file: fields.place.file, span: start..start };
        let id = ["id", "name"].into_iter().find_map(|key| fields.find(key)?.text());
        let article = ["a ", "an "].into_iter().find_map(|it| fields.noun.what.strip_prefix(it));
        let what = match (id, article) {
            (Some(id), Some(noun)) => format!("the {noun} `{id}`"),
            _ => fields.noun.what.to_owned(),
        };
        let message = format!("{what} lacks `{}`", key.name);
        let help = format!("add `{}: {}`", key.name, key.example);
        self.report(Diagnostic::error("missing-key", &place, message).help(help));
    }

    /// Opens a mapping under a key.
    pub fn mapping<'n>(&mut self, fields: &Fields<'n>, key: &str) -> Option<Fields<'n>> {
        let Kind::Mapping(noun) = fields.key(key).kind else { return None };
        self.fields(fields.find(key)?, noun)
    }

    /// The entries of a mapping whose keys people choose.
    pub fn entries<'n>(&mut self, fields: &Fields<'n>, key: &str) -> &'n [(Node, Node)] {
        let Some(node) = fields.find(key) else { return &[] };
        self.plain_entries(node, key, fields.key(key).example)
    }

    /// The same where none is not enough.
    pub fn filled_entries<'n>(&mut self, fields: &Fields<'n>, key: &str) -> &'n [(Node, Node)] {
        let entries = self.entries(fields, key);
        if let Some(node) = fields.find(key).filter(|node| node.is_mapping() && entries.is_empty())
        {
            let message = format!("`{key}` is empty");
            let help = format!("write at least one: `{key}: {}`", fields.key(key).example);
            self.report(Diagnostic::error("wrong-value", &node.place, message).help(help));
        }
        entries
    }

    /// The entries of a mapping that has no table.
    pub fn plain_entries<'n>(
        &mut self,
        node: &'n Node,
        key: &str,
        example: &str,
    ) -> &'n [(Node, Node)] {
        if let Value::Mapping(entries) = &node.value {
            return entries;
        }
        let help = format!("write `{key}: {example}`");
        self.wrong_kind(node, &format!("`{key}`"), "a mapping of keys to values", help);
        &[]
    }

    /// Reports a key that is none of those that a mapping may have.
    pub fn unknown_name(
        &mut self,
        what: &str,
        key: &Node,
        known: impl IntoIterator<Item = &'static str>,
    ) {
        let name = key.text().unwrap_or_default();
        let message = format!("{what} has no key `{name}`");
        let help = suggest(name, known);
        self.report(Diagnostic::error("unknown-key", &key.place, message).help(help));
    }

    /// The items of a list; none when it is absent.
    pub fn items<'n>(&mut self, fields: &Fields<'n>, key: &str) -> &'n [Node] {
        let Some(node) = fields.find(key) else { return &[] };
        if let Value::Sequence(items) = &node.value {
            return items;
        }
        let help = match node.text() {
            Some(text) => format!("put it in brackets: `{key}: [{text}]`"),
            None => {
                format!("begin each entry with `- `, or write `{key}: {}`", fields.key(key).example)
            }
        };
        self.wrong_kind(node, &format!("`{key}`"), "a list", help);
        &[]
    }

    /// Reads every item of a list of mappings.
    pub fn each<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        read: fn(&mut Self, &Fields<'_>, &Place) -> Option<T>,
    ) -> Vec<T> {
        let Kind::List(Kind::Mapping(noun)) = fields.key(key).kind else { return Vec::new() };
        let mut all = Vec::new();
        for node in self.items(fields, key) {
            if let Some(fields) = self.fields(node, noun) {
                all.extend(read(self, &fields, &node.place));
            }
        }
        all
    }

    /// Reads a list of texts; `None` when it is absent.
    pub fn texts(&mut self, fields: &Fields<'_>, key: &str) -> Option<Vec<At<String>>> {
        fields.find(key)?;
        let items = self.items(fields, key);
        Some(items.iter().filter_map(|node| self.plain_text(node, key)).collect())
    }

    /// Reads one text or a list of them; `None` when it is absent.
    pub fn one_or_many(&mut self, fields: &Fields<'_>, key: &str) -> Option<Vec<At<String>>> {
        let node = fields.find(key)?;
        if matches!(&node.value, Value::Sequence(items) if items.is_empty())
            && matches!(fields.key(key).kind, Kind::OneOrMany { may_be_empty: false, .. })
        {
            let message = format!("`{key}` is an empty list, so the rule can never match");
            let help = "name at least one, or delete the key to match all";
            self.report(Diagnostic::error("empty-condition", &node.place, message).help(help));
        }
        Some(self.one_or_many_texts(node, key))
    }

    /// Reads one text or a list of them under a key that people chose.
    pub fn one_or_many_texts(&mut self, node: &Node, key: &str) -> Vec<At<String>> {
        match &node.value {
            Value::Sequence(items) => {
                items.iter().filter_map(|item| self.plain_text(item, key)).collect()
            }
            _ => self.plain_text(node, key).into_iter().collect(),
        }
    }

    /// Reads text as it stands.
    pub fn text(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<String>> {
        let node = fields.find(key)?;
        if node.text().is_none() {
            let help = format!("write one value, such as `{key}: {}`", fields.key(key).example);
            self.wrong_kind(node, &format!("`{key}`"), "text", help);
        }
        Some(At { place: node.place.clone(), value: node.text()?.to_owned() })
    }

    /// Reads the text of a node that has no key of its own.
    pub fn plain_text(&mut self, node: &Node, key: &str) -> Option<At<String>> {
        if node.text().is_none() {
            let help = "write one value here; quote it if it begins with `{` or `[`";
            self.wrong_kind(node, &format!("an entry of `{key}`"), "text", help.to_owned());
        }
        Some(At { place: node.place.clone(), value: node.text()?.to_owned() })
    }

    /// Reads `true` or `false`; `yes`, `on` and their like are refused.
    pub fn flag(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<bool>> {
        let node = fields.find(key)?;
        let found = match node.text() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        self.or_wrong(node, key, found, || "write `true` or `false`".to_owned())
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
        let help = || suggest(node.text().unwrap_or_default(), words.iter().map(|(word, _)| *word));
        self.or_wrong(node, key, node.text().and_then(of), help)
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

    /// Reads a number such as `0.8`; infinities and NaN are refused, its range is not looked at.
    pub fn number(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<f64>> {
        self.plain_number(fields.find(key)?, key)
    }

    /// Reads a list of numbers.
    pub fn numbers(&mut self, fields: &Fields<'_>, key: &str) -> Vec<f64> {
        let items = self.items(fields, key).iter();
        items.filter_map(|node| self.plain_number(node, key)).map(|it| it.value).collect()
    }

    fn plain_number(&mut self, node: &Node, key: &str) -> Option<At<f64>> {
        let number = node.text().and_then(scalar::number);
        self.or_wrong(node, key, number, || "write a number such as 0.8".to_owned())
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
            let bare = text.filter(|text| scalar::whole(text).is_some());
            match bare {
                Some(bare) => format!("did you mean `{bare}{letter}`? a length of time {range}"),
                None => format!("write a length of time {range}"),
            }
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
            match node.text().and_then(scalar::near_rate) {
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
        self.or_wrong(node, key, date, || "write a date such as `2027-03-31`".to_owned())
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

    fn wrong_kind(&mut self, node: &Node, what: &str, wanted: &str, help: String) {
        let message = format!("{what} must be {wanted}, not {}", node.kind());
        self.report(Diagnostic::error("wrong-type", &node.place, message).help(help));
    }
}
