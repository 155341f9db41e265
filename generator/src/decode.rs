//! From YAML nodes to typed values: the small readers that `config` is made of.
//!
//! Readers go by the tables of `schema`: a key's kind, range and example stand there alone. Every
//! reader reports what is wrong and goes on, so that one run shows every problem of a file; one
//! that returns `None` has reported why, or the key is absent.

mod key;
mod near;
mod scalar;
mod value;

use crate::diagnostic::{At, Diagnostic, Place};
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
    /// Keys whose number a comma tore apart, which is reported.
    torn: Vec<&'n str>,
}

impl<'n> Fields<'n> {
    /// The value of a key; `None` when it is absent or has no value.
    pub fn find(&self, key: &str) -> Option<&'n Node> {
        let whole = |value: &&Node| !value.is_null() && !self.torn.contains(&key);
        self.entry(key).map(|(_, value)| value).filter(whole)
    }

    fn entry(&self, key: &str) -> Option<&'n (Node, Node)> {
        self.entries.iter().find(|(name, _)| name.text() == Some(key))
    }

    /// Where a key that is there stands.
    pub fn key_place(&self, key: &str) -> Option<&'n Place> {
        self.entry(key).map(|(key, _)| &key.place)
    }

    /// True where no key stands at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// True where a key is not of the table, which is reported: something was meant.
    pub fn has_unknown(&self) -> bool {
        self.entries.iter().any(|(key, _)| self.noun.key(key.text().unwrap_or_default()).is_none())
    }

    fn key(&self, name: &str) -> &'static Key {
        self.noun.key(name).expect("config reads keys of the noun's table")
    }
}

impl Decoder {
    /// Reports a problem; those beyond the first thousand are dropped.
    pub fn report(&mut self, problem: Diagnostic) {
        /// Most problems of one file that are kept. Our choice: five times what is shown, so that
        /// a file of nothing but mistakes does not take its size many times over.
        const KEPT_PER_FILE: usize = 1_000;
        if self.problems.len() < KEPT_PER_FILE {
            self.problems.push(problem);
        }
    }

    /// Opens a mapping of the given kind: its keys are those of the table, and all that must be
    /// there are there, or it is reported.
    pub fn fields<'n>(&mut self, node: &'n Node, noun: &'static Noun) -> Option<Fields<'n>> {
        let Value::Mapping(entries) = &node.value else {
            let example = noun.keys.first().map_or("key", |key| key.name);
            let tight = node.text().and_then(|text| text.split_once(':'));
            let help = match tight.filter(|(name, _)| noun.key(name).is_some()) {
                Some((name, value)) => format!("put a space after the colon: `{name}: {value}`"),
                None => format!("write its keys and values, such as `{example}: ...`"),
            };
            self.wrong_kind(node, noun.what, "a mapping of keys to values", help);
            return None;
        };
        let mut fields = Fields { place: &node.place, noun, entries, torn: Vec::new() };
        let absent: Vec<_> =
            noun.keys.iter().filter(|key| fields.entry(key.name).is_none()).collect();
        let mut meant: Vec<&str> = Vec::new();
        for (index, (key, value)) in entries.iter().enumerate() {
            match noun.key(key.text().unwrap_or_default()) {
                None if self.is_rest(entries, index, noun) => {
                    fields.torn.extend(key::torn(entries, index));
                }
                None => meant.extend(self.unknown_key(noun, &absent, key)),
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
        let nodes = self.items(fields, key);
        self.each_of(nodes, noun, read)
    }

    /// Reads one mapping or every item of a list of them.
    pub fn one_or_each<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        read: fn(&mut Self, &Fields<'_>, &Place) -> Option<T>,
    ) -> Vec<T> {
        let Kind::OneOrMany { of: Kind::Mapping(noun), .. } = fields.key(key).kind else {
            return Vec::new();
        };
        let nodes = match fields.find(key) {
            None => return Vec::new(),
            Some(Node { value: Value::Sequence(items), .. }) => items,
            Some(node) => std::slice::from_ref(node),
        };
        self.each_of(nodes, noun, read)
    }

    fn each_of<T>(
        &mut self,
        nodes: &[Node],
        noun: &'static Noun,
        read: fn(&mut Self, &Fields<'_>, &Place) -> Option<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for node in nodes {
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
        if let (Some(text), Kind::OneOrMany { of: Kind::Id { .. } | Kind::Reference(_), .. }) =
            (node.text().filter(|it| it.contains(',')), fields.key(key).kind)
        {
            let message = format!("`{key}` is one text with a comma in it");
            let help = format!("put the entries in brackets: `{key}: [{text}]`");
            self.report(Diagnostic::error("wrong-value", &node.place, message).help(help));
            let each = text.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
            return Some(each.map(|value| At { place: node.place.clone(), value }).collect());
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
}
