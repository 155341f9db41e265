//! The schema of one value, by its kind, and the snippet that an editor offers for a list's entry.
//!
//! `pattern` looks at texts alone, so numbers and booleans pass it; which of them may stand where
//! `arm` takes text is said for each kind. `patternErrorMessage` and `errorMessage` are what
//! yaml-language-server shows; other tools ignore them.

use contract::wording::{Placeholder, WordingKey};
use serde_json::{Map, Value, json};

use crate::price;
use crate::quota::{self, Scope};
use crate::schema::{Kind, Noun, Presence};

use super::{insert, number, reference};

/// One opening span.
const SPAN: &str = "(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\\s*";

/// The schema of a value; the example goes into messages.
pub(super) fn of(kind: &'static Kind, example: &str) -> Value {
    let form = || match example.chars().next() {
        None | Some('[' | '{') => kind.in_words(),
        Some(_) => format!("{}, such as `{example}`", kind.in_words()),
    };
    match kind {
        Kind::Id { min, max } => {
            let form = format!("lower-case letters, digits and single hyphens: {}", form());
            let mut schema = scalar("^[a-z0-9]+(-[a-z0-9]+)*$", &form);
            insert(&mut schema, "minLength", json!(min));
            insert(&mut schema, "maxLength", json!(max));
            schema
        }
        Kind::Reference(_) => any_text(&form()),
        Kind::Name => {
            let mut schema =
                scalar("^[^\\s<>\"\\\\]([^<>\"\\\\\\x00-\\x1f\\x7f]*[^\\s<>\"\\\\])?$", &form());
            insert(&mut schema, "maxLength", json!(64));
            schema
        }
        Kind::Text { pattern, .. } => formed(pattern, example, &form()),
        Kind::Wording(key) => wording(*key, &form()),
        Kind::Flag => text(&["boolean", "string"], "^(true|false)$", &form()),
        Kind::Choice(words) => choice(words),
        Kind::Duration { unit, min, max } => {
            text(&["string"], &number::duration(*unit, *min, *max), &form())
        }
        Kind::Rate { min, max } => text(&["string"], &number::rate(*min, *max), &form()),
        Kind::Whole { min, max } => whole(*min, *max, "", &form()),
        Kind::WholeOrRange { min, max } => {
            let range = format!("(\\s*-\\s*{})?", number::whole((*min).into(), (*max).into()));
            whole(*min, *max, &range, &form())
        }
        Kind::WholeOrPercent { min, max } => whole_or_percent(*min, *max, &form()),
        Kind::Fraction => {
            let pattern = "^(0*\\.[0-9]+|0+\\.?[0-9]*|0*1\\.?0*)$";
            let mut schema = text(&["number", "string"], pattern, &form());
            insert(&mut schema, "minimum", json!(0));
            insert(&mut schema, "maximum", json!(1));
            schema
        }
        Kind::Date => {
            let pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
            text(&["string"], pattern, &form())
        }
        Kind::DayHours => day_hours(&form()),
        Kind::Quotas => quotas(),
        Kind::Prices => prices(),
        Kind::Json => json!({ "type": "object" }),
        Kind::Mapping(noun) => reference(noun),
        Kind::List(of) => json!({ "type": "array", "items": item(of, example) }),
        Kind::Exactly(number, of) => json!({
            "type": "array", "items": self::of(of, example), "minItems": number, "maxItems": number,
        }),
        Kind::OneOrMany { of, may_be_empty } => {
            let least = u8::from(!may_be_empty);
            let one = self::of(of, example);
            json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": least }] })
        }
        Kind::Map { pattern, value, key } => {
            let mut schema = self::of(value, example);
            if value.noun().is_none() {
                insert(&mut schema, "description", json!(value.in_words()));
                insert(&mut schema, "markdownDescription", json!(value.in_words()));
            }
            map(key, pattern, &schema)
        }
    }
}

/// A value in the form that a file has it in, for `examples`.
pub(super) fn example(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).expect("a test reads the example of every key")
}

/// Text of a form; whether a number or a boolean has it, its example or its pattern tells.
fn formed(pattern: &str, example: &str, form: &str) -> Value {
    match pattern {
        _ if self::example(example.trim_matches('"')).is_number() => {
            text(&["string", "integer"], pattern, form)
        }
        _ if ["^[a-z0-9", "^[A-Za-z0-9", "^[^"].iter().any(|it| pattern.starts_with(it)) => {
            scalar(pattern, form)
        }
        _ => text(&["string"], pattern, form),
    }
}

/// A text of an alert: placeholders, doubled braces, and characters that its channel takes.
fn wording(key: WordingKey, form: &str) -> Value {
    let takes = |it: &Placeholder| key.takes(*it);
    let names: Vec<_> =
        Placeholder::ALL.into_iter().filter(takes).map(Placeholder::as_str).collect();
    let letter = match key {
        WordingKey::EmailSubject => "[ -z|~]",
        WordingKey::Email => "[^{}\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f]",
        WordingKey::Headline | WordingKey::Sms => "[^{}\\x00-\\x1f\\x7f-\\x9f]",
    };
    let names = names.join("|");
    // A block text of YAML ends with a line break, which does not count.
    let pattern = format!("^(?=[\\s\\S]*\\S)(\\{{\\{{|\\}}\\}}|\\{{({names})\\}}|{letter})*\\n?$");
    let mut schema = scalar(&pattern, form);
    insert(&mut schema, "maxLength", json!(key.characters_max() + 1));
    schema
}

/// Text of a form, or what a YAML reader may make of it.
fn text(types: &[&str], pattern: &str, form: &str) -> Value {
    let types = if let [one] = types { json!(one) } else { json!(types) };
    json!({ "type": types, "pattern": pattern, "patternErrorMessage": form, "errorMessage": form })
}

/// Text of a form that a YAML reader may take for a number or a boolean.
fn scalar(pattern: &str, form: &str) -> Value {
    let mut schema = any_text(form);
    insert(&mut schema, "pattern", json!(pattern));
    insert(&mut schema, "patternErrorMessage", json!(form));
    schema
}

/// Any text. Were `boolean` among its types, editors would offer `true` for every id.
fn any_text(form: &str) -> Value {
    json!({
        "if": { "type": "string" },
        "else": { "type": ["string", "number", "boolean"], "errorMessage": form },
    })
}

fn choice(words: &[(&str, &str)]) -> Value {
    let (words, says): (Vec<_>, Vec<_>) = words.iter().copied().unzip();
    json!({ "enum": words, "enumDescriptions": says, "markdownEnumDescriptions": says })
}

fn whole(min: u32, max: u32, more: &str, form: &str) -> Value {
    let pattern = format!("^{}{more}$", number::whole(min.into(), max.into()));
    let mut schema = text(&["integer", "string"], &pattern, form);
    insert(&mut schema, "minimum", json!(min));
    insert(&mut schema, "maximum", json!(max));
    schema
}

fn whole_or_percent(min: u32, max: u32, form: &str) -> Value {
    let percent = number::whole(min.into(), 100);
    let pattern = format!("^({}|{percent}%)$", number::whole(min.into(), max.into()));
    let mut schema = text(&["integer", "string"], &pattern, form);
    insert(&mut schema, "minimum", json!(min));
    insert(&mut schema, "maximum", json!(max));
    schema
}

fn day_hours(form: &str) -> Value {
    let span = format!("\\s*{SPAN}-\\s*{SPAN}");
    let pattern = format!("^(closed|{span})$");
    let mut schema = text(&["string", "array"], &pattern, form);
    insert(&mut schema, "items", text(&["string"], &pattern, form));
    schema
}

/// Numbers by the keys of the table of quotas.
fn quotas() -> Value {
    let properties = quota::keys().into_iter().filter_map(quota::find).map(|quota| {
        let max = quota.stated_max();
        let mut schema = whole(1, max, "", &format!("whole number from 1 to {max}"));
        if quota.scope == Scope::InstanceType {
            schema = map("a type such as `ml.g4dn.xlarge`", "^ml\\.[^.]+\\.[^.]+$", &schema);
        }
        let default = quota::thousands(quota.default);
        let about = format!("{}. Default of AWS: {default}.", quota.title);
        insert(&mut schema, "description", json!(about));
        (quota.key.to_owned(), schema)
    });
    json!({
        "type": "object", "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": false,
    })
}

/// Dollars by the keys of the table of prices.
fn prices() -> Value {
    let properties = price::PRICES.iter().map(|price| {
        let form = "dollars with at most six decimals, such as `0.0085`";
        let mut schema = text(&["number", "string"], "^[0-9]+(\\.[0-9]{1,6})?$", form);
        insert(&mut schema, "minimum", json!(0));
        insert(&mut schema, "maximum", json!(price::STATED_MAX / 1_000_000));
        let mut about = format!("{}, in dollars for a {}.", price.title, price.unit);
        if price.key == price::INSTANCES {
            schema = map("a type such as `ml.g4dn.xlarge`", "^ml\\.[^.]+\\.[^.]+$", &schema);
        } else {
            about = format!("{about} {}: {}.", price::BASE_REGION, price::dollars(price.micros));
        }
        insert(&mut schema, "description", json!(about));
        (price.key.to_owned(), schema)
    });
    let mut properties: Map<_, _> = properties.collect();
    let max = price::INCIDENTS_MAX;
    let mut incidents = whole(0, max, "", &format!("whole number from 0 to {max}"));
    let about = format!("Incidents of a store in a day. {}.", price::INCIDENTS_DEFAULT);
    insert(&mut incidents, "description", json!(about));
    properties.insert(price::INCIDENTS.to_owned(), incidents);
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn map(key: &str, pattern: &str, value: &Value) -> Value {
    json!({
        "type": "object", "patternProperties": { pattern: value }, "additionalProperties": false,
        "propertyNames": { "pattern": pattern, "patternErrorMessage": key },
    })
}

/// An entry of a list, with a snippet for a mapping.
fn item(kind: &'static Kind, example: &str) -> Value {
    let mut schema = of(kind, example);
    if let Kind::Mapping(noun) = kind {
        let label = noun.title();
        let snippet = json!({ "label": label, "description": noun.about, "body": body(noun) });
        insert(&mut schema, "defaultSnippets", json!([snippet]));
    }
    schema
}

/// What must be there, each value a stop for the cursor that shows the example.
fn body(noun: &'static Noun) -> Value {
    let mut stop = 0;
    let first = noun.one_of.first();
    let needed = noun.keys.iter().filter(|key| {
        key.presence == Presence::Required || first.is_some_and(|it| *it == key.name)
    });
    let stops = needed.map(|key| {
        let words = match key.kind {
            Kind::Choice(words) => words.iter().map(|(word, _)| *word).collect(),
            _ => Vec::new(),
        };
        (key.name.to_owned(), stops(example(key.example), &words, &mut stop))
    });
    Value::Object(stops.collect())
}

/// A value with a numbered stop in place of each text.
fn stops(value: Value, words: &[&str], stop: &mut u32) -> Value {
    let mut next = || {
        *stop += 1;
        *stop
    };
    match value {
        Value::String(_) if !words.is_empty() => {
            json!(format!("${{{}|{}|}}", next(), words.join(",")))
        }
        Value::String(text) => json!(format!("${{{}:{text}}}", next())),
        Value::Array(items) => items.into_iter().map(|it| stops(it, words, stop)).collect(),
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(key, it)| (key, stops(it, words, stop)));
            Value::Object(entries.collect())
        }
        other => other,
    }
}
